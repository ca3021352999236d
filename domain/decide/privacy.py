"""Legal holds and erasure, and that nothing personal is recorded of somebody who was erased."""

from collections.abc import Iterator
from typing import Final, cast

from msgspec import Struct

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Draft
from domain.decide.context import Context
from domain.decide.entitled import check_role
from domain.decide.rubric import known_requisition
from domain.refusals import Exists, Meaningless, Missing, RefusedByRule, held, wrong_state
from domain.state import Hold, World
from domain.values import ORGANISATION, SELF_IDENTIFICATION, Unsealed, is_case, private

HOLDS_NAMED_MAX: Final = 5
"""In a refusal; its positions name more."""


def place_hold(command: c.PlaceHold, world: World, context: Context) -> Draft:
    """A hold over people and requisitions; its tags are how an erasure finds it."""
    check_role(command, context)
    if not command.candidates and not command.requisitions:
        raise Meaningless("a hold is over people or requisitions: name at least one", pointer="")
    hold = command.id or _named_by(context.cause)
    if hold in world.holds:
        raise Exists("a hold has this id already, released or not; give another")
    for number, slug in enumerate(command.requisitions):
        known_requisition(world, slug, f"/requisitions/{number}")
    for number, handle in enumerate(command.candidates):
        if handle in world.erased:
            raise erased_refusal(world.erased[handle].position)
        if is_case(handle) and not world.imported_case(handle):
            raise Meaningless("no such candidate is registered", pointer=f"/candidates/{number}")
    candidates = tuple(dict.fromkeys(command.candidates))
    requisitions = tuple(dict.fromkeys(command.requisitions))
    about = _tags(hold, candidates, requisitions)
    return Draft(
        fact=f.HoldPlaced(
            stamp=context.stamp(*about),
            hold=hold,
            matter=private(command.matter, _whose(about)),
            candidates=candidates,
            requisitions=requisitions,
        )
    )


def release_hold(command: c.ReleaseHold, world: World, context: Context) -> Draft:
    """The end of a hold, found again wherever the hold is found."""
    check_role(command, context)
    hold = world.holds.get(command.hold)
    if hold is None:
        raise Missing("no such hold")
    if hold.released is not None:
        raise Exists("this hold is released already")
    over = hold.placed.fact
    about = _tags(over.hold, over.candidates, over.requisitions)
    return Draft(
        fact=f.HoldReleased(
            stamp=context.stamp(*about),
            hold=over.hold,
            reason=private(command.reason, _whose(about)),
        )
    )


def erase_subject(command: c.EraseSubject, world: World, context: Context) -> Draft:
    """A person's erasure, known in each of their loops; the ledger destroys the key with it.

    An imported case stands for whom it is about, and has that one case.
    """
    check_role(command, context)
    if command.candidate in world.erased:
        raise Exists("this person was erased already; nothing of them is left to erase")
    theirs = [x for x in world.loops.values() if x.opened.fact.candidate == command.candidate]
    handles = [loop.handle for loop in theirs]
    if world.imported_case(command.candidate):
        handles = [command.candidate]
    if not handles:
        raise Missing("no such candidate")
    requisitions = {loop.opened.fact.requisition for loop in theirs}
    standing = [
        hold
        for hold in world.holds.values()
        if hold.released is None and hold.covers(command.candidate, requisitions)
    ]
    if standing:
        raise _under_hold(standing)
    loops = map(tags.loop, handles)
    return Draft(
        fact=f.SubjectErased(
            stamp=context.stamp(tags.candidate(command.candidate), *loops),
            candidate=command.candidate,
            legal_basis=private(command.legal_basis, ORGANISATION),
        )
    )


def check_nobody_erased(drafted: Draft, world: World) -> None:
    """Refuses words about somebody who was erased: sealing them would give them a key again."""
    if not world.erased:
        return
    for fact in (drafted.fact, *drafted.also):
        for value in _unsealed(fact):
            erased = world.erased.get(value.subject.removeprefix(SELF_IDENTIFICATION))
            if erased is not None:
                raise erased_refusal(erased.position)


def erased_refusal(position: int) -> RefusedByRule:
    """Why nothing personal is recorded of somebody who was erased at a position."""
    return wrong_state(
        "this person was erased, and nothing personal is recorded of them any more",
        "leave out what is about the person; somebody who applies again gets a new record under "
        "your own id for them",
        position,
    )


def _under_hold(standing: list[Hold]) -> RefusedByRule:
    ids = [hold.placed.fact.hold for hold in standing]
    named = ", ".join(ids[:HOLDS_NAMED_MAX])
    more = f" and {len(ids) - HOLDS_NAMED_MAX} more" if len(ids) > HOLDS_NAMED_MAX else ""
    return held(f"{named}{more}", *(hold.placed.position for hold in standing))


def _named_by(cause: str) -> str:
    """A hold's id where the caller gives none: that of the request, which no other has."""
    return f"hold-{cause.removeprefix('r_')}"


def _tags(hold: str, candidates: tuple[str, ...], requisitions: tuple[str, ...]) -> tuple[str, ...]:
    return (
        tags.hold(hold),
        tags.holds(),
        *map(tags.candidate, candidates),
        *map(tags.requisition, requisitions),
    )


def _whose(about: tuple[str, ...]) -> str:
    """Whose words the matter of a hold is, and the reason of its release.

    A matter over one person alone is about that person, and goes with them: that can only be after
    the release. One over several, or over a requisition, must outlast each of them.
    """
    return tags.only_candidate(about) or ORGANISATION


def _unsealed(value: object) -> Iterator[Unsealed]:
    """Every personal value in a draft that is still to be sealed."""
    if isinstance(value, Unsealed):
        yield value
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from _unsealed(getattr(value, name))
    elif isinstance(value, tuple):
        for item in cast("tuple[object, ...]", value):
            yield from _unsealed(item)
    elif isinstance(value, dict):
        for member in cast("dict[object, object]", value).values():
            yield from _unsealed(member)
