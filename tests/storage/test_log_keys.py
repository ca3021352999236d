"""The keys of the log: made once, kept from others, rotated with overlap, never replaced unseen."""

import stat
from pathlib import Path

import pytest

from ledger.log_keys import FILE_BYTES_MAX, KEYS_MAX, LogKeys, begin, retire, rotate
from ledger.personal.key_files import KeyFileError
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, open_note

ORIGIN = "log.example.org/hiring"
TEXT = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A key directory with the keys of a first start."""
    LogKeys.open(tmp_path / "keys", origin=ORIGIN)
    return tmp_path / "keys"


def test_a_first_start_makes_one_key_and_the_next_finds_it(tmp_path: Path) -> None:
    """A random name, a file of our own alone, and the same key ever after."""
    made = LogKeys.open(tmp_path / "keys")
    assert made.origin.startswith("hireledger.local/")
    assert len(made.origin.removeprefix("hireledger.local/")) == 16
    path = tmp_path / "keys" / "log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert LogKeys.open(tmp_path / "keys", origin=made.origin).vkeys == made.vkeys
    assert [one.name for one in (tmp_path / "keys").iterdir()] == ["log"]
    assert LogKeys.open(tmp_path / "others").origin != made.origin


def test_the_name_is_for_good(keys: Path) -> None:
    """Another `origin` than the key's stops the start, and repeats neither."""
    with pytest.raises(
        KeyFileError, match="HIRELEDGER_ORIGIN is not the name in the log's keys"
    ) as refused:
        LogKeys.open(keys, origin="log.example.org/other")
    assert "example" not in str(refused.value)


@pytest.mark.parametrize("origin", ["with space", "with+plus", "two\nlines"])
def test_a_name_that_no_note_takes_makes_no_key(tmp_path: Path, origin: str) -> None:
    """A key of such a name could sign nothing."""
    with pytest.raises(KeyFileError, match="HIRELEDGER_ORIGIN cannot be the name of a log"):
        LogKeys.open(tmp_path / "keys", origin=origin)
    assert not (tmp_path / "keys" / "log").exists()


def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    """Where something was signed, a new key would be another log's."""
    with pytest.raises(KeyFileError, match=r"is missing.*restore the file.*log-key begin"):
        LogKeys.open(tmp_path / "keys", may_make=False)
    assert not (tmp_path / "keys" / "log").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660])
def test_a_key_that_others_can_read_or_write_is_refused(keys: Path, mode: int) -> None:
    """It may be known to them, or theirs."""
    (keys / "log").chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        LogKeys.open(keys)


def test_a_first_start_that_was_cut_short_leaves_nothing_in_force(tmp_path: Path) -> None:
    """What a crash left under the unfinished name is written anew."""
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "log.new").write_text("PRIVATE+KEY+half")
    made = LogKeys.open(tmp_path / "keys")
    assert LogKeys.open(tmp_path / "keys").vkeys == made.vkeys
    assert [one.name for one in (tmp_path / "keys").iterdir()] == ["log"]


def test_rotating_overlaps_until_the_old_key_is_retired(keys: Path) -> None:
    """New and old sign side by side; then the new one alone."""
    (old,) = LogKeys.open(keys).verifiers
    both = rotate(keys)
    assert both.vkeys == LogKeys.open(keys).vkeys
    assert (both.vkeys[1], len(both.vkeys), both.origin) == (old.vkey, 2, ORIGIN)
    note = both.sign(TEXT)
    for verifier in both.verifiers:
        open_note(note, [verifier])
    left = retire(keys)
    assert left.vkeys == LogKeys.open(keys).vkeys == both.vkeys[:1]


def test_rotating_without_end_is_refused(keys: Path) -> None:
    """A checkpoint has room for so many signatures only; nothing is written then."""
    for _ in range(KEYS_MAX - 1):
        rotate(keys)
    before = (keys / "log").read_bytes()
    with pytest.raises(KeyFileError, match="Retire"):
        rotate(keys)
    assert (keys / "log").read_bytes() == before


def test_a_retirement_that_is_objected_to_changes_nothing(keys: Path) -> None:
    """The objection is heard before a key is gone."""
    rotate(keys)

    def object_to(left: LogKeys) -> None:
        raise KeyFileError(f"{len(left.signers)} is not enough")

    with pytest.raises(KeyFileError, match="1 is not enough"):
        retire(keys, object_to)
    assert len(LogKeys.open(keys).signers) == 2


def test_a_log_is_begun_only_where_no_key_is(tmp_path: Path, keys: Path) -> None:
    """Old keys are evidence: they are moved by hand."""
    with pytest.raises(KeyFileError, match="Move them to a safe place"):
        begin(keys, None)
    assert begin(tmp_path / "anew", "log.example.org/again").origin == "log.example.org/again"


def test_ml_dsa_signs_beside_ed25519_when_it_is_asked_for(keys: Path) -> None:
    """Its key is made once, rotates too, and rests while the setting is off."""
    alone = LogKeys.open(keys)
    both = LogKeys.open(keys, ml_dsa=True)
    assert [one.kind for one in both.signers] == [Kind.ED25519, Kind.MLDSA44_COSIGNATURE]
    assert LogKeys.open(keys, ml_dsa=True).vkeys == both.vkeys
    open_note(both.sign(TEXT), [both.verifiers[1]])
    assert LogKeys.open(keys).vkeys == alone.vkeys
    rotated = rotate(keys)
    assert [one.kind for one in rotated.current] == [one.kind for one in both.signers]
    assert rotated.vkeys[2:] == both.vkeys


def test_keys_by_setting_are_lines_or_a_file(tmp_path: Path) -> None:
    """Nothing is read or made in the data directory then; a mounted secret may be a link."""
    signers = [Signer.generate(ORIGIN), Signer.generate(ORIGIN)]
    text = "".join(f"{one.private_text}\n" for one in signers)
    vkeys = tuple(one.vkey for one in signers)
    assert LogKeys.open(tmp_path / "keys", given=text.rstrip("\n")).vkeys == vkeys
    file = tmp_path / "secret"
    file.write_text(text)
    file.chmod(0o600)
    (tmp_path / "link").symlink_to(file)
    assert LogKeys.open(tmp_path / "keys", given=str(tmp_path / "link")).vkeys == vkeys
    assert not (tmp_path / "keys").exists()
    with pytest.raises(KeyFileError, match="ML-DSA-44"):
        LogKeys.open(tmp_path / "keys", given=text, ml_dsa=True)


def _lines(*signers: Signer) -> str:
    return "".join(f"{one.private_text}\n" for one in signers)


_ONE = Signer(ORIGIN, Kind.ED25519, bytes(32))
_WRONG = {
    "empty": "",
    "no key": "hello\n",
    "a verifier key": _ONE.vkey + "\n",
    "an empty line": _lines(_ONE) + "\n",
    "one key twice": _lines(_ONE, _ONE),
    "two names": _lines(_ONE, Signer("other", Kind.ED25519, bytes(31) + b"1")),
    "a witness's key": _lines(_ONE, Signer(ORIGIN, Kind.ED25519_COSIGNATURE, bytes(32))),
    "ml-dsa alone": _lines(Signer(ORIGIN, Kind.MLDSA44_COSIGNATURE, bytes(32))),
    "too many": _lines(*(Signer(ORIGIN, Kind.ED25519, bytes([n]) * 32) for n in range(17))),
    "not ascii": _lines(_ONE) + "é\n",
    "carriage returns": _lines(_ONE).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("text", _WRONG.values(), ids=_WRONG)
def test_keys_that_are_no_log_keys_are_refused_without_being_repeated(
    keys: Path, text: str
) -> None:
    """By file and by setting alike; the message never holds a part of a key."""
    (keys / "log").write_text(text)
    with pytest.raises(KeyFileError) as by_file:
        LogKeys.open(keys)
    with pytest.raises(KeyFileError) as by_setting:
        LogKeys.open(keys, given=text)
    for refused in (by_file, by_setting):
        assert "PRIVATE+KEY+log" not in str(refused.value)
        assert "AAAA" not in str(refused.value)


def test_a_key_file_that_is_too_long_or_no_file_is_refused(keys: Path) -> None:
    """It is not read to its end."""
    (keys / "log").write_bytes(b"P" * (FILE_BYTES_MAX + 1))
    with pytest.raises(KeyFileError, match="more than"):
        LogKeys.open(keys)
    (keys / "log").unlink()
    (keys / "log").mkdir()
    with pytest.raises(KeyFileError, match="no plain file"):
        LogKeys.open(keys)


def test_keys_print_nothing_of_themselves(keys: Path) -> None:
    """Neither in a traceback nor in a log line."""
    opened = LogKeys.open(keys)
    secret = opened.signers[0].private_text.rpartition("+")[2]
    assert secret not in repr(opened)
    assert ORIGIN in repr(opened)
