"""Callers' ids in a command, turned into the ledger's handles.

A field says what it names by its `Meta(extra=...)`: `refers` to someone or something known, or
`makes` one known that may be new; `or` says what else may stand for it. New handles are random;
their aliases are stored with the facts.
"""

import os
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import (
    Annotated,
    Any,
    Final,
    NamedTuple,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from msgspec import Meta, Struct, structs

from domain.refusals import Meaningless, Missing
from domain.values import is_handle, make_handle
from ledger.personal.aliases import Alias, Kind

C = TypeVar("C", bound=Struct)
_LETTER: dict[Kind, str] = {"candidate": "c", "person": "p", "loop": "l"}


AMBIGUOUS: Final = "this id is a candidate's and an imported case's too; give the handle"


class Named(NamedTuple):
    """One id in a command: where it stands, what kind of thing it names, whether it may be new."""

    pointer: str
    kind: Kind
    id: str
    makes: bool
    instead: Kind | None = None
    """What may stand for it: an imported case for the candidate whom it is about."""

    @property
    def keys(self) -> list[tuple[Kind, str]]:
        """What to look up, the likeliest first."""
        return [(kind, self.id) for kind in (self.kind, self.instead) if kind is not None]


class Names(NamedTuple):
    """What is known of the ids in a command: handles by (kind, id), and the handles that exist."""

    handles: dict[tuple[Kind, str], str]
    existing: frozenset[str]


def named_in(command: Struct) -> list[Named]:
    """Every id that the command names, in the order of its fields."""
    return list(_walk(command, ""))


def resolve(command: C, names: Names) -> tuple[C, list[Alias]]:
    """The command with handles for ids, and the aliases to store for those made known by it.

    Raises `Missing` for an unknown loop, `Meaningless` for an unknown person or candidate.
    """
    made: dict[tuple[Kind, str], str] = {}

    def handle(named: Named) -> str:
        found = [names.handles[key] for key in named.keys if key in names.handles]
        if len(found) > 1:
            raise Meaningless(AMBIGUOUS, pointer=named.pointer)
        if found:
            return found[0]
        if is_handle(named.id):
            if named.id in names.existing:
                return named.id
            if named.makes:
                raise Meaningless(
                    "an id of your own must not look like a handle", pointer=named.pointer
                )
        elif named.makes:
            key = (named.kind, named.id)
            return made.setdefault(key, make_handle(_LETTER[named.kind], os.urandom(16)))
        # What the path names is not found; what the body names makes the body mean nothing.
        if named.kind == "loop" or named.pointer == "/candidate":
            raise Missing(f"no such {named.kind}")
        raise Meaningless(f"no such {named.kind} is registered", pointer=named.pointer)

    resolved = cast("C", _replace(command, "", handle))
    return resolved, [
        Alias(kind, id_, new, _owner(kind, new, resolved)) for (kind, id_), new in made.items()
    ]


def _owner(kind: Kind, handle: str, command: Struct) -> str:
    """Whose erasure destroys the alias: a loop's id goes with its candidate."""
    if kind != "loop":
        return handle
    candidate = getattr(getattr(command, "candidate", None), "id", None)
    return candidate if isinstance(candidate, str) else handle


class _Field(NamedTuple):
    name: str
    encoded: str
    kind: Kind | None
    makes: bool
    instead: Kind | None


@cache
def _fields(struct: type[Struct]) -> tuple[_Field, ...]:
    """The struct's fields that name something themselves, or hold structs that may."""
    hints = get_type_hints(struct, include_extras=True)
    fields: list[_Field] = []
    for name, encoded in zip(
        struct.__struct_fields__, struct.__struct_encode_fields__, strict=True
    ):
        extra = _extra(hints[name])
        if extra is not None:
            makes = "makes" in extra
            kind = cast("Kind", extra["makes" if makes else "refers"])
            fields.append(_Field(name, encoded, kind, makes, cast("Kind | None", extra.get("or"))))
        elif any(_fields(inner) for inner in _structs(hints[name])):
            fields.append(_Field(name, encoded, None, False, None))
    return tuple(fields)


def _extra(hint: object) -> dict[str, Any] | None:
    """What an annotation says it names, looked for through unions, tuples and `Annotated`."""
    if get_origin(hint) is Annotated:
        for meta in get_args(hint)[1:]:
            extra: dict[str, Any] = (meta.extra or {}) if isinstance(meta, Meta) else {}
            if extra.keys() & {"refers", "makes"}:
                return extra
    for inner in get_args(hint):
        found = _extra(inner) if not isinstance(inner, Meta) else None
        if found is not None:
            return found
    return None


def _structs(hint: object) -> Iterator[type[Struct]]:
    if isinstance(hint, type) and issubclass(hint, Struct):
        yield hint
    elif get_origin(hint) in (Annotated, Union, types.UnionType, tuple):
        for inner in get_args(hint):
            yield from _structs(inner)


def _walk(value: Struct, pointer: str) -> Iterator[Named]:
    for field in _fields(type(value)):
        inner: object = getattr(value, field.name)
        where = f"{pointer}/{field.encoded}"
        several = isinstance(inner, tuple)
        for at, one in enumerate(cast("tuple[object, ...]", inner) if several else (inner,)):
            here = f"{where}/{at}" if several else where
            if field.kind is not None and isinstance(one, str):
                yield Named(here, field.kind, one, field.makes, field.instead)
            elif isinstance(one, Struct):
                yield from _walk(one, here)


def _replace(value: Struct, pointer: str, handle: Callable[[Named], str]) -> Struct:
    changes: dict[str, object] = {}
    for field in _fields(type(value)):
        inner = getattr(value, field.name)
        where = f"{pointer}/{field.encoded}"

        def one(item: object, here: str, field: _Field = field) -> object:
            if field.kind is not None and isinstance(item, str):
                return handle(Named(here, field.kind, item, field.makes, field.instead))
            return _replace(item, here, handle) if isinstance(item, Struct) else item

        if isinstance(inner, tuple):
            items = cast("tuple[object, ...]", inner)
            changes[field.name] = tuple(one(x, f"{where}/{at}") for at, x in enumerate(items))
        elif inner is not None:
            changes[field.name] = one(inner, where)
    return structs.replace(value, **changes) if changes else value
