"""Checkpoints: three lines and perhaps more, in one spelling."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_log
from edited import edited
from ledger.proof.checkpoint import (
    Checkpoint,
    CheckpointError,
    format_checkpoint,
    parse_checkpoint,
)
from ledger.proof.note import parse_note
from ledger.proof.proofs import SIZE_MAX
from ledger.proof.tree import EMPTY_ROOT

HOW = settings(max_examples=200, deadline=None, derandomize=True)
GOOD = parse_note(golden_log.checkpoint(7)).text
ROOT = GOOD.split("\n")[2]
EXTENDED = f"{GOOD}an extension\nanother — one\n"
REFUSED = {
    "nothing": "",
    "a line feed": "\n",
    "no line feed at the end": GOOD[:-1],
    "an empty line at the end": f"{GOOD}\n",
    "an empty line between": GOOD.replace("\n7\n", "\n\n7\n"),
    "an empty line between extensions": f"{EXTENDED}\nthird\n",
    "no origin": GOOD.partition("\n")[2],
    "an empty origin": "\n" + GOOD.partition("\n")[2],
    "no root": GOOD.replace(f"{ROOT}\n", ""),
    "CRLF": GOOD.replace("\n", "\r\n"),
    "CRLF behind the size": GOOD.replace("\n7\n", "\n7\r\n"),
    "a leading zero": GOOD.replace("\n7\n", "\n07\n"),
    "two zeros": GOOD.replace("\n7\n", "\n00\n"),
    "a plus sign": GOOD.replace("\n7\n", "\n+7\n"),
    "a negative size": GOOD.replace("\n7\n", "\n-7\n"),
    "a negative zero": GOOD.replace("\n7\n", "\n-0\n"),
    "a space before the size": GOOD.replace("\n7\n", "\n 7\n"),
    "a space behind the size": GOOD.replace("\n7\n", "\n7 \n"),
    "an underscore in the size": GOOD.replace("\n7\n", "\n1_0\n"),
    "hexadecimal": GOOD.replace("\n7\n", "\n0x7\n"),
    "a fraction": GOOD.replace("\n7\n", "\n7.0\n"),
    "an exponent": GOOD.replace("\n7\n", "\n7e1\n"),
    "digits of another script": GOOD.replace("\n7\n", "\n\u0667\n"),
    "a superscript digit": GOOD.replace("\n7\n", "\n\u00b2\n"),
    "2^63": GOOD.replace("\n7\n", f"\n{2**63}\n"),
    "2^64 + 7": GOOD.replace("\n7\n", f"\n{2**64 + 7}\n"),
    "5,000 digits": GOOD.replace("\n7\n", "\n" + "7" * 5_000 + "\n"),
    "a root of 31 bytes": GOOD.replace(ROOT, "A" * 42 + "=="),
    "a root of 33 bytes": GOOD.replace(ROOT, "A" * 44),
    "a root of 30 bytes in 44 characters": GOOD.replace(ROOT, "A" * 40 + "===="),
    "a root without padding": GOOD.replace(ROOT, ROOT[:-1]),
    "a root with bits left over": GOOD.replace(ROOT, ROOT[:-2] + "V="),
    "a root in hex": GOOD.replace(ROOT, EMPTY_ROOT.hex()),
    "a root of the alphabet for URLs": GOOD.replace(ROOT, ROOT.replace("/", "_")),
    "a space behind the root": GOOD.replace(ROOT, f"{ROOT} "),
    "a control character in the origin": GOOD.replace("example", "exam\x1fple"),
    "half a character in the origin": GOOD.replace("example", "exam\ud800ple"),
    "a control character in an extension": f"{GOOD}a\tb\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_text_that_is_not_quite_a_checkpoint_is_refused(text: str) -> None:
    """Each of these is taken for a checkpoint by some reader."""
    assert text != GOOD
    with pytest.raises(CheckpointError):
        parse_checkpoint(text)


def test_a_checkpoint_is_read_with_its_extensions() -> None:
    """Opaque lines behind the root, which other logs may write."""
    read = parse_checkpoint(EXTENDED)
    assert (read.origin, read.size) == (golden_log.ORIGIN, 7)
    assert read.extensions == ("an extension", "another — one")
    assert format_checkpoint(read) == EXTENDED
    assert parse_checkpoint(GOOD).extensions == ()


def test_sizes_up_to_the_largest_are_read() -> None:
    """From nothing to 2^63-1 leaves."""
    for size in (0, 1, 10, SIZE_MAX):
        made = Checkpoint("ledger.example", size, EMPTY_ROOT)
        assert parse_checkpoint(format_checkpoint(made)) == made


@HOW
@given(edited(GOOD.encode(), EXTENDED.encode()))
def test_any_text_is_refused_or_is_the_only_spelling_of_its_checkpoint(raw: bytes) -> None:
    """What is read is written again to the letter."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        read = parse_checkpoint(text)
    except CheckpointError:
        return
    assert format_checkpoint(read) == text


@HOW
@given(
    st.builds(
        Checkpoint,
        st.text(),
        st.integers(-1, 2**64),
        st.binary(min_size=32, max_size=32) | st.binary(max_size=40),
        st.lists(st.text(), max_size=3).map(tuple),
    )
)
def test_any_state_is_refused_or_is_read_as_it_was_written(made: Checkpoint) -> None:
    """No line of it becomes two, and none disappears."""
    try:
        text = format_checkpoint(made)
    except CheckpointError:
        return
    assert parse_checkpoint(text) == made


@pytest.mark.parametrize(
    "made",
    [
        Checkpoint("", 1, EMPTY_ROOT),
        Checkpoint("a\nb", 1, EMPTY_ROOT),
        Checkpoint("a", -1, EMPTY_ROOT),
        Checkpoint("a", SIZE_MAX + 1, EMPTY_ROOT),
        Checkpoint("a", 1, EMPTY_ROOT[1:]),
        Checkpoint("a", 1, EMPTY_ROOT, ("",)),
        Checkpoint("a", 1, EMPTY_ROOT, ("b\nc",)),
        Checkpoint("a", 1, EMPTY_ROOT, ("b\n",)),
        Checkpoint("\udcff", 1, EMPTY_ROOT),
    ],
)
def test_a_state_that_makes_no_checkpoint_is_not_written(made: Checkpoint) -> None:
    """Nothing is signed that would be read as something else."""
    with pytest.raises(CheckpointError):
        format_checkpoint(made)
