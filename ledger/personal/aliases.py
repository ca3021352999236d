"""The callers' own ids and the random handles that stand for them everywhere else.

The look-up is a keyed HMAC of kind and id; the id itself is encrypted under its subject's key, so
erasing the subject destroys the mapping in both directions.
"""

import hmac
import os
from collections.abc import Collection, Sequence
from typing import Final, Literal, NamedTuple

from cryptography.exceptions import InvalidTag
from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.errors import LedgerError, SealedValueError, VaultError
from ledger.personal.keyring import KeyRing
from ledger.personal.subject_keys import NONCE_BYTES, SubjectKeys, in_schema

Kind = Literal["candidate", "person", "loop"]

_FIND: Final = "select lookup, handle from {}.aliases where lookup = any(%b)"
_EXISTING: Final = "select handle from {}.aliases where handle = any(%s)"
_INSERT: Final = (
    "insert into {}.aliases (lookup, kind, handle, subject, sealed) "
    "select * from unnest(%b::bytea[], %s::text[], %s::text[], %s::text[], %b::bytea[]) "
    "on conflict do nothing returning handle"
)
_COLUMNS: Final = "select a.handle, a.kind, a.lookup, a.sealed, a.subject, k.ring, k.wrapped "
_NAMES: Final = (
    f"{_COLUMNS} from {{}}.aliases a join {{}}.subject_keys k on k.subject = a.subject "
    "where a.handle = any(%s)"
)
_SAMPLE: Final = (
    f"{_COLUMNS} from {{}}.aliases a join {{}}.subject_keys k on k.subject = a.subject limit 1"
)


class AliasTaken(LedgerError):
    """The caller's id of this kind, or the handle, already stands for something."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(
            f"This id is already in use for another {kind}. Read what it stands for, or send an id "
            "of its own."
        )
        self.kind: Kind = kind


class Alias(NamedTuple):
    """One new mapping."""

    kind: Kind
    external_id: str
    handle: str
    subject: str
    """Whose erasure destroys the mapping: a handle, or `organisation`."""


class Aliases:
    """The table `aliases` of one ledger."""

    __slots__ = ("_existing", "_find", "_insert", "_keyring", "_keys", "_names", "_sample")

    def __init__(self, keyring: KeyRing, schema: str) -> None:
        self._keyring = keyring
        self._keys = SubjectKeys(keyring, schema)
        self._find = in_schema(_FIND, schema)
        self._existing = in_schema(_EXISTING, schema)
        self._insert = in_schema(_INSERT, schema)
        self._names = in_schema(_NAMES, schema)
        self._sample = in_schema(_SAMPLE, schema)

    def find(self, cur: Cursor[TupleRow], kind: Kind, external_id: str) -> str | None:
        """The handle of the caller's id, or None when it is unknown or erased."""
        return self.find_many(cur, [(kind, external_id)]).get((kind, external_id))

    def find_many(
        self, cur: Cursor[TupleRow], ids: Collection[tuple[Kind, str]]
    ) -> dict[tuple[Kind, str], str]:
        """The handles of those (kind, id) that are known, in one round trip."""
        asked: dict[bytes, tuple[Kind, str]] = {
            self._lookup(kind, external_id): (kind, external_id) for kind, external_id in ids
        }
        if not asked:
            return {}
        cur.execute(self._find, (list(asked),))
        return {asked[lookup]: handle for lookup, handle in cur.fetchall()}

    def existing(self, cur: Cursor[TupleRow], handles: Collection[str]) -> set[str]:
        """Those of the handles that stand for something, in one round trip."""
        if not handles:
            return set()
        cur.execute(self._existing, (list(handles),))
        return {handle for (handle,) in cur.fetchall()}

    def add(
        self, cur: Cursor[TupleRow], kind: Kind, external_id: str, handle: str, subject: str
    ) -> None:
        """Maps the caller's id to a new handle; `AliasTaken` when either is already mapped."""
        self.add_many(cur, [Alias(kind, external_id, handle, subject)])

    def add_many(self, cur: Cursor[TupleRow], aliases: Sequence[Alias]) -> None:
        """Adds them all in two round trips, or raises `AliasTaken`: then roll the others back."""
        if not aliases:
            return
        ciphers = self._keys.obtain(cur, {(alias.subject, "subject") for alias in aliases})
        closed: list[bytes] = []
        for kind, external_id, handle, subject in aliases:
            nonce = os.urandom(NONCE_BYTES)
            plain, bound = external_id.encode(), _associated(kind, handle)
            closed.append(nonce + ciphers[subject].encrypt(nonce, plain, bound))
        lookups = [self._lookup(alias.kind, alias.external_id) for alias in aliases]
        kinds, _, handles, subjects = map(list, zip(*aliases, strict=True))
        cur.execute(self._insert, (lookups, kinds, handles, subjects, closed))
        added = {handle for (handle,) in cur.fetchall()}
        if len(added) != len(aliases):
            taken = [alias for alias in aliases if alias.handle not in added]
            raise AliasTaken((taken or aliases)[0].kind)

    def names(self, cur: Cursor[TupleRow], handles: Collection[str]) -> dict[str, str | None]:
        """The callers' ids behind the handles, None where unknown or erased, in one round trip.

        Raises `SealedValueError` or `SubjectKeyError` when a row is not what was stored.
        """
        names: dict[str, str | None] = dict.fromkeys(handles)
        if names:
            cur.execute(self._names, (list(names),))
            names.update((row[0], self._open(row)) for row in cur.fetchall())
        return names

    def check_keys(self, cur: Cursor[TupleRow]) -> None:
        """Raises `VaultError` when the key ring's HMAC key is not this ledger's; for the start."""
        cur.execute(self._sample)
        for row in cur.fetchall():
            if not hmac.compare_digest(self._lookup(row[1], self._open(row)), row[2]):
                raise VaultError(
                    "The keyed HMAC of a stored id differs: the `hmac` key in use is not the one "
                    "this ledger was recorded with, and every known id would look new. Start with "
                    "that key file."
                )

    def _lookup(self, kind: Kind, external_id: str) -> bytes:
        return self._keyring.mac("alias", kind.encode(), external_id.encode())

    def _open(self, row: TupleRow) -> str:
        handle, kind, _, closed, subject, ring, wrapped = row
        cipher = self._keys.cipher(subject, ring, wrapped)
        nonce, ciphertext = closed[:NONCE_BYTES], closed[NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, ciphertext, _associated(kind, handle)).decode()
        except (InvalidTag, ValueError):
            raise SealedValueError(
                f"The id behind handle {handle} does not open: its row, or its subject's key, was "
                "changed after it was stored. Restore the row from a backup."
            ) from None


def _associated(kind: str, handle: str) -> bytes:
    """Binds the ciphertext to its row; no digest of a disclosure looks like it."""
    return f"alias:{kind}:{handle}".encode()
