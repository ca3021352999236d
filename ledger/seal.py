"""The life of a decision, step 5: personal values become salted digests before any leaf."""

import os
import typing
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar, cast, get_args

import msgspec
from msgspec import Struct

from domain.values import ORGANISATION, SELF_IDENTIFICATION, Digest, Unsealed, is_handle
from ledger.errors import LedgerError
from ledger.personal.keyring import Ring
from ledger.proof.disclosure import digest_of, make_disclosure

SALT_BYTES: Final = 16
_SELF_IDENTIFICATION_FACT: Final = "self-identification-recorded."

F = TypeVar("F", bound=Struct)


class SealingError(LedgerError):
    """A personal value cannot become a disclosure; the message names its place, not its words."""


class Sealed(NamedTuple):
    """One personal value taken out of a fact: what the vault stores, and under whose key."""

    digest: str
    """43 characters of base64url: what now stands in the leaf."""
    subject: str
    """Whose value it is: a handle, `organisation`, or `self-identification:` and a handle."""
    ring: Ring
    """Which key-encryption key wraps the subject's key."""
    disclosure: str
    """base64url, without padding, of the JSON array [salt, pointer, value]: still in the clear."""


def seal(fact: F, random: Callable[[int], bytes] = os.urandom) -> tuple[F, list[Sealed]]:
    """The fact with a `Digest` in place of each `Unsealed`, and what was taken out, in leaf order.

    The pointer of a value is the place of its digest in the encoded leaf (RFC 6901). Demographic
    values go to the ring `self-identification`, everything else to the ring `subject`. `random`
    gives as many random bytes as it is asked for. Raises `SealingError` where a value is no text
    that UTF-8 can hold, or its subject is no handle.
    """
    tag = fact.__struct_config__.tag
    sealing = _Sealing(random, isinstance(tag, str) and tag.startswith(_SELF_IDENTIFICATION_FACT))
    return cast("F", sealing.walk(fact, "")), sealing.sealed


class _Sealing:
    """One walk over one fact."""

    __slots__ = ("_random", "_self_identification", "sealed")

    def __init__(self, random: Callable[[int], bytes], self_identification: bool) -> None:
        self._random = random
        self._self_identification = self_identification
        self.sealed: list[Sealed] = []

    def walk(self, value: object, pointer: str) -> object:
        """The value with everything in it sealed; the very same object where nothing was."""
        if isinstance(value, Digest):
            return self._close(value, pointer) if isinstance(value, Unsealed) else value
        if isinstance(value, Struct):
            return self._walk_struct(value, pointer)
        if isinstance(value, (tuple, list)):
            items = cast("tuple[object, ...] | list[object]", value)
            new = [self.walk(item, f"{pointer}/{index}") for index, item in enumerate(items)]
            same = all(a is b for a, b in zip(items, new, strict=True))
            return items if same else (tuple(new) if isinstance(items, tuple) else new)
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            renewed = {
                name: self.walk(member, f"{pointer}/{_escape(name)}")
                for name, member in members.items()
            }
            return members if all(renewed[name] is members[name] for name in members) else renewed
        return value

    def _walk_struct(self, struct: Struct, pointer: str) -> Struct:
        changes: dict[str, object] = {}
        for name, token in _places(type(struct)):
            old: object = getattr(struct, name)
            new = self.walk(old, pointer + token)
            if new is not old:
                changes[name] = new
        return msgspec.structs.replace(struct, **changes) if changes else struct

    def _close(self, value: Unsealed, pointer: str) -> Digest:
        subject, ring = self._owner(value.subject, pointer)
        salt = self._random(SALT_BYTES)
        try:
            disclosure = make_disclosure(salt, pointer, value.text)
        except UnicodeEncodeError:
            # Its message and its object would carry the words on: drop both.
            raise SealingError(
                f"The personal value at {pointer} holds half a surrogate pair, which UTF-8 cannot "
                "write. Send the text as valid Unicode."
            ) from None
        digest = digest_of(disclosure)
        self.sealed.append(Sealed(digest, subject, ring, disclosure))
        return Digest(sd=digest)

    def _owner(self, subject: str, pointer: str) -> tuple[str, Ring]:
        """Under which name and ring the value's key is kept; the name stands in the clear."""
        handle = subject.removeprefix(SELF_IDENTIFICATION)
        if handle != ORGANISATION and not is_handle(handle):
            raise SealingError(
                f"The subject of the personal value at {pointer} is neither a handle nor "
                f"`{ORGANISATION}`, and would stand unencrypted beside it. Find the handle first."
            )
        if self._self_identification or handle != subject:
            return SELF_IDENTIFICATION + handle, "self-identification"
        return subject, "subject"


@cache
def _places(struct: type[Struct]) -> tuple[tuple[str, str], ...]:
    """Fields of this struct that may hold a personal value: attribute, and step in the pointer."""
    if struct.__struct_config__.array_like:
        raise TypeError(f"{struct.__name__} is encoded as an array: its values have no pointer")
    return tuple(
        (field.name, "/" + _escape(field.encode_name))
        for field in msgspec.structs.fields(struct)
        if _may_hold(field.type, set())
    )


def _may_hold(kind: Any, seen: set[type]) -> bool:
    """Whether a value of this type may have a digest in it, at any depth; in doubt, it may."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        if issubclass(kind, Digest):
            return True
        if kind in seen:
            return False
        seen.add(kind)
        return _any_may_hold((field.type for field in msgspec.structs.fields(kind)), seen)
    if isinstance(kind, type) and not get_args(kind):
        return kind in {object, tuple, list, dict}
    if typing.get_origin(kind) is typing.Literal:
        return False
    parts = get_args(kind)
    return _any_may_hold(parts, seen) if parts else kind is Any


def _any_may_hold(kinds: Iterable[Any], seen: set[type]) -> bool:
    return any(_may_hold(kind, seen) for kind in kinds)


def _escape(name: str) -> str:
    """A member's name as a step of a JSON Pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
