"""Reports of sessions and take-homes, and whose place in them is moved."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.refusals import Forbidden, Meaningless, Missing
from examples import EXAMPLES, SESSIONS
from examples_early import PLANNED, Example
from scenario import given

COMPLETED = c.CompleteSession(
    loop=s.LOOP,
    session="design",
    started_at=s.NOW - 2 * s.HOUR,
    ended_at=s.NOW - s.HOUR,
    attendees=(s.ANA, s.BEN),
    prompts=(),
)
REPLACEMENT = c.ReplaceInterviewer(
    loop=s.LOOP, session="design", replaced=s.BEN, replacement=s.CAY, reason="Away that day."
)
ANONYMISED = c.AnonymiseTakeHome(loop=s.LOOP, session="task", feasible=True, method="Struck out.")
PLAN_AGAIN = replace(s.LOOP_PLANNED, sessions=(s.DESIGN_SESSION,))
NO_SUCH_SESSION = "no plan of this loop has such a session; plan it first"
NOT_OF_THE_LOOP = (
    "this person is neither named by the requisition's team nor an interviewer of this loop; "
    "change the team, the plan or the replacement first"
)


@pytest.mark.parametrize("example", SESSIONS, ids=lambda one: type(one.command).__name__)
def test_a_report_on_a_session_nobody_planned_is_not_found(example: Example) -> None:
    """A session is planned before it is reported, in whichever plan."""
    command = replace(example.command, session="lunch")
    given(*example.given).when(command, by=example.by).refused(Missing, NO_SUCH_SESSION)


@pytest.mark.parametrize("example", SESSIONS[1:4], ids=lambda one: type(one.command).__name__)
def test_a_session_that_only_an_earlier_plan_had_can_be_reported(example: Example) -> None:
    """What happened may have been planned before the plan was changed."""
    later_plan = replace(s.LOOP_PLANNED, sessions=(s.TASK_SESSION,))
    given(*PLANNED, later_plan).when(example.command, by=example.by).then(*example.made)


def test_a_session_cannot_end_before_it_started() -> None:
    """Such a report cannot be true."""
    given(*PLANNED).when(replace(COMPLETED, ended_at=s.NOW - 3 * s.HOUR)).refused(
        Meaningless, "the session ended before it started", "/ended_at"
    )


def test_a_session_noted_at_one_instant_is_recorded() -> None:
    """Some calendars keep no end; that is thin, but it can be true."""
    instant = replace(COMPLETED, ended_at=COMPLETED.started_at)
    made = given(*PLANNED).when(instant).draft().fact
    assert isinstance(made, f.SessionCompleted)
    assert made.started_at == made.ended_at


def test_a_session_that_has_not_ended_is_not_completed() -> None:
    """What lies ahead has not happened."""
    given(*PLANNED).when(replace(COMPLETED, ended_at=s.NOW + s.HOUR)).refused(
        Meaningless,
        "a report cannot lie more than 5 minutes in the future; check the sender's clock",
        "/ended_at",
    )


def test_a_session_with_a_version_of_a_prompt_that_nobody_wrote_is_not_found() -> None:
    """The report has mistaken the version."""
    asked = (s.RAG, f.Ref(id="rag-design", version=2))
    given(s.PROMPT_VERSIONED, *PLANNED).when(replace(COMPLETED, prompts=asked)).refused(
        Missing, "no such version of this prompt", "/prompts/1"
    )


def test_a_session_with_a_prompt_of_ones_own_is_recorded() -> None:
    """What was asked is true even if nobody wrote it down before; rules will find it unequal."""
    asked = (f.Ref(id="brain-teaser", version=1),)
    given(*PLANNED).when(replace(COMPLETED, prompts=asked)).then(
        f.SessionCompleted(
            stamp=s.stamp(tags.loop(s.LOOP)),
            loop=s.LOOP,
            session="design",
            stage="onsite",
            started_at=COMPLETED.started_at,
            ended_at=COMPLETED.ended_at,
            attendees=(s.ANA, s.BEN),
            prompts=asked,
        )
    )


@pytest.mark.parametrize("attendees", [(s.ANA, s.CAY), (s.CAY,)], ids=["beside", "alone"])
def test_nobody_lets_themselves_in_by_reporting_that_they_attended(
    attendees: tuple[str, ...],
) -> None:
    """Someone who stood in unannounced is reported by the team or the panel, not by themselves."""
    report = replace(COMPLETED, attendees=attendees)
    given(*PLANNED).when(report, by=s.CAY).refused(Forbidden, NOT_OF_THE_LOOP)
    assert isinstance(given(*PLANNED).when(report, by=s.ANA).draft().fact, f.SessionCompleted)


@pytest.mark.parametrize("replaced", [s.CAY, s.STRANGER])
def test_only_somebody_who_was_to_interview_can_be_replaced(replaced: str) -> None:
    """Nobody takes a place that nobody had."""
    given(*PLANNED).when(replace(REPLACEMENT, replaced=replaced)).refused(
        Meaningless, "this person was not to interview there", "/from"
    )


def test_somebody_already_replaced_cannot_be_replaced_again() -> None:
    """The replacement has the place now, and can be replaced."""
    swapped = replace(REPLACEMENT, replaced=s.CAY, replacement=s.BEN)
    before = given(*PLANNED, later.INTERVIEWER_REPLACED)
    before.when(REPLACEMENT).refused(Meaningless, "this person was not to interview there", "/from")
    before.when(swapped).then(
        replace(
            later.INTERVIEWER_REPLACED,
            replaced=s.CAY,
            replacement=s.BEN,
            reason=s.said("Away that day.", s.CAY),
        )
    )


def test_a_replaced_interviewer_no_longer_reports() -> None:
    """Their place in the loop went to someone else."""
    cancelling = c.CancelSession(loop=s.LOOP, session="design", reason="A storm.")
    only_design = (*PLANNED[:2], PLAN_AGAIN, later.INTERVIEWER_REPLACED)
    given(*only_design).when(cancelling, by=s.BEN).refused(Forbidden, NOT_OF_THE_LOOP)
    given(*only_design).when(cancelling, by=s.CAY).then(
        replace(later.SESSION_CANCELLED, stamp=s.stamp(tags.loop(s.LOOP), by=s.CAY))
    )


def test_a_take_home_anonymised_without_a_method_is_refused() -> None:
    """Whoever anonymised says how."""
    given(*PLANNED).when(replace(ANONYMISED, method=None)).refused(
        Meaningless, "say how it was done", "/method"
    )


def test_a_take_home_that_could_not_be_anonymised_needs_a_reason() -> None:
    """Not feasible is an answer, with its reason."""
    given(*PLANNED).when(replace(ANONYMISED, feasible=False)).refused(
        Meaningless, "say why it was not feasible", "/reason"
    )


def test_a_take_home_that_could_not_be_anonymised_is_recorded_with_the_reason() -> None:
    """What is true is recorded; the rules say what they make of it."""
    told = c.AnonymiseTakeHome(loop=s.LOOP, session="task", feasible=False, reason="A video.")
    given(*PLANNED).when(told).then(
        f.TakeHomeAnonymised(
            stamp=s.stamp(tags.loop(s.LOOP)),
            loop=s.LOOP,
            session="task",
            feasible=False,
            reason=s.said("A video.", s.CANDIDATE),
        )
    )


def test_a_report_on_a_closed_loop_is_recorded() -> None:
    """True facts are never refused because they come late."""
    for example in EXAMPLES:
        if example in SESSIONS:
            given(*example.given, later.CLOSED).when(example.command, by=example.by).then(
                *example.made
            )
