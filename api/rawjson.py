"""Checks on the text of a JSON body before anyone gives it a type: what decoders let pass.

Refused: bytes that are not UTF-8, a byte order mark, more than 64 nested brackets, names given
twice in one object, U+0000 and lone surrogates in strings (PostgreSQL and UTF-8 hold neither),
whole numbers beyond 2**53-1 (RFC 7493, 2.2), numbers too large for a double, NaN and Infinity.
"""

import itertools
import json
import math
import re
from collections.abc import Iterator
from typing import Final, NoReturn, TypeAlias, cast

import msgspec

NESTING_MAX: Final = 64
WHOLE_NUMBER_MAX: Final = 2**53 - 1

Token = str | int
Tokens = tuple[Token, ...]
Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_BOM: Final = "\ufeff"
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = tuple({0x5B: 1, 0x7B: 1}.get(byte, -1) for byte in range(256))
# A glance at the bytes cannot say that a body is at fault (digits may stand in a string, an escape
# may follow an escaped backslash), but it can say that it is not: most need no second look.
_SUSPECT: Final = re.compile(rb"\d{16}|\\u(?:0000|[dD][89a-fA-F])")


class Fault(Exception):
    """What is wrong with a body and where; `tokens` may hold names from the body: cut them off."""

    def __init__(self, tokens: Tokens, message: str) -> None:
        super().__init__("fault in a body")
        self.tokens = tokens
        self.message = message


class _LookAgain(Exception):
    """The quick parse met something that only the careful one can name."""


class _Members:
    """An object as the careful parse sees it: every member, in order, also those given twice."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: "list[tuple[str, _Node]]") -> None:
        self.pairs = pairs


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


_Node: TypeAlias = "_Members | list[_Node] | _Number | str | bool | None"


def check_text(raw: bytes) -> str:
    """The text of a body that a recursive decoder can take unharmed, or `Fault`; linear time."""
    try:
        text = raw.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise Fault((), f"The body is not valid UTF-8 (byte {error.start}).") from None
    if text.startswith(_BOM):
        raise Fault((), "The body starts with a byte order mark; send plain UTF-8 without it.")
    if raw.count(b"[") + raw.count(b"{") > NESTING_MAX and _nesting(raw) > NESTING_MAX:
        raise Fault((), f"The body nests deeper than {NESTING_MAX} levels.")
    return text


def parse(raw: bytes) -> Json:
    """The value of a body as plain Python objects after every check of this module, or `Fault`."""
    text = check_text(raw)
    try:
        if _SUSPECT.search(raw) is None:
            return cast("Json", _QUICK.decode(text))
        return _look_closely(text)
    except _LookAgain:
        return _look_closely(text)
    except json.JSONDecodeError as error:
        message = f"The body is not valid JSON (line {error.lineno}, column {error.colno})."
        raise Fault((), message) from None


def canonical(raw: bytes) -> bytes:
    """The body's value in one spelling: members sorted by name, no spaces, `1.0` as `1`.

    Two bodies that parse to the same value give the same bytes. Raises `Fault` as `parse` does.
    """
    return msgspec.json.encode(_normal(parse(raw)), order="sorted")


def _normal(value: Json) -> Json:
    match value:
        case dict():
            return {name: _normal(child) for name, child in value.items()}
        case list():
            return [_normal(child) for child in value]
        case float() if value.is_integer() and abs(value) <= WHOLE_NUMBER_MAX:
            return int(value)
        case _:
            return value


def _nesting(raw: bytes) -> int:
    """How deep the brackets outside strings go; without a parser, so that no depth can hurt."""
    brackets = _STRINGS.sub(b"", raw).translate(None, _NO_BRACKETS)
    return max(itertools.accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _unique(members: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(members)
    if len(found) != len(members):
        raise _LookAgain
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _LookAgain
    return value


def _no_constant(_: str) -> NoReturn:
    raise _LookAgain


def _look_closely(text: str) -> Json:
    """Parse again, keeping what the quick parse would merge or round, and name the first fault."""
    for fault in _faults(_CAREFUL.decode(text), ()):
        raise fault
    return cast("Json", _QUICK.decode(text))


def _faults(value: _Node, at: Tokens) -> Iterator[Fault]:
    match value:
        case _Members():
            names: set[str] = set()
            for name, child in value.pairs:
                if name in names:
                    yield Fault((*at, name), "This member is given more than once.")
                names.add(name)
                yield from _text_faults(name, at)
                yield from _faults(child, (*at, name))
        case list():
            for index, child in enumerate(value):
                yield from _faults(child, (*at, index))
        case _Number():
            yield from _number_faults(value, at)
        case str():
            yield from _text_faults(value, at)
        case _:
            return


def _text_faults(text: str, at: Tokens) -> Iterator[Fault]:
    if "\0" in text:
        yield Fault(at, "Text may not hold the character U+0000.")
    if not text.isascii():
        try:
            text.encode("utf-8", "strict")
        except UnicodeEncodeError:
            yield Fault(at, "Text may not hold half of a surrogate pair.")


def _number_faults(number: str, at: Tokens) -> Iterator[Fault]:
    digits = number.lstrip("-")
    if digits.isdigit():
        # The length first: Python refuses to read whole numbers of thousands of digits.
        if len(digits) > len(str(WHOLE_NUMBER_MAX)) or int(digits) > WHOLE_NUMBER_MAX:
            yield Fault(at, f"Whole numbers go from -{WHOLE_NUMBER_MAX} to {WHOLE_NUMBER_MAX}.")
    elif digits in {"NaN", "Infinity"}:
        yield Fault(at, "NaN and Infinity are not JSON.")
    elif not math.isfinite(float(number)):
        yield Fault(at, "This number is too large for a double.")


_QUICK: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant
)
_CAREFUL: Final = json.JSONDecoder(
    object_pairs_hook=_Members, parse_int=_Number, parse_float=_Number, parse_constant=_Number
)
