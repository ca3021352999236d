"""Facts once decoded, by position: a fact never changes, so decoding it again tells nothing new."""

from typing import Final

from domain.codec import Recorded, decode
from ledger.recorder import Row

FACTS_MAX: Final = 10_000


class Decoded:
    """A bounded memory of committed facts, shared by the writer and all readers of one ledger."""

    __slots__ = ("_facts",)

    def __init__(self) -> None:
        self._facts: dict[int, Recorded] = {}

    def of(self, row: Row) -> Recorded:
        """The fact of a committed row; of others nothing is remembered, they may be given up."""
        known = self._facts.get(row.position)
        if known is None:
            known = Recorded(row.position, decode(row.leaf))
            if len(self._facts) >= FACTS_MAX:
                self._facts.clear()
            self._facts[row.position] = known
        return known
