"""Facts once decoded, by position: a fact never changes, so decoding it again tells nothing new."""

from typing import Final

from domain.codec import Recorded, decode
from ledger.recorder import Row

FACTS_MAX: Final = 10_000


class Decoded:
    """A bounded memory of committed facts, shared by the writer and all readers of one ledger."""

    __slots__ = ("_facts",)

    def __init__(self) -> None:
        self._facts: dict[int, tuple[bytes, Recorded]] = {}

    def of(self, row: Row) -> Recorded:
        """The fact of a committed row; of others nothing is remembered, they may be given up.

        What is remembered is the fact of these very bytes: a store that was restored, or failed
        over to a replica that lagged behind, may hold another fact at the position.
        """
        known = self._facts.get(row.position)
        if known is not None and known[0] == row.leaf:
            return known[1]
        decoded = Recorded(row.position, decode(row.leaf))
        if len(self._facts) >= FACTS_MAX:
            self._facts.clear()
        self._facts[row.position] = (row.leaf, decoded)
        return decoded
