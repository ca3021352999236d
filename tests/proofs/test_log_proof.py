"""Log proofs as texts: one spelling, and what they are refused for."""

import pytest
from hypothesis import given, settings

import golden_log
from edited import edited
from ledger.proof.checkpoint import parse_checkpoint
from ledger.proof.log_proof import (
    HASHES_MAX,
    LOG_PROOF_BYTES_MAX,
    LogProof,
    LogProofError,
    format_log_proof,
    parse_log_proof,
)
from ledger.proof.note import Verifier, open_note
from ledger.proof.proofs import verify_inclusion
from ledger.proof.tree import leaf_hash
from ledger.proof.wire import base64_of
from naive_proofs import path_of

HOW = settings(max_examples=200, deadline=None, derandomize=True)
LEAVES = tuple(map(leaf_hash, golden_log.ENTRIES))
NOTE = golden_log.checkpoint(15)
HASHES = tuple(path_of(5, LEAVES))
GOOD = format_log_proof(5, HASHES, NOTE)
WITH_EXTRA = format_log_proof(5, HASHES, NOTE, b"more")


def test_a_proof_is_written_as_the_specification_says() -> None:
    """First line, index, hashes from the leaf upwards, an empty line, the checkpoint verbatim."""
    lines = ["c2sp.org/tlog-proof@v1", "index 5", *map(base64_of, HASHES), ""]
    assert "".join(f"{line}\n" for line in lines).encode() + NOTE == GOOD
    assert GOOD.replace(b"index", b"extra bW9yZQ==\nindex", 1) == WITH_EXTRA


@pytest.mark.parametrize("size", range(1, 16))
def test_a_proof_shows_what_it_says_at_every_size(size: int) -> None:
    """Read again, the log's signature and the leaf's inclusion verify."""
    for index in range(size):
        note = golden_log.checkpoint(size)
        proof = parse_log_proof(format_log_proof(index, path_of(index, LEAVES[:size]), note))
        opened, _ = open_note(proof.checkpoint, [Verifier.from_vkey(golden_log.VKEY)])
        checkpoint = parse_checkpoint(opened.text)
        verify_inclusion(LEAVES[index], proof.index, checkpoint.size, proof.hashes, checkpoint.root)


@pytest.mark.parametrize("extra", [None, b"", b"more", bytes(range(256))])
def test_a_proof_is_read_as_it_was_written(extra: bytes | None) -> None:
    """Without hashes, and with data that nothing authenticates, too."""
    for hashes in ((), HASHES):
        raw = format_log_proof(0, hashes, NOTE, extra)
        assert parse_log_proof(raw) == LogProof(0, hashes, NOTE, extra)


ONE = base64_of(HASHES[0]).encode()
REFUSED = {
    "nothing": b"",
    "the checkpoint alone": NOTE,
    "another version": GOOD.replace(b"@v1", b"@v2"),
    "no first line": GOOD.partition(b"\n")[2],
    "an empty line before the index": GOOD.replace(b"index", b"\nindex"),
    "no index": GOOD.replace(b"index 5\n", b""),
    "two indexes": GOOD.replace(b"index 5\n", b"index 5\nindex 5\n"),
    "no number": GOOD.replace(b"index 5\n", b"index\n"),
    "two spaces": GOOD.replace(b"index 5\n", b"index  5\n"),
    "a leading zero": GOOD.replace(b"index 5\n", b"index 05\n"),
    "a negative index": GOOD.replace(b"index 5\n", b"index -5\n"),
    "a large index": GOOD.replace(b"index 5\n", b"index %d\n" % 2**63),
    "CRLF": GOOD.replace(b"index 5\n", b"index 5\r\n"),
    "a hash of 31 bytes": GOOD.replace(ONE, b"A" * 42 + b"=="),
    "a hash with bits left over": GOOD.replace(ONE, ONE[:-2] + b"J="),
    "a hash without padding": GOOD.replace(ONE, ONE[:-1]),
    "no empty line": GOOD.replace(b"\n\n", b"\n", 1),
    "two empty lines": GOOD.replace(b"\n\n", b"\n\n\n", 1).replace(b"\n\n\xe2", b"\n\xe2"),
    "no checkpoint": GOOD.partition(b"\n\n")[0] + b"\n\n",
    "a checkpoint without signature": GOOD.rpartition(b"\n\n")[0] + b"\n",
    "no line feed at the end": GOOD[:-1],
    "extra behind the index": GOOD.replace(b"index 5\n", b"index 5\nextra bW9yZQ==\n"),
    "extra twice": WITH_EXTRA.replace(b"index", b"extra bW9yZQ==\nindex"),
    "extra with bits left over": WITH_EXTRA.replace(b"bW9yZQ==", b"bW9yZR=="),
    "64 hashes": GOOD.replace(b"index 5\n", b"index 5\n" + (ONE + b"\n") * (HASHES_MAX + 1)),
    "no UTF-8": GOOD.replace(b"index 5\n", b"index 5\n\xff\n"),
    "too large": WITH_EXTRA.replace(b"bW9y", b"bW9y" * (LOG_PROOF_BYTES_MAX // 4)),
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_a_text_that_is_not_quite_a_proof_is_refused(raw: bytes) -> None:
    """One error for whatever is wrong."""
    assert raw != GOOD
    with pytest.raises(LogProofError):
        parse_log_proof(raw)


@HOW
@given(edited(GOOD, WITH_EXTRA))
def test_any_bytes_are_refused_or_are_the_only_spelling_of_their_proof(raw: bytes) -> None:
    """What is read is written again to the byte."""
    try:
        proof = parse_log_proof(raw)
    except LogProofError:
        return
    again = format_log_proof(proof.index, proof.hashes, proof.checkpoint, proof.extra)
    assert again == raw


@pytest.mark.parametrize(
    ("index", "hashes", "note"),
    [(-1, (), NOTE), (2**63, (), NOTE), (0, (b"x" * 31,), NOTE), (0, (), NOTE[:-1]), (0, (), b"")],
)
def test_what_makes_no_proof_is_not_written(
    index: int, hashes: tuple[bytes, ...], note: bytes
) -> None:
    """Nothing is handed out that no reader would accept."""
    with pytest.raises(LogProofError):
        format_log_proof(index, hashes, note)
