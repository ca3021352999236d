"""A verdict rests on the facts that the command's boundary selects, and on no others."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import facts as f
from domain import tags
from domain.boundary import boundary
from domain.codec import Recorded, type_of
from domain.decide.decision import NO_BASIS
from domain.evolve import fold
from domain.findings import Judged
from policies import Catalogue, load
from policies._examples import MONDAY, decidable
from policies._policy import Asked, Example
from policies._sample import LOOP, PARTNER, handle

EXAMPLES = [
    pytest.param(rule.id, example, id=f"{rule.id}-{number}")
    for rule in load().current.values()
    for number, example in enumerate(rule.examples)
]
OTHER_LOOP = handle("l", "another candidate's loop")
FAR = 1_000_000
STAMP = f.Stamp(
    at=MONDAY,
    recorded=MONDAY,
    by=PARTNER,
    via="system",
    assurance="system",
    cause="r_" + "b" * 26,
    tags=(tags.loop(LOOP),),
)


def elsewhere() -> list[f.AnyFact]:
    """Another candidate's whole loop on the same requisition, scorecard and posting."""
    found: list[f.AnyFact] = []
    for recorded in decidable().read(PARTNER).facts:
        fact = recorded.fact
        if isinstance(fact, f.LoopFact) and getattr(fact, "loop", None) == LOOP:
            mine, others = tags.loop(LOOP), tags.loop(OTHER_LOOP)
            moved = tuple(others if tag == mine else tag for tag in fact.stamp.tags)
            found.append(replace(fact, stamp=replace(fact.stamp, tags=moved), loop=OTHER_LOOP))
    return found


def in_this_loop() -> list[f.AnyFact]:
    """Readings and refused attempts in the loop itself: no verdict depends on them."""
    judged = Judged(now=MONDAY)
    viewed = replace(STAMP, tags=(tags.loop(LOOP), tags.viewer(PARTNER)))
    return [
        f.FeedbackViewed(stamp=viewed, loop=LOOP, viewer=PARTNER, viewed=(1,)),
        f.EvidenceGateRefused(stamp=STAMP, loop=LOOP, witnesses=(), judged=judged, basis=NO_BASIS),
        f.DecisionRefused(
            stamp=STAMP,
            loop=LOOP,
            decision="hire",
            reasons=(),
            cites=(),
            judged=judged,
            basis=NO_BASIS,
        ),
    ]


OUTSIDE = elsewhere()
ATTEMPTS = in_this_loop()


@dataclass(frozen=True)
class Mixed:
    """How facts from outside are strewn among a story's own: places, by index."""

    places: tuple[int, ...]
    attempts: int


def strewn(asked: Asked, mixed: Mixed) -> list[Recorded]:
    """The story's facts with others between them, at positions far away."""
    facts: list[Recorded] = []
    others = iter(OUTSIDE)
    number = 0
    for index, recorded in enumerate(asked.case.facts):
        for _ in range(mixed.places.count(index)):
            number += 1
            facts.append(Recorded(FAR + number, next(others)))
        facts.append(recorded)
    if LOOP in asked.case.world.loops:
        facts += [Recorded(2 * FAR + n, fact) for n, fact in enumerate(ATTEMPTS[: mixed.attempts])]
    return facts


def selected(asked: Asked) -> list[Recorded]:
    """The facts that the command's boundary selects."""
    items = boundary(asked.command, asked.case.world, asked.actor)
    return [
        one
        for one in asked.case.facts
        if any(item.matches(type_of(one.fact), one.fact.stamp.tags) for item in items)
    ]


def verdict(catalogue: Catalogue, asked: Asked, facts: list[Recorded]) -> Judged:
    """What the rules say when exactly these facts were read."""
    return catalogue.judge(replace(asked.case, world=fold(facts), facts=tuple(facts)), None)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_the_boundary_selects_everything_that_a_verdict_rests_on(
    catalogue: Catalogue, rule: str, example: Example
) -> None:
    """Reading only what the boundary names gives the same receipts as reading everything."""
    asked = example.build()
    judged = catalogue.judge(asked.case, None)
    assert any(receipt.policy == rule for receipt in judged.receipts)
    assert verdict(catalogue, asked, selected(asked)) == judged


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
@settings(max_examples=12, deadline=None)
@given(
    mixed=st.builds(
        Mixed,
        places=st.lists(
            st.integers(min_value=9, max_value=40), max_size=len(OUTSIDE), min_size=1
        ).map(tuple),
        attempts=st.integers(min_value=0, max_value=len(ATTEMPTS)),
    )
)
def test_other_loops_readings_and_attempts_change_nothing(
    catalogue: Catalogue, rule: str, example: Example, mixed: Mixed
) -> None:
    """Another candidate's loop, readings and refused attempts have no say in a verdict."""
    asked = example.build()
    judged = verdict(catalogue, asked, strewn(asked, mixed))
    assert any(receipt.policy == rule for receipt in judged.receipts)
    assert judged == catalogue.judge(asked.case, None)


def test_the_strewn_facts_lie_outside_the_boundary() -> None:
    """The property would prove nothing if a command selected these facts."""
    asked = decidable().asks_decide()
    items = boundary(asked.command, asked.case.world, asked.actor)
    assert len(OUTSIDE) > len(ATTEMPTS) > 0
    for fact in OUTSIDE:
        assert not any(item.matches(type_of(fact), fact.stamp.tags) for item in items)
