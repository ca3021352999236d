"""The small types that facts and commands are made of: handles, times, texts and digests."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct, json

LEAF_BYTES_MAX = 65_535
POSITION_MAX = 2**53 - 1

# Patterns end in `(?!\n)$`: a bare `$` would also match before a final line break.
Slug = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,63}(?!\n)$",
        description="An id in the caller's words that stands in leaves: it must not name a person.",
    ),
]
CandidateHandle = Annotated[str, Meta(pattern=r"^c_[a-z2-7]{26}(?!\n)$")]
PersonHandle = Annotated[str, Meta(pattern=r"^p_[a-z2-7]{26}(?!\n)$")]
LoopHandle = Annotated[str, Meta(pattern=r"^l_[a-z2-7]{26}(?!\n)$")]
SubjectHandle = Annotated[
    str,
    Meta(
        pattern=r"^[cl]_[a-z2-7]{26}(?!\n)$",
        description="A candidate, or an imported case, which stands for whom it is about.",
    ),
]
By = Annotated[
    str,
    Meta(
        pattern=r"^(p_[a-z2-7]{26}|system)(?!\n)$",
        description="Who did it: a person's handle, or `system`.",
    ),
]
Version = Annotated[int, Meta(ge=1, le=1_000_000)]
Position = Annotated[int, Meta(ge=1, le=POSITION_MAX, description="1-based place in the log.")]
Minutes = Annotated[int, Meta(ge=0, le=100_000)]
Rating = Annotated[int, Meta(ge=0, le=100)]
Time = Annotated[datetime, Meta(tz=True)]
Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?!\n)$")]
OrgText = Annotated[
    str,
    Meta(min_length=1, max_length=4000, description="The organisation's own words; in the leaf."),
]
ShortOrgText = Annotated[str, Meta(min_length=1, max_length=200)]
Personal = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=20_000,
        description="Words about a person: only a salted digest enters the log.",
    ),
]
Tag = Annotated[
    str,
    Meta(
        pattern=r"^[a-z-]{1,40}(:[A-Za-z0-9._-]{1,128})?(?!\n)$",
        description="A word by which facts are found: a kind, and a handle, slug or digest.",
    ),
]
ContentDigest = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}(?!\n)$", description="SHA-256, 64 lower-case hex digits.")
]

SYSTEM: Final = "system"
"""Who acts where no person is named: the ledger itself, or a service with the roles of its key."""

ORGANISATION: Final = "organisation"
"""Whose a personal value is that outlasts everyone it is about."""

SELF_IDENTIFICATION: Final = "self-identification:"
"""Before a handle: what is only ever counted of somebody, under keys of a ring of its own."""

_HANDLE = re.compile(r"[cpl]_[a-z2-7]{26}")
_WORD = re.compile(r"\w+")


class Digest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"sd": "_sd"}):
    """The salted digest of a personal value (RFC 9901): all that a leaf ever holds of it."""

    sd: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")]


class _Plaintext:
    """Holds a personal value where the encoder cannot follow; prints nothing of it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "<personal>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Plaintext) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


class Unsealed(Digest, frozen=True, kw_only=True):
    """A personal value on its way into a fact; encoding it raises, so it cannot reach a leaf."""

    plain: _Plaintext
    subject: str

    @property
    def text(self) -> str:
        """The words themselves; gone once the value is sealed."""
        return self.plain.text


def private(text: str, subject: str) -> Digest:
    """A personal value about `subject` (a handle, or `organisation`), still to be sealed."""
    return Unsealed(sd="", plain=_Plaintext(text), subject=subject)


def private_or_none(text: str | None, subject: str) -> Digest | None:
    """`private`, for optional values."""
    return None if text is None else private(text, subject)


def plain_text(digest: Digest | None) -> str | None:
    """The words of a value not yet sealed, or None: rules that read text judge it on arrival."""
    return digest.text if isinstance(digest, Unsealed) else None


def is_handle(text: str) -> bool:
    """Whether this is one of the ledger's own random handles rather than a caller's id."""
    return _HANDLE.fullmatch(text) is not None


def is_case(subject: str) -> bool:
    """Whether a `SubjectHandle` is that of an imported case."""
    return subject.startswith("l_")


def make_handle(kind: str, entropy: bytes) -> str:
    """`kind` is c, p or l; `entropy` is 16 random bytes."""
    return f"{kind}_{base64.b32encode(entropy).decode().rstrip('=').lower()}"


def count_words(text: str) -> int:
    """Number of words, so that a rule can replay after the text is erased."""
    return len(_WORD.findall(text))


def content_digest(*parts: Struct | Sequence[Struct]) -> str:
    """SHA-256 (hex) over the deterministic JSON of content that people approve."""
    return hashlib.sha256(json.encode(parts, order="deterministic")).hexdigest()
