"""A large log with the shape of real ones, for measuring: loops, a rubric, people, views."""

import random
from collections.abc import Iterator

from domain.boundary import (
    LOOP_TYPES,
    person_items,
    policy_set_items,
    posting_items,
    prompt_items,
    requisition_items,
    scorecard_items,
)
from domain.findings import Item
from facts_in_log import new
from ledger.recorder import NewRow

REQUISITIONS = 50
LOOP_FACTS = 45
LEAF_BYTES = 700
OPEN_LOOPS = 200
EVERGREEN = 0
"""The requisition that half of all loops belong to."""


def requisition_of(loop: int) -> int:
    """Every other loop belongs to one requisition that is always open."""
    return EVERGREEN if loop % 2 else loop % REQUISITIONS


def boundary(loop: int) -> tuple[Item, ...]:
    """What a decision in that loop depends on: 8 items, about 60 facts."""
    slug = str(requisition_of(loop))
    return (
        Item(types=LOOP_TYPES, tags=(f"loop:{loop}",)),
        *requisition_items(slug),
        *scorecard_items(slug),
        *posting_items(slug),
        *prompt_items({f"{slug}-0", f"{slug}-1"}),
        *policy_set_items(),
        *person_items(f"p_{loop % 300}"),
    )


def facts(count: int, seed: int = 1) -> Iterator[NewRow]:
    """So many facts: first rubric and people, then loops that run beside each other."""
    chance = random.Random(seed)
    written = 0
    for row in _rubric(chance):
        written += 1
        yield row
    running: dict[int, int] = {}
    begun = 0
    while written < count:
        while len(running) < OPEN_LOOPS:
            running[begun] = 0
            begun += 1
        loop = chance.choice(list(running))
        yield _of_loop(loop, running[loop], chance)
        written += 1
        running[loop] += 1
        if running[loop] == LOOP_FACTS:
            del running[loop]


def _leaf(chance: random.Random) -> bytes:
    return chance.randbytes(LEAF_BYTES)


def _rubric(chance: random.Random) -> Iterator[NewRow]:
    for number in range(REQUISITIONS):
        slug = f"requisition:{number}"
        yield new(_leaf(chance), slug, of="requisition-opened.v1")
        yield new(_leaf(chance), slug, of="requisition-standard-set.v1")
        yield new(_leaf(chance), f"posting:{number}", slug, of="posting-versioned.v1")
        for version in range(3):
            card = f"scorecard:{number}"
            yield new(_leaf(chance), card, of="scorecard-versioned.v1")
            yield new(_leaf(chance), card, slug, of="scorecard-approved.v1")
            yield new(_leaf(chance), f"prompt:{number}-{version}", of="prompt-versioned.v1")
    yield new(_leaf(chance), "policy-sets", of="policy-set-adopted.v1")
    for number in range(300):
        yield new(_leaf(chance), f"person:p_{number}", of="person-registered.v1")


def _of_loop(loop: int, number: int, chance: random.Random) -> NewRow:
    own = f"loop:{loop}"
    if number == 0:
        about = (f"candidate:{loop}", f"requisition:{requisition_of(loop)}")
        return new(_leaf(chance), own, *about, of="loop-opened.v1")
    if number % 6 == 0:
        viewer = f"viewer:p_{chance.randrange(300)}"
        return new(_leaf(chance), own, viewer, of="feedback-viewed.v1")
    tags = (own, f"candidate:{loop}") if number % 3 == 0 else (own,)
    return new(_leaf(chance), *tags, of=chance.choice(LOOP_TYPES[1:]))
