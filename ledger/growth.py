"""How the tree grows when facts are appended: the nodes that are new, and the head after them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.errors import LogDamaged
from ledger.proof.tree import HASH_BYTES, RightEdge


class Tip(NamedTuple):
    """The end of the log, and the tree up to there."""

    head: int
    """The last position; 0 when the log is empty."""
    recorded: datetime | None
    """When the last fact was recorded; None when the log is empty."""
    size: int
    """Of how many facts the tree is; fewer than `head` only before an old ledger's first start."""
    edge: bytes
    """The perfect subtrees on the tree's right edge, largest first: 32 bytes each."""


class Growth(NamedTuple):
    """Rows to insert into `tree_nodes`, and one into `tree_heads`."""

    positions: list[int]
    """Even positions that were appended, ascending."""
    hashes: list[bytes]
    """For each, the perfect subtrees of height 1 and on that end there: 32 bytes each."""
    size: int
    edge: bytes
    root: bytes


def grow(tip: Tip, leaf_hashes: Sequence[bytes]) -> Growth:
    """What appending these leaves (32 bytes each) makes of the tree."""
    growing = RightEdge(tip.size, cut(tip.edge))
    positions: list[int] = []
    hashes: list[bytes] = []
    for digest in leaf_hashes:
        completed = growing.add(digest)
        if completed:
            positions.append(growing.size)
            hashes.append(b"".join(completed))
    return Growth(positions, hashes, growing.size, b"".join(growing.peaks), growing.root())


def as_given(growth: Growth) -> dict[str, object]:
    """The parameters of the statements that insert it."""
    return {
        "ends": growth.positions,
        "nodes": growth.hashes,
        "size": growth.size,
        "edge": growth.edge,
        "root": growth.root,
    }


def cut(hashes: bytes) -> list[bytes]:
    """Hashes that are kept in one value, one by one."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def require_whole(tip: Tip) -> None:
    """Raises `LogDamaged` unless the tree is over all facts and no more."""
    if tip.size > tip.head:
        raise LogDamaged(
            f"The tree is over {tip.size} facts, but the log has only {tip.head}: facts were "
            "removed. Restore from a backup."
        )
    if tip.size < tip.head:
        raise LogDamaged(
            f"The log has {tip.head} facts, the tree over it only {tip.size}. Start hireledger: "
            "it completes the tree of a ledger from before there was one."
        )


def removed(first: int, last: int, there: int) -> str:
    """What to say where only so many of the positions are there."""
    return (
        f"Of the positions {first} to {last} only {there} are in the log: facts were removed. "
        "Restore from a backup."
    )
