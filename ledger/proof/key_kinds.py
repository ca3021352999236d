"""The kinds of keys that sign notes: their type byte, their sizes, and the arithmetic behind them.

Every private key is a seed of 32 bytes. A seed must be used for one kind only.
"""

import enum
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from ledger.errors import LedgerError

SEED_BYTES: Final = 32
PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey
PublicKey = Ed25519PublicKey | MLDSA44PublicKey


class UnsupportedKeyError(LedgerError):
    """The installed OpenSSL cannot do what a kind of key needs."""


class Kind(enum.IntEnum):
    """What a key signs, as the byte that stands before it (c2sp.org/signed-note)."""

    ED25519 = 0x01
    """The text of a note."""
    ED25519_COSIGNATURE = 0x04
    """A checkpoint, with the time: a witness."""
    MLDSA44_COSIGNATURE = 0x06
    """A checkpoint, with or without the time: a witness or the log itself."""

    @property
    def dated(self) -> bool:
        """Whether a signature begins with a time stamp."""
        return self is not Kind.ED25519

    @property
    def public_bytes(self) -> int:
        """The size of a public key."""
        return 1312 if self is Kind.MLDSA44_COSIGNATURE else 32


def private_key(kind: Kind, seed: bytes) -> PrivateKey:
    """The key that grows from a seed (32 bytes)."""
    if kind is not Kind.MLDSA44_COSIGNATURE:
        return Ed25519PrivateKey.from_private_bytes(seed)
    try:
        return MLDSA44PrivateKey.from_seed_bytes(seed)
    except UnsupportedAlgorithm:
        raise UnsupportedKeyError(_NO_MLDSA) from None


def public_key(kind: Kind, raw: bytes) -> PublicKey:
    """The key in its published form; `ValueError` when it is none."""
    if kind is not Kind.MLDSA44_COSIGNATURE:
        return Ed25519PublicKey.from_public_bytes(raw)
    try:
        return MLDSA44PublicKey.from_public_bytes(raw)
    except UnsupportedAlgorithm:
        raise UnsupportedKeyError(_NO_MLDSA) from None


def is_signed(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether the key's owner signed the message."""
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


_NO_MLDSA: Final = (
    "The OpenSSL that cryptography was built with has no ML-DSA-44 (it is there from 3.5 on). "
    "Install the locked requirements, or name an Ed25519 key in place of this one."
)
