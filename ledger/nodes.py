"""The tree over the log as it is stored: heads, nodes, and whatever is made of them.

Kept are not tiles but perfect subtrees, at the position where each is complete: node (height h,
index i) stands at position (i + 1) << h. So appending writes one short row for every second fact,
and a root or a proof at any size is one query of about twice log2(size) rows.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.errors import LogDamaged
from ledger.growth import cut
from ledger.personal.subject_keys import in_schema
from ledger.proof.proofs import (
    SIZE_MAX,
    Node,
    Part,
    assemble,
    consistency_nodes,
    inclusion_nodes,
    root_nodes,
)
from ledger.proof.tiles import Tile, tile_nodes
from ledger.proof.tree import EMPTY_ROOT

_HEAD: Final = "select size, root, edge from {}.tree_heads order by size desc limit 1"
# Both by key, and the arrays say how many: a plan made for a small log would read whole tables, so
# no plan is kept.
_HASHES: Final = """
select 0, position, leaf_hash from {}.facts where position = any(%(leaves)b)
union all
select 1, position, hashes from {}.tree_nodes where position = any(%(ends)b)
"""


class Head(NamedTuple):
    """The tree as the last commit left it."""

    size: int
    """How many facts it is over; 0 for an empty log."""
    root: bytes
    edge: bytes
    """The perfect subtrees on the right edge, largest first: 32 bytes each."""


class Nodes:
    """The tables `tree_heads` and `tree_nodes` of one ledger; everything runs on the caller's
    cursor, and all hashes have 32 bytes.
    """

    __slots__ = ("_hashes", "_head")

    def __init__(self, schema: str) -> None:
        self._head = in_schema(_HEAD, schema)
        self._hashes = in_schema(_HASHES, schema)

    def head(self, cur: Cursor[TupleRow]) -> Head:
        """The newest tree that this transaction sees."""
        row = cur.execute(self._head, binary=True).fetchone()
        return Head(0, EMPTY_ROOT, b"") if row is None else Head(*row)

    def hashes(self, cur: Cursor[TupleRow], nodes: Collection[Node]) -> dict[Node, bytes]:
        """The hash of each node, in one query.

        Raises:
            LogDamaged: a node is not there: it ends after the log, or was removed.
        """
        if not nodes:
            return {}
        there = [one for one in nodes if _end(one) <= SIZE_MAX]
        given: Mapping[str, list[int]] = {
            "leaves": [_end(one) for one in there if one.height == 0],
            "ends": sorted({_end(one) for one in there if one.height > 0}),
        }
        cur.execute(self._hashes, given, prepare=False, binary=True)
        leaves: dict[int, bytes] = {}
        ends: dict[int, list[bytes]] = {}
        for kind, position, kept in cur.fetchall():
            if kind == 0:
                leaves[position] = kept
            else:
                ends[position] = cut(kept)
        found: dict[Node, bytes] = {}
        for one in nodes:
            end = _end(one)
            if one.height == 0 and end in leaves:
                found[one] = leaves[end]
            elif len(ends.get(end, ())) >= one.height > 0:
                found[one] = ends[end][one.height - 1]
            else:
                raise LogDamaged(
                    f"The tree has no node of height {one.height} that ends at position {end}. "
                    "Where the log is that long, it was removed: `hireledger fsck` tells what is "
                    "left, and a backup brings it back."
                )
        return found

    def root_at(self, cur: Cursor[TupleRow], size: int) -> bytes:
        """The root over the first `size` facts, at most as many as there are."""
        if size == 0:
            return EMPTY_ROOT
        return self._assembled(cur, [root_nodes(size)])[0]

    def inclusion(self, cur: Cursor[TupleRow], index: int, size: int) -> tuple[bytes, ...]:
        """The proof that leaf `index` (position - 1) is under the root over `size` facts.

        Raises:
            ProofError: there is no such leaf in a tree of that size.
            LogDamaged: the log is shorter, or damaged.
        """
        return self._assembled(cur, inclusion_nodes(index, size))

    def inclusions(
        self, cur: Cursor[TupleRow], indexes: Collection[int], size: int
    ) -> dict[int, tuple[bytes, ...]]:
        """The same for many leaves, still in one query."""
        parts = {index: inclusion_nodes(index, size) for index in indexes}
        hashes = self.hashes(cur, {one for proof in parts.values() for p in proof for one in p})
        return {index: assemble(proof, hashes) for index, proof in parts.items()}

    def consistency(self, cur: Cursor[TupleRow], old: int, new: int) -> tuple[bytes, ...]:
        """The proof that the tree over `new` facts begins with the tree over `old` facts.

        Raises:
            ProofError: `old` is larger.
            LogDamaged: the log is shorter, or damaged.
        """
        return self._assembled(cur, consistency_nodes(old, new))

    def tile(self, cur: Cursor[TupleRow], tile: Tile) -> bytes:
        """The hashes of a tile, 32 bytes each, as tlog-tiles has them.

        Raises:
            LogDamaged: the log is too short for it, or damaged.
        """
        wanted = tile_nodes(tile)
        hashes = self.hashes(cur, wanted)
        return b"".join(hashes[one] for one in wanted)

    def _assembled(self, cur: Cursor[TupleRow], parts: Sequence[Part]) -> tuple[bytes, ...]:
        return assemble(parts, self.hashes(cur, {one for part in parts for one in part}))


def _end(node: Node) -> int:
    """The position of the last fact below a node: where its hash is kept."""
    return (node.index + 1) << node.height
