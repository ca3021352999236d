"""The log itself: dense positions, one writer at a time, boundaries answered from an index.

The steps run inside the caller's own transaction, so that facts commit together with whatever
belongs to them (side rows, request keys). Appending also advances the tree over the facts: what is
recorded is integrated, at once and in the same statement.

Why a follower misses nothing: whoever inserts holds the schema's advisory lock from before it
reads the head until its commit is visible. So positions become visible in their order, a rollback
gives its positions back, and whoever sees position n sees all below it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from time import monotonic
from typing import Any, Final, NamedTuple

from psycopg import Cursor, sql
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from domain.findings import Item
from ledger._log_sql import HOLDERS, LAST, LogSql, Statement, lock_name
from ledger.database import Connection
from ledger.errors import LedgerError, LogDamaged
from ledger.growth import Tip, as_given, grow, removed, require_whole
from ledger.proof.tree import leaf_hash

PAGE_FACTS: Final = 500
"""Facts read in one go, so that a read of any length needs the memory of one page."""

PLANS_KEPT_FROM: Final = 10_000
"""Facts in the log from which the server may keep the plans of queries.

A plan made for a small log reads whole tables, and would be kept while the log grows: measured at
60,000 facts, such a plan takes 140 ms where 0.5 ms do.
"""

TIP_PLANS_KEPT_FROM: Final = 1_000
"""Facts from which it may keep plans that only look at the last fact: these go wrong much less."""


class LockNotHeld(LedgerError):
    """Facts were to be inserted by a transaction that does not hold the log's lock."""


class ClockWentBack(LedgerError):
    """A fact's `recorded` lies before that of the fact before it."""


class TipMoved(LedgerError):
    """Facts were appended by somebody else after the tip was read."""


class NewRow(NamedTuple):
    """A fact on its way into the log."""

    type: str
    tags: tuple[str, ...]
    leaf: bytes
    """The exact bytes that are hashed and kept; at most 65,535."""
    recorded: datetime
    """The ledger's clock, with a zone; never before that of the fact before it."""


class Row(NamedTuple):
    """A fact in the log, in the bytes it was recorded with."""

    position: int
    """1-based and dense; the leaf's index is one less."""
    type: str
    tags: tuple[str, ...]
    leaf: bytes


class Log:
    """The log of one ledger. One object serves any number of threads."""

    def __init__(self, schema: str) -> None:
        self._sql = LogSql(schema)
        self._key = lock_name(schema)
        # A channel belongs to the whole database, and its name has at most 63 letters.
        self._channel = f"hireledger_{hashlib.sha256(self._key.encode()).hexdigest()[:32]}"
        self._length_seen = 0

    # ---------------------------------------------------------------- in the caller's transaction

    def lock(self, cur: Cursor[TupleRow]) -> datetime:
        """Wait for the log's lock, hold it until this transaction ends; the store's clock then.

        Raises:
            LockNotHeld: there is no transaction, or one that could not see what was committed last.
        """
        cur.execute(self._sql.lock, {"key": self._key}, prepare=True)
        *_, isolation, clock = _row(cur)
        if isolation != "read committed":
            raise LockNotHeld(
                f"The log's lock was taken in a transaction whose isolation is {isolation}: its "
                "snapshot is older than the lock, so it would not see the last facts. Begin the "
                "transaction with READ COMMITTED."
            )
        if cur.connection.info.transaction_status == TransactionStatus.IDLE:
            raise LockNotHeld(
                "The log's lock was taken outside a transaction and is already gone. Take it "
                "inside one, on a connection without autocommit or in `connection.transaction()`."
            )
        time: datetime = clock
        return time

    def held_by(self, cur: Cursor[TupleRow]) -> str:
        """Who holds the log's lock at this moment, in words: by name and process of the store."""
        found = cur.execute(HOLDERS, {"key": self._key}).fetchall()
        return " and ".join(f"{name} (process {pid})" for name, pid in found) or "somebody"

    def head(self, cur: Cursor[TupleRow]) -> int:
        """The last position that this transaction sees; 0 when the log is empty."""
        head: int = self._tip(cur, self._sql.head).fetchall()[0][0]
        self._length_seen = max(self._length_seen, head)
        return head

    def tip(self, cur: Cursor[TupleRow]) -> Tip:
        """The end of the log that this transaction sees; under the lock, the end of the log."""
        tip = Tip(*self._tip(cur, self._sql.tip).fetchall()[0])
        self._length_seen = max(self._length_seen, tip.head)
        return tip

    def last_recorded(self, cur: Cursor[TupleRow]) -> datetime | None:
        """When the last fact was recorded; None when the log is empty."""
        return self.tip(cur).recorded

    def select(
        self,
        cur: Cursor[TupleRow],
        items: Sequence[Item],
        *,
        after: int = 0,
        upto: int | None = None,
    ) -> list[Row]:
        """The facts in (after, upto] that match any item, ascending, each once.

        A fact matches when its type is among the item's (none: any) and it carries all its tags.

        Raises:
            ValueError: an item has no tag: a boundary must not name the whole log.
        """
        _require_tags(items)
        if not items:
            return []
        positions = self._sql.matching(items, after, LAST if upto is None else upto)
        return self._rows(cur, self._sql.facts_at(positions), one_plan=_one_tag_each(items))

    def moved(self, cur: Cursor[TupleRow], items: Sequence[Item], after: int) -> bool:
        """Whether anything that matches any item was recorded after that position.

        Raises:
            ValueError: an item has no tag.
        """
        _require_tags(items)
        return bool(items) and self._any(cur, items, after)

    def insert(
        self, cur: Cursor[TupleRow], rows: Sequence[NewRow], tip: Tip | None = None
    ) -> list[int]:
        """Append facts and advance the tree, in one round trip.

        The caller commits, and that wakes the followers. A tag given twice is one tag when facts
        are searched.

        Args:
            cur: in a transaction that holds the lock.
            rows: the facts in order.
            tip: the end of the log, read at any time before; if None it is read now.

        Returns:
            Their positions in order: head + 1 and on, without a gap.

        Raises:
            LockNotHeld: `lock` was not called in this transaction; nothing was inserted.
            TipMoved: the tip is not the end of the log; likewise.
            ClockWentBack: a fact's `recorded` is before that of the fact before it; likewise.
            LogDamaged: the tree is not over all facts; likewise.
            psycopg.errors.CheckViolation: a leaf is too long; the transaction must be rolled back.
        """
        if not rows:
            return []
        tip = tip or self.tip(cur)
        _require_time(rows, tip.recorded)
        require_whole(tip)
        hashes = [leaf_hash(row.leaf) for row in rows]
        growth = grow(tip, hashes)
        given = {
            "key": self._key,
            "channel": self._channel,
            "head": tip.head,
            "types": [row.type for row in rows],
            "tags": [_array(row.tags) for row in rows],
            "leaves": [row.leaf for row in rows],
            "hashes": hashes,
            "recorded": [row.recorded for row in rows],
            **as_given(growth),
        }
        repeating = any(len(set(row.tags)) < len(row.tags) for row in rows)
        text = self._sql.insert_repeating if repeating else self._sql.insert
        cur.execute(text, given, prepare=self._plans(TIP_PLANS_KEPT_FROM))
        head, held, _ = _row(cur)
        self._length_seen = max(self._length_seen, head)
        if not held:
            raise LockNotHeld(
                "Facts were to be appended without the log's lock, so another writer could have "
                "taken the same positions. Call `lock` first, in the same transaction."
            )
        if head != tip.head:
            raise TipMoved(
                f"Facts were to be appended after position {tip.head}, but by now the log has "
                f"{head}. Read the tip again, and decide again, under the lock."
            )
        # The facts are there, for this transaction alone. It holds the lock until it has committed,
        # so nobody else gives out these positions; a crash here gives them back.
        return list(range(head + 1, head + 1 + len(rows)))

    def fetch(self, cur: Cursor[TupleRow], positions: Sequence[int]) -> list[Row]:
        """The facts at these positions, ascending, each once; those not in the log are left out."""
        return self._rows(cur, Statement(self._sql.fetch, [list(positions)]))

    # ---------------------------------------------------------------- on a follower's connection

    def stream(
        self,
        connection: Connection,
        *,
        after: int,
        upto: int | None = None,
        batch: int = PAGE_FACTS,
    ) -> Iterator[list[Row]]:
        """The facts in (after, upto] in order, `batch` at a time, to the end as it is by then.

        Holds one batch in memory. Without autocommit the caller's transaction stays open.

        Raises:
            LogDamaged: a position is missing, which only a superuser can bring about.
        """
        end = LAST if upto is None else upto
        while after < end:
            with connection.cursor() as cur:
                rows = self._rows(cur, Statement(self._sql.page, [after, end, batch]))
            if not rows:
                return
            last = rows[-1].position
            if last != after + len(rows):
                raise LogDamaged(removed(after + 1, last, len(rows)))
            yield rows
            after = last

    def wait(self, connection: Connection, after: int, timeout: float) -> bool:
        """Wait until a fact after that position is in the log.

        Args:
            connection: in autocommit, the follower's own: from now on it listens.
            after: the last position that the follower has.
            timeout: seconds; 0 only looks.

        Returns:
            Whether there is such a fact; False only when the time is over.

        Raises:
            ValueError: the connection is not in autocommit, so it would never hear anything.
        """
        if not connection.autocommit:
            raise ValueError("A follower must connect with autocommit=True to hear of new facts.")
        deadline = monotonic() + timeout
        # Listen, then look: what commits before the look is seen, what commits later is heard.
        connection.execute(sql.SQL("listen {}").format(sql.Identifier(self._channel)))
        while True:
            _hear(connection, 0)
            with connection.cursor() as cur:
                if self.head(cur) > after:
                    return True
            left = deadline - monotonic()
            if left <= 0:
                return False
            _hear(connection, left)

    # ---------------------------------------------------------------- how it asks the database

    def _any(self, cur: Cursor[TupleRow], items: Sequence[Item], after: int) -> bool:
        """Whether a fact after the position matches; without items, whether there is one."""
        found = self._sql.exists(self._sql.matching(items, after))
        answer: bool = self._execute(cur, found, one_plan=_one_tag_each(items)).fetchall()[0][0]
        return answer

    def _rows(
        self, cur: Cursor[TupleRow], statement: Statement, *, one_plan: bool = True
    ) -> list[Row]:
        found = self._execute(cur, statement, one_plan=one_plan).fetchall()
        rows = [Row(position, type_, tuple(tags), leaf) for position, type_, tags, leaf in found]
        if rows:
            self._length_seen = max(self._length_seen, rows[-1].position)
        return rows

    def _execute(
        self, cur: Cursor[TupleRow], statement: Statement, *, one_plan: bool = True
    ) -> Cursor[TupleRow]:
        """Run a query with its answer in binary.

        `one_plan` says that the same plan is good whatever the parameters: with several tags in an
        item it is not, because the rarest must be looked up first.
        """
        prepare = self._plans(PLANS_KEPT_FROM) if one_plan else False
        return cur.execute(statement.text, statement.params, prepare=prepare, binary=True)

    def _tip(self, cur: Cursor[TupleRow], text: bytes) -> Cursor[TupleRow]:
        """Ask for something about the last fact."""
        return cur.execute(text, prepare=self._plans(TIP_PLANS_KEPT_FROM), binary=True)

    def _plans(self, kept_from: int) -> bool | None:
        """For psycopg: None lets the server keep the plan of what is asked often, False never."""
        return None if self._length_seen >= kept_from else False


def _row(cur: Cursor[TupleRow]) -> tuple[Any, ...]:
    return cur.fetchall()[0]


def _require_tags(items: Sequence[Item]) -> None:
    if not all(item.tags for item in items):
        raise ValueError("An item without a tag would name the whole log: give it a tag.")


def _one_tag_each(items: Sequence[Item]) -> bool:
    return all(len(item.tags) == 1 for item in items)


def _array(tags: Sequence[str]) -> str:
    """The tags as PostgreSQL writes an array, because arrays in an array must have equal length."""
    quoted = (tag.replace("\\", "\\\\").replace('"', '\\"') for tag in tags)
    return "{" + ",".join(f'"{tag}"' for tag in quoted) + "}"


def _hear(connection: Connection, seconds: float) -> None:
    """Take what was notified, waiting for at most so long when there is nothing yet."""
    for _ in connection.notifies(timeout=seconds, stop_after=1 if seconds else None):
        pass


def _require_time(rows: Sequence[NewRow], last: datetime | None) -> None:
    if any(later.recorded < earlier.recorded for earlier, later in pairwise(rows)):
        raise ClockWentBack(_clock_went_back("one that is appended with it"))
    if last is not None and rows[0].recorded < last:
        raise ClockWentBack(_clock_went_back("the last one in the log"))


def _clock_went_back(which: str) -> str:
    return (
        f"A fact was recorded before {which}, and along the log `recorded` never decreases. Take "
        "the later of the clock and `last_recorded`, under the lock."
    )
