"""Facts for tests of the log: bytes with a type and tags, recorded the way the ledger does it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from ledger.database import Connection
from ledger.recorder import NewRow, Recorder

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def new(
    leaf: bytes = b"{}", *tags: str, of: str = "session-completed.v1", recorded: datetime = START
) -> NewRow:
    """A fact that is not in the log yet."""
    return NewRow(of, tags, leaf, recorded)


def record(recorder: Recorder, connection: Connection, rows: Sequence[NewRow]) -> list[int]:
    """The rows in the log, in one transaction of their own; their positions."""
    with connection.transaction(), connection.cursor() as cur:
        recorder.lock(cur)
        return recorder.insert(cur, rows)
