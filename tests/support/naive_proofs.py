"""RFC 6962 proofs straight from the definitions in 2.1, 2.1.1 and 2.1.2: recursive and obvious.

What they are held against (ledger/proof/proofs.py) counts nodes by height; this one cuts the list
of leaves in two. Nothing is shared but SHA-256.
"""

import hashlib
from collections.abc import Callable
from functools import cache, lru_cache

Leaves = tuple[bytes, ...]
"""Leaf hashes, in order."""

Root = Callable[[int, int], bytes]
"""The hash over the leaves from the first number on, up to and without the second."""


def root_of(leaves: Leaves) -> bytes:
    """MTH(D[n]), given the hashes of D."""
    return _root(leaves)(0, len(leaves))


def path_of(m: int, leaves: Leaves) -> list[bytes]:
    """PATH(m, D[n]): the audit path of leaf m."""
    return _path(_root(leaves), m, 0, len(leaves))


def proof_of(m: int, leaves: Leaves) -> list[bytes]:
    """PROOF(m, D[n]): that the first m leaves begin D, for 0 < m <= n."""
    return _subproof(_root(leaves), m, 0, len(leaves), whole=True)


@lru_cache(maxsize=32)
def _root(leaves: Leaves) -> Root:
    @cache
    def root(start: int, end: int) -> bytes:
        if start == end:
            return hashlib.sha256(b"").digest()
        if end - start == 1:
            return leaves[start]
        k = _cut(start, end)
        return hashlib.sha256(b"\x01" + root(start, k) + root(k, end)).digest()

    return root


def _path(root: Root, m: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    k = _cut(start, end)
    if m < k:
        return [*_path(root, m, start, k), root(k, end)]
    return [*_path(root, m, k, end), root(start, k)]


def _subproof(root: Root, m: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    if m == end:
        return [] if whole else [root(start, end)]
    k = _cut(start, end)
    if m <= k:
        return [*_subproof(root, m, start, k, whole=whole), root(k, end)]
    return [*_subproof(root, m, k, end, whole=False), root(start, k)]


def _cut(start: int, end: int) -> int:
    """Behind as many leaves as the largest power of two that is smaller than their number."""
    k = 1
    while 2 * k < end - start:
        k *= 2
    return start + k
