"""What is held about a candidate: told to themselves, in order, with what is withheld and why."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from api.pages.telling.say_also import also, found_on_arrival, receipts_of
from api.pages.telling.sentences import tell
from api.pages.telling.teller import Teller
from api.reading import Known, Read
from api.reads.base import Path, Readable, get
from api.reads.loops import Who
from api.reads.record_values import Value, Values, Withheld
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.boundary import candidate_items, hold_items, person_items
from domain.codec import Recorded, type_of
from domain.evolve import fold
from domain.findings import Finding, Item, Receipt
from domain.refusals import Missing
from domain.state import Hold, Loop
from domain.summary import Stage, stage_of
from domain.values import Position, Time, is_case
from ledger.blind_rule import check_not_owing, notes_of_reading
from ledger.personal.disclose import handles_in

_VIEWS = f.RecordViewed | f.FeedbackViewed
# Told apart from the story: who read it, and the holds over it.
_ASIDE = _VIEWS | f.HoldPlaced | f.HoldReleased
Status = Literal["held", "on_hold", "erased"]
_RETENTION: Final[dict[Status, str]] = {
    "held": "Kept until it is erased, which the person may ask for. Nothing stands in the way.",
    "on_hold": "Kept while a legal hold stands: until its release nothing of it may be erased.",
    "erased": "Erased: the words are gone for good. What happened, when and in which role stays.",
}


class Entry(Struct, frozen=True, kw_only=True):
    """One thing that is recorded: what, when, by whom in which role, and the words about them."""

    position: int
    type: str
    at: Annotated[Time, Meta(description="When it happened, as claimed.")]
    recorded: Time
    by: Annotated[str, Meta(description="By what they did; names are others' personal data.")]
    what: str
    details: tuple[str, ...] = ()
    cites: Annotated[
        tuple[int, ...], Meta(description="Positions of the facts that it says it rests on.")
    ] = ()
    judged: Annotated[
        tuple[Receipt, ...], Meta(description="Each rule that judged it, and what it found.")
    ] = ()
    findings: Annotated[
        tuple[Finding, ...], Meta(description="What rules found in its words on arrival.")
    ] = ()
    values: tuple[Value, ...] = ()


class LoopOnRecord(Struct, frozen=True, kw_only=True):
    """One application, from its opening on."""

    loop: Who
    requisition: str
    opened_at: Time
    stage: Stage
    entries: tuple[Entry, ...]


class Viewing(Struct, frozen=True, kw_only=True):
    """Somebody read about the person."""

    position: int
    at: Time
    by: str
    what: str
    loop: Annotated[
        str | None, Meta(description="The handle of the one application that was read.")
    ] = None
    cites: Annotated[
        tuple[int, ...], Meta(description="Positions of the feedback that was read.")
    ] = ()


class HoldOnRecord(Struct, frozen=True, kw_only=True):
    """A legal hold over the person; what the matter is about is withheld."""

    id: str
    status: Literal["standing", "released"]
    over: Annotated[
        Literal["person", "requisition"],
        Meta(description="Whether it names the person, or a requisition they applied for."),
    ]
    since: Time
    position: int
    entries: Annotated[tuple[Entry, ...], Meta(description="How it was placed, and released.")]


class CandidateRecord(Struct, frozen=True, kw_only=True):
    """Everything held about a candidate, in the order in which it was recorded."""

    candidate: Who
    status: Status
    retention: str
    erased: Position | None
    keys_vacuumed: Annotated[
        bool, Meta(description="Whether no erased key is left in the files of its table.")
    ]
    loops: tuple[LoopOnRecord, ...]
    further: Annotated[
        tuple[Entry, ...],
        Meta(description="What belongs to no one application, or was copied from elsewhere."),
    ]
    viewed: Annotated[tuple[Viewing, ...], Meta(description="Who read about the person, and when.")]
    holds: tuple[HoldOnRecord, ...]
    withheld: Annotated[tuple[Withheld, ...], Meta(description="What is not told here, and why.")]
    position: int


def candidate_record(read: Read, path: Path, _: object) -> CandidateRecord:
    """Everything held about a candidate, for a request of access; who reads it is noted."""
    handle = read.subject(path["candidate"])
    world = fold(read.facts(*candidate_items(handle)))
    # An imported case stands for whom it is about; a loop of ours has a candidate.
    if (world.loops and is_case(handle)) or not (world.loops or world.imported):
        raise Missing("no such candidate, or not for this reader")
    rows = {slug: read.rows(Item(tags=(tags.loop(slug),))) for slug in world.loops}
    loops = {slug: fold(k.recorded for k in rows[slug]).loops[slug] for slug in rows}
    _note(read, handle, loops, rows)

    told = {k.row.position: k for known in rows.values() for k in known}
    further = [k for k in read.rows(*_about(handle)) if k.row.position not in told]
    about = [*told.values(), *further]
    held = _holds(read, handle, loops)
    everything = list({k.row.position: k for k in (*about, *held)}.values())
    values = Values(handle, everything, read.group)
    holds = list(fold(k.recorded for k in held).holds.values())
    erased = world.erased.get(handle)
    status: Status = "held"
    if erased is not None:
        status = "erased"
    elif any(_stands(hold) for hold in holds):
        status = "on_hold"
    names = read.names({handle, *loops})
    tellers = {slug: _teller(read, loop, everything, values) for slug, loop in loops.items()}
    last = (
        tellers[next(reversed(tellers))]
        if tellers
        else _told_by(read, handle, everything, [], values)
    )
    return CandidateRecord(
        candidate=Who(handle=handle, id=names.get(handle)),
        status=status,
        retention=_RETENTION[status],
        erased=erased.position if erased else None,
        keys_vacuumed=read.group.store.erasures.pending(read.group.cur) is None,
        loops=tuple(
            LoopOnRecord(
                loop=Who(handle=slug, id=names.get(slug)),
                requisition=loop.opened.fact.requisition,
                opened_at=loop.opened.fact.stamp.at,
                stage=stage_of(loop),
                entries=_entries(rows[slug], tellers[slug], values),
            )
            for slug, loop in loops.items()
        ),
        further=_entries(further, last, values),
        viewed=_viewed(everything, last),
        holds=tuple(hold_on_record(hold, handle, held, last, values) for hold in holds),
        withheld=values.withheld(holds=bool(holds)),
        position=read.group.head,
    )


def _about(handle: str) -> tuple[Item, ...]:
    """Whatever is recorded under somebody's own tags, in no loop of theirs or in each."""
    case = (tags.loop(handle),) if is_case(handle) else ()
    about = (*case, tags.candidate(handle), tags.self_identification(handle))
    return tuple(Item(tags=(tag,)) for tag in about)


def _note(read: Read, handle: str, loops: dict[str, Loop], rows: dict[str, list[Known]]) -> None:
    """What is recorded before anything is shown; whoever owes feedback to the person is refused."""
    for slug, loop in loops.items():
        check_not_owing(read.reader, loop)
        notes = notes_of_reading(read.reader, loop, [k.recorded for k in rows[slug]], "candidate")
        read.notes += [one for one in notes if isinstance(one, c.NoteFeedbackViewed)]
    read.notes.append(c.NoteRecordViewed(what="candidate", candidate=handle, loops=tuple(loops)))


def _teller(read: Read, loop: Loop, everything: list[Known], values: Values) -> Teller:
    """The words in which a loop is told: people by what they did, never by name."""
    around = read.around(loop.opened.fact, loop)
    return _told_by(read, loop.handle, everything, around, values)


def _told_by(
    read: Read, loop: str, everything: list[Known], around: list[Recorded], values: Values
) -> Teller:
    recorded = [k.recorded for k in everything]
    staff = read.facts(*person_items(*handles_in(recorded)))
    facts = {one.position: one for one in (*recorded, *around, *staff)}
    return Teller([facts[at] for at in sorted(facts)], loop, values.shown)


def _entries(rows: Iterable[Known], teller: Teller, values: Values) -> tuple[Entry, ...]:
    return tuple(entry(k, teller, values) for k in rows if not isinstance(k.fact, _ASIDE))


def entry(known: Known, teller: Teller, values: Values) -> Entry:
    """All that a fact holds about the person; a test walks every member of every fact."""
    fact = known.fact
    told = tell(fact, teller)
    # Who answered for somebody is the referee's own; their relation alone may tell who it was.
    reference = isinstance(fact, f.ReferenceRecorded)
    return Entry(
        position=known.row.position,
        type=type_of(fact),
        at=fact.stamp.at,
        recorded=fact.stamp.recorded,
        by=teller.by(fact.stamp),
        what="A reference was recorded." if reference else told.sentence,
        details=(*(() if reference else told.points), *also(fact, teller)),
        cites=told.cites,
        judged=receipts_of(fact),
        findings=found_on_arrival(fact),
        values=values.of(known, teller),
    )


def _viewed(everything: Iterable[Known], teller: Teller) -> tuple[Viewing, ...]:
    views = [k for k in everything if isinstance(k.fact, _VIEWS)]
    return tuple(viewing(k, teller) for k in sorted(views, key=_position))


def viewing(known: Known, teller: Teller) -> Viewing:
    """Who read what about the person, and when."""
    told = tell(known.fact, teller)
    loop: str | None = getattr(known.fact, "loop", None)
    return Viewing(
        position=known.row.position,
        at=known.fact.stamp.at,
        by=teller.by(known.fact.stamp),
        what=told.sentence,
        loop=loop,
        cites=told.cites,
    )


def _position(known: Known) -> int:
    return known.row.position


def _holds(read: Read, handle: str, loops: dict[str, Loop]) -> list[Known]:
    """What was ever recorded of holds over the person or over a requisition of theirs."""
    slugs = {loop.opened.fact.requisition for loop in loops.values()}
    over = (tags.candidate(handle), *map(tags.requisition, sorted(slugs)))
    return read.rows(*hold_items(*over))


def _stands(hold: Hold) -> bool:
    return hold.released is None


def hold_on_record(
    hold: Hold, handle: str, held: Iterable[Known], teller: Teller, values: Values
) -> HoldOnRecord:
    """A hold with what is recorded of it; `held` has its facts."""
    placed = hold.placed.fact
    return HoldOnRecord(
        id=placed.hold,
        status="standing" if _stands(hold) else "released",
        over="person" if handle in placed.candidates else "requisition",
        since=placed.stamp.recorded,
        position=hold.placed.position,
        entries=tuple(
            entry(k, teller, values)
            for k in held
            if isinstance(k.fact, f.HoldPlaced | f.HoldReleased) and k.fact.hold == placed.hold
        ),
    )


RECORDS: tuple[Readable, ...] = (
    get(
        "/v1/candidates/{candidate}/record",
        candidate_record,
        CandidateRecord,
        tag="privacy",
        roles=("privacy_officer",),
    ),
)
