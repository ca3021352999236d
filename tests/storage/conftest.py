"""For the supervisor's tests: data directories to spoil, and processes beside ours to kill."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.embedded.account import Account
from ledger.embedded.cluster import read_store
from ledger.embedded.postmaster import Postmaster
from ledger.embedded.server import Embedded

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
FAST = {"fsync": "off"}

BESIDE = """
import json, os, sys
from pathlib import Path
import psycopg
from ledger.errors import LedgerError
from ledger.embedded.server import Embedded

data, programs, uid = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
if uid != os.geteuid():  # imported first: the account may not reach the interpreter's files
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
os.umask(0o022)
try:
    server = Embedded.start(data, binaries=programs, settings={"fsync": "off"})
except LedgerError as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}), flush=True)
    sys.exit(1)
with psycopg.connect(server.url("owner")) as connection:
    user = connection.execute("SELECT current_user").fetchone()[0]
print(json.dumps({"pid": server.pid, "version": server.version, "home": str(server.home),
                  "notices": server.notices, "user": user}), flush=True)
sys.stdin.readline()
server.stop()
"""


class Beside:
    """Another process of ours that uses a data directory's server until it is told to stop."""

    def __init__(self, argv: list[str]) -> None:
        self._process = subprocess.Popen(
            argv,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def said(self) -> dict[str, Any]:
        """What it reports once the server is there, or why it is not."""
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def stop(self) -> None:
        """Let it leave in order."""
        self._process.communicate("\n", timeout=60)

    def kill(self) -> None:
        """End it as kill -9 does: nothing of it runs any more."""
        self._process.kill()
        self._process.communicate(timeout=60)


@pytest.fixture
def new_data(passable_dir: Path) -> Generator[Path]:
    """The path of a data directory that is not there yet; whatever a test leaves is removed."""
    path = passable_dir / secrets.token_hex(4)
    yield path
    _remove(path)


@pytest.fixture(scope="session")
def _used_data(programs: Path, passable_dir: Path) -> Path:
    path = passable_dir / secrets.token_hex(4)
    Embedded.start(path, binaries=programs, settings=FAST).stop()
    return path


@pytest.fixture
def data(_used_data: Path) -> Generator[Path]:
    """A data directory that has been in use and is at rest; it serves one test after the other."""
    yield _used_data
    _put_to_rest(_used_data)


@pytest.fixture
def copied_data(_used_data: Path, new_data: Path) -> Path:
    """A copy of it, to spoil."""
    subprocess.run(["cp", "-a", str(_used_data), str(new_data)], check=True)
    return new_data


@pytest.fixture
def closed_data(tmp_path: Path) -> Generator[Path]:
    """The same below a directory of mode 0700, such as a home."""
    path = tmp_path / "closed" / "data"
    path.parent.mkdir(mode=0o700)
    yield path
    _remove(path)


def _put_to_rest(data: Path) -> None:
    """Stop a server that a failed test left."""
    home = data / "postgres"
    postmaster = Postmaster(home, Account.for_server(home))
    if (pid := postmaster.find()) is not None:
        postmaster.stop(pid)


def _remove(data: Path) -> None:
    store = read_store(data) if (data / "store.json").is_file() else None
    for elsewhere in (store.elsewhere, store.socket_elsewhere) if store is not None else ():
        if elsewhere is not None:
            shutil.rmtree(elsewhere, ignore_errors=True)
    if (data / "postgres").is_dir():
        _put_to_rest(data)
    shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def beside() -> Generator[Callable[..., Beside]]:
    """Starts processes beside ours, optionally as another account or through a wrapper."""
    started: list[Beside] = []

    def start(
        data: Path, programs: Path, *, uid: int | None = None, wrap: tuple[str, ...] = ()
    ) -> Beside:
        account = str(os.geteuid() if uid is None else uid)
        argv = [*wrap, sys.executable, "-c", BESIDE, str(data), str(programs), account]
        started.append(Beside(argv))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def ask() -> Callable[[str, str], Any]:
    """Runs one statement over a connection of its own and answers the first value."""

    def run(url: str, statement: str) -> Any:
        with psycopg.connect(url, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    return run
