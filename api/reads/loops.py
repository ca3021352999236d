"""One loop: its state now or at a clock, and what a decision would meet."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from api.reading import Clock, LoopRead, Read
from api.reads.base import LOOP_READERS, Path, Readable, get
from domain import facts as f
from domain.evolve import fold
from domain.state import Loop
from domain.summary import Stage, decision_of, stage_of
from domain.values import Position, Time
from ledger.blind_rule import notes_of_reading, told_to_the_blind, withholds
from ledger.personal.disclose import words


class Who(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Someone or something by handle, with the caller's own id where the reader may see it."""

    handle: str
    id: str | None = None
    name: str | None = None


class SessionState(Struct, frozen=True, kw_only=True):
    """A planned session: what it is for, and what has become of it."""

    id: str
    stage: str
    kind: str
    competencies: tuple[str, ...]
    prompts: tuple[f.Ref, ...]
    interviewers: tuple[Who, ...]
    minutes: int
    status: str
    feedback_from: tuple[Who, ...]
    feedback_owed_by: tuple[Who, ...]


class GateState(Struct, frozen=True, kw_only=True):
    """The latest passed evidence gate, and whether later facts made it stale."""

    position: int
    stale: bool
    witnesses: tuple[f.Witness, ...]


class DecisionState(Struct, frozen=True, kw_only=True):
    """The decision in force."""

    position: int
    decision: f.Recommend
    by: Who
    at: Time
    conforming: bool


Withheld = Annotated[
    Literal["blind-rule"],
    Meta(
        description="The reader owes feedback in this loop: of what others thought, and of what "
        "came of it, nothing is told until they have submitted it. `stage` then goes no further "
        "than `debrief`; gate, recommendations, decision, offer, exceptions and disposition are "
        "left out whether there are any or not."
    ),
]
BLIND: Final = "blind-rule"


class LoopState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a loop stands, as far as the reader may know."""

    loop: Who
    candidate: Who
    requisition: str
    stage: Stage
    opened_at: Time
    scorecard: f.Ref
    posting: f.Ref
    policy_set: f.Ref
    sessions: tuple[SessionState, ...]
    position: int
    gate: GateState | None = None
    gate_refusals: tuple[int, ...] = ()
    recommendations: tuple[int, ...] = ()
    decision: DecisionState | None = None
    decision_refusals: tuple[int, ...] = ()
    decide_by: Time | None = None
    offer: f.OfferStatus | None = None
    disposition: f.Disposition | None = None
    exceptions: tuple[int, ...] = ()
    erased: Annotated[
        Position | None, Meta(description="Where the candidate was erased; no words are left.")
    ] = None
    withheld: Withheld | None = None


def loop_state(read: Read, path: Path, query: Clock) -> LoopState:
    """The state of one loop, now or at a clock."""
    found = read.loop(path["loop"], query)
    read.notes += notes_of_reading(read.reader, found.now, (), "loop")
    return _state(found, read)


def _state(found: LoopRead, read: Read) -> LoopState:
    blind = withholds(read.reader, found.now)
    # Who owes feedback sees the loop as it would be had nobody said anything yet.
    loop = _without_opinions(found) if blind else found.loop
    opened = loop.opened.fact
    names = read.names(_people(found.loop) | {loop.handle, opened.candidate})

    def who(handle: str, name: str | None = None) -> Who:
        return Who(handle=handle, id=names.get(handle), name=name)

    gate = loop.gate
    return LoopState(
        loop=who(loop.handle),
        candidate=who(opened.candidate, words(opened.name, read.group)),
        requisition=opened.requisition,
        stage=stage_of(loop),
        opened_at=opened.stamp.at,
        scorecard=opened.scorecard,
        posting=opened.posting,
        policy_set=opened.policy_set,
        sessions=tuple(_session(s, found.loop, names) for s in loop.planned),
        position=read.group.head,
        gate=GateState(position=gate.position, stale=loop.gate_stale, witnesses=gate.fact.witnesses)
        if gate
        else None,
        gate_refusals=tuple(g.position for g in loop.gate_refusals),
        recommendations=tuple(r.position for r in loop.recommendations),
        decision=_decision(loop, names),
        decision_refusals=tuple(d.position for d in loop.decision_refusals),
        decide_by=loop.notices[-1].fact.decide_by if loop.notices else None,
        offer=loop.offers[-1].fact.status if loop.offers else None,
        disposition=loop.closed.fact.disposition if loop.closed else None,
        exceptions=tuple(e.position for e in loop.exceptions),
        erased=loop.erased.position if loop.erased else None,
        withheld=BLIND if blind else None,
    )


def _without_opinions(found: LoopRead) -> Loop:
    known = told_to_the_blind(k.recorded for k in found.rows)
    return fold(known).loops[found.loop.handle]


def _decision(loop: Loop, names: dict[str, str]) -> DecisionState | None:
    found = decision_of(loop)
    if found is None:
        return None
    by = found.fact.stamp.by
    return DecisionState(
        position=found.position,
        decision=found.fact.decision,
        by=Who(handle=by, id=names.get(by)),
        at=found.fact.stamp.at,
        conforming=isinstance(found.fact, f.DecisionMade),
    )


def _people(loop: Loop) -> set[str]:
    people = {p for s in loop.planned for p in loop.interviewers(s.id)}
    people |= {w.fact.author for w in loop.feedback}
    people |= {d.fact.stamp.by for d in loop.decisions}
    return people | {d.fact.stamp.by for d in loop.observed}


def _session(session: f.PlannedSession, loop: Loop, names: dict[str, str]) -> SessionState:
    def those(handles: tuple[str, ...]) -> tuple[Who, ...]:
        return tuple(Who(handle=h, id=names.get(h)) for h in handles)

    wrote = tuple(w.fact.author for w in loop.feedback if w.fact.session == session.id)
    owed = tuple(person for id_, person in loop.owes() if id_ == session.id)
    return SessionState(
        id=session.id,
        stage=session.stage,
        kind=session.kind,
        competencies=session.competencies,
        prompts=session.prompts,
        interviewers=those(loop.interviewers(session.id)),
        minutes=session.minutes,
        status=_status(session.id, loop),
        feedback_from=those(wrote),
        feedback_owed_by=those(owed),
    )


def _status(session: str, loop: Loop) -> str:
    if loop.completed(session) is not None:
        return "completed"
    if any(c.fact.session == session for c in loop.cancelled):
        return "cancelled"
    if any(n.fact.session == session for n in loop.no_shows):
        return "no_show"
    return "planned"


LOOPS: tuple[Readable, ...] = (
    get("/v1/loops/{loop}", loop_state, LoopState, tag="loops", roles=LOOP_READERS, query=Clock),
)
