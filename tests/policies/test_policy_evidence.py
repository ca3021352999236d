"""The exact words and positions of what rules find in the evidence of a loop."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case
from domain.findings import Receipt
from policies._examples import MONDAY, Story, evidenced, planned
from policies._sample import (
    DESIGN,
    HIRING_MANAGER,
    IRIS,
    JUNO,
    KOFI,
    LOOP,
    PARTNER,
    TAKE_HOME,
    handed_in,
    session,
    take_home,
)

By = Callable[[str, Case], Receipt]
EVIDENCED = "every-competency-evidenced"
ON_TIME = "feedback-on-time"


def said(receipt: Receipt) -> list[tuple[str, tuple[int, ...]]]:
    """Message and positions of each finding."""
    return [(finding.message, finding.positions) for finding in receipt.findings]


def at(story: Story, kind: type[f.Fact], number: int = -1) -> int:
    """The position of a fact of this kind."""
    return [one.position for one in story.facts if isinstance(one.fact, kind)][number]


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


def test_evidence_from_sessions_that_nobody_reported_meets_the_gate(by: By) -> None:
    """It counts, because a true report is never refused; the gate says what is missing."""
    rule = "recorded-when-it-happened"
    story = planned().wrote(IRIS, "screen").wrote(JUNO, "design").wrote(KOFI, "panel")
    said_by = {w.fact.session: w.position for w in story.world.loops[LOOP].feedback}
    story.does(HIRING_MANAGER, c.CancelSession(loop=LOOP, session="panel", reason="they fell ill"))
    case = story.asks_gate().case
    receipt = by(rule, case)
    assert by("two-independent-interviewers", case).verdict == "passed"
    assert receipt.verdict == "warned"
    nobody = "this feedback is on sessions that nobody reported as held"
    assert said(receipt) == [(nobody, tuple(said_by.values()))]
    assert receipt.findings[0].cure.startswith("report each of these sessions as held")
    story.held("screen").held("design")
    assert said(by(rule, story.asks_gate().case)) == [(nobody, (said_by["panel"],))]
    assert by(rule, story.held("panel").asks_gate().case).verdict == "passed"


def test_feedback_on_a_take_home_needs_the_report_that_it_was_handed_in(by: By) -> None:
    """Nobody meets for a take-home, so nobody reports a meeting; a reference reports itself."""
    rule = "recorded-when-it-happened"
    call = session("call", "references", "reference", ("trade-offs",), (), JUNO)
    story = planned(TAKE_HOME, call).does(HIRING_MANAGER, take_home())
    story.wrote(KOFI, "exercise").wrote(JUNO, "call")
    ((_, positions),) = said(by(rule, story.asks_gate().case))
    assert positions == (at(story, f.FeedbackSubmitted, 0),)
    story.does(HIRING_MANAGER, handed_in())
    assert by(rule, story.asks_gate().case).verdict == "passed"


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


# ---------------------------------------------------------------- while it is reported


def test_thin_evidence_is_told_when_it_arrives(by: By) -> None:
    """The author can put it right before anyone meets the gate."""
    story = planned().held("design")
    receipt = by(EVIDENCED, story.asks(JUNO, story.feedback("design", "very good")).case)
    assert receipt.verdict == "warned"
    assert said(receipt) == [
        ("the rating of failure-modes, safety-judgement has fewer than 8 words of evidence", ())
    ]


def test_reading_first_is_told_when_the_feedback_arrives(by: By) -> None:
    """The feedback is recorded all the same, with what was found."""
    story = planned().wrote(IRIS, "screen").read(JUNO)
    receipt = by("own-feedback-first", story.asks(JUNO, story.feedback("design")).case)
    assert receipt.verdict == "warned"
    ((message, positions),) = said(receipt)
    assert positions == ()
    assert message == (
        "the author had read others' feedback before writing: this does not count towards the two"
    )


def test_amending_after_reading_is_told_when_the_amendment_arrives(by: By) -> None:
    """An amendment by who has read nothing is none of this rule's business."""
    story = planned().wrote(IRIS, "screen").wrote(JUNO, "design")
    mine = at(story, f.FeedbackSubmitted)
    rated = tuple(c.RatingSpec(competency=x, rating=2, evidence="two") for x in DESIGN.competencies)
    amendment = c.AmendFeedback(loop=LOOP, position=mine, ratings=rated, reason="a slip")
    rule = "own-feedback-first"
    assert by(rule, story.asks(JUNO, amendment).case).verdict == "passed"
    receipt = by(rule, story.read(JUNO).asks(JUNO, amendment).case)
    ((message, _),) = said(receipt)
    assert message == (
        "the author amended this after reading others' feedback: it no longer counts towards the"
        " two"
    )


@pytest.mark.parametrize(("hours", "verdict"), [(72, "passed"), (73, "warned")])
def test_a_report_of_days_ago_is_told_so_when_it_arrives(by: By, hours: int, verdict: str) -> None:
    """Up to three days between event and record are usual."""
    story = planned().later(days=9)
    then = story.now - timedelta(hours=hours)
    case = story.asks(IRIS, story.feedback("screen", at=then)).case
    assert by("recorded-when-it-happened", case).verdict == verdict


def test_feedback_on_a_session_that_nobody_planned_shows_no_prompts(by: By) -> None:
    """A record from before there was a plan is not taken for a session of the loop."""
    story = Story()
    for one in planned().wrote(JUNO, "design").facts:
        fact = one.fact
        if isinstance(fact, f.FeedbackSubmitted):
            fact = replace(fact, session="elsewhere")
        story.happened(fact)
    assert by("safety-never-skipped", story.asks_gate().case).verdict == "refused"


def test_dissent_that_was_announced_must_be_written_down(by: By) -> None:
    """Who closes a debrief with dissent names debrief and closing, and somebody's words."""
    story = evidenced().does(HIRING_MANAGER, c.OpenDebrief(loop=LOOP))
    story.does(HIRING_MANAGER, c.CloseDebrief(loop=LOOP, dissent="recorded"))
    opened, closed = at(story, f.DebriefOpened), at(story, f.DebriefClosed)
    assert said(by("dissent-answered", story.asks_gate().case)) == [
        ("the debrief was closed with dissent, but none is recorded", (opened, closed))
    ]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("She is really smart and very articulate.", "warned"),
        ("Great culture fit!", "warned"),
        ("A strong yes from me, honestly.", "warned"),
        ("Smart: named the label schema first.", "passed"),
        ("Asked who pays for a false alarm.", "passed"),
        ("No.", "passed"),
        ("Sehr klug und sympathisch.", "passed"),
    ],
)
def test_adjectives_alone_are_found_and_a_single_observation_is_enough(
    by: By, text: str, verdict: str
) -> None:
    """The lint knows common English words only, and gives the benefit of the doubt."""
    assert by("adjectives-only", evidenced().asks_statement(text).case).verdict == verdict


def test_a_citation_of_something_else_than_evidence_is_none(by: By) -> None:
    """The plan or the opening of a loop shows nothing about the candidate."""
    story = evidenced()
    plan, form = at(story, f.LoopPlanned), at(story, f.FeedbackSubmitted)
    rule = "debate-cites-evidence"
    assert by(rule, story.asks_statement("as planned", plan).case).verdict == "warned"
    assert by(rule, story.asks_statement("as written", plan, form).case).verdict == "passed"


def rating_at_the_screen(rating: int) -> Story:
    """A whole loop in which the screener gave this rating, unchecked."""
    story = Story()
    for one in evidenced().facts:
        fact = one.fact
        if isinstance(fact, f.FeedbackSubmitted) and fact.session == "screen":
            ratings = tuple(replace(rated, rating=rating) for rated in fact.ratings)
            fact = replace(fact, ratings=ratings)
        story.happened(fact)
    return story


@pytest.mark.parametrize("rating", [0, 5])
def test_a_rating_off_the_scale_is_found(by: By, rating: int) -> None:
    """The gate trusts no check that was made when feedback came in."""
    story = rating_at_the_screen(rating)
    off = at(story, f.FeedbackSubmitted, 0)
    assert said(by(EVIDENCED, story.asks_gate().case)) == [
        ("a rating is off the scorecard's scale of 1 to 4", (off,))
    ]


@pytest.mark.parametrize("rating", [1, 4])
def test_both_ends_of_the_scale_are_on_it(by: By, rating: int) -> None:
    """The best and the worst rating can be given."""
    assert by(EVIDENCED, rating_at_the_screen(rating).asks_gate().case).verdict == "passed"


@pytest.mark.parametrize(("number", "verdict"), [(7, "warned"), (8, "passed")])
def test_eight_words_are_evidence_and_seven_are_not(by: By, number: int, verdict: str) -> None:
    """The number that the parameter names is enough."""
    story = planned()
    command = story.feedback("screen", " ".join(["word"] * number))
    assert by(EVIDENCED, story.asks(IRIS, command).case).verdict == verdict


@pytest.mark.parametrize(
    ("late", "verdict"),
    [(timedelta(hours=24), "passed"), (timedelta(hours=24, seconds=1), "warned")],
)
def test_on_arrival_and_while_it_is_missing_the_same_second_counts(
    by: By, late: timedelta, verdict: str
) -> None:
    """Feedback is late from the moment from which it would be missed."""
    story = planned().held("screen")
    story.now = story.world.loops[LOOP].sessions[-1].fact.ended_at + late
    assert by(ON_TIME, story.asks(IRIS, story.feedback("screen")).case).verdict == verdict
    missing = by(ON_TIME, story.asks_gate().case)
    assert missing.verdict == verdict
    assert [x.message for x in missing.findings] == (
        []
        if verdict == "passed"
        else ["feedback that was due by 24 hours after the session ended is still missing"]
    )


def test_amending_blind_is_no_finding_at_the_gate(by: By) -> None:
    """Only an amendment made after reading is named, with the form it amends."""
    rule = "own-feedback-first"
    story = evidenced().amended(JUNO)
    assert by(rule, story.asks_gate().case).verdict == "passed"
    story.read(KOFI).amended(KOFI)
    forms = story.world.loops[LOOP].feedback
    mine = next(w.position for w in forms if w.fact.author == KOFI)
    ((_, positions),) = said(by(rule, story.asks_gate().case))
    assert positions == (mine, at(story, f.FeedbackAmended))
