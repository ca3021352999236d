"""The personal values of facts, for those who may see them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

import msgspec

from domain.codec import Recorded
from domain.values import Digest, is_handle
from ledger.group import Group
from ledger.vault import Erased


class Place(NamedTuple):
    """A digest and where it stands in its leaf (RFC 6901)."""

    pointer: str
    digest: str


def places(leaf: bytes) -> list[Place]:
    """Every digest of a stored fact with its pointer, in leaf order."""
    return list(_find(msgspec.json.decode(leaf), ""))


def _find(value: object, pointer: str) -> Iterator[Place]:
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        digest = members.get("_sd")
        if len(members) == 1 and isinstance(digest, str):
            yield Place(pointer, digest)
            return
        for name, inner in members.items():
            escaped = name.replace("~", "~0").replace("/", "~1")
            yield from _find(inner, f"{pointer}/{escaped}")
    elif isinstance(value, list):
        for at, inner in enumerate(cast("list[object]", value)):
            yield from _find(inner, f"{pointer}/{at}")


def disclosed(leaves: Sequence[bytes], group: Group) -> list[dict[str, str | None]]:
    """For each leaf its values by pointer: the words, or None where they were erased.

    Self-identification is left out: only the counting code opens it.
    """
    found = [places(leaf) for leaf in leaves]
    digests = {place.digest for each in found for place in each}
    if not digests:
        return [{} for _ in leaves]
    counted = group.store.vault.closed(group.cur, digests)
    values = group.store.vault.open(group.cur, digests - counted)
    return [
        {
            place.pointer: None if isinstance(word := values[place.digest], Erased) else word
            for place in each
            if place.digest not in counted
        }
        for each in found
    ]


def words(digest: Digest | None, group: Group) -> str | None:
    """One value's words, or None where there is none or it was erased."""
    if digest is None:
        return None
    value = group.store.vault.open(group.cur, [digest.sd])[digest.sd]
    return None if isinstance(value, Erased) else value


def handles_in(facts: Sequence[Recorded]) -> set[str]:
    """Every handle that these facts mention, to be told by the callers' ids."""
    found: set[str] = set()
    for one in facts:
        _collect(msgspec.to_builtins(one.fact), found)
    return found


def _collect(value: object, found: set[str]) -> None:
    if isinstance(value, str):
        if is_handle(value):
            found.add(value)
    elif isinstance(value, dict):
        for inner in cast("dict[str, object]", value).values():
            _collect(inner, found)
    elif isinstance(value, list | tuple):
        for inner in cast("list[object]", value):
            _collect(inner, found)
