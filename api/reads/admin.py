"""Administration: API keys and people, folded from the log."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from api.reading import Read
from api.reads.base import Path, Readable, get
from domain import facts as f
from domain import tags
from domain.evolve import fold
from domain.findings import Item
from domain.values import POSITION_MAX, Time


class KeyShown(Struct, frozen=True, kw_only=True):
    """An API key, without its secret."""

    id: str
    service: str | None
    person: str | None
    roles: tuple[f.Role, ...]
    issued_at: Time
    expires_at: Time | None
    status: Literal["valid", "expired", "revoked"]


class PersonShown(Struct, frozen=True, kw_only=True):
    """A member of staff: handle, your id, roles. Names are read by nobody here."""

    handle: str
    id: str | None
    roles: tuple[f.Role, ...]
    position: int


class Page(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From where, and how many."""

    after: Annotated[int, Meta(ge=0, le=POSITION_MAX)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class Keys(Struct, frozen=True, kw_only=True):
    """A page of keys in the order of their issue."""

    items: tuple[KeyShown, ...]
    next: int | None
    position: int


class People(Struct, frozen=True, kw_only=True):
    """A page of people in the order of their latest registration."""

    items: tuple[PersonShown, ...]
    next: int | None
    position: int


def keys(read: Read, _: Path, query: Page) -> Keys:
    """API keys, in the order of their issue."""
    found = fold(read.facts(Item(tags=(tags.keys(),)))).keys.values()
    chosen = [k for k in found if k.issued.position > query.after]
    page = chosen[: query.limit]
    now = read.group.now(datetime.now(UTC))
    return Keys(
        items=tuple(
            KeyShown(
                id=k.issued.fact.key,
                service=k.issued.fact.service,
                person=k.issued.fact.person,
                roles=k.issued.fact.roles,
                issued_at=k.issued.fact.stamp.recorded,
                expires_at=k.issued.fact.expires_at,
                status=_status(k.revoked, k.issued.fact.expires_at, now),
            )
            for k in page
        ),
        next=page[-1].issued.position if len(chosen) > len(page) else None,
        position=read.group.head,
    )


def _status(
    revoked: int | None, expires: Time | None, now: Time
) -> Literal["valid", "expired", "revoked"]:
    if revoked is not None:
        return "revoked"
    return "expired" if expires and expires <= now else "valid"


def people(read: Read, _: Path, query: Page) -> People:
    """People and their roles now."""
    everyone = fold(read.facts(Item(tags=(tags.people(),)))).people.values()
    ordered = sorted(everyone, key=lambda one: one.registered)
    chosen = [one for one in ordered if one.registered > query.after]
    page = chosen[: query.limit]
    names = read.names({one.handle for one in page})
    return People(
        items=tuple(
            PersonShown(
                handle=one.handle,
                id=names.get(one.handle),
                roles=one.roles,
                position=one.registered,
            )
            for one in page
        ),
        next=page[-1].registered if len(chosen) > len(page) else None,
        position=read.group.head,
    )


ADMIN: tuple[Readable, ...] = (
    get("/v1/keys", keys, Keys, tag="keys", roles=("administrator", "auditor"), query=Page),
    get("/v1/people", people, People, tag="people", roles=("administrator", "auditor"), query=Page),
)
