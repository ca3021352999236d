"""What a type lets in, as its schema says it: for naming places, allowed values and faults."""

import re
from collections.abc import Iterator
from typing import Any, Final, cast

import msgspec
from msgspec import inspect, structs

from api.rawjson import WHOLE_NUMBER_MAX, Fault, Json, Token, Tokens

Schema = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/"
_AT: Final = " - at `"
_KEY: Final = "key`"
_STEP: Final = re.compile(r"\.([A-Za-z_][\w-]*)|\[(\d{1,9})\]|\[\.\.\.\]")
_MISSING: Final = re.compile(r"Object missing required field `(\w+)`")
# What msgspec says in words of ours only: types, bounds, patterns. The rest may quote the input.
_OURS: Final = re.compile(
    r"Expected .+|Invalid (?:RFC3339|ISO8601|UUID|base64|decimal)[\w ]*"
    r"|(?:Integer value|Number|Duration is|Timestamp is) out of range ?"
)
_ALLOWED_MAX: Final = 20
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,17})?")


class Shape:
    """The strict decoder of one type, and its schema.

    Making one raises `TypeError` when the type is not strict itself: an unknown field would pass, a
    time could be naive, or a pattern ends in a bare `$`, which lets a final line break through.
    """

    def __init__(self, type_: Any) -> None:
        self.decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(type_, strict=True)
        self._info = inspect.type_info(type_)
        for info in _nodes(self._info, set()):
            _check_strict(info, getattr(type_, "__name__", str(type_)))
        (self._root,), self._components = msgspec.json.schema_components(
            [type_], ref_template=_REFERENCE + "{name}"
        )

    def known(self, tokens: Tokens) -> tuple[Tokens, list[Schema]]:
        """The longest start of a path that stands in the schema, and the schemas it leads to."""
        here = self._open(self._root)
        for depth, token in enumerate(tokens):
            below = [b for s in here for child in _step(s, token) for b in self._open(child)]
            if not below:
                return tokens[:depth], here
            here = below
        return tokens, here

    def fault(self, error: Exception, parsed: Json) -> Fault:
        """Where and what a complaint is about, in words that repeat nothing of the input.

        `parsed` is the whole input as plain objects. A path counts only if it leads somewhere in
        it: a caller can name an unknown field so that the complaint seems to end in a path.
        """
        text, mark, path = str(error).rpartition(_AT)
        tokens = _tokens(path)
        if not mark:
            text, tokens = str(error), ()
        elif not _leads(parsed, tokens):
            tokens = ()
        cause = error.__cause__ if isinstance(error, msgspec.ValidationError) else error
        if cause is not None and not isinstance(cause, msgspec.DecodeError):
            # Only the domain's own exceptions speak for it; others may quote what they choked on.
            own = type(cause).__module__.partition(".")[0] == "domain"
            return Fault(tokens, str(cause) if own else "These values do not go together.")
        if missing := _MISSING.fullmatch(text):
            return Fault((*tokens, missing[1]), "This field is required.")
        before = "A name in here: " if path.startswith(_KEY) else ""
        return Fault(tokens, before + self._words(text, tokens))

    def from_text(self, name: str, text: str) -> object:
        """The text of a query parameter or path segment as the plain value that its field takes."""
        if not isinstance(self._info, inspect.StructType):
            raise TypeError("parameters belong to a struct")
        field = next(field for field in self._info.fields if field.encode_name == name)
        return _from_text(text, field.type, (name,))

    def _words(self, text: str, tokens: Tokens) -> str:
        if text.startswith("Object contains unknown field"):
            return "There is a field in here that is not known."
        if text.startswith(("Invalid enum value", "Invalid value")):
            values = [str(v) for schema in self.known(tokens)[1] for v in schema.get("enum", ())]
            listed = ", ".join(f"`{v}`" for v in dict.fromkeys(values[:_ALLOWED_MAX]))
            return f"Expected one of {listed}." if listed else "This value is not allowed."
        if _OURS.fullmatch(text):
            return text.partition(", got")[0].rstrip() + "."
        return "This is not valid."

    def _open(self, schema: Schema) -> list[Schema]:
        """A schema with references followed and alternatives side by side."""
        while "$ref" in schema:
            schema = self._components[schema["$ref"].removeprefix(_REFERENCE)]
        if "anyOf" in schema:
            return [b for child in schema["anyOf"] for b in self._open(child)]
        return [schema]


def _step(schema: Schema, token: Token) -> Iterator[Schema]:
    if isinstance(token, str):
        child = schema.get("properties", {}).get(token)
    else:
        first = schema.get("prefixItems", ())
        child = first[token] if token < len(first) else schema.get("items")
    if isinstance(child, dict):
        yield child


def _tokens(path: str) -> Tokens:
    """The steps of msgspec's own path, up to the first key of a mapping, which it does not name."""
    steps: list[Token] = []
    for match in _STEP.finditer(path):
        if match[1]:
            steps.append(match[1])
        elif match[2]:
            steps.append(int(match[2]))
        else:
            break
    return tuple(steps)


def _leads(value: Json, tokens: Tokens) -> bool:
    for token in tokens:
        try:
            value = cast("Any", value)[token]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _nodes(info: object, seen: set[type]) -> Iterator[inspect.Type]:
    """Every type that a type is made of."""
    match info:
        case tuple():
            for child in cast("tuple[object, ...]", info):
                yield from _nodes(child, seen)
        case inspect.StructType() if info.cls in seen:
            return
        case inspect.Type() | inspect.Field():
            if isinstance(info, inspect.StructType):
                seen.add(info.cls)
            if isinstance(info, inspect.Type):
                yield info
            for part in structs.asdict(info).values():
                yield from _nodes(part, seen)
        case _:
            return


def _check_strict(info: inspect.Type, whole: str) -> None:
    match info:
        case inspect.StructType(forbid_unknown_fields=False):
            raise TypeError(f"{whole}: {info.cls.__name__} must set forbid_unknown_fields")
        case inspect.DateTimeType(tz=tz) if tz is not True:
            raise TypeError(f"{whole}: a time must be Annotated[datetime, Meta(tz=True)]")
        case inspect.StrType(pattern=str(pattern)) if _lets_line_break_pass(pattern):
            raise TypeError(f"{whole}: pattern {pattern!r} must end in (?!\\n)$ instead of $")
        case _:
            return


def _lets_line_break_pass(pattern: str) -> bool:
    """Python's `$` also matches before a final line break; that of JSON Schema does not."""
    return pattern.endswith("$") and not pattern.endswith((r"\$", r"(?!\n)$"))


def _from_text(text: str, info: inspect.Type, at: Tokens) -> object:
    match info:
        case inspect.UnionType():
            # Parameters are of one type or absent: `T | None`.
            (only,) = [t for t in info.types if not isinstance(t, inspect.NoneType)]
            return _from_text(text, only, at)
        case inspect.Metadata():
            return _from_text(text, info.type, at)
        case inspect.ListType() | inspect.VarTupleType() | inspect.FrozenSetType():
            return [_from_text(part, info.item_type, at) for part in text.split(",")]
        case _:
            return _scalar(text, info, at)


def _scalar(text: str, info: inspect.Type, at: Tokens) -> object:
    match info:
        case inspect.IntType():
            if not _WHOLE.fullmatch(text) or abs(int(text)) > WHOLE_NUMBER_MAX:
                raise Fault(at, f"expected a whole number up to {WHOLE_NUMBER_MAX}.")
            return int(text)
        case inspect.FloatType():
            if not _DECIMAL.fullmatch(text):
                raise Fault(at, "expected a decimal number such as 0.5.")
            return float(text)
        case inspect.BoolType():
            if text not in {"true", "false"}:
                raise Fault(at, "expected `true` or `false`.")
            return text == "true"
        case inspect.DateTimeType() if " " in text:
            raise Fault(at, "expected an RFC 3339 time; a + in it is sent as %2B.")
        case _:
            return text
