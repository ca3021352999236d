"""Random commands against the store and a model of plain dicts: the same is accepted, and refused.

A failure prints the steps and the seed; `HIRELEDGER_TEST_SEED=N` repeats or varies a run.
"""

import os
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from books import Books
from domain.codec import type_of
from domain.evolve import evolve, fold
from domain.refusals import Refusal, RefusedByRule
from hall import GHOST, Hall, open_hall
from ledger.asked import Asked, Done
from ledger.database import Database
from loop_commands import command_of, told
from loop_model import Step
from loop_model_later import Expected, Model
from loop_steps import LOOPS, any_step, natural, unsettling

SEED = int(os.environ.get("HIRELEDGER_TEST_SEED", "7"))
HOW = settings(
    max_examples=25,
    stateful_step_count=50,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
LUCK = st.integers(0, 2**32)
_numbers = count(1)


class Sent:
    """A request that was made, and what had to come of it."""

    def __init__(self, step: Step, asked: Asked, expected: Expected) -> None:
        self.step = step
        self.asked = asked
        self.expected = expected


class Loops(RuleBasedStateMachine):
    """Several people record in three loops of one requisition, sensibly and senselessly."""

    def __init__(self, hall: Hall, books: Books) -> None:
        super().__init__()
        self.hall = hall
        self.books = books
        self.requisition = f"r-{next(_numbers)}"
        hall.open_requisition(self.requisition)
        books.catch_up()
        self.world = books.world
        self.model = Model(head=len(books.rows))
        self.sent: dict[str, Sent] = {}
        self.intact = True

    @rule(loop=st.sampled_from(LOOPS), steps=st.integers(1, 3), luck=LUCK)
    def goes_on_as_it_should(self, loop: int, steps: int, luck: int) -> None:
        """The natural next steps of a loop."""
        for _ in range(steps):
            self._take(natural(self.model, loop, Random(luck).choice))

    @rule(luck=LUCK)
    def anybody_asks_for_anything(self, luck: int) -> None:
        """Any step, by anybody."""
        self._take(any_step(self.model, Random(luck).choice))

    @rule(luck=LUCK)
    def somebody_unsettles_what_was_settled(self, luck: int) -> None:
        """What makes a gate stale, and decisions on a stale one."""
        self._take(unsettling(self.model, Random(luck).choice))

    @rule(luck=LUCK)
    def somebody_sends_again(self, luck: int) -> None:
        """An earlier request with its key: what it recorded, or its chance again."""
        if not self.sent:
            return
        earlier = self.sent[Random(luck).choice(sorted(self.sent))]
        if not earlier.expected.facts:
            self._take(earlier.step, earlier.asked)
            return
        done = self.hall.ledger.submit(earlier.asked).result(30)
        assert done.replayed
        self._check_facts(earlier.step, earlier.expected, done)

    @rule(luck=LUCK)
    def somebody_uses_a_key_again(self, luck: int) -> None:
        """A key that was spent, with another body, is refused and records nothing."""
        spent = sorted(key for key, one in self.sent.items() if one.expected.facts)
        if not spent:
            return
        earlier = self.sent[Random(luck).choice(spent)].asked
        other = Asked(earlier.command, earlier.caller, earlier.key, b"other")
        assert _refusal(self.hall.ledger.submit(other)) == ("idempotency-key-reused", set())

    def _take(self, step: Step, asked: Asked | None = None) -> None:
        self.intact = False
        self._take_and_check(step, asked)
        self.intact = True

    def _take_and_check(self, step: Step, asked: Asked | None) -> None:
        if asked is None:
            asked = self.hall.asked(step.who, command_of(step, self.requisition))
        expected = self.model.expect(step)
        note(told(step, expected))
        self.sent[asked.key] = Sent(step, asked, expected)
        answer = self.hall.ledger.submit(asked)
        if expected.refusals:
            code, findings = _refusal(answer)
            assert code in expected.refusals, (code, told(step, expected))
            if code == "refused" and findings:
                assert findings == (expected.blocks or {"loop-state"}) or _is_core(step, findings)
            return
        assert answer.exception(30) is None, (answer.exception(), told(step, expected))
        done = answer.result()
        assert not done.replayed
        self._check_facts(step, expected, done)
        for one in done.recorded:
            self.world = evolve(self.world, one)

    def _check_facts(self, step: Step, expected: Expected, done: Done) -> None:
        types = [type_of(one.fact) for one in done.recorded]
        positions = [one.position for one in done.recorded]
        wanted = range(expected.position, expected.position + len(expected.facts))
        assert types == expected.facts, told(step, expected)
        assert positions == list(wanted), told(step, expected)
        if expected.blocks:
            fact: Any = done.recorded[0].fact
            found = {one.policy for one in fact.judged.findings if one.enforcement == "block"}
            assert found == expected.blocks, (found, told(step, expected))

    def teardown(self) -> None:
        """What the answers told adds up to what the rows hold, and the rows to themselves."""
        if not self.intact:
            return
        self.books.catch_up()
        assert len(self.books.rows) == self.model.head
        assert self.books.world == self.world


def _refusal(answer: "Future[Done]") -> tuple[str, set[str]]:
    """The code of a refusal, and the rules that blocked."""
    refusal = answer.exception(30)
    assert isinstance(refusal, Refusal), answer
    if isinstance(refusal, RefusedByRule):
        return refusal.code, {o.policy for o in refusal.findings if o.enforcement == "block"}
    return refusal.code, set()


def _is_core(step: Step, findings: set[str]) -> bool:
    """An exception for a core rule is refused in the name of that rule."""
    return "exception" in step.what and findings == {step.more["policy"]}


def test_the_store_accepts_what_the_model_accepts(database: Database, tmp_path: Path) -> None:
    """The same is accepted and refused, for the same reasons, and the log holds together."""
    with open_hall(database, tmp_path) as hall:
        hall.people.setdefault(GHOST, "")
        books = Books(hall.ledger)
        print(f"HIRELEDGER_TEST_SEED={SEED} repeats this run")
        factory: Any = seed(SEED)(lambda: Loops(hall, books))
        run_state_machine_as_test(factory, settings=HOW)
        types = [type_of(one.fact) for one in books.facts]
        print(f"{len(types)} facts, {books.verdicts} verdicts, {books.bases} bases")
        assert fold(books.facts) == books.world
        assert "decision-made.v1" in types, "the steps never got that far"
