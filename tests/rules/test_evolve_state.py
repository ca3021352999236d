"""What the state answers: sessions and who owes feedback, gates, decisions, and the rubric."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import facts as f
from domain.codec import Recorded
from domain.evolve import fold
from domain.state import Loop, World


def world_of(*facts: f.AnyFact) -> World:
    """The state after these facts, from position 1."""
    return fold(Recorded(position, fact) for position, fact in enumerate(facts, 1))


def loop_of(*facts: f.AnyFact) -> Loop:
    """The story's loop, opened at position 1, after these facts."""
    return world_of(s.LOOP_OPENED, *facts).loops[s.LOOP]


PLAN = s.LOOP_PLANNED
DESIGN_ONLY = replace(PLAN, sessions=(s.DESIGN_SESSION,))
DESIGN_OWED = (("design", s.ANA), ("design", s.BEN))
TASK_OWED = (("task", s.BEN),)
HELD = later.SESSION_COMPLETED
TO_CAY = later.INTERVIEWER_REPLACED
CAY_TO_ANA = replace(TO_CAY, replaced=s.CAY, replacement=s.ANA)
BY_BEN = replace(later.FEEDBACK_SUBMITTED, author=s.BEN)
TASK_BY_BEN = replace(BY_BEN, session="task")


def test_a_loop_without_a_plan_owes_nothing() -> None:
    """Nobody was asked to interview."""
    loop = loop_of()
    assert loop.plan is None
    assert loop.planned == ()
    assert loop.session("design") is None
    assert loop.interviewers("design") == ()
    assert loop.owes() == ()


@pytest.mark.parametrize(
    ("facts", "owed"),
    [
        ((PLAN,), DESIGN_OWED + TASK_OWED),
        ((PLAN, HELD), DESIGN_OWED + TASK_OWED),
        ((PLAN, later.FEEDBACK_SUBMITTED), (("design", s.BEN), ("task", s.BEN))),
        ((PLAN, later.FEEDBACK_SUBMITTED, BY_BEN, TASK_BY_BEN), ()),
        ((PLAN, DESIGN_ONLY), DESIGN_OWED),
        ((PLAN, later.SESSION_CANCELLED), TASK_OWED),
        ((PLAN, later.NO_SHOW), TASK_OWED),
        ((PLAN, later.SESSION_CANCELLED, HELD), DESIGN_OWED + TASK_OWED),
        ((PLAN, HELD, later.NO_SHOW), DESIGN_OWED + TASK_OWED),
        ((PLAN, later.SESSION_CANCELLED, DESIGN_ONLY), DESIGN_OWED),
        ((PLAN, later.NO_SHOW, DESIGN_ONLY), DESIGN_OWED),
        ((DESIGN_ONLY, TO_CAY), (("design", s.ANA), ("design", s.CAY))),
        ((DESIGN_ONLY, TO_CAY, BY_BEN), (("design", s.ANA), ("design", s.CAY))),
        ((DESIGN_ONLY, TO_CAY, CAY_TO_ANA), (("design", s.ANA),)),
        ((DESIGN_ONLY, TO_CAY, DESIGN_ONLY), DESIGN_OWED),
    ],
    ids=[
        "planned",
        "held",
        "one-wrote",
        "all-wrote",
        "replanned",
        "cancelled",
        "no-show",
        "held-after-all",
        "held-without-one",
        "cancelled-and-planned-again",
        "no-show-and-planned-again",
        "replaced",
        "replaced-who-wrote",
        "replaced-by-a-colleague",
        "replaced-and-planned-again",
    ],
)
def test_feedback_is_owed_by_whoever_is_to_interview_and_has_not_written(
    facts: tuple[f.AnyFact, ...], owed: tuple[tuple[str, str], ...]
) -> None:
    """Called-off sessions owe none; the latest plan says anew who interviews what."""
    assert loop_of(*facts).owes() == owed


def test_a_session_is_found_in_the_latest_plan_that_had_it() -> None:
    """What was dropped from the plan can still be reported as it was planned."""
    longer = replace(s.DESIGN_SESSION, minutes=90)
    loop = loop_of(PLAN, replace(PLAN, sessions=(longer,)))
    assert loop.session("design") == longer
    assert loop.session("task") == s.TASK_SESSION
    assert loop.planned == (longer,)
    assert loop.plan is not None
    assert loop.plan.position == 3


def test_the_first_report_of_a_session_counts() -> None:
    """A session reported again does not end later than was said at first: lateness stays."""
    again = replace(HELD, attendees=(s.CAY,))
    loop = loop_of(PLAN, HELD, again)
    found = loop.completed("design")
    assert found is not None
    assert (found.position, found.fact) == (3, HELD)
    assert loop.completed("task") is None


def test_a_replacement_in_one_session_leaves_the_others() -> None:
    """Whoever is away one day is there the other."""
    loop = loop_of(PLAN, TO_CAY)
    assert loop.interviewers("design") == (s.ANA, s.CAY)
    assert loop.interviewers("task") == (s.BEN,)


MOVED: dict[str, f.AnyFact] = {
    "feedback": later.FEEDBACK_SUBMITTED,
    "amendment": later.FEEDBACK_AMENDED,
    "plan": PLAN,
}
STILL: dict[str, f.AnyFact] = {
    "view": later.FEEDBACK_VIEWED,
    "reference": later.REFERENCE_RECORDED,
    "statement": later.STATEMENT_RECORDED,
    "refused gate": later.GATE_REFUSED,
    "recommendation": later.RECOMMENDED,
}


@pytest.mark.parametrize("fact", MOVED.values(), ids=MOVED)
def test_a_gate_is_stale_once_its_evidence_moved(fact: f.AnyFact) -> None:
    """It was passed on other evidence; passing it again makes it fresh."""
    assert not loop_of(fact, later.GATE_PASSED).gate_stale
    assert loop_of(later.GATE_PASSED, fact).gate_stale
    assert loop_of(fact, later.GATE_PASSED, fact).gate_stale
    assert not loop_of(later.GATE_PASSED, fact, later.GATE_PASSED).gate_stale


def test_a_relationship_moves_the_gate_only_of_somebody_who_wrote() -> None:
    """What a stranger discloses cannot have changed who counts; what an author does can."""
    written, author = later.FEEDBACK_SUBMITTED, later.FEEDBACK_SUBMITTED.author
    theirs = replace(s.RELATIONSHIP_DISCLOSED, person=author)
    others = replace(s.RELATIONSHIP_DISCLOSED, person=s.STRANGER)
    assert loop_of(written, later.GATE_PASSED, theirs).gate_stale
    assert not loop_of(written, later.GATE_PASSED, others).gate_stale
    assert not loop_of(written, theirs, later.GATE_PASSED).gate_stale


@pytest.mark.parametrize("fact", STILL.values(), ids=STILL)
def test_a_gate_stays_fresh_while_its_evidence_stands(fact: f.AnyFact) -> None:
    """Reading, talking and recommending add no evidence of interviewers."""
    assert not loop_of(later.GATE_PASSED, fact).gate_stale


def test_a_loop_without_a_gate_has_none_and_it_is_not_stale() -> None:
    """A refused attempt is no gate."""
    loop = loop_of(later.GATE_REFUSED, *MOVED.values())
    assert loop.gate is None
    assert not loop.gate_stale


REVERSED = replace(later.DECISION_REVERSED, reverses=2)


@pytest.mark.parametrize(
    ("facts", "position"),
    [
        ((), None),
        ((later.DECISION_REFUSED, later.DECISION_OBSERVED), None),
        ((later.DECISION_MADE,), 2),
        ((later.DECISION_MADE, REVERSED), None),
        ((later.DECISION_MADE, REVERSED, later.DECISION_MADE), 4),
        (
            (later.DECISION_MADE, REVERSED, later.DECISION_MADE, replace(REVERSED, reverses=4)),
            None,
        ),
    ],
    ids=["none", "not-ours", "made", "reversed", "made-anew", "reversed-again"],
)
def test_the_decision_in_force_is_the_latest_not_taken_back(
    facts: tuple[f.AnyFact, ...], position: int | None
) -> None:
    """A reversal undoes the decision it names and no other."""
    decision = loop_of(*facts).decision
    assert (decision.position if decision else None) == position


def test_a_closing_stands_until_the_loop_is_reopened() -> None:
    """The latest closing counts, if nothing was reopened since."""
    assert loop_of().closed is None
    first = loop_of(later.CLOSED)
    assert first.closed is not None
    assert first.closed.position == 2
    assert loop_of(later.CLOSED, later.REOPENED).closed is None
    again = loop_of(later.CLOSED, later.REOPENED, later.CLOSED)
    assert again.closed is not None
    assert again.closed.position == 4
    assert loop_of(later.CLOSED, later.REOPENED, later.CLOSED, later.REOPENED).closed is None


def test_a_withdrawal_stands_until_the_loop_is_reopened() -> None:
    """Whoever came back has not withdrawn."""
    assert not loop_of().withdrawn
    assert loop_of(later.WITHDREW).withdrawn
    assert not loop_of(later.WITHDREW, later.CLOSED, later.REOPENED).withdrawn
    gone_again = (later.WITHDREW, later.CLOSED, later.REOPENED, later.WITHDREW)
    assert loop_of(*gone_again).withdrawn
    assert not loop_of(*gone_again, later.CLOSED, later.REOPENED).withdrawn


def test_ratings_are_those_last_amended() -> None:
    """An amendment changes the feedback it names and no other."""
    first = (f.Rated(competency="framing", rating=2),)
    second = (f.Rated(competency="framing", rating=3),)
    loop = loop_of(
        later.FEEDBACK_SUBMITTED,
        BY_BEN,
        replace(later.FEEDBACK_AMENDED, amends=2, ratings=first),
        replace(later.FEEDBACK_AMENDED, amends=2, ratings=second),
    )
    by_ana, by_ben = loop.feedback
    assert loop.ratings(by_ana) == second
    assert loop.ratings(by_ben) == later.RATED
    assert by_ana.fact.ratings == later.RATED


def test_a_requisition_stands_as_last_changed() -> None:
    """Its standard, exceptions and approvals are kept through changes."""
    world = world_of(
        s.REQUISITION_OPENED,
        s.SCORECARD_VERSIONED,
        s.STANDARD_SET,
        s.SCORECARD_APPROVED,
        later.REQUISITION_EXCEPTION_GRANTED,
        replace(s.REQUISITION_CHANGED, content=replace(s.CONTENT, title="Lead")),
    )
    requisition = world.requisitions[s.REQUISITION]
    assert (requisition.content.title, requisition.status) == ("Lead", "filled")
    assert requisition.latest == 6
    assert requisition.standard is not None
    assert requisition.standard.position == 3
    assert [one.position for one in requisition.exceptions] == [5]
    assert [one.position for one in requisition.approvals] == [4]
    assert [one.position for one in world.scorecards["ml-engineer"].approvals] == [4]


def test_an_approval_is_kept_where_its_scorecard_or_requisition_was_read() -> None:
    """A reading that has only one of the two keeps it there, and nowhere else."""
    card_only = world_of(s.SCORECARD_VERSIONED, s.SCORECARD_APPROVED)
    assert len(card_only.scorecards["ml-engineer"].approvals) == 1
    assert card_only.requisitions == {}
    requisition_only = world_of(s.REQUISITION_OPENED, s.SCORECARD_APPROVED)
    assert len(requisition_only.requisitions[s.REQUISITION].approvals) == 1
    assert requisition_only.scorecards == {}


def test_a_second_of_anything_leaves_the_first() -> None:
    """Versions, approvals, retirements, exceptions and rules are added, never replaced."""
    twice = (
        later.REQUISITION_EXCEPTION_GRANTED,
        s.SCORECARD_APPROVED,
        s.SCORECARD_RETIRED,
        s.SCORECARD_VERSIONED,
        s.PROMPT_VERSIONED,
        s.POSTING_VERSIONED,
        s.POLICY_SET_ADOPTED,
        later.RECORD_IMPORTED,
        later.RECORD_VIEWED,
    )
    world = world_of(s.REQUISITION_OPENED, s.SCORECARD_VERSIONED, *twice, *twice[:3], *twice[4:])
    requisition, card = world.requisitions[s.REQUISITION], world.scorecards["ml-engineer"]
    for kept in (
        requisition.exceptions,
        requisition.approvals,
        card.approvals,
        card.retirements,
        card.versions,
        world.prompts["rag-design"],
        world.postings["ml-engineer-berlin"],
        world.policy_sets,
        world.imported,
        world.others,
    ):
        assert len(kept) == 2
        assert kept[0].position < kept[1].position


def test_versions_of_the_rubric_are_found_by_id_and_number() -> None:
    """What a loop pinned is found, and what nobody wrote is not."""
    world = world_of(
        s.SCORECARD_VERSIONED,
        s.SCORECARD_RETIRED,
        s.PROMPT_VERSIONED,
        s.POSTING_VERSIONED,
        s.POLICY_SET_ADOPTED,
    )
    for find, ref, position in (
        (world.scorecard, s.CARD, 1),
        (world.prompt, s.RAG, 3),
        (world.posting, s.POSTING, 4),
        (world.policy_set, s.POLICY_SET, 5),
    ):
        found = find(ref)
        assert found is not None
        assert found.position == position
        assert find(replace(ref, version=2)) is None
        assert find(replace(ref, id="other")) is None
    assert [one.position for one in world.scorecards["ml-engineer"].retirements] == [2]


def test_a_person_has_the_roles_given_last() -> None:
    """Roles replace roles."""
    fewer = replace(s.PERSON_REGISTERED, roles=("auditor",), name=None)
    person = world_of(s.PERSON_REGISTERED, fewer).people[s.ANA]
    assert (person.handle, person.roles, person.registered) == (s.ANA, ("auditor",), 2)


def test_a_key_is_valid_until_it_is_revoked() -> None:
    """The state keeps when it was issued and when it was revoked."""
    issued = world_of(s.KEY_ISSUED).keys[s.NEW_KEY]
    assert issued.revoked is None
    revoked = world_of(s.KEY_ISSUED, s.KEY_REVOKED).keys[s.NEW_KEY]
    assert (revoked.issued, revoked.revoked) == (issued.issued, 2)


def test_what_decides_nothing_is_kept_beside_the_loops() -> None:
    """Readings, corrections and retrospectives change no loop; imported records are their own."""
    world = world_of(
        s.LOOP_OPENED, later.RECORD_VIEWED, later.FACT_CORRECTED, later.RECORD_IMPORTED
    )
    assert [one.position for one in world.others] == [2, 3]
    assert [one.position for one in world.imported] == [4]
    assert world.loops[s.LOOP].positions == (1,)
    assert (world.head, world.last_recorded) == (4, s.NOW)
    assert world.loops[s.LOOP].handle == s.LOOP


def test_the_state_before_is_untouched_by_what_comes_after() -> None:
    """A state is a value: whoever holds one sees no later fact in it."""
    before = world_of(s.LOOP_OPENED, later.DEBRIEF_OPENED)
    kept = repr(before)
    fold([Recorded(3, later.DISSENT_RECORDED), Recorded(4, s.PERSON_REGISTERED)], before)
    assert repr(before) == kept
    assert repr(World()) == repr(world_of())
