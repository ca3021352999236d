"""Notes: one spelling each. What readers are known to disagree about is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_log
from edited import edited
from ledger.proof.note import (
    NOTE_BYTES_MAX,
    SIGNATURES_MAX,
    Note,
    NoteError,
    Signature,
    Signer,
    Verifier,
    format_note,
    format_signature,
    open_note,
    parse_note,
    parse_signatures,
)

HOW = settings(max_examples=120, deadline=None, derandomize=True)
SIGNER = Signer.from_text(golden_log.PRIVATE_TEXT)
VERIFIER = Verifier.from_vkey(golden_log.VKEY)
GOOD = golden_log.checkpoint(7)
SIGNED_BY_TWO = GOOD + "— witness.example/w1 AAECAwQF\n".encode()


def changed(old: str, new: str) -> bytes:
    """The good note with one change, which there is a place for."""
    text = GOOD.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


REFUSED = {
    "no line feed at the end": GOOD[:-1],
    "CRLF everywhere": GOOD.replace(b"\n", b"\r\n"),
    "CRLF in one line of the text": changed("testdata\n7\n", "testdata\n7\r\n"),
    "CRLF at the end": GOOD[:-1] + b"\r\n",
    "a tab in the text": changed("\n7\n", "\n7\t\n"),
    "a zero byte": changed("\n7\n", "\n7\0\n"),
    "no empty line": GOOD.replace(b"\n\n", b"\n"),
    "an empty line after the signature": GOOD + b"\n",
    "two empty lines after the signature": GOOD + b"\n\n",
    "nothing": b"",
    "a line feed": b"\n",
    "signatures without a text": GOOD.partition(b"\n\n")[2],
    "the same line twice": GOOD + GOOD.partition(b"\n\n")[2],
    "two lines of one key": SIGNED_BY_TWO + "— witness.example/w1 AAECAwYH\n".encode(),
    "a hyphen for the dash": changed("—", "-"),
    "an en dash for the dash": changed("—", "–"),
    "no space behind the dash": changed("— ", "—"),
    "two spaces behind the dash": changed("— ", "—  "),
    "two spaces behind the name": changed("testdata M9", "testdata  M9"),
    "a space at the end": GOOD[:-1] + b" \n",
    "no signature behind the name": changed("testdata M9", "testdata\n— a.example AAECAwQF\n— b "),
    "a plus sign in the name": changed("— example.com", "— example+com"),
    "an unbreakable space in the name": changed("— example.com", "— example\u00a0com"),
    "a next-line character in the name": changed("— example.com", "— example\u0085com"),
    "base64 without padding": GOOD.replace(b"=\n", b"\n"),
    "base64 with more padding": GOOD[:-1] + b"=\n",
    "base64 of the alphabet for URLs": changed("Uki/BB", "Uki_BB"),
    "base64 with bits left over": GOOD[:-3] + b"d=\n",
    "base64 with a line feed in it": changed("M9e0", "M9\ne0"),
    "base64 with a character of none": changed("M9e0", "M9e0*"),
    "a key id and nothing else": changed("M9e0lu", "M9e0lg==\n— b.example M9e0lu"),
    "no UTF-8": GOOD.replace(b"testdata\n", b"testdat\xe1\n", 1),
    "half a character": GOOD.replace(b"testdata\n", b"test\xed\xa0\x80\n", 1),
    "an overlong character": GOOD.replace(b"testdata\n", b"test\xc0\x80\n", 1),
    "too many signatures": GOOD.partition(b"\n\n")[0]
    + b"\n\n"
    + b"".join(f"— a{n} AAECAwQF\n".encode() for n in range(SIGNATURES_MAX + 1)),
    "too large": b"x" * NOTE_BYTES_MAX + b"\n" + GOOD,
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_what_readers_disagree_about_is_refused(raw: bytes) -> None:
    """Each of these is taken for a note by some reader."""
    with pytest.raises(NoteError):
        parse_note(raw)
    with pytest.raises(NoteError):
        open_note(raw, [VERIFIER])


def test_as_many_signatures_as_are_allowed_are_read() -> None:
    """The limits are met exactly."""
    many = [Signature(f"w{n}.example", b"abcd", b"x") for n in range(SIGNATURES_MAX)]
    assert parse_note(format_note("x\n", many)).signatures == tuple(many)
    padding = "x" * (NOTE_BYTES_MAX - len(format_note("\n", many)))
    largest = format_note(f"{padding}\n", many)
    assert len(largest) == NOTE_BYTES_MAX
    assert parse_note(largest).text == f"{padding}\n"


@HOW
@given(edited(GOOD, SIGNED_BY_TWO, b"a\n\n\n" + GOOD))
def test_any_bytes_are_refused_or_are_the_only_spelling_of_their_note(raw: bytes) -> None:
    """What is read is written again to the byte."""
    try:
        note = parse_note(raw)
    except NoteError:
        return
    assert format_note(note.text, note.signatures) == raw


@HOW
@given(edited(GOOD, SIGNED_BY_TWO))
def test_no_edit_of_a_signed_note_verifies_as_something_else(raw: bytes) -> None:
    """Either the note is refused, or the log signed this very text."""
    try:
        note, verified = open_note(raw, [VERIFIER])
    except NoteError:
        return
    assert note.text == parse_note(GOOD).text
    assert verified == parse_note(GOOD).signatures


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="+", exclude_categories=["Z", "C"]), min_size=1
)
KEYS = st.tuples(NAMES, st.binary(min_size=4, max_size=4))
SIGNED = st.dictionaries(KEYS, st.binary(min_size=1), min_size=1, max_size=4)
TEXTS = st.text(st.characters(codec="utf-8", min_codepoint=0x20) | st.just("\n"))


@HOW
@given(
    TEXTS,
    st.dictionaries(
        st.tuples(NAMES, st.binary(min_size=4, max_size=4)),
        st.binary(min_size=1),
        min_size=1,
        max_size=4,
    ),
)
def test_every_note_is_read_as_it_was_written(
    text: str, signed: dict[tuple[str, bytes], bytes]
) -> None:
    """Texts with empty lines, and with lines that look like signatures, too."""
    signatures = tuple(Signature(*key, blob) for key, blob in signed.items())
    assert parse_note(format_note(f"{text}\n", signatures)) == Note(f"{text}\n", signatures)


@pytest.mark.parametrize("text", ["", "x", "x\n\r\n", "\ud800\n", "\0\n"])
def test_a_text_that_makes_no_note_is_neither_signed_nor_written(text: str) -> None:
    """Nothing is signed that no reader would accept."""
    with pytest.raises(NoteError):
        SIGNER.sign(text)
    with pytest.raises(NoteError):
        format_note(text, [Signature("a", b"abcd", b"x")])


@pytest.mark.parametrize(
    "signature",
    [
        Signature("", b"abcd", b"x"),
        Signature("a b", b"abcd", b"x"),
        Signature("a+b", b"abcd", b"x"),
        Signature("a\nb", b"abcd", b"x"),
        Signature("\udcff", b"abcd", b"x"),
        Signature("a", b"abc", b"xx"),
        Signature("a", b"abcd", b""),
    ],
)
def test_a_signature_that_makes_no_line_is_not_written(signature: Signature) -> None:
    """A name or an id that would be read as another one."""
    with pytest.raises(NoteError):
        format_note("x\n", [signature])


def test_a_note_needs_a_signature() -> None:
    """A text alone is no note."""
    with pytest.raises(NoteError):
        format_note("x\n", [])


def test_lines_of_signatures_are_read_alone() -> None:
    """A witness answers lines, without the text that they are about."""
    given_lines = (Signature("a", b"abcd", b"x"), Signature("a", b"abce", b"x"))
    lines = "".join(map(format_signature, given_lines))
    assert parse_signatures(lines) == given_lines
    for bad in ("", lines[:-1], f"\n{lines}", f"{lines}\n", lines + lines):
        with pytest.raises(NoteError):
            parse_signatures(bad)
