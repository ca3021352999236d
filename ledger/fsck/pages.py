"""The rows of a ledger as one snapshot has them, a page of positions in memory at a time.

Values come from the database in shapes that Python can hold: a superuser may have put a time there
that no clock shows.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Final, LiteralString, NamedTuple

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from ledger.personal.subject_keys import in_schema

PAGE_FACTS: Final = 1_000
FIRST: Final = -(2**63)
LAST: Final = 2**63 - 1
"""The least and the largest position that a column can hold."""

# Times that Python cannot hold come as null, which equals the time of no fact.
_FACTS: Final = """
select position, type, tags, leaf, leaf_hash,
       case when recorded between '0001-01-02' and '9999-12-30' then recorded end
from {}.facts where position >= %s order by position limit %s
"""
_VALUES: Final = """
select d.position, d.digest, d.subject, d.sealed, k.ring, k.wrapped
from {}.disclosures d left join {}.subject_keys k on k.subject = d.subject
where d.position >= %s and d.position <= %s
"""
_NODES: Final = "select position, hashes from {}.tree_nodes where position >= %s and position <= %s"
_HEADS: Final = "select size, edge, root from {}.tree_heads where size >= %s and size <= %s"
_CHECKPOINTS: Final = """
select size, origin, note from {}.checkpoints where size >= %s and size <= %s
"""
_STAMPS: Final = """
select size, case when stamped between '0001-01-02' and '9999-12-30' then stamped end, note, token
from {}.timestamps where size >= %s and size <= %s
"""
_COSIGNATURES: Final = """
select size, origin, line from {}.cosignatures where size >= %s and size <= %s
"""


class FactRow(NamedTuple):
    """A row of `facts` as it stands there."""

    position: int
    type: str
    tags: list[str | None]
    leaf: bytes
    leaf_hash: bytes
    recorded: datetime | None


class ValueRow(NamedTuple):
    """A row of `disclosures`, with the key of its subject if there is one."""

    position: int
    digest: str
    subject: str
    sealed: bytes
    ring: str | None
    wrapped: bytes | None


class CosignatureRow(NamedTuple):
    """A row of `cosignatures`."""

    size: int
    origin: str
    line: bytes


class StampRow(NamedTuple):
    """A row of `timestamps`."""

    size: int
    stamped: datetime | None
    note: bytes
    token: bytes


class Page(NamedTuple):
    """The rows of the positions from first to last, by position where there may be several."""

    first: int
    last: int
    facts: list[FactRow]
    values: dict[int, list[ValueRow]]
    nodes: dict[int, bytes]
    heads: dict[int, tuple[bytes, bytes]]
    checkpoints: dict[int, list[tuple[str, bytes]]]
    cosignatures: dict[int, list[CosignatureRow]]
    stamps: dict[int, list[StampRow]]


class Rows:
    """Reads one ledger's tables on a connection whose transaction is one snapshot."""

    def __init__(self, connection: Connection[TupleRow], schema: str) -> None:
        self.connection = connection
        self.schema = schema
        self._streams = 0

    def pages(self, size: int = PAGE_FACTS) -> Iterator[Page]:
        """All rows that have a position, in order; the last page goes beyond the last fact."""
        first = FIRST
        with self.connection.cursor() as cur:
            while first <= LAST:
                facts = [FactRow(*row) for row in self._of(cur, _FACTS, first, size)]
                last = facts[-1].position if len(facts) == size else LAST
                yield self._page(cur, first, last, facts)
                first = last + 1

    def _page(self, cur: Cursor[TupleRow], first: int, last: int, facts: list[FactRow]) -> Page:
        values = defaultdict[int, list[ValueRow]](list)
        for row in self._of(cur, _VALUES, first, last):
            values[row[0]].append(ValueRow(*row))
        checkpoints = defaultdict[int, list[tuple[str, bytes]]](list)
        for size, origin, note in self._of(cur, _CHECKPOINTS, first, last):
            checkpoints[size].append((origin, note))
        cosignatures = defaultdict[int, list[CosignatureRow]](list)
        for row in self._of(cur, _COSIGNATURES, first, last):
            cosignatures[row[0]].append(CosignatureRow(*row))
        stamps = defaultdict[int, list[StampRow]](list)
        for row in self._of(cur, _STAMPS, first, last):
            stamps[row[0]].append(StampRow(*row))
        return Page(
            first,
            last,
            facts,
            values,
            dict(self._of(cur, _NODES, first, last)),
            {size: (edge, root) for size, edge, root in self._of(cur, _HEADS, first, last)},
            checkpoints,
            cosignatures,
            stamps,
        )

    def all(self, statement: LiteralString, *params: object) -> list[TupleRow]:
        """All rows of a query that has few; `{}` stands for the schema."""
        with self.connection.cursor() as cur:
            return self._of(cur, statement, *params)

    def stream(self, statement: LiteralString, *params: object) -> Iterator[TupleRow]:
        """The rows of a query of any length, some at a time."""
        self._streams += 1
        with self.connection.cursor(f"fsck_{self._streams}") as cur:
            cur.itersize = PAGE_FACTS
            cur.execute(_text(statement, self.schema), params or None, binary=True)
            yield from cur

    def _of(
        self, cur: Cursor[TupleRow], statement: LiteralString, *params: object
    ) -> list[TupleRow]:
        text = _text(statement, self.schema)
        return cur.execute(text, params or None, binary=True).fetchall()


@cache
def _text(statement: LiteralString, schema: str) -> bytes:
    return in_schema(statement, schema)
