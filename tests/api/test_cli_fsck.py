"""`hireledger fsck` as an operator has it: exit codes, what it says, and nothing is changed."""

import secrets
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from api.settings import read_settings
from api.store import open_ledger
from command_line import Shell
from ledger.embedded.server import Embedded
from ledger.ledger import Ledger
from ledger.migrate import read_migrations

PERSON = "Front Desk of Brightwater"


@pytest.fixture
def shell(server: Embedded, tmp_path: Path) -> Shell:
    """Commands over a ledger of its own, which does not exist yet."""
    schema = f"t_{secrets.token_hex(6)}"
    options = ("--data", str(tmp_path), "--database", server.superuser_url())
    return Shell(options, {"HIRELEDGER_SCHEMA": schema})


def opened(shell: Shell) -> "Generator[Ledger]":
    """The shell's ledger."""
    variables = {**shell.variables, "HIRELEDGER_DATABASE": shell.options[3]}
    with open_ledger(read_settings(variables, data=Path(shell.options[1])), make=True) as ledger:
        yield ledger


@pytest.fixture
def recorded(shell: Shell, tmp_path: Path) -> Shell:
    """The same with a first start and four imported events in it."""
    told = "".join(
        f"<event><string key='concept:name' value='Step {place}'/>"
        f"<string key='org:resource' value='{PERSON}'/>"
        f"<date key='time:timestamp' value='2015-01-05T00:00:{place:02}+00:00'/></event>"
        for place in range(4)
    )
    case = "<string key='concept:name' value='case 1'/><int key='age' value='31'/>"
    log = tmp_path / "log.xes"
    log.write_text(f"<log><trace>{case}{told}</trace></log>")
    assert shell.run("import", "xes", str(log), "--json").json["recorded"] == 4
    return shell


def changed(shell: Shell, statement: str) -> None:
    """What a superuser does to a ledger's tables, triggers off."""
    schema = shell.variables["HIRELEDGER_SCHEMA"]
    with psycopg.connect(shell.options[3]) as connection:
        connection.execute(f"set search_path = {schema}".encode())
        table = statement.split()[1 if statement.startswith("update") else 2]
        connection.execute(f"alter table {table} disable trigger all".encode())
        assert connection.execute(statement.encode()).rowcount == 1
        connection.execute(f"alter table {table} enable trigger all".encode())
        stays = connection.execute(
            "select tgname from pg_trigger where tgrelid = to_regclass(%s) and not tgisinternal",
            [table],
        )
        for (name,) in stays.fetchall():
            connection.execute(f"alter table {table} enable always trigger {name}".encode())


def everything(shell: Shell) -> dict[str, str]:
    """A digest of each table, and of what stands in the data directory."""
    schema = shell.variables["HIRELEDGER_SCHEMA"]
    with psycopg.connect(shell.options[3]) as connection:
        tables = connection.execute(
            "select table_name from information_schema.tables where table_schema = %s", [schema]
        ).fetchall()
        query = "select coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {} t"
        rows = {
            name: connection.execute(query.format(f"{schema}.{name}").encode()).fetchall()[0][0]
            for (name,) in tables
        }
    files = {
        str(path): f"{path.stat().st_mtime_ns}"
        for path in Path(shell.options[1]).rglob("*")
        if path.is_file()
    }
    return rows | files


def test_a_sound_ledger_ends_with_0_and_says_what_was_looked_at(recorded: Shell) -> None:
    """In words, and in JSON with counts, size and root; the monitor of bases likewise."""
    ended = recorded.run("fsck")
    assert "Looked at 6 facts, root " in ended.out
    assert "Everything is as it was recorded." in ended.out
    told = recorded.run("fsck", "--json").json
    assert (told["sound"], told["facts"], told["problems"]) == (True, 6, [])
    assert told["rows"]["facts"] == told["rows"]["requests"] == 6
    assert told["rows"]["disclosures"] == 5
    assert set(told["found"]) >= {"facts", "tags", "tree", "checkpoints", "values", "basis"}
    assert told["root"] in ended.out
    assert recorded.run("fsck", "--basis", "--json").json["root"] == told["root"]


def test_checking_changes_nothing(recorded: Shell) -> None:
    """No row and no file is other than before, also where something is wrong."""
    before = everything(recorded)
    recorded.run("fsck")
    recorded.run("fsck", "--basis")
    assert everything(recorded) == before
    changed(recorded, "update facts set type = 'x' where position = 2")
    before = everything(recorded)
    recorded.run("fsck", code=1)
    assert everything(recorded) == before


def test_a_changed_bit_ends_with_1_and_is_named_first(recorded: Shell) -> None:
    """The first wrong position stands first, with what to do; nothing sealed is repeated."""
    changed(recorded, "update facts set leaf = set_bit(leaf, 99, 1 - get_bit(leaf, 99)) "
                      "where position = 4")  # fmt: skip
    changed(recorded, "delete from disclosures where position = 6")
    ended = recorded.run("fsck", code=1)
    assert ended.out.startswith("Position 4: ")
    assert "Restore this row" in ended.out
    told = recorded.run("fsck", "--json", code=1).json
    assert [one["position"] for one in told["problems"]] == [4, 6]
    assert told["found"]["facts"] == told["found"]["values"] == 1
    assert not told["sound"]
    one = recorded.run("fsck", "--limit", "1", code=1)
    assert "And 1 more." in one.out
    for said in (ended, one):
        assert PERSON not in said.out + said.err


def test_it_works_beside_a_server_and_on_one_that_may_not_start(recorded: Shell) -> None:
    """While the ledger is open; and where it was damaged, so that nothing else opens it."""
    for _ in opened(recorded):
        assert recorded.run("fsck", "--json").json["sound"]
    changed(recorded, "delete from tree_heads where size = 6")
    assert "heads were removed" in recorded.run("keys", "list", code=3).err
    told = recorded.run("fsck", "--json", code=1).json
    assert [(one["check"], one["position"]) for one in told["problems"]] == [("tree", 6)]


def test_a_ledger_that_is_not_there_or_has_no_keys_is_not_made(
    recorded: Shell, tmp_path: Path
) -> None:
    """Exit code 3 and what to do; neither schema nor key nor directory appears."""
    nowhere = Shell(("--data", str(tmp_path / "none")))
    assert "There is no ledger" in nowhere.run("fsck", code=3).err
    assert not (tmp_path / "none").exists()
    other = Shell(recorded.options, {"HIRELEDGER_SCHEMA": "t_nowhere"})
    assert "There is no ledger" in other.run("fsck", code=3).err
    for name in ("kek", "kek-self-identification", "hmac"):
        (tmp_path / "keys" / name).unlink()
    assert "keys/kek is not there" in recorded.run("fsck", code=3).err
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["log"]


def test_a_ledger_of_an_older_version_is_told_and_not_migrated(recorded: Shell) -> None:
    """What its schema lacks is named; it gets it when it is started."""
    schema = recorded.variables["HIRELEDGER_SCHEMA"]
    last = read_migrations()[-1]
    with psycopg.connect(recorded.options[3]) as connection:
        connection.execute(f"set search_path = {schema}".encode())
        connection.execute("drop table unvacuumed_erasures")
    changed(recorded, f"delete from schema_migrations where version = '{last.version}'")
    ended = recorded.run("fsck", code=1)
    assert ended.out.startswith(f"`schema_migrations` {last.version}: No row says")
    assert "start this one once" in ended.out
    assert "Table unvacuumed_erasures: It is missing." in ended.out
    with psycopg.connect(recorded.options[3]) as connection:
        there = connection.execute(f"select to_regclass('{schema}.unvacuumed_erasures')".encode())
        assert there.fetchall() == [(None,)]


def test_what_a_retired_key_signed_needs_its_verifier_key(recorded: Shell) -> None:
    """A key's public half is all that is needed, and a wrong one is no help."""
    keys = Shell(recorded.options[:2])
    first = [one["vkey"] for one in keys.run("log-key", "show", "--json").json["keys"]]
    keys.run("log-key", "rotate")
    recorded.run("keys", "create", "--service", "ats", "--role", "recorder")
    keys.run("log-key", "retire")
    told = recorded.run("fsck", "--json", code=1).json
    assert {one["check"] for one in told["problems"]} == {"checkpoints"}
    assert "--vkey" in told["problems"][0]["cure"]
    assert "Keep it: what was signed is evidence" in told["problems"][0]["cure"]
    assert recorded.run("fsck", "--json", "--vkey", first[0]).json["sound"]
    assert recorded.run("fsck", "--vkey", first[0][:-4] + "AAAA", code=2).err


def test_a_missing_key_of_the_log_accuses_no_checkpoint(recorded: Shell, tmp_path: Path) -> None:
    """Exit code 3 and one line, as for the other keys; the public half is enough to check."""
    vkey = Shell(recorded.options[:2]).run("log-key", "show").out.strip()
    (tmp_path / "keys" / "log").unlink()
    ended = recorded.run("fsck", code=3)
    assert ended.err.startswith(f"Error: The log's key {tmp_path / 'keys' / 'log'} is not there")
    assert (ended.err.count("\n"), ended.out) == (1, "")
    assert recorded.run("fsck", "--json", "--vkey", vkey).json["sound"]
    assert recorded.run("fsck", "--basis", "--json").json["sound"]


def test_the_copy_outside_may_lag_but_not_contradict(recorded: Shell, tmp_path: Path) -> None:
    """Another server's signatures are not in ours; but what is in ours must hold."""
    copy = tmp_path / "checkpoint"
    text = copy.read_bytes()
    copy.unlink()
    told = recorded.run("fsck", "--json").json
    assert "copy outside is older" in told["notes"][0]
    for spoilt in (b"", text[:-9], text.replace(b"\n6\n", b"\n7\n"), b"\xff"):
        copy.write_bytes(spoilt)
        told = recorded.run("fsck", "--json", code=1).json
        assert {one["row"] for one in told["problems"]} == {"the copy outside"}
        assert "take no older one from a backup" in told["problems"][0]["cure"]
