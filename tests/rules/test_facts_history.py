"""Old shapes of facts: brought to today's when read, never rewritten."""

from typing import cast

import msgspec
import pytest

import story_later as later
from domain import history
from domain.codec import FACT_BY_TYPE, decode, encode
from domain.history import JsonObject, upcast

TODAY = encode(later.DEBRIEF_OPENED)


def older(leaf: bytes, tag: str, **changes: object) -> bytes:
    """The leaf as an older shape would have had it."""
    told = cast("JsonObject", msgspec.json.decode(leaf))
    return msgspec.json.encode({**told, **changes, "type": tag})


def rename(told: JsonObject) -> JsonObject:
    """From the first shape to the second: `room` was dropped."""
    kept = {name: value for name, value in told.items() if name != "room"}
    return {**kept, "type": "debrief-opened.v0"}


def retag(told: JsonObject) -> JsonObject:
    """From the second shape to today's: only the tag differs."""
    return {**told, "type": "debrief-opened.v1"}


def test_a_leaf_of_todays_shape_is_read_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one byte of it changes, whether or not other facts have old shapes."""
    assert upcast(TODAY) is TODAY
    monkeypatch.setattr(history, "UPCASTS", {"debrief-opened.v0": retag})
    assert upcast(TODAY) is TODAY


def test_an_old_leaf_is_read_as_todays_fact_through_every_shape_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each change is one function from one shape to the next."""
    steps = {"debrief-met.v1": rename, "debrief-opened.v0": retag}
    monkeypatch.setattr(history, "UPCASTS", steps)
    assert decode(older(TODAY, "debrief-met.v1", room="7")) == later.DEBRIEF_OPENED
    assert decode(older(TODAY, "debrief-opened.v0")) == later.DEBRIEF_OPENED


def test_no_old_shape_has_the_tag_of_one_of_todays() -> None:
    """A tag says one shape, for ever."""
    assert set(history.UPCASTS).isdisjoint(FACT_BY_TYPE)
