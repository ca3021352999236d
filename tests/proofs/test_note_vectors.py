"""Notes and keys of other implementations, byte for byte."""

from collections.abc import Iterator

import pytest

import golden_log
from ledger.proof.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from ledger.proof.note import (
    NoteError,
    Signature,
    Signer,
    Verifier,
    format_note,
    open_note,
    parse_note,
)
from ledger.proof.tree import basis_root, leaf_hash

# golang/mod: sumdb/note/note_test.go and example_test.go
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZ"
    "b6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33W"
    "Wd1RvMc+QQ=\n"
)
# transparency-dev/formats: log/note_test.go and note/note_verifier_test.go; golang/mod: sumdb
PAIRS = (
    (
        "Log+2271c621+AemuH5ooBpEPcr+W8onrjA1NfuzBVHdezakU81Ekarvs",
        "PRIVATE+KEY+Log+2271c621+AdEIq9FLRQni54Wg68T96VJO+iayOaulswav2DUMKgvQ",
    ),
    (
        "Known+451c786d+AXAQ0T7lbwuY4ABJ9/MYY9bWV3hmSyOGVt2x42NkmdUH",
        "PRIVATE+KEY+Known+451c786d+AQPRoE2+Z+Ed1HaHBA9F/FfracvcZ2rDU39kCecMEoci",
    ),
    (
        "KnownAgain+4893b26c+AQ+LR7BFF/F/dkpIBjBpSvT0crkteizuUkavAoGeaYMj",
        "PRIVATE+KEY+KnownAgain+4893b26c+ARhZda/l25zjGZswYLDZsLNRzNpmv5wYTN9IoTr1OJ2+",
    ),
    (
        "Unknown+fdbb2e08+AWgRIYZ+8x1Vl+1Q+sR8zciNHiYI1SdlBjNw+RV0rots",
        "PRIVATE+KEY+Unknown+fdbb2e08+Aav2knTC6orbhXX8pMWuNiWgO+Wwk2DB+h1eU2Q1W1nU",
    ),
    (
        "localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6",
        (
            "PRIVATE+KEY+localhost.localdev/sumdb+"
            "00000c67+AXu6+oaVaOYuQOFrf1V59JK1owcFlJcHwwXHDfDGxSPk"
        ),
    ),
    (PETER, PETER_PRIVATE),
    (golden_log.VKEY, golden_log.PRIVATE_TEXT),
)
# The checkpoints of Go's checksum database; the second is the true text behind a C2SP example.
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB_NOTES = (
    (
        "go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n\n"
        "— sum.golang.org Az3grpukl5AXaVfYkLiDGORx/DN2nlcS5kZHR5uYOBV2KA2HgXpD+gu9HHONebHLAyaKbbTM7"
        "5QTtPydhKCExixSfwQ=\n"
    ),
    (
        "go.sum database tree\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— sum.golang.org Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9n"
        "To+zyWE+xeMcTOAYQ8=\n"
    ),
)
C2SP_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONnc"
    "AlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


@pytest.mark.parametrize(("vkey", "private"), PAIRS, ids=[vkey.split("+")[0] for vkey, _ in PAIRS])
def test_a_private_key_has_the_published_verifier_key(vkey: str, private: str) -> None:
    """Key pairs of other implementations read and write as they stand."""
    signer = Signer.from_text(private)
    assert (signer.vkey, signer.private_text) == (vkey, private)
    verifier = Verifier.from_vkey(vkey)
    assert verifier.vkey == vkey
    assert (verifier.name, verifier.key_id) == (signer.name, signer.key_id)
    assert open_note(format_note("x\n", [signer.signature("x\n")]), [verifier])[0].text == "x\n"


def test_signing_gives_the_published_signature() -> None:
    """Ed25519 signs without chance, so that a known key gives a known line."""
    signer = Signer.from_text(PETER_PRIVATE)
    assert format_note(TEXT, [signer.signature(TEXT)]) == f"{TEXT}\n{PETER_LINE}".encode()


def test_published_notes_are_verified() -> None:
    """Each with its key; of two known signers both are told."""
    peter, enoch = Verifier.from_vkey(PETER), Verifier.from_vkey(ENOCH)
    raw = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode()
    note, verified = open_note(raw, [peter, enoch])
    assert note.text == TEXT
    assert [one.name for one in verified] == ["PeterNeumann", "EnochRoot"]
    assert verified == note.signatures
    assert open_note(raw, [enoch])[1] == note.signatures[1:]
    note, _ = open_note(C2SP_NOTE.encode(), [Verifier.from_vkey(C2SP_VKEY)])
    assert note.text == "This is an example message.\n"


@pytest.mark.parametrize("raw", SUMDB_NOTES)
def test_a_checkpoint_of_the_go_checksum_database_is_verified(raw: str) -> None:
    """A note in use by everybody who builds Go programs; its origin is not its key's name."""
    note, _ = open_note(raw.encode(), [Verifier.from_vkey(SUMDB)])
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.extensions) == ("go.sum database tree", ())
    assert checkpoint.size in {35225469, 20852163}
    assert format_checkpoint(checkpoint) == note.text


def test_the_c2sp_example_does_not_verify_under_the_origin_it_is_printed_with() -> None:
    """The signature is of another text: an example is no vector until it was checked."""
    printed = SUMDB_NOTES[1].replace("go.sum database tree", "example.com/behind-the-sofa")
    with pytest.raises(NoteError, match="invalid"):
        open_note(printed.encode(), [Verifier.from_vkey(SUMDB)])


@pytest.mark.parametrize("size", range(16))
def test_the_golden_log_is_signed_to_the_byte(size: int) -> None:
    """From its entries and its key we make each of its checkpoints as it was published."""
    signer = Signer.from_text(golden_log.PRIVATE_TEXT)
    root = basis_root(golden_log.ENTRIES[:size])
    text = format_checkpoint(Checkpoint(golden_log.ORIGIN, size, root))
    assert format_note(text, [signer.signature(text)]) == golden_log.checkpoint(size)
    note, _ = open_note(golden_log.checkpoint(size), [Verifier.from_vkey(golden_log.VKEY)])
    assert parse_checkpoint(note.text) == Checkpoint(golden_log.ORIGIN, size, root)


def test_a_tree_is_written_as_go_writes_it() -> None:
    """The body that Go's `FormatTree` gives for one leaf of a large tree."""
    checkpoint = Checkpoint("go.sum database tree", 123456789012, leaf_hash(b"hello world"))
    assert format_checkpoint(checkpoint) == (
        "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
    )


def test_every_part_of_a_verifier_key_is_refused() -> None:
    """No proper substring of a key is a key."""
    for start in range(len(PETER) + 1):
        for end in range(start, len(PETER) + 1):
            if (start, end) != (0, len(PETER)):
                with pytest.raises(NoteError):
                    Verifier.from_vkey(PETER[start:end])


def increments(text: str) -> Iterator[str]:
    """The text with one byte after the other raised by one."""
    for at, character in enumerate(text):
        yield text[:at] + chr(ord(character) + 1) + text[at + 1 :]


@pytest.mark.parametrize("private", [False, True])
def test_every_changed_character_of_a_key_is_refused(private: bool) -> None:
    """The key id holds name, type and key together."""
    for changed in increments(PETER_PRIVATE if private else PETER):
        with pytest.raises(NoteError):
            (Signer.from_text if private else Verifier.from_vkey)(changed)


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
    ids=["too long, with the right id", "unknown algorithm, with the right id"],
)
def test_a_verifier_key_of_no_known_kind_is_refused(vkey: str) -> None:
    """A right id does not make a key."""
    with pytest.raises(NoteError):
        Verifier.from_vkey(vkey)


GOOD = f"{TEXT}\n{PETER_LINE}"
MALFORMED = {
    "text alone": TEXT,
    "text and an empty line": f"{TEXT}\n",
    "no line feed at the end": GOOD[:-1],
    "a control character": f"\x01{GOOD}",
    "a name with a space": f"{TEXT}\n— Bad Name x08go/ZJ\n",
    "a further line": f"{GOOD}Unexpected line.\n",
    "101 signatures": f"{TEXT}\n" + PETER_LINE * 101,
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_note_that_go_calls_malformed_is_refused(text: str) -> None:
    """The negative cases of the reference implementation."""
    with pytest.raises(NoteError):
        parse_note(text.encode())


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    """A note is text."""
    with pytest.raises(NoteError, match="UTF-8 at byte 0"):
        parse_note(b"\xff" + GOOD.encode())


def test_a_signature_by_one_of_two_keys_of_the_same_name_and_id_is_refused() -> None:
    """Whose it is would depend on the order of the keys; where nobody signed, nothing does."""
    peter, enoch = Verifier.from_vkey(PETER), Verifier.from_vkey(ENOCH)
    with pytest.raises(NoteError, match="with one id"):
        open_note(GOOD.encode(), [peter, enoch, Verifier.from_vkey(PETER)])
    assert open_note(GOOD.encode(), [enoch, peter, enoch])[1][0].name == "PeterNeumann"


def test_a_changed_signature_matters_only_where_its_key_is_known() -> None:
    """An invalid line of a known key spoils the note; of an unknown one, nobody can tell."""
    changed = ENOCH_LINE.replace("rwz+eB", "rwz+eBABCD")
    raw = f"{TEXT}\n{PETER_LINE}{changed}".encode()
    peter, enoch = Verifier.from_vkey(PETER), Verifier.from_vkey(ENOCH)
    assert [one.name for one in open_note(raw, [peter])[1]] == ["PeterNeumann"]
    with pytest.raises(NoteError, match="invalid"):
        open_note(raw, [peter, enoch])


def test_a_note_signed_by_nobody_known_is_refused() -> None:
    """The name alone, or the id alone, makes no known key."""
    peter = parse_note(GOOD.encode()).signatures[0]
    renamed = Signature("PeterNewmann", peter.key_id, peter.signature)
    other_id = Signature(peter.name, b"\xc7\x4f\x20\xa4", peter.signature)
    for signature in (renamed, other_id):
        with pytest.raises(NoteError, match="none of the keys"):
            open_note(format_note(TEXT, [signature]), [Verifier.from_vkey(PETER)])
    with pytest.raises(NoteError, match="none of the keys"):
        open_note(GOOD.encode(), [])
