"""Proofs with something wrong: each is refused, and nothing else than `ProofError` comes of it."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.proof.proofs import (
    SIZE_MAX,
    Node,
    ProofError,
    assemble,
    consistency_nodes,
    inclusion_nodes,
    verify_consistency,
    verify_inclusion,
)
from ledger.proof.tree import EMPTY_ROOT, leaf_hash
from naive_proofs import path_of, proof_of, root_of

HOW = settings(max_examples=60, deadline=None, derandomize=True)
LEAVES = tuple(leaf_hash(b"%d" % number) for number in range(40))
ROOTS = [root_of(LEAVES[:size]) for size in range(len(LEAVES) + 1)]
OTHER = leaf_hash(b"other")
SIZES_APART = ((0, 1), (2, 7), (4, 8), (5, 8), (12, 13), (16, 17), (39, 40))


def flipped(digest: bytes, bit: int) -> bytes:
    """The hash with one bit changed."""
    return bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(digest))


def corrupted(proof: Sequence[bytes], *known: bytes) -> Iterator[list[bytes]]:
    """A proof in every way that it is commonly got wrong."""
    right = list(proof)
    for at in range(len(right)):
        yield [*right[:at], flipped(right[at], 0), *right[at + 1 :]]
        yield [*right[:at], flipped(right[at], 255), *right[at + 1 :]]
        yield [*right[:at], *right[at + 1 :]]
        yield [*right[:at], right[at][:-1], *right[at + 1 :]]
        yield [*right[:at], right[at] + b"\0", *right[at + 1 :]]
        yield [*right[:at], b"", *right[at + 1 :]]
        yield right[at:] + right[:at] if at else [*right, right[0]]
    for extra in (b"", EMPTY_ROOT, OTHER, *known):
        yield [extra, *right]
        yield [*right, extra]
        yield [*right, extra, extra]


def sizes_near(size: int) -> Iterator[int]:
    """Other sizes that a careless verifier confuses with this one."""
    yield from (-1, 0, size - 1, size + 1, size * 2, size // 2, size ^ 2, SIZE_MAX, SIZE_MAX + 1)
    yield from (2**63, 2**64 + size, -size, 10**5000)


def refuse_inclusion(
    digest: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """The proof shows nothing."""
    with pytest.raises(ProofError):
        verify_inclusion(digest, index, size, proof, root)


def refuse_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """The proof shows nothing."""
    with pytest.raises(ProofError):
        verify_consistency(old, new, proof, old_root, new_root)


@pytest.mark.parametrize(("index", "size"), SIZES_APART)
def test_an_inclusion_proof_with_anything_wrong_is_refused(index: int, size: int) -> None:
    """The leaf, its place, the size, any hash, their number and order, and the root all count."""
    leaf, root = LEAVES[index], ROOTS[size]
    proof = path_of(index, LEAVES[:size])
    verify_inclusion(leaf, index, size, proof, root)
    for wrong in corrupted(proof, leaf, root):
        if wrong != proof:
            refuse_inclusion(leaf, index, size, wrong, root)
    for wrong_hash in (flipped(leaf, 7), OTHER, b"", leaf + b"\0"):
        refuse_inclusion(wrong_hash, index, size, proof, root)
    for wrong_hash in (flipped(root, 7), OTHER, EMPTY_ROOT, b"", root[:-1]):
        refuse_inclusion(leaf, index, size, proof, wrong_hash)
    for other in sizes_near(index):
        if other != index:
            refuse_inclusion(leaf, other, size, proof, root)


@pytest.mark.parametrize(("index", "size"), SIZES_APART)
def test_an_inclusion_proof_holds_for_no_size_with_another_way_to_the_root(
    index: int, size: int
) -> None:
    """The root alone does not tell the size, so a proof says nothing but the way up to it."""
    proof = path_of(index, LEAVES[:size])
    for other in sizes_near(size):
        try:
            verify_inclusion(LEAVES[index], index, other, proof, ROOTS[size])
        except ProofError:
            continue
        assert len(inclusion_nodes(index, other)) == len(proof)


@pytest.mark.parametrize(("old", "new"), SIZES_APART[1:])
def test_a_consistency_proof_with_anything_wrong_is_refused(old: int, new: int) -> None:
    """Any hash, their number and order, and both roots count; swapped roots are no growth."""
    old_root, new_root = ROOTS[old], ROOTS[new]
    proof = proof_of(old, LEAVES[:new])
    verify_consistency(old, new, proof, old_root, new_root)
    for wrong in corrupted(proof, old_root, new_root):
        if wrong != proof:
            refuse_consistency(old, new, wrong, old_root, new_root)
    for wrong_root in (flipped(old_root, 7), OTHER, EMPTY_ROOT, new_root, b"", old_root[1:]):
        refuse_consistency(old, new, proof, wrong_root, new_root)
    for wrong_root in (flipped(new_root, 7), OTHER, EMPTY_ROOT, old_root, b"", new_root[1:]):
        refuse_consistency(old, new, proof, old_root, wrong_root)
    refuse_consistency(new, old, proof, new_root, old_root)
    for other in sizes_near(old):
        if other != old:
            refuse_consistency(other, new, proof, old_root, new_root)


def test_an_empty_tree_begins_every_tree_and_has_one_root() -> None:
    """Size 0 has a branch of its own: the empty proof, and the hash of nothing."""
    verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    for new in (1, 7, 40):
        verify_consistency(0, new, [], EMPTY_ROOT, ROOTS[new])
        refuse_consistency(0, new, [OTHER], EMPTY_ROOT, ROOTS[new])
        refuse_consistency(0, new, [], OTHER, ROOTS[new])
        refuse_consistency(0, new, [], ROOTS[new], ROOTS[new])
    refuse_consistency(0, 0, [], OTHER, OTHER)
    refuse_consistency(0, 0, [OTHER], EMPTY_ROOT, EMPTY_ROOT)
    refuse_consistency(0, 0, [], EMPTY_ROOT, OTHER)


def test_two_roots_of_one_size_are_a_fork() -> None:
    """The same size needs no proof, and takes none."""
    verify_consistency(7, 7, [], ROOTS[7], ROOTS[7])
    with pytest.raises(ProofError, match="forked"):
        verify_consistency(7, 7, [], ROOTS[7], OTHER)
    refuse_consistency(7, 7, [ROOTS[7]], ROOTS[7], ROOTS[7])


SIZES = st.integers(-2, 70) | st.integers(-(2**70), 2**70)
HASHES = st.lists(st.sampled_from([*LEAVES[:4], OTHER, b"", b"x" * 33]), max_size=8)


@HOW
@given(st.sampled_from([OTHER, b""]), SIZES, SIZES, HASHES, st.sampled_from([ROOTS[4], b"x"]))
def test_a_made_up_inclusion_proof_is_refused(
    digest: bytes, index: int, size: int, proof: list[bytes], root: bytes
) -> None:
    """Whatever the numbers and hashes: never shown, and never another exception."""
    refuse_inclusion(digest, index, size, proof, root)


@HOW
@given(SIZES, SIZES, HASHES, st.sampled_from([ROOTS[4], OTHER]), st.sampled_from([ROOTS[7], b"x"]))
def test_a_made_up_consistency_proof_is_refused(
    old: int, new: int, proof: list[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Whatever the numbers and hashes: never shown, and never another exception."""
    refuse_consistency(old, new, proof, old_root, new_root)


@pytest.mark.parametrize("wrong", [-1, SIZE_MAX + 1, 2**20_000], ids=["-1", "2^63", "2^20000"])
def test_there_is_no_proof_about_a_tree_that_cannot_be(wrong: int) -> None:
    """Sizes from 0 to 2^63-1, and a leaf that is there."""
    for make, first, second in (
        (inclusion_nodes, 0, wrong),
        (inclusion_nodes, wrong, 8),
        (consistency_nodes, wrong, 8),
        (consistency_nodes, 8, wrong),
    ):
        with pytest.raises(ProofError):
            make(first, second)


def test_no_tree_up_to_2_to_the_62_needs_more_than_63_hashes() -> None:
    """As many as the formats for proofs take."""
    assert len(inclusion_nodes(0, SIZE_MAX)) == len(inclusion_nodes(SIZE_MAX // 2, SIZE_MAX)) == 63
    for new in (2**61 + 1, 2**62 - 1, 2**62):
        for old in (1, 2**60 - 1, 2**60, 2**61 - 1, 2**61):
            assert len(consistency_nodes(old, new)) <= 63


def test_a_node_that_is_missing_is_named() -> None:
    """Whoever keeps the nodes learns which one is gone."""
    with pytest.raises(ProofError, match="node 1 at height 2"):
        assemble(inclusion_nodes(0, 8), {Node(0, 1): OTHER, Node(1, 1): OTHER})
