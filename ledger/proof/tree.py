"""RFC 6962 hashing: leaves, nodes, and the root over any number of them in constant memory.

A leaf is the exact stored bytes of a fact, hashed once. The root over a sequence is computed
while the sequence streams by: only the roots of the perfect subtrees on the right edge are kept,
at most one for each bit of the size.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf), 32 bytes (RFC 6962 section 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), 32 bytes, of two hashes of 32 bytes (RFC 6962 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class RightEdge:
    """A growing tree, of which only the right edge is kept: the perfect subtrees, largest first.

    `size` is the number of leaves; `peaks` holds one hash for each bit set in `size`, the highest
    bit first, and is all that is needed to go on from a stored edge.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count():
            raise ValueError(
                f"a tree of {size} leaves has {max(size, 0).bit_count()} subtrees on its right "
                f"edge, not {len(self.peaks)}: take size and edge from the same tree"
            )
        for peak in self.peaks:
            _require_hash(peak)

    def add(self, leaf_digest: bytes) -> list[bytes]:
        """Append one leaf, given its hash (32 bytes).

        Returns:
            The perfect subtrees that it completes, of height 1 and on, lowest first; none where
            the size is odd now.
        """
        _require_hash(leaf_digest)
        completed: list[bytes] = []
        size = self.size
        while size & 1:  # two perfect subtrees of the same height make one that is higher
            leaf_digest = node(self.peaks.pop(), leaf_digest)
            completed.append(leaf_digest)
            size >>= 1
        self.peaks.append(leaf_digest)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The hash over all leaves so far, 32 bytes; of none, SHA-256 of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        digest = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            digest = node(peak, digest)
        return digest


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The Merkle tree hash (RFC 6962 section 2.1) over leaf hashes in order, 32 bytes."""
    edge = RightEdge()
    for digest in leaf_hashes:
        edge.add(digest)
    return edge.root()


def basis_root(leaves: Iterable[bytes]) -> bytes:
    """The root over the stored bytes themselves, in position order (FORMATS, "Basis")."""
    return root(map(leaf_hash, leaves))


def _require_hash(digest: bytes) -> None:
    if len(digest) != HASH_BYTES:
        raise ValueError(f"a tree hash has {HASH_BYTES} bytes, not {len(digest)}")
