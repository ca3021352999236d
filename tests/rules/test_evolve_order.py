"""Folding any log whose facts stand in an order that can happen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import story as s
import story_later as later
from domain import facts as f
from domain import tags
from domain.boundary import LOOP_TYPES, loop_items
from domain.codec import ALL_FACTS, Recorded, type_of
from domain.evolve import LOOP_FIELDS, evolve, fold
from domain.state import World
from golden import every_fact
from scenario import selected

NAMES: dict[str, tuple[str, ...]] = {
    "loop": (s.LOOP, s.OTHER_LOOP),
    "requisition": ("ml-berlin", "ml-paris"),
    "scorecard": ("ml-engineer", "starter"),
    "prompt": ("rag-design", "rag-twin"),
    "posting": ("ml-engineer-berlin",),
    "key": (s.KEY, s.NEW_KEY),
    "person": (s.ANA, s.BEN),
    "session": ("design", "task"),
}
"""Few names, so that facts drawn apart speak of the same things."""


EVERY_FACT = [*every_fact(), s.SERVICE_KEY_ISSUED, later.REQUISITION_EXCEPTION_GRANTED]


@st.composite
def about_few(draw: st.DrawFn) -> f.AnyFact:
    """A fact of any type, about one of few things, tagged with all that it names."""
    fact = draw(st.sampled_from(EVERY_FACT))
    changes = {
        field: draw(st.sampled_from(names))
        for field, names in NAMES.items()
        if getattr(fact, field, None) is not None
    }
    if isinstance(fact, f.ExceptionGranted) and fact.loop is not None:
        changes.pop("requisition")
        fact = replace(fact, requisition=None)
    words = tuple(f"{field}:{name}" for field, name in changes.items())
    return replace(fact, **changes, stamp=replace(fact.stamp, tags=words))


def may_follow(world: World, fact: f.AnyFact) -> bool:
    """Whether deciding would ever record the fact after these."""
    match fact:
        case f.RequisitionOpened():
            return fact.requisition not in world.requisitions
        case f.RequisitionChanged() | f.RequisitionStandardSet() | f.ExceptionGranted(loop=None):
            return fact.requisition in world.requisitions
        case f.ScorecardApproved():
            known = fact.requisition in world.requisitions
            return known and fact.scorecard in world.scorecards
        case f.ScorecardRetired():
            return fact.scorecard in world.scorecards
        case f.KeyRevoked():
            return fact.key in world.keys
        case f.HoldReleased():
            return fact.hold in world.holds
        case f.LoopOpened():
            return fact.loop not in world.loops
        case _:
            return type(fact) not in LOOP_FIELDS or getattr(fact, "loop", "") in world.loops


OPENINGS: tuple[f.AnyFact, ...] = (
    s.REQUISITION_OPENED,
    s.SCORECARD_VERSIONED,
    s.LOOP_OPENED,
    s.KEY_ISSUED,
    later.HOLD_PLACED,
)


def in_order(drawn: list[f.AnyFact]) -> tuple[Recorded, ...]:
    """The facts that may follow each other, at positions with gaps, as in one loop's reading."""
    log: list[Recorded] = []
    world = World()
    for number, fact in enumerate([*OPENINGS, *drawn]):
        if may_follow(world, fact):
            log.append(Recorded(3 * number + 1, fact))
            world = evolve(world, log[-1])
    return tuple(log)


logs = st.lists(about_few(), max_size=40).map(in_order)
DRAWN = settings(max_examples=100, deadline=None)


@DRAWN
@given(logs)
def test_any_log_in_order_can_be_folded(log: tuple[Recorded, ...]) -> None:
    """No fact that deciding can record stops a reading, and the state knows where it stands."""
    world = fold(log)
    assert world.head == log[-1].position
    assert world.last_recorded == log[-1].fact.stamp.recorded


@DRAWN
@given(logs, st.integers(0, 30))
def test_folding_in_two_steps_is_folding_in_one(log: tuple[Recorded, ...], cut: int) -> None:
    """A state can be kept and continued."""
    assert fold(log[cut:], fold(log[:cut])) == fold(log)


@DRAWN
@given(logs)
def test_a_loop_keeps_its_facts_each_in_its_place_and_in_order(log: tuple[Recorded, ...]) -> None:
    """Nothing that happened in a loop is lost, moved to another, or told twice."""
    for handle, loop in fold(log).loops.items():
        kept = [(loop.opened.position, loop.opened.fact)]
        for field in set(LOOP_FIELDS.values()):
            told = [(at.position, at.fact) for at in getattr(loop, field)]
            assert told == sorted(told, key=lambda one: one[0])
            kept += told
        own = [
            (one.position, one.fact)
            for one in log
            if getattr(one.fact, "loop", None) == handle
            and isinstance(one.fact, (f.LoopOpened, *LOOP_FIELDS))
        ]
        assert sorted(kept, key=lambda one: one[0]) == own
        assert loop.positions == tuple(position for position, _ in own)


@DRAWN
@given(logs)
def test_a_loop_read_by_its_boundary_is_the_loop_without_what_was_read_or_tried(
    log: tuple[Recorded, ...],
) -> None:
    """Reading a loop's evidence alone gives the same evidence as reading everything."""
    for handle, loop in fold(log).loops.items():
        own = [one for one in log if getattr(one.fact, "loop", None) == handle]
        tagged = [_tagged(one, tags.loop(handle)) for one in own]
        seen = fold(selected(tagged, loop_items(handle))).loops[handle]
        for kind, field in LOOP_FIELDS.items():
            expected = [at.position for at in getattr(loop, field)]
            read = [at.position for at in getattr(seen, field)]
            assert read == (expected if type_of(kind) in LOOP_TYPES else [])


def _tagged(one: Recorded, *words: str) -> Recorded:
    stamp = replace(one.fact.stamp, tags=words)
    return Recorded(one.position, replace(one.fact, stamp=stamp))


@DRAWN
@given(logs)
def test_whatever_happened_a_loop_can_be_asked_how_it_stands(log: tuple[Recorded, ...]) -> None:
    """Every question has an answer in every state, and the answers agree."""
    for loop in fold(log).loops.values():
        owed = loop.owes()
        assert all(person in loop.interviewers(session) for session, person in owed)
        assert loop.gate is not None or not loop.gate_stale
        assert loop.closed is None or loop.closed in loop.closings
        assert loop.decision is None or loop.decision in loop.decisions
        assert loop.withdrawn <= bool(loop.withdrawals)
        assert all(loop.ratings(written) for written in loop.feedback)
        assert all(loop.session(planned.id) is not None for planned in loop.planned)


def test_the_table_of_a_loops_facts_is_complete() -> None:
    """Each fact of a loop has one place in its state, but for the opening, which makes it."""
    of_loops = {*f.LoopFact.__args__, f.OutcomeRecorded}
    assert set(LOOP_FIELDS) == of_loops - {f.LoopOpened}
    assert len(set(LOOP_FIELDS.values())) == len(LOOP_FIELDS)


@pytest.mark.parametrize("kind", LOOP_FIELDS, ids=lambda kind: kind.__name__)
def test_every_place_in_a_loops_state_is_a_field(kind: type[f.Fact]) -> None:
    """A misspelt place would lose the fact."""
    loop = fold([Recorded(1, s.LOOP_OPENED)]).loops[s.LOOP]
    assert getattr(loop, LOOP_FIELDS[kind]) == ()


def test_every_kind_of_fact_is_in_some_log_of_these_tests() -> None:
    """The rules above keep out no kind of fact for ever."""
    world = fold(Recorded(position, fact) for position, fact in enumerate(OPENINGS, 1))
    after: set[type[f.Fact]] = {type(one) for one in EVERY_FACT if may_follow(world, one)}
    assert after | {f.RequisitionOpened, f.LoopOpened} == set(ALL_FACTS)


def test_a_requisition_that_changes_before_it_opens_is_no_log_of_ours() -> None:
    """Such a log was reordered: reading it stops."""
    with pytest.raises(ValueError, match="the log is out of order"):
        fold([Recorded(1, s.REQUISITION_CHANGED)])
