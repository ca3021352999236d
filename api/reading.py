"""What all reads share: the clocks, one loop's facts, and who may see them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from api.problems import malformed
from domain import commands as c
from domain import facts as f
from domain.boundary import (
    case_items,
    policy_set_items,
    posting_items,
    prompt_items,
    requisition_items,
    scorecard_items,
)
from domain.codec import Recorded
from domain.evolve import fold
from domain.findings import Item
from domain.refusals import Missing
from domain.state import At, Loop, Requisition, World
from domain.tags import loop as loop_tag
from domain.values import POSITION_MAX, Time, is_case, is_handle
from ledger.blind_rule import Reader, check_may_read
from ledger.group import Group
from ledger.recorder import Row
from ledger.resolve import AMBIGUOUS


class Clock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which past moment to tell of: as known then (`position`, `recorded`), as it had happened."""

    position: Annotated[int, Meta(ge=0, le=POSITION_MAX)] | None = None
    recorded: Time | None = None
    at: Time | None = None


def check_clock(clock: Clock) -> None:
    """`position` and `recorded` exclude each other."""
    if clock.position is not None and clock.recorded is not None:
        raise malformed("Give position or recorded, not both: each says how much was known.")


def within(clock: Clock, position: int, stamp: f.Stamp) -> bool:
    """Whether a fact was known, and had happened, by the clock; both limits inclusive."""
    return (
        (clock.position is None or position <= clock.position)
        and (clock.recorded is None or stamp.recorded <= clock.recorded)
        and (clock.at is None or stamp.at <= clock.at)
    )


@dataclass(slots=True)
class Read:
    """One read: the log as it stands, who reads, and what must be noted before they see it."""

    group: Group
    reader: Reader
    notes: list[c.AnyCommand] = field(default_factory=list[c.AnyCommand])

    def facts(self, *items: Item, clock: Clock | None = None) -> list[Recorded]:
        """The facts that match, decoded, as of the clock."""
        return [one.recorded for one in self.rows(*items, clock=clock)]

    def rows(self, *items: Item, clock: Clock | None = None) -> "list[Known]":
        """The facts that match, with their stored bytes, as of the clock."""
        rows = self.group.select(items)
        known = [
            Known(row, one.fact) for row, one in zip(rows, self.group.facts(rows), strict=True)
        ]
        if clock is None:
            return known
        check_clock(clock)
        return [k for k in known if within(clock, k.row.position, k.fact.stamp)]

    def handle(self, kind: str, ref: str) -> str:
        """The handle for a caller's id or handle; raises `Missing`."""
        if is_handle(ref) and ref.startswith(f"{kind[0]}_"):
            return ref
        found = self.group.store.aliases.find(self.group.cur, kind, ref)  # type: ignore[arg-type]
        if found is None:
            raise Missing(f"no such {kind}, or not for this reader")
        return found

    def subject(self, ref: str) -> str:
        """The handle of a candidate, or of a loop or imported case by that id; raises `Missing`."""
        if is_handle(ref) and is_case(ref):
            return ref
        case = self.group.store.aliases.find(self.group.cur, "loop", ref)
        try:
            found = self.handle("candidate", ref)
        except Missing:
            if case is None:
                raise
            return case
        if case is not None and self.group.select(case_items(case)):
            raise malformed(f"{AMBIGUOUS[:1].upper()}{AMBIGUOUS[1:]}.")
        return found

    def loop(self, ref: str, clock: Clock | None = None) -> "LoopRead":
        """One loop as of a clock, if this reader may read it now; raises `Missing`."""
        handle = self.handle("loop", ref)
        rows = self.rows(Item(tags=(loop_tag(handle),)))
        now = fold(k.recorded for k in rows if not isinstance(k.fact, f.RecordImported))
        if handle not in now.loops:
            raise Missing("no such loop, or not for this reader")
        pins = now.loops[handle].opened.fact
        around = self.facts(*requisition_items(pins.requisition))
        requisition = fold(around).requisitions[pins.requisition]
        check_may_read(self.reader, now.loops[handle], requisition)
        if clock is not None:
            check_clock(clock)
            rows = [k for k in rows if within(clock, k.row.position, k.fact.stamp)]
        then = fold(k.recorded for k in rows if isinstance(k.fact, f.LoopOpened)).loops
        if handle not in then:
            raise Missing("the loop was not open then")
        world = fold(k.recorded for k in rows)
        return LoopRead(now.loops[handle], world.loops[handle], requisition, rows, world)

    def around(self, pins: f.LoopOpened, loop: Loop) -> list[Recorded]:
        """Outside a loop, what its rules look at: requisition, rubric and policy sets."""
        prompts = {ref.id for plan in loop.plans for s in plan.fact.sessions for ref in s.prompts}
        prompts |= {ref.id for s in loop.sessions for ref in s.fact.prompts}
        return self.facts(
            *requisition_items(pins.requisition),
            *scorecard_items(pins.scorecard.id),
            *posting_items(pins.posting.id),
            *policy_set_items(),
            *prompt_items(prompts),
        )

    def policy_sets(self) -> tuple[At[f.PolicySetAdopted], ...]:
        """Every policy set adopted, in order."""
        return fold(self.facts(*policy_set_items())).policy_sets

    def names(self, handles: Sequence[str] | set[str]) -> dict[str, str]:
        """Callers' ids by handle, for those that are known and not erased."""
        found = self.group.store.aliases.names(self.group.cur, handles)
        return {handle: name for handle, name in found.items() if name is not None}


class Known(NamedTuple):
    """A fact with its stored bytes."""

    row: Row
    fact: f.AnyFact

    @property
    def recorded(self) -> Recorded:
        """The fact at its position."""
        return Recorded(self.row.position, self.fact)


class LoopRead(NamedTuple):
    """A loop now and as of the clock, its requisition now, and its facts as of the clock."""

    now: Loop
    loop: Loop
    requisition: Requisition
    rows: list[Known]
    world: World
