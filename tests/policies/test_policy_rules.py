"""What holds for every rule, present and future."""

import re
from typing import cast

import pytest
from msgspec import Struct

from domain.case import INTENTS, Case
from domain.findings import POSITIONS_IN_FINDING_MAX, Receipt
from domain.values import Unsealed
from policies import Catalogue, Policy, load
from policies._judge import TEXT_LETTERS_MAX
from policies._policy import Example

RULES = [pytest.param(rule, id=f"{rule.id}-v{rule.version}") for rule in load().rules.values()]
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.id}-v{rule.version}-{number}")
    for rule in load().rules.values()
    for number, example in enumerate(rule.examples)
]
A_SENTENCE = re.compile(r"[A-Z][^.!?]*\.")
ONE_LINE_LETTERS_MAX = 100


def judged(rule: Policy, case: Case) -> Receipt:
    """The receipt of this very version of the rule, under its defaults."""
    alone = Catalogue(
        [rule if rule.id == other.id else other for other in load().current.values()], (), {}
    )
    return next(r for r in alone.judge(case, None).receipts if r.policy == rule.id)


def texts_in(value: object) -> set[str]:
    """Every personal text that is still readable in a fact."""
    if isinstance(value, Unsealed):
        return {value.text}
    if isinstance(value, tuple):
        return {text for one in cast(tuple[object, ...], value) for text in texts_in(one)}
    if isinstance(value, Struct):
        fields = value.__struct_fields__
        return {text for name in fields for text in texts_in(getattr(value, name))}
    return set()


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_an_example_judges_as_it_says(rule: Policy, example: Example) -> None:
    """An accepted story leaves nothing to object to, a refused one blocks or warns by the rule."""
    case = example.case()
    receipt = judged(rule, case)
    blocks = rule.enforcement == "block" and case.moment in INTENTS
    objects = "refused" if blocks else "warned"
    assert receipt.verdict == ("passed" if example.kind == "accepted" else objects)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_judging_twice_gives_the_same(rule: Policy, example: Example) -> None:
    """A rule keeps nothing from one case to the next, also when the story is told anew."""
    case = example.case()
    assert judged(rule, case) == judged(rule, case) == judged(rule, example.case())


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_finding_says_what_is_wrong_and_what_settles_it(rule: Policy, example: Example) -> None:
    """Findings fit into a leaf, name facts of the record, and quote nobody."""
    case = example.case()
    known = {recorded.position for recorded in case.facts}
    personal = texts_in((*case.facts, case.draft))
    assert personal or case.moment in ("adopt", "open", "plan", "stage", "gate")
    for finding in judged(rule, case).findings:
        assert 10 < len(finding.message) < TEXT_LETTERS_MAX
        assert 10 < len(finding.cure) < TEXT_LETTERS_MAX
        assert set(finding.positions) <= known
        assert len(finding.positions) <= POSITIONS_IN_FINDING_MAX
        assert not any(text in finding.message + finding.cure for text in personal)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_examples_of_both_kinds_in_one_line_each(rule: Policy) -> None:
    """Whoever reads the catalogue sees what passes and what does not."""
    assert {example.kind for example in rule.examples} == {"accepted", "refused"}
    for example in rule.examples:
        assert 0 < len(example.story) <= ONE_LINE_LETTERS_MAX
        assert "\n" not in example.story
    assert len({example.story for example in rule.examples}) == len(rule.examples)


@pytest.mark.parametrize("rule", RULES)
def test_examples_are_of_moments_at_which_the_rule_judges(rule: Policy) -> None:
    """Examples show a rule at a moment at which it judges."""
    shown = {example.case().moment for example in rule.examples}
    assert shown
    assert shown <= rule.moments


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_where_it_comes_from(rule: Policy) -> None:
    """Title, source, practices and one sentence of rationale are there."""
    assert rule.title
    assert len(rule.source) > len("section A")
    assert A_SENTENCE.fullmatch(rule.rationale)
    assert rule.practices
    assert all(re.fullmatch(r"P([1-9]|[1-5][0-9]|6[0-4])", p) for p in rule.practices)
    assert rule.moments & INTENTS


@pytest.mark.parametrize("rule", RULES)
def test_the_default_of_every_parameter_may_be_set(rule: Policy) -> None:
    """What a rule comes with is within its own range, and says its meaning."""
    for param in rule.params.values():
        assert param.accepts(param.default)
        assert param.meaning
        assert param.wanted()


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_uses_of_others_exists(rule: Policy, catalogue: Catalogue) -> None:
    """A verdict names the other rules' parameters that it rests on."""
    for name in rule.uses:
        other, _, param = name.partition(".")
        assert param in catalogue.current[other].params
