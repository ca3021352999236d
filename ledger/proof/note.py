"""Signed notes: a text, and the signatures of whoever vouches for it (c2sp.org/signed-note).

Where the specification is silent this follows Go's `golang.org/x/mod/sumdb/note`, and is stricter
where readers are known to differ: a key signs once, and base64 has one spelling. What `parse_note`
accepts, `format_note` writes again to the byte.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Self

from ledger.errors import LedgerError
from ledger.proof.cosignature import (
    Cosignature,
    CosignatureError,
    ed25519_message,
    join_cosignature,
    mldsa44_message,
    split_cosignature,
)
from ledger.proof.key_kinds import (
    SEED_BYTES,
    Kind,
    UnsupportedKeyError,
    is_signed,
    private_key,
    public_key,
)
from ledger.proof.wire import WireError, base64_of, read_base64, read_text, require_plain

NOTE_BYTES_MAX: Final = 1_000_000
SIGNATURES_MAX: Final = 100
KEY_ID_BYTES: Final = 4
_DASH: Final = "— "
_PRIVATE: Final = "PRIVATE+KEY+"


class NoteError(LedgerError):
    """A note or a key is not written as one, or a note is not signed as it must be."""


class Signature(NamedTuple):
    """One line under a note: whose it is, and the bytes behind the key's id."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A text, which ends in a line feed, and at least one signature, in the order of the lines."""

    text: str
    signatures: tuple[Signature, ...]


class Verifier:
    """A public key by its name: tells whether it signed a text."""

    __slots__ = ("_key", "key_id", "kind", "name", "public", "vkey")

    def __init__(self, name: str, kind: Kind, public: bytes) -> None:
        """`public` is the key in its published form: 32 bytes, for ML-DSA-44 1312."""
        _require_name(name)
        try:
            self._key = public_key(kind, public)
        except ValueError:
            raise NoteError(f"The public key of {name} has {len(public)} bytes.") from None
        except UnsupportedKeyError as error:
            raise NoteError(f"The key of {name} cannot be used. {error}") from None
        self.name, self.kind, self.public = name, kind, public
        self.key_id = key_id_of(name, kind, public)
        self.vkey = f"{name}+{self.key_id.hex()}+{base64_of(bytes((kind,)) + public)}"

    @classmethod
    def from_vkey(cls, text: str) -> Self:
        """The key in a verifier key's text, `<name>+<key id>+<base64 of type and key>`."""
        name, key_id, kind, public = _read_key(text, "verifier key")
        if len(public) != kind.public_bytes:
            raise NoteError(f"A verifier key of type {kind:#04x} has {kind.public_bytes} bytes.")
        verifier = cls(name, kind, public)
        if verifier.key_id.hex() != key_id:
            raise NoteError("A verifier key's id is not that of its name and key: one was changed.")
        return verifier

    def __repr__(self) -> str:
        return f"Verifier({self.name}+{self.key_id.hex()})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verifier) and self.vkey == other.vkey

    def __hash__(self) -> int:
        return hash(self.vkey)

    def verifies(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (without key id, with time stamp if any) is this key's, of `text`."""
        try:
            bare = split_cosignature(signature) if self.kind.dated else Cosignature(0, signature)
            message = _message(self.name, self.kind, text, bare.timestamp)
        except (CosignatureError, UnicodeEncodeError):
            return False
        return is_signed(self._key, bare.signature, message)

    def signed_at(self, signature: bytes) -> int | None:
        """The POSIX seconds at which the signature says it was made; None when it states no time.

        Only as true as the signature: ask `verifies` first.
        """
        try:
            return split_cosignature(signature).timestamp or None if self.kind.dated else None
        except CosignatureError as error:
            raise NoteError(f"A signature of {self.name} has no time. {error}") from None


class Signer:
    """A private key by its name: signs texts. Prints nothing of the key."""

    __slots__ = ("_key", "_seed", "verifier")

    def __init__(self, name: str, kind: Kind, seed: bytes) -> None:
        """`seed` is 32 random bytes, used for no other name and kind."""
        if len(seed) != SEED_BYTES:
            raise NoteError(f"A private key has a seed of {SEED_BYTES} bytes, not {len(seed)}.")
        try:
            self._key = private_key(kind, seed)
        except UnsupportedKeyError as error:
            raise NoteError(f"The key of {name} cannot be used. {error}") from None
        self._seed = seed
        self.verifier = Verifier(name, kind, self._key.public_key().public_bytes_raw())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The key in a text `PRIVATE+KEY+<name>+<key id>+<base64 of type and seed>`."""
        if not text.startswith(_PRIVATE):
            raise NoteError(f"A private key's text begins with {_PRIVATE}; this one does not.")
        name, key_id, kind, seed = _read_key(text.removeprefix(_PRIVATE), "private key")
        signer = cls(name, kind, seed)
        if signer.key_id.hex() != key_id:
            raise NoteError("A private key's id is not that of its name and key: one was changed.")
        return signer

    @classmethod
    def generate(cls, name: str, kind: Kind = Kind.ED25519) -> Self:
        """A new key from the system's random numbers."""
        return cls(name, kind, os.urandom(SEED_BYTES))

    def __repr__(self) -> str:
        return f"Signer({self.name}+{self.key_id.hex()})"

    @property
    def name(self) -> str:
        """The name that stands in the signature's line."""
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return self.verifier.key_id

    @property
    def kind(self) -> Kind:
        """What this key signs, and how."""
        return self.verifier.kind

    @property
    def vkey(self) -> str:
        """The public key as a text: what verifiers are given."""
        return self.verifier.vkey

    @property
    def private_text(self) -> str:
        """The private key as a text. Whoever has it signs as this key's owner."""
        seed = base64_of(bytes((self.kind,)) + self._seed)
        return f"{_PRIVATE}{self.name}+{self.key_id.hex()}+{seed}"

    def sign(self, text: str, timestamp: int = 0) -> bytes:
        """The signature of a note's text: the bytes behind the key id.

        A witness gives the POSIX seconds. A log that signs its own checkpoint with ML-DSA-44 leaves
        them at 0, which states no time; a plain Ed25519 key signs no time at all.
        """
        _require_text(text)
        if timestamp and self.kind is Kind.ED25519:
            raise NoteError(f"The key of {self.name} signs no time: it is no cosigner's.")
        if not timestamp and self.kind is Kind.ED25519_COSIGNATURE:
            raise NoteError(f"The key of {self.name} is a witness's, and signs only with the time.")
        try:
            signature = self._key.sign(_message(self.name, self.kind, text, timestamp))
            bare = Cosignature(timestamp, signature)
            return join_cosignature(bare) if self.kind.dated else signature
        except CosignatureError as error:
            raise NoteError(f"The key of {self.name} does not sign this. {error}") from None

    def signature(self, text: str, timestamp: int = 0) -> Signature:
        """The line for a note: `sign`, with name and key id."""
        return Signature(self.name, self.key_id, self.sign(text, timestamp))


def key_id_of(name: str, kind: Kind, public: bytes) -> bytes:
    """SHA-256(name || 0x0A || type || public key), the first 4 bytes."""
    return hashlib.sha256(b"%b\n%c%b" % (name.encode(), kind, public)).digest()[:KEY_ID_BYTES]


def format_note(text: str, signatures: Iterable[Signature]) -> bytes:
    """A note's bytes; `NoteError` for what no reader would accept."""
    given = tuple(signatures)
    lines = "".join(map(format_signature, given))
    try:
        raw = f"{text}\n{lines}".encode()
    except UnicodeEncodeError:
        raise NoteError("The text of a note has half a character, which UTF-8 lacks.") from None
    if parse_note(raw) != Note(text, given):
        raise NoteError(
            "What was given makes no note: a text ends in a line feed, a key id has 4 bytes."
        )
    return raw


def format_signature(signature: Signature) -> str:
    """The line of one signature, with its line feed."""
    _require_name(signature.name)
    return f"{_DASH}{signature.name} {base64_of(signature.key_id + signature.signature)}\n"


def parse_note(raw: bytes) -> Note:
    """Text and signatures, none of which is checked here. Raises `NoteError`.

    At most 1,000,000 bytes and 100 signatures; no two of one key.
    """
    try:
        whole = read_text(raw, NOTE_BYTES_MAX)
    except WireError as error:
        raise NoteError(f"A note {error}.") from None
    text, empty_line, lines = whole.rpartition("\n\n")
    if not (empty_line and lines.endswith("\n")):
        raise NoteError(
            "A note has a text, an empty line, and lines of signatures, each ending in a line feed."
        )
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Lines of signatures as they stand under a note, or alone in a witness's answer."""
    if not lines.endswith("\n") or (count := lines.count("\n")) > SIGNATURES_MAX:
        raise NoteError(
            f"Signatures are 1 to {SIGNATURES_MAX} lines, each of which ends in a line feed."
        )
    signatures = tuple(map(_parse_signature, lines[:-1].split("\n")))
    if len({(one.name, one.key_id) for one in signatures}) < count:
        raise NoteError("Two signatures of a note are of the same key. Leave one of them out.")
    return signatures


def open_note(
    raw: bytes, verifiers: Iterable[Verifier], *, not_after: int | None = None
) -> tuple[Note, tuple[Signature, ...]]:
    """The note, and those of its signatures that were made with the given keys, all checked.

    Raises `NoteError` when the note is malformed; when a signature's name and id are those of two
    of the keys; when a signature of one of the keys is invalid, or states a later time than
    `not_after` (POSIX seconds); and when there is no signature of any of the keys.
    """
    note = parse_note(raw)
    known: dict[tuple[str, bytes], list[Verifier]] = {}
    for verifier in verifiers:
        known.setdefault((verifier.name, verifier.key_id), []).append(verifier)
    verified: list[Signature] = []
    for signature in note.signatures:
        match known.get((signature.name, signature.key_id), []):
            case []:
                continue  # whose it is, and whether it is valid, nobody here can tell
            case [by]:
                _require_signed(by, note.text, signature.signature, not_after)
                verified.append(signature)
            case _:
                raise NoteError(f"Two of the given keys are called {signature.name}, with one id.")
    if not verified:
        raise NoteError("The note is signed by none of the keys that were given.")
    return note, tuple(verified)


def _require_signed(by: Verifier, text: str, signature: bytes, not_after: int | None) -> None:
    if not by.verifies(text, signature):
        raise NoteError(f"The signature of {by.name} is invalid: it, or the text, was changed.")
    signed_at = by.signed_at(signature)
    if signed_at is not None and not_after is not None and signed_at > not_after:
        raise NoteError(f"The signature of {by.name} states a time in the future: {signed_at}.")


def _message(name: str, kind: Kind, text: str, timestamp: int) -> bytes:
    match kind:
        case Kind.ED25519:
            return text.encode()
        case Kind.ED25519_COSIGNATURE:
            return ed25519_message(text, timestamp)
        case Kind.MLDSA44_COSIGNATURE:
            return mldsa44_message(name, text, timestamp)


def _parse_signature(line: str) -> Signature:
    name, space, blob = line.removeprefix(_DASH).partition(" ")
    if not (line.startswith(_DASH) and space):
        raise NoteError("A line of a signature is not `— <name> <base64>`.")
    _require_name(name)
    try:
        raw = read_base64(blob)
    except WireError as error:
        raise NoteError(f"The signature of {name} {error}.") from None
    if len(raw) <= KEY_ID_BYTES:
        raise NoteError(f"The signature of {name} has no more than a key's id.")
    return Signature(name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def _read_key(text: str, what: str) -> tuple[str, str, Kind, bytes]:
    """Name, key id in hex, kind and key of either sort of key text; never echoes the text."""
    parts: Sequence[str] = text.split("+", 2)
    if len(parts) != 3:
        raise NoteError(f"A {what} is <name>+<8 hex digits>+<base64>; this text is not.")
    name, key_id, blob = parts
    _require_name(name)
    try:
        raw = read_base64(blob)
    except WireError as error:
        raise NoteError(f"The last part of a {what} {error}.") from None
    try:
        return name, key_id, Kind(raw[0]), raw[1:]
    except (ValueError, IndexError):
        raise NoteError(f"A {what} is of a type that is not known here (1, 4 and 6 are).") from None


def _require_name(name: str) -> None:
    try:
        require_plain(name)
    except WireError as error:
        raise NoteError(f"The name of a key {error}.") from None
    if not name or "+" in name or any(map(str.isspace, name)):
        raise NoteError("The name of a key is empty, or has a plus sign or a space in it.")


def _require_text(text: str) -> None:
    try:
        require_plain(text)
    except WireError as error:
        raise NoteError(f"The text of a note {error}.") from None
    if not text.endswith("\n"):
        raise NoteError("The text of a note does not end in a line feed.")
