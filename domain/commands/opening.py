"""Commands that open and prepare a loop."""

from typing import Annotated

from msgspec import Meta

from domain.commands.base import (
    Body,
    Command,
    LoopCommand,
    NewLoop,
    PersonRef,
    SomeCandidate,
)
from domain.facts import Ref, Relationship, SessionKind
from domain.values import Minutes, Personal, Slug, Time


class CandidateSpec(Body, frozen=True, kw_only=True):
    """The candidate by your id; name and e-mail are kept sealed."""

    id: SomeCandidate
    name: Personal | None = None
    email: Personal | None = None


class OpenLoop(Command, frozen=True, kw_only=True):
    """Open a loop for a candidate under an approved scorecard and a posting."""

    id: NewLoop
    requisition: Slug
    candidate: CandidateSpec
    scorecard: Ref
    posting: Ref


class SessionSpec(Body, frozen=True, kw_only=True):
    """One session to plan."""

    id: Slug
    stage: Slug
    kind: SessionKind
    competencies: Annotated[tuple[Slug, ...], Meta(max_length=20)]
    prompts: Annotated[tuple[Ref, ...], Meta(max_length=20)]
    interviewers: Annotated[tuple[PersonRef, ...], Meta(max_length=20)]
    minutes: Minutes


class PlanLoop(LoopCommand, frozen=True, kw_only=True):
    """Plan a loop's sessions; supersedes an earlier plan."""

    sessions: Annotated[tuple[SessionSpec, ...], Meta(min_length=1, max_length=30)]


class GiveProcessNotice(LoopCommand, frozen=True, kw_only=True):
    """Report what the candidate was told of rounds, attendees and timeline."""

    rounds: Annotated[int, Meta(ge=1, le=100)]
    attendees: Annotated[tuple[PersonRef, ...], Meta(max_length=50)]
    decide_by: Time


class DiscloseRelationship(LoopCommand, frozen=True, kw_only=True):
    """Say how you know the candidate."""

    relationship: Relationship
