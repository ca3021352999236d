"""Facts as stored bytes, and back.

A fact is stored as deterministic JSON, encoded once; its leaf hash is over exactly those bytes, and
nothing is re-encoded to be checked.
"""

from typing import get_args

import msgspec
from msgspec import Struct

from domain.facts import AnyFact, Fact
from domain.history import upcast
from domain.values import LEAF_BYTES_MAX

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[AnyFact] = msgspec.json.Decoder(AnyFact)


class LeafTooLarge(ValueError):
    """A fact's bytes exceed what a tile's entry bundle can hold."""


class UnreadableLeaf(ValueError):
    """A fact breaks its own type: once stored, nobody could ever read it."""


class Recorded(Struct, frozen=True):
    """A fact at its place in the log (1-based)."""

    position: int
    fact: AnyFact


def encode(fact: AnyFact) -> bytes:
    """The fact's stored bytes; what cannot be read back is never written.

    Raises `LeafTooLarge`, `UnreadableLeaf` for a fact that its own type does not allow, and
    `TypeError` for an unsealed value.
    """
    leaf = _encoder.encode(fact)
    if len(leaf) > LEAF_BYTES_MAX:
        raise LeafTooLarge(f"the fact has {len(leaf)} bytes; a leaf holds at most {LEAF_BYTES_MAX}")
    try:
        _decoder.decode(leaf)
    except msgspec.ValidationError as error:
        where = str(error).rpartition(" - at ")[2].strip("`")
        raise UnreadableLeaf(f"a {type_of(fact)} breaks its own type at {where}") from None
    return leaf


def decode(leaf: bytes) -> AnyFact:
    """A fact from its stored bytes, old shapes brought to today's."""
    return _decoder.decode(upcast(leaf))


def type_of(fact: Fact | type[Fact]) -> str:
    """The fact's versioned type, such as `decision-made.v1`."""
    return str(fact.__struct_config__.tag)


def types_of(*kinds: type[Fact]) -> tuple[str, ...]:
    """The versioned types of several fact classes."""
    return tuple(type_of(k) for k in kinds)


ALL_FACTS: tuple[type[AnyFact], ...] = get_args(AnyFact)
FACT_BY_TYPE: dict[str, type[AnyFact]] = {type_of(k): k for k in ALL_FACTS}
