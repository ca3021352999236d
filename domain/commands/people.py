"""Commands about staff, API keys, records from elsewhere, legal holds and erasure."""

from typing import Annotated

from msgspec import Meta

from domain.commands.base import Body, Command, NewLoop, NewPerson, PersonRef, SubjectRef
from domain.facts import KeyId, Roles
from domain.values import Code, Personal, ShortOrgText, Slug, Time


class RegisterPerson(Command, frozen=True, kw_only=True):
    """Register a member of staff with roles."""

    id: NewPerson
    name: Personal | None = None
    roles: Roles


class ChangeRoles(Command, frozen=True, kw_only=True):
    """Give a person these roles instead of those they have."""

    person: PersonRef
    roles: Roles


class IssueKey(Command, frozen=True, kw_only=True):
    """Issue an API key to a service or to a person."""

    service: Slug | None = None
    person: PersonRef | None = None
    roles: Roles
    expires_at: Time | None = None


class RevokeKey(Command, frozen=True, kw_only=True):
    """Make an API key useless."""

    key: KeyId


class AttributeSpec(Body, frozen=True, kw_only=True):
    """One attribute of an imported case; its value is sealed."""

    name: Code
    value: Annotated[str, Meta(max_length=2000)]


class ImportRecord(Command, frozen=True, kw_only=True):
    """Copy one historical event of another system."""

    system: Code
    log: Code
    case: NewLoop
    place: Annotated[int, Meta(ge=0)]
    activity: ShortOrgText
    claimed_at: Time
    resource: Personal | None = None
    attributes: Annotated[tuple[AttributeSpec, ...], Meta(max_length=100)] = ()


class PlaceHold(Command, frozen=True, kw_only=True):
    """Forbid erasing people while a legal matter is open."""

    id: (
        Annotated[
            Slug,
            Meta(
                description="Your id for the hold; without one the ledger makes one. It stands in "
                "the record for good, whoever is erased: no names."
            ),
        ]
        | None
    ) = None
    matter: Annotated[
        Personal,
        Meta(
            description="What it is about, sealed. Of a hold over one candidate and nothing else "
            "it goes with their erasure; else it stays as the organisation's own."
        ),
    ]
    candidates: Annotated[tuple[SubjectRef, ...], Meta(max_length=500)] = ()
    requisitions: Annotated[
        tuple[Slug, ...],
        Meta(max_length=100, description="Everyone with a loop for one of these, later ones too."),
    ] = ()


class ReleaseHold(Command, frozen=True, kw_only=True):
    """Say that a legal hold is over."""

    hold: Slug
    reason: Annotated[Personal, Meta(description="Sealed as the hold's matter is.")]


class EraseSubject(Command, frozen=True, kw_only=True):
    """Erase a candidate: destroy their key, every word about them, and your ids for them.

    An imported case stands for whom it is about, and is erased by itself.
    """

    candidate: SubjectRef
    legal_basis: Annotated[
        Personal,
        Meta(
            description="Why, sealed as the organisation's own: it stays, so name nobody in it and "
            "quote nothing."
        ),
    ]
