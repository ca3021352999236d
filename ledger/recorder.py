"""The log as a DCB recorder: the one module that knows the event-sourcing library.

`Recorder` has two faces. What the ledger uses are the steps it has from `Log`, inside the caller's
own transaction. The other is the library's interface for dynamic consistency boundaries (`read`,
`append`, `subscribe`), built from the same steps and held to the library's own conformance suite.
"""

# `typing.override`, which mypy asks for, begins with Python 3.12.
# mypy: disable-error-code="explicit-override"

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, Self

from eventsourcing.dcb.api import (
    DCBAppendCondition,
    DCBEvent,
    DCBQuery,
    DCBReadResponse,
    DCBRecorder,
    DCBSequencedEvent,
    DCBSubscription,
)
from eventsourcing.persistence import IntegrityError, ProgrammingError

from domain.findings import Item
from ledger.database import Connection, Database, Pool
from ledger.errors import LogDamaged
from ledger.growth import Tip
from ledger.log import PAGE_FACTS, ClockWentBack, LockNotHeld, Log, NewRow, Row, TipMoved

__all__ = [
    "ClockWentBack",
    "LockNotHeld",
    "LogDamaged",
    "NewRow",
    "Recorder",
    "Row",
    "Tip",
    "TipMoved",
]

CONNECTIONS_MAX: Final = 4
"""Of the library's interface; the steps run on the caller's."""

STOP_SECONDS_MAX: Final = 0.25
"""How soon a waiting subscription notices that it was stopped."""


class Recorder(Log, DCBRecorder):
    """The log of one ledger. One object serves any number of threads.

    Only the library's interface opens connections; who uses it closes it, or uses it in a `with`.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database.schema)
        self._database = database

    def read(
        self,
        query: DCBQuery | None = None,
        *,
        after: int | None = None,
        limit: int | None = None,
    ) -> DCBReadResponse:
        """Events that match the query, a page in memory at a time, up to the head as it is now.

        Without tags the log is read in order: right, but as slow as the log is long.
        """
        items, begin = _items(query), after or 0
        with self._connections.connection() as connection, connection.cursor() as cur:
            if limit is None:
                head = self.head(cur) or None
            else:
                first = self._sql.matching(items, begin, limit=limit)
                head = self._execute(cur, self._sql.last_of(first), one_plan=False).fetchall()[0][0]
        # What is at or below the head never changes, so the pages need no common snapshot.
        return _Reading(self._events(items, begin, head or 0), head)

    def append(
        self, events: Sequence[DCBEvent], condition: DCBAppendCondition | None = None
    ) -> int:
        """Append events unless something matches the condition; the position of the last.

        Raises:
            IntegrityError: something matches; nothing was appended.
            ProgrammingError: there are no events.
        """
        if not events:
            raise ProgrammingError("There is nothing to append: give at least one event.")
        with self._connections.connection() as connection, connection.cursor() as cur:
            self.lock(cur)
            # Until we commit nobody else appends: what does not match now will not match then.
            if condition is not None:
                items = _items(condition.fail_if_events_match)
                if self._any(cur, items, condition.after or 0):
                    raise IntegrityError("Events that match the condition were appended.")
            now, tip = datetime.now(UTC), self.tip(cur)
            recorded = now if tip.recorded is None else max(now, tip.recorded)
            rows = [NewRow(event.type, tuple(event.tags), event.data, recorded) for event in events]
            return self.insert(cur, rows, tip)[-1]

    def subscribe(
        self, query: DCBQuery | None = None, *, after: int | None = None
    ) -> "Subscription":
        """Events that match, those recorded and then those to come; use it in a `with`."""
        return Subscription(self, query, after, self._database.connect("runtime", autocommit=True))

    def close(self) -> None:
        """Give back the connections of the library's interface."""
        if "_connections" in self.__dict__:
            self._connections.close()
            del self._connections

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _connections(self) -> Pool:
        return self._database.pool("runtime", CONNECTIONS_MAX)

    def _events(self, items: Sequence[Item], after: int, upto: int) -> Iterator[DCBSequencedEvent]:
        while after < upto:
            page = self._sql.matching(items, after, upto, PAGE_FACTS)
            with self._connections.connection() as connection, connection.cursor() as cur:
                rows = self._rows(cur, self._sql.facts_at(page), one_plan=False)
            yield from map(_event, rows)
            after = rows[-1].position if len(rows) == PAGE_FACTS else upto


class _Reading(DCBReadResponse):
    """Events as they are read, and the head they are read up to."""

    def __init__(self, events: Iterator[DCBSequencedEvent], head: int | None) -> None:
        self._events = events
        self._head = head

    @property
    def head(self) -> int | None:
        """The log's last position when the read began; with a limit, the last event's position."""
        return self._head

    def __next__(self) -> DCBSequencedEvent:
        return next(self._events)


class Subscription(DCBSubscription[Recorder]):
    """Every matching event after a position, once and in order; blocks at the end of the log."""

    def __init__(
        self, recorder: Recorder, query: DCBQuery | None, after: int | None, connection: Connection
    ) -> None:
        super().__init__(recorder, query, after)
        self._connection = connection
        self._reading = recorder.read(query, after=after)
        self._turn = threading.Lock()

    def __next__(self) -> DCBSequencedEvent:
        with self._turn:
            while not self._has_been_stopped:
                event = next(self._reading, None)
                if event is not None:
                    return event
                # All up to the reading's head was given out, so the next reading begins there.
                self._last_position = max(self._last_position, self._reading.head or 0)
                if self._recorder.wait(self._connection, self._last_position, STOP_SECONDS_MAX):
                    self._reading = self._recorder.read(self._query, after=self._last_position)
            raise StopIteration

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        with self._turn:
            self._connection.close()


def _items(query: DCBQuery | None) -> list[Item]:
    """The query's items in our words; none means every event."""
    items = query.items if query else []
    return [Item(types=tuple(item.types), tags=tuple(item.tags)) for item in items]


def _event(row: Row) -> DCBSequencedEvent:
    return DCBSequencedEvent(DCBEvent(row.type, row.leaf, list(row.tags)), row.position)
