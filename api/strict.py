"""Strict decoding: the bytes of a request become one frozen struct, or a 400 that says where.

1. The size. 2. The text (`api.rawjson`). 3. The schema, strictly: no lax numbers, no naive times,
no unknown fields. 4. The years, so that no zone can overflow a time later on, and that a text is
one that people see. 5. On a fault, a pointer, cut to names of the schema: names and values of the
body are input, never repeated.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn, TypeVar, cast
from urllib.parse import parse_qsl

import msgspec
from msgspec import NODEFAULT, Struct, structs

from api import rawjson
from api.pages.visible import shows_nothing
from api.problems import Problem, malformed
from api.rawjson import Fault, Json, Token, Tokens
from api.shape import Shape

BODY_BYTES_MAX: Final = 262_144
QUERY_PARAMETERS_MAX: Final = 64
# Python's times lie in the years 1 to 9999 of their own zone; told in another they may not exist.
_YEARS: Final = range(2, 9999)
_EDGE_YEAR: Final = re.compile(rb'"(?:0001|9999)-')
# Strings without a visible letter of ASCII: most bodies have none, and need no second look.
_NO_ASCII_INK: Final = re.compile(rb'"(?:[ \x7f-\xff]|\\[nrtbf]|\\u[0-9a-fA-F]{4})++"')
_BAD_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_QUERY: Final = "query parameter: "

T = TypeVar("T")
S = TypeVar("S", bound=Struct)


def decode_body(raw: bytes, type_: type[T], *, limit: int = BODY_BYTES_MAX, at: str = "") -> T:
    """A request body as `type_`; an empty body counts as `{}`.

    `limit` is in bytes; `at` is a JSON pointer put before every other, for a body inside another.
    Raises `Problem` (400 `malformed`, 413 `too-large`), which never repeats what was sent.
    """
    raw = raw or b"{}"
    if len(raw) > limit:
        raise Problem("too-large", f"The body is over the limit of {limit} bytes. Send less.")
    shape = shape_of(type_)
    parsed: Json = None
    try:
        parsed = rawjson.parse(raw)
        decoded = cast("T", shape.decoder.decode(raw))
        if _EDGE_YEAR.search(raw):
            _check_years(decoded)
        if _NO_ASCII_INK.search(raw):
            _check_ink(parsed)
    except Fault as fault:
        _refuse(shape, fault, at)
    except msgspec.DecodeError as error:
        _refuse(shape, shape.fault(error, parsed), at)
    return decoded


def decode_command(
    raw: bytes,
    type_: type[S],
    path: Mapping[str, str],
    *,
    limit: int = BODY_BYTES_MAX,
    at: str = "",
) -> S:
    """A command: the fields in `path` come from the path, as text, and the rest from the body.

    A body may not hold a field of the path. Raises `Problem` as `decode_body` does.
    """
    body = decode_body(raw, body_type(type_, frozenset(path)), limit=limit, at=at)
    values: dict[str, Any] = {name: getattr(body, name) for name in body.__struct_fields__}
    try:
        return type_(**values, **_from_path(type_, path))
    except (ValueError, TypeError) as error:
        # Each value is valid; what the type says of them together is not.
        shape = shape_of(type_)
        _refuse(shape, shape.fault(error, None), at)


def decode_query(
    pairs: Sequence[tuple[str, str]], type_: type[S], path: Mapping[str, str] | None = None
) -> S:
    """Query parameters as `type_`: each at most once, none unknown, every value strict text.

    Lists are separated by commas; `path` is as in `decode_command`. Raises `Problem` 400, whose
    pointers name parameters (`/limit`).
    """
    shape = shape_of(type_)
    inner = {field.name: field.encode_name for field in structs.fields(type_)}
    values: dict[str, Any] = {
        inner[name]: value for name, value in _from_path(type_, path or {}).items()
    }
    open_names = [name for name in inner.values() if name not in values]
    try:
        for name, text in pairs:
            if name not in open_names:
                raise malformed(f"Unknown query parameter; known here: {', '.join(open_names)}.")
            if name in values:
                raise Fault((name,), "This parameter is given more than once.")
            values[name] = shape.from_text(name, text)
        decoded = msgspec.convert(values, type_, strict=True)
        _check_years(decoded)
    except Fault as fault:
        _refuse(shape, fault, "", _QUERY)
    except msgspec.ValidationError as error:
        _refuse(shape, shape.fault(error, values), "", _QUERY)
    return decoded


def query_pairs(query: bytes) -> list[tuple[str, str]]:
    """The parameters of a raw query string, strictly percent-decoded UTF-8, or `Problem` 400."""
    try:
        if _BAD_PERCENT.search(query):
            raise malformed("The query has a broken percent escape.")
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(query),
            errors="strict",
            max_num_fields=QUERY_PARAMETERS_MAX,
        )
    except ValueError:
        raise malformed(
            "The query cannot be read. Write name=value pairs in percent-encoded UTF-8, at most"
            f" {QUERY_PARAMETERS_MAX}."
        ) from None
    if any("\0" in part for pair in pairs for part in pair):
        raise malformed("The query holds the character U+0000.")
    return pairs


def same_body_digest(raw: bytes) -> bytes:
    """The body's value in one spelling, so that two bodies can be compared as parsed.

    The order of members, spaces, escapes and `1.0` for `1` make no difference; an empty body counts
    as `{}`. Input of a keyed HMAC, not to be stored as it is. Raises `Problem` 400.
    """
    try:
        return rawjson.canonical(raw or b"{}")
    except Fault as fault:
        raise malformed(fault.message) from None


def shape_of(type_: Any) -> Shape:
    """The decoder, schema and names of a type; made once.

    Raises `TypeError` for a type that would let something pass: call it for all routes at start.
    """
    return _shape_of(type_)


@functools.cache
def _shape_of(type_: Any) -> Shape:
    return Shape(type_)


@functools.cache
def body_type(type_: type[Struct], path_fields: frozenset[str]) -> type[Struct]:
    """`type_` without the fields that the path gives: what a body holds, in the same words.

    Raises `TypeError` where the path has a field that the type has not.
    """
    fields = {field.name: field for field in structs.fields(type_)}
    if unknown := path_fields - fields.keys():
        raise TypeError(f"{type_.__name__} has no field for {sorted(unknown)} of its path")
    if not path_fields:
        return type_
    return msgspec.defstruct(
        type_.__name__,
        [
            (f.name, f.type, _same_default(f))
            for name, f in fields.items()
            if name not in path_fields
        ],
        namespace={"__doc__": type_.__doc__},
        module=type_.__module__,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
    )


def _same_default(field: structs.FieldInfo) -> Any:
    if field.default is not NODEFAULT:
        return msgspec.field(default=field.default, name=field.encode_name)
    if field.default_factory is not NODEFAULT:
        return msgspec.field(default_factory=field.default_factory, name=field.encode_name)
    return msgspec.field(name=field.encode_name)


def _from_path(type_: type[Struct], path: Mapping[str, str]) -> dict[str, Any]:
    """The fields that the path gives, each as its own type, or `Problem` 400."""
    found: dict[str, Any] = {}
    for field in structs.fields(type_):
        if field.name in path:
            try:
                value = shape_of(type_).from_text(field.encode_name, path[field.name])
                found[field.name] = msgspec.convert(value, field.type, strict=True)
            except (Fault, msgspec.ValidationError):
                message = f"The segment of the path for `{field.name}` is not of its form."
                raise malformed(message) from None
    return found


def _check_years(value: object) -> None:
    for at in _edge_times(value, ()):
        raise Fault(at, f"Times lie in the years {_YEARS.start} to {_YEARS.stop - 1}.")


def _edge_times(value: object, at: Tokens) -> Iterator[Tokens]:
    if isinstance(value, datetime):
        if value.year not in _YEARS:
            yield at
        return
    parts: Iterable[tuple[Token, object]] = ()
    if isinstance(value, Struct):
        names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        parts = ((encoded, getattr(value, name)) for name, encoded in names)
    elif isinstance(value, dict):
        parts = cast("dict[str, object]", value).items()
    elif isinstance(value, list | tuple | set | frozenset):
        parts = enumerate(cast("Iterable[object]", value))
    for token, child in parts:
        yield from _edge_times(child, (*at, token))


def _check_ink(parsed: Json) -> None:
    for at in _blank_texts(parsed, ()):
        raise Fault(at, "There is nothing to see in this text. Write words, or leave it out.")


def _blank_texts(value: Json, at: Tokens) -> Iterator[Tokens]:
    """Where a text stands that is not empty and shows nothing; names are the schema's business."""
    if isinstance(value, str):
        if value and shows_nothing(value):
            yield at
        return
    parts: Iterable[tuple[Token, Json]] = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    for token, child in parts:
        yield from _blank_texts(child, (*at, token))


def _refuse(shape: Shape, fault: Fault, at: str, before: str = "") -> NoReturn:
    """Step 5: the fault as a problem; only names of the schema and indices enter the pointer."""
    tokens, _ = shape.known(fault.tokens)
    pointer = at + "".join(f"/{str(t).replace('~', '~0').replace('/', '~1')}" for t in tokens)
    detail = before + fault.message
    raise malformed(detail[0].upper() + detail[1:], pointer) from None
