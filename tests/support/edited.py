"""Bytes that are nearly right: a valid file with a few small edits.

Random bytes fail at the first look. What two readers disagree about lies close to what is valid.
"""

import random

from hypothesis import strategies as st

INSERTIONS = (
    b"\n", b"\n\n", b"\r", b"\r\n", b"\0", b"\t", b" ", b"\x7f", b"\xff", b"\xc2\x85", b"\xc2\xa0",
    b"\xed\xa0\x80", b"\xe2\x80\x94 ", b"\xef\xbb\xbf", b"0", b"00", b"-", b"+", b"=", b"==", b"A",
    b"9" * 20, b"18446744073709551616", b"\xd9\xa1",
)  # fmt: skip
EDITS_MAX = 3


def edited(*valid: bytes) -> st.SearchStrategy[bytes]:
    """One of these files after up to three edits; sometimes any bytes at all."""
    apart = st.builds(_edit, st.sampled_from(valid), st.integers(0, EDITS_MAX), st.randoms())
    return apart | apart | apart | st.binary(max_size=200)


def edit_once(raw: bytes, chance: random.Random) -> bytes:
    """Something inserted, lost, changed, moved or repeated at one place."""
    at = chance.randrange(len(raw) + 1)
    lines = raw.split(b"\n")
    line, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    match chance.choice(("insert", "insert", "drop", "set", "case", "move", "repeat", "lose")):
        case "insert":
            return raw[:at] + chance.choice(INSERTIONS) + raw[at:]
        case "drop":
            return raw[:at] + raw[at + chance.randint(1, 3) :]
        case "set":
            return raw[:at] + bytes((chance.randrange(256),)) + raw[at + 1 :]
        case "case":
            return raw[:at] + raw[at : at + 1].swapcase() + raw[at + 1 :]
        case "move":
            lines.insert(other, lines.pop(line))
        case "repeat":
            lines.insert(other, lines[line])
        case _:
            del lines[line]
    return b"\n".join(lines)


def _edit(raw: bytes, times: int, chance: random.Random) -> bytes:
    for _ in range(times):
        raw = edit_once(raw, chance)
    return raw
