"""The life of a decision, step 2: the facts that a command depends on, and no others.

The boundary names them, as a query over the tags; whatever is in its result is in the basis too.
"""

import base64
from collections.abc import Sequence

from msgspec.structs import replace

from domain import commands as c
from domain.boundary import settle
from domain.evolve import fold
from domain.findings import Basis, Item
from domain.state import World
from ledger.group import Group
from ledger.proof.tree import basis_root
from ledger.recorder import Row


class Reading:
    """What one command was decided on: the boundary's items, the facts they select, the state."""

    def __init__(self, items: tuple[Item, ...], rows: Sequence[Row], group: Group) -> None:
        self.items = items
        self.rows = rows
        self.upto = group.head
        self.facts = tuple(group.facts(rows))
        self.world = fold(self.facts)

    def basis(self) -> Basis:
        """The commitment to exactly these facts: items, position read up to, count and root."""
        root = basis_root(row.leaf for row in self.rows)
        return Basis(
            items=self.items,
            upto=self.upto,
            count=len(self.rows),
            root=base64.b64encode(root).decode(),
        )


def read_boundary(command: c.AnyCommand, actor: str, group: Group) -> Reading:
    """The facts that a command of this person depends on, folded."""
    # Facts never change, so what is cited by position needs no place in the boundary.
    cited = group.at((command.position,)) if isinstance(command, c.CorrectFact) else []
    known = {one.position: one for one in cited}
    readings: list[Reading] = []

    def read(items: tuple[Item, ...]) -> World:
        reading = Reading(items, group.select(items), group)
        reading.world = replace(reading.world, cited=known)
        readings.append(reading)
        return reading.world

    settle(command, actor, read)
    return readings[-1]
