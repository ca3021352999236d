"""A fact with one member changed or left out, for every member of its leaf.

Read from the types, as `arbitrary` is: a new field is walked without being named here.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import inspect

import story
from domain.codec import decode, encode
from domain.facts import AnyFact
from domain.values import Digest, is_handle

_NUMBER = re.compile(r"/[0-9]+(?=/|\Z)")


class Other(NamedTuple):
    """The fact with another value at a place (a JSON Pointer, `*` for every number)."""

    place: str
    fact: AnyFact


def others(fact: AnyFact) -> Iterator[Other]:
    """The fact with each member changed, and each that may be absent left out; digests stay.

    A person becomes another of the story, so that whoever tells the fact can know them.

    Raises `AssertionError` for a member to which no other value was found.
    """
    leaf = msgspec.json.decode(encode(fact))
    described = inspect.type_info(type(fact))
    found: dict[str, list[AnyFact]] = {}
    for pointer, changed in _changed(described, leaf, ""):
        readable = found.setdefault(pointer, [])
        try:
            other = decode(msgspec.json.encode(changed))
        except msgspec.ValidationError:
            continue
        if other != fact:
            readable.append(other)
    for pointer, several in found.items():
        assert several, f"no other value of {type(fact).__name__} at {pointer}"
        yield from (Other(_NUMBER.sub("/*", pointer), other) for other in several)


def _changed(kind: inspect.Type, value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    match kind:
        case inspect.Metadata(type=inner):
            yield from _changed(inner, value, pointer)
        case inspect.StructType(cls=cls) if issubclass(cls, Digest):
            pass
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from _changed_field(field, value, pointer)
        case inspect.UnionType(types=types):
            yield from _changed(_of_union(types, value), value, pointer)
        case inspect.VarTupleType(item_type=item):
            for number, each in enumerate(value):
                for where, other in _changed(item, each, f"{pointer}/{number}"):
                    yield where, [*value[:number], other, *value[number + 1 :]]
            if value:
                yield pointer, value[:-1]
                yield pointer, [*value, value[-1]]
        case inspect.DictType(value_type=inner):
            for name, each in value.items():
                for where, other in _changed(inner, each, f"{pointer}/{name}"):
                    yield where, {**value, name: other}
        case _:
            for other in _scalars(kind, value):
                yield pointer, other


def _changed_field(
    field: inspect.Field, value: dict[str, Any], pointer: str
) -> Iterator[tuple[str, Any]]:
    name = field.encode_name
    if name not in value:
        return
    where = f"{pointer}/{name}"
    for place, other in _changed(field.type, value[name], where):
        yield place, {**value, name: other}
    if not field.required:
        yield where, {key: each for key, each in value.items() if key != name}


def _of_union(types: tuple[inspect.Type, ...], value: Any) -> inspect.Type:
    """The member of a union that a JSON value is of; of several the first."""
    for one in types:
        bare = one.type if isinstance(one, inspect.Metadata) else one
        if isinstance(bare, inspect.NoneType):
            continue
        if len(types) == 2 or isinstance(value, _PYTHON.get(type(bare), ())):
            return one
    raise TypeError(f"say which of {types} a {type(value).__name__} is of")


_PYTHON: dict[type[inspect.Type], tuple[type, ...]] = {
    inspect.BoolType: (bool,),
    inspect.IntType: (int,),
    inspect.FloatType: (float,),
    inspect.StrType: (str,),
    inspect.VarTupleType: (list,),
}


def _scalars(kind: inspect.Type, value: Any) -> Iterator[Any]:
    """Other values, of which some may break a bound or a pattern."""
    match kind:
        case inspect.LiteralType(values=values):
            yield from (one for one in values if one != value)
        case inspect.BoolType():
            yield not value
        case inspect.IntType():
            yield from (value + 1, value - 1)
        case inspect.FloatType():
            yield value / 2
        case inspect.DateTimeType():
            time = datetime.fromisoformat(cast("str", value))
            yield (time + timedelta(days=1)).isoformat()
        case inspect.StrType() if is_handle(value) and value.startswith("p_"):
            yield from (one for one in (story.HM, story.CAY) if one != value)
        case inspect.StrType():
            yield from (f"{value[:-1]}{letter}" for letter in "xy2f3")
            yield f"Z{value[1:]}"  # where the last letter is not free, as in base64
        case _:
            raise TypeError(f"say another value of a {type(kind).__name__}")
