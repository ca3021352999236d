"""What comes of erasures at the same instant as holds, words, other erasures, and under load."""

import queue
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from domain import commands as c
from domain import facts as f
from domain.refusals import Exists, Missing, RefusedByRule
from erasures import NOTHING, erasing, rows_of
from hall import Hall, open_hall, open_ledger
from ledger.asked import Done
from ledger.database import Database
from ledger.embedded.server import Embedded


@pytest.fixture(scope="module")
def database(server: Embedded) -> Database:
    """One ledger for all tests of this file; each opens loops of its own."""
    made_here = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    made_here.prepare()
    return made_here


@pytest.fixture(scope="module")
def both_halls(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Hall, Hall]]:
    """Two processes on it, with a requisition."""
    directory = tmp_path_factory.mktemp("races")
    with open_hall(database, directory) as hall, open_ledger(database, directory) as other:
        hall.open_requisition("r-1")
        yield hall, Hall(other, hall.people, number=100_000)


@pytest.fixture
def hall(both_halls: tuple[Hall, Hall]) -> Hall:
    """The one process."""
    return both_halls[0]


@pytest.fixture
def beside(both_halls: tuple[Hall, Hall]) -> Hall:
    """The other process."""
    return both_halls[1]


def both(*asked: "tuple[Hall, str, c.AnyCommand]") -> list[Done | Exception]:
    """What comes of commands that are asked of several processes at once."""
    answers: list[Done | Exception | None] = [None] * len(asked)
    barrier = threading.Barrier(len(asked))

    def ask(number: int) -> None:
        hall, who, command = asked[number]
        barrier.wait()
        try:
            answers[number] = hall.ask(who, command).result(30)
        except Exception as error:  # noqa: BLE001  (it is what came of it)
            answers[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for one in answers if one is not None]


def test_a_hold_placed_at_the_same_instant_never_slips(hall: Hall, beside: Hall) -> None:
    """Either the hold came first and nobody was erased, or nobody was left to hold."""
    held = 0
    for number in range(8):
        slug = f"l10-{number}"
        hall.open_loop(slug, "r-1")
        candidate = f"candidate-of-{slug}"
        hold = c.PlaceHold(id=f"m10-{number}", matter="A matter", candidates=(candidate,))
        placed, erased = both((hall, "paul", hold), (beside, "paul", erasing(candidate)))
        assert isinstance(placed, Done) != isinstance(erased, Done), (placed, erased)
        if isinstance(placed, Done):
            held += 1
            assert isinstance(erased, RefusedByRule)
            (finding,) = erased.findings
            assert finding.positions == (placed.recorded[0].position,)
    print(held, "of 8 holds came first")


def test_two_erasures_at_once_are_one(database: Database, hall: Hall, beside: Hall) -> None:
    """The person is erased once, and the other request hears that there is nobody."""
    for number in range(8):
        opened = hall.open_loop(f"l11-{number}", "r-1")
        command = erasing(f"candidate-of-l11-{number}")
        answers = both((hall, "paul", command), (beside, "paul", command))
        assert sorted(isinstance(one, Done) for one in answers) == [False, True]
        assert any(isinstance(one, Missing | Exists) for one in answers)
        assert rows_of(database, opened.candidate) == NOTHING


def test_words_said_while_somebody_is_erased_leave_no_key(
    database: Database, hall: Hall, beside: Hall
) -> None:
    """Words and erasure race in two processes: whichever is first, nothing of the person stays."""
    for number in range(8):
        opened = hall.open_loop(f"l12-{number}", "r-1")
        told = c.ReportWithdrawal(loop=opened.loop, code="x", reason="Another offer.")
        said, erased = both(
            (hall, "hana", told), (beside, "paul", erasing(f"candidate-of-l12-{number}"))
        )
        assert isinstance(erased, Done), erased
        assert isinstance(said, Done | RefusedByRule), said
        assert rows_of(database, opened.candidate) == NOTHING


def test_erasing_under_load_leaves_the_erased_nothing_and_the_others_everything(
    database: Database, hall: Hall, beside: Hall
) -> None:
    """Two processes open loops and record words while every other person is erased."""
    opened: queue.SimpleQueue[f.LoopOpened | None] = queue.SimpleQueue()
    gone: list[f.LoopOpened] = []
    kept: list[f.LoopOpened] = []

    def record(process: Hall, name: str) -> None:
        for number in range(12):
            loop = process.open_loop(f"{name}-{number}", "r-1")
            (gone if number % 2 else kept).append(loop)
            if number % 2:
                opened.put(loop)
            words = c.MakeStatement(loop=loop.loop, text="She argued it well.", cites=())
            debriefs = (words, c.OpenDebrief(loop=loop.loop), words)
            for answer in [process.ask("hana", one) for one in debriefs]:
                refusal = answer.exception(60)
                assert refusal is None or isinstance(refusal, RefusedByRule), refusal

    def erase_them() -> None:
        while (loop := opened.get()) is not None:
            assert beside.ask("paul", erasing(loop.candidate)).exception(60) is None

    with ThreadPoolExecutor() as pool:
        eraser = pool.submit(erase_them)
        writers = [pool.submit(record, one, name) for one, name in ((hall, "x"), (beside, "y"))]
        for writer in writers:
            writer.result()
        opened.put(None)
        eraser.result()
    assert len(gone) == len(kept) == 12
    for loop in gone:
        assert rows_of(database, loop.candidate) == NOTHING
    for loop in kept:
        assert rows_of(database, loop.candidate) == {
            "subject_keys": 1,
            "disclosures": 4,
            "aliases": 2,
        }
