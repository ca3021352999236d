"""The edge behind a real server, spoken to byte by byte over the loopback."""

import asyncio
import gzip
import re
import socket
import threading
import time
from collections.abc import Generator
from typing import Any

import pytest
import uvicorn
from litestar import Litestar, Request, Response, get, post
from msgspec import Struct

from api.edge import guard
from api.problems import handlers
from api.strict import decode_body

LIMIT = 10_000
HEAD = b"POST /notes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """The only thing the tiny application takes."""

    text: str = ""


@post("/notes")
async def take_note(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Read a note and give its length back."""
    note = decode_body(await request.body(), Note)
    return Response(str(len(note.text)).encode(), media_type="application/json")


@get("/notes")
async def read_notes() -> Response[bytes]:
    """Give something back."""
    return Response(b"notes", media_type="text/plain")


@pytest.fixture(scope="module")
def port() -> Generator[int]:
    """A server of the tiny application on the loopback."""
    inner: Any = Litestar(
        [take_note, read_notes], exception_handlers=handlers(), openapi_config=None
    )
    app: Any = guard(inner, body_bytes_max=LIMIT)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(20)


def told(port: int, *pieces: bytes, pause: float = 0.0) -> tuple[int, bytes]:
    """The status and the body that come back for these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        for piece in pieces:
            wire.sendall(piece)
            time.sleep(pause)
        answer = b"".join(iter(lambda: wire.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
    assert found, answer[:200]
    return int(found[1]), body


def sized(body: bytes, headers: bytes = JSON) -> bytes:
    """A request with a body of announced length."""
    return HEAD + headers + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(*chunks: bytes, headers: bytes = JSON) -> list[bytes]:
    """A request with a body in chunks."""
    head = HEAD + headers + b"Transfer-Encoding: chunked\r\n\r\n"
    return [head, *(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks), b"0\r\n\r\n"]


def test_bodies_are_read_in_one_piece_or_in_chunks(port: int) -> None:
    """Also when they trickle in."""
    assert told(port, sized(b'{"text":"abc"}')) == (201, b"3")
    assert told(port, *chunked(b'{"text', b'":"ab', b'c"}'), pause=0.02)[0] == 201


@pytest.mark.parametrize(
    ("status", "request_bytes"),
    [
        (415, sized(b"{}", b"")),
        (415, sized(b"{}", b"Content-Type: text/plain\r\n")),
        (415, sized(b"{}", b"Content-Type: application/json; charset=utf-16\r\n")),
        (415, sized(gzip.compress(b"{}"), JSON + b"Content-Encoding: gzip\r\n")),
        (413, sized(b"[" * (LIMIT + 1))),
        (400, sized(b"[" * LIMIT)),
        (400, sized(b"\xff\xfe")),
        (400, sized(b"\xef\xbb\xbf{}")),
        (400, sized(b'{"text":"\\ud800"}')),
        (400, sized(b'{"text":"\\u0000"}')),
        (400, sized(b'{"text":"", "te\\u0078t":""}')),
        (400, sized(b"{}", JSON + b"Idempotency-Key: \xff\xfe\r\n")),
        (400, sized(b"{}", JSON + b"Hireledger-Actor: a\r\nHireledger-Actor: b\r\n")),
        (201, sized(b"{}", JSON + b"User-Agent: \xff\xfe\r\n")),
        (201, HEAD + b"\r\n"),
        (201, HEAD + JSON + b"Content-Length: 0\r\n\r\n"),
        (400, HEAD.replace(b"/notes", b"/notes%00") + b"\r\n"),
        (400, HEAD.replace(b"/notes", b"/no%2Ftes") + b"\r\n"),
        (405, HEAD.replace(b"POST", b"PUT") + b"\r\n"),
        (404, HEAD.replace(b"/notes", b"/") + b"\r\n"),
    ],
)
def test_hostile_requests_get_their_status(port: int, status: int, request_bytes: bytes) -> None:
    """What the server lets through, the edge answers."""
    assert told(port, request_bytes)[0] == status


def test_a_body_in_chunks_without_a_length_keeps_the_limit(port: int) -> None:
    """It is counted as it comes."""
    chunks = chunked(*[b" " * 1000] * (LIMIT // 1000 + 1))
    assert told(port, *chunks)[0] == 413


def test_an_announced_body_over_the_limit_is_refused_before_it_is_sent(port: int) -> None:
    """A terabyte is not waited for."""
    assert told(port, HEAD + JSON + b"Content-Length: 1000000000000\r\n\r\n{")[0] == 413


def test_head_is_answered_without_a_body(port: int) -> None:
    """Over a real connection that would show one."""
    request = b"HEAD /notes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert told(port, request) == (200, b"")


def test_a_get_with_a_body_is_answered_all_the_same(port: int) -> None:
    """Its body means nothing and is not read."""
    request = sized(b"\xff" * 100, b"").replace(b"POST", b"GET")
    assert told(port, request) == (200, b"notes")


def test_the_server_lives_on_after_who_hangs_up(port: int) -> None:
    """In the middle of a body."""
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.sendall(HEAD + JSON + b"Content-Length: 100\r\n\r\n{")
    assert told(port, sized(b"{}"))[0] == 201
