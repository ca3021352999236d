"""Cosignatures: the signed bytes, and what is never cosigned."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

import golden_log
from ledger.proof.cosignature import (
    TIMESTAMP_MAX,
    Cosignature,
    CosignatureError,
    ed25519_message,
    join_cosignature,
    mldsa44_message,
    split_cosignature,
)
from ledger.proof.key_kinds import Kind
from ledger.proof.note import NoteError, Signer, format_note, open_note, parse_note
from ledger.proof.tree import EMPTY_ROOT
from ledger.proof.wire import base64_of

TEXT = parse_note(golden_log.checkpoint(7)).text
ROOT_7 = "22b49700306a27b110a143834832913b24a036f79e2fa085862936c3ff9f4bb5"
EXTENDED = f"{TEXT}an extension\n"
WITNESS = Signer("witness.example/w1", Kind.ED25519_COSIGNATURE, bytes(range(32)))
PQ_WITNESS = Signer("witness.example/w1", Kind.MLDSA44_COSIGNATURE, bytes(range(32)))
NOON = 1_700_000_000


def test_ed25519_signs_the_time_and_the_whole_text() -> None:
    """The message, letter for letter."""
    assert ed25519_message(EXTENDED, NOON) == (
        b"cosignature/v1\ntime 1700000000\nexample.com/log/testdata\n7\n"
        b"IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=\nan extension\n"
    )


def test_ml_dsa_44_signs_names_time_and_tree() -> None:
    """The message, byte for byte: two names behind their lengths, numbers in eight bytes."""
    assert mldsa44_message("witness.example/w1", TEXT, NOON).hex() == "".join(
        (
            b"subtree/v1\n\0".hex(),
            "12" + b"witness.example/w1".hex(),
            "000000006553f100",
            "18" + b"example.com/log/testdata".hex(),
            "0000000000000000",
            "0000000000000007",
            ROOT_7,
        )
    )


def test_a_line_is_built_as_the_specification_says() -> None:
    """Key id, eight bytes of time, signature; each checked without our reader."""
    for signer, size in ((WITNESS, 76), (PQ_WITNESS, 4 + 8 + 2420)):
        line = signer.signature(TEXT, NOON)
        blob = line.key_id + line.signature
        assert len(blob) == size
        public = signer.verifier.public
        named = signer.name.encode() + b"\n" + bytes((signer.kind,)) + public
        assert blob[:4] == hashlib.sha256(named).digest()[:4]
        assert blob[4:12] == NOON.to_bytes(8)
    assert len(base64_of(WITNESS.key_id + WITNESS.sign(TEXT, NOON))) == 104
    Ed25519PublicKey.from_public_bytes(WITNESS.verifier.public).verify(
        WITNESS.sign(TEXT, NOON)[8:], ed25519_message(TEXT, NOON)
    )
    MLDSA44PublicKey.from_public_bytes(PQ_WITNESS.verifier.public).verify(
        PQ_WITNESS.sign(TEXT, NOON)[8:], mldsa44_message(PQ_WITNESS.name, TEXT, NOON)
    )


def test_a_cosigned_checkpoint_of_another_log_is_opened_with_all_keys() -> None:
    """The log's line first, the witnesses' beneath; the times are told."""
    log = Signer.from_text(golden_log.PRIVATE_TEXT)
    signatures = [one.signature(TEXT, NOON) for one in (WITNESS, PQ_WITNESS)]
    raw = format_note(TEXT, [log.signature(TEXT), *signatures])
    assert raw.startswith(golden_log.checkpoint(7))
    verifiers = [log.verifier, WITNESS.verifier, PQ_WITNESS.verifier]
    _, verified = open_note(raw, verifiers)
    times = [by.signed_at(one.signature) for by, one in zip(verifiers, verified, strict=True)]
    assert times == [None, NOON, NOON]


def test_a_changed_time_is_found() -> None:
    """The time stands outside the signature and is signed all the same."""
    for signer in (WITNESS, PQ_WITNESS):
        time, signature = split_cosignature(signer.sign(TEXT, NOON))
        for other in (0, time - 1, time + 1, TIMESTAMP_MAX):
            assert not signer.verifier.verifies(
                TEXT, join_cosignature(Cosignature(other, signature))
            )


def test_a_log_signs_beside_ed25519_without_a_time() -> None:
    """With an ML-DSA-44 key under its own name; a reader with either key opens the note."""
    log = Signer.from_text(golden_log.PRIVATE_TEXT)
    pq_log = Signer(log.name, Kind.MLDSA44_COSIGNATURE, bytes(range(32)))
    raw = format_note(TEXT, [log.signature(TEXT), pq_log.signature(TEXT)])
    for verifiers in ([log.verifier], [pq_log.verifier], [log.verifier, pq_log.verifier]):
        _, verified = open_note(raw, verifiers, not_after=0)
        assert len(verified) == len(verifiers)


EMPTY_LOG = f"ledger.example\n0\n{base64_of(EMPTY_ROOT)}\n"
NO_CHECKPOINTS = {
    "a text": "hello\n",
    "two lines": "a\n1\n",
    "a size with a zero in front": TEXT.replace("\n7\n", "\n07\n"),
    "an empty tree with another root": TEXT.replace("\n7\n", "\n0\n"),
    "no line feed at the end": TEXT[:-1],
}


@pytest.mark.parametrize("text", NO_CHECKPOINTS.values(), ids=NO_CHECKPOINTS)
def test_what_is_no_checkpoint_is_not_cosigned(text: str) -> None:
    """A witness's key signs nothing else, and verifies nothing else."""
    with pytest.raises(CosignatureError):
        ed25519_message(text, NOON)
    with pytest.raises(CosignatureError):
        mldsa44_message("w", text, NOON)
    for signer in (WITNESS, PQ_WITNESS):
        with pytest.raises(NoteError):
            signer.sign(text, NOON)
        assert not signer.verifier.verifies(text, signer.sign(TEXT, NOON))


def test_an_empty_log_is_cosigned() -> None:
    """A checkpoint over nothing is one."""
    for signer in (WITNESS, PQ_WITNESS):
        assert signer.verifier.verifies(EMPTY_LOG, signer.sign(EMPTY_LOG, NOON))


def test_lines_that_ml_dsa_44_does_not_sign_are_not_taken_for_signed() -> None:
    """Somebody else could have added them."""
    with pytest.raises(NoteError, match="extension lines"):
        PQ_WITNESS.sign(EXTENDED, NOON)
    assert not PQ_WITNESS.verifier.verifies(EXTENDED, PQ_WITNESS.sign(TEXT, NOON))
    assert WITNESS.verifier.verifies(EXTENDED, WITNESS.sign(EXTENDED, NOON))


@pytest.mark.parametrize("origin", ["o" * 256, "\u00e9" * 128], ids=["256 letters", "256 bytes"])
def test_a_name_that_does_not_fit_its_length_is_not_signed(origin: str) -> None:
    """One byte tells how long a name is."""
    text = f"{origin}\n1\n{base64_of(EMPTY_ROOT)}\n"
    with pytest.raises(CosignatureError, match="1 to 255 bytes"):
        mldsa44_message("w", text, NOON)
    with pytest.raises(CosignatureError, match="1 to 255 bytes"):
        mldsa44_message(origin, TEXT, NOON)
    with pytest.raises(CosignatureError, match="half a character"):
        mldsa44_message("\ud800", TEXT, NOON)
    assert not PQ_WITNESS.verifier.verifies(text, PQ_WITNESS.sign(TEXT, NOON))
    longest = text.replace(origin, origin[:127])
    assert PQ_WITNESS.verifier.verifies(longest, PQ_WITNESS.sign(longest, NOON))


@pytest.mark.parametrize("raw", [b"", b"1234567", b"12345678", b"\x80" + bytes(71)])
def test_what_has_no_time_is_no_cosignature(raw: bytes) -> None:
    """Too short, or a time beyond 63 bits."""
    with pytest.raises(CosignatureError):
        split_cosignature(raw)
