"""Given these facts, when somebody asks for this, then exactly these facts, or this refusal.

    given(REQUISITION_OPENED, LOOP_OPENED).when(c.OpenDebrief(loop=LOOP)).then(DEBRIEF_OPENED)

The facts get positions from 1. A given fact that the command's boundary does not select fails the
test: it would not have been read, so it cannot be why the command was decided so. Facts that are
there to show that they do not matter are given `aside`; the outcome must be the same without them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar, cast

import pytest
from msgspec import Struct
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.boundary import settle
from domain.case import Draft, Found, Intent
from domain.codec import Recorded, decode, encode, type_of
from domain.decide import Context, NewKey, claimed_at, conclude, draft
from domain.decide.intent import RecordedIntent, intent_of
from domain.evolve import fold
from domain.findings import Basis, Item, Judged
from domain.refusals import Refusal
from domain.state import World
from domain.values import Digest, Unsealed
from story import ATS, BASIS, CAUSE, HM, JUDGED, KEY, NEW_KEY, NOW, ROLES_OF, said
from story_later import WITNESSES

T = TypeVar("T")


class Aside(NamedTuple):
    """A fact that was recorded too, and that the command must not depend on."""

    fact: f.AnyFact


def aside(*facts: f.AnyFact) -> tuple[Aside, ...]:
    """Facts outside the command's boundary, on purpose."""
    return tuple(Aside(fact) for fact in facts)


def given(*facts: f.AnyFact | Aside) -> "Given":
    """What was recorded before, in this order, from position 1."""
    recorded: list[Recorded] = []
    irrelevant: set[int] = set()
    for position, one in enumerate(facts, 1):
        fact = one.fact if isinstance(one, Aside) else one
        assert decode(encode(fact)) == fact, f"a {type_of(fact)} that cannot be stored is given"
        recorded.append(Recorded(position, fact))
        if isinstance(one, Aside):
            irrelevant.add(position)
    return Given(tuple(recorded), frozenset(irrelevant))


class Given(NamedTuple):
    """The log before a command, and the positions of what must not matter to it."""

    recorded: tuple[Recorded, ...]
    irrelevant: frozenset[int]

    def when(
        self,
        command: c.AnyCommand,
        *,
        by: str = HM,
        roles: Sequence[f.Role] | None = None,
        now: datetime = NOW,
    ) -> "Outcome":
        """What comes of a command by this person, who has the roles they have in the story."""
        context = Context(
            now=now,
            at=claimed_at(command, now),
            actor=by,
            via=KEY,
            assurance="own_key",
            cause=CAUSE,
            roles=frozenset(ROLES_OF[by] if roles is None else roles),
            source=ATS if command.source else None,
            new_key=NewKey(id=NEW_KEY, secret_sha256="5" * 64),
        )
        items = items_of(command, self.recorded, by)
        self._check_relevance(command, items)
        world = _cited(command, fold(selected(self.recorded, items)), self.recorded)
        outcome = _drafted(command, world, context)
        everything = _cited(command, fold(self.recorded), self.recorded)
        assert _same(outcome, _drafted(command, everything, context)), (
            f"facts outside its boundary decide a {type(command).__name__}"
        )
        return Outcome(outcome, world, everything)

    def _check_relevance(self, command: c.AnyCommand, items: tuple[Item, ...]) -> None:
        read = {one.position for one in selected(self.recorded, items)}
        if isinstance(command, c.CorrectFact):
            read.add(command.position)
        for one in self.recorded:
            position = one.position
            told = f"{type_of(one.fact)} at {position} for a {type(command).__name__}"
            if position in self.irrelevant and position in read:
                pytest.fail(f"the boundary selects a fact given aside: {told}")
            if position not in self.irrelevant and position not in read:
                pytest.fail(f"the boundary does not select a given fact: {told}")


def items_of(command: c.AnyCommand, recorded: Sequence[Recorded], actor: str) -> tuple[Item, ...]:
    """The command's boundary over this log, found by reading as the ledger finds it."""
    return settle(
        command, actor, lambda items: _cited(command, fold(selected(recorded, items)), recorded)
    )


def selected(recorded: Sequence[Recorded], items: Sequence[Item]) -> tuple[Recorded, ...]:
    """The facts that belong to any of the items, in the order of the log."""
    return tuple(
        one
        for one in recorded
        if any(item.matches(type_of(one.fact), one.fact.stamp.tags) for item in items)
    )


class Outcome(NamedTuple):
    """What a command came to: a draft, or the refusal that was raised."""

    drafted: Draft | Refusal
    world: World
    everything: World

    def then(self, *facts: f.AnyFact, judged: Judged = JUDGED) -> None:
        """Exactly these facts are recorded, if the rules judge the draft so."""
        drafted = self.draft()
        assert drafted.state_findings == ()
        made = tuple(sealed(fact) for fact in concluded(drafted, judged))
        assert made == facts, f"recorded {[encode(fact) for fact in made]}, not what was expected"
        for position, fact in enumerate(made, self.everything.head + 1):
            assert decode(encode(fact)) == fact
            fold((Recorded(position, fact),), self.everything)
        self._check_replay(drafted, judged)

    def then_by_state(self, *found: Found) -> None:
        """The command is judged, and this is what the state of the loop has against it."""
        assert self.draft().state_findings == found

    def refused(self, kind: type[Refusal], detail: str, pointer: str | None = None) -> None:
        """Refused with exactly this reason, and the field at fault."""
        assert isinstance(self.drafted, Refusal), "it was not refused"
        told = (type(self.drafted), self.drafted.detail, self.drafted.pointer)
        assert told == (kind, detail, pointer)

    def draft(self) -> Draft:
        """What the command would make; its refusal is raised."""
        if isinstance(self.drafted, Refusal):
            raise self.drafted
        return self.drafted

    def _check_replay(self, drafted: Draft, judged: Judged) -> None:
        """A recorded intent gives the draft that was judged, so that it can be judged again."""
        if isinstance(drafted.fact, Intent):
            recorded = concluded(drafted, judged)[0]
            assert isinstance(recorded, RecordedIntent)
            assert intent_of(recorded, self.world) == drafted.fact


def concluded(drafted: Draft, judged: Judged = JUDGED) -> tuple[f.AnyFact, ...]:
    """What is recorded of a draft that the rules judged so."""
    basis: Basis | None = BASIS if drafted.moment in ("stage", "gate", "decide") else None
    return conclude(drafted, judged, basis, WITNESSES if drafted.moment == "gate" else ())


def sealed(value: T) -> T:
    """The value with a digest for everything personal, the same one that `said` gives."""
    if isinstance(value, Unsealed):
        return cast("T", said(value.text, value.subject))
    if isinstance(value, Struct) and not isinstance(value, Digest):
        changes = {name: sealed(getattr(value, name)) for name in value.__struct_fields__}
        return replace(value, **changes)
    if isinstance(value, tuple):
        return cast("T", tuple(sealed(one) for one in cast("tuple[object, ...]", value)))
    if isinstance(value, dict):
        members = cast("dict[object, object]", value)
        return cast("T", {key: sealed(member) for key, member in members.items()})
    return value


def _cited(command: c.AnyCommand, world: World, recorded: Sequence[Recorded]) -> World:
    """A correction is shown the fact it names, by its position."""
    if not isinstance(command, c.CorrectFact):
        return world
    return replace(world, cited={r.position: r for r in recorded if r.position == command.position})


def _drafted(command: c.AnyCommand, world: World, context: Context) -> Draft | Refusal:
    try:
        return draft(command, world, context)
    except Refusal as refusal:
        return refusal


def _same(one: Draft | Refusal, other: Draft | Refusal) -> bool:
    if isinstance(one, Refusal):
        return type(one) is type(other) and vars(one) == vars(other)
    return one == other
