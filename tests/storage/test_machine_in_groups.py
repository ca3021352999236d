"""What waits together is decided in order, each seeing those before it: as if one by one.

`HIRELEDGER_TEST_SEED=N` varies the steps; a failure says which of them it was.
"""

import os
import time
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Any, NamedTuple

import psycopg

from books import Books
from domain.codec import type_of
from domain.evolve import fold
from domain.refusals import Refusal
from hall import GHOST, Hall, open_hall
from ledger.asked import Asked, Done
from ledger.database import Database
from ledger.embedded.server import Embedded
from loop_commands import command_of, told
from loop_model import Step
from loop_model_later import Expected, Model
from loop_steps import LOOPS, any_step, natural, unsettling

SEED = int(os.environ.get("HIRELEDGER_TEST_SEED", "7"))
STEPS = 400
REQUISITION = "r-1"
GROUP_MAX = 40
_WAITS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


class Planned(NamedTuple):
    """A step, the key it is sent with, and what must come of it; `again` is that of a replay."""

    step: Step
    key: str
    expected: Expected
    again: bool


def script(seed: int, head: int) -> list[Planned]:
    """Steps with what must come of them, one in ten of them a request that was sent before."""
    random, model = Random(seed), Model(head=head)
    planned: list[Planned] = []
    for number in range(STEPS):
        if planned and random.random() < 0.1:
            earlier = random.choice(planned[-60:])
            if earlier.expected.facts:
                planned.append(earlier._replace(again=True))
                continue
        luck = random.random()
        if luck < 0.55:
            step = natural(model, random.choice(LOOPS), random.choice)
        else:
            step = (unsettling if luck < 0.7 else any_step)(model, random.choice)
        planned.append(Planned(step, f"step-{number}", model.expect(step), again=False))
    return planned


@contextmanager
def opened(server: Embedded, directory: Path) -> Generator[Hall]:
    """A furnished ledger of its own; each has the same facts at the same positions."""
    database = Database.embedded(server, schema=f"t_{token_hex(6)}")
    database.prepare()
    with open_hall(database, directory) as hall:
        hall.people.setdefault(GHOST, "")
        hall.open_requisition(REQUISITION)
        yield hall


def requests(hall: Hall, planned: list[Planned]) -> list[Asked]:
    """What is sent; a request that is sent again is the very same."""
    made: dict[str, Asked] = {}
    for one in planned:
        if one.key not in made:
            command = command_of(one.step, REQUISITION)
            made[one.key] = hall.asked(one.step.who, command, one.key)
    return [made[one.key] for one in planned]


def outcome(answer: "Future[Done]") -> tuple[Any, ...]:
    """What came of it, told so that two runs can be compared."""
    error = answer.exception(60)
    if error is None:
        done = answer.result()
        types = tuple(type_of(one.fact) for one in done.recorded)
        return (types, tuple(one.position for one in done.recorded), done.replayed)
    assert isinstance(error, Refusal), error
    return (error.code,)


def in_groups(hall: Hall, asked: list[Asked], random: Random) -> list["Future[Done]"]:
    """Sends them in groups of any size, each while the log's lock is held by somebody else."""
    answers: list[Future[Done]] = []
    while len(answers) < len(asked):
        size = random.randint(1, GROUP_MAX)
        with hall.ledger.database.connect("runtime") as connection, connection.cursor() as cur:
            hall.ledger.store.recorder.lock(cur)
            group = asked[len(answers) : len(answers) + size]
            answers += [hall.ledger.submit(one) for one in group]
            until = time.monotonic() + 1
            while not _waits(connection) and time.monotonic() < until:
                time.sleep(0.002)
    return answers


def _waits(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    return bool(connection.execute(_WAITS).fetchall()[0][0])


def test_in_groups_the_same_comes_of_it_as_one_by_one(server: Embedded, tmp_path: Path) -> None:
    """Same answers at same positions, a request sent twice in one group included."""
    print(f"HIRELEDGER_TEST_SEED={SEED} repeats this run")
    with opened(server, tmp_path / "alone") as hall:
        began = hall.head()
        planned = script(SEED, began)
        started = time.monotonic()
        alone = [outcome(hall.ledger.submit(one)) for one in requests(hall, planned)]
        print(f"{len(planned) / (time.monotonic() - started):.0f} a second one by one")
    for one, found in zip(planned, alone, strict=True):
        _check(one, found)
    with opened(server, tmp_path / "grouped") as hall:
        assert hall.head() == began
        asked = requests(hall, planned)
        started = time.monotonic()
        grouped = [outcome(one) for one in in_groups(hall, asked, Random(SEED))]
        print(f"{len(planned) / (time.monotonic() - started):.0f} a second in groups")
        for one, by_itself, together in zip(planned, alone, grouped, strict=True):
            assert by_itself == together, told(one.step, one.expected)
        books = Books(hall.ledger)
        books.catch_up()
        assert fold(books.facts) == books.world
        assert _commits(hall, server, began) < (len(books.rows) - began) / 3


def _check(one: Planned, found: tuple[Any, ...]) -> None:
    expected = one.expected
    if expected.refusals and not one.again:
        assert found[0] in expected.refusals, (found, told(one.step, expected))
        return
    positions = range(expected.position, expected.position + len(expected.facts))
    wanted = (tuple(expected.facts), tuple(positions), one.again)
    assert found == wanted, (found, told(one.step, expected))


def _commits(hall: Hall, server: Embedded, after: int) -> int:
    """How many transactions recorded what came after a position."""
    with psycopg.connect(server.superuser_url()) as connection:
        query = "SELECT count(DISTINCT xmin::text) FROM {}.facts WHERE position > %s"
        schema = hall.ledger.database.schema
        return int(connection.execute(query.format(schema).encode(), [after]).fetchall()[0][0])
