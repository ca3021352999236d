"""`hireledger log-key`: the log's keys from the command line, without any store."""

from pathlib import Path

import pytest

from command_line import Shell
from ledger.checkpoints import OutsideCopy
from ledger.log_keys import LogKeys

ORIGIN = "log.example.org/hiring"
TEXT = f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory after a first start, as far as the log's keys go."""
    LogKeys.open(tmp_path / "keys", origin=ORIGIN)
    return tmp_path


@pytest.fixture
def shell(data: Path) -> Shell:
    """Commands on it."""
    return Shell(("--data", str(data)))


def test_the_public_keys_are_shown_and_nothing_else(shell: Shell, data: Path) -> None:
    """A line each for people and for `--vkey`, or JSON; never a private key."""
    keys = LogKeys.open(data / "keys")
    assert shell.run("log-key", "show").out == f"{keys.vkeys[0]}\n"
    told = shell.run("log-key", "show", "--json").json
    assert told == {"origin": ORIGIN, "keys": [{"vkey": keys.vkeys[0], "current": True}]}


def test_a_rotation_says_what_to_do_and_the_retirement_waits_for_it(
    shell: Shell, data: Path
) -> None:
    """The old key goes only once the new one has signed: the next start would refuse otherwise."""
    old = LogKeys.open(data / "keys")
    OutsideCopy(data / "checkpoint").write(old.sign(TEXT))
    rotated = shell.run("log-key", "rotate")
    new, *others = rotated.out.splitlines()
    assert tuple(others) == old.vkeys
    assert "restart it" in rotated.err
    ended = shell.run("log-key", "retire", code=2)
    assert "not signed by the newest key yet" in ended.err
    assert LogKeys.open(data / "keys").vkeys == (new, *others)
    OutsideCopy(data / "checkpoint").write(LogKeys.open(data / "keys").sign(TEXT))
    retired = shell.run("log-key", "retire")
    assert retired.out == f"{new}\n"
    for vkey in old.vkeys:
        assert f"Retired: {vkey}\nKeep it: `hireledger fsck` needs it as --vkey" in retired.err
    assert "restart it" in retired.err
    assert LogKeys.open(data / "keys").vkeys == (new,)


def test_a_retirement_without_an_older_key_says_so(shell: Shell, data: Path) -> None:
    """Nothing changes, and nobody is told to restart for nothing; JSON tells what was retired."""
    (vkey,) = LogKeys.open(data / "keys").vkeys
    alone = shell.run("log-key", "retire")
    assert alone.out == f"{vkey}\n"
    assert alone.err == "There is no older key: nothing was retired.\n"
    assert shell.run("log-key", "retire", "--json").json["retired"] == []
    new = shell.run("log-key", "rotate").out.splitlines()[0]
    told = shell.run("log-key", "retire", "--json").json
    assert (told["keys"], told["retired"]) == ([{"vkey": new, "current": True}], [vkey])


def test_a_log_is_begun_anew_once_the_evidence_is_put_away(shell: Shell, data: Path) -> None:
    """First the last checkpoint, then the key: each stops it, and says why."""
    copy = data / "checkpoint"
    OutsideCopy(copy).write(b"signed")
    assert "evidence" in shell.run("log-key", "begin", code=2).err
    copy.rename(data / "checkpoint.lost")
    assert "safe place" in shell.run("log-key", "begin", code=2).err
    (data / "keys" / "log").rename(data / "log.lost")
    again = Shell(shell.options, {"HIRELEDGER_ORIGIN": "log.example.org/again"})
    told = again.run("log-key", "begin", "--json").json
    assert told["origin"] == "log.example.org/again"
    assert LogKeys.open(data / "keys").vkeys == (told["keys"][0]["vkey"],)
    (data / "keys" / "log").rename(data / "log.lost-too")
    assert "--vkey KEY" in shell.run("log-key", "begin").err


def test_keys_that_come_by_setting_are_shown_but_changed_elsewhere(
    tmp_path: Path, data: Path
) -> None:
    """The file in the data directory is not what signs then."""
    text = (data / "keys" / "log").read_text()
    elsewhere = Shell(("--data", str(tmp_path / "new")), {"HIRELEDGER_KEY_LOG": text})
    (vkey,) = LogKeys.open(data / "keys").vkeys
    assert elsewhere.run("log-key", "show").out == f"{vkey}\n"
    for command in ("rotate", "retire", "begin"):
        assert "HIRELEDGER_KEY_LOG" in elsewhere.run("log-key", command, code=2).err
    assert not (tmp_path / "new").exists()


def test_a_directory_without_keys_is_left_as_it_is(tmp_path: Path) -> None:
    """A wrong path begins no log."""
    wrong = Shell(("--data", str(tmp_path / "wrong")))
    for command in ("show", "rotate", "retire"):
        assert "no log keys" in wrong.run("log-key", command, code=3).err
    assert "no data directory" in wrong.run("log-key", "begin", code=2).err
    assert not (tmp_path / "wrong").exists()
