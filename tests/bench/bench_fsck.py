"""How fast fsck and its monitor of bases are, beside only reading the same log: `make bench`.

Each figure is facts a second in one process beside its server, and how many times as long it takes
as a plain read of positions, types, tags and leaves by the same code that followers use.
"""

import base64
import secrets
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter

import pytest
from msgspec.structs import replace

from checked import fscked
from domain import commands as c
from domain import facts as f
from domain.boundary import LOOP_TYPES
from domain.codec import encode, type_of
from domain.facts import AnyFact
from domain.findings import Basis, Item
from domain.values import SYSTEM
from golden import every_fact
from ledger.asked import Asked, Caller
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.first_start import first_start
from ledger.fsck.basis import monitor
from ledger.fsck.check import snapshot
from ledger.ledger import Ledger
from ledger.personal.keyring import KeyRing
from ledger.proof.tree import basis_root
from ledger.publish import Publishing
from ledger.recorder import NewRow, Recorder
from policies import load

IMPORTED = 50_000
LOOPS = 5_000
LOOP_FACTS = 20
IMPORTER = Caller(SYSTEM, SYSTEM, "system", frozenset({"administrator", "recorder"}))
GATE = next(one for one in every_fact() if isinstance(one, f.EvidenceGatePassed))
OTHERS = [one for one in every_fact() if type_of(one) in LOOP_TYPES and not hasattr(one, "basis")]
RUBRIC = [one for one in every_fact() if isinstance(one, f.PolicySetAdopted | f.PromptVersioned)]


@pytest.fixture(scope="module")
def kept(passable_dir: Path) -> Generator[Embedded]:
    """A server of its own."""
    with Embedded.start(passable_dir / "bench-fsck", watch=False) as running:
        yield running


@pytest.fixture
def database(kept: Embedded) -> Database:
    """A fresh ledger."""
    made = Database.embedded(kept, schema=f"b_{secrets.token_hex(6)}")
    made.prepare()
    return made


def timed(work: Callable[[], object]) -> float:
    """How long it takes, in seconds; the better of two."""
    best = float("inf")
    for _ in range(2):
        started = perf_counter()
        work()
        best = min(best, perf_counter() - started)
    return best


def read(database: Database) -> int:
    """The whole log, a page at a time; how many facts."""
    with database.connect("runtime") as connection:
        pages = Recorder(database).stream(connection, after=0)
        return sum(len(page) for page in pages)


def tell(what: str, facts: int, seconds: float, reading: float) -> None:
    """One line of the report."""
    print(f"\n{what}: {facts / seconds:.0f} facts a second, {seconds / reading:.1f} times reading")


def test_fsck_over_imported_records(database: Database, tmp_path: Path) -> None:
    """Every check, over facts with two sealed values each, as the importer records them."""
    keyring, publishing = KeyRing.open(tmp_path / "keys"), Publishing.of(tmp_path)
    with Ledger(database, keyring, load(), publishing) as ledger:
        first_start(ledger, tmp_path / "admin.key")
        events = (_event(number) for number in range(IMPORTED))
        while asked := list(islice(events, 512)):
            for going in [ledger.submit(one) for one in asked]:
                going.result()
        seconds = timed(lambda: fscked(ledger))
        report = fscked(ledger)
    assert report.sound
    assert report.facts == IMPORTED + 2
    tell("fsck", report.facts, seconds, timed(lambda: read(database)))


def _event(number: int) -> Asked:
    place = number % 6
    record = c.ImportRecord(
        system="elsewhere",
        log="bench",
        case=f"case-{number // 6}",
        place=place,
        activity="Interview",
        claimed_at=datetime(2020, 1, 1 + place, tzinfo=UTC),
        resource=f"Recruiter {number % 31}",
        attributes=(c.AttributeSpec(name="citizen", value="true"),),
    )
    return Asked(record, IMPORTER, f"event-{number}", b"")


def test_bases_over_many_decisions(database: Database) -> None:
    """Gates of loops that run beside each other, each over its loop and the rubric."""
    recorder = Recorder(database)
    rows = _log()
    with database.connect("runtime") as connection, connection.cursor() as cur:
        while page := list(islice(rows, 5_000)):
            recorder.lock(cur)
            recorder.insert(cur, page)
            connection.commit()

    def check() -> None:
        with snapshot(database) as snapped:
            report = monitor(snapped, database)
        assert report.sound
        assert report.rows["bases"] == LOOPS

    facts = LOOPS * LOOP_FACTS + len(RUBRIC)
    tell("fsck --basis", facts, timed(check), timed(lambda: read(database)))


def _log() -> Iterator[NewRow]:
    """Rubric first, then loops that run beside each other, 200 at a time."""
    shared: list[bytes] = []
    for one in RUBRIC:
        row = _row(one, "policy-sets", "prompt:p")
        shared.append(row.leaf)
        yield row
    position = len(RUBRIC)
    for begin in range(0, LOOPS, 200):
        loops = {number: list(shared) for number in range(begin, min(begin + 200, LOOPS))}
        for step in range(LOOP_FACTS):
            for number, leaves in loops.items():
                fact: AnyFact = OTHERS[(number + step) % len(OTHERS)]
                if step == LOOP_FACTS - 1:
                    fact = replace(GATE, basis=_basis(number, leaves, position))
                row = _row(fact, f"loop:{number}", "requisition:evergreen")
                leaves.append(row.leaf)
                position += 1
                yield row


def _basis(number: int, leaves: list[bytes], upto: int) -> Basis:
    items = (
        Item(types=LOOP_TYPES, tags=(f"loop:{number}",)),
        Item(types=("requisition-opened.v1",), tags=("requisition:evergreen",)),
        Item(types=tuple(type_of(one) for one in RUBRIC), tags=("policy-sets",)),
        Item(types=("prompt-versioned.v1",), tags=("prompt:p",)),
    )
    root = base64.b64encode(basis_root(leaves)).decode()
    return Basis(items=items, upto=upto, count=len(leaves), root=root)


def _row(fact: AnyFact, *tags: str) -> NewRow:
    told = replace(fact, stamp=replace(fact.stamp, tags=tags))
    return NewRow(type_of(told), tags, encode(told), told.stamp.recorded)
