"""One data directory, several processes of ours: one server, which the last of them stops."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.embedded.server import Embedded
from ledger.errors import LedgerError

Ask = Callable[[str, str], Any]
Start = Callable[..., Any]
UNSAFE = {"fsync": "off"}
KEEP = "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 1 AS one"


def _running(pid: int) -> bool:
    return Path(f"/proc/{pid}/cwd").exists()


def test_a_second_process_uses_the_server_that_runs(
    data: Path, programs: Path, beside: Start, ask: Ask
) -> None:
    """A command beside a running server starts no second one, and its end stops nothing."""
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        other = beside(data, programs)
        assert other.said()["pid"] == server.pid
        other.stop()
        assert ask(server.url("runtime"), "SELECT 1") == 1
    assert not _running(server.pid)


def test_whoever_leaves_last_stops_the_server(
    data: Path, programs: Path, beside: Start, ask: Ask
) -> None:
    """A command that is still at work when its server process ends can finish."""
    other = beside(data, programs)
    pid = other.said()["pid"]
    server = Embedded.attach(data)
    other.stop()
    assert ask(server.url("runtime"), "SELECT 1") == 1
    server.stop()
    assert not _running(pid)


def test_the_starter_may_leave_before_the_others(data: Path, programs: Path, beside: Start) -> None:
    """Who merely joined a server stops it when everyone else is gone."""
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        other = beside(data, programs)
        assert other.said()["pid"] == server.pid
    assert _running(server.pid)
    other.stop()
    assert not _running(server.pid)


def test_processes_that_start_at_once_make_one_server(
    new_data: Path, programs: Path, beside: Start
) -> None:
    """At the very first start too, when the cluster is still to be made."""
    others = [beside(new_data, programs) for _ in range(3)]
    assert len({other.said()["pid"] for other in others}) == 1
    for other in others:
        other.stop()
    assert not (new_data / "postgres" / "cluster" / "postmaster.pid").exists()


def test_a_server_whose_users_were_killed_is_replaced_by_the_next_start(
    data: Path, programs: Path, beside: Start, ask: Ask
) -> None:
    """After a kill -9 of ours nothing is lost, and no server is left over."""
    other = beside(data, programs)
    left = other.said()["pid"]
    with Embedded.attach(data) as server:
        ask(server.url("owner"), KEEP)
    other.kill()
    assert _running(left)
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        assert server.pid != left
        assert not _running(left)
        assert ask(server.url("owner"), "SELECT one FROM kept") == 1


def test_a_kill_of_one_user_leaves_the_server_to_the_others(
    data: Path, programs: Path, beside: Start, ask: Ask
) -> None:
    """The kernel forgets the killed one's share, so that the count stays right."""
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        other = beside(data, programs)
        assert other.said()["pid"] == server.pid
        other.kill()
        assert ask(server.url("runtime"), "SELECT 1") == 1
    assert not _running(server.pid)


def test_a_server_that_dies_is_started_again_once(
    data: Path, programs: Path, beside: Start, ask: Ask
) -> None:
    """Of two processes that watch one starts it, within a second or so, and both go on."""
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        other = beside(data, programs)
        dead = other.said()["pid"]
        ask(server.url("owner"), KEEP)
        os.kill(dead, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while server.pid == dead and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ask(server.url("owner"), "SELECT one FROM kept") == 1
        other.stop()
        assert ask(server.url("owner"), "SELECT one FROM kept") == 1
    assert not _running(server.pid)


def test_a_server_that_is_not_watched_stays_dead(data: Path, programs: Path, ask: Ask) -> None:
    """Tests of an absent server can have one."""
    with Embedded.start(data, binaries=programs, settings=UNSAFE, watch=False) as server:
        os.kill(server.pid, signal.SIGINT)
        deadline = time.monotonic() + 10
        while _running(server.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.5)
        with pytest.raises(psycopg.OperationalError, match="No such file"):
            ask(server.url("owner"), "SELECT 1")


def test_attaching_starts_nothing(data: Path) -> None:
    """Where no server runs, the message says how to start one."""
    with pytest.raises(LedgerError, match=r"No server runs over .* Start it: `hireledger serve`"):
        Embedded.attach(data)
    assert not (data / "postgres" / "cluster" / "postmaster.pid").exists()


def test_attaching_to_a_directory_without_a_store_makes_nothing(tmp_path: Path) -> None:
    """A mistyped path is named, and stays as it was."""
    with pytest.raises(LedgerError, match="holds no embedded store"):
        Embedded.attach(tmp_path)
    assert not list(tmp_path.iterdir())


def test_users_in_another_container_are_told_apart(
    data: Path, programs: Path, beside: Start
) -> None:
    """Two containers on one volume cannot see each other's servers, so the second is refused."""
    other = beside(data, programs)
    assert other.said()["version"]
    (data / "store.users").write_text("pid:[1]")  # as if that process had another pid namespace
    with pytest.raises(LedgerError, match="in use by hireledger in another container"):
        Embedded.start(data, binaries=programs)
    other.stop()
