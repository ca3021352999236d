"""The list of loops as of a past moment: each loop is folded again from what was known then.

The read model names the loops (who may see one now may see its past); the facts tell the rest.
"""

from typing import Final

from api.reading import Clock, Read, within
from domain import facts as f
from domain.boundary import LOOP_TYPES
from domain.findings import Item
from domain.tags import loop as loop_tag
from projections import Site
from projections.loop_list import LoopPage, Sees, Wanted, list_loops
from projections.loops import LoopRow, row_of, told_to

FOLDED_MAX: Final = 1000
"""Loops folded for one page: a condition that few met then must not read the whole log."""


def list_past_loops(
    read: Read, site: Site, wanted: Wanted, sees: Sees, clock: Clock, *, after: int, limit: int
) -> LoopPage:
    """One page; it may hold fewer than `limit` loops, also none, and still have a `next`.

    What a loop was opened with never changes and is asked of the read model; its stage and who owed
    feedback are those of the clock.
    """
    unchanging = wanted._replace(stages=(), owed_by=None)
    known = list_loops(read.group.cur, site, unchanging, sees, after=after, limit=FOLDED_MAX)
    found: list[LoopRow] = []
    for row in known.rows:
        then = _as_of(read, row.loop, clock)
        if then is None:
            continue
        # Whoever owes feedback now does not learn from the past what became of the loop.
        then = told_to(then._replace(blind=row.blind), read.reader.person)
        if not _meets(then, wanted):
            continue
        if len(found) == limit:
            return LoopPage(tuple(found), found[-1].opened, known.position)
        found.append(then)
    return LoopPage(tuple(found), known.next, known.position)


def _as_of(read: Read, handle: str, clock: Clock) -> LoopRow | None:
    """The loop's row as it would have stood then; None where it was not open yet."""
    facts = [
        one.recorded
        for one in read.rows(Item(types=LOOP_TYPES, tags=(loop_tag(handle),)))
        if within(clock, one.row.position, one.fact.stamp)
    ]
    if not any(isinstance(one.fact, f.LoopOpened) for one in facts):
        return None
    return row_of(handle, facts)


def _meets(row: LoopRow, wanted: Wanted) -> bool:
    return (not wanted.stages or row.stage in wanted.stages) and (
        wanted.owed_by is None or wanted.owed_by in row.owed_by
    )
