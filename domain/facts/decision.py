"""The decision: debrief, gate, recommendation, decision, and what followed at once."""

from typing import Annotated, Literal

from msgspec import Meta

from domain.facts.base import Fact
from domain.facts.evidence import Cites, Reason, Recommend
from domain.facts.rubric import Part
from domain.findings import Basis, Finding, Judged, PolicyId
from domain.values import Code, Digest, LoopHandle, PersonHandle, Position, Slug, Time

Disposition = Literal["hired", "rejected", "withdrawn", "filled", "cancelled", "knock_out"]
OfferStatus = Literal["made", "accepted", "declined", "rescinded"]


class DebriefOpened(Fact, frozen=True, kw_only=True, tag="debrief-opened.v1"):
    """The panel met to debate the evidence."""

    loop: LoopHandle


class DebriefStatementRecorded(
    Fact, frozen=True, kw_only=True, tag="debrief-statement-recorded.v1"
):
    """Someone argued, citing what was seen."""

    loop: LoopHandle
    author: PersonHandle
    text: Digest
    words: Annotated[int, Meta(ge=0)]
    cites: Cites
    findings: tuple[Finding, ...] = ()


class DissentRecorded(Fact, frozen=True, kw_only=True, tag="dissent-recorded.v1"):
    """Someone disagreed, and it was written down."""

    loop: LoopHandle
    author: PersonHandle
    text: Digest
    cites: Cites


class DebriefClosed(Fact, frozen=True, kw_only=True, tag="debrief-closed.v1"):
    """The debate ended, with or without dissent."""

    loop: LoopHandle
    dissent: Literal["none", "recorded"]


class Witness(Part, frozen=True, kw_only=True):
    """One interviewer whose feedback the gate looked at, and whether it counted as independent."""

    person: PersonHandle
    feedback: tuple[Position, ...]
    counts: bool
    why_not: Code | None = None


class EvidenceGatePassed(Fact, frozen=True, kw_only=True, tag="evidence-gate-passed.v1"):
    """There was enough independent written evidence to recommend."""

    loop: LoopHandle
    witnesses: tuple[Witness, ...]
    judged: Judged
    basis: Basis


class EvidenceGateRefused(Fact, frozen=True, kw_only=True, tag="evidence-gate-refused.v1"):
    """Someone tried to pass the gate and the rules refused it."""

    loop: LoopHandle
    witnesses: tuple[Witness, ...]
    judged: Judged
    basis: Basis


class RecommendationRecorded(Fact, frozen=True, kw_only=True, tag="recommendation-recorded.v1"):
    """The panel recommended to hire or not to hire, resting on a passed gate."""

    loop: LoopHandle
    recommend: Recommend
    reason: Digest
    cites: Cites
    gate: Position
    judged: Judged


class ExceptionGranted(Fact, frozen=True, kw_only=True, tag="exception-granted.v1"):
    """A second, entitled person let one rule be broken, for a reason and a time."""

    loop: LoopHandle | None = None
    requisition: Slug | None = None
    policy: PolicyId
    subject: PersonHandle | None = None
    reason: Digest
    expires_at: Time
    compensating_control: Digest | None = None


class DecisionMade(Fact, frozen=True, kw_only=True, tag="decision-made.v1"):
    """We decided to hire or not to hire, and this is everything it rested on."""

    loop: LoopHandle
    decision: Recommend
    reasons: Annotated[tuple[Reason, ...], Meta(min_length=1, max_length=20)]
    cites: Cites
    gate: Position
    recommendations: tuple[Position, ...]
    judged: Judged
    basis: Basis


class DecisionRefused(Fact, frozen=True, kw_only=True, tag="decision-refused.v1"):
    """Someone tried to decide and the rules refused it: the attempt is evidence."""

    loop: LoopHandle
    decision: Recommend
    reasons: Annotated[tuple[Reason, ...], Meta(min_length=1, max_length=20)]
    cites: Cites
    judged: Judged
    basis: Basis


class DecisionObserved(Fact, frozen=True, kw_only=True, tag="decision-observed.v1"):
    """A decision was made elsewhere without us; it never counts as conforming."""

    loop: LoopHandle
    decision: Recommend


class DecisionReversed(Fact, frozen=True, kw_only=True, tag="decision-reversed.v1"):
    """A decision was taken back; a new one may follow."""

    loop: LoopHandle
    reverses: Position
    reason: Digest
    cites: Cites


class OfferRecorded(Fact, frozen=True, kw_only=True, tag="offer-recorded.v1"):
    """An offer was made, accepted, declined or rescinded."""

    loop: LoopHandle
    status: OfferStatus


class CandidateWithdrew(Fact, frozen=True, kw_only=True, tag="candidate-withdrew.v1"):
    """The candidate left the process."""

    loop: LoopHandle
    code: Code
    reason: Digest | None = None


class ExplanationIssued(Fact, frozen=True, kw_only=True, tag="explanation-issued.v1"):
    """We told the candidate why, in terms of the posted competencies."""

    loop: LoopHandle
    reasons: Annotated[tuple[Reason, ...], Meta(min_length=1, max_length=20)]


class LoopClosed(Fact, frozen=True, kw_only=True, tag="loop-closed.v1"):
    """The loop ended, and how."""

    loop: LoopHandle
    disposition: Disposition
    reason: Digest | None = None


class LoopReopened(Fact, frozen=True, kw_only=True, tag="loop-reopened.v1"):
    """A closed loop was taken up again."""

    loop: LoopHandle
    reason: Digest


DecisionFact = (
    DebriefOpened
    | DebriefStatementRecorded
    | DissentRecorded
    | DebriefClosed
    | EvidenceGatePassed
    | EvidenceGateRefused
    | RecommendationRecorded
    | ExceptionGranted
    | DecisionMade
    | DecisionRefused
    | DecisionObserved
    | DecisionReversed
    | OfferRecorded
    | CandidateWithdrew
    | ExplanationIssued
    | LoopClosed
    | LoopReopened
)
