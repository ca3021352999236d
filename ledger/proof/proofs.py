"""RFC 6962 proofs: which nodes they are made of, making them from any store of nodes, and checking.

A *node* is a perfect subtree. A proof is a list of *parts*; a part is the nodes, largest first,
whose fold from the right is one hash of the proof. All parts but one have a single node: only what
lies at the right edge of the tree has more. So whoever keeps the hashes of perfect subtrees, in a
table or in tiles, makes any proof at any size from at most about twice log2(size) of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from ledger.errors import LedgerError
from ledger.proof.tree import EMPTY_ROOT, HASH_BYTES, node

SIZE_MAX: Final = 2**63 - 1
"""The largest number of leaves that any format here can name."""


class ProofError(LedgerError):
    """A proof does not show what it is given for, or is asked for where there is none."""


class Node(msgspec.Struct, frozen=True, order=True):
    """The perfect subtree over the leaves [index << height, (index + 1) << height)."""

    height: int
    index: int


Part = tuple[Node, ...]
"""Neighbouring nodes, largest first; their hash is folded from the right (one is its own hash)."""


def root_nodes(size: int) -> Part:
    """The nodes of which the root over `size` leaves is folded; none for an empty tree."""
    _require_size(size)
    return _perfect(0, size)


def inclusion_nodes(index: int, size: int) -> list[Part]:
    """The parts of the proof that leaf `index` (from 0) is in the tree of `size` leaves.

    In the order of RFC 6962 section 2.1.1: the leaf's sibling first, the root's child last.
    Raises `ProofError` when there is no such leaf.
    """
    _require_leaf(index, size)
    return [_within(sibling, size) for sibling in _siblings(Node(0, index), size)]


def consistency_nodes(old: int, new: int) -> list[Part]:
    """The parts of the proof that the tree of `old` leaves begins the tree of `new` leaves.

    In the order of RFC 6962 section 2.1.2; none when `old` is 0 or equal to `new`. Raises
    `ProofError` when `old` is larger.
    """
    _require_sizes(old, new)
    if old in (0, new):
        return []
    last = _last_perfect(old)
    parts = [_within(sibling, new) for sibling in _siblings(last, new)]
    # A single perfect subtree is the whole old tree: its hash is the old root, which is known.
    return parts if last.index == 0 else [(last,), *parts]


def assemble(parts: Sequence[Part], hashes: Mapping[Node, bytes]) -> tuple[bytes, ...]:
    """The proof itself, 32 bytes a part, from the hashes of its nodes; so also a root, of one part.

    Raises `ProofError` naming the first node that `hashes` lacks.
    """
    return tuple(_fold(part, hashes) for part in parts)


def verify_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raises `ProofError` unless `leaf_hash` is at `index` (from 0) of the tree with this `root`.

    `size` is the number of leaves; all hashes have 32 bytes.
    """
    _require_leaf(index, size)
    _require_hashes(leaf_hash, root, *proof)
    siblings = list(_siblings(Node(0, index), size))
    _require_length(proof, len(siblings))
    digest = leaf_hash
    for sibling, given in zip(siblings, proof, strict=True):
        digest = node(given, digest) if _is_left(sibling) else node(digest, given)
    if digest != root:
        raise ProofError(
            f"The proof leads from leaf {index} to another root than the one of {size} leaves: the "
            "leaf, its place, the proof or the root is not the one that was published."
        )


def verify_consistency(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Raises `ProofError` unless the tree of `new` leaves begins with the tree of `old` leaves.

    All hashes have 32 bytes. Size 0 has one root, and every tree begins with it.
    """
    _require_sizes(old, new)
    _require_hashes(old_root, new_root, *proof)
    for size, root in ((old, old_root), (new, new_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise ProofError("A root over no leaves is not the hash of nothing.")
    if old in (0, new):
        _require_length(proof, 0)
        if old == new and old_root != new_root:
            raise ProofError(f"There are two roots over the same {old} leaves: the log has forked.")
        return
    _climb_both(old, new, proof, old_root, new_root)


def _climb_both(
    old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """RFC 9162 section 2.1.4.2, from the last perfect subtree of the old tree upwards."""
    last = _last_perfect(old)
    siblings = list(_siblings(last, new))
    given = list(proof) if last.index else [old_root, *proof]
    _require_length(proof, len(siblings) + (len(given) == len(proof)))
    in_old = in_new = given[0]
    for sibling, digest in zip(siblings, given[1:], strict=True):
        if _is_left(sibling):  # what stands left of the old tree's end is in both trees
            in_old, in_new = node(digest, in_old), node(digest, in_new)
        else:
            in_new = node(in_new, digest)
    for what, size, found, root in (("old", old, in_old, old_root), ("new", new, in_new, new_root)):
        if found != root:
            raise ProofError(
                f"The proof leads to another root than the {what} one over {size} leaves: it does "
                f"not show that the tree of {new} leaves begins with that of {old}."
            )


def _siblings(at: Node, size: int) -> Iterator[Node]:
    """The siblings on the way from a node to the root, lowest first; the right edge cuts some."""
    height, index = at.height, at.index
    while 1 << height < size:
        sibling = Node(height, index ^ 1)
        if sibling.index << height < size:
            yield sibling
        height, index = height + 1, index >> 1


def _within(wanted: Node, size: int) -> Part:
    """A node as far as it lies within the tree, as perfect subtrees."""
    first = wanted.index << wanted.height
    return _perfect(first, min(size, first + (1 << wanted.height)))


def _perfect(first: int, end: int) -> Part:
    """The perfect subtrees over the leaves [first, end), largest first.

    `first` is a multiple of the smallest power of two that is not below `end - first`.
    """
    nodes: list[Node] = []
    while first < end:
        height = (end - first).bit_length() - 1
        nodes.append(Node(height, first >> height))
        first += 1 << height
    return tuple(nodes)


def _last_perfect(size: int) -> Node:
    """The smallest of the perfect subtrees of a tree, which ends where the tree ends."""
    height = (size & -size).bit_length() - 1
    return Node(height, (size >> height) - 1)


def _is_left(sibling: Node) -> bool:
    return sibling.index % 2 == 0


def _fold(part: Part, hashes: Mapping[Node, bytes]) -> bytes:
    if not part:
        return EMPTY_ROOT
    for one in part:
        if one not in hashes:
            raise ProofError(
                f"The hash of node {one.index} at height {one.height} is not there, so the proof "
                "cannot be made. Give the hash of every node of every part."
            )
    digest = hashes[part[-1]]
    for one in reversed(part[:-1]):
        digest = node(hashes[one], digest)
    return digest


def _require_size(size: int) -> None:
    if not 0 <= size <= SIZE_MAX:
        raise ProofError("A tree has from 0 to 2^63-1 leaves; the size that was named is not.")


def _require_sizes(old: int, new: int) -> None:
    _require_size(old)
    _require_size(new)
    if old > new:
        raise ProofError(f"A tree of {old} leaves cannot be the beginning of one of {new}.")


def _require_leaf(index: int, size: int) -> None:
    _require_size(size)
    if not 0 <= index < size:
        raise ProofError(
            f"A tree of {size} leaves has none at the index that was named; the first is 0."
        )


def _require_hashes(*hashes: bytes) -> None:
    for digest in hashes:
        if len(digest) != HASH_BYTES:
            raise ProofError(f"A hash of a tree has {HASH_BYTES} bytes, not {len(digest)}.")


def _require_length(proof: Sequence[bytes], expected: int) -> None:
    if len(proof) != expected:
        raise ProofError(f"A proof between these sizes has {expected} hashes, not {len(proof)}.")
