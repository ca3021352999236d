"""The exact words and positions of what people are told when a rule stands in the way."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case
from domain.findings import Receipt
from policies._examples import Story, decidable, planned, rubric
from policies._sample import (
    DECIDER,
    DESIGN,
    HIRING_MANAGER,
    IRIS,
    JUNO,
    KOFI,
    LOOP,
    REQUISITION,
    SCREEN,
    reason,
    ref,
)

By = Callable[[str, Case], Receipt]
TWO = "two-independent-interviewers"


def said(receipt: Receipt) -> list[tuple[str, tuple[int, ...]]]:
    """Message and positions of each finding."""
    return [(finding.message, finding.positions) for finding in receipt.findings]


def at(story: Story, kind: type[f.Fact], number: int = -1) -> int:
    """The position of a fact of this kind."""
    return [one.position for one in story.facts if isinstance(one.fact, kind)][number]


# ---------------------------------------------------------------- two independent interviewers


def test_one_person_who_wrote_twice_is_one_person(by: By) -> None:
    """Forms are not people: both are named, and one counts."""
    story = planned().wrote(IRIS, "screen").wrote(IRIS, "panel")
    receipt = by(TWO, story.asks_gate().case)
    last = at(story, f.FeedbackSubmitted)
    assert receipt.verdict == "refused"
    assert said(receipt) == [
        ("independent written evidence comes from 1 of the 2 people needed", (last - 1, last))
    ]
    assert receipt.findings[0].cure == (
        "have another person interview and write before reading what others wrote"
    )


def test_a_refusal_says_why_people_were_not_counted(by: By) -> None:
    """Whoever meets the gate learns what is wrong with the evidence, and about how many."""
    story = planned().disclosed(KOFI, "family").wrote(IRIS, "screen", "fine").read(JUNO)
    story.wrote(JUNO, "design").wrote(KOFI, "panel")
    message, positions = said(by(TWO, story.asks_gate().case))[0]
    assert message == (
        "independent written evidence comes from 0 of the 2 people needed; 1 disclosed a"
        " disqualifying relationship; 1 rated nothing with enough written evidence; 1 read others'"
        " feedback before writing"
    )
    assert positions == tuple(at(story, f.FeedbackSubmitted, n) for n in range(3))


def test_two_people_of_one_panel_suffice_and_the_gate_says_so(by: By) -> None:
    """The same session is worth a warning, which refuses nothing."""
    story = planned().wrote(KOFI, "panel").wrote(IRIS, "panel")
    receipt = by(TWO, story.asks_gate().case)
    last = at(story, f.FeedbackSubmitted)
    assert receipt.verdict == "warned"
    assert [finding.enforcement for finding in receipt.findings] == ["warn"]
    assert said(receipt) == [
        ("all independent evidence comes from one and the same session", (last - 1, last))
    ]


@pytest.mark.parametrize("decision", ["hire", "no_hire"])
def test_a_decision_without_two_is_refused_both_ways(by: By, decision: f.Recommend) -> None:
    """Turning someone down needs as much evidence as hiring them."""
    story = planned().wrote(IRIS, "screen").passed_gate().recommended(decision)
    assert by(TWO, story.asks_decide(decision).case).verdict == "refused"
    assert by(TWO, story.asks_recommend().case).verdict == "refused"


def test_advancing_at_a_stage_needs_nobody_else(by: By) -> None:
    """The candidate loses nothing by going on."""
    story = planned().wrote(IRIS, "screen")
    command = c.DecideStage(loop=LOOP, stage="screening", outcome="advance")
    assert by(TWO, story.asks(HIRING_MANAGER, command).case).verdict == "passed"


@pytest.mark.parametrize(
    ("stage", "given", "verdict"),
    [
        ("screening", reason("knock_out", "work-permit"), "passed"),
        ("screening", reason("knock_out", "degree"), "passed"),
        ("onsite", reason("competency", "trade-offs"), "refused"),
        ("onsite", reason("knock_out", "work-permit"), "passed"),
    ],
)
def test_a_rejection_at_a_stage_needs_two_or_a_posted_knock_out_or_a_second_reader(
    by: By, stage: str, given: c.ReasonSpec, verdict: str
) -> None:
    """The screener's independent form is the second reading at the screen, and not later."""
    story = planned().wrote(IRIS, "screen")
    assert by(TWO, story.asks_reject(stage, given).case).verdict == verdict


@pytest.mark.parametrize(
    "given",
    [reason("knock_out", "degree"), reason("knock_out"), reason("competency", "work-permit")],
    ids=["not posted", "not named", "not a knock-out"],
)
def test_only_a_knock_out_that_the_posting_states_is_one(by: By, given: c.ReasonSpec) -> None:
    """Both the kind of reason and what it names must be right."""
    asked = planned().asks_reject("screening", given)
    assert by(TWO, asked.case).verdict == "refused"
    assert by("screening-by-posted-criteria", asked.case).verdict == "refused"


def test_who_rejects_is_not_their_own_second_reader(by: By) -> None:
    """One person who interviews and rejects stays one person."""
    story = planned(replace(SCREEN, interviewers=(HIRING_MANAGER,)))
    story.wrote(HIRING_MANAGER, "screen")
    asked = story.asks_reject("screening", reason("competency", "evaluation-design"))
    assert by(TWO, asked.case).verdict == "refused"


# ---------------------------------------------------------------- gate, recommendation, decision


MOVES: dict[str, tuple[Callable[[Story], Story], type[f.Fact]]] = {
    "plan": (lambda story: story.planned(), f.LoopPlanned),
    "amendment": (lambda story: story.amended(JUNO), f.FeedbackAmended),
    "relationship": (lambda story: story.disclosed(KOFI, "alumni"), f.RelationshipDisclosed),
    "feedback": (
        lambda story: story.planned(replace(SCREEN, id="again")).wrote(IRIS, "again"),
        f.FeedbackSubmitted,
    ),
}


@pytest.mark.parametrize(("moves", "kind"), MOVES.values(), ids=MOVES)
def test_a_gate_is_stale_after(by: By, moves: Callable[[Story], Story], kind: type[f.Fact]) -> None:
    """Whatever changes the evidence is named with the gate that it overtook."""
    story = moves(decidable())
    receipt = by("gate-passed-and-fresh", story.asks_decide().case)
    assert receipt.verdict == "refused"
    message, positions = said(receipt)[0]
    assert message == (
        "the evidence gate is stale: feedback, an amendment, a relationship or a plan came after it"
    )
    assert positions[0] == at(story, f.EvidenceGatePassed)
    assert at(story, kind) in positions[1:]
    assert receipt.findings[0].cure == "pass the evidence gate again"


def test_reading_does_not_make_a_gate_stale(by: By) -> None:
    """Whoever prepares the decision may read."""
    story = decidable().read(DECIDER).said(KOFI)
    assert by("gate-passed-and-fresh", story.asks_decide().case).verdict == "passed"


def test_a_recommendation_from_before_the_latest_gate_does_not_do(by: By) -> None:
    """The old recommendation is named: it rested on other evidence."""
    story = decidable().passed_gate()
    receipt = by("recommendation-first", story.asks_decide().case)
    recommended = at(story, f.RecommendationRecorded)
    assert said(receipt) == [
        ("nothing was recommended after the latest passed gate", (recommended,))
    ]
    assert receipt.findings[0].cure == "record the panel's recommendation first"


def test_going_against_the_recommendation_names_it(by: By) -> None:
    """The decision maker is told which recommendation, and what kind of reason to give."""
    story = decidable()
    receipt = by("reasons-for-going-against", story.asks_decide("no_hire").case)
    assert said(receipt) == [
        (
            "the decision goes against the recommendation, and no reason says why",
            (at(story, f.RecommendationRecorded),),
        )
    ]
    assert receipt.findings[0].cure == "give a reason of kind override"


def test_the_latest_recommendation_is_the_one_that_counts(by: By) -> None:
    """A panel may change its mind before the decision."""
    story = decidable().recommended("no_hire")
    assert by("reasons-for-going-against", story.asks_decide("no_hire").case).verdict == "passed"
    assert by("reasons-for-going-against", story.asks_decide("hire").case).verdict == "refused"


def test_a_decider_who_is_one_of_two_may_decide(by: By) -> None:
    """Taking part is no bar; being alone is."""
    own = replace(SCREEN, interviewers=(DECIDER,))
    story = planned(own, DESIGN).wrote(DECIDER, "screen").wrote(JUNO, "design")
    rule = "decider-is-not-the-only-evidence"
    assert by(rule, story.asks_decide(by=DECIDER).case).verdict == "passed"
    both = (at(story, f.FeedbackSubmitted, 0), at(story, f.FeedbackSubmitted, 1))
    assert by(rule, story.asks_decide(by=DECIDER, cites=both).case).verdict == "passed"
    receipt = by(rule, story.asks_decide(by=DECIDER, cites=both[:1]).case)
    assert said(receipt) == [
        ("of all feedback the decision cites only the decision maker's own", both[:1])
    ]


def test_reasons_of_other_kinds_are_shown_and_refuse_nothing(by: By) -> None:
    """A filled requisition, the law and a comparison are allowed, and everyone sees them."""
    given = [reason(kind) for kind in ("requisition", "legal", "comparative")]
    case = decidable().asks_decide("hire", *given).case
    receipt = by("reasons-within-scorecard-and-posting", case)
    assert receipt.verdict == "warned"
    assert [finding.message for finding in receipt.findings] == [
        "reasons of the kind comparative, legal, requisition rest on no posted criterion"
    ]


def test_a_competency_that_only_the_scorecard_knows_was_not_announced(by: By) -> None:
    """Candidates can only meet what the posting told them of."""
    story = rubric()
    posting = c.VersionPosting(
        posting="ml-engineer-listing", requisition=REQUISITION, title="ML engineer", expectations=()
    )
    story.does(HIRING_MANAGER, posting).approved("hiring_manager", "tech_lead", "partner")
    opening = c.OpenLoop(
        id=LOOP,
        requisition=REQUISITION,
        candidate=c.CandidateSpec(id="c_" + "a" * 26),
        scorecard=ref("ml-engineer-card"),
        posting=ref("ml-engineer-listing", 2),
    )
    story.does(HIRING_MANAGER, opening)
    receipt = by("reasons-within-scorecard-and-posting", story.asks_decide().case)
    card, listing = at(story, f.ScorecardVersioned), at(story, f.PostingVersioned)
    assert said(receipt) == [
        (
            "1 of 1 reasons named no competency that is both on the scorecard and in the posting",
            (card, listing),
        )
    ]


def test_a_second_reader_who_does_not_count_is_none(by: By) -> None:
    """A form of someone with a disqualifying relationship does not make a rejection."""
    story = planned().disclosed(IRIS, "family").wrote(IRIS, "screen")
    asked = story.asks_reject("screening", reason("competency", "evaluation-design"))
    assert by(TWO, asked.case).verdict == "refused"
    ((message, positions),) = said(by("screening-by-posted-criteria", asked.case))
    assert positions == (at(story, f.PostingVersioned),)
    assert message == (
        "the rejection at screening names no knock-out that the posting states, and nobody else"
        " read independently"
    )


def test_forms_that_do_not_count_are_not_another_session(by: By) -> None:
    """A form written after reading makes one session not two."""
    story = planned().wrote(KOFI, "panel").wrote(IRIS, "panel").read(IRIS).wrote(IRIS, "screen")
    receipt = by(TWO, story.asks_gate().case)
    first = at(story, f.FeedbackSubmitted, 0)
    assert said(receipt) == [
        ("all independent evidence comes from one and the same session", (first, first + 1))
    ]
    assert by(TWO, story.wrote(JUNO, "design").asks_gate().case).findings == ()
