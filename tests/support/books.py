"""The whole log checked against itself, by other code than the product's where that matters.

`Books.catch_up()` reads the rows that are new and checks each: dense positions, hashes of the exact
bytes, clocks, tags, every basis, and every verdict judged again.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.codec import Recorded, decode, type_of
from domain.decide.intent import RecordedIntent
from domain.evolve import evolve
from domain.findings import Basis
from domain.state import World
from ledger.ledger import Ledger

_ROWS = "SELECT position, type, tags, leaf, leaf_hash, recorded FROM facts WHERE position > %s"
_TAGS = "SELECT position, array_agg(tag) FROM fact_tags WHERE position > %s GROUP BY position"
_encoder = msgspec.json.Encoder(order="deterministic")


def root_of(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


@dataclass
class Books:
    """All rows of a ledger, and the state they add up to."""

    ledger: Ledger
    rows: list[tuple[str, set[str], bytes]] = field(
        default_factory=list[tuple[str, set[str], bytes]]
    )
    facts: list[Recorded] = field(default_factory=list[Recorded])
    world: World = field(default_factory=World)
    verdicts: int = 0
    bases: int = 0

    def catch_up(self) -> None:
        """Check what was recorded since the last time."""
        with self.ledger.database.connect("runtime") as connection:
            new = connection.execute(f"{_ROWS} ORDER BY position".encode(), [len(self.rows)])
            tagged = connection.execute(_TAGS.encode(), [len(self.rows)]).fetchall()
            tags: dict[int, list[str]] = dict(tagged)
            for position, type_, given, leaf, leaf_hash, recorded in new.fetchall():
                assert position == len(self.rows) + 1, "a position is missing"
                assert leaf_hash == hashlib.sha256(b"\x00" + leaf).digest()
                assert sorted(tags.get(position, [])) == sorted(set(given))
                self._check_fact(position, type_, tuple(given), leaf, recorded)

    def _check_fact(
        self, position: int, type_: str, tags: tuple[str, ...], leaf: bytes, recorded: datetime
    ) -> None:
        fact = decode(leaf)
        assert (type_of(fact), fact.stamp.tags) == (type_, tags), position
        assert fact.stamp.recorded == recorded.astimezone(UTC)
        before = self.world.last_recorded
        assert before is None or before <= recorded, "the ledger's clock stepped back"
        basis: Basis | None = getattr(fact, "basis", None)
        if basis is not None:
            self._check_basis(position, basis)
        if isinstance(fact, RecordedIntent):
            self._check_verdict(fact, leaf)
        self.rows.append((type_, set(tags), leaf))
        self.facts.append(Recorded(position, fact))
        self.world = evolve(self.world, self.facts[-1])

    def _check_basis(self, position: int, basis: Basis) -> None:
        """The query, run over the whole log, gives as many facts and the same root."""
        assert basis.upto == position - 1
        selected = [
            leaf
            for type_, tags, leaf in self.rows
            if any(type_ in item.types and tags >= set(item.tags) for item in basis.items)
        ]
        assert len(selected) == basis.count
        wanted = msgspec.json.encode(root_of(selected)).strip(b'"').decode()
        assert basis.root == wanted
        self.bases += 1

    def _check_verdict(self, fact: Any, leaf: bytes) -> None:
        """Judged again on everything before it, it comes to the very bytes in the leaf."""
        again = self.ledger.rules.replay(fact, self.world, tuple(self.facts))
        assert b'"judged":' + _encoder.encode(again) in leaf, type_of(fact)
        self.verdicts += 1
