"""The outside: records copied from elsewhere, audit reads, corrections and API keys."""

from typing import Annotated, Literal

from msgspec import Meta

from domain.facts.base import Fact
from domain.facts.people import Roles
from domain.facts.rubric import Part
from domain.values import Code, Digest, LoopHandle, PersonHandle, Position, ShortOrgText, Slug, Time

ReadingOf = Literal[
    "loop", "timeline", "facts", "feedback", "replay", "export", "search", "candidate", "holds"
]
KeyId = Annotated[str, Meta(pattern=r"^k_[a-z2-7]{26}(?!\n)$")]


class ImportedAttribute(Part, frozen=True, kw_only=True):
    """One attribute of a case as the source had it; the value is sealed."""

    name: Code
    value: Digest


class RecordImported(Fact, frozen=True, kw_only=True, tag="record-imported.v1"):
    """A historical event was copied from another system, its time claimed by that system."""

    system: Code
    log: Code
    case: LoopHandle
    place: Annotated[int, Meta(ge=0)]
    activity: ShortOrgText
    claimed_at: Time
    resource: Digest | None = None
    attributes: Annotated[tuple[ImportedAttribute, ...], Meta(max_length=100)] = ()


class ExternalEditDetected(Fact, frozen=True, kw_only=True, tag="external-edit-detected.v1"):
    """Something we had copied was changed at its source."""

    of: Position


class ExternalDeletionDetected(
    Fact, frozen=True, kw_only=True, tag="external-deletion-detected.v1"
):
    """Something we had copied was deleted at its source."""

    of: Position


class RecordViewed(Fact, frozen=True, kw_only=True, tag="record-viewed.v1"):
    """Someone with an audit role read the record."""

    viewer: PersonHandle | None = None
    what: ReadingOf
    loop: LoopHandle | None = None
    first: Position | None = None
    last: Position | None = None


class FactCorrected(Fact, frozen=True, kw_only=True, tag="fact-corrected.v1"):
    """What a reader must know about an earlier fact; that fact stays as it is."""

    of: Position
    text: Digest


class KeyIssued(Fact, frozen=True, kw_only=True, tag="key-issued.v1"):
    """An API key was issued to a service or a person; only the secret's digest is kept."""

    key: KeyId
    service: Slug | None = None
    person: PersonHandle | None = None
    roles: Roles
    secret_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$")]
    expires_at: Time | None = None


class KeyRevoked(Fact, frozen=True, kw_only=True, tag="key-revoked.v1"):
    """An API key no longer opens anything."""

    key: KeyId


OutsideFact = (
    RecordImported
    | ExternalEditDetected
    | ExternalDeletionDetected
    | RecordViewed
    | FactCorrected
    | KeyIssued
    | KeyRevoked
)
