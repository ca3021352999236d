"""Every command once: who asks for it, after which facts, and which facts it makes.

Each example is accepted; tests of refusals change one thing about it.
"""

from collections.abc import Callable

from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from examples_early import (
    OPENED,
    OPENING,
    PEOPLE,
    PLANNED,
    REASONS,
    RUBRIC,
    SOURCE,
    TO_DECIDE,
    WITH_RUBRIC,
    Example,
    loop_at,
)
from scenario import aside

RATINGS = (
    c.RatingSpec(
        competency="framing",
        rating=4,
        evidence="Replaced accuracy by cost.",
        observations=later.RATED[0].observations,
    ),
    c.RatingSpec(competency="safety", not_observed="We ran out of time."),
)
WRITTEN = (*WITH_RUBRIC, later.FEEDBACK_SUBMITTED)

SESSIONS = (
    Example(
        c.CompleteSession(
            loop=s.LOOP,
            session="design",
            started_at=s.NOW - 2 * s.HOUR,
            ended_at=s.NOW - s.HOUR,
            attendees=(s.ANA, s.BEN),
            prompts=(s.RAG,),
            probes=(
                c.ProbeSpec(id="B1.P1", asked=True),
                c.ProbeSpec(id="B1.P2", asked=False, skipped_because="Out of time."),
            ),
        ),
        (later.SESSION_COMPLETED,),
        (s.PROMPT_VERSIONED, *PLANNED),
        s.ANA,
    ),
    Example(
        c.CancelSession(loop=s.LOOP, session="design", reason="A storm."),
        (later.SESSION_CANCELLED,),
        PLANNED,
    ),
    Example(
        c.ReportNoShow(loop=s.LOOP, session="design", who="interviewer"),
        (later.NO_SHOW,),
        PLANNED,
    ),
    Example(
        c.ReplaceInterviewer(
            loop=s.LOOP,
            session="design",
            replaced=s.BEN,
            replacement=s.CAY,
            reason="Away that day.",
        ),
        (later.INTERVIEWER_REPLACED,),
        PLANNED,
    ),
    Example(
        c.AssignTakeHome(
            loop=s.LOOP, session="task", minutes=180, due=s.NOW + s.DAY, adjusted=True
        ),
        (later.TAKE_HOME_ASSIGNED,),
        PLANNED,
    ),
    Example(
        c.ReceiveTakeHome(loop=s.LOOP, session="task", content_digest="6" * 64),
        (later.TAKE_HOME_RECEIVED,),
        PLANNED,
    ),
    Example(
        c.AnonymiseTakeHome(
            loop=s.LOOP,
            session="task",
            feasible=True,
            method="Names struck out.",
            reason="One file could not be.",
            content_digest="7" * 64,
        ),
        (later.TAKE_HOME_ANONYMISED,),
        PLANNED,
    ),
)

EVIDENCE = (
    Example(
        c.SubmitFeedback(
            loop=s.LOOP,
            session="design",
            source=SOURCE,
            ratings=RATINGS,
            tools=later.FEEDBACK_SUBMITTED.tools,
            attachments=later.FEEDBACK_SUBMITTED.attachments,
            language="en",
            recommend="hire",
            summary="Strong on measurement.",
            independence="attested_by_source",
        ),
        (later.FEEDBACK_SUBMITTED,),
        WITH_RUBRIC,
        s.ANA,
    ),
    Example(
        c.AmendFeedback(
            loop=s.LOOP, position=6, ratings=RATINGS, reason="I had mixed up two answers."
        ),
        (replace(later.FEEDBACK_AMENDED, independence="blind"),),
        WRITTEN,
        s.ANA,
    ),
    Example(
        c.RecordReference(
            loop=s.LOOP,
            relation="peer",
            themes=(c.ThemeSpec(competency="framing", text="Always asked what it costs."),),
            incident_pressure="Calm on call.",
            mentorship="Taught us error analysis.",
        ),
        (later.REFERENCE_RECORDED,),
        (s.SCORECARD_VERSIONED, *OPENED),
    ),
    Example(
        c.DecideStage(
            loop=s.LOOP,
            stage="screening",
            outcome="advance",
            reasons=REASONS,
            cites=(loop_at(TO_DECIDE),),
        ),
        (replace(later.STAGE_DECIDED, cites=(loop_at(TO_DECIDE),)),),
        TO_DECIDE,
    ),
)

GATED = (*TO_DECIDE, later.GATE_PASSED)
RECOMMENDED = (*GATED, replace(later.RECOMMENDED, gate=len(GATED)))
DECIDED = (*PLANNED, replace(later.DECISION_MADE, gate=1))

DECISION = (
    Example(c.OpenDebrief(loop=s.LOOP), (later.DEBRIEF_OPENED,), OPENED),
    Example(
        c.MakeStatement(loop=s.LOOP, text="She replaced the metric.", cites=(loop_at(TO_DECIDE),)),
        (replace(later.STATEMENT_RECORDED, cites=(loop_at(TO_DECIDE),)),),
        TO_DECIDE,
        s.ANA,
    ),
    Example(
        c.RecordDissent(loop=s.LOOP, text="The costs were guessed.", cites=(2,)),
        (later.DISSENT_RECORDED,),
        PLANNED,
        s.BEN,
    ),
    Example(
        c.CloseDebrief(loop=s.LOOP, dissent="recorded"),
        (later.DEBRIEF_CLOSED,),
        (*OPENED, later.DEBRIEF_OPENED, later.DISSENT_RECORDED),
    ),
    Example(c.PassEvidenceGate(loop=s.LOOP), (later.GATE_PASSED,), TO_DECIDE),
    Example(
        c.MakeRecommendation(
            loop=s.LOOP, recommend="hire", reason="Two saw it.", cites=(loop_at(GATED),)
        ),
        (replace(later.RECOMMENDED, cites=(loop_at(GATED),), gate=len(GATED)),),
        GATED,
    ),
    Example(
        c.GrantLoopException(
            loop=s.LOOP,
            policy="feedback-on-time",
            subject=s.ANA,
            reason="A storm kept them.",
            expires_at=s.NOW + s.DAY,
            compensating_control="A second reader.",
        ),
        (later.EXCEPTION_GRANTED,),
        PLANNED,
        s.PARTNER,
    ),
    Example(
        c.GrantRequisitionException(
            requisition=s.REQUISITION,
            policy="feedback-on-time",
            reason="The office is closed.",
            expires_at=s.NOW + s.DAY,
        ),
        (later.REQUISITION_EXCEPTION_GRANTED,),
        (s.REQUISITION_OPENED,),
        s.PARTNER,
    ),
    Example(
        c.MakeDecision(
            loop=s.LOOP, decision="hire", reasons=REASONS, cites=(loop_at(RECOMMENDED),)
        ),
        (
            replace(
                later.DECISION_MADE,
                cites=(loop_at(RECOMMENDED),),
                gate=len(GATED),
                recommendations=(len(RECOMMENDED),),
            ),
        ),
        RECOMMENDED,
        s.DECIDER,
    ),
    Example(
        c.ReverseDecision(loop=s.LOOP, reason="The budget is gone.", cites=(2,)),
        (replace(later.DECISION_REVERSED, reverses=len(DECIDED)),),
        DECIDED,
        s.DECIDER,
    ),
    Example(
        c.ObserveDecision(loop=s.LOOP, decision="hire", source=SOURCE),
        (later.DECISION_OBSERVED,),
        OPENED,
        s.DECIDER,
    ),
)

AFTERWARDS = (
    Example(c.RecordOffer(loop=s.LOOP, status="made"), (later.OFFER_RECORDED,), OPENED),
    Example(
        c.ReportWithdrawal(loop=s.LOOP, code="other-offer", reason="Took another."),
        (later.WITHDREW,),
        OPENED,
    ),
    Example(
        c.CloseLoop(loop=s.LOOP, disposition="withdrawn", reason="Gone."),
        (later.CLOSED,),
        (*OPENED, later.WITHDREW),
    ),
    Example(
        c.ReopenLoop(loop=s.LOOP, reason="Came back."),
        (later.REOPENED,),
        (*OPENED, later.CLOSED),
        s.DECIDER,
    ),
    Example(
        c.RecordOutcome(
            loop=s.LOOP,
            dimension="team_health",
            value="met",
            horizon_months=6,
            observed_from="survey",
            lawful_basis="contract",
            coverage=later.OUTCOME_RECORDED.coverage,
            rater_saw_scores=True,
        ),
        (later.OUTCOME_RECORDED,),
        OPENED,
    ),
)

PRIVACY = (
    Example(
        c.PlaceHold(
            id="matter-7",
            matter="Example against Example",
            candidates=(s.CANDIDATE,),
            requisitions=(s.REQUISITION,),
        ),
        (later.ON_HOLD,),
        (s.REQUISITION_OPENED,),
        s.OFFICER,
    ),
    Example(
        c.ReleaseHold(hold="matter-7", reason="Settled"),
        (later.OFF_HOLD,),
        (later.ON_HOLD,),
        s.OFFICER,
    ),
    Example(
        c.EraseSubject(candidate=s.CANDIDATE, legal_basis="GDPR Art. 17"),
        (later.ERASED,),
        (s.LOOP_OPENED, later.ON_HOLD, later.OFF_HOLD),
        s.OFFICER,
    ),
)

OUTSIDE = (
    Example(
        c.ImportRecord(
            system="ats",
            log="hiring-2025",
            case=s.LOOP,
            place=3,
            activity="Screening",
            claimed_at=s.NOW - 300 * s.DAY,
            resource="Recruiter 4",
            attributes=(c.AttributeSpec(name="gender", value="x"),),
        ),
        (later.RECORD_IMPORTED,),
        by=s.ADMIN,
    ),
    Example(
        c.CorrectFact(position=2, text="The date was wrong."),
        (later.FACT_CORRECTED,),
        (s.LOOP_OPENED, later.OUTCOME_RECORDED),
        s.AUDITOR,
    ),
    Example(
        c.NoteFeedbackViewed(loop=s.LOOP, viewed=(6,)),
        (later.FEEDBACK_VIEWED,),
        aside(s.LOOP_OPENED),
        s.ANA,
    ),
    Example(
        c.NoteRecordViewed(what="timeline", loop=s.LOOP, first=1, last=9),
        (later.RECORD_VIEWED,),
        by=s.AUDITOR,
    ),
)

EXAMPLES: tuple[Example, ...] = (
    *PEOPLE,
    *RUBRIC,
    *OPENING,
    *SESSIONS,
    *EVIDENCE,
    *DECISION,
    *AFTERWARDS,
    *PRIVACY,
    *OUTSIDE,
)


def of(kind: Callable[..., c.AnyCommand]) -> Example:
    """The example of a command."""
    return next(one for one in EXAMPLES if type(one.command) is kind)
