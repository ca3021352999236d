"""Bytes that are nearly right: a valid file with a few small edits, drawn by hypothesis.

Random bytes fail at the first look. What two readers disagree about lies close to what is valid.
"""

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

INSERTIONS = (
    b"\n", b"\n\n", b"\r", b"\r\n", b"\0", b"\t", b" ", b"\x7f", b"\xff", b"\xc2\x85", b"\xc2\xa0",
    b"\xed\xa0\x80", b"\xe2\x80\x94 ", b"\xef\xbb\xbf", b"0", b"00", b"-", b"+", b"=", b"==", b"A",
    b"9" * 20, b"18446744073709551616", b"\xd9\xa1",
)  # fmt: skip

Edit = Callable[[bytes], bytes]


def edited(*valid: bytes) -> st.SearchStrategy[bytes]:
    """One of these files after up to three edits; sometimes any bytes at all."""
    apart = st.builds(_apply, st.sampled_from(valid), st.lists(_edits(), max_size=3))
    return apart | apart | apart | st.binary(max_size=200)


def _edits() -> st.SearchStrategy[Edit]:
    at = st.integers(0, 10_000)
    return st.one_of(
        st.builds(_insert, at, st.sampled_from(INSERTIONS) | st.binary(min_size=1, max_size=2)),
        st.builds(_delete, at, st.integers(1, 3)),
        st.builds(_set, at, st.integers(0, 255)),
        st.builds(_flip_case, at),
        st.builds(_move_line, at, at),
        st.builds(_repeat_line, at, at),
        st.builds(_drop_line, at),
    )


def _apply(valid: bytes, edits: Sequence[Edit]) -> bytes:
    for edit in edits:
        valid = edit(valid)
    return valid


def _insert(at: int, what: bytes) -> Edit:
    return lambda raw: raw[: at % (len(raw) + 1)] + what + raw[at % (len(raw) + 1) :]


def _delete(at: int, count: int) -> Edit:
    return lambda raw: raw[: at % (len(raw) + 1)] + raw[at % (len(raw) + 1) + count :]


def _set(at: int, byte: int) -> Edit:
    return lambda raw: (
        _delete(at, 1)(raw)[: at % (len(raw) + 1)] + bytes((byte,)) + raw[at % (len(raw) + 1) + 1 :]
    )


def _flip_case(at: int) -> Edit:
    return lambda raw: raw[: at % (len(raw) + 1)] + raw[at % (len(raw) + 1) :].swapcase()


def _move_line(source: int, target: int) -> Edit:
    def move(raw: bytes) -> bytes:
        lines = raw.split(b"\n")
        line = lines.pop(source % len(lines))
        lines.insert(target % (len(lines) + 1), line)
        return b"\n".join(lines)

    return move


def _repeat_line(source: int, target: int) -> Edit:
    def repeat(raw: bytes) -> bytes:
        lines = raw.split(b"\n")
        lines.insert(target % (len(lines) + 1), lines[source % len(lines)])
        return b"\n".join(lines)

    return repeat


def _drop_line(at: int) -> Edit:
    def drop(raw: bytes) -> bytes:
        lines = raw.split(b"\n")
        del lines[at % len(lines)]
        return b"\n".join(lines)

    return drop
