"""For tests of faults: a furnished ledger, and a way to make its writer wait."""

import secrets
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from hall import Hall, open_hall
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.ledger import Ledger
from served import Mother, Serve, mother

Held = Callable[[Ledger], AbstractContextManager[None]]
_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@pytest.fixture
def hall(server: Embedded, tmp_path: Path) -> Generator[Hall]:
    """A ledger with staff, rubric and a requisition, without HTTP."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    with open_hall(database, tmp_path) as opened:
        opened.open_requisition("r-1")
        yield opened


@pytest.fixture(scope="session")
def forked() -> Generator[Mother]:
    """What all serving processes of a run are forked from."""
    with mother() as made:
        yield made


@pytest.fixture
def serve(forked: Mother, tmp_path: Path) -> Generator[Serve]:
    """Starts serving processes; what is left of them is killed at the end."""
    with forked.serving(tmp_path) as start:
        yield start


@pytest.fixture
def held() -> Held:
    """Holds the log's lock for a block, in which one more command is stuck in the writer.

    What is asked for in the block therefore waits, and is committed as one group after it.
    """

    @contextmanager
    def hold(ledger: Ledger) -> Generator[None]:
        with ledger.database.connect("runtime") as connection, connection.cursor() as cur:
            ledger.store.recorder.lock(cur)
            hall = Hall(ledger)
            stuck = ledger.submit(hall.a_stranger())
            deadline = time.monotonic() + 30
            while not connection.execute(_WAITING).fetchall()[0][0]:
                assert time.monotonic() < deadline, "the writer does not wait for the lock"
                time.sleep(0.01)
            yield
        stuck.result(30)

    return hold
