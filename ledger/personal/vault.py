"""Personal values at rest: encrypted under their subject's key, found by digest, gone with the key.

Everything runs on the caller's cursor, so values commit together with the facts that name them.
Self-identification has doors of its own: what serves readers cannot open it by mistake.
"""

import os
from collections.abc import Collection, Sequence
from enum import Enum
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.values import SELF_IDENTIFICATION
from ledger._log_sql import lock_name
from ledger.errors import RingClosedError, SealedValueError
from ledger.personal.keyring import KeyRing, Ring
from ledger.personal.subject_keys import NONCE_BYTES, SubjectKeys, in_schema
from ledger.proof.disclosure import digest_of, read_disclosure
from ledger.seal import Sealed

_INSERT: Final = (
    "insert into {}.disclosures (digest, position, subject, sealed) "
    "select * from unnest(%s::text[], %s::bigint[], %s::text[], %b::bytea[])"
)
_SELECT: Final = (
    "select d.digest, d.subject, d.sealed, k.ring, k.wrapped from {}.disclosures d "
    "join {}.subject_keys k on k.subject = d.subject where d.digest = any(%s)"
)
_CLOSED: Final = (
    "select d.digest from {}.disclosures d join {}.subject_keys k on k.subject = d.subject "
    "where d.digest = any(%s) and k.ring = 'self-identification'"
)
_OWNERS: Final = (
    "select d.digest, d.subject from {}.disclosures d "
    "join {}.subject_keys k on k.subject = d.subject where d.digest = any(%s)"
)
_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended(%s, 0))"
_FORGET: Final = (
    "with aliases as (delete from {}.aliases where subject = any(%(subjects)s)), "
    "keys as (delete from {}.subject_keys where subject = any(%(subjects)s)), "
    "gone as (delete from {}.disclosures where subject = any(%(subjects)s) returning 1) "
    "select count(*) from gone"
)


class Erased(Enum):
    """What is left of a value whose subject was erased: that it was, and nothing else."""

    ERASED = "erased"


ERASED: Final[Literal[Erased.ERASED]] = Erased.ERASED


class Vault:
    """The table `disclosures` of one ledger, opened with the keys of its key ring."""

    __slots__ = ("_closed", "_forget", "_insert", "_keys", "_lock", "_owners", "_select")

    def __init__(self, keyring: KeyRing, schema: str) -> None:
        self._keys = SubjectKeys(keyring, schema)
        self._lock = lock_name(schema)
        self._insert = in_schema(_INSERT, schema)
        self._select = in_schema(_SELECT, schema)
        self._closed = in_schema(_CLOSED, schema)
        self._owners = in_schema(_OWNERS, schema)
        self._forget = in_schema(_FORGET, schema)

    def store(
        self, cur: Cursor[TupleRow], position_and_sealed: Sequence[tuple[int, Sealed]]
    ) -> None:
        """Encrypts and inserts the values of any number of facts: two or three round trips in all.

        The caller holds the log's lock, so that no erasure comes between key and value.
        """
        if not position_and_sealed:
            return
        ciphers = self._keys.obtain(cur, {(s.subject, s.ring) for _, s in position_and_sealed})
        digests: list[str] = []
        positions: list[int] = []
        subjects: list[str] = []
        closed: list[bytes] = []
        for position, (digest, subject, _, disclosure) in position_and_sealed:
            nonce = os.urandom(NONCE_BYTES)
            cipher = ciphers[subject]
            digests.append(digest)
            positions.append(position)
            subjects.append(subject)
            closed.append(nonce + cipher.encrypt(nonce, disclosure.encode(), digest.encode()))
        cur.execute(self._insert, (digests, positions, subjects, closed))

    def open(self, cur: Cursor[TupleRow], digests: Collection[str]) -> dict[str, str | Erased]:
        """Each digest's words, or `ERASED` where the value or its key is gone.

        Raises `RingClosedError` when one of them is self-identification (`closed` tells which),
        `SealedValueError` or `SubjectKeyError` when a row is not what was stored.
        """
        return _values(digests, self._read(cur, digests, "subject"))

    def open_counting(
        self, cur: Cursor[TupleRow], digests: Collection[str]
    ) -> dict[str, str | Erased]:
        """`open` for self-identification and nothing else: for the counting code only.

        The caller records that it opened them, and lets only suppressed aggregates out.
        """
        return _values(digests, self._read(cur, digests, "self-identification"))

    def closed(self, cur: Cursor[TupleRow], digests: Collection[str]) -> frozenset[str]:
        """Those of the digests that are self-identification, which `open` refuses."""
        cur.execute(self._closed, (list(digests),))
        return frozenset(digest for (digest,) in cur.fetchall())

    def owners(self, cur: Cursor[TupleRow], digests: Collection[str]) -> dict[str, str]:
        """Whose each value is, by its digest; those that were erased are left out.

        A subject is a handle, `organisation`, or `self-identification:` and a handle.
        """
        if not digests:
            return {}
        cur.execute(self._owners, (list(digests),))
        return dict(cur.fetchall())

    def disclosures(self, cur: Cursor[TupleRow], digests: Collection[str]) -> dict[str, str]:
        """The disclosures themselves, for a dossier, without erased ones; raises like `open`."""
        return self._read(cur, digests, "subject")

    def forget(self, cur: Cursor[TupleRow], subject: str) -> int:
        """Destroys the subject's keys, values and aliases, self-identification too.

        Returns the number of values destroyed. Takes the log's lock, which the transaction then
        holds. What the dead rows and old backups still have is ciphertext without a key, once the
        owner has vacuumed `subject_keys` after the commit.
        """
        cur.execute(_LOCK, (self._lock,))
        cur.execute(self._forget, {"subjects": [subject, SELF_IDENTIFICATION + subject]})
        return sum(count for (count,) in cur.fetchall())

    def check_keys(self, cur: Cursor[TupleRow]) -> None:
        """Raises `SubjectKeyError` when the key ring is not this ledger's; for the start."""
        self._keys.check(cur)

    def _read(self, cur: Cursor[TupleRow], digests: Collection[str], ring: Ring) -> dict[str, str]:
        """Decrypts what is there of the digests and refuses rows of any other ring."""
        disclosures: dict[str, str] = {}
        if not digests:
            return disclosures
        cur.execute(self._select, (list(digests),))
        for digest, subject, closed, row_ring, wrapped in cur.fetchall():
            if row_ring != ring:
                raise RingClosedError(
                    f"The value with digest {digest} is in ring `{row_ring}`, and this door opens "
                    f"ring `{ring}` only. Leave it out, or count it where counting is allowed."
                )
            cipher = self._keys.cipher(subject, ring, wrapped)
            disclosures[digest] = _decrypt(cipher, digest, closed)
        return disclosures


def _decrypt(cipher: AESGCM, digest: str, closed: bytes) -> str:
    """The disclosure that a row holds, proven to be the one whose digest stands in the leaf."""
    try:
        plain = cipher.decrypt(closed[:NONCE_BYTES], closed[NONCE_BYTES:], digest.encode())
        disclosure = plain.decode("ascii")
        genuine = digest_of(disclosure) == digest
    except (InvalidTag, ValueError):
        genuine, disclosure = False, ""
    if not genuine:
        raise SealedValueError(
            f"The value with digest {digest} does not open: its row, or its subject's key, was "
            "changed after it was stored. The leaf still proves which words stood there; restore "
            "the row from a backup."
        )
    return disclosure


def _values(digests: Collection[str], disclosures: dict[str, str]) -> dict[str, str | Erased]:
    return {
        digest: read_disclosure(disclosures[digest]).value if digest in disclosures else ERASED
        for digest in digests
    }
