"""The life of a decision, steps 6 and 7: one writer a process, many commands a commit.

Waiting commands are decided in order on the log as it stands, each seeing those before it, and are
committed together with one flush. A refused or broken one never spoils its neighbours.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, NamedTuple

import psycopg
import structlog
from opentelemetry import context as otel
from opentelemetry import trace
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from domain.refusals import Refusal
from ledger.accept import accept
from ledger.aliases import AliasTaken
from ledger.asked import Asked, Done, Unavailable
from ledger.errors import VaultError
from ledger.group import Group, Store
from ledger.requests import RequestKeyTaken
from policies import Catalogue

GROUP_MAX: Final = 256
RETRY_SECONDS: Final = 0.25
# What makes one command impossible to store without saying anything about its neighbours.
_SPOILT: Final = (
    AliasTaken,
    RequestKeyTaken,
    VaultError,
    psycopg.DataError,
    psycopg.IntegrityError,
)
_log = structlog.get_logger()
_tracer = trace.get_tracer("hireledger")


class _Job(NamedTuple):
    asked: Asked
    answer: "Future[Done]"


class _Decided(NamedTuple):
    job: _Job
    done: Done | Exception


class Writer:
    """Takes commands from any thread and answers each when its facts are on disk."""

    def __init__(
        self, connect: Callable[[], Connection[TupleRow]], store: Store, rules: Catalogue
    ) -> None:
        self._connect = connect
        self._store = store
        self._rules = rules
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._connection: Connection[TupleRow] | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hireledger-writer", daemon=True)
        self._thread.start()

    def submit(self, asked: Asked) -> "Future[Done]":
        """The facts once they are committed, or a `Refusal`, or `Unavailable`."""
        answer: Future[Done] = Future()
        if self._closing.is_set():
            answer.set_exception(Unavailable("the ledger is stopping; try again", recorded=False))
        else:
            self._jobs.put(_Job(asked, answer))
        return answer

    def close(self) -> None:
        """Answers what is waiting, then ends."""
        self._closing.set()
        self._jobs.put(None)
        self._thread.join(timeout=30)

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
        connection = self._reach()
        if connection is None:
            _refuse_all(
                jobs,
                Unavailable("the store is away; nothing was recorded: try again", recorded=False),
            )
            return
        try:
            self._commit(connection, jobs)
        except _SPOILT as error:
            # Nothing of the group is recorded. One of them cannot be: find out which, one by one.
            connection.rollback()
            self._one_by_one(jobs, error)
        except _CommitFailed as error:
            # The answer to the commit is lost: whether it took place, a retry will tell.
            _log.warning("commit answer lost", error=str(error))
            self._drop_connection()
            said = "the store went away while it recorded: send the same request key again"
            _refuse_all(jobs, Unavailable(said, recorded=None))
        except psycopg.Error as error:
            # Nothing was committed. An idle connection breaks when the store restarts: once more.
            _log.warning("the store failed", error=type(error).__name__)
            self._drop_connection()
            if again:
                self._serve(jobs, again=False)
            else:
                said = "the store is away; nothing was recorded: try again"
                _refuse_all(jobs, Unavailable(said, recorded=False))

    def _one_by_one(self, jobs: Sequence[_Job], error: Exception) -> None:
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
            _fail(jobs[0], error)

    def _commit(self, connection: Connection[TupleRow], jobs: Sequence[_Job]) -> None:
        with connection.cursor() as cur:
            group, decided = self._decide(cur, jobs)
            if group.rows:
                started = time.time_ns()
                self._store.recorder.lock(cur)
                if self._store.recorder.head(cur) != group.start:
                    # Someone else has recorded meanwhile. Back to step 2, now under the lock, so
                    # that it happens once. Nothing was written yet.
                    group, decided = self._decide(cur, jobs)
                # Step 6. Under the lock the head is where the group began: positions are dense,
                # and what each command rested on is all there was.
                group.write()
                # A crash up to here leaves nothing. A crash from here on may leave all of it: the
                # request keys tell the callers who ask again.
                try:
                    connection.commit()
                except psycopg.Error as error:
                    raise _CommitFailed(str(type(error).__name__)) from error
                _trace_append(decided, started)
            else:
                connection.rollback()
        # Step 7. It is on disk: now, and not before, the callers hear of it.
        for job, done in decided:
            if isinstance(done, Done):
                job.answer.set_result(done)
            else:
                job.answer.set_exception(done)

    def _decide(self, cur: Cursor[TupleRow], jobs: Sequence[_Job]) -> tuple[Group, list[_Decided]]:
        group = Group.begin(self._store, cur)
        decided: list[_Decided] = []
        for job in jobs:
            token = otel.attach(job.asked.trace)
            try:
                decided.append(_Decided(job, accept(job.asked, group, self._rules)))
            except Refusal as refusal:
                decided.append(_Decided(job, refusal))
            except psycopg.Error:
                raise
            except Exception as error:  # noqa: BLE001  (its neighbours must not suffer)
                _log.error("a command failed", error=type(error).__name__)
                decided.append(_Decided(job, error))
            finally:
                otel.detach(token)
        return group, decided

    def _reach(self) -> Connection[TupleRow] | None:
        """The writer's own connection; one attempt, bounded by the connect timeout."""
        if self._connection is not None and not self._connection.closed:
            return self._connection
        try:
            self._connection = self._connect()
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


def _refuse_all(jobs: Sequence[_Job], error: Unavailable) -> None:
    for job in jobs:
        _fail(job, error)


def _fail(job: _Job, error: Exception) -> None:
    if not job.answer.done():
        job.answer.set_exception(error)


def _trace_append(decided: Sequence[_Decided], started: int) -> None:
    """The append was one for all of them; each command's trace shows it."""
    for job, done in decided:
        if isinstance(done, Done) and not done.replayed:
            span = _tracer.start_span("append", context=job.asked.trace, start_time=started)
            span.set_attribute("positions", [one.position for one in done.recorded])
            span.end()
