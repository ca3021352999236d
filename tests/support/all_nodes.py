"""The hash of every perfect subtree over some leaves, as a store of nodes would have them."""

from collections.abc import Sequence

from ledger.proof.proofs import Node
from ledger.proof.tree import node


def all_nodes(leaves: Sequence[bytes]) -> dict[Node, bytes]:
    """From leaf hashes in order: row by row, each of half as many."""
    row, height = list(leaves), 0
    found: dict[Node, bytes] = {}
    while row:
        found |= {Node(height, index): digest for index, digest in enumerate(row)}
        row = [node(*pair) for pair in zip(row[::2], row[1::2], strict=False)]
        height += 1
    return found
