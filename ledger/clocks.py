"""Whether this machine's clock can be believed: what is recorded bears its time for good.

A clock that runs ahead once would poison the log: the ledger's time never goes back, so every later
fact would bear that time too, and no dossier of it verifies before then. Nothing tells a clock that
is wrong from one that is right, but two things that it can be held against: the log's last fact,
and the clock of PostgreSQL, where that is another machine.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import Cursor
from psycopg.rows import TupleRow

APART_MAX: Final = timedelta(minutes=5)
"""As far apart as verifiers let a fact and their own clock be; less is a step, or a slow link."""

_LOOK: Final = "select clock_timestamp()"


def store_time(cur: Cursor[TupleRow]) -> datetime:
    """What the store's clock shows, on a connection of the ledger's."""
    row = cur.execute(_LOOK).fetchone()
    time: datetime = row[0] if row else datetime.now(UTC)
    return time


def ahead(recorded: datetime | None, now: datetime) -> str | None:
    """Why nothing is recorded `now` after a fact that was recorded then; None where it may be."""
    if recorded is None or recorded - now <= APART_MAX:
        return None
    return (
        f"the last fact was recorded at {_said(recorded)}, which is later than this machine's "
        f"clock by {_long(recorded - now)}: correct the clock, or wait; nothing is recorded until "
        "then (deploy/README.md, Clocks)"
    )


def apart(store: datetime, now: datetime) -> str | None:
    """Why nothing is recorded while the store's clock shows that and ours this; None where it is.

    Which of the two is wrong nobody knows here.
    """
    if abs(store - now) <= APART_MAX:
        return None
    return (
        f"this machine's clock shows {_said(now)} and PostgreSQL's {_said(store)}, which is "
        f"{_long(abs(store - now))} apart: correct the one that is wrong; nothing is recorded "
        "until then (deploy/README.md, Clocks)"
    )


def _said(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _long(span: timedelta) -> str:
    """Days, hours, minutes: the largest two."""
    minutes = int(span.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
