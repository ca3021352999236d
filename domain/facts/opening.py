"""Opening a loop: what was pinned, planned, promised and disclosed before the first session."""

from typing import Annotated, Literal

from msgspec import Meta

from domain.facts.base import Fact, Ref
from domain.facts.rubric import Part, SessionKind
from domain.findings import Judged
from domain.values import CandidateHandle, Digest, LoopHandle, Minutes, PersonHandle, Slug, Time

Relationship = Literal[
    "none", "alumni", "colleague", "current_manager", "family", "referrer", "other"
]
PortfolioKind = Literal["project", "tool", "use_case", "written_artifact"]


class LoopOpened(Fact, frozen=True, kw_only=True, tag="loop-opened.v1"):
    """We opened a loop for a candidate and pinned what it will be judged by."""

    loop: LoopHandle
    candidate: CandidateHandle
    requisition: Slug
    scorecard: Ref
    posting: Ref
    policy_set: Ref
    name: Digest | None = None
    email: Digest | None = None
    judged: Judged


class PlannedSession(Part, frozen=True, kw_only=True):
    """One session of a plan: who looks for what, with which prompts, for how long."""

    id: Slug
    stage: Slug
    kind: SessionKind
    competencies: Annotated[tuple[Slug, ...], Meta(max_length=20)]
    prompts: Annotated[tuple[Ref, ...], Meta(max_length=20)]
    interviewers: Annotated[tuple[PersonHandle, ...], Meta(max_length=20)]
    minutes: Minutes


class LoopPlanned(Fact, frozen=True, kw_only=True, tag="loop-planned.v1"):
    """We planned the loop's sessions; a later plan supersedes this one."""

    loop: LoopHandle
    sessions: Annotated[tuple[PlannedSession, ...], Meta(min_length=1, max_length=30)]
    judged: Judged


class ProcessNoticeGiven(Fact, frozen=True, kw_only=True, tag="process-notice-given.v1"):
    """We told the candidate how many rounds there are, who attends and when we decide."""

    loop: LoopHandle
    rounds: Annotated[int, Meta(ge=1, le=100)]
    attendees: Annotated[tuple[PersonHandle, ...], Meta(max_length=50)]
    decide_by: Time


class RelationshipDisclosed(Fact, frozen=True, kw_only=True, tag="relationship-disclosed.v1"):
    """An interviewer said how they know the candidate, if at all."""

    loop: LoopHandle
    person: PersonHandle
    relationship: Relationship


class Consent(Part, frozen=True, kw_only=True):
    """The candidate's consent to use what they linked."""

    text: Digest
    given_at: Time


class PortfolioItemLinked(Fact, frozen=True, kw_only=True, tag="portfolio-item-linked.v1"):
    """The candidate pointed to public work and agreed that we look at it."""

    loop: LoopHandle
    competency: Slug
    kind: PortfolioKind
    title: Digest
    url: Digest | None = None
    consent: Consent


OpeningFact = (
    LoopOpened | LoopPlanned | ProcessNoticeGiven | RelationshipDisclosed | PortfolioItemLinked
)
