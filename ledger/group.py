"""The log as read up to one position, and on top of it what a group of commands has decided.

Nothing here is committed. A crash loses it all, and nothing of it was acknowledged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from psycopg import Cursor
from psycopg.rows import TupleRow

from domain import tags
from domain.codec import Recorded, encode, type_of, types_of
from domain.facts import AnyFact, LoopOpened, RecordImported, SubjectErased
from domain.findings import Item
from domain.values import is_handle
from ledger.asked import Unavailable
from ledger.clocks import ahead
from ledger.decoded import Decoded
from ledger.nodes import Nodes
from ledger.personal.aliases import Alias, Aliases, Kind
from ledger.personal.erase import Erased, Erasures, erased_by, kept
from ledger.personal.keyring import KeyRing
from ledger.personal.vault import Vault
from ledger.recorder import NewRow, Recorder, Row, Tip
from ledger.requests import Known, Request, Requests, Scope
from ledger.resolve import Named, Names
from ledger.seal import Sealed, seal

_TAGS: Final = {"c": tags.candidate, "l": tags.loop}
_OPENED: Final = types_of(LoopOpened, RecordImported)


@dataclass(frozen=True, slots=True)
class Store:
    """The tables of one ledger, each behind its own module."""

    recorder: Recorder
    nodes: Nodes
    vault: Vault
    aliases: Aliases
    requests: Requests
    erasures: Erasures
    keyring: KeyRing
    decoded: Decoded = field(default_factory=Decoded)


class Spending(NamedTuple):
    """A request key that the group spends, and what on."""

    request: Request
    cause: str
    positions: tuple[int, ...]


@dataclass(slots=True)
class Group:
    """Commands decided one after another on the log up to `start`, each seeing those before it."""

    store: Store
    cur: Cursor[TupleRow]
    tip: Tip
    clock: datetime | None
    doubt: str | None = None
    """Why the machine's clock is not to be believed, besides what the log's last fact tells."""
    rows: list[NewRow] = field(default_factory=list[NewRow])
    pending: list[Recorded] = field(default_factory=list[Recorded])
    sealed: list[tuple[int, Sealed]] = field(default_factory=list[tuple[int, Sealed]])
    aliases: list[Alias] = field(default_factory=list[Alias])
    erased: list[Erased] = field(default_factory=list[Erased])
    new_handles: set[str] = field(default_factory=set[str])
    spent: dict[tuple[Scope, str], Spending] = field(
        default_factory=dict[tuple[Scope, str], Spending]
    )
    asked_before: dict[Request, Known | None] = field(default_factory=dict[Request, Known | None])
    looked_up: dict[tuple[Kind, str], str | None] = field(
        default_factory=dict[tuple[Kind, str], str | None]
    )

    @classmethod
    def begin(cls, store: Store, cur: Cursor[TupleRow]) -> "Group":
        """A group on the log as it stands now."""
        tip = store.recorder.tip(cur)
        return cls(store, cur, tip, tip.recorded)

    def look_ahead(self, requests: Sequence[Request], named: Sequence[Named]) -> None:
        """Asks for all commands at once what each would ask for: request keys and names."""
        known = self.store.requests.find_many(self.cur, requests)
        self.asked_before.update(zip(requests, known, strict=True))
        self._look_up({key for one in named for key in one.keys})

    def _look_up(self, ids: set[tuple[Kind, str]]) -> None:
        missing = ids - self.looked_up.keys()
        if missing:
            found = self.store.aliases.find_many(self.cur, missing)
            self.looked_up.update({one: found.get(one) for one in missing})
            self._unlearn()

    @property
    def start(self) -> int:
        """The last position when the group began."""
        return self.tip.head

    @property
    def head(self) -> int:
        """The position that the latest fact has, or will have."""
        return self.start + len(self.rows)

    def now(self, clock: datetime) -> datetime:
        """The ledger's clock: it never steps back, also when the machine's does."""
        return clock if self.clock is None else max(clock, self.clock)

    def require_believable(self, clock: datetime) -> None:
        """A new fact bears this time for good: `Unavailable` where it cannot be right."""
        # What the group itself has taken in was held against the clock when it was taken in.
        problem = self.doubt or ahead(self.tip.recorded, clock)
        if problem is not None:
            raise Unavailable(problem, recorded=False)

    def select(self, items: Sequence[Item]) -> list[Row]:
        """The matching facts, those not yet committed included, in position order."""
        if not items:
            return []
        found = self.store.recorder.select(self.cur, items, upto=self.start)
        for number, row in enumerate(self.rows, self.start + 1):
            if any(item.matches(row.type, row.tags) for item in items):
                found.append(Row(number, row.type, row.tags, row.leaf))
        return found

    def at(self, positions: Sequence[int]) -> list[Recorded]:
        """The facts at these positions; those that do not exist are left out.

        A position past the head is one that another process has recorded meanwhile: so it is read
        from the log, unless the group has given it out itself and will have to decide again.
        """
        new = {p: self.rows[p - self.start - 1] for p in positions if self.start < p <= self.head}
        old = [p for p in positions if p not in new]
        found = self.store.recorder.fetch(self.cur, old) if old else []
        found += [Row(p, r.type, r.tags, r.leaf) for p, r in new.items()]
        return self.facts(sorted(found))

    def facts(self, rows: Sequence[Row]) -> list[Recorded]:
        """The facts of these rows; those of the log are decoded once in the life of the process."""
        return [
            self.pending[row.position - self.start - 1]
            if self.start < row.position <= self.head
            else self.store.decoded.of(row)
            for row in rows
        ]

    def known(self, request: Request) -> Known | None:
        """What this request recorded before, if anything."""
        mine = self.spent.get((request.scope, request.key))
        if mine is not None:
            return Known(mine.positions, mine.cause, same_body=mine.request.body == request.body)
        if request not in self.asked_before:
            self.asked_before[request] = self.store.requests.find(self.cur, request)
        return self.asked_before[request]

    def names(self, named: Sequence[Named]) -> Names:
        """The handles behind callers' ids, and which of the handles given exist."""
        if not named:
            return Names({}, frozenset())
        ids: set[tuple[Kind, str]] = {key for one in named for key in one.keys}
        self._look_up(ids)
        handles = {one: handle for one in ids if (handle := self.looked_up[one]) is not None}
        unknown = {id_ for kind, id_ in ids if (kind, id_) not in handles and is_handle(id_)}
        existing = self.store.aliases.existing(self.cur, unknown)
        existing |= self.new_handles & unknown
        # The handles of somebody who was erased stay in the log; only the ids behind them are gone.
        existing |= self._opened(unknown - existing)
        # A handle says what it stands for: a person's stands for no candidate, nor for a loop.
        misplaced = {one.id for one in named if all(one.id[:1] != kind[0] for kind, _ in one.keys)}
        return Names(handles, frozenset(existing - misplaced))

    def _unlearn(self) -> None:
        """No id leads to somebody erased in this group, whose aliases go when it is written."""
        gone = {handle for one in self.erased for handle in (one.candidate, *one.loops)}
        self.looked_up.update({one: None for one, h in self.looked_up.items() if h in gone})

    def _opened(self, handles: set[str]) -> set[str]:
        """Those of the handles that a loop was opened under or for, or that a case came under."""
        tagged = {_TAGS[one[0]](one): one for one in handles if one[0] in _TAGS}
        items = [Item(types=_OPENED, tags=(tag,)) for tag in tagged]
        return {tagged[tag] for row in self.select(items) for tag in row.tags if tag in tagged}

    def add(
        self,
        request: Request,
        cause: str,
        facts: Sequence[AnyFact],
        aliases: Sequence[Alias],
    ) -> tuple[Recorded, ...]:
        """Takes a command's facts into the group: sealed, encoded, at the next positions."""
        recorded: list[Recorded] = []
        rows: list[NewRow] = []
        values: list[tuple[int, Sealed]] = []
        erased: list[Erased] = []
        for position, fact in enumerate(facts, self.head + 1):
            closed, secrets = seal(fact)
            stamp = closed.stamp
            rows.append(NewRow(type_of(closed), stamp.tags, encode(closed), stamp.recorded))
            values += [(position, one) for one in secrets]
            if isinstance(closed, SubjectErased):
                erased.append(erased_by(position, closed))
            recorded.append(Recorded(position, closed))
        # Only now, when nothing can fail any more: a command is in the group whole or not at all.
        self.rows += rows
        self.pending += recorded
        self.sealed += values
        self.aliases += aliases
        self.new_handles |= {alias.handle for alias in aliases}
        self.looked_up.update({(a.kind, a.external_id): a.handle for a in aliases})
        if erased:
            self.erased += erased
            self.aliases = [a for a in self.aliases if not any(e.owns(a.subject) for e in erased)]
            self._unlearn()
        positions = tuple(one.position for one in recorded)
        self.spent[request.scope, request.key] = Spending(request, cause, positions)
        self.clock = recorded[-1].fact.stamp.recorded
        return tuple(recorded)

    def write(self) -> None:
        """Everything decided, into the open transaction. The caller holds the log's lock."""
        self.store.recorder.insert(self.cur, self.rows, self.tip)
        if self.erased:
            # First, so that an id of theirs may stand for somebody new in this very group.
            self.store.erasures.write(self.cur, self.erased)
        self.store.vault.store(self.cur, kept(self.sealed, self.erased))
        self.store.aliases.add_many(self.cur, self.aliases)
        self.store.requests.add_many(self.cur, list(self.spent.values()))
