"""A follower reads by position: everything, once, in order, in bounded memory."""

import threading
import time
import tracemalloc
from collections.abc import Iterator

import psycopg
import pytest
from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem

from domain.findings import Item
from facts_in_log import new, record
from ledger.database import Connection, Database
from ledger.embedded.server import Embedded
from ledger.recorder import LogDamaged, Recorder


@pytest.fixture
def recorder(database: Database) -> Recorder:
    """The log of an empty ledger."""
    return Recorder(database)


@pytest.fixture
def runtime(database: Database) -> Iterator[Connection]:
    """A connection with the rights of the running server."""
    with database.connect("runtime") as connection:
        yield connection


@pytest.fixture
def follower(database: Database) -> Iterator[Connection]:
    """A follower's own connection, with the rights of the read models."""
    with database.connect("projector", autocommit=True) as connection:
        yield connection


def test_a_stream_gives_every_fact_once_in_order(
    recorder: Recorder, runtime: Connection, follower: Connection
) -> None:
    """Whatever the size of the batches is, and from wherever it begins."""
    record(recorder, runtime, [new(b"%d" % number) for number in range(1, 12)])
    for batch in (1, 3, 11, 500):
        batches = list(recorder.stream(follower, after=0, batch=batch))
        assert all(len(rows) == batch for rows in batches[:-1])
        rows = [row for rows in batches for row in rows]
        assert [row.position for row in rows] == list(range(1, 12))
        assert [row.leaf for row in rows] == [b"%d" % number for number in range(1, 12)]
    parts = recorder.stream(follower, after=4, upto=9, batch=3)
    assert [[row.position for row in rows] for rows in parts] == [[5, 6, 7], [8, 9]]
    assert list(recorder.stream(follower, after=11)) == []
    assert list(recorder.stream(follower, after=9, upto=9)) == []


def test_a_stream_goes_on_to_what_was_recorded_while_it_ran(
    recorder: Recorder, runtime: Connection, follower: Connection
) -> None:
    """The end is where the log ends by then, not where it ended at the start."""
    record(recorder, runtime, [new(b"1"), new(b"2")])
    stream = recorder.stream(follower, after=0, batch=2)
    first = next(stream)
    record(recorder, runtime, [new(b"3")])
    assert [row.leaf for rows in (first, *stream) for row in rows] == [b"1", b"2", b"3"]


def test_a_stream_sees_nothing_that_is_not_committed(
    recorder: Recorder, runtime: Connection, follower: Connection
) -> None:
    """A fact is there for everyone, or for nobody but its own transaction."""
    with runtime.transaction(), runtime.cursor() as cur:
        recorder.lock(cur)
        recorder.insert(cur, [new()])
        assert list(recorder.stream(follower, after=0)) == []
        assert not recorder.wait(follower, 0, timeout=0)
    assert len(list(recorder.stream(follower, after=0))) == 1


def test_a_stream_holds_one_batch_in_memory(
    recorder: Recorder, runtime: Connection, follower: Connection
) -> None:
    """Reading a log needs the memory of a batch, not of the log."""
    for _ in range(20):
        record(recorder, runtime, [new(b"x" * 10_000)] * 100)
    tracemalloc.start()
    try:
        total = sum(len(rows) for rows in recorder.stream(follower, after=0, batch=50))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 2_000
    assert peak < 4_000_000  # two batches and what they came in; the log has 20,000,000 bytes


def test_the_librarys_read_holds_one_page_in_memory(recorder: Recorder) -> None:
    """Also a read over the library's interface streams."""
    with recorder:
        for _ in range(20):
            recorder.append([DCBEvent("a", b"x" * 5_000, ["t"])] * 200)
        tracemalloc.start()
        try:
            query = DCBQuery([DCBQueryItem(tags=["t"])])
            total = sum(1 for _ in recorder.read(query))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert total == 4_000
    assert peak < 10_000_000  # two pages and what they came in; the log has 20,000,000 bytes


def test_a_removed_fact_stops_the_stream(
    recorder: Recorder, runtime: Connection, follower: Connection, database: Database
) -> None:
    """A superuser's hand is noticed at the first position that is missing."""
    record(recorder, runtime, [new()] * 5)
    with database.connect("owner") as owner:
        owner.execute("alter table facts disable trigger facts_stay")
        owner.execute("delete from facts where position = 3")
    stream = recorder.stream(follower, after=0, batch=2)
    assert [row.position for row in next(stream)] == [1, 2]
    with pytest.raises(LogDamaged, match="Of the positions 3 to 5 only 2"):
        next(stream)


def test_waiting_returns_at_once_when_there_is_more(
    recorder: Recorder, runtime: Connection, follower: Connection
) -> None:
    """What was recorded before the follower began to listen is not waited for."""
    record(recorder, runtime, [new()] * 2)
    assert recorder.wait(follower, 1, timeout=0)
    assert not recorder.wait(follower, 2, timeout=0)


def test_waiting_ends_when_the_time_is_over(recorder: Recorder, follower: Connection) -> None:
    """A follower that hears nothing goes on with other work."""
    started = time.monotonic()
    assert not recorder.wait(follower, 0, timeout=0.2)
    assert 0.2 <= time.monotonic() - started < 2


def test_a_commit_wakes_who_waits(
    recorder: Recorder, runtime: Connection, follower: Connection
) -> None:
    """A follower need not poll."""
    woken: list[tuple[bool, float]] = []

    def follow() -> None:
        woken.append((recorder.wait(follower, 0, timeout=20), time.monotonic()))

    thread = threading.Thread(target=follow)
    thread.start()
    time.sleep(0.3)
    assert woken == []
    record(recorder, runtime, [new()])
    committed = time.monotonic()
    thread.join()
    assert woken[0][0]
    assert woken[0][1] - committed < 1


def test_waiting_inside_a_transaction_is_refused(recorder: Recorder, runtime: Connection) -> None:
    """Notifications come between transactions: such a follower would never wake."""
    with pytest.raises(ValueError, match="autocommit=True"):
        recorder.wait(runtime, 0, timeout=1)


def test_what_was_heard_long_ago_does_not_pile_up(
    recorder: Recorder, runtime: Connection, follower: Connection
) -> None:
    """A follower that is busy for long keeps no list of what it did not listen to."""
    assert not recorder.wait(follower, 0, timeout=0)
    for _ in range(50):
        record(recorder, runtime, [new()])
    assert recorder.wait(follower, 0, timeout=0)
    assert list(follower.notifies(timeout=0)) == []


def test_two_ledgers_on_one_server_do_not_see_each_other(server: Embedded) -> None:
    """Facts, positions, locks and notifications all belong to one schema."""
    first, second = (Database.embedded(server, schema=f"apart_{name}") for name in ("a", "b"))
    first.prepare()
    second.prepare()
    log_a, log_b = Recorder(first), Recorder(second)
    with (
        first.connect("runtime") as a,
        second.connect("runtime", autocommit=True) as b,
        first.connect("runtime", autocommit=True) as follower_a,
    ):
        assert not log_a.wait(follower_a, 0, timeout=0)
        with a.transaction(), a.cursor() as cur_a:
            log_a.lock(cur_a)
            # While the first is locked, the second records as if it were alone.
            b.execute("set lock_timeout = '500ms'")
            assert record(log_b, b, [new(b"b", "x")] * 3) == [1, 2, 3]
            assert log_a.insert(cur_a, [new(b"a", "x")]) == [1]
            # That lock is another one than the first's, which is taken.
            with b.cursor() as cur_b, pytest.raises(psycopg.errors.LockNotAvailable):
                log_a.lock(cur_b)
        with a.cursor() as cur_a, b.cursor() as cur_b:
            asked = [Item(tags=("x",))]
            assert [row.leaf for row in log_a.select(cur_a, asked)] == [b"a"]
            assert [row.leaf for row in log_b.select(cur_b, asked)] == [b"b"] * 3
            assert (log_a.head(cur_a), log_b.head(cur_b)) == (1, 3)
        list(follower_a.notifies(timeout=0.2))
        record(log_b, b, [new()])
        assert list(follower_a.notifies(timeout=0.2)) == []


def test_a_subscription_over_a_query_skips_what_does_not_match(recorder: Recorder) -> None:
    """It gives the matching ones, old and new, and is not held up by what lies between."""
    wanted = DCBQuery([DCBQueryItem(tags=["wanted"])])
    with recorder:
        recorder.append([DCBEvent("t", b"old", ["wanted"]), DCBEvent("t", b"other", [])])
        with recorder.subscribe(wanted) as subscription:
            assert next(subscription).event.data == b"old"
            recorder.append([DCBEvent("t", b"other", [])] * 10)
            threading.Timer(0.3, recorder.append, [[DCBEvent("t", b"new", ["wanted"])]]).start()
            found = next(subscription)
            assert (found.position, found.event.data) == (13, b"new")


def test_a_stopped_subscription_ends(recorder: Recorder) -> None:
    """Whoever is waiting for the next event is let go soon, and no connection stays behind."""
    with recorder, recorder.subscribe() as subscription:
        threading.Timer(0.2, subscription.stop).start()
        started = time.monotonic()
        assert list(subscription) == []
        assert time.monotonic() - started < 2
