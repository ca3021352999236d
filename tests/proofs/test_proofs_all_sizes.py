"""Every proof of every tree of up to 300 leaves, held to the definitions of RFC 6962."""

from collections.abc import Mapping

import pytest

from ledger.proof.proofs import (
    Node,
    ProofError,
    assemble,
    consistency_nodes,
    inclusion_nodes,
    root_nodes,
    verify_consistency,
    verify_inclusion,
)
from ledger.proof.tree import leaf_hash, node
from naive_proofs import path_of, proof_of, root_of

SIZE_MAX = 300
LEAVES = tuple(leaf_hash(b"%d" % number) for number in range(SIZE_MAX))
TWO_EDGES = 2 * SIZE_MAX.bit_length()


@pytest.fixture(scope="module")
def nodes() -> Mapping[Node, bytes]:
    """The hash of every perfect subtree, as a store of nodes would have them."""
    row = list(LEAVES)
    found: dict[Node, bytes] = {}
    height = 0
    while row:
        found |= {Node(height, index): digest for index, digest in enumerate(row)}
        row = [node(*pair) for pair in zip(row[::2], row[1::2], strict=False)]
        height += 1
    return found


@pytest.fixture(scope="module")
def roots() -> list[bytes]:
    """The root at every size, from 0 on."""
    return [root_of(LEAVES[:size]) for size in range(SIZE_MAX + 1)]


def test_a_root_is_folded_from_the_nodes_of_the_right_edge(
    nodes: Mapping[Node, bytes], roots: list[bytes]
) -> None:
    """The root at any size, of a larger tree too, needs a node for each bit of the size."""
    for size, root in enumerate(roots):
        part = root_nodes(size)
        assert len(part) == size.bit_count()
        assert assemble([part], nodes) == (root,)


def test_every_inclusion_proof_is_the_defined_one_and_verifies(
    nodes: Mapping[Node, bytes], roots: list[bytes]
) -> None:
    """45,150 pairs of (index, size)."""
    for size in range(1, SIZE_MAX + 1):
        for index in range(size):
            parts = inclusion_nodes(index, size)
            assert sum(map(len, parts)) <= TWO_EDGES
            proof = assemble(parts, nodes)
            assert list(proof) == path_of(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], index, size, proof, roots[size])


def test_every_consistency_proof_is_the_defined_one_and_verifies(
    nodes: Mapping[Node, bytes], roots: list[bytes]
) -> None:
    """45,451 pairs of (old, new), with an empty old tree among them."""
    for new in range(SIZE_MAX + 1):
        for old in range(new + 1):
            parts = consistency_nodes(old, new)
            assert sum(map(len, parts)) <= TWO_EDGES
            proof = assemble(parts, nodes)
            assert list(proof) == (proof_of(old, LEAVES[:new]) if old else [])
            verify_consistency(old, new, proof, roots[old], roots[new])


def test_no_inclusion_proof_shows_another_leaf_or_place(
    nodes: Mapping[Node, bytes], roots: list[bytes]
) -> None:
    """At every size up to 40, each proof fails for every other index and for every other size."""
    for size in range(1, 41):
        for index in range(size):
            proof = assemble(inclusion_nodes(index, size), nodes)
            for at, of in [(i, size) for i in range(size)] + [(index, s) for s in range(1, 41)]:
                if (at, of) == (index, size):
                    continue
                with pytest.raises(ProofError):
                    verify_inclusion(LEAVES[index], at, of, proof, roots[of])


def test_no_consistency_proof_shows_another_pair_of_trees(
    nodes: Mapping[Node, bytes], roots: list[bytes]
) -> None:
    """At every size up to 24, each proof fails for every other pair of sizes that needs hashes."""
    pairs = [(old, new) for new in range(2, 25) for old in range(1, new)]
    for old, new in pairs:
        proof = assemble(consistency_nodes(old, new), nodes)
        for other_old, other_new in pairs:
            if (other_old, other_new) != (old, new):
                with pytest.raises(ProofError):
                    verify_consistency(
                        other_old, other_new, proof, roots[other_old], roots[other_new]
                    )
