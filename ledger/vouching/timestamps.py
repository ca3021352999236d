"""Timestamps over published checkpoints: asked of an authority outside, kept, never waited for.

An authority tells the time, nothing else: with its token nobody, not even who holds the log's keys,
can make a checkpoint today and say that it is of last year. One thread asks now and then; a token
that does not come, or is wrong, holds nobody up and is asked for again.
"""

import base64
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, Protocol, Self

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
# Notes of this log, by every one of these keys, and where witnesses count by at least one of them.
# What is found so is like the right one; whoever takes it checks the signatures.
_BY: Final = """
substring(note for octet_length(%(origin)b)) = %(origin)b
and not exists (select from unnest(%(log)b::bytea[]) as mark where position(mark in note) = 0)
and (cardinality(%(witnesses)b::bytea[]) = 0 or exists (
    select from unnest(%(witnesses)b::bytea[]) as mark where position(mark in note) > 0
))
"""
_NEWEST: Final = (
    "select size, stamped, note, token from {}.timestamps where "  # noqa: S608  (of constants)
    + _BY
    + "order by size desc, stamped desc limit 1"
)
_COVERING: Final = (
    "select size, stamped, note, token from {}.timestamps "  # noqa: S608  (of constants)
    "where size >= %(position)s and (size, stamped) > (%(size)s, %(stamped)s) and "
    + _BY
    + "order by size, stamped limit %(limit)s"
)
_PAGE_ROWS: Final = 20
_BEFORE_ALL: Final = (-1, datetime(1, 1, 1, tzinfo=UTC))

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


class _Key(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def key_id(self) -> bytes: ...


class Signers(NamedTuple):
    """By whom a note must be signed: marks that its bytes have, to look for in the store."""

    origin: bytes
    """The first line, with its line feed."""
    log: tuple[bytes, ...]
    """How the lines of the log's own keys begin; all of them must be there."""
    witnesses: tuple[bytes, ...] = ()
    """How those of witnesses begin; one of them must be there, unless there are none."""

    @classmethod
    def of(cls, keys: Sequence[_Key], witnesses: Sequence[_Key] = ()) -> Self:
        """What has been signed by these keys of one log, and by somebody of these witnesses."""
        origin = f"{keys[0].name}\n".encode()
        return cls(origin, tuple(map(_mark, keys)), tuple(map(_mark, witnesses)))

    @classmethod
    def like(cls, note: bytes) -> Self:
        """What has been signed by the log's keys that signed `note`, and by a witness of it."""
        origin, _, rest = note.partition(b"\n")
        ours = "\n— ".encode() + origin + b" "
        marks = [b"\n" + m for m in re.findall(rb"(?<=\n)\xe2\x80\x94 [^ \n]+ [^\n]{5}", rest)]
        return cls(
            origin + b"\n",
            tuple(mark for mark in marks if mark.startswith(ours)),
            tuple(mark for mark in marks if not mark.startswith(ours)),
        )


def _mark(key: _Key) -> bytes:
    """How a signature's line begins: of four bytes of id, the digits that nothing else is in."""
    return f"\n— {key.name} ".encode() + base64.b64encode(key.key_id)[:5]


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

    def newest(self, cur: Cursor[TupleRow], by: Signers) -> Stamped | None:
        """The token over the largest checkpoint that was so signed and has one."""
        row = cur.execute(self._newest, _given(by)).fetchone()
        return None if row is None else _read(row)

    def covering(self, cur: Cursor[TupleRow], position: int, by: Signers) -> Iterator[Stamped]:
        """Tokens over checkpoints so signed with this position in them, the earliest first."""
        size, stamped = _BEFORE_ALL
        while True:
            place = {"position": position, "size": size, "stamped": stamped, "limit": _PAGE_ROWS}
            rows = cur.execute(self._covering, {**_given(by), **place}).fetchall()
            yield from map(_read, rows)
            if len(rows) < _PAGE_ROWS:
                return
            size, stamped = rows[-1][:2]


def _given(by: Signers) -> dict[str, object]:
    return {"origin": by.origin, "log": list(by.log), "witnesses": list(by.witnesses)}


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
            published = self._published(cur)
            if published is None:
                return LOOK
            # Tokens over what another log, older keys or fewer witnesses signed do not count: a
            # dossier would not show them.
            newest = self._rows.newest(cur, Signers.like(published[1]))
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


def _read(row: TupleRow) -> Stamped:
    return Stamped(row[0], row[1], bytes(row[2]), bytes(row[3]))
