"""Whatever way a loop went, the file of each of its decisions verifies, by itself.

A failure prints the seed; `HIRELEDGER_TEST_SEED=N` repeats or varies a run.
"""

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from api.dossiers import export
from domain import facts as f
from domain.codec import types_of
from domain.refusals import Refusal
from hall import GHOST, Hall, open_hall
from ledger.database import Database
from ledger.proof.verify import verify
from loop_commands import command_of
from loop_model_later import Model
from loop_steps import LOOPS, any_step, natural, unsettling
from office import rules
from verifiers import by_script

SEED = int(os.environ.get("HIRELEDGER_TEST_SEED", "7"))
REQUISITIONS = 4
STEPS = 110


def walk(hall: Hall, requisition: str, chance: Random) -> None:
    """Three loops of a requisition, mostly as they should go, and sometimes not."""
    hall.open_requisition(requisition)
    model = Model(head=hall.head())
    for _ in range(STEPS):
        dice = chance.random()
        if dice < 0.7:
            step = natural(model, chance.choice(LOOPS), chance.choice)
        else:
            step = (unsettling if dice < 0.85 else any_step)(model, chance.choice)
        asked = hall.asked(step.who, command_of(step, requisition))
        model.expect(step)
        refused = hall.ledger.submit(asked).exception(30)
        assert refused is None or isinstance(refused, Refusal)


def test_every_decision_of_random_loops_has_a_dossier_that_verifies(
    database: Database, tmp_path: Path
) -> None:
    """With amendments, exceptions, reversals and second decisions among their facts."""
    print(f"HIRELEDGER_TEST_SEED={SEED} repeats this run")
    chance = Random(SEED)
    seen: Counter[str] = Counter()
    with open_hall(database, tmp_path) as hall:
        hall.people.setdefault(GHOST, "")
        for number in range(REQUISITIONS):
            walk(hall, f"r-{number}", chance)
        ledger = hall.ledger
        with ledger.reading() as group:
            rows = group.store.recorder.fetch(group.cur, range(1, group.head + 1))
        decisions = [row for row in rows if row.type in types_of(f.DecisionMade)]
        for row in decisions:
            handle = row.tags[0].removeprefix("loop:")
            made = export(ledger, handle, decision=row.position)
            vkeys = ledger.publisher.keys.vkeys
            verdict = verify(made.raw, vkeys, None, rules(), now=datetime.now(UTC))
            assert verdict.accepted, (row.position, verdict.failed)
            assert by_script(made.raw, vkeys[0]) == 0, row.position
            seen.update(
                one.leaf.rpartition('"type":"')[2].split('"')[0] for one in made.dossier.facts
            )
    assert len(decisions) > 3
    assert len(seen) > 18, "the steps never got far from what every loop has"
