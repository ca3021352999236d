"""The vocabulary as types: tags, docstrings, strictness, and where free text may stand."""

import inspect as python
import re
from collections.abc import Iterator, Mapping
from typing import cast

import pytest
from msgspec import Struct, inspect

from domain import commands as c
from domain import facts as f
from domain.codec import ALL_FACTS, FACT_BY_TYPE, type_of, types_of
from domain.values import Digest

every_fact = pytest.mark.parametrize("kind", ALL_FACTS, ids=lambda kind: kind.__name__)

THE_ORGANISATIONS_OWN = {
    # What the rubric says: words by which candidates are told about, asked and rated.
    "RequisitionContent.title",
    "RequisitionContent.legal_entity",
    "ScorecardContent.title",
    "Competency.name",
    "Competency.anchors",
    "Probe.text",
    "Observation.text",
    "ScorecardRetired.reason",
    "PromptContent.text",
    "PromptContent.latency",
    "PromptContent.budget",
    "PromptContent.privacy",
    "PromptContent.failure_mode",
    "PostingContent.title",
    "Expectation.text",
    "KnockOut.text",
    "PolicySetting.params",
    "PolicySetAdopted.agreement",
    "RubricChangeProposed.text",
    "RubricChangeRejected.reason",
    "PeerComparisonRecorded.query",
    # What the rules say: fixed sentences of ours that quote nothing.
    "Finding.message",
    "Finding.cure",
    "Receipt.params",
    # What an imported log calls its steps, such as `Screening`.
    "RecordImported.activity",
    # What the ledger asked itself: types and tags of facts, as they stand in facts.
    "Item.types",
    "Item.tags",
}
"""Fields whose text is neither a code, a slug, a handle nor a digest. A new one must be argued for:
the text stands in the leaf for ever and cannot be erased, so it must never be about a person."""


def parts_of(kind: type[Struct]) -> dict[str, inspect.StructType]:
    """The struct and every struct in it, by name."""
    found: dict[str, inspect.StructType] = {}

    def walk(described: inspect.Type) -> None:
        if isinstance(described, inspect.StructType) and described.cls.__name__ not in found:
            found[described.cls.__name__] = described
            for field in described.fields:
                walk(field.type)
        for inner in inner_types(described):
            walk(inner)

    walk(inspect.type_info(kind))
    return found


def inner_types(described: inspect.Type) -> tuple[inspect.Type, ...]:
    """What a container or union holds."""
    match described:
        case inspect.Metadata(type=inner):
            return (inner,)
        case inspect.UnionType(types=types):
            return types
        case inspect.VarTupleType(item_type=item):
            return (item,)
        case inspect.DictType(key_type=key, value_type=value):
            return (key, value)
        case _:
            return ()


def leaves_of(described: inspect.Type) -> Iterator[inspect.Type]:
    """Every scalar type in a field's type, those of structs in it left out."""
    inner = inner_types(described)
    if not inner:
        yield described
    for one in inner:
        yield from leaves_of(one)


EVERY_PART: Mapping[str, inspect.StructType] = {
    name: part for kind in ALL_FACTS for name, part in parts_of(kind).items()
}


def kebab(name: str) -> str:
    """`DecisionMade` as `decision-made`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def test_every_fact_that_is_defined_is_in_the_vocabulary() -> None:
    """No class of a fact is left out of the union, and none stands in it twice."""
    assert set(f.Fact.__subclasses__()) == set(ALL_FACTS)
    assert len(ALL_FACTS) == len(set(ALL_FACTS)) == len(FACT_BY_TYPE)


@every_fact
def test_a_facts_tag_is_its_name_and_a_version(kind: type[f.AnyFact]) -> None:
    """The stored type says what it is in words, and which shape, never a path in Python."""
    tag = type_of(kind)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.v[1-9][0-9]*", tag)
    assert tag.rpartition(".")[0] == kebab(kind.__name__)
    assert FACT_BY_TYPE[tag] is kind
    assert kind.__struct_config__.tag_field == "type"


@every_fact
def test_a_fact_says_in_one_sentence_what_happened(kind: type[f.AnyFact]) -> None:
    """The vocabulary is read by recruiters."""
    said = " ".join((kind.__doc__ or "").split())
    assert re.fullmatch(r"[A-Z][^.?!]*\.", said), said


@pytest.mark.parametrize("part", EVERY_PART.values(), ids=EVERY_PART)
def test_every_part_of_a_fact_is_frozen_strict_and_named(part: inspect.StructType) -> None:
    """Nothing in a fact changes, has an unknown field, or is given by place."""
    config = part.cls.__struct_config__
    assert config.frozen
    assert config.forbid_unknown_fields
    kinds = {one.kind for one in python.signature(part.cls).parameters.values()}
    assert kinds == {python.Parameter.KEYWORD_ONLY}


@every_fact
def test_a_fact_leaves_out_what_it_does_not_say(kind: type[f.AnyFact]) -> None:
    """A field added later, with a default, does not change the bytes of facts without it."""
    assert kind.__struct_config__.omit_defaults


@pytest.mark.parametrize("part", EVERY_PART.values(), ids=EVERY_PART)
def test_every_time_has_a_zone(part: inspect.StructType) -> None:
    """Years later nobody knows which clock was on the wall."""
    for field in part.fields:
        for leaf in leaves_of(field.type):
            assert not isinstance(leaf, inspect.DateTimeType) or leaf.tz, field.name


def free_texts(part: inspect.StructType) -> set[str]:
    """Fields of a struct that hold text of no fixed form, as `Struct.field`."""
    return {
        f"{part.cls.__name__}.{field.name}"
        for field in part.fields
        for leaf in leaves_of(field.type)
        if isinstance(leaf, inspect.StrType) and leaf.pattern is None
    }


def test_no_text_about_a_person_can_stand_in_a_leaf() -> None:
    """Free text in a leaf is the organisation's own, field by field, and nothing else."""
    found = {text for part in EVERY_PART.values() for text in free_texts(part)}
    assert found == THE_ORGANISATIONS_OWN


@pytest.mark.parametrize(
    "part",
    {**EVERY_PART, **{n: p for k in c.ALL_COMMANDS for n, p in parts_of(k).items()}}.values(),
    ids=lambda part: part.cls.__name__,
)
def test_every_pattern_is_about_the_whole_text(part: inspect.StructType) -> None:
    """Neither a first nor a last line break, nor anything beside the pattern, slips through."""
    for field in part.fields:
        for leaf in leaves_of(field.type):
            if isinstance(leaf, inspect.StrType) and leaf.pattern is not None:
                assert leaf.pattern.startswith("^"), field.name
                assert leaf.pattern.endswith(r"(?!\n)$"), field.name


@pytest.mark.parametrize("kind", c.ALL_COMMANDS, ids=lambda kind: kind.__name__)
def test_a_commands_personal_words_become_digests_in_the_fact(kind: type[c.AnyCommand]) -> None:
    """Where a command takes words of any length about a person, the fact of that name is sealed."""
    for part in parts_of(kind).values():
        for field in part.fields:
            for leaf in leaves_of(field.type):
                if isinstance(leaf, inspect.StrType) and leaf.max_length == PERSONAL_LENGTH:
                    assert field.name in SEALED_FIELDS, f"{kind.__name__}: {field.name}"


PERSONAL_LENGTH = 20_000
SEALED_FIELDS = {
    field.name
    for part in EVERY_PART.values()
    for field in part.fields
    for leaf in leaves_of(field.type)
    if isinstance(leaf, inspect.StructType) and issubclass(leaf.cls, Digest)
}


def test_types_of_several_facts_are_their_tags_in_order() -> None:
    """Boundaries name facts by these."""
    assert types_of(f.LoopOpened, f.DecisionMade) == ("loop-opened.v1", "decision-made.v1")
    assert type_of(cast("type[f.Fact]", f.LoopClosed)) == "loop-closed.v1"
