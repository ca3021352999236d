"""The loop of `story`, from its first session to its outcome, and what was learnt from it."""

from msgspec.structs import replace

from domain import facts as f
from domain import tags
from story import (
    ABOUT,
    ADMIN,
    ANA,
    ATS,
    AUDITOR,
    BASIS,
    BEN,
    CANDIDATE,
    CAY,
    DAY,
    DECIDER,
    HOUR,
    IN_LOOP,
    JUDGED,
    LOOP,
    NOW,
    OFFICER,
    PARTNER,
    RAG,
    REFUSED,
    REQUISITION,
    WARNING,
    said,
    stamp,
)

# ---------------------------------------------------------------- evidence

SESSION_COMPLETED = f.SessionCompleted(
    stamp=stamp(IN_LOOP, by=ANA),
    loop=LOOP,
    session="design",
    stage="onsite",
    started_at=NOW - 2 * HOUR,
    ended_at=NOW - HOUR,
    attendees=(ANA, BEN),
    prompts=(RAG,),
    probes=(
        f.ProbeGiven(id="B1.P1", asked=True),
        f.ProbeGiven(id="B1.P2", asked=False, skipped_because=said("Out of time.", CANDIDATE)),
    ),
)
SESSION_CANCELLED = f.SessionCancelled(
    stamp=stamp(IN_LOOP), loop=LOOP, session="design", reason=said("A storm.", CANDIDATE)
)
INTERVIEWER_REPLACED = f.InterviewerReplaced(
    stamp=stamp(IN_LOOP),
    loop=LOOP,
    session="design",
    replaced=BEN,
    replacement=CAY,
    reason=said("Away that day.", BEN),
)
NO_SHOW = f.CandidateNoShow(stamp=stamp(IN_LOOP), loop=LOOP, session="design", who="interviewer")
TAKE_HOME_ASSIGNED = f.TakeHomeAssigned(
    stamp=stamp(IN_LOOP), loop=LOOP, session="task", minutes=180, due=NOW + DAY, adjusted=True
)
TAKE_HOME_RECEIVED = f.TakeHomeReceived(
    stamp=stamp(IN_LOOP), loop=LOOP, session="task", content_digest="6" * 64
)
TAKE_HOME_ANONYMISED = f.TakeHomeAnonymised(
    stamp=stamp(IN_LOOP),
    loop=LOOP,
    session="task",
    feasible=True,
    method=said("Names struck out.", CANDIDATE),
    reason=said("One file could not be.", CANDIDATE),
    content_digest="7" * 64,
)
RATED = (
    f.Rated(
        competency="framing",
        rating=4,
        evidence=said("Replaced accuracy by cost.", CANDIDATE),
        words=4,
        observations=(f.ObservationMade(code="B1.S1", state="seen"),),
    ),
    f.Rated(competency="safety", not_observed=said("We ran out of time.", CANDIDATE)),
)
FEEDBACK_SUBMITTED = f.FeedbackSubmitted(
    stamp=stamp(*ABOUT, by=ANA, source=ATS),
    loop=LOOP,
    session="design",
    author=ANA,
    ratings=RATED,
    independence="attested_by_source",
    tools=(f.ToolUsed(name="notetaker", version="2.1", use="transcript"),),
    attachments=(f.Attachment(digest="8" * 64, media_type="application/pdf"),),
    language="en",
    recommend="hire",
    summary=said("Strong on measurement.", CANDIDATE),
    findings=(WARNING,),
)
FEEDBACK_AMENDED = f.FeedbackAmended(
    stamp=stamp(*ABOUT, by=ANA),
    loop=LOOP,
    session="design",
    author=ANA,
    amends=6,
    ratings=RATED,
    independence="amended_after_reading",
    reason=said("I had mixed up two answers.", CANDIDATE),
    findings=(WARNING,),
)
FEEDBACK_VIEWED = f.FeedbackViewed(
    stamp=stamp(IN_LOOP, tags.viewer(ANA), by=ANA), loop=LOOP, viewer=ANA, viewed=(6,)
)
REFERENCE_RECORDED = f.ReferenceRecorded(
    stamp=stamp(IN_LOOP),
    loop=LOOP,
    relation="peer",
    themes=(f.Theme(competency="framing", text=said("Always asked what it costs.", CANDIDATE)),),
    incident_pressure=said("Calm on call.", CANDIDATE),
    mentorship=said("Taught us error analysis.", CANDIDATE),
)
REASONS = (f.Reason(kind="competency", ref="framing", text=said("Measures first.", CANDIDATE)),)
STAGE_DECIDED = f.StageDecided(
    stamp=stamp(*ABOUT),
    loop=LOOP,
    stage="screening",
    outcome="advance",
    reasons=REASONS,
    cites=(2,),
    judged=JUDGED,
    basis=BASIS,
)
STAGE_DECISION_REFUSED = f.StageDecisionRefused(
    stamp=stamp(*ABOUT),
    loop=LOOP,
    stage="screening",
    outcome="reject",
    reasons=REASONS,
    cites=(2,),
    judged=REFUSED,
    basis=BASIS,
)

# ---------------------------------------------------------------- the decision

DEBRIEF_OPENED = f.DebriefOpened(stamp=stamp(IN_LOOP), loop=LOOP)
STATEMENT_RECORDED = f.DebriefStatementRecorded(
    stamp=stamp(IN_LOOP, by=ANA),
    loop=LOOP,
    author=ANA,
    text=said("She replaced the metric.", CANDIDATE),
    words=4,
    cites=(2,),
    findings=(WARNING,),
)
DISSENT_RECORDED = f.DissentRecorded(
    stamp=stamp(IN_LOOP, by=BEN),
    loop=LOOP,
    author=BEN,
    text=said("The costs were guessed.", CANDIDATE),
    cites=(2,),
)
DEBRIEF_CLOSED = f.DebriefClosed(stamp=stamp(IN_LOOP), loop=LOOP, dissent="recorded")
WITNESSES = (
    f.Witness(person=ANA, feedback=(6,), counts=True),
    f.Witness(person=BEN, feedback=(), counts=False, why_not="read-before-writing"),
)
GATE_PASSED = f.EvidenceGatePassed(
    stamp=stamp(IN_LOOP), loop=LOOP, witnesses=WITNESSES, judged=JUDGED, basis=BASIS
)
GATE_REFUSED = f.EvidenceGateRefused(
    stamp=stamp(IN_LOOP), loop=LOOP, witnesses=WITNESSES, judged=REFUSED, basis=BASIS
)
RECOMMENDED = f.RecommendationRecorded(
    stamp=stamp(IN_LOOP),
    loop=LOOP,
    recommend="hire",
    reason=said("Two saw it.", CANDIDATE),
    cites=(2,),
    gate=3,
    judged=JUDGED,
)
EXCEPTION_GRANTED = f.ExceptionGranted(
    stamp=stamp(IN_LOOP, by=PARTNER),
    loop=LOOP,
    policy="feedback-on-time",
    subject=ANA,
    reason=said("A storm kept them.", CANDIDATE),
    expires_at=NOW + DAY,
    compensating_control=said("A second reader.", CANDIDATE),
)
REQUISITION_EXCEPTION_GRANTED = f.ExceptionGranted(
    stamp=stamp(tags.requisition(REQUISITION), by=PARTNER),
    requisition=REQUISITION,
    policy="feedback-on-time",
    reason=said("The office is closed.", "organisation"),
    expires_at=NOW + DAY,
)
DECISION_MADE = f.DecisionMade(
    stamp=stamp(*ABOUT, by=DECIDER),
    loop=LOOP,
    decision="hire",
    reasons=REASONS,
    cites=(2,),
    gate=3,
    recommendations=(4,),
    judged=JUDGED,
    basis=BASIS,
)
DECISION_REFUSED = f.DecisionRefused(
    stamp=stamp(*ABOUT, by=DECIDER),
    loop=LOOP,
    decision="hire",
    reasons=REASONS,
    cites=(2,),
    judged=REFUSED,
    basis=BASIS,
)
DECISION_OBSERVED = f.DecisionObserved(
    stamp=stamp(IN_LOOP, by=DECIDER, source=ATS), loop=LOOP, decision="hire"
)
DECISION_REVERSED = f.DecisionReversed(
    stamp=stamp(IN_LOOP, by=DECIDER),
    loop=LOOP,
    reverses=3,
    reason=said("The budget is gone.", CANDIDATE),
    cites=(2,),
)
OFFER_RECORDED = f.OfferRecorded(stamp=stamp(IN_LOOP), loop=LOOP, status="made")
WITHDREW = f.CandidateWithdrew(
    stamp=stamp(IN_LOOP), loop=LOOP, code="other-offer", reason=said("Took another.", CANDIDATE)
)
EXPLANATION_ISSUED = f.ExplanationIssued(stamp=stamp(IN_LOOP), loop=LOOP, reasons=REASONS)
CLOSED = f.LoopClosed(
    stamp=stamp(IN_LOOP), loop=LOOP, disposition="withdrawn", reason=said("Gone.", CANDIDATE)
)
REOPENED = f.LoopReopened(
    stamp=stamp(IN_LOOP, by=DECIDER), loop=LOOP, reason=said("Came back.", CANDIDATE)
)

# ---------------------------------------------------------------- afterwards

OUTCOME_RECORDED = f.OutcomeRecorded(
    stamp=stamp(*ABOUT),
    loop=LOOP,
    dimension="team_health",
    value="met",
    horizon_months=6,
    observed_from="survey",
    lawful_basis="contract",
    coverage=f.Coverage(known=4, of=5),
    rater_saw_scores=True,
)
RETRO_OPENED = f.RetroOpened(stamp=stamp(tags.retro("q1")), retro="q1", quarter="2026-Q1")
FINDING_RECORDED = f.FindingRecorded(
    stamp=stamp(tags.retro("q1")),
    retro="q1",
    kind="false_positive",
    text=said("One struggled with on-call.", "organisation"),
    loops=(LOOP,),
    n=12,
    base_rate=0.25,
)
RETRO_CLOSED = f.RetroClosed(
    stamp=stamp(tags.retro("q1")),
    retro="q1",
    false_positives=said("One of twelve.", "organisation"),
    false_negatives=said("Nothing is known.", "organisation"),
)
CHANGE_PROPOSED = f.RubricChangeProposed(
    stamp=stamp(tags.scorecard("ml-engineer"), tags.change("fewer-words")),
    scorecard="ml-engineer",
    change="fewer-words",
    text="Ask about on-call.",
    findings=(2,),
)
CHANGE_ADOPTED = f.RubricChangeAdopted(
    stamp=stamp(tags.scorecard("ml-engineer"), tags.change("fewer-words")),
    scorecard="ml-engineer",
    change="fewer-words",
    version=2,
)
CHANGE_REJECTED = f.RubricChangeRejected(
    stamp=stamp(tags.scorecard("ml-engineer"), tags.change("more-words")),
    scorecard="ml-engineer",
    change="more-words",
    reason="No finding asks for it.",
)
PEERS_COMPARED = f.PeerComparisonRecorded(
    stamp=stamp(tags.scorecard("ml-engineer")),
    scorecard="ml-engineer",
    query="evaluation harness",
    results_digest="9" * 64,
)
FAIRNESS_REPORTED = f.FairnessReportRecorded(
    stamp=stamp(by=AUDITOR), report="q1-selection", position=9, content_digest="a" * 64
)

# ---------------------------------------------------------------- candidates, and the outside

SELF_IDENTIFIED = f.SelfIdentificationRecorded(
    stamp=stamp(tags.self_identification(CANDIDATE)),
    candidate=CANDIDATE,
    attributes={"sex": said("declined", f"self-identification:{CANDIDATE}")},
)
HOLD_PLACED = f.HoldPlaced(
    stamp=stamp(tags.hold("matter-7"), by=ADMIN),
    hold="matter-7",
    matter=said("Example against Example", "organisation"),
    candidates=(CANDIDATE,),
    requisitions=(REQUISITION,),
)
HOLD_RELEASED = f.HoldReleased(
    stamp=stamp(tags.hold("matter-7"), by=ADMIN),
    hold="matter-7",
    reason=said("Settled", "organisation"),
)
SUBJECT_ERASED = f.SubjectErased(
    stamp=stamp(tags.candidate(CANDIDATE), by=ADMIN),
    candidate=CANDIDATE,
    legal_basis=said("GDPR Art. 17", "organisation"),
)
# As deciding makes them: found by whom they are about, and by the requisitions they are over.
HELD = (
    tags.hold("matter-7"),
    tags.holds(),
    tags.candidate(CANDIDATE),
    tags.requisition(REQUISITION),
)
ON_HOLD = replace(HOLD_PLACED, stamp=stamp(*HELD, by=OFFICER))
OFF_HOLD = replace(HOLD_RELEASED, stamp=stamp(*HELD, by=OFFICER))
ERASED = replace(SUBJECT_ERASED, stamp=stamp(tags.candidate(CANDIDATE), IN_LOOP, by=OFFICER))
RECORD_IMPORTED = f.RecordImported(
    stamp=stamp(IN_LOOP, tags.imported("ats"), by=ADMIN),
    system="ats",
    log="hiring-2025",
    case=LOOP,
    place=3,
    activity="Screening",
    claimed_at=NOW - 300 * DAY,
    resource=said("Recruiter 4", LOOP),
    attributes=(
        f.ImportedAttribute(name="gender", value=said("x", f"self-identification:{LOOP}")),
    ),
)
EDIT_DETECTED = f.ExternalEditDetected(stamp=stamp(tags.fact(6), by=AUDITOR), of=6)
DELETION_DETECTED = f.ExternalDeletionDetected(stamp=stamp(tags.fact(6), by=AUDITOR), of=6)
RECORD_VIEWED = f.RecordViewed(
    stamp=stamp(IN_LOOP, tags.viewer(AUDITOR), by=AUDITOR),
    viewer=AUDITOR,
    what="timeline",
    loop=LOOP,
    first=1,
    last=9,
)
FACT_CORRECTED = f.FactCorrected(
    stamp=stamp(tags.fact(2), *ABOUT, by=AUDITOR),
    of=2,
    text=said("The date was wrong.", CANDIDATE),
)
