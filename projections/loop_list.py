"""The list of loops: filtered, in the order of their opening, and only what the reader may see."""

from datetime import datetime
from typing import Final, NamedTuple

import psycopg
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.summary import Stage
from projections._projection import Site, not_built
from projections.loops import LOOPS, LoopRow, told_to

PAGE_LOOPS_MAX: Final = 1000

# Position and rows in one statement, so that they are of one moment; where no loop is found, the
# position comes all the same.
_PAGE: Final = """
select f.position, l.*
from {followed} f left join lateral (
    select * from {loops}
    where opened > %(after)s
    and (
        %(stages)s::text[] = '{{}}'
        or case when blind && %(reader)s::text[] then stage_open else stage end = any(%(stages)s)
    )
    and (%(requisition)s::text is null or requisition = %(requisition)s)
    and (%(candidate)s::text is null or candidate = %(candidate)s)
    and (%(owed_by)s::text is null or owed_by @> array[%(owed_by)s::text])
    and (%(opened_after)s::timestamptz is null or opened_at >= %(opened_after)s)
    and (%(opened_before)s::timestamptz is null or opened_at < %(opened_before)s)
    and (
        %(everything)s
        or interviewers && %(as_interviewer)s::text[]
        or requisition = any(array(
            select requisition from {loop_teams} where people && %(in_team)s::text[]
        ))
    )
    order by opened
    limit %(limit)s
) l on true
where f.projection = %(projection)s
order by l.opened
"""


class Sees(NamedTuple):
    """What a reader may see of the list: everything, or the loops that name a handle of theirs.

    `as_interviewer` and `in_team` hold the reader's handle where that tie counts, else nothing.
    `reader` holds it always: where they owe feedback no condition finds out what they may not know.
    """

    everything: bool = False
    as_interviewer: tuple[str, ...] = ()
    in_team: tuple[str, ...] = ()
    reader: tuple[str, ...] = ()


class Wanted(NamedTuple):
    """Which loops: every condition that is given must hold.

    `stages` any of these, none for any; `requisition` a slug; `candidate` and `owed_by` handles;
    opened at or after `opened_after`, and before `opened_before`.
    """

    stages: tuple[Stage, ...] = ()
    requisition: str | None = None
    candidate: str | None = None
    owed_by: str | None = None
    opened_after: datetime | None = None
    opened_before: datetime | None = None


class LoopPage(NamedTuple):
    """Loops in the order of their opening, and the facts they follow from: those up to `position`.

    `next` is the `after` of the following page, None at the end.
    """

    rows: tuple[LoopRow, ...]
    next: int | None
    position: int


def list_loops(
    cur: Cursor[TupleRow],
    site: Site,
    wanted: Wanted,
    sees: Sees,
    *,
    after: int = 0,
    limit: int = PAGE_LOOPS_MAX,
) -> LoopPage:
    """One page of loops, those whose opening stands after the position `after`.

    Raises:
        NotBuilt: the read model is being built for the first time.
    """
    given = {
        **wanted._asdict(),
        **sees._asdict(),
        "stages": list(wanted.stages),
        "as_interviewer": list(sees.as_interviewer),
        "in_team": list(sees.in_team),
        "reader": list(sees.reader),
        "after": after,
        "limit": limit + 1,
        "projection": LOOPS.name,
    }
    try:
        # Planned for these conditions each time: no one plan is good for all of them.
        found = cur.execute(site.text(_PAGE), given, prepare=False, binary=True).fetchall()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise not_built(LOOPS) from error
    if not found:
        raise not_built(LOOPS)
    rows = [LoopRow(*row[1:]) for row in found if row[1] is not None]
    person = next(iter(sees.reader), None)
    page = tuple(told_to(row, person) for row in rows[:limit])
    return LoopPage(page, page[-1].opened if len(rows) > limit else None, found[0][0])
