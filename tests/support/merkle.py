"""RFC 6962 section 2.1 word for word, slowly: what the product's tree is held against."""

import hashlib
from collections.abc import Sequence


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256 over 0x00 and the leaf."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The tree hash over leaf hashes."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(hashes[:split]) + root_of(hashes[split:])).digest()


def inclusion_of(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of a leaf, its sibling first."""
    if len(hashes) <= 1:
        return []
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if index < split:
        return [*inclusion_of(hashes[:split], index), root_of(hashes[split:])]
    return [*inclusion_of(hashes[split:], index - split), root_of(hashes[:split])]


def basis_root(leaves: Sequence[bytes]) -> bytes:
    """The tree hash over stored bytes."""
    return root_of([leaf_hash(leaf) for leaf in leaves])
