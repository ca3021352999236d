"""Any fact that its type allows, drawn by hypothesis from the types themselves.

The strategies are read from `msgspec.inspect`, so that a new fact or field is drawn without being
named here. Bounds and patterns of `Meta` are respected; collections stay small.
"""

from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import cast

from hypothesis import strategies as st
from msgspec import Struct, inspect

from domain.codec import ALL_FACTS
from domain.facts import AnyFact

MANY = 2
"""More of anything shows nothing new."""

LETTERS = st.characters(codec="utf-8")
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NEW_YEAR_1 = datetime(1, 1, 2, tzinfo=UTC)
NEW_YEAR_9999 = datetime(9999, 12, 30, tzinfo=UTC)
FIRST, LAST = NEW_YEAR_1.replace(tzinfo=None), NEW_YEAR_9999.replace(tzinfo=None)
TIMES = st.datetimes(FIRST, LAST, timezones=st.just(UTC) | ZONES)


def facts(*kinds: type[AnyFact]) -> st.SearchStrategy[AnyFact]:
    """Any fact of these kinds, or of any kind."""
    drawn = st.sampled_from(kinds or ALL_FACTS)
    return cast("st.SearchStrategy[AnyFact]", drawn.flatmap(struct))


@cache
def struct(cls: type[Struct]) -> st.SearchStrategy[Struct]:
    """Any value of a struct's type; each optional field is sometimes left at its default."""
    described = inspect.type_info(cls)
    assert isinstance(described, inspect.StructType)
    required = {one.name: any_of(one.type) for one in described.fields if one.required}
    optional = {one.name: any_of(one.type) for one in described.fields if not one.required}
    fields = st.fixed_dictionaries(required, optional=optional)
    return fields.map(lambda values: cls(**values))


def any_of(kind: inspect.Type) -> st.SearchStrategy[object]:
    """Any value of a described type."""
    match kind:
        case inspect.Metadata(type=inner):
            return any_of(inner)
        case inspect.StructType(cls=cls):
            return struct(cls)
        case inspect.UnionType(types=types):
            return st.one_of([any_of(one) for one in types])
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            low = least or 0
            high = low + MANY if most is None else min(low + MANY, most)
            return st.lists(any_of(item), min_size=low, max_size=high).map(tuple)
        case inspect.DictType(key_type=key, value_type=value, min_length=least):
            return st.dictionaries(any_of(key), any_of(value), min_size=least or 0, max_size=MANY)
        case _:
            return scalar(kind)


def scalar(kind: inspect.Type) -> st.SearchStrategy[object]:
    """Any value of a type that holds nothing else."""
    match kind:
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern)
        case inspect.StrType(min_length=least, max_length=most):
            low = least or 0
            return st.text(LETTERS, min_size=low, max_size=min(most or low + 12, low + 12))
        case inspect.IntType(ge=least, le=most):
            low = -(2**63) if least is None else least
            return st.integers(low, 2**63 - 1 if most is None else most)
        case inspect.FloatType(ge=least, le=most):
            return st.floats(least, most, allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.DateTimeType():
            return TIMES
        case _:
            raise TypeError(f"say how to draw a {type(kind).__name__}")
