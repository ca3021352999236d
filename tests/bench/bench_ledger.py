"""How fast a ledger records and reads on this machine: `make bench` prints it.

The server is as users get it: what was answered is on disk. A figure is worth what the machine was
doing meanwhile.
"""

import secrets
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import pytest

from domain import commands as c
from domain.codec import decode
from ledger.asked import Asked, as_system
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.ledger import Ledger
from ledger.log import Log
from ledger.personal.keyring import KeyRing
from ledger.publish import Publishing
from policies import load

ADMINISTRATOR = as_system("administrator")
SECONDS = 5.0


@pytest.fixture
def ledger(passable_dir: Path, tmp_path: Path) -> Generator[Ledger]:
    """A ledger on a server that keeps what it says, empty."""
    with Embedded.start(passable_dir / "bench-ledger", watch=False) as server:
        database = Database.embedded(server, schema=f"b_{secrets.token_hex(6)}")
        database.prepare()
        with Ledger(
            database, KeyRing.open(tmp_path / "keys"), load(), Publishing.of(tmp_path)
        ) as ledger:
            yield ledger


def _record_by(callers: int, ledger: Ledger) -> int:
    """Lets that many callers record at once; how many commands they got in."""
    until = perf_counter() + SECONDS
    with ThreadPoolExecutor(callers) as threads:
        going = [threads.submit(_record, ledger, caller, until) for caller in range(callers)]
        return sum(one.result() for one in going)


def _record(ledger: Ledger, caller: int, until: float) -> int:
    """Registers people one after the other until the time is up; how many."""
    count = 0
    while perf_counter() < until:
        person = c.RegisterPerson(id=f"{caller}-{count}", name="Ana Iv", roles=("interviewer",))
        asked = Asked(person, ADMINISTRATOR, f"{caller}-{count}", b"")
        assert len(ledger.submit(asked).result().recorded) == 1
        count += 1
    return count


def _head(ledger: Ledger) -> int:
    with ledger.reading() as group:
        return group.head


@pytest.mark.parametrize("callers", [1, 32])
def test_recording_by_a_number_of_callers(ledger: Ledger, callers: int) -> None:
    """Commands decided, sealed and on disk a second, each caller waiting for its answer."""
    started = perf_counter()
    count = _record_by(callers, ledger)
    seconds = perf_counter() - started
    assert _head(ledger) == count
    print(f"\n{callers} callers: {count} in {seconds:.1f} s, {count / seconds:.0f} a second")


def test_reading_the_whole_log(ledger: Ledger) -> None:
    """Facts read from the store in order and decoded, a second."""
    count = _record_by(32, ledger)
    log = Log(ledger.database.schema)
    started = perf_counter()
    with ledger.database.connect("runtime") as connection:
        pages = log.stream(connection, after=0)
        read = [decode(row.leaf) for page in pages for row in page]
    seconds = perf_counter() - started
    assert len(read) == count
    print(f"\nreading: {count} facts in {seconds:.1f} s, {count / seconds:.0f} a second")
