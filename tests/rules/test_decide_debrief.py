"""References, decisions at a stage, and the debate: statements, dissent, its end."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Found
from domain.refusals import Forbidden, Meaningless, RefusedByRule
from examples import of
from examples_early import OPENED, PLANNED, REASONS, TO_DECIDE, loop_at
from scenario import aside, given

OPENED_AT = loop_at(TO_DECIDE)
STAGE = c.DecideStage(
    loop=s.LOOP, stage="screening", outcome="advance", reasons=REASONS, cites=(OPENED_AT,)
)
STATEMENT = c.MakeStatement(loop=s.LOOP, text="She replaced the metric.", cites=(OPENED_AT,))
DISSENT = c.RecordDissent(loop=s.LOOP, text="The costs were guessed.", cites=(2,))
OUTSIDE = "a citation must name a fact of this loop"


def in_other_loop(fact: f.LoopOpened) -> f.LoopOpened:
    """Another candidate's loop for the same requisition."""
    words = (tags.loop(s.OTHER_LOOP), tags.candidate(s.OTHER_CANDIDATE))
    return replace(fact, stamp=s.stamp(*words), loop=s.OTHER_LOOP, candidate=s.OTHER_CANDIDATE)


def test_a_reference_speaks_to_the_competencies_of_the_scorecard() -> None:
    """A theme that is not on the pinned scorecard has no place."""
    theme = c.ThemeSpec(competency="charm", text="Charming.")
    asked = replace(of(c.RecordReference).command, themes=(theme,))
    given(s.SCORECARD_VERSIONED, *OPENED).when(asked).refused(
        Meaningless, "the pinned scorecard has no such competency", "/themes/0/competency"
    )


CITING = {
    "stage": (STAGE, s.HM, TO_DECIDE),
    "statement": (STATEMENT, s.ANA, TO_DECIDE),
    "dissent": (DISSENT, s.BEN, PLANNED),
    "recommendation": (of(c.MakeRecommendation).command, s.HM, TO_DECIDE),
    "decision": (of(c.MakeDecision).command, s.DECIDER, TO_DECIDE),
    "reversal": (of(c.ReverseDecision).command, s.DECIDER, PLANNED),
}


@pytest.mark.parametrize(("command", "by", "before"), CITING.values(), ids=CITING)
@pytest.mark.parametrize("what", ["rubric", "nothing", "other-loop"])
def test_a_citation_outside_the_loop_is_refused(
    command: c.AnyCommand, by: str, before: tuple[f.AnyFact, ...], what: str
) -> None:
    """Evidence on this candidate is in this loop: no rubric, no other loop, no empty place."""
    own = loop_at(before)
    cited = {"rubric": 1, "nothing": 99, "other-loop": len(before) + 1}[what]
    citing = replace(command, cites=(own, cited))
    given(*before, *aside(in_other_loop(s.LOOP_OPENED))).when(citing, by=by).refused(
        Meaningless, OUTSIDE, "/cites/1"
    )


def test_a_stage_is_decided_without_reasons_unless_a_rule_asks_for_them() -> None:
    """Advancing needs no reasons, and a stage need not be in the plan."""
    bare = c.DecideStage(loop=s.LOOP, stage="screening", outcome="advance")
    given(*TO_DECIDE).when(bare).then(replace(later.STAGE_DECIDED, reasons=(), cites=()))


def test_a_refused_stage_decision_is_a_fact_too() -> None:
    """An attempt is evidence: it is recorded with what stood against it."""
    rejecting = replace(STAGE, outcome="reject")
    given(*TO_DECIDE).when(rejecting).then(
        replace(later.STAGE_DECISION_REFUSED, cites=(OPENED_AT,)), judged=s.REFUSED
    )


def test_a_stage_is_decided_by_the_hiring_manager_of_the_team() -> None:
    """The decision maker decides the loop, not its stages."""
    given(*TO_DECIDE).when(STAGE, by=s.DECIDER).refused(
        Forbidden,
        "this person is neither named by the requisition's team nor an interviewer of this loop; "
        "change the team, the plan or the replacement first",
    )


def test_a_stage_of_a_closed_loop_meets_the_state() -> None:
    """The attempt is judged and recorded, and this stands against it."""
    given(*TO_DECIDE, later.CLOSED).when(STAGE).then_by_state(
        Found(
            message="the loop is closed",
            cure="reopen the loop, if it is to be decided again",
            positions=(len(TO_DECIDE) + 1,),
        )
    )


@pytest.mark.parametrize("person", [s.HM, s.DECIDER, s.BEN], ids=["manager", "decider", "panel"])
def test_everyone_on_the_panel_may_speak_and_dissent(person: str) -> None:
    """Statements and dissent are signed by who makes them."""
    given(*TO_DECIDE).when(STATEMENT, by=person).then(
        replace(
            later.STATEMENT_RECORDED,
            stamp=s.stamp(tags.loop(s.LOOP), by=person),
            author=person,
            cites=(OPENED_AT,),
        )
    )
    given(*PLANNED).when(DISSENT, by=person).then(
        replace(later.DISSENT_RECORDED, stamp=s.stamp(tags.loop(s.LOOP), by=person), author=person)
    )


def test_a_statement_without_a_citation_is_recorded() -> None:
    """What was said was said; the rules note that it cites nothing."""
    given(*TO_DECIDE).when(replace(STATEMENT, cites=()), by=s.ANA).then(
        replace(later.STATEMENT_RECORDED, cites=())
    )


CLOSE = c.CloseDebrief(loop=s.LOOP, dissent="none")
CLOSED = replace(later.DEBRIEF_CLOSED, dissent="none")


def test_a_debrief_without_dissent_is_closed_as_such() -> None:
    """Nobody disagreed, and the record says so."""
    given(*OPENED, later.DEBRIEF_OPENED).when(CLOSE).then(CLOSED)


def test_a_debrief_with_dissent_is_not_closed_as_if_there_were_none() -> None:
    """Whoever disagreed is not argued away; the findings name every dissent."""
    before = (*OPENED, later.DEBRIEF_OPENED, later.DISSENT_RECORDED, later.DISSENT_RECORDED)
    outcome = given(*before).when(CLOSE)
    outcome.refused(RefusedByRule, "dissent was recorded in this debrief")
    assert isinstance(outcome.drafted, RefusedByRule)
    (finding,) = outcome.drafted.findings
    assert (finding.policy, finding.enforcement) == ("loop-state", "block")
    assert (finding.cure, finding.positions) == ("close it with dissent: recorded", (4, 5))


def test_dissent_of_an_earlier_debrief_does_not_count_in_a_later_one() -> None:
    """Each debrief is closed with what was said in it."""
    earlier = (later.DEBRIEF_OPENED, later.DISSENT_RECORDED, later.DEBRIEF_CLOSED)
    given(*OPENED, *earlier, later.DEBRIEF_OPENED).when(CLOSE).then(CLOSED)


def test_dissent_recorded_before_any_debrief_counts() -> None:
    """Somebody disagreed, whenever the debate began."""
    given(*OPENED, later.DISSENT_RECORDED).when(CLOSE).refused(
        RefusedByRule, "dissent was recorded in this debrief"
    )
