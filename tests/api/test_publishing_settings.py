"""The settings of publishing: a policy that is not meant, or a lost key, stops the start."""

import secrets
from pathlib import Path

import pytest

from api.publishing import read_policy
from api.settings import Settings, SettingWrong, read_settings
from api.store import open_ledger
from command_line import Shell
from ledger.checkpoints import checkpoint_in
from ledger.embedded.server import Embedded
from ledger.errors import LedgerError
from ledger.log_keys import LogKeys
from ledger.personal.key_files import KeyFileError
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer
from set_back import set_back

WITNESS = Signer("witness.example/w1", Kind.ED25519_COSIGNATURE, bytes(32)).vkey
QUORUM = f"witness w1 {WITNESS}\nquorum w1\n"


@pytest.fixture
def keys(tmp_path: Path) -> LogKeys:
    """The keys of a log."""
    return LogKeys.open(tmp_path / "keys")


def test_a_policy_names_this_log_or_none(tmp_path: Path, keys: LogKeys) -> None:
    """With another log's key alone, whoever verifies by it would trust nothing published here."""
    path = tmp_path / "policy"
    path.write_text(QUORUM)
    assert read_policy(path, keys).quorum == "w1"
    path.write_text(f"log {keys.vkeys[0]}\n{QUORUM}")
    assert read_policy(path, keys).logs[0].verifier.vkey == keys.vkeys[0]
    path.write_text(f"log {Signer.generate('log.example.org/other').vkey}\n{QUORUM}")
    with pytest.raises(SettingWrong, match="this log's key is not among them"):
        read_policy(path, keys)


@pytest.mark.parametrize("text", [None, "", "witness\n", "quorum w1\n", QUORUM.rstrip("\n")])
def test_a_policy_that_cannot_be_read_stops_the_start(
    tmp_path: Path, keys: LogKeys, text: str | None
) -> None:
    """Publishing without witnesses that somebody asked for would promise less than they think."""
    path = tmp_path / "policy"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingWrong, match="The witness policy cannot be") as raised:
        read_policy(path, keys)
    assert str(path) in str(raised.value)
    assert "HIRELEDGER_WITNESS_POLICY" in str(raised.value)


def test_the_log_has_the_name_and_the_keys_of_the_settings(
    server: Embedded, tmp_path: Path
) -> None:
    """The first start makes both keys; what is published carries both signatures."""
    where = {"DATA": str(tmp_path / "data"), "DATABASE": server.superuser_url()}
    where |= {"SCHEMA": f"t_{secrets.token_hex(6)}", "ORIGIN": "log.example.org/hiring"}
    settings = _settings(where | {"KEY_LOG_ML_DSA": "true"})
    with open_ledger(settings, make=True) as ledger:
        published = ledger.publisher.checkpoint_at_least(1)
        assert len(ledger.publisher.keys.vkeys) == 2
    assert checkpoint_in(published.note).origin == "log.example.org/hiring"
    with (
        pytest.raises(KeyFileError, match="HIRELEDGER_ORIGIN is not the name"),
        open_ledger(_settings(where | {"ORIGIN": "log.example.org/other"})),
    ):
        pytest.fail("it was opened")


@pytest.mark.parametrize("evidence", ["a checkpoint in the database", "the copy outside"])
def test_a_lost_key_is_not_made_anew(server: Embedded, tmp_path: Path, evidence: str) -> None:
    """Whatever tells that something was signed stops the start, until the key is back."""
    where = {"DATA": str(tmp_path / "data"), "DATABASE": server.superuser_url()}
    settings = _settings(where | {"SCHEMA": f"t_{secrets.token_hex(6)}"})
    with open_ledger(settings, make=True) as ledger:
        ledger.publisher.checkpoint_at_least(1)
    key, copy = tmp_path / "data" / "keys" / "log", tmp_path / "data" / "checkpoint"
    kept = key.read_bytes()
    key.unlink()
    if evidence == "a checkpoint in the database":
        copy.unlink()
    with pytest.raises(KeyFileError, match="restore the file"), open_ledger(settings):
        pytest.fail("it was opened")
    assert not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    with open_ledger(settings) as ledger:
        assert ledger.publisher.checkpoint_at_least(1).size >= 1


THREE = ("hmac", "kek", "kek-self-identification")


@pytest.mark.parametrize("left", [(), ("log",), THREE, ("hmac", "kek", "log")])
def test_no_key_is_made_beside_a_log_that_has_facts(
    server: Embedded, tmp_path: Path, left: tuple[str, ...]
) -> None:
    """An empty directory of keys, or one with some of them: the start names what is missing."""
    where = {"DATA": str(tmp_path / "data"), "DATABASE": server.superuser_url()}
    settings = _settings(where | {"SCHEMA": f"t_{secrets.token_hex(6)}"})
    with open_ledger(settings, make=True) as ledger:
        size = ledger.publisher.checkpoint_at_least(1).size
    keys = tmp_path / "data" / "keys"
    kept = {path.name: path.read_bytes() for path in keys.iterdir() if path.name not in left}
    for name in kept:
        (keys / name).rename(tmp_path / name)
    with pytest.raises(LedgerError) as caught, open_ledger(settings, make=True):
        pytest.fail("it was opened")
    named = set(kept) - {"log"} or {"log"}
    assert all(str(keys / name) in str(caught.value) for name in named)
    assert sorted(path.name for path in keys.iterdir()) == sorted(left)
    for name in kept:
        (tmp_path / name).rename(keys / name)
    with open_ledger(settings) as ledger:
        assert ledger.publisher.checkpoint_at_least(1).size >= size


def test_a_command_on_a_store_that_was_set_back_ends_and_says_what_to_do(
    server: Embedded, tmp_path: Path
) -> None:
    """Not zero, no traceback, and nothing that depends on where the data directory is."""
    schema, url = f"t_{secrets.token_hex(6)}", server.superuser_url()
    where = {"DATA": str(tmp_path / "data"), "DATABASE": url, "SCHEMA": schema}
    with open_ledger(_settings(where), make=True) as ledger:
        size = ledger.publisher.checkpoint_at_least(2).size
    set_back(server, schema, 1)
    shell = Shell(
        ("--data", str(tmp_path / "data"), "--database", url), {"HIRELEDGER_SCHEMA": schema}
    )
    for words in (("serve", "--port", "0"), ("keys", "list")):
        ended = shell.run(*words, code=3)
        assert f"signed over {size} facts, but the log has only 1" in ended.err
        assert "restore the newest backup" in " ".join(ended.err.split())
        assert str(tmp_path) not in ended.err


def _settings(given: dict[str, str]) -> Settings:
    return read_settings({f"HIRELEDGER_{name}": text for name, text in given.items()})
