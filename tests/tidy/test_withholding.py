"""Every personal field of the vocabulary has a kind, or is never disclosed: nothing by accident."""

from collections.abc import Iterator
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import replace

import story
import story_later
from domain import facts as f
from domain.codec import ALL_FACTS, type_of
from domain.values import Digest
from ledger.personal.withholding import KINDS, NEVER, kind_of, kinds_of


def personal_places(kind: Any, pointer: str = "") -> Iterator[str]:
    """Where a type may hold a personal value, with 0 for every index and every name of a map."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        if issubclass(kind, Digest):
            yield pointer
            return
        for field in msgspec.structs.fields(kind):
            yield from personal_places(field.type, f"{pointer}/{field.encode_name}")
        return
    if isinstance(kind, type) and issubclass(kind, str | int | float | bool | bytes):
        return
    inside = "/0" if get_origin(kind) in {tuple, list, dict} else ""
    for part in get_args(kind):
        yield from personal_places(part, pointer + inside)


def places_of(fact: type[f.AnyFact]) -> set[str]:
    """The pointers of one fact's personal values."""
    return {
        place
        for field in msgspec.structs.fields(fact)
        for place in personal_places(field.type, f"/{field.encode_name}")
    }


def undecided(facts: tuple[type[f.AnyFact], ...]) -> Iterator[str]:
    """Personal fields that the table of `ledger/personal/withholding.py` says nothing about."""
    for fact in facts:
        for place in sorted(places_of(fact)):
            if (kind_of(type_of(fact), place) is None) != (fact in NEVER):
                yield f"{type_of(fact)} {place}"


def test_every_personal_field_has_a_kind_or_stays_in_the_house() -> None:
    """Whoever adds a personal field to a fact says who may be spared it in a dossier."""
    left = list(undecided(ALL_FACTS))
    assert left == [], (
        "A dossier would keep these back whatever is asked for. Give each a kind in the table of"
        f" ledger/personal/withholding.py, or name its fact in NEVER: {left}"
    )


def test_the_table_names_only_fields_that_there_are() -> None:
    """A field that was renamed would otherwise lose its kind in silence."""
    known = {f"{type_of(fact)} {place}" for fact in ALL_FACTS for place in places_of(fact)}
    with_kind = {one for one in known if kind_of(*one.split(" "))}
    kinds = {kind_of(*one.split(" ")) for one in with_kind}
    assert kinds == set(KINDS)
    assert "feedback-submitted.v1 /ratings/0/evidence" in with_kind
    assert kind_of("feedback-submitted.v1", "/ratings/12/evidence") == "evidence"
    assert kind_of("feedback-submitted.v1", "/ratings/x/evidence") is None
    assert kind_of("self-identification-recorded.v1", "/attributes/sex") is None


def test_a_correction_is_of_every_kind_of_what_it_corrects() -> None:
    """Of whatever never leaves the house it never does; of one that is not there, of its own."""
    about: dict[int, f.AnyFact] = {
        1: story.LOOP_OPENED,
        2: story_later.DECISION_MADE,
        3: replace(story_later.FACT_CORRECTED, of=1),
        4: story_later.SUBJECT_ERASED,
    }

    def at(position: int) -> f.AnyFact | None:
        return about.get(position)

    expected = {1: {"evidence", "name"}, 2: {"evidence", "reasons"}, 3: {"evidence", "name"}}
    for of, kinds in ({4: set[str](), 5: {"evidence"}} | expected).items():
        correction = replace(story_later.FACT_CORRECTED, of=of)
        assert kinds_of(correction, "/text", at) == kinds
    assert kinds_of(story.LOOP_OPENED, "/email", at) == {"name"}
    assert kinds_of(story_later.SELF_IDENTIFIED, "/attributes/sex", at) == set()


def test_a_field_without_a_kind_is_found() -> None:
    """The walk sees fields at any depth, and the check can fail."""
    assert "/consent/text" in places_of(f.PortfolioItemLinked)
    assert places_of(f.LoopPlanned) == set()

    class Gossiped(f.Fact, frozen=True, kw_only=True, tag="gossiped.v1"):
        """Somebody said something."""

        text: Digest | None = None

    assert list(undecided((Gossiped,))) == ["gossiped.v1 /text"]  # type: ignore[arg-type]
