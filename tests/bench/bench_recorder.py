"""How fast the log itself is, beside the event-sourcing library's own recorder: `make bench`.

Both run on the same server in the same run, on one connection each, and every commit is on disk
when it returns. What the ledger adds is in its figure: dense positions under the lock, leaf hashes,
the clock that never steps back, and tags with types.
"""

import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

import psycopg
import pytest
from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.postgres_tt import PostgresDCBRecorderTT
from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from facts_in_log import record
from ledger.database import Connection, Database
from ledger.embedded.server import Embedded
from ledger.recorder import NewRow, Recorder
from season_of_facts import boundary, facts

SECONDS = 4.0
FACTS = 200_000
LOOPS_ASKED = 400


@pytest.fixture(scope="module")
def kept(passable_dir: Path) -> Generator[Embedded]:
    """A server that keeps what it says."""
    with Embedded.start(passable_dir / "bench", watch=False) as running:
        yield running


@pytest.fixture
def database(kept: Embedded) -> Database:
    """A fresh ledger."""
    made = Database.embedded(kept, schema=f"b_{secrets.token_hex(6)}")
    made.prepare()
    return made


@pytest.fixture
def library(kept: Embedded) -> Generator[PostgresDCBRecorderTT]:
    """The library's recorder, in a database of its own, as it sets itself up."""
    name = f"library_{secrets.token_hex(6)}"
    with psycopg.connect(kept.superuser_url(), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    given = conninfo_to_dict(kept.superuser_url(name))
    datastore = PostgresDatastore(
        *(str(given.get(key) or "") for key in ("dbname", "host", "port", "user", "password"))
    )
    with datastore:
        recorder = PostgresDCBRecorderTT(datastore)
        recorder.create_table()
        yield recorder


def groups_of(size: int) -> Iterator[list[NewRow]]:
    """Facts without end, so many at a time."""
    rows = facts(10**9)
    while True:
        yield list(islice(rows, size))


def events(rows: Sequence[NewRow]) -> list[DCBEvent]:
    """The same facts in the library's words."""
    return [DCBEvent(row.type, row.leaf, list(row.tags)) for row in rows]


def rates(size: int, *appends: Callable[[list[NewRow]], object]) -> list[float]:
    """Facts appended a second by each, taking turns, so that a busy machine is busy for all."""
    spent = [0.0] * len(appends)
    count = 0
    for rows in groups_of(size):
        for number, append in enumerate(appends):
            started = perf_counter()
            append(rows)
            spent[number] += perf_counter() - started
        count += size
        if sum(spent) > SECONDS * len(appends):
            break
    return [count / seconds for seconds in spent]


@pytest.mark.parametrize("size", [1, 32, 1000])
def test_appending_beside_the_library(
    database: Database, library: PostgresDCBRecorderTT, size: int
) -> None:
    """Facts a second in transactions of a size: ours, and the library's with and without a lock."""
    recorder = Recorder(database)
    nothing = DCBAppendCondition(DCBQuery([DCBQueryItem(tags=["nobody"])]))
    with database.connect("runtime") as connection:
        ours, locked, unlocked = rates(
            size,
            lambda rows: record(recorder, connection, rows),
            lambda rows: library.append(events(rows), nothing),
            lambda rows: library.append(events(rows)),
        )
    print(
        f"\n{size} a transaction: {ours:.0f} facts a second; the library {locked:.0f} under its "
        f"lock (ratio {ours / locked:.2f}), {unlocked:.0f} without (ratio {ours / unlocked:.2f})"
    )


def test_a_boundary_in_a_large_log(database: Database, library: PostgresDCBRecorderTT) -> None:
    """A loop's boundary out of 200,000 facts: read, asked whether it moved; and the library's."""
    recorder = Recorder(database)
    rows = facts(FACTS)
    with database.connect("runtime") as connection:
        while some := list(islice(rows, 1000)):
            record(recorder, connection, some)
            library.append(events(some))
        with database.connect("owner", autocommit=True) as owner:
            owner.execute("vacuum analyze facts, fact_tags")
        with library.datastore.get_connection() as other:
            other.execute("analyze")
        ask(recorder, connection, library)


def ask(recorder: Recorder, connection: Connection, library: PostgresDCBRecorderTT) -> None:
    """Times for many loops, of the busiest requisition and of others."""
    select: list[float] = []
    moved: list[float] = []
    theirs: list[float] = []
    found = 0
    with connection.cursor() as cur:
        head = recorder.head(cur)
        for loop in range(LOOPS_ASKED):
            items = boundary(loop)
            query = DCBQuery([DCBQueryItem(list(item.types), list(item.tags)) for item in items])
            began = perf_counter()
            selected = recorder.select(cur, items)
            select.append(perf_counter() - began)
            began = perf_counter()
            recorder.moved(cur, items, head - 100)
            moved.append(perf_counter() - began)
            began = perf_counter()
            read = list(library.read(query))
            theirs.append(perf_counter() - began)
            assert [row.leaf for row in selected] == [one.event.data for one in read]
            found += len(selected)
    print(
        f"\n{FACTS} facts, 8 items, {found / LOOPS_ASKED:.0f} facts found: select "
        f"{milliseconds(select)}, moved {milliseconds(moved)}, the library's read "
        f"{milliseconds(theirs)} (ratio {median(theirs) / median(select):.1f})"
    )


def milliseconds(times: list[float]) -> str:
    """Median and the 95th of a hundred, in milliseconds."""
    return f"{median(times) * 1e3:.2f} ms (p95 {sorted(times)[len(times) * 95 // 100] * 1e3:.2f})"
