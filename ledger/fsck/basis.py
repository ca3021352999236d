"""What gates and decisions rested on: every basis asked again of the whole log.

A log proves that a fact is in; this proves that none was left out. The index of tags is not used:
each fact is held, by the tags in its bytes, against the items of every basis that reaches so far.
Memory grows with the number of bases, not with the log: of each only the right edge of its tree is
kept. Equal items of different bases are looked up once.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from domain.facts import AnyFact
from domain.findings import Basis, Item
from ledger.database import Database
from ledger.fsck.facts import readable
from ledger.fsck.pages import PAGE_FACTS, Rows
from ledger.fsck.report import PROBLEMS_SHOWN, Findings, Progress, Report, unheard
from ledger.proof.tree import RightEdge, leaf_hash

_LEAVES: Final = """
select position, leaf from {}.facts where position > %s order by position limit %s
"""
_COUNT: Final = "select count(*) from {}.facts"
_MARK: Final = b'"basis"'
_CURE: Final = (
    "Facts were put in, taken out or changed after it was decided, or it was decided without some "
    "of them. Run `hireledger fsck` for the first of the two; otherwise read the timeline up to "
    "this position, and record what follows from it: a correction, or the decision's reversal."
)


class _Stamp(msgspec.Struct):
    tags: tuple[str, ...]
    cause: str


class _Light(msgspec.Struct):
    """What of a fact decides whether a query matches it."""

    type: str
    stamp: _Stamp


_light: Final = msgspec.json.Decoder(_Light)


class _Rested:
    """One basis, and what was found for it so far."""

    __slots__ = ("basis", "cause", "edge", "last", "late", "position")

    def __init__(self, position: int, basis: Basis, cause: str) -> None:
        self.position = position
        self.basis = basis
        self.cause = cause
        self.edge = RightEdge()
        self.last = 0
        self.late = 0

    def add(self, position: int, digest: bytes, cause: str) -> None:
        """A fact that one of the items selects; each fact counts once."""
        if position == self.last:
            return
        self.last = position
        if position <= self.basis.upto:
            self.edge.add(digest)
        elif cause != self.cause:
            self.late = self.late or position


class _Asked:
    """One item, and every basis that has it: the one that ends first stands last."""

    __slots__ = ("others", "rested", "types")

    def __init__(self, item: Item) -> None:
        self.types = frozenset(item.types)
        self.others = frozenset(item.tags[1:])
        self.rested: list[_Rested] = []

    def open_at(self, position: int) -> list[_Rested]:
        """Those that a fact at this position can belong to; the others are let go of."""
        while self.rested and self.rested[-1].position <= position:
            self.rested.pop()
        return self.rested


class Bases:
    """Every basis of a log."""

    def __init__(self) -> None:
        self._rested: list[_Rested] = []

    def collect(self, position: int, leaf: bytes, fact: AnyFact | None) -> None:
        """Take the basis of a fact, if it has one; in the order of positions."""
        if _MARK in leaf:
            basis = getattr(fact, "basis", None)
            if fact is not None and isinstance(basis, Basis):
                self._rested.append(_Rested(position, basis, fact.stamp.cause))

    def check(self, facts: Iterable[tuple[int, bytes]], findings: Findings) -> None:
        """Hold (position, leaf) of the whole log, in order, against every basis."""
        findings.begin("basis")
        findings.rows["bases"] += len(self._rested)
        by_tag = self._by_tag()
        for position, leaf in facts:
            self._hold(position, leaf, by_tag)
        for one in self._rested:
            for said in _wrong_with(one):
                findings.add("basis", said, _CURE, position=one.position)

    def _by_tag(self) -> dict[str | None, list[_Asked]]:
        """Items by their first tag; those that name none are looked up for every fact."""
        asked: dict[Item, _Asked] = {}
        by_tag: dict[str | None, list[_Asked]] = {}
        for one in reversed(self._rested):
            for item in dict.fromkeys(one.basis.items):
                if item not in asked:
                    asked[item] = _Asked(item)
                    first = item.tags[0] if item.tags else None
                    by_tag.setdefault(first, []).append(asked[item])
                asked[item].rested.append(one)
        return by_tag

    @staticmethod
    def _hold(position: int, leaf: bytes, by_tag: dict[str | None, list[_Asked]]) -> None:
        try:
            fact = _light.decode(leaf)
        except (msgspec.MsgspecError, ValueError):
            return  # no query finds it; whoever rested on it does not get its root
        tags = fact.stamp.tags
        digest: bytes | None = None
        for tag in (*dict.fromkeys(tags), None):
            for asked in by_tag.get(tag, ()):
                if asked.types and fact.type not in asked.types:
                    continue
                if not asked.others.issubset(tags):
                    continue
                for one in asked.open_at(position):
                    digest = digest or leaf_hash(leaf)
                    one.add(position, digest, fact.stamp.cause)


def _wrong_with(one: _Rested) -> Iterator[str]:
    basis, found = one.basis, one.edge
    if basis.upto >= one.position:
        yield "Its basis reaches up to itself or beyond."
    elif found.size != basis.count:
        yield f"Its basis is over {basis.count} facts, but {found.size} in the log match its query."
    elif base64.b64encode(found.root()).decode() != basis.root:
        yield "Its basis has another root than the facts in the log that match its query."
    elif one.late:
        yield f"The fact at position {one.late} matches its query and came before it, unread."


class _Read(NamedTuple):
    position: int
    leaf: bytes


def leaves(rows: Rows, progress: Progress = unheard, of: int = 0) -> Iterator[tuple[int, bytes]]:
    """(position, leaf) of the whole log in order, a page in memory at a time."""
    after, done = 0, 0
    while page := [_Read(*row) for row in rows.all(_LEAVES, after, PAGE_FACTS)]:
        yield from page
        after, done = page[-1].position, done + len(page)
        progress(done, of)


def monitor(
    connection: Connection[TupleRow],
    database: Database,
    *,
    limit: int = PROBLEMS_SHOWN,
    progress: Progress = unheard,
) -> Report:
    """Check every basis and nothing else; for arguments see `ledger.fsck.check.fsck`.

    Reads the log twice: first the bases, then what they must have been over.
    """
    rows, findings, bases = Rows(connection, database.schema), Findings(limit), Bases()
    ((count,),) = rows.all(_COUNT)
    whole = RightEdge()
    for position, leaf in leaves(rows, progress, 2 * count):
        whole.add(leaf_hash(leaf))
        if position != whole.size:
            findings.begin("basis")
            findings.add(
                "facts",
                "Facts are missing from the log, so nothing can be said of what rests on it.",
                "Run `hireledger fsck`, restore them, and run this again.",
                position=whole.size,
            )
            return findings.report(database.schema, count, "")
        bases.collect(position, leaf, readable(leaf) if _MARK in leaf else None)
    findings.rows["facts"] += count
    bases.check(leaves(rows, lambda done, of: progress(count + done, of), 2 * count), findings)
    return findings.report(database.schema, count, base64.b64encode(whole.root()).decode())
