"""From a judged draft to what is recorded: facts, refusals that are facts, and other refusals."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain.case import INTENTS, Draft, Moment
from domain.decide import conclude
from domain.decide.intent import MOMENT_OF, RecordedIntent
from domain.facts import AnyFact
from domain.findings import Judged
from domain.refusals import RefusedByRule
from examples import EXAMPLES
from examples_early import Example
from scenario import concluded, given

ADOPTED_OPENED_PLANNED: list[tuple[AnyFact, Moment]] = [
    (s.SCORECARD_VERSIONED, "adopt"),
    (s.PROMPT_VERSIONED, "adopt"),
    (s.POSTING_VERSIONED, "adopt"),
    (s.LOOP_OPENED, "open"),
    (s.LOOP_PLANNED, "plan"),
    (later.RECOMMENDED, "recommend"),
]
REFUSED_AS_FACTS: list[tuple[AnyFact, Moment, AnyFact]] = [
    (
        replace(later.STAGE_DECIDED, outcome="reject"),
        "stage",
        later.STAGE_DECISION_REFUSED,
    ),
    (later.GATE_PASSED, "gate", later.GATE_REFUSED),
    (later.DECISION_MADE, "decide", later.DECISION_REFUSED),
]
REPORTS = [later.FEEDBACK_SUBMITTED, later.FEEDBACK_AMENDED, later.STATEMENT_RECORDED]


@pytest.mark.parametrize(("fact", "moment"), ADOPTED_OPENED_PLANNED)
def test_an_intent_without_a_refusal_of_its_own_is_raised_when_refused(
    fact: AnyFact, moment: Moment
) -> None:
    """Nothing is recorded, and every finding is told."""
    with pytest.raises(RefusedByRule, match=r"^a rule does not allow this$") as refused:
        conclude(Draft(fact=fact, moment=moment), s.REFUSED, None)
    assert refused.value.findings == (s.FINDING,)


@pytest.mark.parametrize(("fact", "moment", "refusal"), REFUSED_AS_FACTS)
def test_a_refused_gate_stage_or_decision_is_recorded_alone(
    fact: AnyFact, moment: Moment, refusal: AnyFact
) -> None:
    """The refusal is the fact; what would have come with the intent does not come."""
    drafted = Draft(fact=fact, moment=moment, also=(s.STANDARD_SET,))
    assert concluded(drafted, s.REFUSED) == (refusal,)


@pytest.mark.parametrize(("fact", "moment", "_refusal"), REFUSED_AS_FACTS)
def test_an_accepted_gate_stage_or_decision_keeps_what_comes_with_it(
    fact: AnyFact, moment: Moment, _refusal: AnyFact
) -> None:
    """It is recorded with the receipts and the basis it was judged on."""
    drafted = Draft(fact=fact, moment=moment, also=(s.STANDARD_SET,))
    assert concluded(drafted) == (fact, s.STANDARD_SET)


@pytest.mark.parametrize(("fact", "moment", "_refusal"), REFUSED_AS_FACTS)
def test_a_gate_stage_or_decision_without_a_basis_is_our_mistake(
    fact: AnyFact, moment: Moment, _refusal: AnyFact
) -> None:
    """None is ever recorded without the commitment to what it rested on."""
    with pytest.raises(ValueError, match="only with its basis"):
        conclude(Draft(fact=fact, moment=moment), s.JUDGED, None)


@pytest.mark.parametrize("fact", REPORTS)
def test_a_report_is_recorded_whatever_the_rules_find(fact: AnyFact) -> None:
    """What blocks elsewhere only warns here, and meets the gate later."""
    moment: Moment = "statement" if fact is later.STATEMENT_RECORDED else "feedback"
    drafted = Draft(fact=fact, moment=moment, also=(s.STANDARD_SET,))
    assert conclude(drafted, s.REFUSED, None) == (fact, s.STANDARD_SET)
    nothing = replace(fact, findings=())
    assert conclude(drafted, Judged(now=s.NOW), None) == (nothing, s.STANDARD_SET)


def test_what_no_rule_judges_is_recorded_as_it_is() -> None:
    """Other facts are what they are."""
    drafted = Draft(fact=later.OFFER_RECORDED)
    assert conclude(drafted, Judged(now=s.NOW), None) == (later.OFFER_RECORDED,)


def test_an_intent_that_no_rule_could_judge_is_our_mistake() -> None:
    """A new kind of intent cannot slip past the rules as a report."""
    with pytest.raises(ValueError, match="not concluded as a report"):
        conclude(Draft(fact=later.OFFER_RECORDED, moment="decide"), s.JUDGED, None)


def test_every_recorded_intent_has_its_moment() -> None:
    """A replay knows when each intent was judged."""
    assert set(MOMENT_OF) == set(RecordedIntent.__args__)
    assert set(MOMENT_OF.values()) == INTENTS


@pytest.mark.parametrize(
    "example",
    [one for one in EXAMPLES if type(one.made[0]) in MOMENT_OF],
    ids=lambda one: type(one.made[0]).__name__,
)
def test_a_command_that_makes_an_intent_is_judged_at_its_moment(example: Example) -> None:
    """The draft and the replay name the same moment."""
    drafted = given(*example.given).when(example.command, by=example.by).draft()
    assert drafted.moment == MOMENT_OF[type(drafted.fact)]
