"""Timestamps over published checkpoints: asked of an authority outside, kept, never waited for.

An authority tells the time, nothing else: with its token nobody, not even who holds the log's keys,
can make a checkpoint today and say that it is of last year. One thread asks now and then; a token
that does not come, or is wrong, holds nobody up and is asked for again.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Self

import psycopg
import structlog
from cryptography.x509 import Certificate
from psycopg import Cursor
from psycopg.rows import TupleRow
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from ledger.database import Database
from ledger.personal.subject_keys import in_schema
from ledger.proof.timestamp import TimestampError, check_token, read_token
from ledger.vouching.sending import Send, Unanswered
from ledger.vouching.token_order import sorted_reply

EVERY: Final = timedelta(minutes=15)
"""At most one token in so long; the last checkpoint of a busy quarter of an hour has one."""

RETRY: Final = timedelta(minutes=1)
LOOK: Final = timedelta(seconds=2)
"""How soon it looks again while nothing at all is published, as after a first start."""

ANSWER_SECONDS_MAX: Final = 20.0
ASTRAY: Final = timedelta(minutes=10)
"""A token of a time so far from our own is not kept: one of the two clocks is wrong."""

_QUERY: Final = "application/timestamp-query"
_REPLY: Final = "application/timestamp-reply"
_GRANTED: Final = 0

_INSERT: Final = (
    "insert into {}.timestamps (size, stamped, note, token) values (%s, %s, %s, %s) "
    "on conflict do nothing"
)
_NEWEST: Final = (
    "select size, stamped, note, token from {}.timestamps order by size desc, stamped limit 1"
)
_COVERING: Final = (
    "select size, stamped, note, token from {}.timestamps where size >= %s "
    "order by size, stamped limit 1"
)

_log = structlog.get_logger()


class Stamped(NamedTuple):
    """A checkpoint as it was published, and the token that shows when it existed at the latest."""

    size: int
    """The number of facts that the checkpoint is over."""
    stamped: datetime
    note: bytes
    """The whole signed note, which is what the token is about."""
    token: bytes
    """A TimeStampToken in DER."""


class Timestamps:
    """The table `timestamps` of one ledger; everything runs on the caller's cursor."""

    __slots__ = ("_covering", "_insert", "_newest")

    def __init__(self, schema: str) -> None:
        self._insert = in_schema(_INSERT, schema)
        self._newest = in_schema(_NEWEST, schema)
        self._covering = in_schema(_COVERING, schema)

    def insert(self, cur: Cursor[TupleRow], one: Stamped) -> None:
        """Keeps a token, once."""
        cur.execute(self._insert, one)

    def newest(self, cur: Cursor[TupleRow]) -> Stamped | None:
        """The token over the largest checkpoint that has one."""
        return _read(cur.execute(self._newest))

    def covering(self, cur: Cursor[TupleRow], position: int) -> Stamped | None:
        """The token over the smallest checkpoint with this position in it: the earliest time."""
        return _read(cur.execute(self._covering, [position]))


def ask(
    send: Send, url: str, note: bytes, roots: Sequence[Certificate] = (), *, now: datetime
) -> tuple[bytes, datetime]:
    """A new token over `note`, and its time.

    With `roots` its signature is checked; without, only that it is about these bytes and answers
    this very request. Raises `Unanswered` or `TimestampError`.
    """
    query = TimestampRequestBuilder(data=note, hash_algorithm=HashAlgorithm.SHA256).build()
    answer = send(url, _QUERY, query.as_bytes(), ANSWER_SECONDS_MAX)
    if answer.status != 200 or answer.content_type.partition(";")[0].strip().lower() != _REPLY:
        raise TimestampError(f"The authority answered with status {answer.status} and no token.")
    try:
        reply = decode_timestamp_response(sorted_reply(answer.body))
        status, token = reply.status, reply.time_stamp_token()
    except Exception as error:
        # Parsed as it is read, and a refusal has no token in it.
        raise TimestampError("The authority's answer holds no token.") from error
    if status != _GRANTED:
        raise TimestampError(f"The authority refused, with status {status} of RFC 3161.")
    said = read_token(token)
    if said.nonce != query.nonce or not said.is_about(note):
        raise TimestampError("The authority's token is not the one that was asked for.")
    if roots:
        check_token(token, note, roots)
    if abs(said.time - now) > ASTRAY:
        raise TimestampError("The authority's clock and ours are too far apart; see which is off.")
    return token, said.time


class Stamper:
    """Has the newest published checkpoint stamped now and then; one thread, which never raises.

    Nobody calls it while recording or publishing: it looks for itself what is there.
    """

    def __init__(
        self,
        database: Database,
        published: Callable[[Cursor[TupleRow]], tuple[int, bytes] | None],
        stamp: Callable[[bytes], tuple[bytes, datetime]],
        *,
        every: timedelta = EVERY,
        retry: timedelta = RETRY,
    ) -> None:
        """`published` gives size and note of the newest checkpoint; `stamp` is `ask`, bound."""
        self._database = database
        self._published = published
        self._stamp = stamp
        self._every, self._retry = every, retry
        self._rows = Timestamps(database.schema)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hireledger-stamper", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Ask for nothing more; what is being asked for now is waited for no longer than it may."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        pause = timedelta(0)
        while not self._stopping.wait(pause.total_seconds()):
            try:
                pause = self.turn()
            except (Unanswered, TimestampError, psycopg.Error) as error:
                _log.warning("timestamp missed", error=type(error).__name__)
                pause = self._retry

    def turn(self) -> timedelta:
        """Stamps the newest checkpoint if it is time to; how long until the next look."""
        with self._database.connect("runtime") as connection, connection.cursor() as cur:
            published, newest = self._published(cur), self._rows.newest(cur)
        if published is None:
            return LOOK
        if newest is not None and newest.size >= published[0]:
            return min(self._every, self._retry)  # nothing new; looking costs next to nothing
        if newest is not None and (rest := newest.stamped + self._every - _now()) > timedelta(0):
            return min(rest, self._every)
        # The connection is given back: a slow authority keeps no place at the store.
        size, note = published
        token, stamped = self._stamp(note)
        # A crash here loses a token, which costs nothing; the next start asks for another.
        with self._database.connect("runtime") as connection, connection.cursor() as cur:
            self._rows.insert(cur, Stamped(size, stamped, note, token))
        _log.info("timestamp kept", position=size)
        return self._every


def _now() -> datetime:
    return datetime.now(UTC)


def _read(cur: Cursor[TupleRow]) -> Stamped | None:
    row = cur.fetchone()
    return None if row is None else Stamped(row[0], row[1], bytes(row[2]), bytes(row[3]))
