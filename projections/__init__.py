"""What the facts add up to. Everything here is disposable: it can be built again from the log."""

from collections.abc import Sequence
from typing import Final

from ledger.database import Database
from projections._build import Built as Built
from projections._build import build
from projections._positions import Lag as Lag
from projections._positions import lags, position_of
from projections._projection import NotBuilt as NotBuilt
from projections._projection import Projection as Projection
from projections._projection import ProjectionError as ProjectionError
from projections._projection import Site as Site
from projections._projection import UnknownProjection as UnknownProjection
from projections.loops import LOOPS

__all__ = [
    "ALL",
    "LOOPS",
    "Built",
    "Lag",
    "NotBuilt",
    "Projection",
    "ProjectionError",
    "Site",
    "UnknownProjection",
    "lags",
    "position_of",
    "rebuild",
]

ALL: Final[tuple[Projection, ...]] = (LOOPS,)
"""Every projection, in the order in which they are followed."""


def rebuild(
    database: Database, name: str | None = None, *, projections: Sequence[Projection] = ALL
) -> tuple[Built, ...]:
    """Build one projection, or all of them, from the first fact on, and swap the tables in.

    The rows are the same as before, byte by byte. Readers notice nothing; a follower and the writer
    may run meanwhile, and need not.

    Raises:
        UnknownProjection: there is none of that name.
        psycopg.OperationalError: the store is away.
    """
    chosen = [one for one in projections if name in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in projections)
        raise UnknownProjection(f"There is no projection of that name. There are: {known}.")
    done = (build(database, one) for one in chosen)
    return tuple(one for one in done if one is not None)
