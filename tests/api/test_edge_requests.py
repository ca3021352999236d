"""What every request passes before any route, and what every answer carries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import psycopg
import pytest
from litestar import Litestar, Request, Response, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.response import Stream
from msgspec import Struct

from api.asgi import App
from api.edge import guard, split_lines
from api.problems import Problem, handlers
from api.strict import decode_body

LIMIT = 1_000
STREAM_LIMIT = 5_000
JSON = (b"content-type", b"application/json")
SECRET = "Zdenka-Quux"

Call = Callable[..., Any]
"""The fixture `call`: application, method, target, chunks, headers; gives the answer."""


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """The only thing the tiny application takes."""

    text: str = ""


@post("/notes")
async def take_note(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Read a note strictly and give back its length."""
    note = decode_body(await request.body(), Note, limit=LIMIT)
    return Response(str(len(note.text)).encode(), status_code=201, media_type="application/json")


@get("/notes/{name:str}")
async def read_note(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Give a name back."""
    name: str = request.path_params["name"]
    return Response(name.encode(), media_type="text/plain", headers={"Cache-Control": "max-age=9"})


@get("/failures/{kind:str}")
async def fail(request: Request[Any, Any, Any]) -> None:
    """Fail in one of many ways, always with a secret in the message."""
    kind: str = request.path_params["kind"]
    kinds: dict[str, Exception] = {
        "bug": RuntimeError(SECRET),
        "away": psycopg.OperationalError(SECRET),
        "denied": PermissionDeniedException(detail=SECRET),
        "problem": Problem("refused", "The loop is closed.", extra={"position": 7}),
    }
    if kind == "wrapped":
        raise RuntimeError(SECRET) from kinds["away"]
    raise kinds[kind]


@get("/stream")
async def stream_for_ever() -> Stream:
    """Send lines for as long as anyone listens."""

    async def lines() -> AsyncIterator[bytes]:
        while True:
            yield b"{}\n"

    return Stream(lines(), media_type="application/x-ndjson")


@get("/broken-stream")
async def break_off() -> Stream:
    """Fail when the answer has begun."""

    async def lines() -> AsyncIterator[bytes]:
        yield b"{}\n"
        raise RuntimeError(SECRET)

    return Stream(lines(), media_type="application/x-ndjson")


@post("/v1/batch", status_code=200)
async def take_batch(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Tell for each line whether it was read."""
    lines = split_lines(request.stream(), line_bytes_max=LIMIT)
    told = [line.code if isinstance(line, Problem) else "read" async for line in lines]
    return Response(msgspec.json.encode(told), media_type="application/json")


@pytest.fixture(scope="module")
def app() -> App:
    """The tiny application behind the edge."""
    routes = [take_note, read_note, fail, stream_for_ever, break_off, take_batch]
    inner: Any = Litestar(routes, exception_handlers=handlers(), openapi_config=None)
    return guard(inner, body_bytes_max=LIMIT, streams={"/v1/batch": STREAM_LIMIT})


def problem(answer: Any, status: int, code: str) -> Any:
    """The problem in an answer, after what holds for every problem was checked."""
    assert answer.status == status
    assert answer.header("content-type") == "application/problem+json"
    told = answer.json()
    assert told["type"] == f"urn:hireledger:problem:{code}"
    assert told["status"] == status
    assert told["instance"] == answer.header("request-id")
    assert told["title"]
    assert told["detail"]
    assert SECRET not in answer.body.decode()
    return told


def test_a_good_request_goes_through(app: App, call: Call) -> None:
    """In one piece or in many."""
    for chunks in ([b'{"text":"abc"}'], [b'{"te', b"", b'xt":"abc"', b"}"]):
        answer = call(app, "POST", "/notes", chunks)
        assert (answer.status, answer.body) == (201, b"3")


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/json",
        b"Application/JSON",
        b"application/json; charset=utf-8",
        b'application/json;charset="UTF-8"',
        b" application/json ;",
    ],
)
def test_json_in_utf_8_is_read(app: App, call: Call, content_type: bytes) -> None:
    """In every spelling of the content type that means it."""
    assert call(app, "POST", "/notes", [b"{}"], [(b"content-type", content_type)]).status == 201


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"content-type", b"")],
        [(b"content-type", b"text/plain")],
        [(b"content-type", b"text/json")],
        [(b"content-type", b"application/x-www-form-urlencoded")],
        [(b"content-type", b"multipart/form-data; boundary=x")],
        [(b"content-type", b"application/json; charset=latin-1")],
        [(b"content-type", b"application/json; charset=utf-16")],
        [(b"content-type", b"application/json, text/plain")],
        [(b"content-type", b"application/jsonp")],
        [(b"content-type", b"application/problem+json")],
        [(b"content-type", b"application/x-ndjson")],
        [JSON, (b"content-encoding", b"gzip")],
        [JSON, (b"content-encoding", b"br, identity")],
    ],
)
def test_a_body_of_another_kind_is_a_415(
    app: App, call: Call, headers: list[tuple[bytes, bytes]]
) -> None:
    """JSON said to be something else, something else, another charset, or compressed."""
    answer = call(app, "POST", "/notes", [b"{}"], headers)
    problem(answer, 415, "unsupported-media-type")
    assert answer.header("accept") == "application/json" or answer.header("accept-encoding")


def test_no_body_needs_no_content_type(app: App, call: Call) -> None:
    """A command without fields is sent without a body."""
    assert call(app, "POST", "/notes", [], []).status == 201
    assert call(app, "POST", "/notes", [], [(b"content-length", b"0")]).status == 201


def test_a_body_over_the_limit_is_a_413_by_its_announcement(app: App, call: Call) -> None:
    """Far over it, without reading any of it."""
    length = (b"content-length", str(LIMIT + 2**20 + 1).encode())
    problem(call(app, "POST", "/notes", [b"{}"], [JSON, length]), 413, "too-large")


def test_a_body_over_the_limit_is_a_413_by_its_length(app: App, call: Call) -> None:
    """When the announcement is missing, as in chunks, or false; the limit itself is allowed."""
    full = b'{"text":"' + b"x" * (LIMIT - 11) + b'"}'
    assert call(app, "POST", "/notes", [full[:500], full[500:]]).status == 201
    short = (b"content-length", b"2")
    for headers in ([JSON], [JSON, short]):
        problem(call(app, "POST", "/notes", [full, b" "], headers), 413, "too-large")
        endless = [b" " * LIMIT] * 2000
        problem(call(app, "POST", "/notes", endless, headers), 413, "too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        b'{"text":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"[" * 999,
        b'{"a":' * 150,
        b'{"text":"\\ud800"}',
        b'{"text":"\\u0000"}',
        b'{"text":"","text":""}',
        b'{"text":1e999}',
        b"{",
        b"nul",
    ],
)
def test_a_body_that_cannot_be_read_is_a_400(app: App, call: Call, body: bytes) -> None:
    """And never a 500."""
    problem(call(app, "POST", "/notes", [body]), 400, "malformed")


def test_100_000_brackets_are_a_400_where_the_limit_lets_them_in(call: Call) -> None:
    """Litestar alone answers 500."""
    inner: Any = Litestar([take_note], exception_handlers=handlers(), openapi_config=None)
    answer = call(guard(inner), "POST", "/notes", [b"[" * 100_000])
    problem(answer, 400, "malformed")


@pytest.mark.parametrize("number", range(0x80, 0x100, 9))
@pytest.mark.parametrize("name", [b"idempotency-key", b"hireledger-actor", b"accept"])
def test_a_header_with_strange_bytes_is_a_400(
    app: App, call: Call, name: bytes, number: int
) -> None:
    """Where the header is one that is read here."""
    headers = [JSON, (name, b"x" + bytes([number]) + SECRET.encode())]
    problem(call(app, "POST", "/notes", [b"{}"], headers), 400, "malformed")


@pytest.mark.parametrize("actor", [b"", b"a b", b"a/b", b"x" * 129])
def test_an_actor_that_cannot_be_an_id_is_a_400(app: App, call: Call, actor: bytes) -> None:
    """Ids are 1 to 128 visible characters without a slash."""
    headers = [JSON, (b"hireledger-actor", actor)]
    problem(call(app, "POST", "/notes", [b"{}"], headers), 400, "malformed")
    headers = [JSON, (b"hireledger-actor", b"x" * 128)]
    assert call(app, "POST", "/notes", [b"{}"], headers).status == 201


def test_strange_bytes_in_a_header_that_is_not_read_do_no_harm(app: App, call: Call) -> None:
    """Names of browsers and cookies of others are none of our business."""
    headers = [JSON, (b"user-agent", b"\xff\xfe"), (b"cookie", b"\x80")]
    assert call(app, "POST", "/notes", [b"{}"], headers).status == 201


@pytest.mark.parametrize(
    "name", [b"idempotency-key", b"hireledger-actor", b"authorization", b"content-type"]
)
def test_a_header_given_twice_is_a_400(app: App, call: Call, name: bytes) -> None:
    """Which of two keys or actors was meant is not for the server to guess."""
    headers = [*([JSON] if name != JSON[0] else []), (name, b"application/json"), (name, b"b")]
    problem(call(app, "POST", "/notes", [b"{}"], headers), 400, "malformed")


@pytest.mark.parametrize("length", [b"-1", b"+2", b"1e3", b"0x2", b"", b"2,2", b"9" * 5000])
def test_a_length_that_is_none_is_a_400(app: App, call: Call, length: bytes) -> None:
    """Whatever the server in front let pass."""
    answer = call(app, "POST", "/notes", [b"{}"], [JSON, (b"content-length", length)])
    problem(answer, 400, "malformed")


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/notes/a%00b", "/notes/a\0b"),
        ("/notes/a%0Ab", "/notes/a\nb"),
        ("/notes/a%0A", "/notes/a\n"),
        ("/notes/%C3%A9", "/notes/\u00e9"),
        ("/notes/%FF", "/notes/\ufffd"),
        ("/notes/a%20b", "/notes/a b"),
        ("/notes/a%2Fb", "/notes/a/b"),
        ("/notes/a%2fb", "/notes/a/b"),
        ("/notes/%7F", "/notes/\x7f"),
        ("*", "*"),
        ("/notes/" + "a" * 9000, "/notes/" + "a" * 9000),
    ],
)
def test_a_path_that_is_not_plain_is_a_400(app: App, call: Call, target: str, path: str) -> None:
    """No id holds a slash, a space, a control character or a letter outside ASCII."""
    problem(call(app, "GET", target, path=path), 400, "malformed")


def test_unknown_paths_and_methods_are_problems_too(app: App, call: Call) -> None:
    """404 and 405 come in the same shape; 405 names the methods."""
    problem(call(app, "GET", f"/{SECRET}"), 404, "not-found")
    assert b"/docs lists the routes" in call(app, "GET", "/").body
    for method in ("DELETE", "PATCH", "TRACE", "BREW"):
        answer = call(app, method, "/notes/a", [], [])
        problem(answer, 405, "method-not-allowed")
        assert answer.header("allow") == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("bug", 500, "internal"),
        ("away", 503, "unavailable"),
        ("wrapped", 503, "unavailable"),
        ("denied", 403, "forbidden"),
        ("problem", 409, "refused"),
    ],
)
def test_no_failure_tells_its_message(
    app: App, call: Call, kind: str, status: int, code: str
) -> None:
    """Every exception becomes a problem with words of its own."""
    answer = call(app, "GET", f"/failures/{kind}")
    told = problem(answer, status, code)
    assert told.get("position") == (7 if kind == "problem" else None)
    assert answer.header("retry-after") == ("1" if status == 503 else None)


def test_a_failure_outside_of_litestar_is_a_problem_too(call: Call) -> None:
    """The edge stands around everything."""

    async def broken(*_: Any) -> None:
        raise RuntimeError(SECRET)

    problem(call(guard(broken), "GET", "/"), 500, "internal")


def test_an_answer_that_fails_on_its_way_is_cut_short(app: App, call: Call) -> None:
    """It cannot be a problem any more, but nothing of the failure is told either."""
    answer = call(app, "GET", "/broken-stream")
    assert (answer.status, answer.body) == (200, b"{}\n")


def test_who_hangs_up_within_the_body_gets_nothing(app: App, call: Call) -> None:
    """And nothing fails."""
    assert call(app, "POST", "/notes", [b'{"te'], hang_up=True).status == 0


def test_a_websocket_is_turned_away(app: App) -> None:
    """Before it is accepted."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "websocket", "path": "/", "headers": []}
    asyncio.run(_serve(app, scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


async def _serve(app: App, *connection: Any) -> None:
    await app(*connection)


def test_every_answer_carries_its_id_and_the_security_headers(app: App, call: Call) -> None:
    """Good ones and problems alike; what a route sets itself stands."""
    good, bad = call(app, "GET", "/notes/a"), call(app, "GET", "/nowhere")
    for answer in (good, bad):
        assert answer.header("x-content-type-options") == "nosniff"
        assert (answer.header("content-security-policy") or "").startswith("default-src 'none'")
        assert (answer.header("request-id") or "").startswith("r_")
    assert good.header("cache-control") == "max-age=9"
    assert bad.header("cache-control") == "no-store"
    assert good.header("request-id") != bad.header("request-id")


def test_head_is_answered_as_get_without_the_body(app: App, call: Call) -> None:
    """With the same headers; an endless stream ends at once; a POST-only path stays one."""
    got, head = call(app, "GET", "/notes/abc"), call(app, "HEAD", "/notes/abc")
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == got.header("content-length") == "3"
    assert call(app, "HEAD", "/stream").body == b""
    assert call(app, "HEAD", "/notes").status == 405


def test_a_batch_is_read_line_by_line(app: App, call: Call) -> None:
    """However it is cut into chunks; an overlong line spoils only itself."""
    ndjson = [(b"content-type", b"application/x-ndjson")]
    body = b"{}\n\n" + b"x" * (LIMIT + 1) + b"\n{}\r\n" + b"y" * LIMIT
    for size in (1, 7, 999, 10_000):
        chunks = [body[i : i + size] for i in range(0, len(body), size)]
        answer = call(app, "POST", "/v1/batch", chunks, ndjson)
        assert answer.json() == ["read", "too-large", "read", "read"], size
    assert call(app, "POST", "/v1/batch", [b"z" * 2000], ndjson).json() == ["too-large"]
    assert call(app, "POST", "/v1/batch", [], ndjson).json() == []


def test_a_batch_has_a_limit_and_a_type_of_its_own(app: App, call: Call) -> None:
    """Lines up to the limit, NDJSON only."""
    ndjson = (b"content-type", b"application/x-ndjson")
    lines = [b"{}\n" * 500] * 4
    problem(call(app, "POST", "/v1/batch", lines, [ndjson]), 413, "too-large")
    announced = [ndjson, (b"content-length", str(STREAM_LIMIT + 2**20 + 1).encode())]
    problem(call(app, "POST", "/v1/batch", [b"{}"], announced), 413, "too-large")
    problem(call(app, "POST", "/v1/batch", [b"{}"], [JSON]), 415, "unsupported-media-type")
