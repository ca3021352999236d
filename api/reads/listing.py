"""The list of loops, from the read model: filtered, paged, and only what the reader may see.

It follows the log at a short distance, and every answer says how far it was (`position`). Who has
just written and wants to see it gives the position of that fact as `min_position`: the answer then
waits a moment for the read model, and is a 503 where that was not enough.
"""

import threading
from time import monotonic, sleep
from typing import Annotated, Final

from msgspec import Meta, Struct

from api.problems import Problem, malformed
from api.reading import Clock, Read, check_clock
from api.reads.base import LOOP_READERS, Path, Readable, get
from api.reads.listing_past import list_past_loops
from api.reads.loops import BLIND, Who, Withheld
from domain import facts as f
from domain.commands.base import CandidateRef, PersonRef
from domain.decide.entitled import TEAM_ROLES
from domain.refusals import Missing
from domain.summary import STAGES, Stage
from domain.values import POSITION_MAX, Position, Slug, Time
from ledger.blind_rule import Reader
from ledger.database import Database
from ledger.ledger import READERS
from projections import LOOPS, NotBuilt, Site, position_of
from projections.loop_list import PAGE_LOOPS_MAX, LoopPage, Sees, Wanted, list_loops
from projections.loops import LoopRow, withheld_from

WAIT_SECONDS_MAX: Final = 2.0
WAITING_MAX: Final = READERS // 2
"""Requests that wait at a time; each holds a thread and a connection that others read with."""

_POLL_SECONDS: Final = 0.02
Count = Annotated[int, Meta(ge=0, le=POSITION_MAX)]


class LoopsQuery(Clock, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which loops, as of when, from where, and how many."""

    stage: Annotated[
        tuple[Stage, ...],
        Meta(max_length=len(STAGES), description="Any of these, separated by commas."),
    ] = ()
    requisition: Slug | None = None
    candidate: CandidateRef | None = None
    owed_by: Annotated[PersonRef, Meta(description="Who owes feedback: your id or a handle.")] | (
        None
    ) = None
    opened_after: Annotated[Time, Meta(description="Opened then or later.")] | None = None
    opened_before: Annotated[Time, Meta(description="Opened earlier than that.")] | None = None
    after: Annotated[Count, Meta(description="`next` of the page before.")] = 0
    limit: Annotated[int, Meta(ge=1, le=PAGE_LOOPS_MAX)] = 100
    min_position: Annotated[
        Count,
        Meta(description="Of a fact that the list must know of; waits up to 2 s for it, then 503."),
    ] = 0


class Owed(Struct, frozen=True, kw_only=True):
    """Feedback that is still missing: on which session, and whose."""

    session: str
    by: Who


class GateListed(Struct, frozen=True, kw_only=True):
    """The latest passed evidence gate, and whether later facts made it stale."""

    position: int
    stale: bool


class DecisionListed(Struct, frozen=True, kw_only=True):
    """The decision in force; one that was only observed elsewhere does not conform."""

    position: int
    decision: f.Recommend
    conforming: bool


class LoopListed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where one loop stands, as far as the reader may know.

    `position` is that of the latest fact that changed it.
    """

    loop: Who
    candidate: Who
    requisition: str
    stage: Stage
    opened_at: Time
    last_at: Annotated[Time, Meta(description="When the latest thing in it happened, as claimed.")]
    scorecard: f.Ref
    posting: f.Ref
    policy_set: f.Ref
    owed: tuple[Owed, ...]
    position: int
    decide_by: Time | None = None
    gate: GateListed | None = None
    decision: DecisionListed | None = None
    disposition: f.Disposition | None = None
    erased: Annotated[
        Position | None, Meta(description="Where the candidate was erased; no words are left.")
    ] = None
    withheld: Withheld | None = None


class LoopsPage(Struct, frozen=True, kw_only=True):
    """Loops in the order of their opening, as the log stood at `position`, or as of the clock.

    `next` is the `after` of the following page, or null at the end.
    """

    items: tuple[LoopListed, ...]
    next: int | None
    position: int


def listing(database: Database) -> tuple[Readable, ...]:
    """GET /v1/loops over one ledger."""
    site, places = Site.of(database), threading.BoundedSemaphore(WAITING_MAX)

    def loops(read: Read, _: Path, query: LoopsQuery) -> LoopsPage:
        """Loops by stage, requisition, candidate, age and who owes feedback."""
        try:
            check_clock(query)
            _wait_until(query.min_position, read, site, places)
            page = _page(read, query, site)
        except NotBuilt as error:
            raise Problem("unavailable", str(error)) from error
        return LoopsPage(items=_told(page, read), next=page.next, position=page.position)

    return (get("/v1/loops", loops, LoopsPage, tag="loops", roles=LOOP_READERS, query=LoopsQuery),)


def seen_by(reader: Reader) -> Sees:
    """What of the list a reader may see: of every loop the same as `check_may_read` says."""
    own = () if reader.person is None else (reader.person,)
    if "auditor" in reader.roles:
        return Sees(everything=True, reader=own)
    return Sees(
        as_interviewer=own if "interviewer" in reader.roles else (),
        in_team=own if reader.roles & TEAM_ROLES else (),
        reader=own,
    )


def _page(read: Read, query: LoopsQuery, site: Site) -> LoopPage:
    """The page; an id that nobody has is a condition that no loop meets."""
    sees = seen_by(read.reader)
    try:
        wanted = Wanted(
            stages=query.stage,
            requisition=query.requisition,
            candidate=query.candidate and read.handle("candidate", query.candidate),
            owed_by=query.owed_by and read.handle("person", query.owed_by),
            opened_after=query.opened_after,
            opened_before=query.opened_before,
        )
    except Missing:
        return LoopPage((), None, position_of(read.group.cur, site, LOOPS))
    if (query.position, query.recorded, query.at) == (None, None, None):
        return list_loops(read.group.cur, site, wanted, sees, after=query.after, limit=query.limit)
    return list_past_loops(read, site, wanted, sees, query, after=query.after, limit=query.limit)


def _wait_until(position: int, read: Read, site: Site, places: threading.BoundedSemaphore) -> None:
    """Wait until the read model has followed the log to a position; raises `Problem` 400 or 503."""
    if position > read.group.head:
        raise malformed("The log is not that long yet.", "/min_position")
    if position == 0 or position_of(read.group.cur, site, LOOPS) >= position:
        return
    deadline = monotonic() + WAIT_SECONDS_MAX
    if places.acquire(blocking=False):
        try:
            while monotonic() < deadline:
                sleep(_POLL_SECONDS)
                if position_of(read.group.cur, site, LOOPS) >= position:
                    return
        finally:
            places.release()
    raise Problem(
        "unavailable",
        "The list of loops has not followed the log to min_position yet. Ask again, or without it.",
    )


def _told(page: LoopPage, read: Read) -> tuple[LoopListed, ...]:
    handles = {handle for row in page.rows for handle in (row.loop, row.candidate, *row.owed_by)}
    names = read.names(handles)

    def who(handle: str) -> Who:
        return Who(handle=handle, id=names.get(handle))

    return tuple(
        LoopListed(
            loop=who(row.loop),
            candidate=who(row.candidate),
            requisition=row.requisition,
            stage=row.stage,
            opened_at=row.opened_at,
            last_at=row.last_at,
            scorecard=f.Ref(id=row.scorecard, version=row.scorecard_version),
            posting=f.Ref(id=row.posting, version=row.posting_version),
            policy_set=f.Ref(id=row.policy_set, version=row.policy_set_version),
            owed=tuple(
                Owed(session=session, by=who(person))
                for session, person in zip(row.owed_sessions, row.owed_by, strict=True)
            ),
            position=row.position,
            decide_by=row.decide_by,
            gate=_gate(row),
            decision=_decision(row),
            disposition=row.disposition,
            erased=row.erased,
            withheld=BLIND if withheld_from(row, read.reader.person) else None,
        )
        for row in page.rows
    )


def _gate(row: LoopRow) -> GateListed | None:
    if row.gate is None:
        return None
    return GateListed(position=row.gate, stale=row.gate_stale)


def _decision(row: LoopRow) -> DecisionListed | None:
    if row.decision is None or row.decision_position is None:
        return None
    return DecisionListed(
        position=row.decision_position,
        decision=row.decision,
        conforming=bool(row.decision_conforming),
    )
