"""The life of a decision, step 8: one thread, the follower, keeps every projection up with the log.

It takes facts by position, a batch at a time; the rows they make and the position they reach are
committed together. So a batch is in the tables wholly or not at all, and no crash applies it twice.

Of all processes on a ledger one follows: whoever holds an advisory lock. The others stand by with a
connection, and one of them goes on when the store sees that the first one's session has ended.
"""

import secrets
import threading
from collections.abc import Sequence
from time import monotonic
from typing import Final, Literal, Self

import psycopg
import structlog
from opentelemetry import context, trace

from ledger.database import Connection, Database
from ledger.log import Log, Row
from projections import _positions as positions
from projections._build import build
from projections._projection import Projection, Site, Stopped

BATCH_FACTS: Final = 2000
"""At most, a transaction."""

POLL_SECONDS: Final = 0.1
"""How long it listens before it looks by itself; also how soon it hears that it shall stop."""

GATHER_SECONDS: Final = 0.05
"""After a batch that was not full, so that many small commits become one batch."""

STAND_BY_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 0.25
REST_SECONDS_MAX: Final = 30.0

# The store is away; or somebody dropped our tables, and a new session makes them again.
_BEGIN_AGAIN: Final = (psycopg.OperationalError, psycopg.errors.UndefinedTable)

State = Literal["starting", "standing_by", "following", "away", "stopped"]

_log = structlog.get_logger()


class Follower:
    """One per process; start it, and stop it before the database goes."""

    def __init__(self, database: Database, projections: Sequence[Projection]) -> None:
        self._database = database
        self._projections = tuple(projections)
        self._site = Site.of(database)
        self._facts = Log(database.schema)
        self._stopping = threading.Event()
        self._rests: dict[str, _Rest] = {}
        self._settled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hireledger-follower", daemon=True)
        self.state: State = "starting"

    def start(self) -> None:
        """Begin to follow; returns at once, also while the store is away."""
        self._thread.start()

    def settled(self, seconds: float) -> bool:
        """Whether, within so long, the read models had been seen to once, by us or another."""
        return self._settled.wait(seconds)

    def stop(self) -> None:
        """Finish the batch at hand, and let another process follow."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        context.attach(_untraced())
        while not self._stopping.is_set():
            try:
                with self._database.connect("projector", autocommit=True) as connection:
                    self._serve(connection)
            except Exception as error:  # noqa: BLE001  (whatever it was, it must not end this)
                if self.state != "away":
                    _log.warning("follower-lost-the-store", error=type(error).__name__)
                self.state = "away"
                self._stopping.wait(RETRY_SECONDS)
        self.state = "stopped"

    def _serve(self, connection: Connection) -> None:
        """Follow on this connection until it breaks or we stop."""
        positions.make_table(connection, self._site)
        # The lock lives as long as the session in which all batches are committed: whoever has lost
        # it can commit nothing any more.
        key = f"hireledger:follow:{self._site.views}"
        ask = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
        while connection.execute(ask, [key]).fetchone() != (True,):
            self.state = "standing_by"
            self._settled.set()
            if self._stopping.wait(STAND_BY_SECONDS):
                return
        # Rows and position of the last moments before the store's crash may be lost, together; they
        # are followed again. In return nobody waits for a flush.
        connection.execute("set synchronous_commit = off")
        self.state = "following"
        _log.info("follower-follows", schema=self._site.views)
        while not self._stopping.is_set():
            self._round(connection)

    def _round(self, connection: Connection) -> None:
        """Every projection by at most one batch; then wait as long as makes sense."""
        reached = [self._advance(connection, one) for one in self._projections if self._ready(one)]
        self._settled.set()
        if not reached:
            self._stopping.wait(POLL_SECONDS)
        elif all(facts == 0 for facts, _ in reached):
            lowest = min(position for _, position in reached)
            self._facts.wait(connection, lowest, POLL_SECONDS)
        elif all(facts < BATCH_FACTS for facts, _ in reached):
            self._stopping.wait(GATHER_SECONDS)

    def _ready(self, projection: Projection) -> bool:
        rest = self._rests.get(projection.name)
        return rest is None or monotonic() >= rest.until

    def _advance(self, connection: Connection, projection: Projection) -> tuple[int, int]:
        """One batch; how many facts it had, and the position reached.

        A projection that fails rests for a while and is tried again; the others go on.
        """
        try:
            moved = self._batch(connection, projection)
            if moved is None:
                build(self._database, projection, stopping=self._stopping, unless_current=True)
                moved = (BATCH_FACTS, 0)
        except Stopped:
            return 0, 0
        except Exception as error:
            if connection.closed or isinstance(error, _BEGIN_AGAIN):
                raise
            rest = self._rests.setdefault(projection.name, _Rest())
            rest.begin()
            _log.error(
                "projection-failed",
                projection=projection.name,
                version=projection.version,
                error=type(error).__name__,
                seconds=rest.seconds,
            )
            return 0, 0
        self._rests.pop(projection.name, None)
        return moved

    def _batch(self, connection: Connection, projection: Projection) -> tuple[int, int] | None:
        """The next facts into the live tables; None where these are not this version's."""
        with connection.transaction(), connection.cursor() as cur:
            stand = positions.lock(cur, self._site, projection)
            if stand is None or stand.version != projection.version:
                return None
            # Until we commit nobody else moves the position, and no build swaps the tables.
            pages = self._facts.stream(connection, after=stand.position, batch=BATCH_FACTS)
            rows = next(pages, list[Row]())
            if not rows:
                return 0, stand.position
            projection.take(cur, rows, self._site)
            positions.advance(cur, self._site, projection, rows[-1].position)
            # A crash up to here leaves neither the rows nor the position.
        # From here on both are there, and the next batch begins behind them.
        return len(rows), rows[-1].position


def _untraced() -> context.Context:
    """Under a parent that is not sampled no statement makes a span: we look ten times a second."""
    parent = trace.SpanContext(
        secrets.randbits(128) or 1, secrets.randbits(64) or 1, is_remote=False
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(parent))


class _Rest:
    """How long a projection that failed is left alone: twice as long each time."""

    def __init__(self) -> None:
        self.seconds = RETRY_SECONDS
        self.until = 0.0

    def begin(self) -> None:
        self.seconds = min(REST_SECONDS_MAX, self.seconds * 2)
        self.until = monotonic() + self.seconds
