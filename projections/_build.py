"""Building a projection beside its live tables, and putting it in their place.

Reads go on meanwhile: of the old tables until the swap commits, of the new ones from then on. A
crash at any point leaves the live tables as they were, and at most tables `..._beside` that the
next build removes.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, NamedTuple

import psycopg
import structlog
from psycopg import sql

from ledger.database import Connection, Database
from ledger.log import Log, Row
from projections import _positions as positions
from projections._projection import Projection, Site, Stopped

BUILD_FACTS: Final = 10000
"""Facts a transaction: the larger, the less often a loop is folded anew."""

SWAP_WAIT_MS_MAX: Final = 200
"""How long a swap waits for readers: as long as that, new readers queue up behind it."""

FOLLOWER_WAIT_MS_MAX: Final = 10_000
SWAP_PAUSE_SECONDS: Final = 1.0
LOCK_POLL_SECONDS: Final = 0.1

_log = structlog.get_logger()


class Built(NamedTuple):
    """What a build came to: the facts up to `position` are in the tables that are now live."""

    projection: str
    version: int
    position: int


def build(
    database: Database,
    projection: Projection,
    *,
    stopping: threading.Event | None = None,
    unless_current: bool = False,
) -> Built | None:
    """Build a projection from the first fact on and swap it in.

    Works while a follower runs, while the log grows and while readers read; of several builds of
    one projection one runs at a time.

    Args:
        database: the ledger's.
        projection: what to build.
        stopping: gives up soon after it is set.
        unless_current: do nothing, and return None, where this version is live by now.

    Raises:
        Stopped: `stopping` was set.
        psycopg.OperationalError: the store is away.
    """
    work = _Build(database, projection, stopping or threading.Event())
    with database.connect("projector", autocommit=True) as connection:
        # What is lost with the store's last commits is lost whole, and built or followed again.
        connection.execute("set synchronous_commit = off")
        positions.make_table(connection, work.live)
        with work.alone(connection):
            if unless_current and work.is_current(connection):
                return None
            return work.run(connection)


class _Build:
    """One build, from the dropping of what an earlier one left to the swap."""

    def __init__(
        self, database: Database, projection: Projection, stopping: threading.Event
    ) -> None:
        self.live = Site.of(database)
        self.beside = Site.of(database, beside=True)
        self._log = Log(database.schema)
        self._projection = projection
        self._stopping = stopping

    @contextmanager
    def alone(self, connection: Connection) -> Generator[None]:
        """Of several builds of one projection, one at a time; a crash gives the place free."""
        key = f"hireledger:build:{self.live.views}:{self._projection.name}"
        ask = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
        while connection.execute(ask, [key]).fetchone() != (True,):
            self._pause(LOCK_POLL_SECONDS)
        try:
            yield
        finally:
            if not connection.closed:
                connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", [key])

    def is_current(self, connection: Connection) -> bool:
        """Whether this version's tables are live."""
        with connection.transaction(), connection.cursor() as cur:
            stand = positions.lock(cur, self.live, self._projection)
        return stand is not None and stand.version == self._projection.version

    def run(self, connection: Connection) -> Built:
        """Make, fill, swap."""
        self._make(connection)
        # The new tables are there and empty; nobody reads them.
        position = 0
        while True:
            position = self._fill(connection, position)
            self._analyze(connection)
            # They hold the facts up to `position`, committed. A crash here loses only the work.
            swapped = self._swap(connection, position)
            if swapped is not None:
                return swapped
            # Readers did not make room in time. The old tables are live and untouched.
            _log.info("swap-waits", projection=self._projection.name, position=position)
            self._pause(SWAP_PAUSE_SECONDS)

    def _make(self, connection: Connection) -> None:
        with connection.transaction():
            for name in self._projection.tables:
                drop = sql.SQL("drop table if exists {} cascade")
                connection.execute(drop.format(self.beside.table(name)))
            for ddl in self._projection.tables.values():
                connection.execute(self.beside.text(ddl))

    def _fill(self, connection: Connection, position: int) -> int:
        """Apply facts until fewer than a batch are left; the position reached."""
        while True:
            if self._stopping.is_set():
                raise Stopped("the build was given up because the process is stopping")
            with connection.transaction(), connection.cursor() as cur:
                pages = self._log.stream(connection, after=position, batch=BUILD_FACTS)
                rows = next(pages, list[Row]())
                self._projection.take(cur, rows, self.beside)
            position += len(rows)
            if len(rows) < BUILD_FACTS:
                return position

    def _analyze(self, connection: Connection) -> None:
        for name in self._projection.tables:
            connection.execute(sql.SQL("analyze {}").format(self.beside.table(name)))

    def _swap(self, connection: Connection, position: int) -> Built | None:
        """Put the new tables in the place of the old ones; None where readers are in the way."""
        projection = self._projection
        try:
            with connection.transaction(), connection.cursor() as cur:
                _wait_at_most(cur, FOLLOWER_WAIT_MS_MAX)
                stand = positions.lock(cur, self.live, projection)
                # From here on the follower waits for us, so the live position stands still.
                behind = stand.position if stand is not None else 0
                if behind > position:
                    pages = self._log.stream(
                        connection, after=position, upto=behind, batch=BUILD_FACTS
                    )
                    for rows in pages:
                        projection.take(cur, rows, self.beside)
                    position = behind
                # The new tables are as far as the old ones or further: no reader goes back.
                _wait_at_most(cur, SWAP_WAIT_MS_MAX)
                old = stand.tables if stand is not None else ()
                for name in sorted({*old, *projection.tables}):
                    cur.execute(sql.SQL("drop table if exists {}").format(self.live.table(name)))
                for name in projection.tables:
                    rename = sql.SQL("alter table {} rename to {}")
                    cur.execute(rename.format(self.beside.table(name), sql.Identifier(name)))
                positions.put(cur, self.live, projection, position)
        except psycopg.errors.LockNotAvailable:
            return None
        # Committed: whoever reads from now on, also who waited, reads the new tables. The follower
        # goes on from their position, with their version.
        return Built(projection.name, projection.version, position)

    def _pause(self, seconds: float) -> None:
        if self._stopping.wait(seconds):
            raise Stopped("the build was given up because the process is stopping")


def _wait_at_most(cur: psycopg.Cursor[tuple[object, ...]], ms: int) -> None:
    cur.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(ms)))
