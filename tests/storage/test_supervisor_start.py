"""The embedded server from first start to stop: where it is, who gets in, what it promises."""

import os
import stat
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.embedded.server import Embedded
from ledger.errors import LedgerError

Ask = Callable[[str, str], Any]
UNSAFE = {"fsync": "off"}


@pytest.fixture(scope="module")
def first(programs: Path, passable_dir: Path) -> Generator[Embedded]:
    """A server at its first start, as users get it."""
    with Embedded.start(passable_dir / "first" / programs.parent.name, binaries=programs) as server:
        yield server


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _running(pid: int) -> bool:
    return Path(f"/proc/{pid}/cwd").exists()


def _logs(server: Embedded) -> str:
    return "".join(log.read_text() for log in (server.home / "log").iterdir())


def test_the_server_promises_what_answers_rest_on(first: Embedded, ask: Ask) -> None:
    """Checksums, durability, one collation for ever, and no network address are stated."""
    url = first.url("owner")
    expected = {
        "data_checksums": "on", "fsync": "on", "full_page_writes": "on", "listen_addresses": "",
        "password_encryption": "scram-sha-256", "server_encoding": "UTF8",
        "synchronous_commit": "on",
    }  # fmt: skip
    assert {name: ask(url, f"SHOW {name}") for name in expected} == expected
    collation, known = ("datcollate", "c C") if first.version < "17" else ("datlocale", "b C.UTF-8")
    asked = f"SELECT concat(datlocprovider, ' ', {collation}) FROM pg_database"
    assert ask(url, f"{asked} WHERE datname = 'hireledger'") == known


def test_only_a_password_opens_the_server(first: Embedded, ask: Ask) -> None:
    """Every local connection needs SCRAM, the superuser's and a replication's too."""
    methods = "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules"
    assert ask(first.superuser_url(), methods) == ["scram-sha-256"]
    for user in ("postgres", "hireledger_owner", "hireledger_runtime"):
        for wrong in ("", "wrong"):
            url = make_conninfo(first.superuser_url(), user=user, password=wrong)
            with pytest.raises(psycopg.OperationalError, match=r"password|fe_sendauth"):
                psycopg.connect(url)


def test_each_role_has_a_password_of_its_own(first: Embedded, ask: Ask) -> None:
    """Who learns one role's password is still not another role."""
    urls = (first.url("owner"), first.url("runtime"), first.url("projector"), first.superuser_url())
    users = [ask(url, "SELECT current_user::text") for url in urls]
    names = ("hireledger_owner", "hireledger_runtime", "hireledger_projector", "postgres")
    assert users == list(names)
    mixed = make_conninfo(first.url("runtime"), user="hireledger_owner")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(mixed)


def test_nobody_else_may_read_what_the_supervisor_writes(first: Embedded) -> None:
    """Passwords, cluster, socket and logs are closed, and the file for initdb is gone."""
    assert {_mode(path) for path in first.data.glob("store.*")} == {0o600}
    closed = (first.home, *(first.home / name for name in ("cluster", "socket")))
    assert {_mode(path) for path in closed} == {0o700}
    assert {_mode(log) for log in (first.home / "log").iterdir()} == {0o600}
    assert sorted(path.name for path in first.home.iterdir()) == ["cluster", "log", "socket"]


def test_the_passwords_appear_in_no_command_line_and_no_log(first: Embedded) -> None:
    """Neither a list of processes nor a log nor a repr gives them away."""
    urls = (first.url("owner"), first.url("runtime"), first.url("projector"), first.superuser_url())
    passwords = [str(conninfo_to_dict(url)["password"]) for url in urls]
    assert len(set(passwords)) == 4
    assert min(map(len, passwords)) > 40
    seen = (
        Path(f"/proc/{first.pid}/cmdline").read_text() + _logs(first) + repr(vars(first)["_users"])
    )
    assert first.data.name in repr(first.data)
    assert not [password for password in passwords if password in seen + repr(first)]


def test_what_requests_send_never_reaches_the_servers_log(first: Embedded) -> None:
    """A refused statement, its parameters and the values in its error stay with who sent it."""
    secret = "Ottilie Wurzelbacher"
    with psycopg.connect(first.url("runtime"), autocommit=True) as connection:
        for statement in (f"SELECT '{secret}'::int", f'SELECT 1 FROM "{secret}"'):
            with pytest.raises(psycopg.Error, match=secret):
                connection.execute(statement.encode())
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT %s::text::int", [secret])
    logs = _logs(first)
    assert "ready to accept connections" in logs
    assert secret not in logs


def test_the_server_listens_on_its_socket_only(first: Embedded) -> None:
    """None of the machine's listening ports is the server's."""
    descriptors = [str(entry.readlink()) for entry in Path(f"/proc/{first.pid}/fd").iterdir()]
    sockets = {name for name in descriptors if name.startswith("socket:")}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{first.pid}/net/{table}").read_text().splitlines()[1:]
    ]
    assert sockets
    assert not [row for row in rows if f"socket:[{row[9]}]" in sockets]


def test_the_notices_name_an_old_release_and_nothing_else(first: Embedded) -> None:
    """Only what the operator can act on is said at the start."""
    below = [notice for notice in first.notices if "CVE-2026-6460" in notice]
    assert len(below) == (first.version == "18.6")
    assert list(first.notices) == below


def test_what_was_committed_is_there_after_a_restart(data: Path, programs: Path, ask: Ask) -> None:
    """The next start finds the same database under the same passwords, and says what is unsafe."""
    with Embedded.start(data, binaries=programs) as server:
        url = server.url("owner")
        ask(url, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 1 AS one")
        before = server.pid
    assert not _running(before)
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        assert server.url("owner") == url
        assert ask(url, "SELECT one FROM kept") == 1
        assert ask(url, "SHOW server_version").split()[0] == server.version
        assert [notice for notice in server.notices if "fsync" in notice]


def test_a_stop_ends_open_sessions(data: Path, programs: Path) -> None:
    """An idle client, even one in a transaction, does not hold up the stop."""
    server = Embedded.start(data, binaries=programs, settings=UNSAFE)
    with psycopg.connect(server.url("owner")) as connection:
        connection.execute("SELECT 1")
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 10
        assert not _running(server.pid)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    server.stop()  # again: nothing happens


def test_old_logs_are_swept(data: Path, programs: Path) -> None:
    """A ledger that runs for years fills no disk with logs."""
    logs = data / "postgres" / "log"
    for day in range(10, 30):
        (logs / f"postgresql-202001{day}-000000.log").write_text("old\n")
    with Embedded.start(data, binaries=programs, settings=UNSAFE):
        left = {log.name for log in logs.iterdir()}
    assert len(left) in {8, 9}, "the newest eight, and the one just begun"
    assert "postgresql-20200120-000000.log" not in left


def test_a_long_path_of_the_data_directory_gets_a_short_closed_socket_directory(
    data: Path, programs: Path, ask: Ask
) -> None:
    """A socket's path has at most 107 bytes, and nobody else may stand in its place."""
    show = "SHOW unix_socket_directories"
    long = data / ("a" * 90) / ("b" * 90)
    long.mkdir(parents=True, mode=0o711)
    for each in ("store.json", "postgres"):
        (data / each).rename(long / each)
    places: list[Path] = []
    for _ in range(3):
        with Embedded.start(long, binaries=programs, settings=UNSAFE) as server:
            places.append(Path(ask(server.superuser_url(), show).strip('"')))
            assert len(os.fsencode(places[-1])) < 40
            assert _mode(places[-1]) == 0o700
            assert places[-1].stat().st_uid == server.home.stat().st_uid
        if len(places) == 1:
            places[0].rmdir()  # as a sweep of the temporary directory does
        else:
            places[-1].chmod(0o777)  # as if it were somebody else's
    assert places[0] == places[1] != places[2]
    for place in places[1:]:
        place.rmdir()
    for each in ("store.json", "postgres"):
        (long / each).rename(data / each)


def test_a_data_directory_may_have_any_name(copied_data: Path, programs: Path, ask: Ask) -> None:
    """Spaces, quotes, commas and other letters in a path stop neither server nor client."""
    odd = copied_data / "odd, 'na\"me\\ = ü%d"
    odd.mkdir(mode=0o711)
    for each in ("store.json", "postgres"):
        (copied_data / each).rename(odd / each)
    with Embedded.start(odd, binaries=programs, settings=UNSAFE) as server:
        assert ask(server.url("runtime"), "SELECT 1") == 1
    for each in ("store.json", "postgres"):
        (odd / each).rename(copied_data / each)


def test_a_data_directory_that_is_a_file_is_refused(new_data: Path) -> None:
    """The message names it and says what to do."""
    new_data.write_text("")
    with pytest.raises(LedgerError, match=r"cannot be made \(File exists\)\. Give another"):
        Embedded.start(new_data)
    new_data.unlink()
