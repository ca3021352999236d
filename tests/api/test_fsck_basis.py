"""What gates and decisions rested on, asked again of the whole log: nothing more, nothing less."""

import base64
import random
from collections.abc import Sequence
from functools import cache

import psycopg
import pytest
from msgspec.structs import replace

from checked import fscked, said_of
from domain import facts as f
from domain.codec import decode, encode, type_of
from domain.findings import Basis, Item
from golden import every_fact
from ledger.embedded.server import Embedded
from ledger.fsck.basis import Bases, monitor
from ledger.fsck.check import snapshot
from ledger.fsck.report import Findings, Report
from ledger.proof.tree import basis_root
from office import Office, decision

TAGS = ("loop:a", "loop:b", "requisition:r", "policy-sets", "viewer:v")
FACTS = [one for one in every_fact() if not hasattr(one, "basis")]
(GATE,) = (one for one in every_fact() if isinstance(one, f.EvidenceGatePassed))


def monitored(office: Office) -> Report:
    """What the monitor says of an office's ledger."""
    with snapshot(office.ledger.database) as connection:
        return monitor(connection, office.ledger.database)


def decided(office: Office) -> int:
    """A loop from opening to decision; the decision's position."""
    cites = office.ready("a")
    return office.did("dora", "/loops/a/decision", decision(cites)).position


def test_every_basis_of_a_recorded_loop_holds(office: Office) -> None:
    """Gate, refused decision and decision, each over all that its query finds."""
    office.open("b")
    assert office.post("dora", "/loops/b/decision", decision()).status == 409
    decided(office)
    report = monitored(office)
    assert report.sound, said_of(report)
    assert (report.rows["facts"], report.rows["bases"]) == (office.ledger_head(), 3)
    assert report.root == fscked(office.ledger).root


def test_a_decision_that_was_made_without_a_fact_is_named(server: Embedded, office: Office) -> None:
    """The index hid a fact while it was decided and has it again: no row is wrong, and yet."""
    cites = office.ready("a")
    hidden = cites[0] - 2
    schema = office.ledger.database.schema
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute(f"set search_path = {schema}".encode())
        rows = connection.execute("select * from fact_tags where position = %s", [hidden])
        kept = rows.fetchall()
        guards(connection, on=False)
        connection.execute("delete from fact_tags where position = %s", [hidden])
        made = office.did("dora", "/loops/a/decision", decision(cites)).position
        with connection.cursor() as cur:
            cur.executemany("insert into fact_tags values (%s, %s, %s)", kept)
        guards(connection, on=True)
    for report in (monitored(office), fscked(office.ledger)):
        assert [(one.check, one.position) for one in report.problems] == [("basis", made)]


def guards(connection: psycopg.Connection, *, on: bool) -> None:
    """The triggers of the index of tags."""
    if not on:
        connection.execute("alter table fact_tags disable trigger all")
        return
    connection.execute("alter table fact_tags enable trigger all")
    connection.execute("alter table fact_tags enable always trigger fact_tags_stay")


def test_a_missing_fact_stops_the_monitor(server: Embedded, office: Office) -> None:
    """What is not there can be held against no query; the monitor says where the gap is."""
    decided(office)
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"set search_path = {office.ledger.database.schema}".encode())
        connection.execute("alter table facts disable trigger all")
        connection.execute("delete from facts where position = 7")
        report = monitor(connection, office.ledger.database)
        connection.rollback()
    assert [(one.check, one.position) for one in report.problems] == [("facts", 7)]


# ---------------------------------------------------------------- against a plain reading


class Told:
    """A log in memory with a gate at every tenth position, each with a random query."""

    def __init__(self, seed: int, count: int = 200) -> None:
        self.chance = random.Random(seed)
        self.leaves: list[bytes] = []
        self.bases: dict[int, Basis] = {}
        for position in range(1, count + 1):
            fact = GATE if position % 10 == 0 else self.chance.choice(FACTS)
            tags = tuple(self.chance.choices(TAGS, k=self.chance.randrange(4)))
            stamp = replace(fact.stamp, tags=tags, cause="r_" + "abcdefghij"[position % 10] * 26)
            fact = replace(fact, stamp=stamp)
            if isinstance(fact, f.EvidenceGatePassed):
                items = tuple(self._item() for _ in range(self.chance.randrange(1, 5)))
                self.bases[position] = self.plain(items, position - 1)
                fact = replace(fact, basis=self.bases[position])
            self.leaves.append(encode(fact))

    def _item(self) -> Item:
        types = [type_of(fact) for fact in self.chance.choices(FACTS, k=12)]
        tags = self.chance.choices(TAGS, k=self.chance.choice([0, 1, 1, 1, 2]))
        return Item(types=tuple(types if self.chance.random() < 0.6 else ()), tags=tuple(tags))

    def plain(self, items: Sequence[Item], upto: int) -> Basis:
        """The basis that a query has, by asking each item about each fact."""
        found: list[bytes] = []
        for leaf in self.leaves[:upto]:
            said = self._said(leaf)
            if any(item.matches(*said) for item in items):
                found.append(leaf)
        root = base64.b64encode(basis_root(found)).decode()
        return Basis(items=tuple(items), upto=upto, count=len(found), root=root)

    @staticmethod
    @cache
    def _said(leaf: bytes) -> tuple[str, tuple[str, ...]]:
        fact = decode(leaf)
        return type_of(fact), fact.stamp.tags

    def wrong(self) -> set[int]:
        """Where the monitor says that a basis does not hold."""
        bases, findings = Bases(), Findings()
        for position, leaf in enumerate(self.leaves, 1):
            bases.collect(position, leaf, decode(leaf))
        bases.check(enumerate(self.leaves, 1), findings)
        return {one.position or 0 for one in findings.report("", 0, "").problems}


@pytest.mark.parametrize("seed", range(8))
def test_queries_find_what_a_plain_reading_finds(seed: int) -> None:
    """Several items and tags, repeated and none, any type: same facts, counted once, same root."""
    told = Told(seed)
    assert told.wrong() == set()
    assert sum(basis.count for basis in told.bases.values()) > 100


@pytest.mark.parametrize("seed", range(8))
def test_exactly_the_bases_over_a_changed_fact_are_named(seed: int) -> None:
    """Bytes changed, tags lost or gained: each basis that a plain reading refutes, and no other."""
    told = Told(seed)
    for _ in range(5):
        at = told.chance.randrange(len(told.leaves))
        before = told.leaves[at]
        fact = decode(before)
        tags = tuple(told.chance.choices(TAGS, k=2))
        told.leaves[at] = encode(replace(fact, stamp=replace(fact.stamp, tags=tags)))
        refuted = {
            position
            for position, basis in told.bases.items()
            if told.plain(basis.items, basis.upto) != basis
        }
        assert told.wrong() == refuted
        told.leaves[at] = before


def test_a_basis_that_reaches_beyond_itself_or_not_far_enough_is_named() -> None:
    """It rests on what was there before it, and on all of it, but for what came with it."""
    told = Told(1)
    for short, named in ((0, False), (3, True), (-1, True)):
        items = (Item(types=(), tags=()),)
        basis = told.plain(items, 100 - 1 - short)
        gate = decode(told.leaves[99])
        assert isinstance(gate, f.EvidenceGatePassed)
        told.leaves[99] = encode(replace(gate, basis=basis))
        assert (100 in told.wrong()) == named
    # What the same request recorded just before it belongs to it.
    basis = told.plain((Item(types=(), tags=()),), 98)
    cause = "r_" + "z" * 26
    for at in (98, 99):
        fact = decode(told.leaves[at])
        fact = replace(fact, stamp=replace(fact.stamp, cause=cause))
        fact = replace(fact, basis=basis) if isinstance(fact, f.EvidenceGatePassed) else fact
        told.leaves[at] = encode(fact)
    assert 100 not in told.wrong()
