"""Old shapes of facts and total functions to today's shape.

A stored fact is never rewritten. When a fact's shape changes it gets a new tag (`.v2`), its old
struct moves here, and `UPCASTS` names the function that turns the old JSON object into the new.
"""

from collections.abc import Callable

import msgspec

JsonObject = dict[str, object]

UPCASTS: dict[str, Callable[[JsonObject], JsonObject]] = {}


class _Tagged(msgspec.Struct):
    type: str


_tagged = msgspec.json.Decoder(_Tagged)


def upcast(leaf: bytes) -> bytes:
    """Today's JSON for a stored leaf: the same bytes unless its tag is an old one."""
    if not UPCASTS:
        return leaf
    tag = _tagged.decode(leaf).type
    while tag in UPCASTS:
        shape = UPCASTS[tag](msgspec.json.decode(leaf, type=dict[str, object]))
        leaf = msgspec.json.encode(shape)
        tag = _tagged.decode(leaf).type
    return leaf
