"""What a dead server, a dead starter or a meddling hand leaves, and how the next start takes it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from ledger.embedded.account import Account
from ledger.embedded.postmaster import Postmaster
from ledger.embedded.server import Embedded
from ledger.errors import LedgerError

Ask = Callable[[str, str], Any]
UNSAFE = {"fsync": "off"}
KEEP = "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 1 AS one"
STORE = '{"id": "a", "passwords": {"postgres": "Wurzel"}, "ready": true}'


def _running(pid: int) -> bool:
    return Path(f"/proc/{pid}/cwd").exists()


def _lock_file(data: Path) -> Path:
    return data / "postgres" / "cluster" / "postmaster.pid"


@pytest.fixture
def bystander(data: Path, passable_dir: Path) -> Generator[subprocess.Popen[bytes]]:
    """A process called postgres, of the server's own account, that is not our server."""
    account = Account.for_server(data / "postgres")
    program = passable_dir / "postgres"
    shutil.copy("/usr/bin/sleep", program)
    program.chmod(0o755)
    with subprocess.Popen([program, "600"], cwd="/", **account.drop()) as process:
        yield process
        process.kill()
    program.unlink()


def test_a_pid_that_went_to_another_process_is_left_alone(
    data: Path, programs: Path, ask: Ask, bystander: subprocess.Popen[bytes]
) -> None:
    """A stale lock file may name anybody: who is not proven to be our server gets no signal."""
    for lock in (_lock_file(data), data / "postgres" / "socket" / ".s.PGSQL.5432.lock"):
        lock.write_text(f"{bystander.pid}\n{data}\n0\n5432\n\n\n0 0\nready   \n")
        lock.chmod(0o644)
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        assert ask(server.url("owner"), "SELECT 1") == 1
    assert bystander.poll() is None


def test_the_server_of_another_data_directory_is_left_alone(
    data: Path, copied_data: Path, programs: Path, ask: Ask
) -> None:
    """A stale lock file that names a real PostgreSQL of the same account does it no harm."""
    with Embedded.start(copied_data, binaries=programs, settings=UNSAFE) as bystander:
        shutil.copy(_lock_file(copied_data), _lock_file(data))
        with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
            assert server.pid != bystander.pid
        assert ask(bystander.url("owner"), "SELECT 1") == 1


def test_a_damaged_lock_file_does_not_stop_a_start(data: Path, programs: Path) -> None:
    """Whatever a crash made of it: with no server there, it goes."""
    for text in ("", "\n", "12", "99999999\n", "-5\n/\n", "x\0y", "²\n", "9" * 30):
        _lock_file(data).write_text(text)
        with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
            assert _running(server.pid)
        assert not _lock_file(data).exists()


@pytest.mark.parametrize("damage", ["truncated", "removed"])
def test_a_server_whose_lock_file_was_damaged_is_found(
    data: Path, programs: Path, ask: Ask, damage: str
) -> None:
    """No second server starts over the cluster, and the first is stopped in order."""
    lost = Embedded.start(data, binaries=programs, settings=UNSAFE, watch=False)
    ask(lost.url("owner"), KEEP)
    if damage == "truncated":
        os.truncate(_lock_file(data), 0)
    else:
        _lock_file(data).unlink()
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        assert server.pid == lost.pid
        assert ask(server.url("owner"), "SELECT one FROM kept") == 1
    lost.stop()
    assert not _running(lost.pid)
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        assert ask(server.url("owner"), "SELECT one FROM kept") == 1


def test_a_killed_server_recovers_at_the_next_start(data: Path, programs: Path, ask: Ask) -> None:
    """A kill -9 of PostgreSQL loses nothing that was committed; the time is that of a restart."""
    killed = Embedded.start(data, binaries=programs, watch=False)
    ask(
        killed.url("owner"),
        "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT generate_series(1, 1000)",
    )
    os.kill(killed.pid, signal.SIGKILL)
    killed.stop()
    began = time.monotonic()
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        print(f"recovered after {time.monotonic() - began:.2f} s")
        assert ask(server.url("owner"), "SELECT count(*) FROM kept") == 1000


def test_a_busy_orphan_of_a_killed_server_is_waited_for(
    data: Path, programs: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that computes sees late that its server died, and is told to quit."""
    monkeypatch.setattr("ledger.embedded.postmaster.ORPHAN_SECONDS_MAX", 1)
    killed = Embedded.start(data, binaries=programs, settings=UNSAFE, watch=False)
    url = killed.superuser_url()
    busy = subprocess.Popen(
        [str(programs / "psql"), url, "-qc", "DO $$ BEGIN LOOP END LOOP; END $$"],
        stderr=subprocess.DEVNULL,
    )
    active = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO%'"
    deadline = time.monotonic() + 10
    while not (orphan := ask(url, active)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        assert not _running(orphan)
        assert ask(server.url("owner"), "SELECT 1") == 1
    killed.stop()
    busy.wait(10)


def test_a_server_that_dies_as_it_is_found_is_started_again(
    data: Path, programs: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks alive, and lets nobody in any more: that says nothing about our passwords."""
    killed = Embedded.start(data, binaries=programs, settings=UNSAFE, watch=False)
    wait_ready = Postmaster.wait_ready

    def and_dies(found: Postmaster, pid: int) -> bool:
        was_ready = wait_ready(found, pid)
        os.kill(pid, signal.SIGKILL)
        return was_ready

    monkeypatch.setattr(Postmaster, "wait_ready", and_dies)
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        assert server.pid != killed.pid
        assert ask(server.url("owner"), "SELECT 1") == 1
    killed.stop()


def test_a_first_start_that_was_cut_off_is_finished_by_the_next(
    copied_data: Path, programs: Path, ask: Ask
) -> None:
    """A crash during initdb leaves a directory of another name, which is thrown away."""
    store = copied_data / "store.json"
    store.write_text(store.read_text().replace('"ready": true', '"ready": false'))
    cluster = copied_data / "postgres" / "cluster"
    cluster.rename(cluster.with_name("cluster.new"))
    (cluster.with_name("cluster.new") / "PG_VERSION").unlink()
    with Embedded.start(copied_data, binaries=programs, settings=UNSAFE) as server:
        assert ask(server.url("runtime"), "SELECT 1") == 1
    assert not cluster.with_name("cluster.new").exists()


def test_roles_that_a_crash_left_half_made_are_mended(
    copied_data: Path, programs: Path, ask: Ask
) -> None:
    """Until the store says it is ready, every start makes what is missing."""
    with Embedded.start(copied_data, binaries=programs, settings=UNSAFE) as server:
        ask(
            server.superuser_url("postgres"),
            "REVOKE CONNECT ON DATABASE hireledger FROM hireledger_runtime",
        )
        ask(server.superuser_url("postgres"), "ALTER ROLE hireledger_projector PASSWORD NULL")
    store = copied_data / "store.json"
    store.write_text(store.read_text().replace('"ready": true', '"ready": false'))
    with Embedded.start(copied_data, binaries=programs, settings=UNSAFE) as server:
        assert ask(server.url("runtime"), "SELECT 1") == 1
        assert ask(server.url("projector"), "SELECT 1") == 1
    assert '"ready": true' in store.read_text()


def test_a_lost_cluster_is_never_replaced_by_an_empty_one(
    copied_data: Path, programs: Path
) -> None:
    """Where the database of a store in use is gone, the start is refused."""
    shutil.rmtree(copied_data / "postgres" / "cluster")
    with pytest.raises(LedgerError, match=r"The database is gone: .* Restore the data directory"):
        Embedded.start(copied_data, binaries=programs)
    assert not (copied_data / "postgres" / "cluster").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "which holds its passwords, is not"),
        (STORE[:-9], "is damaged"),
        (STORE.replace('"a"', "5"), "is damaged"),
    ],
    ids=["missing", "truncated", "another shape"],
)
def test_a_store_file_that_is_not_ours_is_refused(
    tmp_path: Path, text: str | None, message: str
) -> None:
    """The passwords cannot be guessed, so the message says where to get them; nothing is shown."""
    (tmp_path / "postgres").mkdir()
    if text is not None:
        (tmp_path / "store.json").write_text(text)
    with pytest.raises(LedgerError, match=message) as refused:
        Embedded.start(tmp_path)
    assert "Wurzel" not in str(refused.value)
    assert not list((tmp_path / "postgres").iterdir())


def test_a_store_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """Root is not led to read, or later to replace, a file elsewhere."""
    (tmp_path / "elsewhere").write_text(STORE)
    (tmp_path / "store.json").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="cannot be read"):
        Embedded.start(tmp_path)


def test_other_passwords_than_the_servers_are_refused(
    copied_data: Path, programs: Path, ask: Ask
) -> None:
    """A `store.json` of another backup is told from a broken server, and no server is left."""
    with Embedded.start(copied_data, binaries=programs, settings=UNSAFE) as server:
        ask(server.superuser_url(), "ALTER ROLE postgres PASSWORD 'another'")
    with pytest.raises(LedgerError, match="does not let us in with the passwords of"):
        Embedded.start(copied_data, binaries=programs, settings=UNSAFE)
    assert not _lock_file(copied_data).exists()


def test_a_setting_that_the_server_refuses_is_named(data: Path, programs: Path) -> None:
    """The start fails at once with PostgreSQL's own reason."""
    with pytest.raises(LedgerError, match=r"did not start.*shared_buffers"):
        Embedded.start(data, binaries=programs, settings={"shared_buffers": "-1"})
