"""Disclosures: the personal values behind the salted digests of a leaf, and where they stand.

A disclosure is RFC 9901's (SD-JWT), with a JSON Pointer in the claim name's place: FORMATS,
"Disclosures". Whoever is given the disclosure can check it against the leaf; nobody else learns
anything from the digest, because the salt has 128 bits.
"""

import base64
import hashlib
from typing import Final, NamedTuple, cast

import msgspec

from ledger.errors import LedgerError

DISCLOSURE_CHARACTERS_MAX: Final = 1_000_000


class DisclosureError(LedgerError):
    """A text is no disclosure: not base64url of a JSON array [salt, pointer, value]."""


class Disclosed(NamedTuple):
    """A disclosure taken apart."""

    salt: str
    pointer: str
    value: str


class Place(NamedTuple):
    """A digest and where it stands in its leaf (RFC 6901)."""

    pointer: str
    digest: str


def make_disclosure(salt: bytes, pointer: str, value: str) -> str:
    """base64url, without padding, of the JSON array [salt, pointer, value]."""
    return _base64url(_encode((_base64url(salt), pointer, value)))


def digest_of(disclosure: str) -> str:
    """base64url, without padding, of SHA-256 over the disclosure's ASCII: 43 characters."""
    if not disclosure.isascii():
        raise DisclosureError("A disclosure has characters beyond ASCII, which base64url has not.")
    return _base64url(hashlib.sha256(disclosure.encode("ascii")).digest())


def read_disclosure(disclosure: str) -> Disclosed:
    """What a disclosure says; `DisclosureError` where it is no base64url of three JSON texts."""
    if len(disclosure) > DISCLOSURE_CHARACTERS_MAX:
        raise DisclosureError(
            f"A disclosure has more than {DISCLOSURE_CHARACTERS_MAX} characters; none of ours does."
        )
    try:
        plain = base64.b64decode(disclosure + "=" * (-len(disclosure) % 4), b"-_", validate=True)
        salt, pointer, value = _DISCLOSED.decode(plain)
        exact = _base64url(plain) == disclosure
    except (ValueError, msgspec.MsgspecError):
        exact, salt, pointer, value = False, "", "", ""
    if not exact:
        raise DisclosureError(
            "A disclosure is not the base64url, without padding, of a JSON array of three texts: "
            "salt, JSON Pointer and value. Take it from the ledger again, unchanged."
        )
    return Disclosed(salt, pointer, value)


_DISCLOSED: Final = msgspec.json.Decoder(tuple[str, str, str])
_encode: Final = msgspec.json.Encoder().encode


def places(leaf: bytes) -> list[Place]:
    """Every digest of a stored fact with its pointer, in leaf order."""
    found: list[Place] = []
    _find(msgspec.json.decode(leaf), "", found)
    return found


def _find(value: object, pointer: str, found: list[Place]) -> None:
    """Adds the places in a JSON value; only objects and arrays can hold one."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        digest = members.get("_sd")
        if len(members) == 1 and isinstance(digest, str):
            found.append(Place(pointer, digest))
            return
        for name, inner in members.items():
            if isinstance(inner, _NESTED):
                escaped = name.replace("~", "~0").replace("/", "~1")
                _find(cast("object", inner), f"{pointer}/{escaped}", found)
    elif isinstance(value, list):
        for at, inner in enumerate(cast("list[object]", value)):
            if isinstance(inner, _NESTED):
                _find(cast("object", inner), f"{pointer}/{at}", found)


_NESTED: Final = (dict, list)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
