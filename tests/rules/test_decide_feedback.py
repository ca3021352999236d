"""Feedback and its amendments: who writes, about what, and whether independently."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.decide import Context, draft
from domain.refusals import Exists, Forbidden, Meaningless, Missing
from examples import RATINGS, WRITTEN
from examples_early import SOURCE, WITH_RUBRIC
from scenario import aside, given

FEEDBACK = c.SubmitFeedback(loop=s.LOOP, session="design", ratings=RATINGS)
PLAIN = f.FeedbackSubmitted(
    stamp=s.stamp(*s.ABOUT, by=s.ANA),
    loop=s.LOOP,
    session="design",
    author=s.ANA,
    ratings=later.RATED,
    independence="blind",
    findings=(s.WARNING,),
)
AMENDMENT = c.AmendFeedback(
    loop=s.LOOP, position=6, ratings=RATINGS, reason="I had mixed up two answers."
)
FRAMING, SAFETY = RATINGS
NOT_THERE = "this person was not to interview in this session; report a replacement"
VIEW_BY_BEN = replace(
    later.FEEDBACK_VIEWED,
    stamp=s.stamp(tags.loop(s.LOOP), tags.viewer(s.BEN), by=s.BEN),
    viewer=s.BEN,
)


def rated(*ratings: c.RatingSpec) -> c.SubmitFeedback:
    """Feedback with these ratings."""
    return replace(FEEDBACK, ratings=ratings)


@pytest.mark.parametrize(
    ("command", "detail", "pointer"),
    [
        (
            rated(replace(FRAMING, rating=5), SAFETY),
            "the scale runs from 1 to 4",
            "/ratings/0/rating",
        ),
        (
            rated(SAFETY, replace(FRAMING, rating=0)),
            "the scale runs from 1 to 4",
            "/ratings/1/rating",
        ),
        (
            rated(FRAMING, SAFETY, c.RatingSpec(competency="charm", rating=4)),
            "the pinned scorecard has no such competency",
            "/ratings/2/competency",
        ),
        (
            rated(FRAMING, replace(SAFETY, observations=FRAMING.observations)),
            "the competency has no such observation code",
            "/ratings/1/observations/0/code",
        ),
        (
            rated(replace(FRAMING, observations=FRAMING.observations * 2), SAFETY),
            "an observation code stands twice",
            "/ratings/0/observations/1/code",
        ),
        (
            rated(FRAMING),
            "rate every competency of the session, or say why it was not observed: safety",
            "/ratings",
        ),
        (rated(FRAMING, FRAMING), "a competency is rated twice", "/ratings/1/competency"),
        (
            rated(FRAMING, c.RatingSpec(competency="safety", evidence="Spoke of it.")),
            "give a rating, or say why it was not observed",
            "/ratings/1",
        ),
        (
            rated(FRAMING, replace(SAFETY, rating=2)),
            "give a rating, or say why it was not observed",
            "/ratings/1",
        ),
    ],
    ids=[
        "above-scale",
        "below-scale",
        "unknown-competency",
        "unknown-code",
        "code-twice",
        "missing-competency",
        "rated-twice",
        "neither",
        "both",
    ],
)
def test_ratings_that_cannot_be_meant_are_refused(
    command: c.SubmitFeedback, detail: str, pointer: str
) -> None:
    """Ratings stand on the pinned scorecard's scale, one for each competency of the session."""
    given(*WITH_RUBRIC).when(command, by=s.ANA).refused(Meaningless, detail, pointer)
    amending = replace(AMENDMENT, ratings=command.ratings)
    given(*WRITTEN).when(amending, by=s.ANA).refused(Meaningless, detail, pointer)


@pytest.mark.parametrize("rating", [1, 4], ids=["lowest", "highest"])
def test_both_ends_of_the_scale_are_on_it(rating: int) -> None:
    """The scale includes its ends."""
    safety = c.RatingSpec(competency="safety", rating=rating)
    given(*WITH_RUBRIC).when(rated(FRAMING, safety), by=s.ANA).then(
        replace(PLAIN, ratings=(later.RATED[0], f.Rated(competency="safety", rating=rating)))
    )


def test_a_competency_beyond_those_of_the_session_may_be_rated() -> None:
    """Whoever saw more than was planned may say so."""
    task = replace(FEEDBACK, session="task", ratings=(SAFETY, FRAMING))
    given(*WITH_RUBRIC).when(task, by=s.BEN).then(
        replace(
            PLAIN,
            stamp=s.stamp(*s.ABOUT, by=s.BEN),
            session="task",
            author=s.BEN,
            ratings=(later.RATED[1], later.RATED[0]),
        )
    )


def test_a_second_feedback_by_the_same_person_is_refused() -> None:
    """What was written stays; it can be amended."""
    given(*WRITTEN).when(FEEDBACK, by=s.ANA).refused(
        Exists, "this person's feedback on this session is in; amend it instead"
    )


def test_another_interviewer_of_the_session_writes_their_own() -> None:
    """One person's feedback is not another's."""
    given(*WRITTEN).when(FEEDBACK, by=s.BEN).then(
        replace(PLAIN, stamp=s.stamp(*s.ABOUT, by=s.BEN), author=s.BEN)
    )


def test_feedback_on_a_session_nobody_planned_is_not_found() -> None:
    """A session is planned before it is written about."""
    given(*WITH_RUBRIC).when(replace(FEEDBACK, session="lunch"), by=s.ANA).refused(
        Missing, "no plan of this loop has such a session; plan it first"
    )


def test_an_interviewer_of_another_session_is_refused() -> None:
    """One writes about the session that one held."""
    given(*WITH_RUBRIC).when(
        replace(FEEDBACK, session="task", ratings=(SAFETY,)), by=s.ANA
    ).refused(Forbidden, NOT_THERE)


def test_someone_who_is_no_interviewer_of_the_loop_is_refused() -> None:
    """The hiring team does not write feedback unless it interviewed."""
    given(*WITH_RUBRIC).when(FEEDBACK, by=s.TECH_LEAD).refused(
        Forbidden,
        "this person is neither named by the requisition's team nor an interviewer of this loop; "
        "change the team, the plan or the replacement first",
    )


def test_whoever_attended_unlisted_writes_feedback() -> None:
    """They were there, as the report of the session says."""
    attended = replace(later.SESSION_COMPLETED, attendees=(s.ANA, s.CAY))
    given(*WITH_RUBRIC, attended).when(FEEDBACK, by=s.CAY).then(
        replace(PLAIN, stamp=s.stamp(*s.ABOUT, by=s.CAY), author=s.CAY)
    )


def test_the_replacement_writes_feedback_and_the_replaced_does_not() -> None:
    """The place, and what it owes, has moved."""
    before = given(*WITH_RUBRIC, later.INTERVIEWER_REPLACED)
    before.when(FEEDBACK, by=s.BEN).refused(Forbidden, NOT_THERE)
    before.when(FEEDBACK, by=s.CAY).then(
        replace(PLAIN, stamp=s.stamp(*s.ABOUT, by=s.CAY), author=s.CAY)
    )


def test_feedback_without_a_source_is_blind() -> None:
    """Whoever has read nobody's feedback here is independent, and the fact says so for good."""
    given(*WITH_RUBRIC, *aside(VIEW_BY_BEN)).when(FEEDBACK, by=s.ANA).then(PLAIN)


def test_an_attestation_of_independence_needs_its_source() -> None:
    """Only another system can attest what was read there."""
    given(*WITH_RUBRIC).when(
        replace(FEEDBACK, independence="attested_by_source"), by=s.ANA
    ).refused(Meaningless, "only a source can attest; name it", "/source")


@pytest.mark.parametrize("independence", [None, "attested_by_source"])
def test_whoever_read_before_writing_is_not_independent(independence: None) -> None:
    """What this ledger saw outweighs what a source attests."""
    asked = replace(FEEDBACK, independence=independence, source=SOURCE)
    given(*WITH_RUBRIC, VIEW_BY_BEN).when(asked, by=s.BEN).then(
        replace(
            PLAIN,
            stamp=s.stamp(*s.ABOUT, by=s.BEN, source=s.ATS),
            author=s.BEN,
            independence="read_before_writing",
        )
    )


def test_feedback_is_never_judged_without_the_pinned_scorecard() -> None:
    """Forgetting to read it is our mistake, never the caller's."""
    outcome_world = given(*WITH_RUBRIC).when(FEEDBACK, by=s.ANA).world
    context = Context(
        now=s.NOW,
        at=s.NOW,
        actor=s.ANA,
        via=s.KEY,
        assurance="own_key",
        cause=s.CAUSE,
        roles=frozenset(("interviewer",)),
    )
    with pytest.raises(LookupError, match="outside what was read"):
        draft(FEEDBACK, replace(outcome_world, scorecards={}), context)


def test_words_of_evidence_are_counted_before_they_are_sealed() -> None:
    """A rule can judge how much was written after the words are gone."""
    drafted = given(*WITH_RUBRIC).when(FEEDBACK, by=s.ANA).draft()
    assert isinstance(drafted.fact, f.FeedbackSubmitted)
    assert [one.words for one in drafted.fact.ratings] == [4, 0]
    assert drafted.moment == "feedback"


def test_an_amendment_by_the_author_leaves_the_original() -> None:
    """It says what it amends, and that its author had read nothing."""
    given(*WRITTEN).when(AMENDMENT, by=s.ANA).then(
        replace(later.FEEDBACK_AMENDED, independence="blind")
    )


def test_an_amendment_after_reading_says_so() -> None:
    """Independence is frozen in the fact, from what its author had read here."""
    given(*WRITTEN, later.FEEDBACK_VIEWED).when(AMENDMENT, by=s.ANA).then(later.FEEDBACK_AMENDED)


def test_what_others_read_does_not_touch_an_amendment() -> None:
    """Only the author's own reading counts."""
    given(*WRITTEN, *aside(VIEW_BY_BEN)).when(AMENDMENT, by=s.ANA).then(
        replace(later.FEEDBACK_AMENDED, independence="blind")
    )


def test_nobody_amends_the_feedback_of_another() -> None:
    """Not even another interviewer; who has not written yet is not told that there is any."""
    given(*WRITTEN).when(AMENDMENT, by=s.BEN).refused(
        Missing, "no feedback of this loop stands at this position"
    )
    off = [replace(later.SESSION_CANCELLED, session=one.id) for one in s.LOOP_PLANNED.sessions]
    given(*WRITTEN, *off).when(AMENDMENT, by=s.BEN).refused(
        Forbidden, "only its author amends a feedback"
    )


def test_an_author_who_was_replaced_since_still_amends() -> None:
    """The words are theirs, whoever has their place."""
    moved = replace(later.INTERVIEWER_REPLACED, replaced=s.ANA)
    given(*WRITTEN, moved).when(AMENDMENT, by=s.ANA).then(
        replace(later.FEEDBACK_AMENDED, independence="blind")
    )


@pytest.mark.parametrize("position", [5, 7], ids=["the-plan", "nothing"])
def test_only_feedback_of_this_loop_is_amended(position: int) -> None:
    """The position must be that of a feedback."""
    given(*WRITTEN).when(replace(AMENDMENT, position=position), by=s.ANA).refused(
        Missing, "no feedback of this loop stands at this position"
    )


def test_an_amendment_rates_what_the_original_rated() -> None:
    """Nothing that was rated falls away silently, also what the session did not ask for."""
    more = replace(later.FEEDBACK_SUBMITTED, session="task", ratings=later.RATED)
    given(*WITH_RUBRIC, more).when(replace(AMENDMENT, ratings=(SAFETY,)), by=s.ANA).refused(
        Meaningless,
        "rate every competency of the session, or say why it was not observed: framing",
        "/ratings",
    )
