"""Each fact by itself: its place, its bytes, and the columns that repeat what its bytes say."""

from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from domain.codec import decode
from domain.facts import AnyFact
from domain.values import LEAF_BYTES_MAX
from ledger.fsck.pages import FactRow
from ledger.fsck.report import Findings
from ledger.proof.tree import leaf_hash

_RESTORE: Final = (
    "Restore this row of `facts` from a backup: the tree and every checkpoint commit to the bytes "
    "that were recorded."
)
_REPEATED: Final = (
    "The leaf is the truth: set the column to what the leaf says (as the owner, with the trigger "
    "off and on again), and find out who changed it."
)


class Seen(NamedTuple):
    """A fact that was looked at."""

    position: int
    leaf: bytes
    leaf_hash: bytes
    """Computed from the leaf, 32 bytes."""
    kept_hash: bytes
    """What the column says that it is."""
    fact: AnyFact | None
    """None where the leaf is no fact."""


class _Typed(msgspec.Struct):
    type: str


_typed: Final = msgspec.json.Decoder(_Typed)


def readable(leaf: bytes) -> AnyFact | None:
    """The fact of a leaf that may have been changed; None where it is none any more."""
    try:
        return decode(leaf)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


class FactCheck:
    """Looks at one fact after the other, in the order of their positions."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._recorded: datetime | None = None
        self.head = 0
        """The last position so far."""

    def see(self, row: FactRow) -> Seen | None:
        """The fact of a row, after saying what is wrong with it; None where it has no place."""
        self._findings.rows["facts"] += 1
        if not self._placed(row.position):
            return None
        computed = leaf_hash(row.leaf)
        fact = readable(row.leaf)
        if computed != row.leaf_hash:
            self._wrong(row, "its bytes do not have the hash that stands beside them", _RESTORE)
        elif len(row.leaf) > LEAF_BYTES_MAX:
            self._wrong(row, f"its leaf has more than {LEAF_BYTES_MAX} bytes", _RESTORE)
        elif fact is None:
            self._wrong(row, "its leaf is no fact of any shape, old or new", _RESTORE)
        if fact is not None:
            self._compare(row, fact)
        return Seen(row.position, row.leaf, computed, row.leaf_hash, fact)

    def _placed(self, position: int) -> bool:
        """Whether it stands behind the one before it; says which are missing between the two."""
        before, self.head = self.head, max(self.head, position)
        if position <= before:
            why = "stands there twice" if position > 0 else "has a position below 1"
            self._findings.add(
                "facts",
                f"A fact {why}.",
                "Remove the row that no backup has; the tree tells which leaf was recorded.",
                position=position,
            )
            return False
        if position > before + 1:
            missing = position - before - 1
            self._findings.add(
                "facts",
                f"{missing} fact{'s are' if missing > 1 else ' is'} missing from the log.",
                "Restore the rows from a backup, with their tags; do not renumber the others.",
                position=before + 1,
                upto=position - 1,
            )
        return True

    def _compare(self, row: FactRow, fact: AnyFact) -> None:
        """The columns beside the leaf say what it says, and the ledger's clock does not go back."""
        stamp = fact.stamp
        if _typed.decode(row.leaf).type != row.type:
            self._wrong(row, "its column `type` is not the type in its leaf", _REPEATED)
        if tuple(row.tags) != stamp.tags:
            self._wrong(row, "its column `tags` is not the tags in its leaf", _REPEATED)
        if row.recorded != stamp.recorded:
            self._wrong(row, "its column `recorded` is not the time in its leaf", _REPEATED)
        if self._recorded is not None and stamp.recorded < self._recorded:
            self._wrong(
                row,
                "it was recorded before the fact that precedes it",
                "Two facts changed places, or one was put in: compare both with a backup.",
            )
        self._recorded = stamp.recorded

    def _wrong(self, row: FactRow, what: str, cure: str) -> None:
        self._findings.add(
            "facts", f"The fact is not as recorded: {what}.", cure, position=row.position
        )
