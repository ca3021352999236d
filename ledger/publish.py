"""The life of a decision, step 7: the tree over everything recorded is signed and published.

One thread a process signs the newest head a moment after commits, many commits a signature. It
never holds up recording: when it cannot sign it says so, tries again, and the log goes on.
Publishing counts five of its own:

1. Under a lock that all processes of the ledger share, the newest head is read.
2. The restore guard holds the store against what was signed before.
3. The note is signed and written outside the database, durably.
4. It becomes a row. Without witnesses it is published now.
5. With a policy, the witnesses are shown it; it is published once a quorum has cosigned.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, Protocol, Self

import psycopg
import structlog
from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.asked import Unavailable
from ledger.checkpoints import Checkpoints, CopyNotWritten, OutsideCopy, PublishedCheckpoint
from ledger.database import Connection, Database
from ledger.log_keys import LogKeys
from ledger.nodes import Head, Nodes
from ledger.proof.checkpoint import Checkpoint, format_checkpoint
from ledger.proof.note import NoteError, open_note, parse_note
from ledger.proof.tiles import TILE_HEIGHT, TILE_WIDTH, Tile
from ledger.proof.witness_policy import WitnessPolicy
from ledger.restore_guard import RecordBehind, RestoreGuard

COPY_NAME: Final = "checkpoint"
PAUSE_SECONDS: Final = 1.0
"""At least so long between two signatures that nobody waits for; commits meanwhile share one."""

LOOK_SECONDS: Final = 2.0
"""How often it looks for what other processes have recorded or published."""

RETRY_SECONDS: Final = 0.5
COSIGN_RETRY_SECONDS: Final = 5.0
"""How long after a quorum was missed the witnesses are asked again."""

ANSWER_SECONDS_MAX: Final = 10.0
"""How long who asks for a checkpoint waits for it."""

STOP_SECONDS_MAX: Final = 15.0

_LOCK: Final = "select pg_advisory_xact_lock(hashtextextended('hireledger:publish:' || %s, 0))"
# A process that froze while it held the lock gives it up after this long.
_FROZEN: Final = "set idle_in_transaction_session_timeout = '10s'"
_AWAY: Final = "the store is away; try again"
_UNSIGNED: Final = "the witnesses have not cosigned it yet; try again"
_log = structlog.get_logger()


class Cosigner(Protocol):
    """Whoever shows checkpoints to witnesses."""

    def collect(
        self, note: bytes, proof_from: Callable[[int], tuple[bytes, ...]], /
    ) -> list[bytes]:
        """Lines of cosignatures, checked, each with its line feed; none when nobody answered.

        Args:
            note: the checkpoint as the log signed it.
            proof_from: the consistency proof from a smaller size to that of the note. Called by one
                thread at a time, and not after this has returned.
        """
        ...


@dataclass(frozen=True, slots=True)
class Publishing:
    """With which keys a ledger publishes, where the copy outside the database is, who cosigns."""

    keys: LogKeys
    copy: OutsideCopy
    policy: WitnessPolicy | None = None
    """What makes a checkpoint published; None: the log's own signature."""
    cosigner: Cosigner | None = None

    @classmethod
    def of(cls, data: Path, keys: LogKeys | None = None) -> Self:
        """For a data directory; its keys are made there unless they are given."""
        return cls(keys or LogKeys.open(data / "keys"), OutsideCopy(data / COPY_NAME))

    def is_published(self, checkpoint: PublishedCheckpoint) -> bool:
        """Whether it has the signatures that the policy wants."""
        return self._has_quorum(checkpoint.note)

    def still_stands(self, note: bytes) -> bool:
        """Whether a note kept since it was published has the signatures that one has today."""
        with suppress(NoteError):
            _, verified = open_note(note, self.keys.verifiers)
            return len(verified) == len(self.keys.verifiers) and self._has_quorum(note)
        return False

    def _has_quorum(self, note: bytes) -> bool:
        if self.policy is None:
            return True
        with suppress(NoteError):
            keys = [one.verifier for one in self.policy.witnesses]
            _, verified = open_note(note, keys)
            return self.policy.satisfied(self.policy.cosigners(verified))
        return self.policy.satisfied(())


class Standing(NamedTuple):
    """How far publishing has got."""

    position: int
    """The last position that is under a published checkpoint; 0 before the first."""
    problem: str | None
    """Why the last attempt failed; None when it did not."""


class Publisher:
    """Signs and publishes in a thread of its own; close it, and it publishes what is left."""

    def __init__(
        self, database: Database, nodes: Nodes, guard: RestoreGuard, publishing: Publishing
    ) -> None:
        self._database = database
        self._nodes = nodes
        self._guard = guard
        self._publishing = publishing
        self._rows = Checkpoints(database.schema, publishing.keys.origin)
        self._connection: Connection | None = None
        self._news = threading.Condition()
        self._latest: PublishedCheckpoint | None = None
        self._problem: str | None = None
        self._recorded = True
        self._wanted = 0
        self._shown = 0
        self._closing = False
        self._attempting = False
        self._thread = threading.Thread(target=self._run, name="hireledger-publisher", daemon=True)
        self._thread.start()

    @property
    def keys(self) -> LogKeys:
        """The keys that sign."""
        return self._publishing.keys

    @property
    def publishing(self) -> Publishing:
        """With what it publishes."""
        return self._publishing

    def recorded(self) -> None:
        """Facts were committed: their checkpoint is due. Never waits."""
        with self._news:
            self._recorded = True
            self._news.notify_all()

    def latest(self) -> PublishedCheckpoint | None:
        """The newest published checkpoint that this process knows; None before the first."""
        with self._news:
            return self._latest

    def standing(self) -> Standing:
        """How far publishing has got."""
        with self._news:
            return Standing(self._latest.size if self._latest else 0, self._problem)

    def published(self, cur: Cursor[TupleRow]) -> PublishedCheckpoint | None:
        """The newest published checkpoint in the store; None before the first."""
        policy = self._publishing.policy
        cosigned = policy is not None and policy.quorum is not None
        rows = self._rows.newest_first(cur, cosigned=cosigned)
        return next(filter(self._publishing.is_published, rows), None)

    def has_tile(self, cur: Cursor[TupleRow], tile: Tile) -> bool:
        """Whether a tile may be served: full ones that are published, partial ones as signed."""
        latest = self.latest()
        first = (tile.index * TILE_WIDTH + tile.width) << TILE_HEIGHT * tile.level
        return latest is not None and first <= latest.size and self._rows.has_tile(cur, tile)

    def checkpoint_at_least(
        self, position: int, timeout: float = ANSWER_SECONDS_MAX
    ) -> PublishedCheckpoint:
        """A published checkpoint with this recorded position under it, made now if need be.

        Args:
            position: of a fact that is committed.
            timeout: seconds.

        Raises:
            Unavailable: there is none in time; the message says why.
        """

        def done() -> bool:
            hopeless = self._closing or self._guard.refused is not None
            return hopeless or (self._latest is not None and self._latest.size >= position)

        with self._news:
            self._wanted = max(self._wanted, position)
            self._news.notify_all()
            self._news.wait_for(done, timeout)
            # Out of a store that was set back nothing is proven either.
            covered = self._latest is not None and self._latest.size >= position
            if self._latest is not None and covered and self._guard.refused is None:
                return self._latest
            why = self._guard.refused or self._problem or "it is being made; try again"
        raise Unavailable(
            f"no checkpoint over position {position} is published: {why.rstrip('.')}",
            recorded=False,
        )

    def asked(self, position: int) -> bool:
        """Asks for a checkpoint over a recorded position: whether it is published. Never waits.

        Raises:
            Unavailable: the last attempt failed and no other is under way, so waiting a moment is
                in vain; the message says why.
        """
        with self._news:
            if self._wanted < position:
                self._wanted = position
                self._news.notify_all()
            hopeless = self._problem is not None and not self._attempting
            hopeless = hopeless or self._closing or self._guard.refused is not None
            covered = self._latest is not None and self._latest.size >= position
        if hopeless and not covered:
            self.checkpoint_at_least(position, timeout=0.0)
        return covered

    def close(self) -> None:
        """Publish what is not published yet, in one attempt, and end."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._thread.join(STOP_SECONDS_MAX)

    # ---------------------------------------------------------------- the thread

    def _run(self) -> None:
        last = self._wait(0.0)
        while not last:
            began = time.monotonic()
            self._attempt()
            last = self._wait(began)
        if self._recorded:
            self._attempt()
        self._drop_connection()

    def _wait(self, began: float) -> bool:
        """Until the next attempt is due; whether there will be none."""
        with self._news:
            while not self._closing:
                urgent = self._wanted > (self._latest.size if self._latest else 0)
                if self._problem is not None:
                    pause = COSIGN_RETRY_SECONDS if self._problem is _UNSIGNED else RETRY_SECONDS
                elif urgent:
                    pause = 0.0
                else:
                    pause = PAUSE_SECONDS if self._recorded else LOOK_SECONDS
                left = began + pause - time.monotonic()
                if left <= 0:
                    return False
                self._news.wait(left)
            return True

    def _attempt(self) -> None:
        """One round; whatever goes wrong is told, and tried again."""
        with self._news:
            self._attempting = True
            self._recorded = False
        try:
            problem = self._publish(self._reach())
        except RecordBehind as error:
            problem = str(error)
            if self._is_news(problem):
                _log.error("nothing is signed because the store was set back", error="RecordBehind")
        except CopyNotWritten as error:
            problem = str(error)
            if self._is_news(problem):
                _log.error("checkpoint cannot be written to its file", code=error.code)
        except psycopg.Error as error:
            problem = _AWAY
            if self._is_news(problem):
                _log.warning("publishing waits for the store", error=type(error).__name__)
            self._drop_connection()
        except Exception as error:  # noqa: BLE001  (the publisher must outlive anything)
            problem = f"publishing failed: {type(error).__name__}"
            if self._is_news(problem):
                _log.error("publishing failed", error=type(error).__name__, exc_info=True)
            self._drop_connection()
        with self._news:
            self._attempting = False
            self._problem = problem
            self._recorded = self._recorded or problem is not None
            self._news.notify_all()

    def _is_news(self, problem: str) -> bool:
        """Whether the attempt before failed otherwise, or not at all: each is logged once."""
        return problem != self._problem

    def _publish(self, connection: Connection) -> str | None:
        """Publishing, all of it; why it is not published, or None."""
        with connection.transaction(), connection.cursor() as cur:
            signed = self._sign(cur)
            if signed is None:
                return None
        # Committed: the row is there. Before, a crash left at most the copy outside, over facts
        # that were committed before it was signed: the next start signs over them again.
        if self._publishing.policy is None:
            self._tell(signed)
            return None
        return self._cosign(connection, signed)

    def _sign(self, cur: Cursor[TupleRow]) -> PublishedCheckpoint | None:
        """Publishing, 1 to 4: the newest checkpoint, signed unless it was; None of an empty log."""
        # 1. Nobody else of this ledger signs until we commit: sizes and copies only grow.
        cur.execute(_LOCK, [self._database.schema])
        newest = self._rows.newest(cur)
        # 2. What was signed before still holds, here and outside. Also when there is nothing new: a
        #    store that was set back under our feet is noticed before the next append.
        head = self._guard.check(cur)
        if newest is not None and self._publishing.copy.put_back(newest.note):
            _log.warning("the checkpoint outside the database was gone and is put back")
        if head.size == 0 or (newest is not None and self._is_over(head, newest)):
            return newest
        # 3. From here on somebody may hold this signature. It is over committed facts alone.
        keys = self._publishing.keys
        note = keys.sign(format_checkpoint(Checkpoint(keys.origin, head.size, head.root)))
        try:
            self._publishing.copy.write(note)
        except OSError as error:
            raise CopyNotWritten(error) from error
        # 4. The copy is durable, the row is not there: a crash here leaves a copy that is ahead of
        #    the rows and not of the facts, which is what the guard asks for.
        now = datetime.now(UTC)
        self._rows.add(cur, head.size, note, now)
        return PublishedCheckpoint.of(note, now)

    def _is_over(self, head: Head, newest: PublishedCheckpoint) -> bool:
        """Whether this is the head's checkpoint, signed by all keys that sign today."""
        by = {(one.name, one.key_id) for one in parse_note(newest.note).signatures}
        wanted = {(one.name, one.key_id) for one in self._publishing.keys.signers}
        return (newest.size, newest.root) == (head.size, head.root) and wanted <= by

    def _cosign(self, connection: Connection, signed: PublishedCheckpoint) -> str | None:
        """Publishing, 5: the newest with a quorum is published; why it is not `signed`, or None."""
        with connection.transaction(), connection.cursor() as cur:
            found = self.published(cur)
        if found is not None:
            self._tell(found)
        behind = found is None or found.size < signed.size
        # Where the quorum is none nobody waits for witnesses; they are shown each size once.
        policy = self._publishing.policy
        unshown = policy is not None and policy.quorum is None and self._shown < signed.size
        if self._publishing.cosigner is not None and (behind or unshown):
            self._shown = signed.size
            lines = self._publishing.cosigner.collect(
                signed.note, lambda old: self._proof(connection, old, signed.size)
            )
            with connection.transaction(), connection.cursor() as cur:
                self._rows.add_cosignatures(cur, signed.size, lines, datetime.now(UTC))
                found = self.published(cur)
            if found is not None:
                self._tell(found)
        if found is None or found.size < signed.size:
            return _UNSIGNED
        return None

    def _proof(self, connection: Connection, old: int, new: int) -> tuple[bytes, ...]:
        with connection.transaction(), connection.cursor() as cur:
            return self._nodes.consistency(cur, old, new)

    def _tell(self, published: PublishedCheckpoint) -> None:
        with self._news:
            if self._latest is None or self._latest.size <= published.size:
                self._latest = published
            self._news.notify_all()

    def _reach(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect("runtime")
            self._connection.execute(_FROZEN)
            self._connection.commit()
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()
