"""Positions are dense and every fact is kept as it was given, or nothing is recorded at all."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from psycopg import Cursor, IsolationLevel
from psycopg.rows import TupleRow

from facts_in_log import START, new, record
from ledger.database import Connection, Database
from ledger.recorder import ClockWentBack, LockNotHeld, Recorder, Row

CHANGES = (
    "update facts set leaf = 'x'",
    "update fact_tags set tag = 'x'",
    "delete from facts",
    "delete from fact_tags",
    "truncate facts cascade",
    "truncate fact_tags",
    "update tree_nodes set hashes = hashes",
    "update tree_heads set root = root",
    "delete from tree_nodes",
    "delete from tree_heads",
    "truncate tree_nodes",
    "truncate tree_heads",
)


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
def cur(runtime: Connection) -> Iterator[Cursor[TupleRow]]:
    """A cursor with the rights of the running server."""
    with runtime.cursor() as cursor:
        yield cursor


def test_an_empty_log_has_no_head_and_no_last_time(
    recorder: Recorder, cur: Cursor[TupleRow]
) -> None:
    """Before the first fact the head is 0."""
    assert (recorder.head(cur), recorder.last_recorded(cur)) == (0, None)


def test_facts_get_the_positions_after_the_head(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """Positions count from 1, over transactions and over several inserts in one."""
    assert record(recorder, runtime, [new(), new()]) == [1, 2]
    recorder.lock(cur)
    assert recorder.insert(cur, [new()]) == [3]
    assert recorder.insert(cur, []) == []
    later = START + timedelta(seconds=1)
    assert recorder.insert(cur, [new(recorded=later)] * 3) == [4, 5, 6]
    assert (recorder.head(cur), recorder.last_recorded(cur)) == (6, later)


def test_a_fact_is_kept_byte_by_byte_with_its_leaf_hash(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """Whatever bytes and tags are, they come back, and the stored hash is that of a leaf."""
    tags = ("plain", 'a "quoted" one', "back\\slash", "{curly},", "NULL", "", "two\nlines", "é漢")
    leaf = bytes(range(256))
    record(recorder, runtime, [new(leaf, *tags), new(b"")])
    assert recorder.fetch(cur, [1, 2]) == [
        Row(1, "session-completed.v1", tags, leaf),
        Row(2, "session-completed.v1", (), b""),
    ]
    stored = cur.execute("select leaf_hash, recorded from facts order by position").fetchall()
    assert stored[0] == (hashlib.sha256(b"\0" + leaf).digest(), START)
    found = cur.execute("select tag from fact_tags where position = 1").fetchall()
    assert sorted(tag for (tag,) in found) == sorted(tags)


def test_a_tag_given_twice_is_one_tag_when_searched(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """The bytes decide what a fact's tags are; the index holds each once."""
    record(recorder, runtime, [new(b"a", "x", "x")])
    assert recorder.fetch(cur, [1])[0].tags == ("x", "x")
    assert cur.execute("select count(*) from fact_tags").fetchone() == (1,)


def test_fetch_gives_each_known_position_once_in_order(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """What is asked for twice comes once, and what is not in the log does not come."""
    record(recorder, runtime, [new(b"%d" % number) for number in range(1, 5)])
    assert [row.leaf for row in recorder.fetch(cur, [4, 2, 9, 2, 0])] == [b"2", b"4"]
    assert recorder.fetch(cur, []) == []


def test_a_rollback_gives_its_positions_back(recorder: Recorder, runtime: Connection) -> None:
    """What was not committed leaves no gap, whether all of it or a savepoint is rolled back."""
    record(recorder, runtime, [new(b"1")])
    with runtime.transaction() as undone, runtime.cursor() as cur:
        recorder.lock(cur)
        recorder.insert(cur, [new(b"never")] * 5)
        raise psycopg.Rollback(undone)
    with runtime.transaction(), runtime.cursor() as cur:
        recorder.lock(cur)
        assert recorder.insert(cur, [new(b"2")]) == [2]
        with runtime.transaction() as undone:
            assert recorder.insert(cur, [new(b"never")] * 3) == [3, 4, 5]
            raise psycopg.Rollback(undone)
        assert recorder.insert(cur, [new(b"3")]) == [3]
    with runtime.cursor() as cur:
        assert [row.leaf for row in recorder.fetch(cur, range(1, 9))] == [b"1", b"2", b"3"]


def test_a_leaf_that_is_too_long_takes_no_position(recorder: Recorder, runtime: Connection) -> None:
    """A leaf has at most 65,535 bytes; a longer one spoils its transaction and nothing else."""
    longest = new(b"x" * 65_535)
    assert record(recorder, runtime, [longest]) == [1]
    with pytest.raises(psycopg.errors.CheckViolation):
        record(recorder, runtime, [new(), new(longest.leaf + b"x")])
    assert record(recorder, runtime, [new()]) == [2]


def test_inserting_without_the_lock_is_refused(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """Neither never having had the lock nor having had it in an earlier transaction will do."""
    with pytest.raises(LockNotHeld, match="Call `lock` first"):
        recorder.insert(cur, [new()])
    runtime.rollback()
    record(recorder, runtime, [new()])
    with pytest.raises(LockNotHeld):
        recorder.insert(cur, [new()])
    assert recorder.head(cur) == 1


def test_a_lock_that_was_rolled_back_to_a_savepoint_is_not_held(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """The recorder forgets the lock exactly when the database does."""
    with runtime.transaction():
        with runtime.transaction() as undone:
            recorder.lock(cur)
            raise psycopg.Rollback(undone)
        locks = (
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        )
        assert cur.execute(locks).fetchone() == (0,)
        with pytest.raises(LockNotHeld):
            recorder.insert(cur, [new()])


def test_the_lock_of_another_ledger_does_not_count(
    recorder: Recorder, runtime: Connection, database: Database
) -> None:
    """Inserting asks for the lock of this very schema."""
    other = Recorder(Database.external(database.conninfo("runtime"), schema="another"))
    with runtime.transaction(), runtime.cursor() as cur:
        other.lock(cur)
        with pytest.raises(LockNotHeld):
            recorder.insert(cur, [new()])


def test_the_lock_outside_a_transaction_is_refused(recorder: Recorder, database: Database) -> None:
    """In autocommit the lock would be gone before anything could be done under it."""
    with (
        database.connect("runtime", autocommit=True) as connection,
        connection.cursor() as cur,
        pytest.raises(LockNotHeld, match="outside a transaction"),
    ):
        recorder.lock(cur)


@pytest.mark.parametrize(
    "level",
    [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE],
    ids=lambda level: level.name.lower(),
)
def test_the_lock_in_a_transaction_with_an_old_snapshot_is_refused(
    recorder: Recorder, runtime: Connection, level: IsolationLevel
) -> None:
    """A snapshot from before the lock would show a head that is no longer the head."""
    runtime.isolation_level = level
    with runtime.cursor() as cur, pytest.raises(LockNotHeld, match="READ COMMITTED"):
        recorder.lock(cur)


def test_recorded_never_decreases_along_the_log(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """A clock that stepped back is refused, within one insert and against the last fact."""
    noon = START + timedelta(hours=3)
    record(recorder, runtime, [new(recorded=START), new(recorded=noon)])
    earlier = noon - timedelta(microseconds=1)
    for rows in ([new(recorded=earlier)], [new(recorded=noon), new(recorded=earlier)]):
        with pytest.raises(ClockWentBack, match="last_recorded"):
            record(recorder, runtime, rows)
    assert recorder.head(cur) == 2
    runtime.rollback()
    assert record(recorder, runtime, [new(recorded=noon)]) == [3]


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_or_removes_what_was_recorded(
    recorder: Recorder, runtime: Connection, database: Database, change: str
) -> None:
    """Neither the running server nor the schema's owner can, and the log is as it was."""
    record(recorder, runtime, [new(b"kept", "x")])
    with database.connect("owner") as owner:
        for connection, refused in (
            (runtime, psycopg.errors.InsufficientPrivilege),
            (owner, psycopg.errors.RestrictViolation),
        ):
            with pytest.raises(refused), connection.transaction():
                connection.execute(change.encode())
    with runtime.cursor() as cur:
        assert recorder.fetch(cur, [1]) == [Row(1, "session-completed.v1", ("x",), b"kept")]
