"""Afterwards: how decisions turned out, and what was learnt from it."""

from typing import Annotated, Literal

from msgspec import Meta

from domain.facts.base import Fact
from domain.facts.rubric import Part
from domain.values import ContentDigest, Digest, LoopHandle, OrgText, Position, Slug, Version

OutcomeDimension = Literal["throughput", "team_health", "retention", "external_success"]
OutcomeValue = Literal["below", "met", "exceeded", "left"]
ObservedFrom = Literal["manager_review", "hris", "public", "candidate_supplied", "rehire", "survey"]
LawfulBasis = Literal[
    "consent",
    "contract",
    "legal_obligation",
    "vital_interests",
    "public_task",
    "legitimate_interests",
]
Quarter = Annotated[str, Meta(pattern=r"^[0-9]{4}-Q[1-4](?!\n)$")]


class Coverage(Part, frozen=True, kw_only=True):
    """Of how many people looked up something is known: `known` of `of`."""

    known: Annotated[int, Meta(ge=0)]
    of: Annotated[int, Meta(ge=1)]


class OutcomeRecorded(Fact, frozen=True, kw_only=True, tag="outcome-recorded.v1"):
    """We learnt how a decision turned out, so many months after it."""

    loop: LoopHandle
    dimension: OutcomeDimension
    value: OutcomeValue
    horizon_months: Annotated[int, Meta(ge=0, le=120)]
    observed_from: ObservedFrom
    lawful_basis: LawfulBasis
    coverage: Coverage | None = None
    rater_saw_scores: bool


class RetroOpened(Fact, frozen=True, kw_only=True, tag="retro-opened.v1"):
    """We began the quarter's retrospective."""

    retro: Slug
    quarter: Quarter


class FindingRecorded(Fact, frozen=True, kw_only=True, tag="finding-recorded.v1"):
    """A retrospective found something, with its count and base rate."""

    retro: Slug
    kind: Literal["false_positive", "false_negative", "other"]
    text: Digest
    loops: Annotated[tuple[LoopHandle, ...], Meta(max_length=500)]
    n: Annotated[int, Meta(ge=0)]
    base_rate: Annotated[float, Meta(ge=0, le=1)]


class RetroClosed(Fact, frozen=True, kw_only=True, tag="retro-closed.v1"):
    """The retrospective ended, with its false positives and negatives or why there is no data."""

    retro: Slug
    false_positives: Digest
    false_negatives: Digest


class RubricChangeProposed(Fact, frozen=True, kw_only=True, tag="rubric-change-proposed.v1"):
    """Someone proposed to change a scorecard because of findings."""

    scorecard: Slug
    change: Slug
    text: OrgText
    findings: Annotated[tuple[Position, ...], Meta(max_length=100)]


class RubricChangeAdopted(Fact, frozen=True, kw_only=True, tag="rubric-change-adopted.v1"):
    """A proposed change became a version."""

    scorecard: Slug
    change: Slug
    version: Version


class RubricChangeRejected(Fact, frozen=True, kw_only=True, tag="rubric-change-rejected.v1"):
    """A proposed change was turned down, and why; that is kept too."""

    scorecard: Slug
    change: Slug
    reason: OrgText


class PeerComparisonRecorded(Fact, frozen=True, kw_only=True, tag="peer-comparison-recorded.v1"):
    """We looked how peers describe similar work."""

    scorecard: Slug
    query: OrgText
    results_digest: ContentDigest


class FairnessReportRecorded(Fact, frozen=True, kw_only=True, tag="fairness-report-recorded.v1"):
    """We computed a fairness report at a position and keep its digest."""

    report: Slug
    position: Position
    content_digest: ContentDigest


AfterwardsFact = (
    OutcomeRecorded
    | RetroOpened
    | FindingRecorded
    | RetroClosed
    | RubricChangeProposed
    | RubricChangeAdopted
    | RubricChangeRejected
    | PeerComparisonRecorded
    | FairnessReportRecorded
)
