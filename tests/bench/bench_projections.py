"""How fast read models follow and are rebuilt, on a log of loops that run beside each other."""

from collections.abc import Iterator
from itertools import islice
from random import Random
from time import perf_counter

from domain.facts import LoopOpened, RecordImported, RequisitionChanged
from followed import catch_up
from ledger.database import Database
from ledger.log import Log, NewRow
from loop_walk import Walk, rows_of
from projections import ALL, Site, rebuild
from projections.follower import Follower
from story import NOW

FACTS = 100_000
IMPORTED = 50_000
RUNNING = 300
FACTS_OF_A_LOOP_MAX = 30


def _season(seed: int) -> Iterator[NewRow]:
    """First the rubric; then loops as a walk made them, under new handles, interleaved for ever."""
    chance, walk = Random(seed), Walk(seed)
    stories: dict[str, list[NewRow]] = {}
    facts = walk.take(1500)
    for fact, row in zip(facts, rows_of(facts), strict=True):
        loop = str(getattr(fact, "loop", ""))
        if isinstance(fact, LoopOpened) or loop in stories:
            stories.setdefault(loop, []).append(row)
        elif not isinstance(fact, RecordImported | RequisitionChanged):
            yield row._replace(recorded=NOW)
    running: list[Iterator[NewRow]] = []
    while True:
        while len(running) < RUNNING:
            story = chance.choice(list(stories))
            running.append(_again(story, stories[story], walk.new_handle("l")))
        one = chance.choice(running)
        following = next(one, None)
        if following is None:
            running.remove(one)
        else:
            yield following


def _again(old: str, rows: list[NewRow], new: str) -> Iterator[NewRow]:
    for row in rows[:FACTS_OF_A_LOOP_MAX]:
        tags = tuple(tag.replace(old, new) for tag in row.tags)
        leaf = row.leaf.replace(old.encode(), new.encode())
        yield row._replace(tags=tags, leaf=leaf, recorded=NOW)


def _record(database: Database, rows: Iterator[NewRow]) -> None:
    log = Log(database.schema)
    with database.connect("runtime") as connection, connection.cursor() as cur:
        while some := list(islice(rows, 500)):
            log.lock(cur)
            log.insert(cur, some)
            connection.commit()


def _told(what: str, facts: int, begun: float) -> None:
    seconds = perf_counter() - begun
    print(f"\n{what}: {facts} facts in {seconds:.1f} s, {facts / seconds:.0f} a second")


def test_read_models_are_rebuilt_and_followed(database: Database) -> None:
    """A rebuild of a whole log, and a follower that has all of it to catch up with."""
    _record(database, islice(_season(1), FACTS))
    begun = perf_counter()
    rebuild(database)
    _told("rebuilt", FACTS, begun)
    with database.connect("projector") as connection:
        site = Site.of(database)
        connection.execute(site.text("truncate {loops}, {loop_teams}"))
        connection.execute(site.text("update {followed} set position = 0"))
    begun = perf_counter()
    with Follower(database, ALL):
        catch_up(database, seconds=300)
    _told("followed", FACTS, begun)


def test_imported_records_are_followed_as_fast_as_they_are_written(database: Database) -> None:
    """What matters to no read model costs little more than reading it."""
    walk = Walk(2)
    imported = next(one for one in walk.take(500) if isinstance(one, RecordImported))
    (row,) = rows_of([imported])
    many = (_again(imported.case, [row], walk.new_handle("l")) for _ in range(IMPORTED))
    with Follower(database, ALL):
        begun = perf_counter()
        _record(database, (one for each in many for one in each))
        _told("imported", IMPORTED, begun)
        catch_up(database)
        _told("imported and followed", IMPORTED, begun)
