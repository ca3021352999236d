"""Rebuilding while it is read, followed and written to: no read fails, goes back or sees half."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from followed import append, catch_up, dump, lag_of, wait_until
from ledger.database import Database
from loop_walk import Walk
from projections import LOOPS, Lag, Site, rebuild
from projections.follower import Follower
from projections.loop_list import LoopPage, Sees, Wanted, list_loops

pytestmark = pytest.mark.usefixtures("small_batches")

READERS = 2
REBUILDS = 4


class Reading(threading.Thread):
    """Someone who reads the whole list again and again, on one connection, and keeps every page."""

    def __init__(self, database: Database, done: threading.Event) -> None:
        super().__init__()
        self._database = database
        self._done = done
        self.pages: list[LoopPage] = []
        self.failed: list[Exception] = []

    def wait_for_more(self) -> None:
        """Wait until there is another page than those so far."""
        before = len(self.pages)
        wait_until(lambda: len(self.pages) > before or bool(self.failed))

    def run(self) -> None:
        """Read until told to stop."""
        try:
            with self._database.connect("runtime", autocommit=True) as connection:
                while not self._done.is_set():
                    with connection.cursor() as cur:
                        site = Site.of(self._database)
                        page = list_loops(cur, site, Wanted(), Sees(everything=True))
                    self.pages.append(page)
        except Exception as error:  # noqa: BLE001  (the test asks for any)
            self.failed.append(error)


@contextmanager
def readers(database: Database) -> Generator[list[Reading]]:
    """Several who read while the block runs."""
    done = threading.Event()
    those = [Reading(database, done) for _ in range(READERS)]
    for one in those:
        one.start()
    try:
        yield those
    finally:
        done.set()
        for one in those:
            one.join()


def test_no_read_fails_or_sees_half_of_a_rebuild(database: Database) -> None:
    """Every answer holds exactly the loops opened up to the position that it states."""
    walk = Walk(21, loops=30)
    append(database, walk.take(150))
    rebuild(database)
    with Follower(database, [LOOPS]), readers(database) as those:
        for _ in range(REBUILDS):
            append(database, walk.take(25), at_a_time=5)
            rebuild(database)
            for one in those:
                one.wait_for_more()
        catch_up(database)
    opened = sorted(loop.opened.position for loop in walk.loops.values())
    for one in those:
        assert one.failed == []
        positions = [page.position for page in one.pages]
        assert positions == sorted(positions), "a read went back behind an earlier one"
        for page in one.pages:
            told = [row.opened for row in page.rows]
            assert told == [position for position in opened if position <= page.position]
            assert all(row.position <= page.position for row in page.rows)
    assert len({page.position for one in those for page in one.pages}) > REBUILDS
    followed = dump(database)
    rebuild(database)
    assert dump(database) == followed


def test_new_tables_are_never_behind_the_old_ones(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was followed while the new tables were filled is in them before they are swapped in."""
    walk = Walk(24)
    append(database, walk.take(150))
    rebuild(database)

    def meanwhile(*_: object) -> None:
        append(database, walk.take(30))
        catch_up(database)

    monkeypatch.setattr("projections._build._Build._analyze", meanwhile)
    with Follower(database, [LOOPS]):
        (built,) = rebuild(database)
        assert built.position == walk.head
        assert lag_of(database) == Lag("loops", walk.head, 0, 0.0)
    swapped = dump(database)
    monkeypatch.undo()
    rebuild(database)
    assert dump(database) == swapped


def test_a_long_read_delays_the_swap_and_not_the_other_reads(database: Database) -> None:
    """Who keeps a read open, such as a backup, holds up a rebuild; nobody else waits for either."""
    walk = Walk(22)
    append(database, walk.take(100))
    rebuild(database)
    append(database, walk.take(50))
    site = Site.of(database)
    with database.connect("runtime") as long, readers(database) as those:
        long.execute(site.text("select count(*) from {loops}"))
        builder = threading.Thread(target=rebuild, args=[database])
        builder.start()
        builder.join(1.5)
        answered = [len(one.pages) for one in those]
        builder.join(1.5)
        assert builder.is_alive(), "the tables were swapped under a read"
        # Behind the swap that waits for the long read, everybody still gets answers.
        assert all(len(one.pages) > had for one, had in zip(those, answered, strict=True))
        assert {page.position for one in those for page in one.pages} == {100}
        long.rollback()
        builder.join(30)
        assert not builder.is_alive()
    assert [one.failed for one in those] == [[]] * READERS


def test_a_rebuild_needs_no_follower_and_may_run_twice_at_once(database: Database) -> None:
    """Two at a time take turns, and a log that nobody follows is built to its end."""
    walk = Walk(23)
    head = append(database, walk.take(150))
    both = [threading.Thread(target=rebuild, args=[database]) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    with database.connect("runtime") as connection, connection.cursor() as cur:
        page = list_loops(cur, Site.of(database), Wanted(), Sees(everything=True))
    assert (page.position, len(page.rows)) == (head, len(walk.loops))
