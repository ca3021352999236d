"""People: staff and their roles, what candidates said of themselves, holds and erasure."""

from typing import Annotated, Literal

from msgspec import Meta

from domain.facts.base import Fact
from domain.values import CandidateHandle, Code, Digest, PersonHandle, Slug, SubjectHandle

Role = Literal[
    "recorder",
    "interviewer",
    "hiring_manager",
    "decision_maker",
    "approver",
    "auditor",
    "fairness_analyst",
    "privacy_officer",
    "administrator",
]
ROLES: tuple[Role, ...] = (
    "recorder",
    "interviewer",
    "hiring_manager",
    "decision_maker",
    "approver",
    "auditor",
    "fairness_analyst",
    "privacy_officer",
    "administrator",
)
Roles = Annotated[tuple[Role, ...], Meta(max_length=len(ROLES))]


class PersonRegistered(Fact, frozen=True, kw_only=True, tag="person-registered.v1"):
    """A member of staff was registered, or given other roles; the latest roles hold."""

    person: PersonHandle
    roles: Roles
    name: Digest | None = None


class SelfIdentificationRecorded(
    Fact, frozen=True, kw_only=True, tag="self-identification-recorded.v1"
):
    """A candidate told us who they are; it is only ever counted."""

    candidate: CandidateHandle
    attributes: Annotated[dict[Code, Digest], Meta(max_length=20)]


class HoldPlaced(Fact, frozen=True, kw_only=True, tag="hold-placed.v1"):
    """A legal matter forbids erasing these people."""

    hold: Slug
    matter: Digest
    candidates: Annotated[tuple[SubjectHandle, ...], Meta(max_length=500)] = ()
    requisitions: Annotated[tuple[Slug, ...], Meta(max_length=500)] = ()


class HoldReleased(Fact, frozen=True, kw_only=True, tag="hold-released.v1"):
    """A legal hold ended."""

    hold: Slug
    reason: Digest


class SubjectErased(Fact, frozen=True, kw_only=True, tag="subject-erased.v1"):
    """A person's key and values were destroyed on this legal basis."""

    candidate: SubjectHandle
    legal_basis: Digest


PeopleFact = (
    PersonRegistered | SelfIdentificationRecorded | HoldPlaced | HoldReleased | SubjectErased
)
