"""The follower when something fails at each of its steps: nothing is lost, nothing counts twice."""

import dataclasses
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from psycopg import Cursor
from psycopg.rows import TupleRow

from api import telemetry
from followed import TALLY, append, catch_up, count, dump, lag_of, tally_of, wait_until
from ledger.database import Database
from ledger.log import Row
from loop_walk import Walk
from projections import LOOPS, Projection, Site, _build, rebuild
from projections.follower import Follower

pytestmark = pytest.mark.usefixtures("small_batches")


class Trouble:
    """An `apply` that does its work and then raises, as often as it is told to."""

    def __init__(self, error: type[Exception], times: int) -> None:
        self.error = error
        self.times = times

    def __call__(self, cur: Cursor[TupleRow], batch: Sequence[Row], site: Site) -> None:
        """Add to the tally; then perhaps raise."""
        count(cur, batch, site)
        if self.times > 0:
            self.times -= 1
            raise self.error("on purpose")


def troubled(trouble: Trouble) -> Projection:
    """The tally, with trouble."""
    return dataclasses.replace(TALLY, apply=trouble)


def test_rows_of_a_batch_that_failed_are_not_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and position go together: what raised after writing is applied once, later."""
    monkeypatch.setattr("projections.follower.REST_SECONDS_MAX", 0.2)
    walk, trouble = Walk(1), Trouble(ValueError, 0)
    append(database, walk.take(30))
    with Follower(database, [troubled(trouble)]):
        catch_up(database, TALLY)
        trouble.times = 2
        append(database, walk.take(30))
        catch_up(database, TALLY)
    told, truth = tally_of(database)
    assert told == truth
    assert trouble.times == 0


def test_a_projection_that_fails_does_not_hold_up_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others follow on, its lag shows, and it goes on by itself once it is well."""
    monkeypatch.setattr("projections.follower.REST_SECONDS_MAX", 0.2)
    walk, trouble = Walk(2), Trouble(ValueError, 0)
    append(database, walk.take(30))
    with Follower(database, [troubled(trouble), LOOPS]) as follower:
        catch_up(database, TALLY, LOOPS)
        trouble.times = 1000
        append(database, walk.take(60))
        catch_up(database, LOOPS)
        assert lag_of(database, TALLY).facts > 0
        assert follower.state == "following"
        trouble.times = 0
        catch_up(database, TALLY)
    told, truth = tally_of(database)
    assert told == truth


def test_a_build_that_fails_leaves_the_live_tables_and_is_tried_again(database: Database) -> None:
    """Whatever a broken build left beside the live tables is in nobody's way."""
    append(database, Walk(3).take(200))
    rebuild(database, projections=[TALLY])
    before = dump(database, TALLY)
    with pytest.raises(ValueError, match="on purpose"):
        rebuild(database, projections=[troubled(Trouble(ValueError, 1))])
    assert dump(database, TALLY) == before
    rebuild(database, projections=[TALLY])
    assert dump(database, TALLY) == before


def test_of_two_followers_one_follows_and_the_other_takes_over(database: Database) -> None:
    """While the first lives the second does nothing; when it goes the second goes on from there."""
    walk = Walk(4)
    first, second = Follower(database, [TALLY]), Follower(database, [TALLY])
    first.start()
    wait_until(lambda: first.state == "following")
    second.start()
    wait_until(lambda: second.state == "standing_by")
    append(database, walk.take(60))
    catch_up(database, TALLY)
    assert (first.state, second.state) == ("following", "standing_by")
    first.stop()
    assert wait_until(lambda: second.state == "following") < 5
    append(database, walk.take(60))
    catch_up(database, TALLY)
    second.stop()
    assert (first.state, second.state) == ("stopped", "stopped")
    told, truth = tally_of(database)
    assert told == truth


def test_another_version_is_built_beside_and_swapped_in_by_itself(database: Database) -> None:
    """A follower whose code differs from the tables' builds them; tables of old are gone then."""
    old = dataclasses.replace(
        TALLY, tables={**TALLY.tables, "tally_more": "create table {tally_more} (n integer)"}
    )
    append(database, Walk(5).take(80))
    rebuild(database, projections=[old])
    new = dataclasses.replace(
        TALLY,
        version=2,
        tables={"tally": TALLY.tables["tally"] + "; comment on table {tally} is 'of version 2'"},
    )
    with Follower(database, [new]):
        wait_until(lambda: _stored_version(database) == 2)
        catch_up(database, TALLY)
    told, truth = tally_of(database)
    assert told == truth
    with database.connect("runtime") as connection:
        tables = connection.execute(
            "select tablename, obj_description(to_regclass(schemaname || '.' || tablename))"
            " from pg_tables where schemaname = %s order by 1",
            [database.views],
        ).fetchall()
    assert tables == [("followed", None), ("tally", "of version 2")]


def test_a_stop_ends_a_build_too(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is to end does not finish a build first; nothing of it is live."""
    append(database, Walk(6).take(300))
    seen: list[int] = []
    follower = Follower(database, [TALLY])

    def slow(cur: Cursor[TupleRow], batch: Sequence[Row], site: Site) -> None:
        count(cur, batch, site)
        seen.append(len(batch))
        follower._stopping.set()  # pyright: ignore[reportPrivateUsage]

    monkeypatch.setattr(follower, "_projections", (dataclasses.replace(TALLY, apply=slow),))
    follower.start()
    wait_until(lambda: follower.state == "stopped")
    assert len(seen) == 1
    assert lag_of(database, TALLY).position == 0
    assert _build.BUILD_FACTS < 300


def test_a_follower_makes_no_spans(database: Database) -> None:
    """Where traces are collected, looking for facts ten times a second does not fill them."""
    append(database, Walk(7).take(30))
    kept = InMemorySpanExporter()
    telemetry.configure(None, exporter=kept)
    try:
        with Follower(database, [LOOPS]):
            catch_up(database)
        kept.clear()
        with Follower(database, [LOOPS]) as follower:
            assert follower.settled(10)
        assert kept.get_finished_spans() == ()
        with database.connect("runtime") as connection:
            connection.execute("select 1")
        assert len(kept.get_finished_spans()) == 1
    finally:
        telemetry.close()
        telemetry.configure(None)


def _stored_version(database: Database) -> int:
    with database.connect("runtime") as connection:
        query = Site.of(database).text("select version from {followed} where projection = 'tally'")
        row = connection.execute(query).fetchone()
    return row[0] if row else 0
