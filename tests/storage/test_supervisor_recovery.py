"""How soon requests are served again when the server comes back, however long it was away."""

import os
import signal
import threading
import time
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from ledger.database import Database, Pool
from ledger.embedded.server import Embedded

UNSAFE = {"fsync": "off"}
AWAY_SECONDS = 3
"""Long enough for the library's own backing off to have grown to seconds."""


def _serves(pool: Pool, seconds_max: float) -> bool:
    try:
        with pool.connection(timeout=seconds_max) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except (PoolTimeout, psycopg.OperationalError):
        return False


@pytest.fixture
def pool(data: Path, programs: Path) -> Generator[Pool]:
    """A pool of four over a server that nothing watches; the server is stopped."""
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        ledger = Database.embedded(server)
        ledger.prepare()
        with ledger.pool("runtime", 4) as opened:
            threads = [threading.Thread(target=_serves, args=(opened, 5)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            server.stop()
            yield opened


def test_requests_under_load_are_served_soon_after_the_server_is_back(
    pool: Pool, data: Path, programs: Path
) -> None:
    """Callers that keep asking while it is away find it within a second of its return."""
    returned = threading.Event()
    served: list[float] = []

    def ask() -> None:
        while not served:
            if _serves(pool, 0.5) and returned.is_set():
                served.append(time.monotonic())

    callers = [threading.Thread(target=ask) for _ in range(6)]
    for caller in callers:
        caller.start()
    time.sleep(AWAY_SECONDS)
    with Embedded.start(data, binaries=programs, settings=UNSAFE):
        back = time.monotonic()
        returned.set()
        for caller in callers:
            caller.join(30)
    took = served[0] - back
    print(f"served {took:.2f} s after the return")
    assert took < 2


def test_a_request_that_waits_alone_is_served_when_the_server_is_back(
    pool: Pool, data: Path, programs: Path
) -> None:
    """Nobody else has to ask for the waiting one to get its connection."""
    answers: list[bool] = []
    waiting = threading.Thread(target=lambda: answers.append(_serves(pool, 30)))
    waiting.start()
    time.sleep(AWAY_SECONDS)
    with Embedded.start(data, binaries=programs, settings=UNSAFE):
        back = time.monotonic()
        waiting.join(30)
        assert answers == [True]
        assert time.monotonic() - back < 2


def test_a_restart_between_two_requests_is_not_seen(pool: Pool, data: Path, programs: Path) -> None:
    """The connections that it broke are replaced before one of them is handed out."""
    for _ in range(2):
        with Embedded.start(data, binaries=programs, settings=UNSAFE):
            for _ in range(6):
                began = time.monotonic()
                assert _serves(pool, 5)
                assert time.monotonic() - began < 2


def test_an_absent_server_is_an_answer_when_the_request_has_waited(pool: Pool) -> None:
    """A request waits as long as it was told to, and no longer."""
    began = time.monotonic()
    assert not _serves(pool, 0.5)
    assert time.monotonic() - began < 2


def test_a_pool_opens_while_the_server_is_away(data: Path, programs: Path) -> None:
    """What starts before its database serves as soon as that is there."""
    with Embedded.start(data, binaries=programs, settings=UNSAFE) as server:
        ledger = Database.embedded(server)
        ledger.prepare()
    with ledger.pool("runtime", 2) as pool:
        assert not _serves(pool, 0.2)
        with Embedded.start(data, binaries=programs, settings=UNSAFE):
            assert _serves(pool, 5)


def test_a_watched_server_that_is_killed_serves_again_by_itself(data: Path, programs: Path) -> None:
    """The supervisor starts it again; requests wait for that, and fail no longer than it takes."""
    with Embedded.start(data, binaries=programs) as server:
        ledger = Database.embedded(server)
        ledger.prepare()
        with ledger.pool("runtime", 2) as pool:
            assert _serves(pool, 5)
            killed = server.pid
            os.kill(killed, signal.SIGKILL)
            began = time.monotonic()
            while server.pid == killed:
                assert time.monotonic() - began < 30
                time.sleep(0.01)
            assert _serves(pool, 1)
            print(f"served {time.monotonic() - began:.2f} s after the kill")
