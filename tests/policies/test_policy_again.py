"""What a house makes block at the gate blocks the decision on the very same evidence."""

from collections.abc import Callable

from msgspec.structs import replace

from domain import facts as f
from domain.case import Case
from policies import Catalogue
from policies._examples import decidable
from policies._policy import Example, Policy

Adopt = Callable[..., f.PolicySetAdopted]


def examples(catalogue: Catalogue) -> list[tuple[Policy, Example]]:
    """Every example in which a rule judges a gate."""
    return [
        (rule, example)
        for rule in catalogue.current.values()
        if "gate" in rule.moments
        for example in rule.examples
        if example.case().moment == "gate"
    ]


def verdict(catalogue: Catalogue, case: Case, rule: Policy, adopted: f.PolicySetAdopted) -> str:
    """What one rule says, as this set has it."""
    (receipt,) = (r for r in catalogue.judge(case, adopted).receipts if r.policy == rule.id)
    messages = [finding.message for finding in receipt.findings]
    assert "this rule failed and could not judge" not in messages, (rule.id, case.moment)
    return receipt.verdict


def test_each_rule_that_blocks_at_the_gate_says_the_same_of_the_decision(
    catalogue: Catalogue, adopted: Adopt
) -> None:
    """Accepted and refused examples alike, whatever the default of the rule."""
    decision = decidable().asks_decide().case.draft
    assert isinstance(decision, f.DecisionMade)
    seen: set[str] = set()
    for rule, example in examples(catalogue):
        gate = example.case()
        stamp = replace(decision.stamp, at=gate.now, recorded=gate.now)
        decide = replace(gate, moment="decide", draft=replace(decision, stamp=stamp))
        strict = adopted(rule.id, "block")
        said = [verdict(catalogue, case, rule, strict) for case in (gate, decide)]
        assert said[0] == said[1], (rule.id, example.story)
        seen |= {f"{rule.id} {said[0]}"}
    assert len(seen) > 20
