"""Timestamps in the store: which checkpoint gets one, when, and that none comes in by mistake."""

import random
import subprocess
import threading
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from api.outbound import Outbound
from ledger.database import Database
from ledger.proof.timestamp import TimestampError, check_token
from ledger.vouching.sending import Answer, Unanswered
from ledger.vouching.timestamps import Signers, Stamped, Stamper, Timestamps, ask
from ledger.vouching.token_order import NotDer, sorted_reply
from strangers import answer, stranger
from tsa import OPENSSL, Authority, authority, make_authority, make_chained, needs_openssl

pytestmark = needs_openssl

NEVER = timedelta(days=1)
AT_ONCE = timedelta(milliseconds=20)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Generator[Authority]:
    """An authority that answers."""
    with authority(tmp_path_factory.mktemp("tsa") / "one") as made:
        yield made


@pytest.fixture
def send() -> Generator[Outbound]:
    """What the product sends with."""
    with Outbound() as outbound:
        yield outbound


def note_of(size: int) -> bytes:
    """Some checkpoint."""
    return f"hireledger.example/log\n{size}\n{'A' * 43}=\n\n— log AAAAAAA=\n".encode()


def query_about(data: bytes) -> bytes:
    """A request with a number of its own."""
    made = TimestampRequestBuilder(data=data, hash_algorithm=HashAlgorithm.SHA256).build()
    return made.as_bytes()


def replying(reply: bytes, _: str, __: str, ___: bytes, ____: float) -> Answer:
    """An authority that always says the same."""
    return Answer(200, REPLY, reply)


def now() -> datetime:
    """By our clock."""
    return datetime.now(UTC)


class Publishing:
    """A log whose newest checkpoint is of `size`."""

    def __init__(self, size: int = 0) -> None:
        self.size = size

    def __call__(self, _: Cursor[TupleRow]) -> tuple[int, bytes] | None:
        """Size and note, as the product asks for them."""
        return (self.size, note_of(self.size)) if self.size else None


def kept(database: Database) -> list[tuple[int, datetime, bytes, bytes]]:
    """Everything in the table."""
    with database.connect("runtime") as connection:
        return connection.execute("select * from timestamps order by size").fetchall()


def test_the_newest_checkpoint_is_stamped_and_its_token_kept(
    database: Database, tsa: Authority, send: Outbound
) -> None:
    """What is kept is what a verifier needs: the note, the token, the time."""
    published = Publishing(7)

    def stamp(note: bytes) -> tuple[bytes, datetime]:
        return ask(send, tsa.url, note, tsa.roots, now=now())

    stamper = Stamper(database, published, stamp)
    assert stamper.turn() > timedelta(0)
    ((size, stamped, note, token),) = kept(database)
    assert (size, note) == (7, note_of(7))
    assert check_token(token, note, tsa.roots) == stamped


def test_one_checkpoint_gets_one_token_and_the_next_waits_its_time(database: Database) -> None:
    """An authority is not asked about every commit."""
    published, asked = Publishing(), list[bytes]()

    def stamp(note: bytes) -> tuple[bytes, datetime]:
        asked.append(note)
        return b"token", now()

    patient = Stamper(database, published, stamp, every=NEVER)
    hasty = Stamper(database, published, stamp, every=timedelta(0))
    patient.turn()
    assert not asked, "nothing is published yet"
    published.size = 7
    assert patient.turn() == NEVER
    patient.turn()
    hasty.turn()
    assert asked == [note_of(7)]
    published.size = 9
    assert timedelta(0) < patient.turn() <= NEVER
    assert asked == [note_of(7)]
    hasty.turn()
    assert asked == [note_of(7), note_of(9)]


def test_the_earliest_token_with_a_position_in_it_is_found(database: Database) -> None:
    """A dossier takes the token that shows the earliest time."""
    rows, at = Timestamps(database.schema), now()
    with database.connect("runtime") as connection, connection.cursor() as cur:
        by = Signers.like(note_of(1))
        assert rows.newest(cur, by) is None
        assert list(rows.covering(cur, 1, by)) == []
        few, many = (Stamped(size, at, note_of(size), b"token") for size in (7, 9))
        for one in (many, few, few):
            rows.insert(cur, one)
        found = [list(rows.covering(cur, position, by)) for position in (1, 7, 8, 9, 10)]
        assert found == [[few, many], [few, many], [many], [many], []]
        assert rows.newest(cur, by) == many


@pytest.mark.parametrize("trouble", [Unanswered("silent"), TimestampError("wrong")])
def test_an_authority_that_fails_is_asked_again(database: Database, trouble: Exception) -> None:
    """Its absence costs a token's delay, and nothing else."""
    failures, done = [trouble, trouble], threading.Event()

    def stamp(_: bytes) -> tuple[bytes, datetime]:
        if failures:
            raise failures.pop()
        done.set()
        return b"token", now()

    with Stamper(database, Publishing(7), stamp, every=NEVER, retry=AT_ONCE):
        assert done.wait(30)
    assert len(kept(database)) == 1


def test_a_store_that_is_away_is_no_end(database: Database) -> None:
    """The thread outlives an outage."""
    rounds, done = [1, 2], threading.Event()

    def published(cur: Cursor[TupleRow]) -> tuple[int, bytes] | None:
        if rounds.pop() and rounds:
            cur.connection.close()
            cur.execute("select 1")
        done.set()
        return None

    def stamp(_: bytes) -> tuple[bytes, datetime]:
        raise AssertionError("nothing is published")

    with Stamper(database, published, stamp, every=NEVER, retry=AT_ONCE) as stamper:
        assert done.wait(30)
        stamper.stop()


REPLY = "application/timestamp-reply"


Reply = Callable[[Authority, bytes], Answer]
BAD: list[tuple[Reply, str]] = [
    (lambda _, __: Answer(500, REPLY, b""), "status 500"),
    (lambda _, __: Answer(302, REPLY, b""), "status 302"),
    (lambda tsa, query: Answer(200, "text/html", tsa.reply(query)), "no token"),
    (lambda _, __: Answer(200, REPLY, b""), "no token"),
    (lambda tsa, query: Answer(200, REPLY, tsa.reply(query)[:-1]), "no token"),
    (lambda tsa, query: Answer(200, REPLY, tsa.reply(query[:-1])), "refused"),
    (lambda tsa, _: Answer(200, REPLY, tsa.reply(query_about(note_of(7)))), "not the one"),
    (lambda tsa, _: Answer(200, REPLY, tsa.reply(query_about(b"other"))), "not the one"),
]


@pytest.mark.parametrize(
    ("reply", "said"),
    BAD,
    ids=[
        "failing",
        "redirecting",
        "a page",
        "empty",
        "truncated",
        "refusing",
        "replaying",
        "other bytes",
    ],
)
def test_an_answer_without_the_token_asked_for_is_refused(
    tsa: Authority, reply: Reply, said: str
) -> None:
    """Every way in which an authority can fail is one error."""
    note = note_of(7)

    def send(_: str, kind: str, body: bytes, __: float) -> Answer:
        assert kind == "application/timestamp-query"
        return reply(tsa, body)

    with pytest.raises(TimestampError, match=said):
        ask(send, "", note, tsa.roots, now=now())


def test_a_token_of_another_authority_is_not_kept_where_roots_are_named(
    tsa: Authority, tmp_path: Path, send: Outbound
) -> None:
    """Without roots it is kept as it is: a verifier brings its own."""
    other = make_authority(tmp_path / "two")
    with pytest.raises(TimestampError, match="root"):
        ask(send, tsa.url, note_of(7), other.roots, now=now())
    token, _ = ask(send, tsa.url, note_of(7), now=now())
    check_token(token, note_of(7), tsa.roots)


def test_an_authority_that_sends_its_chain_unsorted_is_read(tmp_path: Path) -> None:
    """As those built on OpenSSL do; what is kept, OpenSSL reads as well."""
    chained = make_chained(tmp_path / "chained")

    def send(_: str, __: str, body: bytes, ___: float) -> Answer:
        return Answer(200, REPLY, chained.reply(body))

    # Serial numbers are of chance: by chance the chain is in order sometimes.
    found = [ask(send, "", note_of(size), chained.roots, now=now()) for size in range(1, 4)]
    for size, (token, stamped) in enumerate(found, start=1):
        assert check_token(token, note_of(size), chained.roots) == stamped
    (tmp_path / "token").write_bytes(found[0][0])
    (tmp_path / "note").write_bytes(note_of(1))
    words = [str(OPENSSL), "ts", "-verify", "-token_in", "-in", "token", "-data", "note"]
    done = subprocess.run([*words, "-CAfile", chained.pem], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_a_reply_in_order_is_left_as_it_is(tsa: Authority) -> None:
    """And one that is cut anywhere is told, never read beyond."""
    reply = tsa.reply(query_about(note_of(7)))
    assert sorted_reply(reply) == reply
    for length in range(len(reply)):
        with pytest.raises(NotDer):
            sorted_reply(reply[:length])


@pytest.mark.parametrize("seed", range(3))
def test_noise_for_a_reply_is_one_kind_of_error(tsa: Authority, seed: int) -> None:
    """Whatever an authority sends, asking it fails in one way."""
    chance, reply = random.Random(seed), tsa.reply(query_about(note_of(7)))
    for _ in range(200):
        changed = bytearray(reply)
        for _ in range(chance.randrange(1, 4)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        with pytest.raises(TimestampError):
            ask(partial(replying, bytes(changed)), "", note_of(7), tsa.roots, now=now())


def test_a_clock_far_from_ours_is_told(tsa: Authority, send: Outbound) -> None:
    """One of the two is wrong, and a token from such a time would only raise questions."""
    for hours in (-1, 1):
        with pytest.raises(TimestampError, match="too far apart"):
            ask(send, tsa.url, note_of(7), tsa.roots, now=now() + timedelta(hours=hours))


def test_an_endless_answer_is_an_authority_that_does_not_answer(send: Outbound) -> None:
    """Its size is limited where it comes in."""
    with (
        stranger(lambda _: answer("200 OK", bytes(1_000_000), REPLY)) as met,
        pytest.raises(Unanswered),
    ):
        ask(send, met.url, note_of(7), now=now())
