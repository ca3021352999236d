"""Every proof of every tree of up to 300 leaves, held to the definitions and to Go's."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from all_nodes import all_nodes
from ledger.proof.proofs import (
    Node,
    Part,
    ProofError,
    assemble,
    consistency_nodes,
    inclusion_nodes,
    root_nodes,
    verify_consistency,
    verify_inclusion,
)
from ledger.proof.tree import leaf_hash
from naive_proofs import path_of, proof_of, root_of
from referee import Referee

SIZE_MAX = 300
LEAVES = tuple(leaf_hash(b"%d" % number) for number in range(SIZE_MAX))
TWO_EDGES = 2 * SIZE_MAX.bit_length()
SIZES = range(SIZE_MAX + 1)
Proof = tuple[bytes, ...]


@pytest.fixture(scope="module")
def nodes() -> Mapping[Node, bytes]:
    """The hash of every perfect subtree."""
    return all_nodes(LEAVES)


class Made(NamedTuple):
    """Every proof: by size, then by index, or by the old size from 0 on."""

    inclusion: list[list[Proof]]
    consistency: list[list[Proof]]


@pytest.fixture(scope="module")
def made(nodes: Mapping[Node, bytes]) -> Made:
    """All of them, made from single nodes, and from no more than two edges of a tree have."""

    def make(parts: list[Part]) -> Proof:
        assert sum(map(len, parts)) <= TWO_EDGES
        return assemble(parts, nodes)

    return Made(
        [[make(inclusion_nodes(index, size)) for index in range(size)] for size in SIZES],
        [[make(consistency_nodes(old, size)) for old in range(size + 1)] for size in SIZES],
    )


@pytest.fixture(scope="module")
def roots() -> list[bytes]:
    """The root at every size, from 0 on, as defined."""
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
    made: Made, roots: list[bytes]
) -> None:
    """45,150 pairs of (index, size)."""
    for size in range(1, SIZE_MAX + 1):
        for index, proof in enumerate(made.inclusion[size]):
            assert list(proof) == path_of(index, LEAVES[:size])
            verify_inclusion(LEAVES[index], index, size, proof, roots[size])


def test_every_consistency_proof_is_the_defined_one_and_verifies(
    made: Made, roots: list[bytes]
) -> None:
    """45,451 pairs of (old, new), with an empty old tree among them."""
    for new in range(SIZE_MAX + 1):
        for old, proof in enumerate(made.consistency[new]):
            assert list(proof) == (proof_of(old, LEAVES[:new]) if old else [])
            verify_consistency(old, new, proof, roots[old], roots[new])


def test_every_proof_is_the_one_of_go(made: Made, tmp_path: Path) -> None:
    """The same hashes in the same order, which Go's checks have accepted."""
    referee = Referee.build(tmp_path)
    every = hashlib.sha256()
    for size in range(1, SIZE_MAX + 1):
        for proof in (*made.inclusion[size], *made.consistency[size][1:]):
            every.update(b"".join(proof))
    assert referee.ask([("proofs", SIZE_MAX)]) == [every.hexdigest()]


def test_no_inclusion_proof_shows_another_leaf_or_place(made: Made, roots: list[bytes]) -> None:
    """At every size up to 30, each proof fails for every other index and for every other size."""
    for size in range(1, 31):
        for index, proof in enumerate(made.inclusion[size]):
            for at, of in [(i, size) for i in range(size)] + [(index, s) for s in range(1, 31)]:
                if (at, of) != (index, size):
                    with pytest.raises(ProofError):
                        verify_inclusion(LEAVES[index], at, of, proof, roots[of])


def test_no_consistency_proof_shows_another_pair_of_trees(made: Made, roots: list[bytes]) -> None:
    """At every size up to 18, each proof fails for every other pair of sizes that needs hashes."""
    pairs = [(old, new) for new in range(2, 19) for old in range(1, new)]
    for old, new in pairs:
        proof = made.consistency[new][old]
        for other_old, other_new in pairs:
            if (other_old, other_new) != (old, new):
                with pytest.raises(ProofError):
                    verify_consistency(
                        other_old, other_new, proof, roots[other_old], roots[other_new]
                    )
