"""For tests of projections: a log that grows, tables as bytes, and a projection that can miscount.

`TALLY` adds up what it is given, so that a fact applied twice, or never, shows in its rows. The
read models proper are folded anew from the log, which would hide it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from time import monotonic, sleep

from psycopg import Cursor, sql
from psycopg.rows import TupleRow

from domain import facts as f
from domain.codec import FACT_BY_TYPE
from ledger.database import Database
from ledger.log import Log, Row
from loop_walk import rows_of
from projections import LOOPS, Lag, Projection, Site, lags

_TALLY = """
create table {tally} (type text primary key, facts bigint not null, positions numeric not null)
"""
_ADD = """
insert into {tally} as t values (%s, %s, %s) on conflict (type) do update
set facts = t.facts + excluded.facts, positions = t.positions + excluded.positions
"""
_TRUTH = "select type, count(*), sum(position) from {facts} group by type order by type"


def count(cur: Cursor[TupleRow], batch: Sequence[Row], site: Site) -> None:
    """Add a batch to the tally."""
    facts = Counter(row.type for row in batch)
    positions: Counter[str] = Counter()
    for row in batch:
        positions[row.type] += row.position
    for type_, number in facts.items():
        cur.execute(site.text(_ADD), [type_, number, positions[type_]])


TALLY = Projection(
    name="tally", version=1, types=frozenset(FACT_BY_TYPE), tables={"tally": _TALLY}, apply=count
)


def append(database: Database, facts: Iterable[f.AnyFact], *, at_a_time: int = 500) -> int:
    """Record facts as the writer does, so many in a transaction; the log's head."""
    rows, log = rows_of(facts), Log(database.schema)
    with database.connect("runtime") as connection, connection.cursor() as cur:
        for start in range(0, len(rows), at_a_time):
            log.lock(cur)
            log.insert(cur, rows[start : start + at_a_time])
            connection.commit()
        return log.head(cur)


def lag_of(database: Database, projection: Projection = LOOPS) -> Lag:
    """How far a projection is behind, as the role that serves requests sees it."""
    with database.connect("runtime") as connection, connection.cursor() as cur:
        return lags(cur, Site.of(database), [projection])[1][0]


def catch_up(database: Database, *projections: Projection, seconds: float = 60) -> None:
    """Wait until a follower has brought these projections to the log's head."""
    chosen, site = projections or (LOOPS,), Site.of(database)
    with database.connect("runtime", autocommit=True) as connection, connection.cursor() as cur:
        wait_until(lambda: not any(lag.facts for lag in lags(cur, site, chosen)[1]), seconds)


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> float:
    """Wait until something holds; how many seconds that took."""
    begun = monotonic()
    while not holds():
        assert monotonic() - begun < seconds, f"it did not come about in {seconds} s"
        sleep(0.01)
    return monotonic() - begun


def dump(database: Database, projection: Projection = LOOPS) -> bytes:
    """The live rows of a projection, byte by byte, in the order of their keys."""
    site, found = Site.of(database), b""
    with database.connect("runtime") as connection, connection.cursor() as cur:
        for name in sorted(projection.tables):
            told = sql.SQL("copy (select * from {} order by 1) to stdout").format(site.table(name))
            with cur.copy(told) as copy:
                found += b"-- " + name.encode() + b"\n" + b"".join(bytes(part) for part in copy)
    return found


def tally_of(database: Database) -> tuple[list[TupleRow], list[TupleRow]]:
    """What the tally says, and what the log says."""
    site = Site.of(database)
    with database.connect("runtime") as connection, connection.cursor() as cur:
        told = cur.execute(site.text("select * from {tally} order by type")).fetchall()
        return told, cur.execute(site.text(_TRUTH)).fetchall()
