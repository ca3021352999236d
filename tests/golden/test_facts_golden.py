"""The frozen bytes of every fact type: read for ever, and written the same way again."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import Struct
from msgspec.structs import replace

from domain import facts as f
from domain.codec import ALL_FACTS, FACT_BY_TYPE, decode, encode, type_of
from golden import GOLDEN, Changed, every_fact, grown, lines_of
from story import LOOP_OPENED

LINES = lines_of()


def test_every_fact_type_has_one_golden_line() -> None:
    """A new fact, or a new version of one, is frozen with the change that brings it."""
    assert set(FACT_BY_TYPE) <= set(LINES)


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_golden_line_is_still_read(line: bytes) -> None:
    """What was written once is read for ever, old shapes brought to today's."""
    assert isinstance(decode(line), ALL_FACTS)


@pytest.mark.parametrize("kind", ALL_FACTS, ids=lambda kind: type_of(cast("type[f.Fact]", kind)))
def test_a_golden_line_is_written_byte_for_byte_as_it_was_read(kind: type[f.AnyFact]) -> None:
    """No field is renamed, reordered, dropped or added, and no value is spelt differently."""
    line = LINES[type_of(kind)]
    assert encode(decode(line)) == line
    assert json.dumps(json.loads(line), separators=(",", ":"), ensure_ascii=False) == line.decode()


@pytest.mark.parametrize("fact", every_fact(), ids=type_of)
def test_the_story_is_written_byte_for_byte_as_it_was_frozen(fact: f.AnyFact) -> None:
    """The same fact, made by today's code, has the bytes it always had."""
    assert encode(fact) == LINES[type_of(fact)]
    assert decode(LINES[type_of(fact)]) == fact


def note_fields(value: object, shown: Any, told: dict[type[Struct], set[str]]) -> None:
    """Notes which fields of each struct in the value are said in its JSON."""
    if isinstance(value, Struct):
        told.setdefault(type(value), set()).update(shown)
        fields = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        for name, encoded in fields:
            note_fields(getattr(value, name), shown.get(encoded), told)
    elif isinstance(value, tuple):
        for one, shown_one in zip(cast("tuple[object, ...]", value), shown or (), strict=True):
            note_fields(one, shown_one, told)


def test_the_golden_lines_say_every_field() -> None:
    """A field that no line says would not be frozen."""
    told: dict[type[Struct], set[str]] = {}
    for line in LINES.values():
        note_fields(decode(line), json.loads(line), told)
    for kind, fields in told.items():
        assert set(kind.__struct_encode_fields__) <= fields, kind.__name__


def test_the_generator_refuses_to_change_a_line_that_stands() -> None:
    """Changing a fact's bytes is caught where it would be done by mistake: by running it again."""
    lines = lines_of()
    assert grown(lines, every_fact()) == lines
    moved = replace(LOOP_OPENED, requisition="another")
    with pytest.raises(Changed, match=r"^loop-opened\.v1: .* give the fact a new version instead"):
        grown(lines, [moved])


def test_the_generator_adds_what_is_missing_at_the_end() -> None:
    """Old lines keep their order and their bytes, those of types that are no more included."""
    old = {"loop-dreamt.v1": b'{"type":"loop-dreamt.v1"}'}
    every = grown(old, [LOOP_OPENED])
    assert list(every) == ["loop-dreamt.v1", "loop-opened.v1"]
    assert every["loop-dreamt.v1"] == old["loop-dreamt.v1"]


def test_two_lines_of_one_type_are_refused(tmp_path: Path) -> None:
    """A type is frozen once."""
    twice = tmp_path / "facts.jsonl"
    twice.write_bytes(b'{"type":"a.v1"}\n{"type":"a.v1","x":1}\n')
    with pytest.raises(Changed, match="two lines of one type"):
        lines_of(twice)


def test_the_golden_file_ends_each_line_and_has_no_empty_one() -> None:
    """The file is what it seems: leaves, one a line."""
    stored = GOLDEN.read_bytes()
    assert stored.endswith(b"\n")
    assert b"\n\n" not in stored
    assert stored.count(b"\n") == len(LINES)
