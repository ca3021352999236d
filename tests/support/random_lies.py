"""Random lies of a ledger: one member of one fact is something else, and all is signed and proven.

`lie(seed)` gives the same file for the same seed, and where in which fact it lies.
"""

import copy
import functools
import json
import random
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, cast

from domain import facts as f
from domain.codec import type_of
from dossiers import as_file
from museum_of_lies import told
from told_log import ToldLog, small_log

Path = tuple[str | int, ...]
_OTHERS: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "x",
    [],
    {},
    ["l_" + "x" * 26],
)


class RandomLie(NamedTuple):
    """A dossier that lies: the type of the fact, the path of the member, the file."""

    type: str
    path: Path
    raw: bytes


def lie(seed: int) -> RandomLie:
    """One lie in one of the facts before the last."""
    chance = random.Random(seed)
    at = chance.randrange(len(small_log().entries) - 1)
    members = copy.deepcopy(_members()[at])
    path = _spoil(members, chance)

    def change(fact: f.AnyFact, log: ToldLog) -> f.AnyFact | bytes:
        return json.dumps(members).encode() if len(log.entries) == at else fact

    raw = as_file(told(change))
    return RandomLie(type_of(small_log().entries[at].fact), path, raw)


@functools.cache
def _members() -> list[dict[str, Any]]:
    return [json.loads(one.leaf) for one in small_log().entries]


def _paths(value: object, path: Path = ()) -> Iterator[Path]:
    if path:
        yield path
    if isinstance(value, dict):
        for name, inner in cast("dict[str, object]", value).items():
            yield from _paths(inner, (*path, name))
    elif isinstance(value, list):
        for at, inner in enumerate(cast("list[object]", value)):
            yield from _paths(inner, (*path, at))


def _spoil(members: dict[str, Any], chance: random.Random) -> Path:
    path = chance.choice(list(_paths(members)))
    holder: Any = members
    for step in path[:-1]:
        holder = holder[step]
    last, old = path[-1], holder[path[-1]]
    in_a_list = isinstance(last, int)
    match chance.randrange(4):
        case 0:
            del holder[last]
        case 1:
            holder[last] = chance.choice([other for other in _OTHERS if other != old])
        case 2 if in_a_list:
            holder[last:last] = [old]
        case _:
            holder[last] = _nearly(old, chance)
    return path


def _nearly(old: Any, chance: random.Random) -> Any:
    """Something else of the same kind."""
    if isinstance(old, str) and old:
        at = chance.randrange(len(old))
        other = chance.choice([x for x in "abz09-_:." if x != old[at]])
        return f"{old[:at]}{other}{old[at + 1 :]}"
    if isinstance(old, bool) or not isinstance(old, int | float):
        return [old]
    return old + chance.choice((-1, 1, 5, 100))
