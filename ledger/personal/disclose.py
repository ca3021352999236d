"""The personal values of facts, for those who may see them."""

from collections.abc import Sequence
from typing import cast

import msgspec

from domain.codec import Recorded
from domain.values import Digest, is_handle
from ledger.group import Group
from ledger.personal.vault import Erased
from ledger.proof.disclosure import places


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
