"""Erasing a person: what is destroyed with the fact, and what is done about it afterwards.

1. The fact `subject-erased` is decided like any other; after it nothing of the person is sealed.
2. In the transaction that appends it, under the log's lock, the person's keys, values and aliases
   are deleted. A crash before the commit leaves everything, a crash after it leaves nothing.
3. After the commit the owner rewrites the tables of keys and of aliases, because a deleted row
   stays in the file until then: the key that opens what was said, the alias that leads from an id
   to a handle. Where that fails the erasure stands, and it is tried again: while this process runs,
   and at every start until it is done.
"""

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import psycopg
import structlog
from psycopg import Cursor
from psycopg.errors import Diagnostic
from psycopg.rows import TupleRow

from domain.facts import SubjectErased
from domain.tags import loop as tag_loop
from domain.values import SELF_IDENTIFICATION
from ledger.database import Connection, Database
from ledger.personal.subject_keys import in_schema
from ledger.personal.vault import Vault
from ledger.seal import Sealed

LOCK_WAIT: Final = "1s"
"""How long readers may have to wait behind the rewriting that waits for readers."""

PATIENCE_SECONDS: Final = 5.0
"""How long a command that may end afterwards goes on trying."""

PAUSE_SECONDS: Final = 0.2
RETRY_SECONDS: Final = (1.0, 5.0, 30.0, 300.0)
_IN_LOOP: Final = tag_loop("")
_PENDING: Final = "select max(position) from {}.unvacuumed_erasures"
_MARK: Final = "insert into {}.unvacuumed_erasures (position) select * from unnest(%s::bigint[])"
_DONE: Final = "delete from {}.unvacuumed_erasures where position <= %s"
# A plain VACUUM frees the place of a dead row and leaves its bytes there; FULL writes a new file.
_VACUUM: Final = ("vacuum (full, verbose) {}.subject_keys", "vacuum (full, verbose) {}.aliases")
# ANALYZE copied keys there before migration 0005. On somebody else's server the table holds the
# statistics of others too, and planning stands still meanwhile: there it is left to them.
_VACUUM_STATISTICS: Final = "vacuum (full, verbose) pg_catalog.pg_statistic"
_log = structlog.get_logger()


class Erased(NamedTuple):
    """A person whose erasure a group of commands holds."""

    position: int
    candidate: str
    loops: frozenset[str]
    """Handles: the ids behind them are under the person's key and go with it."""

    def owns(self, subject: str) -> bool:
        """Whether what is kept for this subject goes with the person."""
        return subject.removeprefix(SELF_IDENTIFICATION) == self.candidate


def erased_by(position: int, fact: SubjectErased) -> Erased:
    """Who is erased by a fact, and their loops, which the fact names by its tags."""
    tags = (tag for tag in fact.stamp.tags if tag.startswith(_IN_LOOP))
    return Erased(position, fact.candidate, frozenset(tag.removeprefix(_IN_LOOP) for tag in tags))


class Erasures:
    """What an erasure does to the tables of one ledger."""

    __slots__ = ("_mark", "_pending", "_vault")

    def __init__(self, vault: Vault, schema: str) -> None:
        self._vault = vault
        self._mark = in_schema(_MARK, schema)
        self._pending = in_schema(_PENDING, schema)

    def write(self, cur: Cursor[TupleRow], erased: Sequence[Erased]) -> None:
        """Erasing, 2: in the transaction that appended the facts, under the log's lock."""
        for one in erased:
            self._vault.forget(cur, one.candidate)
        cur.execute(self._mark, ([one.position for one in erased],))

    def pending(self, cur: Cursor[TupleRow]) -> int | None:
        """The latest erasure whose keys or ids may still be in their tables' files, or None."""
        position: int | None = cur.execute(self._pending).fetchall()[0][0]
        return position


def kept(
    sealed: Sequence[tuple[int, Sealed]], erased: Sequence[Erased]
) -> Sequence[tuple[int, Sealed]]:
    """The values that are to be stored: not those of somebody erased in the same group."""
    if not erased:
        return sealed
    return [one for one in sealed if not any(each.owns(one[1].subject) for each in erased)]


def vacuum_keys(database: Database) -> bool:
    """Erasing, 3: writes keys and aliases anew, without the deleted ones; whether it is done now.

    True also where nothing was to be done. False where an old transaction could still see a deleted
    row, which then had to be copied.

    Raises:
        psycopg.Error: the store is away, or somebody held a table for longer than `LOCK_WAIT`.
    """
    with database.connect("owner", autocommit=True) as connection:
        pending = connection.execute(in_schema(_PENDING, database.schema)).fetchall()[0][0]
        if pending is None:
            return True
        if not _rewrite(connection, database):
            return False
        connection.execute(in_schema(_DONE, database.schema), [pending])
    return True


def vacuum_now(database: Database) -> bool:
    """Writes keys and aliases anew, whoever was erased or not; like `vacuum_keys` else."""
    with database.connect("owner", autocommit=True) as connection:
        return _rewrite(connection, database)


def _rewrite(connection: Connection, database: Database) -> bool:
    """Whether the new files hold nothing but what stands."""
    left: list[int] = []

    def hear(notice: Diagnostic) -> None:
        # "3 dead row versions cannot be removed yet", in whatever language the server speaks.
        first, _, _ = (notice.message_detail or "").partition("\n")
        left.extend(int(number) for number in re.findall(r"\d+", first))

    connection.add_notice_handler(hear)
    connection.execute(f"set lock_timeout = '{LOCK_WAIT}'".encode())
    statements = (*_VACUUM, _VACUUM_STATISTICS) if database.ours else _VACUUM
    for statement in statements:
        connection.execute(in_schema(statement, database.schema))
    # A table that the owner may not vacuum is left out with a warning, and counts nothing.
    return left == [0] * len(statements)


class Vacuuming:
    """Does the third of erasing in the background, again and again until it is done."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._wanted = False
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Somebody was erased: the keys are to be vacuumed soon."""
        with self._turn:
            self._wanted = True
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(
                    target=self._run, name="hireledger-vacuum", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Ends after what is under way; what is left is done at the next start."""
        self._stop.set()
        with self._turn:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        tries = 0
        while self._goes_on():
            if tried(self._database):
                tries = 0
                continue
            self._wanted = True
            self._stop.wait(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
            tries += 1

    def _goes_on(self) -> bool:
        """Whether there is more to do; if not, the thread ends before another can be wanted."""
        with self._turn:
            goes_on, self._wanted = self._wanted and not self._stop.is_set(), False
            if not goes_on:
                self._thread = None
            return goes_on


def vacuumed_soon(vacuum: Callable[[Database], bool], database: Database) -> bool:
    """Tries until it is done or `PATIENCE_SECONDS` are over: most transactions beside it end.

    For a command, which says itself that it was not; so nothing is logged.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(psycopg.Error):  # somebody may hold a table, or the store is away
            if vacuum(database):
                return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE_SECONDS)


def tried(database: Database) -> bool:
    """`vacuum_keys`, with what is in the way in the log instead of raised."""
    try:
        done = vacuum_keys(database)
    except psycopg.Error as error:
        _log.warning("erased keys not vacuumed yet", error=type(error).__name__)
        return False
    if not done:
        _log.warning("erased keys not vacuumed yet because an old transaction sees them")
    return done
