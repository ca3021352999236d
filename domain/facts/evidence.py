"""Evidence: what happened in sessions and what each interviewer wrote about it."""

from typing import Annotated, Literal

from msgspec import Meta

from domain.facts.base import Fact, Ref
from domain.facts.rubric import Part
from domain.findings import Basis, Finding, Judged
from domain.values import (
    Code,
    ContentDigest,
    Digest,
    LoopHandle,
    Minutes,
    PersonHandle,
    Position,
    Rating,
    Slug,
    Time,
)

Recommend = Literal["hire", "no_hire"]
Independence = Literal[
    "blind", "read_before_writing", "amended_after_reading", "attested_by_source"
]
ObservationState = Literal["seen", "not_seen", "not_asked", "not_applicable"]
ReasonKind = Literal["competency", "knock_out", "comparative", "requisition", "legal", "override"]
Cites = Annotated[tuple[Position, ...], Meta(max_length=100)]


class ProbeGiven(Part, frozen=True, kw_only=True):
    """A probe that was asked, or skipped for a reason."""

    id: Code
    asked: bool
    skipped_because: Digest | None = None


class SessionCompleted(Fact, frozen=True, kw_only=True, tag="session-completed.v1"):
    """A session took place."""

    loop: LoopHandle
    session: Slug
    stage: Slug
    started_at: Time
    ended_at: Time
    attendees: Annotated[tuple[PersonHandle, ...], Meta(max_length=50)]
    prompts: Annotated[tuple[Ref, ...], Meta(max_length=20)]
    probes: Annotated[tuple[ProbeGiven, ...], Meta(max_length=100)] = ()


class SessionCancelled(Fact, frozen=True, kw_only=True, tag="session-cancelled.v1"):
    """A planned session was called off."""

    loop: LoopHandle
    session: Slug
    reason: Digest


class InterviewerReplaced(Fact, frozen=True, kw_only=True, tag="interviewer-replaced.v1"):
    """Someone else took an interviewer's place in a session."""

    loop: LoopHandle
    session: Slug
    replaced: PersonHandle
    replacement: PersonHandle
    reason: Digest


class CandidateNoShow(Fact, frozen=True, kw_only=True, tag="candidate-no-show.v1"):
    """A session did not take place because someone did not come."""

    loop: LoopHandle
    session: Slug
    who: Literal["candidate", "interviewer"]


class TakeHomeAssigned(Fact, frozen=True, kw_only=True, tag="take-home-assigned.v1"):
    """The candidate got a take-home with a time expectation; why it was adjusted is not kept."""

    loop: LoopHandle
    session: Slug
    minutes: Minutes
    due: Time
    adjusted: bool = False


class TakeHomeReceived(Fact, frozen=True, kw_only=True, tag="take-home-received.v1"):
    """The candidate handed in the take-home."""

    loop: LoopHandle
    session: Slug
    content_digest: ContentDigest


class TakeHomeAnonymised(Fact, frozen=True, kw_only=True, tag="take-home-anonymised.v1"):
    """The submission was stripped of who wrote it, or it could not be, and why."""

    loop: LoopHandle
    session: Slug
    feasible: bool
    method: Digest | None = None
    reason: Digest | None = None
    content_digest: ContentDigest | None = None


class ObservationMade(Part, frozen=True, kw_only=True):
    """Whether a behaviour on the scorecard was seen."""

    code: Code
    state: ObservationState


class Rated(Part, frozen=True, kw_only=True):
    """One competency: a rating with its own evidence, or why it was not observed."""

    competency: Slug
    rating: Rating | None = None
    not_observed: Digest | None = None
    evidence: Digest | None = None
    words: Annotated[int, Meta(ge=0)] = 0
    observations: Annotated[tuple[ObservationMade, ...], Meta(max_length=60)] = ()


class ToolUsed(Part, frozen=True, kw_only=True):
    """A tool, such as a note taker or a language model, used in writing feedback."""

    name: Code
    version: Code
    use: Code


class Attachment(Part, frozen=True, kw_only=True):
    """A document kept elsewhere, by digest."""

    digest: ContentDigest
    media_type: Annotated[str, Meta(pattern=r"^[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}(?!\n)$")]


class FeedbackSubmitted(Fact, frozen=True, kw_only=True, tag="feedback-submitted.v1"):
    """An interviewer wrote down what they saw, competency by competency."""

    loop: LoopHandle
    session: Slug
    author: PersonHandle
    ratings: Annotated[tuple[Rated, ...], Meta(min_length=1, max_length=20)]
    independence: Independence
    tools: tuple[ToolUsed, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    language: Code | None = None
    recommend: Recommend | None = None
    summary: Digest | None = None
    findings: tuple[Finding, ...] = ()


class FeedbackAmended(Fact, frozen=True, kw_only=True, tag="feedback-amended.v1"):
    """An interviewer corrected their feedback; the original stays."""

    loop: LoopHandle
    session: Slug
    author: PersonHandle
    amends: Position
    ratings: Annotated[tuple[Rated, ...], Meta(min_length=1, max_length=20)]
    independence: Independence
    reason: Digest
    findings: tuple[Finding, ...] = ()


class FeedbackViewed(Fact, frozen=True, kw_only=True, tag="feedback-viewed.v1"):
    """Someone read another person's feedback."""

    loop: LoopHandle
    viewer: PersonHandle
    viewed: Annotated[tuple[Position, ...], Meta(min_length=1, max_length=1000)]


class Theme(Part, frozen=True, kw_only=True):
    """What a referee said about one competency."""

    competency: Slug
    text: Digest


class ReferenceRecorded(Fact, frozen=True, kw_only=True, tag="reference-recorded.v1"):
    """A former peer, manager or report answered along the scorecard's themes."""

    loop: LoopHandle
    relation: Literal["peer", "manager", "direct_report"]
    themes: Annotated[tuple[Theme, ...], Meta(max_length=20)]
    incident_pressure: Digest | None = None
    mentorship: Digest | None = None


class Reason(Part, frozen=True, kw_only=True):
    """One reason: its kind, what it refers to, and the words, sealed."""

    kind: ReasonKind
    ref: Slug | None = None
    text: Digest


class StageDecided(Fact, frozen=True, kw_only=True, tag="stage-decided.v1"):
    """At a stage the candidate was advanced or rejected."""

    loop: LoopHandle
    stage: Slug
    outcome: Literal["advance", "reject"]
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=20)]
    cites: Cites
    judged: Judged
    basis: Basis


class StageDecisionRefused(Fact, frozen=True, kw_only=True, tag="stage-decision-refused.v1"):
    """Someone tried to decide at a stage and the rules refused it."""

    loop: LoopHandle
    stage: Slug
    outcome: Literal["advance", "reject"]
    reasons: Annotated[tuple[Reason, ...], Meta(max_length=20)]
    cites: Cites
    judged: Judged
    basis: Basis


EvidenceFact = (
    SessionCompleted
    | SessionCancelled
    | InterviewerReplaced
    | CandidateNoShow
    | TakeHomeAssigned
    | TakeHomeReceived
    | TakeHomeAnonymised
    | FeedbackSubmitted
    | FeedbackAmended
    | FeedbackViewed
    | ReferenceRecorded
    | StageDecided
    | StageDecisionRefused
)
