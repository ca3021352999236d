"""The page `/docs`: the OpenAPI document as people read it, made from what is served."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from api.pages.page import Page, page

Json = Mapping[str, Any]
_LIMITS: Final = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} members",
    "pattern": "matches {}",
    "default": "default {}",
}
_UNSAID: Final[tuple[object, ...]] = (
    "^[^\\u0000]*$",
    9007199254740991,
    -9007199254740991,
    None,
    [],
    {},
)


class Piece(NamedTuple):
    """A stretch of text, and the schema on this page that it leads to, if any."""

    text: str
    schema: str = ""


class Field(NamedTuple):
    """A parameter or a member of an object."""

    name: str
    place: str
    required: bool
    kind: tuple[Piece, ...]
    said: str


class Answer(NamedTuple):
    """What an operation may answer."""

    status: str
    said: str
    kind: tuple[Piece, ...]


class Operation(NamedTuple):
    """One call."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    fields: tuple[Field, ...]
    body: tuple[Piece, ...]
    answers: tuple[Answer, ...]


class Shape(NamedTuple):
    """One schema: its members, or what it is instead of an object."""

    name: str
    said: str
    fields: tuple[Field, ...]
    kind: tuple[Piece, ...]


def reference(document: Json) -> Page:
    """The page of an OpenAPI 3.1 document as `api.openapi.document` makes it."""
    groups: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            groups[told["tags"][0]].append(_operation(document, method, path, told))
    shapes = [_shape(name, told) for name, told in document["components"]["schemas"].items()]
    return page("reference.html.j2", info=document["info"], groups=groups, shapes=shapes)


def _operation(document: Json, method: str, path: str, told: Json) -> Operation:
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        description=told.get("description", ""),
        fields=tuple(_parameters(document, told)),
        body=_content(told.get("requestBody", {})),
        answers=tuple(
            Answer(status, one.get("description", ""), _content(one))
            for status, found in told["responses"].items()
            for one in (_looked_up(document, found),)
        ),
    )


def _looked_up(document: Json, told: Json) -> Json:
    """What a reference into the components stands for."""
    found: Any = told
    if "$ref" in told:
        found = document
        for step in str(told["$ref"]).removeprefix("#/").split("/"):
            found = found[step]
    return found  # type: ignore[no-any-return]


def _content(told: Json) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for media, one in told.get("content", {}).items():
        pieces += [Piece("; " if pieces else ""), *_kind(one["schema"]), Piece(f" as {media}")]
    return tuple(piece for piece in pieces if piece.text)


def _parameters(document: Json, told: Json) -> Iterator[Field]:
    """Those of path and query; headers are the same everywhere, and the page begins with them."""
    for one in told.get("parameters", ()):
        found = _looked_up(document, one)
        if found["in"] != "header":
            yield _parameter(found)


def _parameter(told: Json) -> Field:
    schema = told["schema"]
    said = " ".join(filter(None, (told.get("description", ""), _limits(schema))))
    return Field(told["name"], told["in"], bool(told.get("required")), tuple(_kind(schema)), said)


def _shape(name: str, told: Json) -> Shape:
    required = set(told.get("required", ()))
    fields = tuple(
        Field(member, "", member in required, tuple(_kind(schema)), _said(schema))
        for member, schema in told.get("properties", {}).items()
    )
    kind = () if fields or told.get("type") == "object" else tuple(_kind(told))
    return Shape(name, told.get("description", ""), fields, kind)


def _kind(schema: Json) -> Iterator[Piece]:
    """What a value is, in words: a named schema leads to its place on the page."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        yield Piece(name, name)
    elif "enum" in schema:
        yield Piece(" | ".join(map(str, schema["enum"])))
    elif "const" in schema:
        yield Piece(str(schema["const"]))
    elif parts := schema.get("anyOf") or schema.get("oneOf"):
        for number, part in enumerate(parts):
            yield from (Piece(" or "),) if number else ()
            yield from _kind(part)
    elif schema.get("type") == "array":
        yield Piece("list of ")
        yield from _kind(schema.get("items") or {})
    elif isinstance(schema.get("additionalProperties"), Mapping):
        yield Piece("object of ")
        yield from _kind(schema["additionalProperties"])
    else:
        yield Piece(str(schema.get("format") or schema.get("type") or "anything"))


def _said(schema: Json) -> str:
    said = str(schema.get("description", ""))
    return " ".join(filter(None, (said, _limits(schema))))


def _limits(schema: Json) -> str:
    limits = [
        words.format(schema[name])
        for name, words in _LIMITS.items()
        if name in schema and schema[name] not in _UNSAID
    ]
    return f"({', '.join(limits)})" if limits else ""
