"""RFC 6962 proofs straight from the definitions in 2.1, 2.1.1 and 2.1.2: slow, recursive, obvious.

What they are held against (ledger/proof/proofs.py) counts nodes by height; this one cuts lists.
Nothing is shared but SHA-256.
"""

import hashlib

Leaves = tuple[bytes, ...]
"""Leaf hashes, in order."""

_ROOTS: dict[Leaves, bytes] = {}


def root_of(leaves: Leaves) -> bytes:
    """MTH(D[n]), given the hashes of D; each is computed once."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    if leaves not in _ROOTS:
        left, right = _cut(leaves)
        _ROOTS[leaves] = hashlib.sha256(b"\x01" + root_of(left) + root_of(right)).digest()
    return _ROOTS[leaves]


def path_of(m: int, leaves: Leaves) -> list[bytes]:
    """PATH(m, D[n]): the audit path of leaf m."""
    if len(leaves) == 1:
        return []
    left, right = _cut(leaves)
    if m < len(left):
        return [*path_of(m, left), root_of(right)]
    return [*path_of(m - len(left), right), root_of(left)]


def proof_of(m: int, leaves: Leaves) -> list[bytes]:
    """PROOF(m, D[n]): that the first m leaves begin D, for 0 < m <= n."""
    return _subproof(m, leaves, whole=True)


def _subproof(m: int, leaves: Leaves, *, whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [root_of(leaves)]
    left, right = _cut(leaves)
    if m <= len(left):
        return [*_subproof(m, left, whole=whole), root_of(right)]
    return [*_subproof(m - len(left), right, whole=False), root_of(left)]


def _cut(leaves: Leaves) -> tuple[Leaves, Leaves]:
    """At the largest power of two that is smaller than the number of leaves."""
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return leaves[:k], leaves[k:]
