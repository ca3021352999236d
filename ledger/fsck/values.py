"""Personal values: every digest in a leaf has its row, unless its subject was erased; no row has
another place; and each opens, under its subject's key, to what the digest was made of.

Values of self-identification are compared by their digest alone: what they say is never decoded.
"""

from collections import OrderedDict
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.facts import AnyFact
from domain.values import SELF_IDENTIFICATION
from ledger.fsck.facts import Seen
from ledger.fsck.owners import Owners
from ledger.fsck.pages import Page, ValueRow
from ledger.fsck.report import Findings
from ledger.personal.keyring import KeyRing, KeyUnwrapError, Ring
from ledger.personal.subject_keys import NONCE_BYTES
from ledger.proof.disclosure import Place, digest_of, places, read_disclosure

KEYS_REMEMBERED: Final = 10_000

_MARK: Final = b'"_sd"'
_RESTORE: Final = (
    "Restore the row of `disclosures` with this digest from a backup; the leaf proves which words "
    "stood there, but does not contain them."
)
_KEY: Final = "Restore the row of `subject_keys` of this subject from the backup of that table."
_REMOVE: Final = (
    "Delete the row, and `VACUUM FULL` its table: an erased person's words must not stay. See "
    "where it came from; a restored backup needs the erasures since it was made to be repeated."
)


class ValueCheck:
    """Looks at the values of one page of facts after the other."""

    def __init__(self, keyring: KeyRing, owners: Owners, findings: Findings) -> None:
        self._keyring = keyring
        self._owners = owners
        self._findings = findings
        self._ciphers: OrderedDict[tuple[bytes, str], AESGCM | None] = OrderedDict()

    def see(self, seen: Seen, page: Page) -> None:
        """The values of one fact; takes their rows from the page."""
        given = page.values.pop(seen.position, [])
        self._findings.rows["disclosures"] += len(given)
        rows = {row.digest: row for row in given}
        if seen.fact is None:
            return
        self._owners.opened(seen.fact)
        stand = places(seen.leaf) if _MARK in seen.leaf else []
        for place in stand:
            row = rows.pop(place.digest, None)
            if row is None:
                self._absent(seen.position, seen.fact, place)
            else:
                self._open(row, seen.fact, place)
        for digest in rows:
            self._stray(seen.position, digest)

    def end(self, page: Page) -> None:
        """The rows of this page that belong to no fact that is there."""
        for position, rows in page.values.items():
            self._findings.rows["disclosures"] += len(rows)
            for row in rows:
                self._stray(position, row.digest)

    def _absent(self, position: int, fact: AnyFact, place: Place) -> None:
        subject = self._owners.of(fact, place.pointer)
        if not self._owners.gone(subject, position):
            self._wrong(
                position,
                place.digest,
                f"The value at {place.pointer} is missing although {subject} was never erased.",
                _RESTORE,
            )

    def _open(self, row: ValueRow, fact: AnyFact, place: Place) -> None:
        """The row of a place: whose it is, that it opens, and that it is what stands there."""
        position, subject = row.position, self._owners.of(fact, place.pointer)
        if self._owners.gone(row.subject, position):
            said = f"The value at {place.pointer} is still there although its subject was erased."
            self._wrong(position, place.digest, said, _REMOVE)
        if row.subject != subject:
            said = f"The value at {place.pointer} stands under another subject than {subject}."
            self._wrong(position, place.digest, said, _RESTORE)
        elif (cipher := self._cipher(row)) is None:
            said = f"The value at {place.pointer} cannot be opened: the key of {subject} is not "
            said += "there, or was changed."
            self._wrong(position, place.digest, said, _KEY)
        elif not _genuine(row, cipher, place):
            said = f"The value at {place.pointer} does not open to what its digest was made of."
            self._wrong(position, place.digest, said, _RESTORE)

    def _cipher(self, row: ValueRow) -> AESGCM | None:
        """Of the subject's key as its row has it; None where there is none that works."""
        if row.wrapped is None or row.ring is None:
            return None
        known = (row.wrapped, row.ring)
        if known not in self._ciphers:
            self._ciphers[known] = cipher_of(self._keyring, row.subject, row.ring, row.wrapped)
            if len(self._ciphers) > KEYS_REMEMBERED:
                self._ciphers.popitem(last=False)
        return self._ciphers[known]

    def _stray(self, position: int, digest: str) -> None:
        self._wrong(
            position,
            digest,
            "A value is kept for this position, but no such digest stands in a leaf there.",
            "Set the row's position to the fact whose leaf has this digest, or remove the row.",
        )

    def _wrong(self, position: int, digest: str, said: str, cure: str) -> None:
        self._findings.add("values", said, cure, position=position, row=f"`disclosures` {digest}")


def ring_of(subject: str) -> Ring:
    """Which key-encryption key wraps the key of a subject."""
    return "self-identification" if subject.startswith(SELF_IDENTIFICATION) else "subject"


def cipher_of(keyring: KeyRing, subject: str, ring: str, wrapped: bytes) -> AESGCM | None:
    """The cipher of a row of `subject_keys`; None where a bit of the row was changed."""
    if ring != ring_of(subject):
        return None
    try:
        return AESGCM(keyring.unwrap(ring_of(subject), wrapped))
    except (KeyUnwrapError, ValueError):
        return None


def _genuine(row: ValueRow, cipher: AESGCM, place: Place) -> bool:
    nonce, closed = row.sealed[:NONCE_BYTES], row.sealed[NONCE_BYTES:]
    try:
        disclosure = cipher.decrypt(nonce, closed, row.digest.encode()).decode("ascii")
    except (InvalidTag, ValueError):
        return False
    if digest_of(disclosure) != place.digest:
        return False
    closed_to_us = row.subject.startswith(SELF_IDENTIFICATION)
    return closed_to_us or read_disclosure(disclosure).pointer == place.pointer
