"""Commands from debrief to closing, and what became of it."""

from typing import Annotated, Literal

from msgspec import Meta

from domain.commands.base import Citations, Command, LoopCommand, LoopRef, PersonRef
from domain.commands.evidence import ReasonSpec
from domain.facts import (
    Coverage,
    Disposition,
    LawfulBasis,
    ObservedFrom,
    OfferStatus,
    OutcomeDimension,
    OutcomeValue,
    Recommend,
)
from domain.findings import PolicyId
from domain.values import Code, Personal, Slug, Time


class OpenDebrief(LoopCommand, frozen=True, kw_only=True):
    """Begin the debrief."""


class MakeStatement(LoopCommand, frozen=True, kw_only=True):
    """Argue, citing what was observed."""

    text: Personal
    cites: Citations = ()


class RecordDissent(LoopCommand, frozen=True, kw_only=True):
    """Disagree, in writing."""

    text: Personal
    cites: Citations = ()


class CloseDebrief(LoopCommand, frozen=True, kw_only=True):
    """End the debrief and say whether anyone dissented."""

    dissent: Literal["none", "recorded"]


class PassEvidenceGate(LoopCommand, frozen=True, kw_only=True):
    """Ask whether there is enough independent written evidence."""


class MakeRecommendation(LoopCommand, frozen=True, kw_only=True):
    """Recommend to hire or not, resting on the passed gate."""

    recommend: Recommend
    reason: Personal
    cites: Citations = ()


class ExceptionTerms(Command, frozen=True, kw_only=True):
    """One rule to be broken, for a reason and a time; `subject` is the person who needs it."""

    policy: PolicyId
    subject: PersonRef | None = None
    reason: Personal
    expires_at: Time
    compensating_control: Personal | None = None


class GrantLoopException(ExceptionTerms, frozen=True, kw_only=True):
    """Let one rule be broken in one loop; not for yourself."""

    loop: LoopRef


class GrantRequisitionException(ExceptionTerms, frozen=True, kw_only=True):
    """Let one rule be broken in all loops of a requisition; not for yourself."""

    requisition: Slug


class MakeDecision(LoopCommand, frozen=True, kw_only=True):
    """Decide to hire or not to hire."""

    decision: Recommend
    reasons: Annotated[tuple[ReasonSpec, ...], Meta(min_length=1, max_length=20)]
    cites: Citations = ()


class ReverseDecision(LoopCommand, frozen=True, kw_only=True):
    """Take a decision back; a new one may follow."""

    reason: Personal
    cites: Citations = ()


class ObserveDecision(LoopCommand, frozen=True, kw_only=True):
    """Report a decision made elsewhere; it never counts as conforming."""

    decision: Recommend


class RecordOffer(LoopCommand, frozen=True, kw_only=True):
    """Report where an offer stands."""

    status: OfferStatus


class ReportWithdrawal(LoopCommand, frozen=True, kw_only=True):
    """Report that the candidate left the process."""

    code: Code
    reason: Personal | None = None


class CloseLoop(LoopCommand, frozen=True, kw_only=True):
    """Close the loop with a coded disposition."""

    disposition: Disposition
    reason: Personal | None = None


class ReopenLoop(LoopCommand, frozen=True, kw_only=True):
    """Take up a closed loop again."""

    reason: Personal


class RecordOutcome(LoopCommand, frozen=True, kw_only=True):
    """Report how a decision turned out."""

    dimension: OutcomeDimension
    value: OutcomeValue
    horizon_months: Annotated[int, Meta(ge=0, le=120)]
    observed_from: ObservedFrom
    lawful_basis: LawfulBasis
    coverage: Coverage | None = None
    rater_saw_scores: bool
