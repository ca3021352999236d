"""What a projection is: a few tables, and how facts change them. All else is done for it.

A projection is disposable: everything in its tables follows from the facts up to one position. So
it is never migrated. When its code changes its version changes, and it is built again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from string import Formatter
from typing import Final, LiteralString

from psycopg import Cursor, sql
from psycopg.rows import TupleRow

from ledger.database import Database
from ledger.errors import LedgerError
from ledger.log import Row

BESIDE: Final = "_beside"
"""What the name of a table ends in while it is being filled beside the live one."""

NAMED_MAX: Final = 1024
"""Statements kept with their names put in: more than there are, in more ledgers than one serves."""

_OF_THE_LOG: Final = frozenset({"facts", "fact_tags"})
_SHARED: Final = "followed"


class ProjectionError(LedgerError):
    """What this room raises on purpose; the message says what, why and what to do next."""


class UnknownProjection(ProjectionError):
    """There is no projection of that name."""


class NotBuilt(ProjectionError):
    """The tables of a projection are not there yet: its first build has not ended."""


class Stopped(ProjectionError):
    """A build was given up because the process is stopping; nothing of it is left to see."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where statements apply: the log in one schema, the read models in another.

    `beside` puts the projection's own tables beside the live ones.
    """

    ledger: str
    views: str
    beside: bool = False

    @classmethod
    def of(cls, database: Database, *, beside: bool = False) -> "Site":
        """The site of one ledger."""
        return cls(database.schema, database.views, beside)

    def text(self, statement: LiteralString) -> bytes:
        """A statement with the qualified name of a table in place of each `{table}`."""
        return _named(self, statement)

    def table(self, name: str) -> sql.Identifier:
        """The qualified name of a table: of the log, or of a read model."""
        if name in _OF_THE_LOG:
            return sql.Identifier(self.ledger, name)
        return sql.Identifier(self.views, name + BESIDE * (self.beside and name != _SHARED))


@lru_cache(maxsize=NAMED_MAX)
def _named(site: Site, statement: LiteralString) -> bytes:
    names = {name: site.table(name) for _, name, _, _ in Formatter().parse(statement) if name}
    return sql.SQL(statement).format(**names).as_bytes(None)


Apply = Callable[[Cursor[TupleRow], Sequence[Row], Site], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """One read model.

    After `apply` the tables must say what follows from all facts up to the batch's last one, and
    nothing of later ones, however the facts before were cut into batches. It runs in a transaction
    that also moves the position, so it never commits and never remembers.

    Attributes:
        name: what `hireledger rebuild` calls it.
        version: one more whenever `tables` or what `apply` writes changes.
        types: of the facts that matter to it, such as "loop-opened.v1"; it is given no others.
        tables: for each table its DDL, with `{table}` for its name. Constraints and indexes get no
            names: they would clash while the table stands beside the live one.
        apply: brings the tables from before a batch to after it. A batch is never empty.
    """

    name: str
    version: int
    types: frozenset[str]
    tables: Mapping[str, LiteralString] = field(hash=False)
    apply: Apply

    def take(self, cur: Cursor[TupleRow], rows: Sequence[Row], site: Site) -> None:
        """Apply those of the log's rows that matter."""
        batch = [row for row in rows if row.type in self.types]
        if batch:
            self.apply(cur, batch, site)


def not_built(projection: Projection) -> NotBuilt:
    """That a projection cannot be read yet."""
    return NotBuilt(
        f"The read model `{projection.name}` is being built for the first time. Try again in a "
        "moment; /health/ready tells how far it is."
    )
