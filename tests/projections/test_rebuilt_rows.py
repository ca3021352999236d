"""Rows are what follows from the facts, however these came: followed, or built anew."""

import shutil
from collections.abc import Generator
from pathlib import Path
from random import Random

import pytest

from domain.decide.entitled import interviewers_of
from domain.summary import decision_of, stage_of
from followed import TALLY, append, catch_up, dump, tally_of
from ledger.database import Database
from ledger.embedded.binaries import NoServerPrograms, find_binaries
from ledger.embedded.server import Embedded
from loop_walk import Walk
from projections import (
    ALL,
    LOOPS,
    Built,
    Site,
    UnknownProjection,
    rebuild,
)
from projections._projection import BESIDE
from projections.follower import Follower
from projections.loop_list import Sees, Wanted, list_loops
from projections.loops import LoopRow

DEBIAN = Path("/usr/lib/postgresql/15/bin")
EVERYTHING = Sees(everything=True)


def rows_in(database: Database) -> dict[str, LoopRow]:
    """Every loop's row, by handle."""
    with database.connect("runtime") as connection, connection.cursor() as cur:
        page = list_loops(cur, Site.of(database), Wanted(), EVERYTHING)
    return {row.loop: row for row in page.rows}


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_followed_rows_and_rebuilt_rows_are_equal_byte_by_byte(
    database: Database, seed: int
) -> None:
    """A log that grows in pieces of any size gives the rows that a rebuild gives."""
    walk, chance = Walk(seed), Random(seed)
    with Follower(database, (TALLY, LOOPS)):
        for _ in range(12):
            append(database, walk.take(chance.randrange(1, 40)), at_a_time=chance.randrange(1, 20))
        catch_up(database, TALLY, LOOPS)
    followed = dump(database)
    told, truth = tally_of(database)
    assert told == truth
    assert rebuild(database) == (Built("loops", LOOPS.version, walk.head),)
    assert dump(database) == followed
    assert len(followed) > 500


@pytest.mark.parametrize("seed", [5, 6])
def test_a_row_says_of_a_loop_what_its_facts_say(database: Database, seed: int) -> None:
    """Stage, gate, decision, debts and interviewers are those of the state that decides."""
    walk = Walk(seed)
    append(database, walk.take(700))
    rebuild(database)
    rows = rows_in(database)
    assert rows.keys() == walk.loops.keys()
    for handle, row in rows.items():
        loop = walk.loops[handle]
        gate, decision, closed = loop.gate, decision_of(loop), loop.closed
        assert row.stage == stage_of(loop)
        assert (row.gate, row.gate_stale) == (gate.position if gate else None, loop.gate_stale)
        assert row.decision_position == (decision.position if decision else None)
        assert row.decision == (decision.fact.decision if decision else None)
        assert row.disposition == (closed.fact.disposition if closed else None)
        assert tuple(zip(row.owed_sessions, row.owed_by, strict=True)) == loop.owes()
        assert set(row.interviewers) == interviewers_of(loop)
        assert row.opened_at == loop.opened.fact.stamp.at
        assert row.last_at >= row.opened_at
        assert row.decide_by == (loop.notices[-1].fact.decide_by if loop.notices else None)


def test_reading_and_refusals_leave_a_row_as_it_was(database: Database) -> None:
    """The position and time of the last change are those of facts that decisions rest on."""
    walk = Walk(11)
    append(database, walk.take(700))
    rebuild(database)
    silent = 0
    for handle, row in rows_in(database).items():
        loop = walk.loops[handle]
        aside = {one.position for one in loop.views}
        aside |= {one.position for one in loop.gate_refusals}
        aside |= {one.position for one in loop.stage_refusals}
        aside |= {one.position for one in loop.decision_refusals}
        assert row.position == max(set(loop.positions) - aside)
        silent += loop.positions[-1] in aside
    assert silent


def test_the_table_has_the_columns_of_a_row_in_their_order(database: Database) -> None:
    """What is written by position is read by position."""
    rebuild(database)
    query = (
        "select column_name from information_schema.columns"
        " where table_schema = %s and table_name = 'loops' order by ordinal_position"
    )
    with database.connect("runtime") as connection:
        columns = connection.execute(query, [database.views]).fetchall()
    assert tuple(name for (name,) in columns) == LoopRow._fields


def test_a_rebuild_of_one_projection_leaves_the_others_alone(database: Database) -> None:
    """Only what was named is built, and a name that is none is refused with those there are."""
    append(database, Walk(1).take(50))
    both = (TALLY, LOOPS)
    assert [one.projection for one in rebuild(database, projections=both)] == ["tally", "loops"]
    before = dump(database, TALLY)
    append(database, [])
    assert [one.projection for one in rebuild(database, "loops", projections=both)] == ["loops"]
    assert dump(database, TALLY) == before
    with pytest.raises(UnknownProjection, match=r"There are: loops\."):
        rebuild(database, "nothing")


def test_an_empty_log_gives_empty_rows(database: Database) -> None:
    """The first build does not wait for a fact."""
    assert rebuild(database) == tuple(Built(one.name, one.version, 0) for one in ALL)
    assert rows_in(database) == {}


def test_nothing_stays_beside_the_live_tables(database: Database) -> None:
    """However often it is built, a projection leaves its tables and the table of positions."""
    append(database, Walk(1).take(50))
    for _ in range(3):
        rebuild(database)
    query = "select tablename from pg_tables where schemaname = %s"
    with database.connect("runtime") as connection:
        tables = {name for (name,) in connection.execute(query, [database.views])}
    assert tables == {"followed", *LOOPS.tables}
    assert not any(name.endswith(BESIDE) for name in tables)


def test_a_store_of_ones_own_is_followed_and_read_too(server: Embedded) -> None:
    """With roles to step down to in place of logins, the same grants hold."""
    database = Database.external(server.superuser_url(), schema="t_projections_external")
    database.prepare()
    walk = Walk(1)
    append(database, walk.take(60))
    with Follower(database, [LOOPS]):
        catch_up(database)
    assert rows_in(database).keys() == walk.loops.keys()


@pytest.fixture(scope="module")
def debian_server(passable_dir: Path) -> Generator[Embedded]:
    """The second supported server, where it is installed."""
    try:
        programs = find_binaries(DEBIAN, 15).directory
    except NoServerPrograms:
        pytest.skip("PostgreSQL 15 is not installed: apt-get install postgresql-15")
    data = passable_dir / "projections-15"
    with Embedded.start(data, binaries=programs, settings={"fsync": "off"}, watch=False) as running:
        yield running
    shutil.rmtree(data, ignore_errors=True)


@pytest.mark.usefixtures("small_batches")
def test_debians_server_follows_and_rebuilds_the_same_rows(debian_server: Embedded) -> None:
    """Nothing here needs more than PostgreSQL 15 has."""
    database = Database.embedded(debian_server)
    database.prepare()
    append(database, Walk(1).take(200))
    with Follower(database, (TALLY, LOOPS)):
        catch_up(database, TALLY, LOOPS)
        followed = dump(database)
        rebuild(database, projections=(TALLY, LOOPS))
        told, truth = tally_of(database)
        assert (dump(database), told) == (followed, truth)
