"""Everything that can be asked of the ledger, in the order of a loop's life; the union last."""

from typing import get_args

from domain.commands.base import (
    Command as Command,
)
from domain.commands.base import (
    LoopCommand as LoopCommand,
)
from domain.commands.base import (
    SessionCommand as SessionCommand,
)
from domain.commands.base import (
    SourceRef as SourceRef,
)
from domain.commands.decision import (
    CloseDebrief as CloseDebrief,
)
from domain.commands.decision import (
    CloseLoop as CloseLoop,
)
from domain.commands.decision import (
    ExceptionTerms as ExceptionTerms,
)
from domain.commands.decision import (
    GrantLoopException as GrantLoopException,
)
from domain.commands.decision import (
    GrantRequisitionException as GrantRequisitionException,
)
from domain.commands.decision import (
    MakeDecision as MakeDecision,
)
from domain.commands.decision import (
    MakeRecommendation as MakeRecommendation,
)
from domain.commands.decision import (
    MakeStatement as MakeStatement,
)
from domain.commands.decision import (
    ObserveDecision as ObserveDecision,
)
from domain.commands.decision import (
    OpenDebrief as OpenDebrief,
)
from domain.commands.decision import (
    PassEvidenceGate as PassEvidenceGate,
)
from domain.commands.decision import (
    RecordDissent as RecordDissent,
)
from domain.commands.decision import (
    RecordOffer as RecordOffer,
)
from domain.commands.decision import (
    RecordOutcome as RecordOutcome,
)
from domain.commands.decision import (
    ReopenLoop as ReopenLoop,
)
from domain.commands.decision import (
    ReportWithdrawal as ReportWithdrawal,
)
from domain.commands.decision import (
    ReverseDecision as ReverseDecision,
)
from domain.commands.evidence import (
    AmendFeedback as AmendFeedback,
)
from domain.commands.evidence import (
    AnonymiseTakeHome as AnonymiseTakeHome,
)
from domain.commands.evidence import (
    AssignTakeHome as AssignTakeHome,
)
from domain.commands.evidence import (
    CancelSession as CancelSession,
)
from domain.commands.evidence import (
    CompleteSession as CompleteSession,
)
from domain.commands.evidence import (
    CorrectFact as CorrectFact,
)
from domain.commands.evidence import (
    DecideStage as DecideStage,
)
from domain.commands.evidence import (
    ProbeSpec as ProbeSpec,
)
from domain.commands.evidence import (
    RatingSpec as RatingSpec,
)
from domain.commands.evidence import (
    ReasonSpec as ReasonSpec,
)
from domain.commands.evidence import (
    ReceiveTakeHome as ReceiveTakeHome,
)
from domain.commands.evidence import (
    RecordReference as RecordReference,
)
from domain.commands.evidence import (
    ReplaceInterviewer as ReplaceInterviewer,
)
from domain.commands.evidence import (
    ReportNoShow as ReportNoShow,
)
from domain.commands.evidence import (
    SubmitFeedback as SubmitFeedback,
)
from domain.commands.evidence import (
    ThemeSpec as ThemeSpec,
)
from domain.commands.opening import (
    CandidateSpec as CandidateSpec,
)
from domain.commands.opening import (
    DiscloseRelationship as DiscloseRelationship,
)
from domain.commands.opening import (
    GiveProcessNotice as GiveProcessNotice,
)
from domain.commands.opening import (
    OpenLoop as OpenLoop,
)
from domain.commands.opening import (
    PlanLoop as PlanLoop,
)
from domain.commands.opening import (
    SessionSpec as SessionSpec,
)
from domain.commands.people import (
    AttributeSpec as AttributeSpec,
)
from domain.commands.people import (
    ChangeRoles as ChangeRoles,
)
from domain.commands.people import (
    EraseSubject as EraseSubject,
)
from domain.commands.people import (
    ImportRecord as ImportRecord,
)
from domain.commands.people import (
    IssueKey as IssueKey,
)
from domain.commands.people import (
    PlaceHold as PlaceHold,
)
from domain.commands.people import (
    RegisterPerson as RegisterPerson,
)
from domain.commands.people import (
    ReleaseHold as ReleaseHold,
)
from domain.commands.people import (
    RevokeKey as RevokeKey,
)
from domain.commands.reading import (
    NoteFeedbackViewed as NoteFeedbackViewed,
)
from domain.commands.reading import (
    NoteRecordViewed as NoteRecordViewed,
)
from domain.commands.rubric import (
    AdoptPolicySet as AdoptPolicySet,
)
from domain.commands.rubric import (
    ApproveScorecard as ApproveScorecard,
)
from domain.commands.rubric import (
    ChangeRequisition as ChangeRequisition,
)
from domain.commands.rubric import (
    OpenRequisition as OpenRequisition,
)
from domain.commands.rubric import (
    PartnerSpec as PartnerSpec,
)
from domain.commands.rubric import (
    RetireScorecard as RetireScorecard,
)
from domain.commands.rubric import (
    TeamSpec as TeamSpec,
)
from domain.commands.rubric import (
    VersionPosting as VersionPosting,
)
from domain.commands.rubric import (
    VersionPrompt as VersionPrompt,
)
from domain.commands.rubric import (
    VersionScorecard as VersionScorecard,
)

AnyCommand = (
    RegisterPerson
    | ChangeRoles
    | IssueKey
    | RevokeKey
    | ImportRecord
    | OpenRequisition
    | ChangeRequisition
    | VersionScorecard
    | ApproveScorecard
    | RetireScorecard
    | VersionPrompt
    | VersionPosting
    | AdoptPolicySet
    | OpenLoop
    | PlanLoop
    | GiveProcessNotice
    | DiscloseRelationship
    | CompleteSession
    | CancelSession
    | ReportNoShow
    | ReplaceInterviewer
    | AssignTakeHome
    | ReceiveTakeHome
    | AnonymiseTakeHome
    | SubmitFeedback
    | AmendFeedback
    | RecordReference
    | DecideStage
    | CorrectFact
    | OpenDebrief
    | MakeStatement
    | RecordDissent
    | CloseDebrief
    | PassEvidenceGate
    | MakeRecommendation
    | GrantLoopException
    | GrantRequisitionException
    | MakeDecision
    | ReverseDecision
    | ObserveDecision
    | RecordOffer
    | ReportWithdrawal
    | CloseLoop
    | ReopenLoop
    | RecordOutcome
    | PlaceHold
    | ReleaseHold
    | EraseSubject
    | NoteFeedbackViewed
    | NoteRecordViewed
)
ALL_COMMANDS: tuple[type[AnyCommand], ...] = get_args(AnyCommand)
