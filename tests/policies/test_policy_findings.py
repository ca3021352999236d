"""The exact words and positions of what rules find in a rubric and when a loop opens."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case
from domain.findings import Receipt
from policies._examples import Story, planned, rubric
from policies._sample import (
    COMPETENCIES,
    DECIDER,
    HIRING_MANAGER,
    JUNO,
    LOOP,
    REQUISITION,
    SCREEN,
    TECH_LEAD,
    prompt,
    ref,
    scorecard,
)

By = Callable[[str, Case], Receipt]
APPROVED = "scorecard-approved-by-three"


def said(receipt: Receipt) -> list[tuple[str, tuple[int, ...]]]:
    """Message and positions of each finding."""
    return [(finding.message, finding.positions) for finding in receipt.findings]


def at(story: Story, kind: type[f.Fact], number: int = -1) -> int:
    """The position of a fact of this kind."""
    return [one.position for one in story.facts if isinstance(one.fact, kind)][number]


# ---------------------------------------------------------------- rubric and opening


def test_a_missing_capacity_is_named_with_the_approvals_that_are_there(by: By) -> None:
    """Whoever opens the loop learns whose approval is missing."""
    story = rubric().approved("hiring_manager", "tech_lead")
    receipt = by(APPROVED, story.asks_open().case)
    card, approval = at(story, f.ScorecardVersioned), at(story, f.ScorecardApproved)
    assert receipt.verdict == "refused"
    assert said(receipt) == [
        (
            "this content of the scorecard is not approved for the requisition by its partner",
            (card, approval - 1, approval),
        )
    ]


def test_one_person_in_two_capacities_is_not_three_people(by: By) -> None:
    """Three signatures of two people are two people's agreement."""
    story = rubric()
    team = c.TeamSpec(
        hiring_manager=HIRING_MANAGER,
        tech_lead=TECH_LEAD,
        partner=c.PartnerSpec(person=TECH_LEAD, function="security"),
        decision_maker=DECIDER,
    )
    story.does(HIRING_MANAGER, c.ChangeRequisition(requisition=REQUISITION, team=team))
    story.approved("hiring_manager", "tech_lead", "partner")
    message, _ = said(by(APPROVED, story.asks_open().case))[0]
    assert message == "2 different people approved in the three capacities; 3 must"


def test_an_edit_voids_approvals_and_the_same_words_again_do_not(by: By) -> None:
    """People approve content: a new version with new words has none, with the same words has."""
    story = rubric().approved("hiring_manager", "tech_lead", "partner")
    story.does(TECH_LEAD, scorecard(*COMPETENCIES[:3])).does(TECH_LEAD, scorecard())
    assert by(APPROVED, story.asks_open(version=2).case).verdict == "refused"
    assert by(APPROVED, story.asks_open(version=3).case).verdict == "passed"


def test_approvals_for_another_requisition_do_not_count(by: By) -> None:
    """Another team's agreement is not this team's."""
    story = rubric().approved("hiring_manager", "tech_lead", "partner")
    moved = [
        replace(one, fact=replace(one.fact, requisition="another"))
        if isinstance(one.fact, f.ScorecardApproved)
        else one
        for one in story.facts
    ]
    again = Story()
    for one in moved:
        again.happened(one.fact)
    assert by(APPROVED, again.asks_open().case).verdict == "refused"


@pytest.mark.parametrize("number", [3, 4, 5])
def test_a_scorecard_of_three_to_five_competencies_is_accepted(by: By, number: int) -> None:
    """Both ends are allowed."""
    many = (*COMPETENCIES, replace(COMPETENCIES[0], id="x"))
    case = rubric().asks(TECH_LEAD, scorecard(*many[:number])).case
    assert by("three-to-five-competencies", case).verdict == "passed"


@pytest.mark.parametrize("number", [2, 6])
def test_a_scorecard_of_two_or_six_competencies_is_refused(by: By, number: int) -> None:
    """The number there is and the numbers that are allowed are both said."""
    many = (*COMPETENCIES, replace(COMPETENCIES[0], id="x"), replace(COMPETENCIES[0], id="y"))
    case = rubric().asks(TECH_LEAD, scorecard(*many[:number])).case
    assert said(by("three-to-five-competencies", case)) == [
        (f"the scorecard lists {number} competencies; 3 to 5 can be rated", ())
    ]


def test_a_pinned_scorecard_is_named_when_it_breaks_a_rule(by: By) -> None:
    """A version that was let pass when adopted meets the rule again when a loop opens."""
    story = rubric().does(TECH_LEAD, scorecard(*COMPETENCIES[:2]))
    receipt = by("three-to-five-competencies", story.asks_open(version=2).case)
    assert receipt.findings[0].positions == (at(story, f.ScorecardVersioned),)


def test_an_anchor_of_adjectives_names_no_behaviour(by: By) -> None:
    """An anchor is there to be recognised, not to be felt."""
    vague = replace(
        COMPETENCIES[0], anchors={"1": "weak", "2": "is quite good", "3": "very strong"}
    )
    case = rubric().asks(TECH_LEAD, scorecard(vague, *COMPETENCIES[1:])).case
    assert [message for message, _ in said(by("anchor-for-every-rating", case))] == [
        "evaluation-design has no anchor for the rating 4",
        "evaluation-design: the anchor for the rating 1, 2, 3 names no behaviour",
    ]


def test_safety_without_weight_is_safety_skipped(by: By) -> None:
    """A competency that weighs nothing is not looked at by anyone."""
    weightless = replace(COMPETENCIES[2], weight=0.0)
    story = rubric().does(TECH_LEAD, scorecard(*COMPETENCIES[:2], weightless, COMPETENCIES[3]))
    story.does(
        HIRING_MANAGER,
        c.OpenLoop(
            id=LOOP,
            requisition=REQUISITION,
            candidate=c.CandidateSpec(id="c_" + "a" * 26),
            scorecard=ref("ml-engineer-card", 2),
            posting=ref("ml-engineer-listing"),
        ),
    )
    assert said(by("safety-never-skipped", story.asks_plan().case)) == [
        (
            "no competency of the scorecard gives safety any weight",
            (at(story, f.ScorecardVersioned),),
        )
    ]


def test_a_session_without_report_counts_with_the_prompts_planned_for_it(by: By) -> None:
    """Feedback shows that a session took place."""
    story = planned().wrote(JUNO, "design")
    assert by("safety-never-skipped", story.asks_gate().case).verdict == "passed"
    assert by("safety-never-skipped", planned().asks_gate().case).verdict == "refused"


def hypothetical(positive: float | None, negative: float | None) -> c.VersionPrompt:
    """A hypothetical with these costs of an error."""
    bare = prompt("fraud", "framing", "hypothetical")
    return replace(bare, cost_false_positive=positive, cost_false_negative=negative)


@pytest.mark.parametrize(
    ("rule", "command", "messages"),
    [
        (
            "asymmetric-costs",
            hypothetical(None, 200),
            ["the hypothetical does not state what each kind of error costs"],
        ),
        (
            "asymmetric-costs",
            hypothetical(200, None),
            ["the hypothetical does not state what each kind of error costs"],
        ),
        (
            "asymmetric-costs",
            hypothetical(5, 5),
            ["both kinds of error cost the same in this hypothetical"],
        ),
        ("asymmetric-costs", hypothetical(5, 0), []),
        ("asymmetric-costs", prompt("fraud", "framing"), []),
        ("design-prompt-constraints", prompt("fraud", "framing"), []),
        (
            "design-prompt-constraints",
            prompt("bare", "design", "design"),
            ["the design prompt states no latency, no budget, no privacy, no failure mode"],
        ),
        (
            "open-scope-guided",
            replace(prompt("wide", "design"), scope="open", guidance_minutes=59),
            ["the prompt is of open scope with 59 minutes of guidance; 60 are needed"],
        ),
        (
            "open-scope-guided",
            replace(prompt("wide", "design"), scope="open"),
            ["the prompt is of open scope with 0 minutes of guidance; 60 are needed"],
        ),
        (
            "inclusive-anchor",
            scorecard(*COMPETENCIES[:3]),
            ["no competency of the scorecard rates inclusive behaviour"],
        ),
    ],
)
def test_a_rubric_is_told_what_it_lacks(
    by: By, rule: str, command: c.AnyCommand, messages: list[str]
) -> None:
    """A prompt or scorecard is adopted all the same where the rule only warns."""
    receipt = by(rule, rubric().asks(TECH_LEAD, command).case)
    assert [message for message, _ in said(receipt)] == messages
    assert receipt.verdict == ("warned" if messages else "passed")


def test_a_plan_is_told_which_buckets_and_competencies_it_leaves_out(by: By) -> None:
    """Buckets are counted over prompts, competencies over sessions."""
    screen = replace(SCREEN, competencies=("evaluation-design", "trade-offs"))
    receipt = by("buckets-covered", planned().asks_plan(screen).case)
    assert said(receipt) == [
        ("no planned session looks at failure-modes, safety-judgement", ()),
        ("no prompt looks into design, safety, collaboration", ()),
    ]
