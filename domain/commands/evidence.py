"""Commands that report sessions, take-homes, feedback and references, and decide at a stage."""

from typing import Annotated, Literal

from msgspec import Meta, field

from domain.commands.base import Body, Citations, Command, LoopCommand, PersonRef, SessionCommand
from domain.facts import (
    Attachment,
    ObservationMade,
    ReasonKind,
    Recommend,
    Ref,
    ToolUsed,
)
from domain.values import Code, ContentDigest, Minutes, Personal, Position, Rating, Slug, Time


class ProbeSpec(Body, frozen=True, kw_only=True):
    """A probe asked, or skipped and why."""

    id: Code
    asked: bool
    skipped_because: Personal | None = None


class CompleteSession(SessionCommand, frozen=True, kw_only=True):
    """Report that a session took place."""

    started_at: Time
    ended_at: Time
    attendees: Annotated[tuple[PersonRef, ...], Meta(max_length=50)]
    prompts: Annotated[tuple[Ref, ...], Meta(max_length=20)]
    probes: Annotated[tuple[ProbeSpec, ...], Meta(max_length=100)] = ()


class CancelSession(SessionCommand, frozen=True, kw_only=True):
    """Report that a session was called off."""

    reason: Personal


class ReportNoShow(SessionCommand, frozen=True, kw_only=True):
    """Report that someone did not come."""

    who: Literal["candidate", "interviewer"]


class ReplaceInterviewer(SessionCommand, frozen=True, kw_only=True):
    """Report that one interviewer took another's place."""

    replaced: PersonRef = field(name="from")
    replacement: PersonRef = field(name="to")
    reason: Personal


class AssignTakeHome(SessionCommand, frozen=True, kw_only=True):
    """Report that a take-home was given, with its time expectation."""

    minutes: Minutes
    due: Time
    adjusted: bool = False


class ReceiveTakeHome(SessionCommand, frozen=True, kw_only=True):
    """Report that a take-home came back."""

    content_digest: ContentDigest


class AnonymiseTakeHome(SessionCommand, frozen=True, kw_only=True):
    """Report that a submission was anonymised, or why that was not feasible."""

    feasible: bool
    method: Personal | None = None
    reason: Personal | None = None
    content_digest: ContentDigest | None = None


class RatingSpec(Body, frozen=True, kw_only=True):
    """One competency: a rating with its evidence, or why it was not observed."""

    competency: Slug
    rating: Rating | None = None
    not_observed: Personal | None = None
    evidence: Personal | None = None
    observations: Annotated[tuple[ObservationMade, ...], Meta(max_length=60)] = ()


class SubmitFeedback(SessionCommand, frozen=True, kw_only=True):
    """Hand in your own feedback on a session: every competency of it."""

    ratings: Annotated[tuple[RatingSpec, ...], Meta(min_length=1, max_length=20)]
    tools: Annotated[tuple[ToolUsed, ...], Meta(max_length=10)] = ()
    attachments: Annotated[tuple[Attachment, ...], Meta(max_length=20)] = ()
    language: Code | None = None
    recommend: Recommend | None = None
    summary: Personal | None = None
    independence: Literal["attested_by_source"] | None = None


class AmendFeedback(LoopCommand, frozen=True, kw_only=True):
    """Correct your own feedback; the original stays."""

    position: Position
    ratings: Annotated[tuple[RatingSpec, ...], Meta(min_length=1, max_length=20)]
    reason: Personal


class ThemeSpec(Body, frozen=True, kw_only=True):
    """What a referee said about one competency."""

    competency: Slug
    text: Personal


class RecordReference(LoopCommand, frozen=True, kw_only=True):
    """Report a reference along the scorecard's competencies."""

    relation: Literal["peer", "manager", "direct_report"]
    themes: Annotated[tuple[ThemeSpec, ...], Meta(min_length=1, max_length=20)]
    incident_pressure: Personal | None = None
    mentorship: Personal | None = None


class ReasonSpec(Body, frozen=True, kw_only=True):
    """One reason: its kind, what it refers to (a competency or a knock-out), the words."""

    kind: ReasonKind
    ref: Slug | None = None
    text: Personal


class DecideStage(LoopCommand, frozen=True, kw_only=True):
    """Advance or reject a candidate at a stage."""

    stage: Slug
    outcome: Literal["advance", "reject"]
    reasons: Annotated[tuple[ReasonSpec, ...], Meta(max_length=20)] = ()
    cites: Citations = ()


class CorrectFact(Command, frozen=True, kw_only=True):
    """Say what a reader must know about an earlier fact; that fact stays."""

    position: Position
    text: Personal
