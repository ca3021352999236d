"""A loop's story: each fact in order and what it changed; feedback under the blind rule."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from api.reading import Clock, Known, LoopRead, Read
from api.reads.base import LOOP_READERS, Path, Readable, get
from domain import facts as f
from domain.codec import type_of
from domain.decide.entitled import owes
from domain.evolve import evolve
from domain.refusals import Missing
from domain.state import Loop, World
from domain.summary import stage_of
from domain.values import Time
from ledger.blind_rule import check_not_owing, notes_of_reading
from ledger.personal.disclose import disclosed, handles_in


class FactShown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact as stored, and the personal values in it that the reader may see."""

    position: int
    type: Annotated[
        str | None, Meta(description="Null where withheld: an offer says how it was decided.")
    ]
    at: Annotated[Time | None, Meta(description="Null where withheld.")]
    recorded: Time
    by: Annotated[str | None, Meta(description="Null where withheld: who decides says as much.")]
    leaf: Annotated[str, Meta(description="The exact stored text, over which its hash is.")] | None
    values: Annotated[
        dict[str, str | None],
        Meta(description="Personal values by JSON pointer into the leaf; null where erased."),
    ] = {}
    withheld: Literal["blind-rule"] | None = None
    corrected_by: Annotated[
        tuple[int, ...],
        Meta(description="Of one fact asked for: what a reader must know too, by position."),
    ] = ()


class Change(Struct, frozen=True, kw_only=True):
    """What something was before a fact, and is after it."""

    before: str | None
    after: str | None


class Step(Struct, frozen=True, kw_only=True):
    """One fact of a loop, and what it changed, by name."""

    fact: FactShown
    changed: dict[str, Change]


class Timeline(Struct, frozen=True, kw_only=True):
    """Every fact of a loop in the order of the log."""

    loop: str
    steps: tuple[Step, ...]
    people: Annotated[dict[str, str], Meta(description="Your ids by handle.")]
    position: int


class FeedbackShown(Struct, frozen=True, kw_only=True):
    """One feedback with its amendments, and corrections of any of them."""

    feedback: FactShown
    amendments: tuple[FactShown, ...]
    corrections: tuple[FactShown, ...]
    people: dict[str, str]


def shown(known: list[Known], read: Read) -> list[FactShown]:
    """Facts with the values that are in them."""
    values = disclosed([k.row.leaf for k in known], read.group)
    return [
        FactShown(
            position=k.row.position,
            type=type_of(k.fact),
            at=k.fact.stamp.at,
            recorded=k.fact.stamp.recorded,
            by=k.fact.stamp.by,
            leaf=k.row.leaf.decode(),
            values=each,
        )
        for k, each in zip(known, values, strict=True)
    ]


def _open(read: Read, path: Path, clock: Clock | None, what: f.ReadingOf) -> LoopRead:
    """A loop for a reader who owes nothing in it; what they see is noted."""
    found = read.loop(path["loop"], clock)
    check_not_owing(read.reader, found.now)
    read.notes += notes_of_reading(read.reader, found.now, [k.recorded for k in found.rows], what)
    return found


def timeline(read: Read, path: Path, query: Clock) -> Timeline:
    """Every fact of a loop in order, with who, when and what it changed."""
    found = _open(read, path, query, "timeline")
    world, before = World(), dict[str, str | None]()
    changes: list[dict[str, Change]] = []
    for known in found.rows:
        world = evolve(world, known.recorded)
        loop = world.loops.get(found.now.handle)
        after = _summary(loop) if loop else {}
        changes.append(
            {
                name: Change(before=before.get(name), after=value)
                for name, value in after.items()
                if before.get(name) != value
            }
        )
        before = after
    facts = shown(found.rows, read)
    return Timeline(
        loop=found.now.handle,
        steps=tuple(Step(fact=s, changed=d) for s, d in zip(facts, changes, strict=True)),
        people=read.names(handles_in([k.recorded for k in found.rows])),
        position=read.group.head,
    )


def _summary(loop: Loop) -> dict[str, str | None]:
    """What a reader of a timeline wants to see change."""
    gate = loop.gate
    return {
        "stage": stage_of(loop),
        "plan": str(loop.plan.position) if loop.plan else None,
        "feedback_owed": str(len(loop.owes())),
        "gate": None if gate is None else ("stale" if loop.gate_stale else "passed"),
        "decision": loop.decision.fact.decision if loop.decision else None,
        "offer": loop.offers[-1].fact.status if loop.offers else None,
        "disposition": loop.closed.fact.disposition if loop.closed else None,
        "candidate": "erased" if loop.erased else None,
    }


def feedback(read: Read, path: Path, _: object) -> FeedbackShown:
    """One feedback; seeing somebody else's is recorded before it is shown."""
    found = read.loop(path["loop"])
    position = int(path["position"])
    mine = [k for k in found.rows if k.row.position == position]
    if not mine or not isinstance(mine[0].fact, f.FeedbackSubmitted):
        raise Missing("no feedback of this loop stands at this position")
    amended = [
        k for k in found.rows if isinstance(k.fact, f.FeedbackAmended) and k.fact.amends == position
    ]
    about = {position, *(k.row.position for k in amended)}
    corrections = [
        k for k in found.rows if isinstance(k.fact, f.FactCorrected) and k.fact.of in about
    ]
    if mine[0].fact.author != read.reader.person:
        check_not_owing(read.reader, found.now)
    elif owes(mine[0].fact.author, found.now):
        corrections = []  # another's words; the author reads back their own while they owe
    chosen = [*mine, *amended, *corrections]
    recorded = [k.recorded for k in chosen]
    read.notes += notes_of_reading(read.reader, found.now, recorded, "feedback")
    first, *others = shown(chosen, read)
    return FeedbackShown(
        feedback=first,
        amendments=tuple(others[: len(amended)]),
        corrections=tuple(others[len(amended) :]),
        people=read.names(handles_in(recorded)),
    )


TIMELINE: tuple[Readable, ...] = (
    get(
        "/v1/loops/{loop}/timeline",
        timeline,
        Timeline,
        tag="loops",
        roles=LOOP_READERS,
        query=Clock,
    ),
    get(
        "/v1/loops/{loop}/feedback/{position:int}",
        feedback,
        FeedbackShown,
        tag="feedback",
        roles=LOOP_READERS,
    ),
)
