"""The gate, recommendations, exceptions, decisions, and taking decisions back."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain.case import Found
from domain.refusals import Forbidden, Meaningless, Missing, RefusedByRule
from domain.values import Digest
from examples import DECIDED, GATED, RECOMMENDED
from examples_early import OPENED, REASONS, TO_DECIDE, loop_at
from scenario import concluded, given

GATE = c.PassEvidenceGate(loop=s.LOOP)
RECOMMENDATION = c.MakeRecommendation(loop=s.LOOP, recommend="hire", reason="Two saw it.")
DECISION = c.MakeDecision(
    loop=s.LOOP, decision="hire", reasons=REASONS, cites=(loop_at(TO_DECIDE),)
)
MADE = replace(
    later.DECISION_MADE,
    cites=DECISION.cites,
    gate=len(GATED),
    recommendations=(len(RECOMMENDED),),
)
REVERSAL = c.ReverseDecision(loop=s.LOOP, reason="The budget is gone.")
EXCEPTION = c.GrantLoopException(
    loop=s.LOOP, policy="feedback-on-time", reason="A storm.", expires_at=s.NOW + s.DAY
)
FOR_ALL = c.GrantRequisitionException(
    requisition=s.REQUISITION,
    policy="feedback-on-time",
    reason="A storm.",
    expires_at=s.NOW + s.DAY,
)
HERE = len(TO_DECIDE) + 1

OVER: dict[str, tuple[f.AnyFact, Found]] = {
    "closed": (
        later.CLOSED,
        Found(
            message="the loop is closed",
            cure="reopen the loop, if it is to be decided again",
            positions=(HERE,),
        ),
    ),
    "withdrawn": (
        later.WITHDREW,
        Found(
            message="the candidate withdrew",
            cure="close the loop as withdrawn",
            positions=(HERE,),
        ),
    ),
    "decided": (
        replace(later.DECISION_MADE, gate=1),
        Found(
            message="the loop is decided",
            cure="reverse the decision first, if it is to be decided again",
            positions=(HERE,),
        ),
    ),
}
JUDGED_BY_STATE = {"gate": (GATE, s.HM), "recommend": (RECOMMENDATION, s.HM)} | {
    "decide": (DECISION, s.DECIDER)
}


@pytest.mark.parametrize(("end", "found"), OVER.values(), ids=OVER)
@pytest.mark.parametrize(("command", "by"), JUDGED_BY_STATE.values(), ids=JUDGED_BY_STATE)
def test_an_intent_on_a_loop_that_is_over_is_judged_and_the_state_stands_against_it(
    command: c.AnyCommand, by: str, end: f.AnyFact, found: Found
) -> None:
    """Closed, withdrawn or decided: a finding beside those of the rules, never only an error."""
    given(*TO_DECIDE, end).when(command, by=by).then_by_state(found)


def test_everything_that_ends_a_loop_is_found_at_once() -> None:
    """Whoever cures one thing is not sent back for the next."""
    ends = tuple(end for end, _ in OVER.values())
    drafted = given(*TO_DECIDE, *ends).when(DECISION, by=s.DECIDER).draft()
    assert [found.positions for found in drafted.state_findings] == [
        (HERE,),
        (HERE + 1,),
        (HERE + 2,),
    ]


def test_the_latest_withdrawal_is_what_stands_in_the_way() -> None:
    """Whoever came back and left again left the second time."""
    before = (later.WITHDREW, later.CLOSED, later.REOPENED, later.WITHDREW)
    drafted = given(*TO_DECIDE, *before).when(DECISION, by=s.DECIDER).draft()
    assert [found.positions for found in drafted.state_findings] == [(HERE + 3,)]


def test_a_reopened_loop_is_decided_anew() -> None:
    """Neither the closing nor the withdrawal before it stands any more."""
    before = (*RECOMMENDED, later.WITHDREW, later.CLOSED, later.REOPENED)
    given(*before).when(DECISION, by=s.DECIDER).then(MADE)


def test_a_refused_gate_is_a_fact_with_its_witnesses() -> None:
    """An attempt is evidence: who counted, and who did not and why."""
    given(*TO_DECIDE).when(GATE).then(later.GATE_REFUSED, judged=s.REFUSED)


def test_a_refused_decision_is_a_fact_and_no_decision() -> None:
    """It says what was tried and what stood against it, and rests on no gate."""
    given(*RECOMMENDED).when(DECISION, by=s.DECIDER).then(
        replace(later.DECISION_REFUSED, cites=DECISION.cites), judged=s.REFUSED
    )


def test_a_refused_recommendation_is_raised_with_every_finding() -> None:
    """It is no fact: nothing was decided, and nothing is kept."""
    drafted = given(*GATED).when(RECOMMENDATION).draft()
    with pytest.raises(RefusedByRule) as refused:
        concluded(drafted, s.REFUSED)
    assert refused.value.findings == (s.FINDING,)


def test_a_recommendation_rests_on_the_latest_gate() -> None:
    """An earlier gate was passed on less evidence."""
    given(*GATED, later.GATE_PASSED).when(RECOMMENDATION).then(
        replace(later.RECOMMENDED, cites=(), gate=len(GATED) + 1)
    )


@pytest.mark.parametrize("command", [RECOMMENDATION, DECISION], ids=["recommend", "decide"])
def test_without_a_gate_no_gate_is_named(command: c.MakeRecommendation | c.MakeDecision) -> None:
    """The rules refuse it; the draft does not invent a position that exists."""
    by = s.DECIDER if isinstance(command, c.MakeDecision) else s.HM
    made = given(*TO_DECIDE).when(command, by=by).draft().fact
    assert isinstance(made, f.RecommendationRecorded | f.DecisionMade)
    assert made.gate == 0


def test_a_decision_rests_on_the_recommendations_after_the_latest_gate() -> None:
    """Those before it rested on less evidence."""
    second = len(RECOMMENDED) + 1
    before = (
        *RECOMMENDED,
        later.GATE_PASSED,
        replace(later.RECOMMENDED, gate=second),
        replace(later.RECOMMENDED, gate=second, recommend="no_hire"),
    )
    given(*before).when(DECISION, by=s.DECIDER).then(
        replace(MADE, gate=second, recommendations=(second + 1, second + 2))
    )


def test_recommendations_without_a_gate_carry_no_decision() -> None:
    """A recommendation counts only on a passed gate."""
    made = (
        given(*TO_DECIDE, replace(later.RECOMMENDED, gate=1))
        .when(DECISION, by=s.DECIDER)
        .draft()
        .fact
    )
    assert isinstance(made, f.DecisionMade)
    assert made.recommendations == ()


def test_nothing_is_reversed_where_nothing_is_decided() -> None:
    """A decision observed elsewhere is not ours to reverse."""
    given(*OPENED, later.DECISION_OBSERVED).when(REVERSAL, by=s.DECIDER).refused(
        RefusedByRule, "no decision is in force"
    )


def test_after_a_reversal_a_new_decision_is_made() -> None:
    """It rests on the same gate and recommendation while nothing has moved them."""
    decided = (*RECOMMENDED, MADE)
    reversal = replace(later.DECISION_REVERSED, reverses=len(decided), cites=())
    undone = (*decided, reversal)
    given(*undone).when(DECISION, by=s.DECIDER).then(MADE)


def test_a_decision_is_not_reversed_twice() -> None:
    """After a reversal nothing is in force."""
    undone = (*DECIDED, replace(later.DECISION_REVERSED, reverses=len(DECIDED)))
    given(*undone).when(REVERSAL, by=s.DECIDER).refused(RefusedByRule, "no decision is in force")


def test_the_second_decision_is_the_one_a_second_reversal_takes_back() -> None:
    """Each reversal names the decision in force."""
    again = (
        *DECIDED,
        replace(later.DECISION_REVERSED, reverses=len(DECIDED)),
        replace(later.DECISION_MADE, gate=1, decision="no_hire"),
    )
    given(*again).when(REVERSAL, by=s.DECIDER).then(
        replace(later.DECISION_REVERSED, reverses=len(again), cites=())
    )


def test_a_decision_made_elsewhere_names_its_source() -> None:
    """Without the system in which it was decided it is hearsay."""
    given(*OPENED).when(c.ObserveDecision(loop=s.LOOP, decision="hire"), by=s.DECIDER).refused(
        Meaningless, "name the system in which it was decided", "/source"
    )


@pytest.mark.parametrize(
    ("command", "before"),
    [(EXCEPTION, OPENED), (FOR_ALL, (s.REQUISITION_OPENED,))],
    ids=["loop", "requisition"],
)
def test_nobody_grants_an_exception_to_themselves(
    command: c.GrantLoopException | c.GrantRequisitionException, before: tuple[f.AnyFact, ...]
) -> None:
    """A second person looks at what the rule is broken for."""
    own = replace(command, subject=s.PARTNER)
    given(*before).when(own, by=s.PARTNER).refused(
        Forbidden, "nobody grants an exception to themselves; ask a second person"
    )


@pytest.mark.parametrize(
    ("command", "before"),
    [(EXCEPTION, OPENED), (FOR_ALL, (s.REQUISITION_OPENED,))],
    ids=["loop", "requisition"],
)
def test_an_exception_that_has_expired_already_is_refused(
    command: c.GrantLoopException | c.GrantRequisitionException, before: tuple[f.AnyFact, ...]
) -> None:
    """It would let nothing be broken."""
    given(*before).when(replace(command, expires_at=s.NOW), by=s.PARTNER).refused(
        Meaningless, "the exception would have expired already", "/expires_at"
    )


def test_an_exception_for_a_requisition_is_in_the_organisations_words() -> None:
    """It is about all candidates, so that erasing one of them must not take it away."""
    drafted = given(s.REQUISITION_OPENED).when(FOR_ALL, by=s.PARTNER).draft().fact
    assert isinstance(drafted, f.ExceptionGranted)
    assert isinstance(drafted.reason, Digest)
    assert getattr(drafted.reason, "subject", None) == "organisation"


def test_an_unknown_requisition_gets_no_exception() -> None:
    """It is opened first."""
    given().when(FOR_ALL, by=s.PARTNER).refused(Missing, "no such requisition; open it first")


def test_an_observed_decision_leaves_the_way_to_a_decision_of_our_own() -> None:
    """What was decided elsewhere never counts as decided here."""
    given(*RECOMMENDED, later.DECISION_OBSERVED).when(DECISION, by=s.DECIDER).then(MADE)
