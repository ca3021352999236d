"""From a command to facts: `draft` works out what it would make, `conclude` what is recorded.

Between the two, rules judge the draft. Both are pure. What the person may not do, or what cannot be
true, raises a `Refusal`; what a rule blocks becomes a refusal too, and for stages, gates and
decisions that refusal is itself a fact.
"""

from typing import assert_never

from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import INTENTS, Draft
from domain.decide import closing, decision, evidence, opening, people, privacy, rubric
from domain.decide.context import Context as Context
from domain.decide.context import NewKey as NewKey
from domain.decide.context import claimed_at as claimed_at
from domain.decide.privacy import check_nobody_erased
from domain.findings import Basis, Finding, Judged
from domain.refusals import RefusedByRule
from domain.state import World


def draft(command: c.AnyCommand, world: World, context: Context) -> Draft:
    """What the command would make, or a `Refusal`."""
    context.not_ahead(context.at, "/at")
    drafted = _draft(command, world, context)
    check_nobody_erased(drafted, world)
    return drafted


def _draft(command: c.AnyCommand, world: World, context: Context) -> Draft:
    match command:
        case c.RegisterPerson():
            return people.register_person(command, world, context)
        case c.ChangeRoles():
            return people.change_roles(command, world, context)
        case c.IssueKey():
            return people.issue_key(command, world, context)
        case c.RevokeKey():
            return people.revoke_key(command, world, context)
        case c.ImportRecord():
            return people.import_record(command, world, context)
        case c.CorrectFact():
            return people.correct_fact(command, world, context)
        case c.PlaceHold():
            return privacy.place_hold(command, world, context)
        case c.ReleaseHold():
            return privacy.release_hold(command, world, context)
        case c.EraseSubject():
            return privacy.erase_subject(command, world, context)
        case c.NoteFeedbackViewed() | c.NoteRecordViewed():
            return people.note_reading(command, context)
        case c.OpenRequisition():
            return rubric.open_requisition(command, world, context)
        case c.ChangeRequisition():
            return rubric.change_requisition(command, world, context)
        case c.VersionScorecard():
            return rubric.version_scorecard(command, world, context)
        case c.ApproveScorecard():
            return rubric.approve_scorecard(command, world, context)
        case c.RetireScorecard():
            return rubric.retire_scorecard(command, world, context)
        case c.VersionPrompt():
            return rubric.version_prompt(command, world, context)
        case c.VersionPosting():
            return rubric.version_posting(command, world, context)
        case c.AdoptPolicySet():
            return rubric.adopt_policy_set(command, world, context)
        case _:
            return _draft_in_loop(command, world, context)


LoopCommand = (
    c.OpenLoop
    | c.PlanLoop
    | c.GiveProcessNotice
    | c.DiscloseRelationship
    | evidence.SessionReport
    | c.SubmitFeedback
    | c.AmendFeedback
    | c.RecordReference
    | c.DecideStage
    | decision.DebriefCommand
    | c.PassEvidenceGate
    | c.MakeRecommendation
    | decision.GrantException
    | c.MakeDecision
    | c.ReverseDecision
    | c.ObserveDecision
    | c.RecordOffer
    | c.ReportWithdrawal
    | c.CloseLoop
    | c.ReopenLoop
    | c.RecordOutcome
)


def _draft_in_loop(command: LoopCommand, world: World, context: Context) -> Draft:
    match command:
        case c.OpenLoop():
            return opening.open_loop(command, world, context)
        case c.PlanLoop():
            return opening.plan_loop(command, world, context)
        case c.GiveProcessNotice():
            return opening.give_process_notice(command, world, context)
        case c.DiscloseRelationship():
            return opening.disclose_relationship(command, world, context)
        case c.SubmitFeedback():
            return evidence.submit_feedback(command, world, context)
        case c.AmendFeedback():
            return evidence.amend_feedback(command, world, context)
        case c.RecordReference():
            return evidence.record_reference(command, world, context)
        case c.DecideStage():
            return decision.decide_stage(command, world, context)
        case c.OpenDebrief() | c.MakeStatement() | c.RecordDissent() | c.CloseDebrief():
            return decision.debrief(command, world, context)
        case c.PassEvidenceGate():
            return decision.pass_evidence_gate(command, world, context)
        case c.MakeRecommendation():
            return decision.make_recommendation(command, world, context)
        case c.GrantLoopException() | c.GrantRequisitionException():
            return decision.grant_exception(command, world, context)
        case c.MakeDecision():
            return decision.make_decision(command, world, context)
        case c.ReverseDecision():
            return decision.reverse_decision(command, world, context)
        case c.ObserveDecision():
            return decision.observe_decision(command, world, context)
        case c.RecordOffer():
            return closing.record_offer(command, world, context)
        case c.ReportWithdrawal():
            return closing.report_withdrawal(command, world, context)
        case c.CloseLoop():
            return closing.close_loop(command, world, context)
        case c.ReopenLoop():
            return closing.reopen_loop(command, world, context)
        case c.RecordOutcome():
            return closing.record_outcome(command, world, context)
        case _:
            return evidence.report_session(command, world, context)


def conclude(
    drafted: Draft,
    judged: Judged,
    basis: Basis | None,
    witnesses: tuple[f.Witness, ...] = (),
) -> tuple[f.AnyFact, ...]:
    """The facts to record, given what the rules found; an unrecorded refusal raises."""
    fact = drafted.fact
    match fact:
        case f.DecisionMade() | f.StageDecided() | f.EvidenceGatePassed():
            if basis is None:
                raise ValueError("a gate or decision is concluded only with its basis")
            return (_decided(fact, judged, basis, witnesses), *_kept(drafted, judged))
        case f.FeedbackSubmitted() | f.FeedbackAmended() | f.DebriefStatementRecorded():
            return (replace(fact, findings=_as_reported(judged.findings)), *drafted.also)
        case (
            f.ScorecardVersioned()
            | f.PromptVersioned()
            | f.PostingVersioned()
            | f.LoopOpened()
            | f.LoopPlanned()
            | f.RecommendationRecorded()
        ):
            if judged.refused:
                raise RefusedByRule("a rule does not allow this", judged.findings)
            return (replace(fact, judged=judged), *drafted.also)
        case _:
            if drafted.moment in INTENTS:
                raise ValueError("an intent that can be judged is not concluded as a report")
            return (fact, *drafted.also)


def _kept(drafted: Draft, judged: Judged) -> tuple[f.AnyFact, ...]:
    return () if judged.refused else drafted.also


def _as_reported(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """A report is never refused: whatever blocks later only warns here."""
    return tuple(replace(one, enforcement="warn") for one in findings)


def _decided(
    fact: f.DecisionMade | f.StageDecided | f.EvidenceGatePassed,
    judged: Judged,
    basis: Basis,
    witnesses: tuple[f.Witness, ...],
) -> f.AnyFact:
    match fact:
        case f.DecisionMade():
            if not judged.refused:
                return replace(fact, judged=judged, basis=basis)
            return f.DecisionRefused(
                stamp=fact.stamp,
                loop=fact.loop,
                decision=fact.decision,
                reasons=fact.reasons,
                cites=fact.cites,
                judged=judged,
                basis=basis,
            )
        case f.StageDecided():
            if not judged.refused:
                return replace(fact, judged=judged, basis=basis)
            return f.StageDecisionRefused(
                stamp=fact.stamp,
                loop=fact.loop,
                stage=fact.stage,
                outcome=fact.outcome,
                reasons=fact.reasons,
                cites=fact.cites,
                judged=judged,
                basis=basis,
            )
        case f.EvidenceGatePassed():
            if not judged.refused:
                return replace(fact, judged=judged, basis=basis, witnesses=witnesses)
            return f.EvidenceGateRefused(
                stamp=fact.stamp, loop=fact.loop, witnesses=witnesses, judged=judged, basis=basis
            )
        case _:
            assert_never(fact)
