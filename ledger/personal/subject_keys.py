"""One random key for each subject, wrapped: destroying its row erases all that is known of them."""

import os
from collections.abc import Collection, Mapping
from typing import Final, LiteralString

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Cursor, sql
from psycopg.rows import TupleRow

from ledger.errors import SubjectKeyError, VaultError
from ledger.personal.keyring import KEY_BYTES, KeyRing, KeyUnwrapError, Ring

NONCE_BYTES: Final = 12
"""Of AES-GCM: what is sealed under a subject's key begins with so many, random each time."""

_SELECT: Final = "select subject, ring, wrapped from {}.subject_keys where subject = any(%s)"
_INSERT: Final = (
    "insert into {}.subject_keys (subject, ring, wrapped) "
    "select * from unnest(%s::text[], %s::text[], %b::bytea[]) "
    "on conflict do nothing returning subject"
)
_SAMPLE: Final = "select subject, wrapped from {}.subject_keys where ring = %s limit 1"


class SubjectKeys:
    """The table `subject_keys` of one ledger.

    Unwrapped keys are kept nowhere: unwrapping takes about a microsecond, and reading the row each
    time means that an erasure by another process holds at once.
    """

    __slots__ = ("_insert", "_keyring", "_sample", "_select")

    def __init__(self, keyring: KeyRing, schema: str) -> None:
        self._keyring = keyring
        self._select = in_schema(_SELECT, schema)
        self._insert = in_schema(_INSERT, schema)
        self._sample = in_schema(_SAMPLE, schema)

    def obtain(
        self, cur: Cursor[TupleRow], owners: Collection[tuple[str, Ring]]
    ) -> dict[str, AESGCM]:
        """The cipher of each (subject, ring), with a new key where there is none yet.

        Needs READ COMMITTED. One round trip when all keys exist, two when some are new; a third
        when another transaction made the same key meanwhile, for whose end the insert waits.
        """
        rings = dict(owners)
        ciphers, proofs = self._read(cur, rings)
        # Sorted, so that two transactions with the same new subjects cannot wait for each other.
        missing = sorted(rings.keys() - ciphers.keys())
        if missing:
            self._follow(proofs)
            made = {subject: os.urandom(KEY_BYTES) for subject in missing}
            wrapped = [self._keyring.wrap(rings[subject], made[subject]) for subject in missing]
            cur.execute(self._insert, (missing, [rings[subject] for subject in missing], wrapped))
            ciphers |= {subject: AESGCM(made[subject]) for (subject,) in cur.fetchall()}
            if others := rings.keys() - ciphers.keys():
                ciphers |= self._read(cur, {subject: rings[subject] for subject in others})[0]
        if len(ciphers) != len(rings):
            raise SubjectKeyError(
                "The key of a subject was destroyed while a value was being stored under it. "
                "Nothing was stored: send the request again with the same key."
            )
        return ciphers

    def cipher(self, subject: str, ring: Ring, wrapped: bytes) -> AESGCM:
        """The cipher behind a wrapped key as its row has it."""
        try:
            return AESGCM(self._keyring.unwrap(ring, wrapped))
        except KeyUnwrapError as error:
            raise SubjectKeyError(f"The key of subject {subject} cannot be used. {error}") from None

    def check(self, cur: Cursor[TupleRow]) -> None:
        """Raises `SubjectKeyError` when this key ring never wrapped the stored keys."""
        for ring in RINGS:
            cur.execute(self._sample, (ring,))
            for subject, wrapped in cur.fetchall():
                self.cipher(subject, ring, wrapped)

    def _follow(self, proofs: Mapping[Ring, bytes]) -> None:
        """Uses the key-encryption keys of the latest rotation, which this process may not know."""
        for ring, proof in proofs.items():
            try:
                self._keyring.follow(ring, proof)
            except KeyUnwrapError as error:
                raise SubjectKeyError(
                    f"The key-encryption key of ring `{ring}` was rotated, and the new one is not "
                    f"here: restart with the new key. {error}"
                ) from None

    def _read(
        self, cur: Cursor[TupleRow], rings: Mapping[str, Ring]
    ) -> tuple[dict[str, AESGCM], dict[Ring, bytes]]:
        """The ciphers of those that have a key, and what rotations of their rings left."""
        current: dict[str, Ring] = {rotated(ring): ring for ring in rings.values()}
        cur.execute(self._select, ([*rings, *current],))
        ciphers: dict[str, AESGCM] = {}
        proofs: dict[Ring, bytes] = {}
        for subject, ring, wrapped in cur.fetchall():
            if subject in current:
                proofs[current[subject]] = wrapped
                continue
            if ring != rings[subject]:
                raise VaultError(
                    f"The key of subject {subject} is in another ring than its values. The row was "
                    "changed: restore it."
                )
            ciphers[subject] = self.cipher(subject, ring, wrapped)
        return ciphers, proofs


RINGS: Final[tuple[Ring, ...]] = ("subject", "self-identification")


def rotated(ring: Ring) -> str:
    """Under which name the latest rotation of a ring left a key that nobody uses.

    Whoever cannot unwrap it does not have the key-encryption key that new keys are wrapped with.
    """
    return f"rotated:{ring}"


def in_schema(statement: LiteralString, schema: str) -> bytes:
    """A statement of this room with the quoted schema in each `{}`."""
    return (
        sql.SQL(statement).format(*[sql.Identifier(schema)] * statement.count("{}")).as_bytes(None)
    )
