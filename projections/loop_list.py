"""The list of loops: filtered, in the order of their opening, and only what the reader may see."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import psycopg
from msgspec import Struct
from psycopg import Cursor
from psycopg.rows import TupleRow, class_row

from domain.summary import Stage
from projections._projection import NotBuilt, Site
from projections.loops import LOOPS

PAGE_LOOPS_MAX: Final = 1000

# Position and rows in one statement, so that they are of one moment. The row of the position comes
# also where no loop does.
_PAGE: Final = """
select f.position as followed, l.*
from {followed} f left join lateral (
    select * from {loops}
    where opened > %(after)s
    and (%(stages)s::text[] = '{{}}' or stage = any(%(stages)s))
    and (%(requisition)s::text is null or requisition = %(requisition)s)
    and (%(candidate)s::text is null or candidate = %(candidate)s)
    and (%(owed_by)s::text is null or owed_by @> array[%(owed_by)s::text])
    and (%(opened_after)s::timestamptz is null or opened_at >= %(opened_after)s)
    and (%(opened_before)s::timestamptz is null or opened_at < %(opened_before)s)
    and (
        %(everything)s
        or interviewers && %(interviewer)s::text[]
        or requisition = any(array(
            select requisition from {loop_teams} where people && %(member)s::text[]
        ))
    )
    order by opened
    limit %(limit)s
) l on true
where f.projection = %(projection)s
order by l.opened
"""
