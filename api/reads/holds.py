"""Legal holds: which stand, over whom, and for what."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from api.reading import Read
from api.reads.admin import Page
from api.reads.base import Path, Readable, get
from api.reads.loops import Who
from domain import commands as c
from domain import tags
from domain.boundary import hold_items
from domain.evolve import fold
from domain.state import Hold
from domain.values import Time
from ledger.personal.disclose import words


class HoldShown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A legal hold, from its placing to its release."""

    id: str
    status: Literal["standing", "released"]
    matter: Annotated[
        str | None, Meta(description="What it is; null once it was erased with the one it is over.")
    ]
    candidates: tuple[Who, ...]
    requisitions: tuple[str, ...]
    placed_at: Time
    placed_by: Who
    position: int
    released_at: Time | None = None
    released_by: Who | None = None
    release: Annotated[int | None, Meta(description="The position of the release.")] = None
    reason: Annotated[str | None, Meta(description="Why it was released.")] = None


class Holds(Struct, frozen=True, kw_only=True):
    """A page of holds in the order of their placing."""

    items: tuple[HoldShown, ...]
    next: int | None
    position: int


def holds(read: Read, _: Path, query: Page) -> Holds:
    """Legal holds, those released too, in the order of their placing."""
    found = fold(read.facts(*hold_items(tags.holds()))).holds.values()
    chosen = [hold for hold in found if hold.placed.position > query.after]
    page = chosen[: query.limit]
    if page:
        first, last = page[0].placed.position, page[-1].placed.position
        read.notes.append(c.NoteRecordViewed(what="holds", first=first, last=last))
    names = read.names({handle for hold in page for handle in _named_by(hold)})
    return Holds(
        items=tuple(_shown(hold, names, read) for hold in page),
        next=page[-1].placed.position if len(chosen) > len(page) else None,
        position=read.group.head,
    )


def _named_by(hold: Hold) -> set[str]:
    people = {*hold.placed.fact.candidates, hold.placed.fact.stamp.by}
    return people | ({hold.released.fact.stamp.by} if hold.released else set())


def _shown(hold: Hold, names: dict[str, str], read: Read) -> HoldShown:
    placed, released = hold.placed.fact, hold.released

    def who(handle: str) -> Who:
        return Who(handle=handle, id=names.get(handle))

    return HoldShown(
        id=placed.hold,
        status="released" if released else "standing",
        matter=words(placed.matter, read.group),
        candidates=tuple(who(handle) for handle in placed.candidates),
        requisitions=placed.requisitions,
        placed_at=placed.stamp.recorded,
        placed_by=who(placed.stamp.by),
        position=hold.placed.position,
        released_at=released.fact.stamp.recorded if released else None,
        released_by=who(released.fact.stamp.by) if released else None,
        release=released.position if released else None,
        reason=words(released.fact.reason, read.group) if released else None,
    )


HOLDS: tuple[Readable, ...] = (
    get(
        "/v1/holds",
        holds,
        Holds,
        tag="privacy",
        roles=("auditor", "privacy_officer"),
        query=Page,
    ),
)
