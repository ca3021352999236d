"""What the text formats of the log share: decimal numbers, base64 and lines, one spelling each.

Every reader here accepts exactly what the writer beside it makes, so that two readers of the same
bytes never disagree. What is refused is a `WireError`; each format turns it into its own error.
"""

import base64
import re
from typing import Final

from ledger.proof.proofs import SIZE_MAX
from ledger.proof.tree import HASH_BYTES

DIGITS_MAX: Final = len(str(SIZE_MAX))
HASH_CHARACTERS: Final = 44
_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f]")
_HALF: Final = re.compile("[\ud800-\udfff]")


class WireError(ValueError):
    """A text is not written as the format wants it; the message says how it is."""


def read_decimal(text: str) -> int:
    """A number from 0 to 2^63-1 in ASCII digits, without sign or leading zero."""
    if not (text.isascii() and text.isdigit()) or len(text) > DIGITS_MAX:
        raise WireError("is no decimal number from 0 to 2^63-1")
    if text[0] == "0" and text != "0":
        raise WireError("has a leading zero")
    if (number := int(text)) > SIZE_MAX:
        raise WireError("is more than 2^63-1")
    return number


def base64_of(raw: bytes) -> str:
    """Base64 of the standard alphabet, with padding (RFC 4648 section 4)."""
    return base64.b64encode(raw).decode("ascii")


def read_base64(text: str) -> bytes:
    """The bytes behind base64 that is spelled as `base64_of` does: no other text gives them."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raise WireError("is no base64 of the standard alphabet with padding") from None
    if base64_of(raw) != text:
        raise WireError("is base64 in another spelling than the one that its bytes have")
    return raw


def read_hash(text: str) -> bytes:
    """The 32 bytes of a tree hash, from its 44 characters of base64."""
    if len(text) != HASH_CHARACTERS or len(raw := read_base64(text)) != HASH_BYTES:
        raise WireError(f"is not the base64 of {HASH_BYTES} bytes")
    return raw


def read_text(raw: bytes, bytes_max: int) -> str:
    """UTF-8 of at most so many bytes, without control characters but line feeds."""
    if len(raw) > bytes_max:
        raise WireError(f"has more than {bytes_max} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireError(f"is not UTF-8 at byte {error.start}") from None
    require_plain(text)
    return text


def require_plain(text: str) -> None:
    """Raises `WireError` for control characters but line feeds, and for what UTF-8 cannot write."""
    if found := _CONTROL.search(text):
        raise WireError(f"has the control character U+{ord(found[0]):04X}")
    if _HALF.search(text):
        raise WireError("has half a character, which UTF-8 cannot write")


def read_lines(text: str) -> list[str]:
    """The lines of a text, each of which ends in a line feed, the last one too."""
    if not text.endswith("\n"):
        raise WireError("does not end in a line feed")
    return text[:-1].split("\n")
