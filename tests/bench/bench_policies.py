"""How long all rules take to judge a decision, beside folding its facts: `make bench` prints it."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

from domain.evolve import fold
from policies import load
from policies._examples import decidable

RUNS = 300


def _seconds(call: Callable[[], object]) -> float:
    began = perf_counter()
    call()
    return perf_counter() - began


def test_judging_a_decision() -> None:
    """Judging by every rule, against folding the facts that are judged."""
    catalogue, case = load(), decidable().asks_decide().case
    judging: list[float] = []
    folding: list[float] = []
    for _ in range(RUNS):  # in turns, so that what else the machine does meets both
        judging.append(_seconds(lambda: catalogue.judge(case, None)))
        folding.append(_seconds(lambda: fold(case.facts)))
    ratio = median(judging) / median(folding)
    print(
        f"\njudging a decision: {1000 * median(judging):.2f} ms, best {1000 * min(judging):.2f}; "
        f"{ratio:.1f} times as long as folding its {len(case.facts)} facts"
    )
    assert catalogue.judge(case, None).receipts
