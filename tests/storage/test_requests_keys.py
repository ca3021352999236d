"""Request keys: a request is recognised by scope, key and body, of which only HMACs are kept."""

import re
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.database import Database
from ledger.personal.keyring import KEY_NAMES, KeyRing
from ledger.requests import Known, Request, RequestKeyTaken, Requests, Scope, Spent

RING = KeyRing({name: bytes([number]) * 32 for number, name in enumerate(KEY_NAMES, start=1)})
SCOPE = Scope("k_" + "a" * 26, "p_" + "b" * 26)
CAUSE = "r_" + "c" * 26


@pytest.fixture
def requests(database: Database) -> Requests:
    """The request keys of an empty ledger."""
    return Requests(RING, database.schema)


@pytest.fixture
def cur(database: Database) -> Iterator[Cursor[TupleRow]]:
    """A cursor with the rights of the running server."""
    with database.connect("runtime") as connection, connection.cursor() as cursor:
        yield cursor


def test_a_request_is_known_by_its_key_and_compared_by_its_body(
    requests: Requests, cur: Cursor[TupleRow]
) -> None:
    """The same body is the same request; another one under the key is told apart."""
    request = Request(SCOPE, "key", b"body")
    assert requests.find(cur, request) is None
    requests.add(cur, request, CAUSE, [3, 4])
    assert requests.find(cur, request) == Known((3, 4), CAUSE, same_body=True)
    other = request._replace(body=b"other")
    assert requests.find(cur, other) == Known((3, 4), CAUSE, same_body=False)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Request(SCOPE, "ke", b"ybody"), id="bytes moved from key to body"),
        pytest.param(Request(SCOPE, "Key", b"body"), id="another key"),
        pytest.param(Request(Scope(SCOPE.key_id, "p_" + "c" * 26), "key", b"body"), id="actor"),
        pytest.param(Request(Scope("k_" + "b" * 26, SCOPE.actor), "key", b"body"), id="api key"),
        pytest.param(Request(Scope(SCOPE.actor, SCOPE.key_id), "key", b"body"), id="exchanged"),
    ],
)
def test_a_key_means_nothing_outside_its_scope(
    requests: Requests, cur: Cursor[TupleRow], request_: Request
) -> None:
    """Another API key or actor may use the same key, and learns nothing from it."""
    requests.add(cur, Request(SCOPE, "key", b"body"), CAUSE, [1])
    assert requests.find(cur, request_) is None
    requests.add(cur, request_, CAUSE, [2])
    assert requests.find(cur, request_) == Known((2,), CAUSE, same_body=True)


def test_a_lost_answer_is_found_by_the_key_alone(requests: Requests, cur: Cursor[TupleRow]) -> None:
    """Whoever lost the answer has the key and the scope, and needs no body."""
    requests.add(cur, Request(SCOPE, "key", b"body"), CAUSE, range(7, 10))
    assert requests.locate(cur, SCOPE, "key") == Spent((7, 8, 9), CAUSE)
    assert requests.locate(cur, SCOPE, "another") is None


def test_a_spent_key_is_not_spent_again(requests: Requests, cur: Cursor[TupleRow]) -> None:
    """Neither with the same body nor with another; what it recorded first stays."""
    request = Request(SCOPE, "key", b"body")
    requests.add(cur, request, CAUSE, [1])
    for body in (b"body", b"other"):
        with pytest.raises(RequestKeyTaken, match="same key"):
            requests.add(cur, request._replace(body=body), "r_" + "d" * 26, [2])
    assert requests.locate(cur, SCOPE, "key") == Spent((1,), CAUSE)


def test_one_spent_key_in_a_batch_is_told(requests: Requests, cur: Cursor[TupleRow]) -> None:
    """Also when the same key stands twice in the batch itself."""
    one, two = Request(SCOPE, "one", b""), Request(SCOPE, "two", b"")
    requests.add(cur, one, CAUSE, [1])
    for batch in ([two, one], [two, two]):
        with pytest.raises(RequestKeyTaken), cur.connection.transaction():
            requests.add_many(cur, [(request, CAUSE, [2]) for request in batch])
    assert requests.locate(cur, SCOPE, "two") is None
    requests.add_many(cur, [])


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=2)), max_size=12),
    st.lists(st.integers(1, 2**53 - 1), max_size=4),
)
def test_a_batch_is_answered_in_its_order(
    requests: Requests,
    cur: Cursor[TupleRow],
    asked: list[tuple[str, bytes]],
    positions: list[int],
) -> None:
    """One round trip says of each request what asking for it alone would."""
    batch = [Request(SCOPE, key, body) for key, body in asked]
    spent: dict[str, bytes] = {}
    new: list[tuple[Request, str, list[int]]] = []
    for request in batch[::2]:
        if request.key not in spent:
            spent[request.key] = request.body
            new.append((request, CAUSE, positions[len(new) :]))
    requests.add_many(cur, new)
    recorded = {request.key: tuple(made) for request, _, made in new}
    expected = [
        Known(recorded[r.key], CAUSE, spent[r.key] == r.body) if r.key in spent else None
        for r in batch
    ]
    assert requests.find_many(cur, batch) == expected
    assert [requests.find(cur, request) for request in batch] == expected
    cur.connection.rollback()


def test_of_two_at_once_exactly_one_spends_the_key(
    database: Database, requests: Requests, cur: Cursor[TupleRow]
) -> None:
    """The second waits for the first and is told, whatever their order."""
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def spend(number: int) -> None:
        with database.connect("runtime") as connection:
            barrier.wait()
            try:
                requests.add(connection.cursor(), Request(SCOPE, "key", b"body"), CAUSE, [number])
                outcomes.append("spent")
            except RequestKeyTaken:
                outcomes.append("taken")

    threads = [threading.Thread(target=spend, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["spent", "taken", "taken", "taken"]
    assert requests.locate(cur, SCOPE, "key") is not None


def test_equal_bodies_of_two_requests_do_not_look_equal(
    requests: Requests, cur: Cursor[TupleRow]
) -> None:
    """The stored HMACs tell nobody which requests said the same."""
    for key in ("one", "two"):
        requests.add(cur, Request(SCOPE, key, b"body"), CAUSE, [1])
    cur.execute("select key_hmac, body_hmac from requests")
    values = [value for row in cur.fetchall() for value in row]
    assert {len(value) for value in values} == {32}
    assert len(set(values)) == 4


def test_the_id_of_a_request_commits_to_key_and_body(requests: Requests) -> None:
    """Sent again it is the same; another key, body, scope or ledger gives another id."""
    request = Request(SCOPE, "key", b"body")
    others = (
        request._replace(body=b"other"),
        request._replace(key="other"),
        request._replace(scope=Scope(SCOPE.actor, SCOPE.key_id)),
    )
    stranger = Requests(KeyRing(dict.fromkeys(KEY_NAMES, b"9" * 32)), "elsewhere")
    ids = {requests.cause(request), stranger.cause(request), *map(requests.cause, others)}
    assert len(ids) == 5
    assert requests.cause(request._replace()) in ids
    assert all(re.fullmatch("r_[a-z2-7]{26}", id_) for id_ in ids)
