"""What an erasure destroys: the rows with the fact or not at all, then the bytes in the file."""

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain import commands as c
from domain import facts as f
from domain.refusals import Exists, Missing, RefusedByRule
from erasures import NOTHING, erasing, rows_of, words_of
from hall import Hall, made, open_hall, open_ledger, until
from ledger.accept import accept
from ledger.asked import Done
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.group import Group
from ledger.personal import erase
from ledger.personal.vault import ERASED
from office import rules


@pytest.fixture(scope="module")
def database(server: Embedded) -> Database:
    """One ledger for all tests of this file; each opens loops of its own."""
    made_here = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    made_here.prepare()
    return made_here


@pytest.fixture(scope="module")
def directory(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the keys of the ledger of this file are."""
    return tmp_path_factory.mktemp(database.schema)


@pytest.fixture(scope="module")
def hall(database: Database, directory: Path) -> Iterator[Hall]:
    """A process on it, with a requisition."""
    with open_hall(database, directory) as opened:
        opened.open_requisition("r-1")
        yield opened


@pytest.fixture(scope="module")
def beside(database: Database, hall: Hall, directory: Path) -> Iterator[Hall]:
    """A second process on the same ledger."""
    with open_ledger(database, directory) as other:
        yield Hall(other, hall.people, number=100_000)


@pytest.fixture
def owner(database: Database) -> Iterator[Cursor[TupleRow]]:
    """A cursor that sees every row; commits each statement."""
    with (
        database.connect("owner", autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def test_an_erasure_takes_the_person_and_nobody_else(database: Database, hall: Hall) -> None:
    """Key, values and ids of one candidate go; those of another stay and open as before."""
    ada, bo = (hall.open_loop(slug, "r-1") for slug in ("a1", "b1"))
    assert rows_of(database, ada.candidate) == {"subject_keys": 1, "disclosures": 2, "aliases": 2}
    hall.ask("paul", erasing("candidate-of-a1")).result(20)
    assert rows_of(database, ada.candidate) == NOTHING
    assert words_of(hall, ada) == [ERASED, ERASED]
    assert words_of(hall, bo) == ["Nobody b1", "b1@x.y"]


def test_the_rows_go_with_the_fact_or_not_at_all(database: Database, hall: Hall) -> None:
    """A crash before the commit leaves everything as it was; after it everything is done."""
    ada = hall.open_loop("a2", "r-1")
    before, head = rows_of(database, ada.candidate), hall.head()
    for ends, after in (("rollback", before), ("commit", NOTHING)):
        with database.connect("runtime") as connection, connection.cursor() as cur:
            group = Group.begin(hall.ledger.store, cur)
            accept(hall.asked("paul", erasing("candidate-of-a2")), group, rules())
            hall.ledger.store.recorder.lock(cur)
            group.write()
            getattr(connection, ends)()
        assert rows_of(database, ada.candidate) == after
        assert hall.head() == head + (ends == "commit")


def test_commands_of_one_group_see_an_erasure_before_them(database: Database, hall: Hall) -> None:
    """The id means nobody from then on, and somebody new when it is used again."""
    ada = hall.open_loop("a3", "r-1")
    again = made(
        c.OpenLoop,
        {
            "id": "a3",
            "requisition": "r-1",
            "candidate": {"id": "candidate-of-a3", "name": "Somebody Else"},
            "scorecard": {"id": "llm", "version": 1},
            "posting": {"id": "r-1", "version": 1},
        },
    )
    two = replace(again, id="b3", candidate=c.CandidateSpec(id="candidate-of-b3", name="Bo"))
    done: list[f.AnyFact] = []
    with database.connect("runtime") as connection, connection.cursor() as cur:
        group = Group.begin(hall.ledger.store, cur)

        def ask(who: str, command: c.AnyCommand) -> Done:
            answer = accept(hall.asked(who, command), group, rules())
            done.extend(one.fact for one in answer.recorded)
            return answer

        ask("hana", two)
        for slug in ("a3", "b3"):
            ask("paul", erasing(f"candidate-of-{slug}"))
            with pytest.raises(Missing):
                ask("paul", erasing(f"candidate-of-{slug}"))
            with pytest.raises(Missing):
                ask("hana", c.OpenDebrief(loop=slug))
        with pytest.raises(Exists):
            ask("paul", erasing(ada.candidate))
        ask("hana", c.OpenDebrief(loop=ada.loop))
        with pytest.raises(RefusedByRule):
            ask("hana", c.MakeStatement(loop=ada.loop, text="She did.", cites=()))
        ask("hana", again)
        ask("hana", c.OpenDebrief(loop="a3"))
        hall.ledger.store.recorder.lock(cur)
        group.write()
        connection.commit()
    bo, new = (one for one in done if isinstance(one, f.LoopOpened))
    assert rows_of(database, ada.candidate) == NOTHING
    assert rows_of(database, bo.candidate) == NOTHING
    assert rows_of(database, new.candidate) == {"subject_keys": 1, "disclosures": 1, "aliases": 2}
    assert new.candidate != ada.candidate
    assert words_of(hall, new) == ["Somebody Else"]


def test_another_serving_process_forgets_at_once(hall: Hall, beside: Hall) -> None:
    """What it had looked up and decoded before shows nothing of the person any more."""
    ada = hall.open_loop("a4", "r-1")
    beside.ask("hana", c.OpenDebrief(loop="a4")).result(20)
    assert words_of(beside, ada) == ["Nobody a4", "a4@x.y"]
    hall.ask("paul", erasing("candidate-of-a4")).result(20)
    assert words_of(beside, ada) == [ERASED, ERASED]
    with pytest.raises(Missing):
        beside.ask("hana", c.OpenDebrief(loop="a4")).result(20)
    with pytest.raises(RefusedByRule):
        beside.ask("hana", c.ReportWithdrawal(loop=ada.loop, code="x", reason="So.")).result(20)
    with beside.ledger.reading() as group:
        names = group.store.aliases.names(group.cur, [ada.candidate, ada.loop])
    assert names == {ada.candidate: None, ada.loop: None}


# ------------------------------------------------------------------------- bytes in the file


def key_of(owner: Cursor[TupleRow], subject: str) -> bytes:
    """A person's wrapped key."""
    owner.execute("select wrapped from subject_keys where subject = %s", [subject])
    return cast("bytes", owner.fetchall()[0][0])


def file_of_keys(server: Embedded, database: Database) -> bytes:
    """The file in which the table of keys lies now, page by page as it is on disk."""
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute("checkpoint")
        table = f"{database.schema}.subject_keys"
        return cast(
            "bytes",
            connection.execute(
                "select pg_read_binary_file(pg_relation_filepath(%s::regclass))", [table]
            ).fetchall()[0][0],
        )


def not_now(_: Database) -> bool:
    """A vacuum that somebody else is to do."""
    return True


def clean(database: Database) -> None:
    """What tests before this one left is vacuumed, and nobody is at it any more."""
    while not erase.tried(database):
        time.sleep(0.02)
    for thread in threading.enumerate():
        if thread.name == "hireledger-vacuum":
            thread.join(60)


def pending(hall: Hall) -> int | None:
    """The latest erasure since which the keys were not written anew."""
    with hall.ledger.reading() as group:
        return group.store.erasures.pending(group.cur)


def test_only_a_full_vacuum_takes_the_key_out_of_its_file(
    server: Embedded,
    database: Database,
    hall: Hall,
    owner: Cursor[TupleRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A deleted row stays where it was; the usual vacuum only gives its place away."""
    clean(database)
    monkeypatch.setattr(erase, "tried", not_now)
    # The organisation's own key first, so that the person's is the last in its page.
    hold = c.PlaceHold(matter="A matter", requisitions=("r-1",))
    (placed,) = hall.ask("paul", hold).result(20).recorded
    over = cast("f.HoldPlaced", placed.fact).hold
    hall.ask("paul", c.ReleaseHold(hold=over, reason="Settled")).result(20)
    bo, ada = (hall.open_loop(slug, "r-1") for slug in ("b5", "a5"))
    gone, stays = key_of(owner, ada.candidate), key_of(owner, bo.candidate)
    hall.ask("paul", erasing("candidate-of-a5")).result(20)
    assert gone in file_of_keys(server, database)
    owner.execute("vacuum subject_keys")
    assert gone in file_of_keys(server, database)
    assert pending(hall) == hall.head()
    until(lambda: erase.vacuum_keys(database))  # others on this server have transactions too
    left = file_of_keys(server, database)
    assert gone not in left
    assert stays in left
    assert pending(hall) is None
    assert words_of(hall, bo) == ["Nobody b5", "b5@x.y"]


def test_the_key_leaves_its_file_by_itself(
    server: Embedded, database: Database, hall: Hall, owner: Cursor[TupleRow]
) -> None:
    """Soon after the erasure, without anybody asking."""
    ada = hall.open_loop("a6", "r-1")
    gone = key_of(owner, ada.candidate)
    hall.ask("paul", erasing("candidate-of-a6")).result(20)
    wait_until_vacuumed(hall)
    assert gone not in file_of_keys(server, database)


def wait_until_vacuumed(hall: Hall) -> None:
    """Until nothing is left to vacuum."""
    deadline = time.monotonic() + 30
    while pending(hall) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_row_that_somebody_still_sees_is_not_called_gone(
    server: Embedded,
    database: Database,
    hall: Hall,
    owner: Cursor[TupleRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An old snapshot keeps the deleted row: the vacuum says so, and is done again later."""
    clean(database)
    monkeypatch.setattr(erase, "tried", not_now)
    ada = hall.open_loop("a7", "r-1")
    gone = key_of(owner, ada.candidate)
    with database.connect("runtime") as old:
        old.execute("set transaction isolation level repeatable read")
        old.execute("select 1")
        hall.ask("paul", erasing("candidate-of-a7")).result(20)
        assert not erase.vacuum_keys(database)
        assert pending(hall) is not None
        assert gone in file_of_keys(server, database)
    until(lambda: erase.vacuum_keys(database))  # others on this server have transactions too
    assert gone not in file_of_keys(server, database)


def test_a_command_waits_a_moment_for_who_still_sees_a_row(
    database: Database, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever erases by command is told that it is done, not that a reader was just there."""
    clean(database)
    monkeypatch.setattr(erase, "tried", not_now)
    monkeypatch.setattr(erase, "PATIENCE_SECONDS", 60.0)
    hall.open_loop("a9", "r-1")
    with database.connect("runtime") as old:
        old.execute("set transaction isolation level repeatable read")
        old.execute("select 1")
        hall.ask("paul", erasing("candidate-of-a9")).result(20)
        reading = threading.Timer(0.5, old.rollback)
        reading.start()
        assert erase.vacuumed_soon(erase.vacuum_keys, database)
        reading.join()
    monkeypatch.setattr(erase, "PATIENCE_SECONDS", 0.0)
    assert not erase.vacuumed_soon(lambda _: False, database)


@pytest.mark.parametrize("table", ["subject_keys", "aliases"])
def test_a_vacuum_that_was_in_the_way_of_somebody_is_tried_again(
    database: Database, hall: Hall, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """Who holds the table is waited for a moment, not for ever, and the erasure stands."""
    clean(database)
    monkeypatch.setattr(erase, "LOCK_WAIT", "50ms")
    monkeypatch.setattr(erase, "RETRY_SECONDS", (0.05,))
    hall.open_loop(f"a8-{table[0]}", "r-1")
    with database.connect("runtime") as reader:
        reader.execute(f"select 1 from {table}".encode())
        hall.ask("paul", erasing(f"candidate-of-a8-{table[0]}")).result(20)
        time.sleep(0.2)
        assert pending(hall) is not None
    wait_until_vacuumed(hall)


def test_what_one_process_left_undone_the_next_start_does(
    database: Database, hall: Hall, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ended before the vacuum, or had no owner's login, leaves a mark."""
    clean(database)
    with monkeypatch.context() as patch:
        patch.setattr(erase, "tried", not_now)
        hall.open_loop("a9", "r-1")
        hall.ask("paul", erasing("candidate-of-a9")).result(20)
        assert pending(hall) is not None
    with open_ledger(database, directory):
        wait_until_vacuumed(hall)


def test_on_a_server_of_others_only_our_own_tables_are_rewritten(
    server: Embedded, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statistics there are those of others too: nobody's planning is to wait for us."""
    tables = (f"{database.schema}.subject_keys", f"{database.schema}.aliases", "pg_statistic")
    asked = "select pg_relation_filenode(name::regclass) from unnest(%s::text[]) as name"

    def rewritten() -> list[bool]:
        with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
            before = connection.execute(asked, [list(tables)]).fetchall()
            while not erase.vacuum_now(database):
                time.sleep(0.02)
            after = connection.execute(asked, [list(tables)]).fetchall()
        return [one != other for one, other in zip(before, after, strict=True)]

    assert rewritten() == [True, True, True]
    monkeypatch.setattr(Database, "ours", False)
    assert rewritten() == [True, True, False]


def test_a_table_that_the_owner_may_not_rewrite_is_not_called_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL only warns, and leaves the table as it is."""
    monkeypatch.setattr(erase, "_VACUUM", ("vacuum (full, verbose) pg_catalog.pg_authid",))
    assert not erase.vacuum_now(database)
