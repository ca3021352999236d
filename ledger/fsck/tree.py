"""The tree over the log: every stored node and head against what the leaves add up to.

Beside the tree computed from the leaves runs a second one that believes what is stored as far as
it goes: what differs from the first but agrees with the second only follows from what was found
before, and is not told again.
"""

from typing import Final

from ledger.fsck.checkpoints import Roots
from ledger.fsck.pages import Page
from ledger.fsck.report import Findings
from ledger.growth import cut
from ledger.proof.tree import EMPTY_ROOT, HASH_BYTES, node

GAP_MAX: Final = 100_000
"""Missing facts over which the tree is carried on; behind more, nothing can be compared."""

_UNKNOWN: Final = bytes(HASH_BYTES)
_NODES: Final = (
    "Compare these facts with a backup. Where they are as recorded, the row of `tree_nodes` is "
    "wrong: restore it."
)
_HEADS: Final = (
    "Compare the facts since the tree was last right with a backup. Where they are as recorded, "
    "the row of `tree_heads` is wrong: restore it."
)
_FOLLOWS: Final = "Nodes and heads of the tree that differ only because of what is told here: {}."


class TreeCheck:
    """Grows both trees, one leaf after the other."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._true: list[bytes] = []
        self._believed: list[bytes] = []
        self._follow = 0
        self._headed = 0
        self._whole = True
        self._lost = False
        self._roots: dict[int, Roots] = {}
        self.wanted: set[int] = set()
        """Sizes at which the root is needed later."""
        self.size = 0

    @property
    def lost(self) -> bool:
        """Whether so many facts are missing that nothing can be compared any more."""
        return self._lost

    def roots(self) -> dict[int, Roots]:
        """At the sizes that were wanted; takes them out."""
        found, self._roots = self._roots, {}
        return found

    def see(self, leaf_hash: bytes, kept_hash: bytes, page: Page) -> None:
        """The next leaf, its hash computed and as kept; takes the rows of its position from the
        page. A kept hash that is no hash of the leaf was told of.
        """
        if not self._lost:
            self._add(leaf_hash, kept_hash, page)

    def missing(self, first: int, last: int, page: Page) -> None:
        """These facts are not there: what is stored of the tree has to do."""
        self._whole = False
        if last - first >= GAP_MAX:
            self._lost = True
        for _ in range(0 if self._lost else last - first + 1):
            self._add(_UNKNOWN, _UNKNOWN, page)

    def root(self) -> bytes:
        """Over the leaves so far, 32 bytes."""
        return _fold(self._true)

    def believed_root(self) -> bytes:
        """What the root would be if what is stored of the tree were right."""
        return _fold(self._believed)

    def whole_root(self) -> bytes | None:
        """Over all leaves; None where some are missing."""
        return self.root() if self._whole else None

    def end_page(self, page: Page) -> None:
        """The rows that no position of the page has taken."""
        self._findings.rows["tree_nodes"] += len(page.nodes)
        self._findings.rows["tree_heads"] += len(page.heads)
        if self._lost:
            return
        for table, positions in (("tree_nodes", page.nodes), ("tree_heads", page.heads)):
            for position in positions:
                self._findings.add(
                    "tree",
                    "The tree has a row where no subtree ends, or beyond the last fact.",
                    f"Remove the row of `{table}`, or restore the facts that it was made for.",
                    position=position,
                    row=f"`{table}`",
                )

    def end(self) -> None:
        """No more facts."""
        if self._headed != self.size and not self._lost:
            self._findings.add(
                "tree",
                f"The newest head of the tree is over {self._headed} facts.",
                "Restore the last row of `tree_heads`; a log from before there was a tree gets its "
                "own when hireledger is started.",
                position=self.size,
            )
        if self._follow:
            self._findings.notes.append(_FOLLOWS.format(self._follow))

    def _add(self, leaf_hash: bytes, kept_hash: bytes, page: Page) -> None:
        self.size += 1
        stored = page.nodes.pop(self.size, None)
        if stored is not None:
            self._findings.rows["tree_nodes"] += 1
        self._merge(leaf_hash, kept_hash, cut(stored or b""))
        if (head := page.heads.pop(self.size, None)) is not None:
            self._findings.rows["tree_heads"] += 1
            self._compare_head(*head)
        if self.size in self.wanted:
            self._roots[self.size] = Roots(self.root(), self.believed_root())

    def _merge(self, leaf_hash: bytes, kept_hash: bytes, stored: list[bytes]) -> None:
        """Completes the subtrees that end here, and compares each with the stored one."""
        true, believed = leaf_hash, kept_hash
        height, rest = 0, self.size
        wrong: list[int] = []
        while not rest & 1:
            height, rest = height + 1, rest >> 1
            true = node(self._true.pop(), true)
            believed = node(self._believed.pop(), believed)
            given = stored[height - 1] if height <= len(stored) else None
            if given is None or given not in (true, believed):
                wrong.append(height)
            elif given != true:
                self._follow += 1
            believed = given if given is not None and len(given) == HASH_BYTES else believed
        self._true.append(true)
        self._believed.append(believed)
        if wrong or len(stored) > height:
            self._tell(wrong, stored)

    def _tell(self, wrong: list[int], stored: list[bytes]) -> None:
        lowest = min(wrong, default=0)
        what = "is missing" if not stored else "is not what the leaves under it add up to"
        self._findings.add(
            "tree",
            f"A node of the tree, of height {lowest}, {what}." if wrong else "Too many nodes.",
            _NODES,
            position=self.size - 1 if lowest == 1 and stored else self.size,
            upto=self.size,
            row=f"`tree_nodes` {self.size}",
        )

    def _compare_head(self, edge: bytes, root: bytes) -> None:
        self._headed = self.size
        peaks = cut(edge)
        if peaks == self._true and root == self.root():
            return
        if peaks == self._believed and root == self.believed_root():
            self._follow += 1
            return
        self._findings.add(
            "tree",
            "The head of the tree is not what the leaves up to here add up to.",
            _HEADS,
            position=self.size,
            row=f"`tree_heads` {self.size}",
        )
        if len(peaks) == self.size.bit_count() and _fold(peaks) == root:
            self._believed = peaks


def _fold(peaks: list[bytes]) -> bytes:
    """The root over perfect subtrees, largest first."""
    if not peaks:
        return EMPTY_ROOT
    digest = peaks[-1]
    for peak in reversed(peaks[:-1]):
        digest = node(peak, digest)
    return digest
