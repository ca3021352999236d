"""What rules find where a candidate is compared with what all candidates get, word for word."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from domain import facts as f
from domain.case import Case
from domain.findings import Receipt
from policies._examples import Story, planned, rubric
from policies._sample import (
    HIRING_MANAGER,
    KOFI,
    SCREEN,
    TAKE_HOME,
    TECH_LEAD,
    anonymised,
    handed_in,
    prompt,
    ref,
    take_home,
)

By = Callable[[str, Case], Receipt]


def said(receipt: Receipt) -> list[tuple[str, tuple[int, ...]]]:
    """Message and positions of each finding."""
    return [(finding.message, finding.positions) for finding in receipt.findings]


def at(story: Story, kind: type[f.Fact], number: int = -1) -> int:
    """The position of a fact of this kind."""
    return [one.position for one in story.facts if isinstance(one.fact, kind)][number]


@pytest.mark.parametrize(
    "rule", ["same-prompts-for-all", "take-home-same-time", "candidate-informed-first"]
)
def test_before_anything_is_planned_there_is_nothing_to_compare(by: By, rule: str) -> None:
    """A gate in an empty loop is refused for better reasons."""
    story = rubric().approved("hiring_manager", "tech_lead", "partner").opened()
    assert by(rule, story.asks_gate().case).verdict == "passed"


def test_the_stages_of_the_standard_must_all_have_been_held(by: By) -> None:
    """A candidate who was spared a stage was not asked what the others were."""
    story = planned().held("screen")
    standard = at(story, f.RequisitionStandardSet)
    ((message, positions),) = said(by("same-prompts-for-all", story.asks_gate().case))
    assert positions == (standard,)
    assert message == (
        "at the stage onsite the candidate was not given support-assistant version 1,"
        " prompt-injection version 1, shipping-dispute version 1 of the requisition's standard"
    )


def test_a_prompt_that_the_standard_is_equivalent_to_is_the_same(by: By) -> None:
    """Equivalence is declared once and holds both ways."""
    story = rubric().does(
        TECH_LEAD, prompt("metric-shift", "framing", equivalent_to=ref("metric-change"))
    )
    story.approved("hiring_manager", "tech_lead", "partner").opened()
    story.planned(replace(SCREEN, prompts=(ref("metric-shift"),)))
    story.held("screen", prompts=(ref("metric-change"),))
    assert by("same-prompts-for-all", story.asks_gate().case).verdict == "passed"


def test_anonymisation_counts_by_when_it_happened(by: By) -> None:
    """A report that arrives after the review but says it was before is taken at its word."""
    story = planned(SCREEN, TAKE_HOME).does(HIRING_MANAGER, handed_in())
    before = story.now
    story.later(hours=1).wrote(KOFI, "exercise")
    late = replace(anonymised(), at=before)
    assert by("take-home-anonymised-first", story.asks_gate().case).verdict == "warned"
    assert (
        by("take-home-anonymised-first", story.does(HIRING_MANAGER, late).asks_gate().case).verdict
        == "passed"
    )


def test_of_two_take_homes_each_is_anonymised_for_itself(by: By) -> None:
    """One anonymised submission does not speak for the other."""
    second = replace(TAKE_HOME, id="second")
    story = planned(TAKE_HOME, second).does(HIRING_MANAGER, anonymised())
    story.wrote(KOFI, "exercise").wrote(KOFI, "second")
    assert said(by("take-home-anonymised-first", story.asks_gate().case)) == [
        (
            "the take-home was reviewed before it was anonymised",
            (at(story, f.FeedbackSubmitted),),
        )
    ]


def test_references_need_not_follow_the_standard(by: By) -> None:
    """Referees are not candidates: what they are asked is compared with nothing."""
    calls = replace(SCREEN, id="calls", stage="references", kind="reference")
    story = planned(SCREEN, calls).held("screen")
    assert by("same-prompts-for-all", story.asks_gate().case).verdict == "passed"
    story.held("calls", prompts=(ref("prompt-injection"),))
    assert by("same-prompts-for-all", story.asks_gate().case).verdict == "passed"


def test_a_prompt_beyond_the_standard_is_named(by: By) -> None:
    """One question more than the others got is as unequal as one less."""
    extra = (ref("metric-change"), ref("prompt-injection"))
    story = planned().held("screen", prompts=extra).held("design").held("panel")
    ((message, positions),) = said(by("same-prompts-for-all", story.asks_gate().case))
    assert positions == (at(story, f.RequisitionStandardSet), at(story, f.SessionCompleted, 0))
    assert message == (
        "at the stage screening the candidate was given prompt-injection version 1, which the"
        " requisition's standard does not have"
    )


def test_a_take_home_is_compared_with_take_homes_only(by: By) -> None:
    """An interview of half an hour at the same stage says nothing about a take-home's hour."""
    talk = replace(SCREEN, id="talk", stage=TAKE_HOME.stage, minutes=30)
    story = planned(TAKE_HOME, talk).does(HIRING_MANAGER, take_home(60))
    assert by("take-home-same-time", story.asks_gate().case).verdict == "passed"
