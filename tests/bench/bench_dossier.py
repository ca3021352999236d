"""How large a dossier is, and how long it takes to make and to verify: `make bench` prints it.

The ledger has 100,000 facts, half of them before the loop and half after it, and the loop has 40.
"""

import secrets
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

from api.dossiers import Made, export
from domain import facts as f
from domain import tags
from domain.codec import encode, type_of
from facts_in_log import record
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.export_dossier import Audience, assemble, choose, loop_of, published_over
from ledger.proof.dossier import encode_dossier
from ledger.proof.verify import verify
from ledger.recorder import NewRow
from office import EVIDENCE, Office, decision, hours_ago, open_office, rules

FACTS = 100_000
LOOP_FACTS = 40
ROUNDS = 20


@pytest.fixture
def decided(passable_dir: Path, tmp_path: Path) -> Generator[tuple[Office, str]]:
    """The ledger, and the handle of the loop that was decided in it."""
    with Embedded.start(passable_dir / "bench-dossier", watch=False) as server:
        database = Database.embedded(server, schema=f"b_{secrets.token_hex(6)}")
        database.prepare()
        with open_office(database, tmp_path) as office:
            office.furnish()
            _fill(office, FACTS // 2 - office.ledger_head())
            handle = _decide(office)
            _fill(office, FACTS - office.ledger_head())
            yield office, handle


def _fill(office: Office, count: int) -> None:
    """So many facts that have nothing to do with the loop: audit reads, as a busy year has them."""
    stamp = f.Stamp(
        at=datetime.now(UTC),
        recorded=datetime.now(UTC),
        by=office.people["udo"],
        via="system",
        assurance="asserted",
        cause="r_" + "a" * 26,
        tags=(tags.viewer(office.people["udo"]),),
    )
    with office.ledger.database.connect("runtime") as connection:
        for start in range(0, count, 1000):
            read = range(start + 1, min(start + 1000, count) + 1)
            looks = [f.RecordViewed(stamp=stamp, what="facts", first=n, last=n) for n in read]
            rows = [NewRow(type_of(x), stamp.tags, encode(x), stamp.recorded) for x in looks]
            record(office.ledger.store.recorder, connection, rows)


def _decide(office: Office) -> str:
    """A loop with so many facts of its own, the decision included."""
    path = "/loops/one"
    handle = office.open("one")
    notice = {"rounds": 2, "attendees": ["ivan", "inga"], "decide_by": hours_ago(-200)}
    office.did("hana", f"{path}/process-notice", notice | {"at": hours_ago(30)})
    positions = office.write_feedback("one")
    office.did("hana", f"{path}/debrief")
    for _ in range(LOOP_FACTS - 14):
        said = {"text": EVIDENCE, "cites": positions}
        office.did("ivan", f"{path}/debrief/statements", said)
    office.did("hana", f"{path}/debrief/closing", {"dissent": "none"})
    office.did("hana", f"{path}/gates/evidence")
    reason = {"recommend": "hire", "reason": "Both saw it.", "cites": positions}
    office.did("hana", f"{path}/recommendations", reason)
    office.did("dora", f"{path}/decision", decision(positions))
    return handle


def _milliseconds(work: Callable[[], object]) -> tuple[float, float]:
    """The first time, and the median of those after it."""
    spent: list[float] = []
    for _ in range(ROUNDS + 1):
        started = perf_counter()
        work()
        spent.append((perf_counter() - started) * 1000)
    return spent[0], median(spent[1:])


def test_a_dossier_of_a_loop_of_40_facts_in_a_ledger_of_100_000(
    decided: tuple[Office, str],
) -> None:
    """Its size, the time to make it from the store, and the time to verify it."""
    office, handle = decided
    ledger = office.ledger
    assert office.ledger_head() >= FACTS
    ledger.publisher.checkpoint_at_least(office.ledger_head())

    def make() -> bytes:
        with ledger.reading() as group:
            chosen = choose(group, loop_of(group, handle))
        published = published_over(ledger, chosen.decision.position)
        with ledger.reading() as group:
            audience = Audience(person=None, knows_names=True)
            return encode_dossier(assemble(group, chosen, published, ledger.rules, audience))

    made: Made = export(ledger, handle)
    of_loop = [one for one in made.dossier.facts if f"loop:{handle}" in one.leaf]
    assert len(of_loop) == LOOP_FACTS
    vkeys = ledger.publisher.keys.vkeys
    first, making = _milliseconds(make)
    verdict = verify(made.raw, vkeys, None, rules(), now=datetime.now(UTC))
    assert verdict.accepted, verdict.failed
    _, verifying = _milliseconds(
        lambda: verify(made.raw, vkeys, None, rules(), now=datetime.now(UTC))
    )
    assert len(made.raw) < 200_000
    print(
        f"\n{len(made.dossier.facts)} facts, {len(of_loop)} of the loop, of {FACTS}:"
        f" {len(made.raw) / 1000:.0f} kB, made in {making:.0f} ms ({first:.0f} ms at first),"
        f" verified in {verifying:.0f} ms"
    )
