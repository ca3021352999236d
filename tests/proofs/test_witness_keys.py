"""What a witness is begun with: its own keys, and those of the logs that it knows."""

import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.personal.key_files import KeyFileError
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer
from ledger.vouching.witness_keys import KEY_FILE, open_witness_keys
from ledger.vouching.witness_state import KnownLogs, LogsUnreadable
from shown_log import ShownLog

NAME = "witness.example/one"

# ---------------------------------------------------------------- the file of logs


def test_logs_are_read_from_bare_keys_and_from_a_policy() -> None:
    """What a log's operator sends, or the policy that verifiers use, is taken as it is."""
    log = ShownLog()
    other = ShownLog(Signer.generate("other.example/log"))
    witness = Signer.generate(NAME, Kind.ED25519_COSIGNATURE).vkey
    lines = [
        "# logs of friends",
        "",
        log.signer.vkey,
        f"log {other.signer.vkey} https://other.example",
        f"\tlog  {Signer.generate(log.origin).vkey}  ",
        f"witness w {witness} https://w.example",
        "group g any w",
        "quorum g",
    ]
    known = KnownLogs.read("\n".join(lines).encode())
    assert known.origins == sorted([log.origin, other.origin])
    assert [len(known.keys[origin]) for origin in known.origins] == [2, 1]


@pytest.mark.parametrize(
    "raw",
    [b"", b"# none\n", b"\xff\n", b"no key\n", b"log\n", b"log a+b c d\n", b"quorum none\n"],
)
def test_a_file_without_a_log_is_refused(raw: bytes) -> None:
    """A witness that knows nobody would look as if it ran."""
    with pytest.raises(LogsUnreadable):
        KnownLogs.read(raw)


# ---------------------------------------------------------------- keys


def private(path: Path) -> bool:
    """Whether only its owner may do anything with it."""
    return stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    """The first start makes them; later ones find them, with and without the name."""
    directory = tmp_path / "new" / "witness"
    (first,) = open_witness_keys(directory, name=NAME)
    assert private(directory / KEY_FILE)
    assert private(directory)
    assert (first.name, first.kind) == (NAME, Kind.ED25519_COSIGNATURE)
    for again in (open_witness_keys(directory), open_witness_keys(directory, name=NAME)):
        assert [one.vkey for one in again] == [first.vkey]
    old, new = open_witness_keys(directory, ml_dsa=True)
    assert (old.vkey, new.name, new.kind) == (first.vkey, NAME, Kind.MLDSA44_COSIGNATURE)
    assert len(open_witness_keys(directory)) == 2


def test_a_directory_without_a_witness_is_left_as_it_is(tmp_path: Path) -> None:
    """A mistyped path begins no witness."""
    with pytest.raises(KeyFileError, match="--name"):
        open_witness_keys(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["other.example/two", "a b", "a+b", ""])
def test_a_witness_keeps_its_name(tmp_path: Path, name: str) -> None:
    """Another name, or one that is none, is refused."""
    open_witness_keys(tmp_path / "there", name=NAME)
    with pytest.raises(KeyFileError):
        open_witness_keys(tmp_path / "there", name=name)


@pytest.mark.parametrize("name", ["a b", "a+b", "", "a\nb"])
def test_a_name_that_no_note_could_carry_is_refused(tmp_path: Path, name: str) -> None:
    """The refusal comes before anything is made with it."""
    with pytest.raises(KeyFileError):
        open_witness_keys(tmp_path / "there", name=name)
    assert not (tmp_path / "there" / KEY_FILE).exists()


def _lines(signers: Sequence[Signer]) -> bytes:
    return "".join(f"{one.private_text}\n" for one in signers).encode()


ED, OTHER = (Signer.generate(name, Kind.ED25519_COSIGNATURE) for name in (NAME, "other.example"))


@pytest.mark.parametrize(
    ("content", "mode"),
    [
        (b"", 0o600),
        (b"\xff\n", 0o600),
        (b"no key\n", 0o600),
        (_lines([Signer.generate(NAME)]), 0o600),
        (_lines([ED, OTHER]), 0o600),
        (_lines([ED, ED]), 0o600),
        (_lines([ED])[:-9] + b"\n", 0o600),
        (_lines([ED]), 0o640),
    ],
    ids=["empty", "noise", "no key", "a log's", "two names", "two alike", "cut", "readable"],
)
def test_a_file_that_is_no_witness_s_keys_is_refused(
    tmp_path: Path, content: bytes, mode: int
) -> None:
    """And nothing of it is told."""
    (tmp_path / KEY_FILE).write_bytes(content)
    (tmp_path / KEY_FILE).chmod(mode)
    tmp_path.chmod(0o700)
    with pytest.raises(KeyFileError) as caught:
        open_witness_keys(tmp_path)
    assert "PRIVATE" not in str(caught.value)
    assert (tmp_path / KEY_FILE).read_bytes() == content
