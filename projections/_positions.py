"""How far each projection has followed the log: one row each, committed with the rows it is about.

Readers take the position from here in the statement that reads the rows, so that an answer says
which facts it rests on.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import psycopg
from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.database import Connection
from projections._projection import Projection, Site, not_built

_MAKE: Final = """
create table if not exists {followed} (
    projection text primary key,
    version integer not null,
    position bigint not null,
    tables text[] not null
)
"""
_MAKING: Final = "select pg_advisory_xact_lock(hashtextextended('hireledger:views:' || %s, 0))"
_FORGET: Final = """
delete from {followed}
where exists (
    select from unnest(tables) as name where to_regclass(format('%%I.%%I', %s::text, name)) is null
)
"""
_LOCK: Final = "select version, position, tables from {followed} where projection = %s for update"
_ADVANCE: Final = "update {followed} set position = %s where projection = %s"
_PUT: Final = """
insert into {followed} (projection, version, position, tables) values (%s, %s, %s, %s)
on conflict (projection) do update
set version = excluded.version, position = excluded.position, tables = excluded.tables
"""
_READ: Final = "select projection, position from {followed}"
_HEAD: Final = "select coalesce(max(position), 0) from {facts}"
_OLDEST_MISSING: Final = """
select position - 1, recorded from {facts} where position = any(%s)
"""


class Stand(NamedTuple):
    """What the live tables of a projection are: made by which version, how far, and which."""

    version: int
    position: int
    tables: tuple[str, ...]


class Lag(NamedTuple):
    """How far a projection is behind the log.

    `position` is the last fact it has; `facts` how many it lacks; `seconds` how long ago the first
    of those was recorded. Both are 0 when it lacks none.
    """

    projection: str
    position: int
    facts: int
    seconds: float


def make_table(connection: Connection, site: Site) -> None:
    """Make the table of positions unless it is there; two processes may do so at once.

    A projection that lost a table, because somebody dropped it, counts as never built.
    """
    with connection.transaction():
        connection.execute(_MAKING, [site.views])
        connection.execute(site.text(_MAKE))
        connection.execute(site.text(_FORGET), [site.views])


def lock(cur: Cursor[TupleRow], site: Site, projection: Projection) -> Stand | None:
    """Where the live tables stand; until this transaction ends nobody else moves or swaps them.

    None when the projection was never built.
    """
    row = cur.execute(site.text(_LOCK), [projection.name]).fetchone()
    return None if row is None else Stand(row[0], row[1], tuple(row[2]))


def advance(cur: Cursor[TupleRow], site: Site, projection: Projection, position: int) -> None:
    """Say that the live tables hold everything up to a position. The caller has locked the row."""
    cur.execute(site.text(_ADVANCE), [position, projection.name])


def put(cur: Cursor[TupleRow], site: Site, projection: Projection, position: int) -> None:
    """Say that the live tables are this version's, up to a position."""
    tables = sorted(projection.tables)
    cur.execute(site.text(_PUT), [projection.name, projection.version, position, tables])


def position_of(cur: Cursor[TupleRow], site: Site, projection: Projection) -> int:
    """The last fact that the live tables hold.

    Raises:
        NotBuilt: there are none; the caller's transaction may have failed with that.
    """
    try:
        return dict(_positions(cur, site))[projection.name]
    except (psycopg.errors.UndefinedTable, KeyError) as error:
        raise not_built(projection) from error


def lags(
    cur: Cursor[TupleRow], site: Site, projections: Iterable[Projection]
) -> tuple[int, tuple[Lag, ...]]:
    """The log's head, and how far each projection is behind it. For any role that may read both."""
    # Read before the head, a position can only look further behind than it is.
    try:
        with cur.connection.transaction():
            found = dict(_positions(cur, site))
    except psycopg.errors.UndefinedTable:
        found = {}
    head: int = cur.execute(site.text(_HEAD)).fetchall()[0][0]
    at = {projection.name: found.get(projection.name, 0) for projection in projections}
    missing = [position + 1 for position in at.values()]
    since: dict[int, datetime] = dict(cur.execute(site.text(_OLDEST_MISSING), [missing]).fetchall())
    now = datetime.now(UTC)
    told = (
        Lag(
            name,
            position,
            max(0, head - position),
            max(0.0, (now - since[position]).total_seconds()) if position in since else 0.0,
        )
        for name, position in at.items()
    )
    return head, tuple(told)


def _positions(cur: Cursor[TupleRow], site: Site) -> list[tuple[str, int]]:
    return cur.execute(site.text(_READ)).fetchall()
