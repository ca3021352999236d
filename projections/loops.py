"""Loop state: where each loop stands, one row a loop. Handles, slugs, times; nothing personal.

A loop that a batch touches is folded anew from its own facts, by the same code that decides on it,
so the row cannot say anything else than the record. Who may see a loop is kept in two parts: its
interviewers in its row, and the requisition's team, which changes for many loops at once, once.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain import facts as f
from domain import tags
from domain.boundary import LOOP_TYPES
from domain.codec import Recorded, decode, types_of
from domain.decide.entitled import interviewers_of
from domain.evolve import fold
from domain.summary import Stage, decision_of, stage_of
from ledger.blind_rule import blind_in, told_to_the_blind
from ledger.log import Row
from projections._projection import Projection, Site

FOLDED_MAX: Final = 200
"""Loops whose facts are in memory at a time."""

_LOOPS: Final = """
create table {loops} (
    loop text primary key,
    opened bigint not null unique,
    requisition text not null,
    candidate text not null,
    stage text not null,
    stage_open text not null,
    opened_at timestamptz not null,
    last_at timestamptz not null,
    decide_by timestamptz,
    scorecard text not null,
    scorecard_version integer not null,
    posting text not null,
    posting_version integer not null,
    policy_set text not null,
    policy_set_version integer not null,
    gate bigint,
    gate_stale boolean not null,
    decision text,
    decision_position bigint,
    decision_conforming boolean,
    disposition text,
    erased bigint,
    owed_sessions text[] not null,
    owed_by text[] not null,
    interviewers text[] not null,
    blind text[] not null,
    position bigint not null,
    last_at_open timestamptz not null,
    position_open bigint not null
);
create index on {loops} (requisition, opened);
create index on {loops} (candidate);
create index on {loops} (stage, opened);
create index on {loops} using gin (owed_by);
create index on {loops} using gin (interviewers);
"""
_TEAMS: Final = """
create table {loop_teams} (
    requisition text primary key,
    people text[] not null,
    position bigint not null
);
create index on {loop_teams} using gin (people);
"""
# The positions pass through an array, so that facts are looked up by their key.
_FACTS_OF: Final = """
select position, tags, leaf from {facts}
where position = any(array(
    select position from {fact_tags} where tag = any(%s) and position <= %s
)) and type = any(%s)
order by position
"""
_FORGET: Final = "delete from {loops} where loop = any(%s)"
_TELL: Final = "copy {loops} from stdin"
_TEAM: Final = """
insert into {loop_teams} (requisition, people, position) values (%s, %s, %s)
on conflict (requisition) do update set people = excluded.people, position = excluded.position
"""
_LOOP_TYPES: Final = frozenset(LOOP_TYPES)
_TEAM_TYPES: Final = frozenset(types_of(f.RequisitionOpened, f.RequisitionChanged))
_IN_LOOP: Final = tags.loop("")


class LoopRow(NamedTuple):
    """What is told of a loop, in the order of the table's columns.

    `opened` and `position` are those of its first and its last fact that matters: who reads it, or
    is refused something, changes nothing. `opened_at` and `last_at` are when its first and its
    latest thing happened, as claimed. `owed_sessions[i]` is owed feedback by `owed_by[i]`. `blind`
    are those who may not know of opinions: `stage_open`, `last_at_open` and `position_open` say how
    far the loop has come for them.
    """

    loop: str
    opened: int
    requisition: str
    candidate: str
    stage: Stage
    stage_open: Stage
    opened_at: datetime
    last_at: datetime
    decide_by: datetime | None
    scorecard: str
    scorecard_version: int
    posting: str
    posting_version: int
    policy_set: str
    policy_set_version: int
    gate: int | None
    gate_stale: bool
    decision: f.Recommend | None
    decision_position: int | None
    decision_conforming: bool | None
    disposition: f.Disposition | None
    erased: int | None
    owed_sessions: list[str]
    owed_by: list[str]
    interviewers: list[str]
    blind: list[str]
    position: int
    last_at_open: datetime
    position_open: int


def withheld_from(row: LoopRow, person: str | None) -> bool:
    """Whether this person owes feedback in the loop."""
    return person in row.blind


def told_to(row: LoopRow, person: str | None) -> LoopRow:
    """The row as this person may know it: without gate, decision and ending where they owe."""
    if not withheld_from(row, person):
        return row
    return row._replace(
        stage=row.stage_open,
        last_at=row.last_at_open,
        position=row.position_open,
        gate=None,
        gate_stale=False,
        decision=None,
        decision_position=None,
        decision_conforming=None,
        disposition=None,
    )


def apply(cur: Cursor[TupleRow], batch: Sequence[Row], site: Site) -> None:
    """Bring teams and loops from before the batch to after it."""
    for row in batch:
        if row.type in _TEAM_TYPES:
            _write_team(cur, row, site)
    touched = list(
        dict.fromkeys(tag for row in batch if row.type in _LOOP_TYPES for tag in _loop_tags(row))
    )
    for start in range(0, len(touched), FOLDED_MAX):
        some = touched[start : start + FOLDED_MAX]
        _write_loops(cur, _folded(cur, some, batch[-1].position, site), site)


def row_of(handle: str, known: Sequence[Recorded]) -> LoopRow:
    """The row of a loop as of the last of its facts."""
    loop = fold(known).loops[handle]
    told = told_to_the_blind(known)
    bare = fold(told).loops[handle]
    opened, owed = loop.opened.fact, loop.owes()
    decision, gate, closed = decision_of(loop), loop.gate, loop.closed
    return LoopRow(
        loop=loop.handle,
        opened=loop.opened.position,
        requisition=opened.requisition,
        candidate=opened.candidate,
        stage=stage_of(loop),
        stage_open=stage_of(bare),
        opened_at=opened.stamp.at,
        last_at=max(one.fact.stamp.at for one in known),
        decide_by=loop.notices[-1].fact.decide_by if loop.notices else None,
        scorecard=opened.scorecard.id,
        scorecard_version=opened.scorecard.version,
        posting=opened.posting.id,
        posting_version=opened.posting.version,
        policy_set=opened.policy_set.id,
        policy_set_version=opened.policy_set.version,
        gate=gate.position if gate else None,
        gate_stale=loop.gate_stale,
        decision=decision.fact.decision if decision else None,
        decision_position=decision.position if decision else None,
        decision_conforming=isinstance(decision.fact, f.DecisionMade) if decision else None,
        disposition=closed.fact.disposition if closed else None,
        erased=loop.erased.position if loop.erased else None,
        owed_sessions=[session for session, _ in owed],
        owed_by=[person for _, person in owed],
        interviewers=sorted(interviewers_of(loop)),
        blind=list(blind_in(loop)),
        position=loop.positions[-1],
        last_at_open=max(one.fact.stamp.at for one in told),
        position_open=bare.positions[-1],
    )


def _folded(cur: Cursor[TupleRow], loops: Sequence[str], upto: int, site: Site) -> list[LoopRow]:
    """The rows of these loops, which are given by their tags, as of a position."""
    facts: dict[str, list[Recorded]] = {tag: [] for tag in loops}
    given = [list(loops), upto, list(LOOP_TYPES)]
    for position, found, leaf in cur.execute(site.text(_FACTS_OF), given, binary=True):
        # An erasure is a fact of each loop that the person had.
        for tag in facts.keys() & set(found):
            facts[tag].append(Recorded(position, decode(leaf)))
    # An imported case has the tag of a loop and its erasure too, but nobody opened it.
    return [
        row_of(tag.removeprefix(_IN_LOOP), known)
        for tag, known in facts.items()
        if any(isinstance(one.fact, f.LoopOpened) for one in known)
    ]


def _write_loops(cur: Cursor[TupleRow], rows: Sequence[LoopRow], site: Site) -> None:
    cur.execute(site.text(_FORGET), [[row.loop for row in rows]])
    with cur.copy(site.text(_TELL)) as copy:
        for row in rows:
            copy.write_row(row)


def _write_team(cur: Cursor[TupleRow], row: Row, site: Site) -> None:
    fact = decode(row.leaf)
    if isinstance(fact, f.RequisitionOpened | f.RequisitionChanged):
        people = list(fact.content.team.people())
        cur.execute(site.text(_TEAM), [fact.requisition, people, row.position])


def _loop_tags(row: Row) -> Iterator[str]:
    return (tag for tag in row.tags if tag.startswith(_IN_LOOP))


LOOPS: Final = Projection(
    name="loops",
    version=4,
    types=_LOOP_TYPES | _TEAM_TYPES,
    tables={"loops": _LOOPS, "loop_teams": _TEAMS},
    apply=apply,
)
