"""One value has one spelling, and whatever is JSON within the limits is read as what it is."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import rawjson
from api.problems import Problem
from api.strict import same_body_digest

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
JSON_VALUES: st.SearchStrategy[rawjson.Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(JSON_VALUES, st.booleans())
def test_every_json_value_survives_the_parse(value: rawjson.Json, escaped: bool) -> None:
    """Whatever is JSON within the limits is read as what it is, escaped or not."""
    raw = json.dumps(value, ensure_ascii=escaped).encode()
    assert rawjson.parse(raw) == value
    assert msgspec.json.decode(raw) == value


@given(JSON_VALUES)
def test_one_value_has_one_spelling(value: rawjson.Json) -> None:
    """Order, spaces and escapes make no difference to the comparison of bodies."""
    one = json.dumps(value).encode()
    other = json.dumps(_reversed(value), ensure_ascii=False, indent=2).encode()
    assert same_body_digest(one) == same_body_digest(other)


def _reversed(value: rawjson.Json) -> rawjson.Json:
    """The same value with the members of its objects in the opposite order."""
    if isinstance(value, dict):
        return {name: _reversed(child) for name, child in reversed(value.items())}
    return [_reversed(child) for child in value] if isinstance(value, list) else value


@given(JSON_VALUES, JSON_VALUES)
def test_two_values_have_two_spellings(one: rawjson.Json, other: rawjson.Json) -> None:
    """Bodies that differ as parsed never compare equal."""
    spelled = [same_body_digest(json.dumps(value).encode()) for value in (one, other)]
    assert (spelled[0] == spelled[1]) == (_typed(one) == _typed(other))


def _typed(value: rawjson.Json) -> object:
    """A value in which true and 1 differ, but 1 and 1.0 do not."""
    if isinstance(value, dict):
        return {name: _typed(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_typed(child) for child in value]
    return (isinstance(value, bool), value)


def test_numbers_are_compared_by_value() -> None:
    """`1`, `1.0` and `1e0` are one number; `-0` is `0`; the next number is another."""
    spelled = {same_body_digest(raw) for raw in (b"[1,0]", b"[1.0,-0]", b"[1e0,-0.0]")}
    assert spelled == {b"[1,0]"}
    assert same_body_digest(b"[1.5]") != same_body_digest(b"[1]")


@pytest.mark.parametrize("raw", [b'{"a":1,"a":1}', b'"\\ud800"', b"\xff", b"[" * 1000, b"1" * 99])
def test_a_comparison_refuses_what_decoding_refuses(raw: bytes) -> None:
    """No body is compared that could be read in two ways."""
    with pytest.raises(Problem) as caught:
        same_body_digest(raw)
    assert caught.value.status == 400


@given(st.text(alphabet='{}[]":,\\u0d8ae1.-"nulltruefalse \n', max_size=60))
def test_anything_like_json_is_read_alike_by_both_parsers(text: str) -> None:
    """What passes the checks is what the decoder sees: no body means two things."""
    raw = text.encode()
    try:
        checked = rawjson.parse(raw)
    except rawjson.Fault:
        return
    assert msgspec.json.decode(raw) == checked
