"""Seeded mutations of a dossier: what an accident, or somebody in a hurry, does to a file.

`mutated(raw, seed)` gives the same bytes for the same seed; `meaning(raw)` is what a dossier says.
"""

import json
import random
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

Mutation = Callable[[bytes, random.Random], bytes]
_LISTS: Final = (*["facts"] * 10, "disclosures", "policies")
_MEANT: Final = ("format", "loop", "decision", "facts")


def mutated(raw: bytes, seed: int) -> tuple[str, bytes]:
    """The mutation's name, and the file after it; sometimes two mutations, one after the other."""
    chance = random.Random(seed)
    names: list[str] = []
    changed = raw
    for _ in range(1 if chance.random() < 0.8 else 2):
        name, mutate = chance.choice(MUTATIONS)
        changed = mutate(changed, chance)
        names.append(name)
    if changed == raw:  # two equal lines were swapped, or the words are not there
        names.append("bit")
        changed = _bit(raw, chance)
    return "+".join(names), changed


class Meaning(NamedTuple):
    """What a dossier says: loop, decision, facts and the checkpoint's text; what it discloses."""

    said: object
    disclosed: frozenset[str]


def meaning(raw: bytes) -> Meaning | None:
    """What a file says, whatever its spelling; None where it is no JSON of a dossier's shape."""
    try:
        file = msgspec.json.decode(raw, type=dict[str, Any])
        text = file["checkpoint"].rpartition("\n\n")[0]
        said = [*(file[name] for name in _MEANT), text]
        return Meaning(said, frozenset(file["disclosures"]))
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None


# ---------------------------------------------------------------- bytes and lines


def _bit(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw)
    changed[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _byte(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]


def _insert(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    return raw[:at] + chance.choice((b" ", b"0", b"A", b"\n", b"\\u0041", b'"')) + raw[at:]


def _cut(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw))
    return raw[:at] + raw[at + chance.choice((1, 1, 2, 44, 500)) :]


def _truncate(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(len(raw))]


def _move_line(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    line = lines.pop(chance.randrange(len(lines)))
    lines.insert(chance.randrange(len(lines)), line)
    return b"\n".join(lines)


def _swap_lines(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _repeat_line(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    at = chance.randrange(len(lines))
    return b"\n".join((*lines[:at], lines[at], *lines[at:]))


def _drop_line(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    del lines[chance.randrange(len(lines))]
    return b"\n".join(lines)


def _digit(raw: bytes, chance: random.Random) -> bytes:
    digits = [at for at in _window(raw, chance) if 0x30 <= raw[at] <= 0x39]
    if not digits:
        return _byte(raw, chance)
    at = chance.choice(digits)
    return raw[:at] + b"%d" % chance.randrange(10) + raw[at + 1 :]


def _window(raw: bytes, chance: random.Random) -> range:
    start = chance.randrange(len(raw))
    return range(start, min(start + 400, len(raw)))


# ---------------------------------------------------------------- members and elements


def _restructured(change: Callable[[dict[str, Any], random.Random], None]) -> Mutation:
    """A mutation of the JSON value, written again."""

    def mutate(raw: bytes, chance: random.Random) -> bytes:
        try:
            file = msgspec.json.decode(raw, type=dict[str, Any])
            change(file, chance)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            return _byte(raw, chance)  # a first mutation has spoilt the shape already
        return msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n"

    return mutate


def _swap_fields(file: dict[str, Any], chance: random.Random) -> None:
    one, other = chance.sample(file["facts"], 2)
    name = chance.choice(("position", "leaf", "proof"))
    one[name], other[name] = other[name], one[name]


def _swap_hashes(file: dict[str, Any], chance: random.Random) -> None:
    one, other = chance.choice(file["facts"])["proof"], chance.choice(file["facts"])["proof"]
    here, there = chance.randrange(len(one)), chance.randrange(len(other))
    one[here], other[there] = other[there], one[here]


def _drop_member(file: dict[str, Any], chance: random.Random) -> None:
    holder = chance.choice((file, chance.choice(file["facts"])))
    del holder[chance.choice(sorted(holder))]


def _drop_element(file: dict[str, Any], chance: random.Random) -> None:
    elements = file[chance.choice(_LISTS)]
    del elements[chance.randrange(len(elements))]


def _repeat_element(file: dict[str, Any], chance: random.Random) -> None:
    elements = file[chance.choice(_LISTS)]
    elements.insert(chance.randrange(len(elements)), chance.choice(elements))


def _move_element(file: dict[str, Any], chance: random.Random) -> None:
    elements = file[chance.choice(_LISTS)]
    elements.insert(chance.randrange(len(elements)), elements.pop(chance.randrange(len(elements))))


def _other_number(file: dict[str, Any], chance: random.Random) -> None:
    holder, name = chance.choice(((file, "decision"), (chance.choice(file["facts"]), "position")))
    holder[name] += chance.choice((-2, -1, 1, 2, 1 << 31, 0.5))


def _other_words(file: dict[str, Any], chance: random.Random) -> None:
    holder = chance.choice(file["facts"])
    others = (("hire", "no_hire"), ("rating", "rated"), ("2026", "2025"), ("p_", "c_"))
    old, new = chance.choice(others)
    holder["leaf"] = holder["leaf"].replace(old, new)


def _other_checkpoint(file: dict[str, Any], chance: random.Random) -> None:
    lines = file["checkpoint"].split("\n")
    at = chance.randrange(len(lines))
    lines[at] = chance.choice((lines[at] + "A", lines[at][1:], "0" + lines[at], "", "7"))
    file["checkpoint"] = "\n".join(lines)


def _nest(file: dict[str, Any], chance: random.Random) -> None:
    name = chance.choice(sorted(file))
    file[name] = chance.choice(
        ([file[name]], {"_": file[name]}, None, True, json.dumps(file[name]))
    )


MUTATIONS: Final[tuple[tuple[str, Mutation], ...]] = (
    ("bit", _bit),
    ("byte", _byte),
    ("insert", _insert),
    ("cut", _cut),
    ("truncate", _truncate),
    ("move-line", _move_line),
    ("swap-lines", _swap_lines),
    ("repeat-line", _repeat_line),
    ("drop-line", _drop_line),
    ("digit", _digit),
    ("swap-fields", _restructured(_swap_fields)),
    ("swap-hashes", _restructured(_swap_hashes)),
    ("drop-member", _restructured(_drop_member)),
    ("drop-element", _restructured(_drop_element)),
    ("repeat-element", _restructured(_repeat_element)),
    ("move-element", _restructured(_move_element)),
    ("other-number", _restructured(_other_number)),
    ("other-words", _restructured(_other_words)),
    ("other-checkpoint", _restructured(_other_checkpoint)),
    ("nest", _restructured(_nest)),
)
