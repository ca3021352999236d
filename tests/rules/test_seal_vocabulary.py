"""Sealing over the whole vocabulary: every fact type, with every personal field it can have."""

import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from domain.codec import ALL_FACTS, decode, encode
from domain.facts import AnyFact
from domain.values import Digest, private
from ledger.proof.disclosure import digest_of, read_disclosure
from ledger.seal import seal

SUBJECTS = ["c_" + "a" * 26, "p_" + "b" * 26, "organisation", "self-identification:c_" + "a" * 26]


class Builder:
    """Draws a valid fact of any type and notes the personal values in the order of the leaf."""

    def __init__(self, draw: st.DrawFn, sparse: bool) -> None:
        self.draw = draw
        self.sparse = sparse
        self.words: list[str] = []

    def value(self, kind: inspect.Type) -> object:
        """A value of the described type."""
        match kind:
            case inspect.StructType(cls=cls) if issubclass(cls, Digest):
                self.words.append(self.draw(st.text(min_size=1)))
                return private(self.words[-1], self.draw(st.sampled_from(SUBJECTS)))
            case inspect.StructType(cls=cls, fields=fields):
                return cls(**{field.name: self.value(field.type) for field in fields})
            case inspect.UnionType(types=types):
                chosen = [t for t in types if isinstance(t, inspect.NoneType) is self.sparse]
                return self.value((chosen or types)[0])
            case inspect.VarTupleType(item_type=item, min_length=least):
                count = (least or 0) + (0 if self.sparse else 2)
                return tuple(self.value(item) for _ in range(count))
            case inspect.DictType(key_type=key, value_type=member):
                names = matching(key.pattern or "") if isinstance(key, inspect.StrType) else []
                return {name: self.value(member) for name in names}
            case inspect.Metadata(type=inner):
                return self.value(inner)
            case _:
                return self.draw(plain(kind))


EXAMPLES = [
    *(
        "a",
        "b",
        "1",
        "2",
        "2026-Q3",
        "text/plain",
        "US-NY",
        "Europe/Berlin",
        "A" * 43,
        "A" * 43 + "=",
        "0" * 64,
    ),
    *(f"{kind}_{'a' * 26}" for kind in "cplkr"),
]


@cache
def matching(pattern: str) -> list[str]:
    """Texts that the vocabulary's pattern allows; what they say is of no importance here."""
    found = [text for text in EXAMPLES if re.search(pattern, text)]
    assert found, f"add a text to EXAMPLES that matches {pattern}"
    return found


def plain(kind: inspect.Type) -> st.SearchStrategy[object]:
    """A strategy for a type that holds nothing else."""
    match kind:
        case inspect.StrType(pattern=str(pattern)):
            return st.sampled_from(matching(pattern))
        case inspect.StrType(min_length=least):
            return st.text(min_size=least or 0, max_size=12)
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=least):
            return st.just(least or 0)
        case inspect.FloatType(ge=least):
            return st.just(float(least or 0))
        case inspect.DateTimeType():
            return st.just(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.NoneType():
            return st.none()
        case _:
            raise AssertionError(f"add {kind} to this test: the vocabulary has a new kind of type")


@st.composite
def facts(draw: st.DrawFn, kind: type[AnyFact], sparse: bool) -> tuple[AnyFact, list[str]]:
    """A fact of the type, with everything optional present or absent, and its personal values."""
    builder = Builder(draw, sparse)
    fact = builder.value(inspect.type_info(kind))
    assert isinstance(fact, kind)
    return fact, builder.words


def resolve(leaf: Any, pointer: str) -> object:
    """What stands at an RFC 6901 pointer."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        leaf = leaf[int(name) if isinstance(leaf, list) else name]
    return leaf


@pytest.mark.parametrize("sparse", [False, True], ids=["full", "sparse"])
@pytest.mark.parametrize("kind", ALL_FACTS, ids=lambda kind: kind.__name__)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_pointer_leads_to_its_digest_in_the_stored_leaf(
    kind: type[AnyFact], sparse: bool, data: st.DataObject
) -> None:
    """Whatever the fact, its leaf decodes again, holds each digest at its pointer and no words."""
    fact, words = data.draw(facts(kind, sparse))
    sealed_fact, sealed = seal(fact)
    stored = encode(sealed_fact)
    leaf = json.loads(stored)
    opened = [read_disclosure(one.disclosure) for one in sealed]
    assert [o.value for o in opened] == words
    assert [resolve(leaf, o.pointer) for o in opened] == [{"_sd": one.digest} for one in sealed]
    assert [digest_of(one.disclosure) for one in sealed] == [one.digest for one in sealed]
    assert stored.count(b'"_sd":') == len(words)
    assert decode(stored) == sealed_fact
    special = sealed_fact.__class__.__name__ == "SelfIdentificationRecorded"
    for one in sealed:
        own_ring = one.subject.startswith("self-identification:")
        assert (one.ring == "self-identification") is own_ring
        assert own_ring or not special


def test_the_vocabulary_has_personal_fields_in_every_kind_of_place() -> None:
    """The property above has been tried on a field, in a tuple of parts and in a dictionary."""
    have_digests = {kind.__name__ for kind in ALL_FACTS if "Digest" in str(inspect.type_info(kind))}
    assert {"LoopOpened", "FeedbackSubmitted", "SelfIdentificationRecorded"} <= have_digests
    assert len(have_digests) < len(ALL_FACTS)
