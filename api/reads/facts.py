"""The log itself: facts by position, and what an earlier request recorded."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from api.answers import Written, answer
from api.problems import Problem, ProblemBody
from api.reading import Known, Read
from api.reads.base import EVERYONE, Path, Readable, get
from api.reads.timeline import FactShown, shown
from domain import commands as c
from domain import facts as f
from domain.codec import FACT_BY_TYPE, decode, types_of
from domain.evolve import fold
from domain.findings import Item
from domain.refusals import FeedbackOwed, Missing
from domain.state import Loop
from domain.tags import fact as fact_tag
from domain.tags import loop as loop_tag
from domain.values import POSITION_MAX
from ledger.asked import Done
from ledger.blind_rule import OPINIONS, notes_of_reading, withholds
from ledger.recorder import Row
from ledger.requests import Scope

FACTS_MAX = 1000
_SCANNED_MAX = 20_000
# What anyone with a role may read of the log: the organisation's own words.
_RUBRIC = f.RubricFact
_CORRECTED = types_of(f.FactCorrected)
_OfLoop = tuple[Loop, list[Known]]


class FactsQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which facts, from where, and how many."""

    after: Annotated[int, Meta(ge=0, le=POSITION_MAX)] = 0
    limit: Annotated[int, Meta(ge=1, le=FACTS_MAX)] = 100
    type: Annotated[str, Meta(pattern=r"^[a-z][a-z-]{0,60}\.v[0-9]{1,3}(?!\n)$")] | None = None
    loop: Annotated[str, Meta(pattern=r"^[!-.0-~]{1,128}(?!\n)$")] | None = None


class FactsPage(Struct, frozen=True, kw_only=True):
    """A page of the log; `next` is the `after` of the following page, or null at the end."""

    items: tuple[FactShown, ...]
    next: int | None
    position: int


def facts(read: Read, _: Path, query: FactsQuery) -> FactsPage:
    """The log in order: all of it, one loop, or one type."""
    found, looked = _select(read, query)
    items = _blind(found, read)
    if looked > query.after:
        # How far it looked, not what it found: that would tell of what is withheld.
        note = c.NoteRecordViewed(what="facts", first=query.after + 1, last=looked)
        read.notes.append(note)
    following = looked if looked < read.group.head else None
    return FactsPage(items=items, next=following, position=read.group.head)


def _select(read: Read, query: FactsQuery) -> tuple[list[Known], int]:
    """The facts of a page, and how far it looked for them."""
    if query.type is not None and query.type not in FACT_BY_TYPE:
        raise Missing("the vocabulary has no such type of fact")
    if query.loop is not None:
        handle = read.handle("loop", query.loop)
        types = (query.type,) if query.type else ()
        rows = read.group.select((Item(types=types, tags=(loop_tag(handle),)),))
        found = _findable([row for row in rows if row.position > query.after], read, query)
        looked = read.group.head
    else:
        found, looked = _scan(read, query)
    page = found[: query.limit]
    return page, page[-1].row.position if len(found) > query.limit else looked


def _scan(read: Read, query: FactsQuery) -> tuple[list[Known], int]:
    """Up to one more fact than asked for, and how far it looked: no request seeks for ever."""
    found: list[Known] = []
    position = query.after
    last = min(read.group.head, query.after + _SCANNED_MAX)
    while position < last and len(found) <= query.limit:
        upto = min(position + FACTS_MAX, last)
        rows = read.group.store.recorder.fetch(read.group.cur, range(position + 1, upto + 1))
        found += _findable([row for row in rows if query.type in (None, row.type)], read, query)
        position = upto
    return found[: query.limit + 1], position


def _findable(rows: list[Row], read: Read, query: FactsQuery) -> list[Known]:
    """Of what is withheld the type is not told either; found by its type, it would be."""
    known = [Known(row, decode(row.leaf)) for row in rows]
    if query.type is None:
        return known
    withheld = _withheld_in(list(_opinions(known, read)), read)
    return [k for k in known if k.row.position not in withheld]


def _blind(found: list[Known], read: Read) -> tuple[FactShown, ...]:
    """The facts, with opinions withheld in loops where this reader still owes feedback."""
    told_of = list(_opinions(found, read))
    withheld = _withheld_in(told_of, read)
    visible = [k for k in found if k.row.position not in withheld]
    _note(told_of, withheld, read)
    told = iter(shown(visible, read))
    return tuple(_withheld(k) if k.row.position in withheld else next(told) for k in found)


def note_opinions(visible: list[Known], read: Read) -> None:
    """Notes whose feedback is about to be shown, all of it."""
    _note(list(_opinions(visible, read)), set(), read)


def _note(told_of: list[_OfLoop], withheld: set[int], read: Read) -> None:
    for loop, opinions in told_of:
        shown_now = [k.recorded for k in opinions if k.row.position not in withheld]
        notes = notes_of_reading(read.reader, loop, shown_now, "facts")
        read.notes += [n for n in notes if isinstance(n, c.NoteFeedbackViewed)]


def _withheld_in(told_of: list[_OfLoop], read: Read) -> set[int]:
    """Positions of others' opinions in loops where this reader still owes feedback."""
    blind = [opinions for loop, opinions in told_of if withholds(read.reader, loop)]
    return {k.row.position for opinions in blind for k in opinions}


def _opinions(found: list[Known], read: Read) -> Iterator[_OfLoop]:
    """Each loop that is told of, with the opinions in it that are not the reader's own."""
    person = read.reader.person
    if person is None:
        return
    opinions = [k for k in found if isinstance(k.fact, OPINIONS)]
    for handle in {handle for k in opinions for handle in _about(k.fact)}:
        loop = _loop(handle, read)
        if loop is None:
            continue  # an imported case: nobody interviews in it here, so nobody owes anything
        mine = [k for k in opinions if handle in _about(k.fact)]
        yield loop, [k for k in mine if k.fact.stamp.by != person]


def blind_to(found: list[Known], read: Read) -> bool:
    """Whether any of these is a fact, of whatever type, of a loop in which this reader owes."""
    if read.reader.person is None:
        return False
    handles = {handle for k in found for handle in _about(k.fact)}
    loops = (_loop(handle, read) for handle in handles)
    return any(loop is not None and withholds(read.reader, loop) for loop in loops)


def _loop(handle: str, read: Read) -> Loop | None:
    """A loop as it stands; None for a case that was only imported."""
    return fold(read.facts(Item(tags=(loop_tag(handle),)))).loops.get(handle)


def _withheld(known: Known) -> FactShown:
    return FactShown(
        position=known.row.position,
        type=None,
        at=None,
        recorded=known.fact.stamp.recorded,
        by=None,
        leaf=None,
        withheld="blind-rule",
    )


def _loops_of(fact: f.AnyFact) -> tuple[str, ...]:
    """The loops that a fact is of: none, one, or each that an erased person had."""
    mark = loop_tag("")
    return tuple(tag.removeprefix(mark) for tag in fact.stamp.tags if tag.startswith(mark))


def _about(fact: f.AnyFact) -> tuple[str, ...]:
    """The loops that a fact is of, or that it tells of: what a retrospective found does."""
    return (*_loops_of(fact), *(fact.loops if isinstance(fact, f.FindingRecorded) else ()))


def one_fact(read: Read, path: Path, _: object) -> FactShown:
    """One fact by its position."""
    position = int(path["position"])
    rows = read.group.store.recorder.fetch(read.group.cur, [position])
    if not rows or position > read.group.head:
        raise Missing("no fact at this position, or not for this reader")
    known = Known(rows[0], decode(rows[0].leaf))
    _check_one(known, read)
    (told,) = _blind([known], read)
    if told.withheld:
        raise FeedbackOwed("you still owe feedback in this loop: submit it first, then read on")
    if isinstance(known.fact, f.PersonRegistered) and not _may_know_names(known, read):
        told = replace(told, values={})
    corrections = read.facts(Item(types=_CORRECTED, tags=(fact_tag(position),)))
    told = replace(told, corrected_by=tuple(one.position for one in corrections))
    if "auditor" in read.reader.roles:
        note = c.NoteRecordViewed(what="facts", first=position, last=position)
        read.notes.append(note)
    return told


def _check_one(known: Known, read: Read) -> None:
    """An auditor reads any fact, its author reads it back, everyone reads the rubric."""
    fact, roles = known.fact, read.reader.roles
    if "auditor" in roles or (read.reader.person and fact.stamp.by == read.reader.person):
        return
    if isinstance(fact, _RUBRIC):
        return
    if isinstance(fact, f.KeyIssued | f.KeyRevoked | f.PersonRegistered):
        if "administrator" in roles:
            return
    elif handles := _loops_of(fact):
        read.loop(handles[0])
        return
    raise Missing("no fact at this position, or not for this reader")


def _may_know_names(known: Known, read: Read) -> bool:
    """An administrator handles people without reading personal text, their names included."""
    author = read.reader.person is not None and known.fact.stamp.by == read.reader.person
    return "auditor" in read.reader.roles or author


class RequestShown(Struct, frozen=True, kw_only=True):
    """What an earlier write of this caller recorded; the answer is as it was, without secrets."""

    status: int
    answer: Written | None
    problem: ProblemBody | None


class RequestQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which request, where its key does not fit into a path."""

    key: Annotated[str, Meta(pattern=r"^[!-~]{1,255}(?!\n)$")]


def request_in_path(read: Read, path: Path, _: object) -> RequestShown:
    """What an earlier request with this key recorded, for a caller who lost the answer."""
    return _earlier(read, path["key"])


def request_by_query(read: Read, _: Path, query: RequestQuery) -> RequestShown:
    """The same, for a key that does not fit into a path, such as one with a slash."""
    return _earlier(read, query.key)


def _earlier(read: Read, key: str) -> RequestShown:
    caller = read.reader.caller
    scope = Scope(caller.key_id, caller.actor)
    spent = read.group.store.requests.locate(read.group.cur, scope, key)
    if spent is None:
        raise Missing("no request of this caller recorded anything under this key")
    done = Done(tuple(read.group.at(spent.positions)), spent.cause, replayed=True)
    try:
        written, _location = answer(done)
    except Problem as problem:
        return RequestShown(status=problem.status, answer=None, problem=problem.told(done.cause))
    return RequestShown(status=201, answer=written, problem=None)


FACTS: tuple[Readable, ...] = (
    get(
        "/v1/facts",
        facts,
        FactsPage,
        tag="facts",
        roles=("auditor",),
        query=FactsQuery,
        also=(404,),
    ),
    get("/v1/facts/{position:int}", one_fact, FactShown, tag="facts", roles=EVERYONE),
    get("/v1/requests/{key}", request_in_path, RequestShown, tag="facts", roles=EVERYONE),
    get(
        "/v1/requests",
        request_by_query,
        RequestShown,
        tag="facts",
        roles=EVERYONE,
        query=RequestQuery,
        also=(404,),
    ),
)
