"""The life of a decision, step 6: one writer a process, many commands a commit.

Waiting commands are decided in order on the log as it stands, each seeing those before it, and are
committed together with one flush. A refused or broken one never spoils its neighbours.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Final, NamedTuple

import psycopg
import structlog
from opentelemetry import context as otel
from opentelemetry import trace
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from domain.refusals import Refusal
from ledger._patience import Patience
from ledger.accept import accept, look_ahead
from ledger.asked import Asked, Done, Unavailable
from ledger.clocks import apart, store_time
from ledger.errors import VaultError
from ledger.group import Group, Store
from ledger.personal.aliases import AliasTaken
from ledger.requests import RequestKeyTaken
from ledger.restore_guard import RecordBehind, RestoreGuard
from policies import Catalogue

GROUP_MAX: Final = 256
RETRY_SECONDS: Final = 0.25
SILENT_SECONDS_MAX: Final = 15.0
"""How long the store may say nothing before it counts as gone."""

# A process that froze while it held the log's lock gives it up after this long.
_FROZEN: Final = "SET idle_in_transaction_session_timeout = '10s'"
# What makes one command impossible to store without saying anything about its neighbours.
_SPOILT: Final = (AliasTaken, RequestKeyTaken, VaultError)
# SQLSTATE classes and codes that tell of the store, not of a command: the connection, resources
# such as disk space, an operator's intervention, a server that only reads, a conflict to retry.
_AWAY: Final = ("08", "25006", "40", "53", "55P03", "57")
_log = structlog.get_logger()
_tracer = trace.get_tracer("hireledger")


class _Job(NamedTuple):
    asked: Asked
    answer: "Future[Done]"
    span: trace.Span

    @property
    def trace(self) -> otel.Context:
        """Where the steps of this command belong."""
        return trace.set_span_in_context(self.span, self.asked.trace)


class _Decided(NamedTuple):
    job: _Job
    done: Done | Exception


class Writer:
    """Takes commands from any thread and answers each when its facts are on disk."""

    def __init__(
        self,
        connect: Callable[[], Connection[TupleRow]],
        store: Store,
        rules: Catalogue,
        *,
        guard: RestoreGuard,
        recorded: Callable[[], object],
        erased: Callable[[], object],
    ) -> None:
        """Begin.

        Args:
            connect: makes the writer's own connection.
            store: the ledger's tables.
            rules: what commands are judged by.
            guard: asked before the first append over each connection.
            recorded: called when facts were committed.
            erased: called when somebody's erasure was, or may have been, committed.
        """
        self._connect = connect
        self._guard = guard
        self._recorded = recorded
        self._erased = erased
        self._store = store
        self._rules = rules
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection: Connection[TupleRow] | None = None
        self._doubt: str | None = None
        self._patience = Patience(SILENT_SECONDS_MAX)
        self._door = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="hireledger-writer", daemon=True)
        self._thread.start()

    def submit(self, asked: Asked) -> "Future[Done]":
        """The facts once they are committed, or a `Refusal`, or `Unavailable`, or what failed."""
        name = type(asked.command).__name__
        span = _tracer.start_span(f"command {name}", asked.trace, attributes={"command": name})
        job = _Job(asked, Future(), span)
        # It runs from here on, so that nobody can cancel it: a caller who stops waiting must not
        # take the answer away from under the writer, and what was asked for is recorded.
        job.answer.set_running_or_notify_cancel()
        with self._door:
            if not self._closing:
                self._jobs.put(job)
                return job.answer
        _tell(job, Unavailable("the ledger is stopping; try again", recorded=False))
        return job.answer

    def close(self) -> None:
        """Answers what is waiting, then ends."""
        with self._door:
            # Whoever came in before is in the queue before the end mark, and is answered.
            self._closing = True
            self._jobs.put(None)
        self._thread.join(timeout=SILENT_SECONDS_MAX)
        self._patience.close()

    def _run(self) -> None:
        while True:
            jobs = self._next()
            if jobs is None:
                break
            try:
                self._serve(jobs)
            except Exception as error:  # noqa: BLE001  (the writer must outlive anything)
                _log.error("writer failed", error=type(error).__name__)
                self._drop_connection()
                _refuse_all(
                    jobs,
                    Unavailable(
                        "the ledger failed; the outcome is unknown: "
                        "send the same request key again",
                        recorded=None,
                    ),
                )
        self._drop_connection()

    def _next(self) -> list[_Job] | None:
        """Everything that waits, at most `GROUP_MAX`; None at the end."""
        first = self._jobs.get()
        jobs = [] if first is None else [first]
        while first is not None and len(jobs) < GROUP_MAX:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs
            if job is None:
                self._jobs.put(None)
                return jobs
            jobs.append(job)
        return jobs or None

    def _serve(self, jobs: Sequence[_Job], *, again: bool = True) -> None:
        try:
            connection = self._reach()
        except RecordBehind as error:
            _log.error("nothing is recorded because the store was set back", error="RecordBehind")
            self._drop_connection()
            _refuse_all(jobs, Unavailable(str(error).rstrip("."), recorded=False))
            return
        if connection is None:
            _refuse_all(
                jobs,
                Unavailable("the store is away; nothing was recorded: try again", recorded=False),
            )
            return
        try:
            self._commit(connection, jobs)
        except _SPOILT as error:
            self._one_by_one(connection, jobs, error)
        except _CommitFailed as error:
            # The answer to the commit is lost: whether it took place, a retry will tell.
            _log.warning("commit answer lost", error=str(error))
            self._drop_connection()
            said = (
                "the store went away while it recorded; whether it did is unknown: send the same "
                "request again with the same key"
            )
            _refuse_all(jobs, Unavailable(said, recorded=None))
        except psycopg.Error as error:
            if not _is_away(connection, error):
                self._one_by_one(connection, jobs, error)
                return
            # Nothing was committed. An idle connection breaks when the store restarts: once more.
            _log.warning("the store failed", error=type(error).__name__)
            self._drop_connection()
            if again:
                self._serve(jobs, again=False)
            else:
                said = "the store is away; nothing was recorded: try again"
                _refuse_all(jobs, Unavailable(said, recorded=False))

    def _one_by_one(
        self, connection: Connection[TupleRow], jobs: Sequence[_Job], error: Exception
    ) -> None:
        """Nothing of the group is recorded. One of them cannot be: find out which."""
        connection.rollback()
        if len(jobs) > 1:
            for job in jobs:
                self._serve([job])
            return
        _log.error("a command could not be stored", error=type(error).__name__)
        if isinstance(error, AliasTaken | RequestKeyTaken):
            # Another process took the id or the key between reading and writing.
            said = "another request used this id at the same moment: send this one again"
            _refuse_all(jobs, Unavailable(said, recorded=False))
        else:
            _tell(jobs[0], error)

    def _commit(self, connection: Connection[TupleRow], jobs: Sequence[_Job]) -> None:
        self._patience.begin(connection)
        # What is done once for all of them is shown in the trace of the first.
        token = otel.attach(jobs[0].trace)
        try:
            decided = self._record(connection, jobs)
        finally:
            otel.detach(token)
            self._patience.end()
        # It is on disk: now, and not before, the callers hear of it; its checkpoint is under way.
        for job, done in decided:
            _tell(job, done)

    def _record(self, connection: Connection[TupleRow], jobs: Sequence[_Job]) -> list[_Decided]:
        """Step 6: decided, written and committed, or nothing of it."""
        with connection.cursor() as cur:
            if self._doubt is not None:
                self._doubt = apart(store_time(cur), datetime.now(UTC))
            group, decided = self._decide(cur, jobs)
            if group.rows:
                started = time.time_ns()
                self._doubt = apart(self._store.recorder.lock(cur), datetime.now(UTC))
                if self._doubt is not None or self._store.recorder.head(cur) != group.start:
                    # Someone else has recorded meanwhile, or the clock cannot be right. Back to
                    # step 2, now under the lock, so that it happens once. Nothing was written yet.
                    group, decided = self._decide(cur, jobs)
                # Step 6. Under the lock the head is where the group began: positions are dense,
                # and what each command rested on is all there was.
                self._patience.begin(connection)
                group.write()
                # A crash up to here leaves nothing. A crash from here on may leave all of it: the
                # request keys tell the callers who ask again.
                try:
                    connection.commit()
                except psycopg.Error as error:
                    raise _CommitFailed(str(type(error).__name__)) from error
                finally:
                    if group.erased:
                        self._erased()
                self._recorded()
                _trace_append(decided, started)
            else:
                connection.rollback()
        return decided

    def _decide(self, cur: Cursor[TupleRow], jobs: Sequence[_Job]) -> tuple[Group, list[_Decided]]:
        group = Group.begin(self._store, cur)
        group.doubt = self._doubt
        if len(jobs) > 1:
            look_ahead([job.asked for job in jobs], group)
        decided: list[_Decided] = []
        for job in jobs:
            self._patience.begin(cur.connection)
            token = otel.attach(job.trace)
            try:
                decided.append(_Decided(job, accept(job.asked, group, self._rules)))
            except Refusal as refusal:
                decided.append(_Decided(job, refusal))
            except Unavailable as error:
                _log.error("nothing is recorded because of the clock", error="Unavailable")
                decided.append(_Decided(job, error))
            except psycopg.Error:
                raise
            except Exception as error:  # noqa: BLE001  (its neighbours must not suffer)
                _log.error("a command failed", error=type(error).__name__)
                decided.append(_Decided(job, error))
            finally:
                otel.detach(token)
        return group, decided

    def _reach(self) -> Connection[TupleRow] | None:
        """The writer's own connection; one attempt, bounded by the connect timeout.

        What is behind a new connection may be another store than before, such as an old backup.
        """
        if self._guard.refused is not None:
            self._drop_connection()
        if self._connection is not None and not self._connection.closed:
            return self._connection
        try:
            self._connection = self._connect()
            self._connection.execute(_FROZEN)
            with self._connection.cursor() as cur:
                self._guard.check(cur)
            self._connection.commit()
        except psycopg.Error:
            time.sleep(RETRY_SECONDS)
            self._connection = None
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except psycopg.Error:
                _log.warning("a broken connection did not close")


class _CommitFailed(psycopg.OperationalError):
    """The answer to a commit was lost."""


def _is_away(connection: Connection[TupleRow], error: psycopg.Error) -> bool:
    """Whether it was the store that failed, rather than one of the commands."""
    if connection.closed or error.sqlstate is None:
        return connection.closed or isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(_AWAY)


def _refuse_all(jobs: Sequence[_Job], error: Unavailable) -> None:
    for job in jobs:
        _tell(job, error)


def _tell(job: _Job, outcome: Done | Exception) -> None:
    """The answer, once; its span ends with it."""
    if job.answer.done():
        return
    if isinstance(outcome, Done):
        job.span.set_attribute("verdict", "replayed" if outcome.replayed else "recorded")
        job.span.set_attribute("positions", [one.position for one in outcome.recorded])
    else:
        job.span.set_attribute("verdict", "refused" if isinstance(outcome, Refusal) else "failed")
        job.span.set_attribute("error.type", type(outcome).__name__)
    job.span.end()
    if isinstance(outcome, Done):
        job.answer.set_result(outcome)
    else:
        job.answer.set_exception(outcome)


def _trace_append(decided: Sequence[_Decided], started: int) -> None:
    """The append was one for all of them; each command's trace shows it."""
    for job, done in decided:
        if isinstance(done, Done) and not done.replayed:
            span = _tracer.start_span("append", context=job.trace, start_time=started)
            span.set_attribute("positions", [one.position for one in done.recorded])
            span.end()
