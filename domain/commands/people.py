"""Commands about staff, API keys, and records from elsewhere."""

from typing import Annotated

from msgspec import Meta

from domain.commands.base import Body, Command, NewLoop, NewPerson, PersonRef
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
