"""The exact words and positions of what people are told when a rule stands in the way."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case
from domain.findings import Receipt
from policies._examples import MONDAY, Story, decidable, evidenced, planned, rubric
from policies._sample import (
    COMPETENCIES,
    DECIDER,
    DESIGN,
    HIRING_MANAGER,
    IRIS,
    JUNO,
    KOFI,
    LOOP,
    PARTNER,
    REQUISITION,
    SCREEN,
    TECH_LEAD,
    reason,
    ref,
    scorecard,
)

By = Callable[[str, Case], Receipt]
TWO = "two-independent-interviewers"
APPROVED = "scorecard-approved-by-three"
EVIDENCED = "every-competency-evidenced"
ON_TIME = "feedback-on-time"


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
    ("stage", "given", "by_whom", "verdict"),
    [
        ("screening", reason("knock_out", "work-permit"), HIRING_MANAGER, "passed"),
        ("screening", reason("knock_out", "degree"), HIRING_MANAGER, "passed"),
        ("onsite", reason("competency", "trade-offs"), HIRING_MANAGER, "refused"),
        ("onsite", reason("knock_out", "work-permit"), HIRING_MANAGER, "passed"),
    ],
)
def test_a_rejection_at_a_stage_needs_two_or_a_posted_knock_out_or_a_second_reader(
    by: By, stage: str, given: c.ReasonSpec, by_whom: str, verdict: str
) -> None:
    """The screener's independent form is the second reading at the screen, and not later."""
    story = planned().wrote(IRIS, "screen")
    assert by(TWO, story.asks_reject(stage, given, by=by_whom).case).verdict == verdict


def test_who_rejects_is_not_their_own_second_reader(by: By) -> None:
    """One person who interviews and rejects stays one person."""
    story = planned(replace(SCREEN, interviewers=(HIRING_MANAGER,)))
    story.wrote(HIRING_MANAGER, "screen")
    asked = story.asks_reject("screening", reason("competency", "evaluation-design"))
    assert by(TWO, asked.case).verdict == "refused"


# ---------------------------------------------------------------- gate, recommendation, decision


@pytest.mark.parametrize(
    ("moves", "kind"),
    [
        (lambda s: s.planned(), f.LoopPlanned),
        (lambda s: s.amended(JUNO), f.FeedbackAmended),
        (lambda s: s.disclosed(KOFI, "alumni"), f.RelationshipDisclosed),
        (
            lambda s: s.planned(replace(SCREEN, id="again")).wrote(IRIS, "again"),
            f.FeedbackSubmitted,
        ),
    ],
    ids=["plan", "amendment", "relationship", "feedback"],
)
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


# ---------------------------------------------------------------- evidence


def test_every_thin_rating_is_named_by_its_competency(by: By) -> None:
    """The author learns which rating to amend, and everyone which competency nobody rated."""
    story = planned().wrote(IRIS, "screen").wrote(JUNO, "design", "very good").wrote(KOFI, "panel")
    receipt = by(EVIDENCED, story.asks_gate().case)
    forms = tuple(at(story, f.FeedbackSubmitted, n) for n in range(3))
    assert said(receipt) == [
        (
            "the rating of failure-modes, safety-judgement has fewer than 8 words of evidence",
            (forms[1],),
        ),
        ("nobody rated failure-modes, safety-judgement with evidence", forms),
    ]


def test_an_amendment_cures_a_thin_rating(by: By) -> None:
    """What counts is the feedback as its author last left it."""
    story = planned().wrote(IRIS, "screen").wrote(JUNO, "design", "very good").wrote(KOFI, "panel")
    assert by(EVIDENCED, story.amended(JUNO).asks_gate().case).verdict == "passed"


def test_a_competency_not_observed_by_one_may_be_rated_by_another(by: By) -> None:
    """Not observed, with a reason, is an honest answer."""
    story = planned().wrote(IRIS, "screen").wrote(JUNO, "design").wrote(KOFI, "panel")
    unseen = c.RatingSpec(competency="trade-offs", not_observed="we ran out of time")
    story.does(IRIS, c.SubmitFeedback(loop=LOOP, session="panel", ratings=(unseen,)))
    assert by(EVIDENCED, story.asks_gate().case).verdict == "passed"


@pytest.mark.parametrize(
    ("late", "verdict"),
    [(timedelta(hours=24), "passed"), (timedelta(hours=24, seconds=1), "warned")],
)
def test_feedback_is_on_time_for_24_hours(by: By, late: timedelta, verdict: str) -> None:
    """The last second of the day is in time, the next is not."""
    story = planned().held("screen")
    ended = story.world.loops[LOOP].sessions[-1].fact.ended_at
    story.later(days=3).wrote(IRIS, "screen", at=ended + late)
    receipt = by(ON_TIME, story.asks_gate().case)
    assert receipt.verdict == verdict


def test_late_feedback_is_told_so_when_it_arrives_and_is_not_refused(by: By) -> None:
    """The finding is attached to the report and names the session."""
    story = planned().held("screen").later(hours=30)
    receipt = by(ON_TIME, story.asks(IRIS, story.feedback("screen")).case)
    assert receipt.verdict == "warned"
    assert said(receipt) == [
        (
            "feedback was written later than 24 hours after the session ended",
            (at(story, f.SessionCompleted),),
        )
    ]


def test_lateness_is_judged_on_when_it_was_written_not_on_when_it_arrived(by: By) -> None:
    """A form copied over on Friday may have been written on Monday: that is another finding."""
    story = planned().held("screen")
    story.later(days=4).wrote(IRIS, "screen", at=story.now - timedelta(days=3, hours=23))
    case = story.asks_gate().case
    assert by(ON_TIME, case).verdict == "passed"
    assert said(by("recorded-when-it-happened", case)) == [
        (
            "reports were recorded more than 72 hours after they are said to have happened",
            (at(story, f.FeedbackSubmitted),),
        )
    ]


def test_a_late_report_of_an_old_session_is_found_by_when_the_session_ended(by: By) -> None:
    """A report that claims no time of its own is as old as what it reports."""
    story = planned().later(days=5)
    report = c.CompleteSession(
        loop=LOOP, session="screen", started_at=MONDAY, ended_at=MONDAY, attendees=(), prompts=()
    )
    case = story.does(HIRING_MANAGER, report).asks_gate().case
    receipt = by("recorded-when-it-happened", case)
    assert receipt.findings[0].positions == (at(story, f.SessionCompleted),)


def test_a_flagged_statement_is_settled_by_saying_it_better(by: By) -> None:
    """The cure works: the same person's next statement without a finding settles it."""
    rule = "adjectives-only"
    story = evidenced().said(KOFI, flagged_by=rule)
    flagged = at(story, f.DebriefStatementRecorded)
    assert said(by(rule, story.asks_gate().case)) == [
        ("statements in the debrief consist of adjectives", (flagged,))
    ]
    assert by(rule, story.said(JUNO).asks_gate().case).verdict == "warned"
    assert by(rule, story.said(KOFI).asks_gate().case).verdict == "passed"


def test_one_does_not_answer_ones_own_dissent(by: By) -> None:
    """An answer comes from someone else."""
    story = evidenced().does(JUNO, c.RecordDissent(loop=LOOP, text="I saw it fail twice"))
    dissent = at(story, f.DissentRecorded)
    story.said(JUNO, "as I said", dissent)
    assert said(by("dissent-answered", story.asks_gate().case)) == [
        ("dissent stands unanswered", (dissent,))
    ]
    story.said(KOFI, "the second failure was ours", dissent)
    assert by("dissent-answered", story.asks_gate().case).verdict == "passed"


def test_a_partner_who_joins_later_is_announced_by_a_second_notice(by: By) -> None:
    """A change told in time is no finding, the same notice an hour later is."""
    rule = "candidate-informed-first"
    told = planned().noticed(IRIS, JUNO, KOFI, PARTNER).held("panel", KOFI, IRIS, PARTNER)
    assert by(rule, told.asks_gate().case).verdict == "passed"
    untold = planned().held("panel", KOFI, IRIS, PARTNER).noticed(IRIS, JUNO, KOFI, PARTNER)
    assert said(by(rule, untold.asks_gate().case)) == [
        (
            "someone attended whom the candidate had not been told of",
            (at(untold, f.SessionCompleted),),
        )
    ]
