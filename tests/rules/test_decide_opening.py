"""Opening a loop, planning it, and telling the candidate and one another what to expect."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Found
from domain.refusals import Exists, Forbidden, Meaningless, Missing, RefusedByRule
from examples_early import OPENED
from scenario import given

OPENING = c.OpenLoop(
    id=s.LOOP,
    requisition=s.REQUISITION,
    candidate=c.CandidateSpec(id=s.CANDIDATE, name="Cam Example", email="cam@example.org"),
    scorecard=s.CARD,
    posting=s.POSTING,
)
RUBRIC = (s.SCORECARD_VERSIONED, s.POSTING_VERSIONED, s.POLICY_SET_ADOPTED)
TO_OPEN = (s.REQUISITION_OPENED, *RUBRIC)

DESIGN = c.SessionSpec(
    id="design",
    stage="onsite",
    kind="panel",
    competencies=("framing", "safety"),
    prompts=(s.RAG,),
    interviewers=(s.ANA, s.BEN),
    minutes=60,
)
PLAN = c.PlanLoop(loop=s.LOOP, sessions=(DESIGN,))
TO_PLAN = (s.SCORECARD_VERSIONED, s.PROMPT_VERSIONED, *OPENED)
PLANNED = replace(s.LOOP_PLANNED, sessions=(s.DESIGN_SESSION,))
STANDARD = replace(s.STANDARD_SET, sessions=s.STANDARD_SET.sessions[:1])


def test_a_loop_for_a_candidate_without_a_name_keeps_none() -> None:
    """Name and address are the caller's to give."""
    given(*TO_OPEN).when(replace(OPENING, candidate=c.CandidateSpec(id=s.CANDIDATE))).then(
        replace(s.LOOP_OPENED, name=None, email=None)
    )


def test_a_loop_pins_the_policy_set_adopted_last() -> None:
    """Whatever is adopted later does not change by what this loop is judged."""
    newer = replace(s.POLICY_SET_ADOPTED, policy_set="strict", version=4)
    given(*TO_OPEN, newer).when(OPENING).then(
        replace(s.LOOP_OPENED, policy_set=f.Ref(id="strict", version=4))
    )


def test_a_loop_is_opened_once() -> None:
    """Its id is then taken."""
    given(*TO_OPEN, s.LOOP_OPENED).when(OPENING).refused(Exists, "a loop has this id already")


def test_a_loop_on_an_unknown_requisition_is_not_found() -> None:
    """The requisition is opened first."""
    given(*RUBRIC).when(OPENING).refused(
        Missing, "no such requisition; open it first", "/requisition"
    )


@pytest.mark.parametrize(
    "before",
    [(s.REQUISITION_OPENED,), (s.REQUISITION_OPENED, s.SCORECARD_VERSIONED)],
    ids=["no-scorecard", "other-version"],
)
def test_a_loop_pins_a_scorecard_version_that_exists(before: tuple[f.AnyFact, ...]) -> None:
    """Nobody is judged by a scorecard that nobody wrote."""
    given(*before).when(replace(OPENING, scorecard=f.Ref(id="ml-engineer", version=9))).refused(
        Missing, "no such version of this scorecard", "/scorecard"
    )


def test_a_loop_pins_a_posting_version_that_exists() -> None:
    """The candidate read some posting."""
    given(s.REQUISITION_OPENED, s.SCORECARD_VERSIONED).when(OPENING).refused(
        Missing, "no such version of this posting", "/posting"
    )


def test_a_loop_cannot_pin_the_posting_of_another_requisition() -> None:
    """The candidate applied for this requisition."""
    content = replace(s.POSTING_CONTENT, requisition="ml-paris")
    other = replace(s.POSTING_VERSIONED, content=content)
    given(s.REQUISITION_OPENED, s.SCORECARD_VERSIONED, other).when(OPENING).refused(
        Meaningless, "this posting is for another requisition", "/posting"
    )


def test_no_loop_is_opened_before_any_policy_set_is_adopted() -> None:
    """A loop without rules could not be judged."""
    outcome = given(*TO_OPEN[:3]).when(OPENING)
    outcome.refused(RefusedByRule, "no policy set is adopted")


@pytest.mark.parametrize("status", ["filled", "cancelled"])
def test_no_loop_is_opened_on_a_requisition_that_is_not_open(status: f.RequisitionStatus) -> None:
    """There is nothing to hire for."""
    changed = replace(s.REQUISITION_CHANGED, status=status)
    given(*TO_OPEN, changed).when(OPENING).then_by_state(
        Found(
            message="the requisition is not open",
            cure="reopen the requisition first",
            positions=(5,),
        )
    )


def test_a_retired_scorecard_cannot_be_pinned() -> None:
    """A version taken out of use judges nobody new."""
    given(*TO_OPEN, s.SCORECARD_RETIRED).when(OPENING).then_by_state(
        Found(
            message="this scorecard version is retired",
            cure="pin a version in use",
            positions=(5,),
        )
    )


def test_a_version_beside_a_retired_one_can_be_pinned() -> None:
    """Retiring is about one version."""
    retired = replace(s.SCORECARD_RETIRED, version=2)
    second = replace(s.SCORECARD_VERSIONED, version=2)
    given(*TO_OPEN, second, retired).when(OPENING).then(s.LOOP_OPENED)


def test_everything_against_opening_is_said_at_once() -> None:
    """Whoever cures one thing is not sent back for the next."""
    changed = replace(s.REQUISITION_CHANGED, status="filled")
    drafted = given(*TO_OPEN, changed, s.SCORECARD_RETIRED).when(OPENING).draft()
    assert [found.positions for found in drafted.state_findings] == [(5,), (6,)]


def test_the_first_plan_of_a_requisition_sets_its_standard() -> None:
    """Later candidates are to get the same prompts and minutes."""
    given(*TO_PLAN).when(PLAN).then(PLANNED, STANDARD)


def test_the_second_plan_of_a_requisition_does_not_move_the_standard() -> None:
    """Neither a replanning nor another candidate's plan changes what all candidates get."""
    given(*TO_PLAN, PLANNED, STANDARD).when(PLAN).then(PLANNED)


def test_an_interviewer_named_twice_interviews_once() -> None:
    """Whoever interviews a session owes one feedback on it."""
    twice = replace(DESIGN, interviewers=(s.ANA, s.BEN, s.ANA))
    given(*TO_PLAN, STANDARD).when(replace(PLAN, sessions=(twice,))).then(PLANNED)


def test_two_sessions_of_a_plan_have_two_ids() -> None:
    """Reports say by id which session they are about."""
    given(*TO_PLAN).when(replace(PLAN, sessions=(DESIGN, DESIGN))).refused(
        Meaningless, "two sessions have one id", "/sessions/1/id"
    )


def test_a_plan_looks_for_competencies_of_the_pinned_scorecard() -> None:
    """What is not on the scorecard is not looked for."""
    other = replace(DESIGN, id="coding", competencies=("framing", "charm"))
    given(*TO_PLAN).when(replace(PLAN, sessions=(DESIGN, other))).refused(
        Meaningless, "the pinned scorecard has no such competency", "/sessions/1/competencies/1"
    )


@pytest.mark.parametrize("version", [2, 1], ids=["other-version", "other-prompt"])
def test_a_plan_names_prompts_that_exist(version: int) -> None:
    """A prompt is written before it is planned."""
    ref = f.Ref(id="rag-design" if version == 2 else "rag-twin", version=version)
    given(*TO_PLAN).when(replace(PLAN, sessions=(replace(DESIGN, prompts=(s.RAG, ref)),))).refused(
        Missing, "no such version of this prompt", "/sessions/0/prompts/1"
    )


def test_a_closed_loop_is_not_planned() -> None:
    """It is reopened first."""
    given(*TO_PLAN, later.CLOSED).when(PLAN).then_by_state(
        Found(message="the loop is closed", cure="reopen it first", positions=(5,))
    )


def test_a_reopened_loop_is_planned_again() -> None:
    """Reopening undoes the closing, not what came before."""
    given(*TO_PLAN, STANDARD, later.CLOSED, later.REOPENED).when(PLAN).then(PLANNED)


def test_a_plan_is_made_by_the_team() -> None:
    """An interviewer with the hiring manager's role elsewhere does not plan this loop."""
    given(*TO_PLAN, PLANNED).when(PLAN, by=s.ANA, roles=("hiring_manager", "interviewer")).refused(
        Forbidden,
        "this person is neither named by the requisition's team nor an interviewer of this loop; "
        "change the team, the plan or the replacement first",
    )


@pytest.mark.parametrize("person", [s.ANA, s.STRANGER], ids=["planned", "not-yet-planned"])
def test_any_interviewer_discloses_how_they_know_the_candidate(person: str) -> None:
    """One may say so before one is planned; it is about the person who says it."""
    given(*OPENED).when(c.DiscloseRelationship(loop=s.LOOP, relationship="family"), by=person).then(
        f.RelationshipDisclosed(
            stamp=s.stamp(tags.loop(s.LOOP), by=person),
            loop=s.LOOP,
            person=person,
            relationship="family",
        )
    )
