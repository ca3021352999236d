"""The edge: what every request passes before any route, and what stands around Litestar.

In order: the target and the headers that we read are plain ASCII; the body has a content type that
is read here, is not compressed, keeps its limit (by announced and by counted length) and is text
that a decoder can take. Whatever fails inside leaves as a problem. `decode_body` checks the rest.
"""

import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Final

from api import rawjson
from api.asgi import App, Message, Receive, Scope, Send
from api.headers import Finish
from api.problems import Problem, malformed, problem_of, report, send_problem
from api.strict import BODY_BYTES_MAX
from api.telemetry import Trace

TARGET_BYTES_MAX: Final = 8_192
LINGER_BYTES_MAX: Final = 1024 * 1024
STREAM_BYTES_MAX: Final = 64 * 1024 * 1024
JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
KEY_LENGTH_MAX: Final = 255

_Headers = dict[bytes, bytes]

# Other methods are answered with 405, whatever body they bring.
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_PATH: Final = re.compile(r"/[!-~]*")
_HEADER: Final = re.compile(rb"[\t -~]*")
# What anything here reads; other headers are never looked at. The second group may come once only.
_READ_MANY: Final = frozenset({b"accept", b"if-none-match"})
_READ_ONCE: Final = frozenset({
    b"authorization", b"content-encoding", b"content-length", b"content-type", b"hireledger-actor",
    b"idempotency-key", b"last-event-id",
})  # fmt: skip


_FORMS: Final = {
    b"hireledger-actor": re.compile(rb"[!-.0-~]{1,128}"),
    b"idempotency-key": re.compile(rb"[!-~]{1,255}"),
    b"content-length": re.compile(rb"[0-9]{1,18}"),
}


class _Gone(Exception):
    """The caller hung up before the body was complete: there is nobody to answer."""


class Edge:
    """ASGI around the application; `streams` maps paths that take NDJSON to limits in bytes."""

    def __init__(
        self,
        app: App,
        *,
        body_bytes_max: int = BODY_BYTES_MAX,
        streams: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._body_bytes_max = body_bytes_max
        self._streams = {"/v1/batch": STREAM_BYTES_MAX} if streams is None else dict(streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; never raises for a request that can still be answered."""
        if scope["type"] == "websocket":
            # Nothing here speaks it: closing before accepting makes the server answer 403.
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            headers = _checked(scope)
            guarded = await self._body(scope, headers, receive)
            await self._app(scope, guarded, send_noting)
        except _Gone:
            return
        except Exception as error:  # noqa: BLE001 (nothing may pass unanswered)
            problem = problem_of(error)
            report(error, problem, scope)
            # Once an answer has begun it can only be cut short: the server does, on our return.
            if not started:
                await send_problem(problem, scope, send)

    async def _body(self, scope: Scope, headers: _Headers, receive: Receive) -> Receive:
        """The body, checked as far as it can be before a route is known to want it."""
        if scope["method"] not in _WITH_BODY:
            return receive
        stream_max = self._streams.get(scope["path"].rstrip("/"))
        limit = self._body_bytes_max if stream_max is None else stream_max
        if int(headers.get(b"content-length", b"0")) > limit + LINGER_BYTES_MAX:
            raise _too_large(limit)
        if stream_max is not None:
            _check_type(headers, NDJSON)
            return _counted(receive, limit)
        body = await _read(receive, limit)
        if body:
            _check_type(headers, JSON)
            try:
                rawjson.check_text(body)
            except rawjson.Fault as fault:
                raise malformed(fault.message) from None
        return _replayed(body, receive)


def guard(
    app: App,
    *,
    body_bytes_max: int = BODY_BYTES_MAX,
    streams: Mapping[str, int] | None = None,
    https_only: bool = False,
    quiet: frozenset[str] = frozenset({"/health/live", "/health/ready"}),
) -> App:
    """Everything that stands around the application, outermost first: trace, headers, edge."""
    edge = Edge(app, body_bytes_max=body_bytes_max, streams=streams)
    return Trace(Finish(edge, https_only=https_only), quiet=quiet)


def request_key(headers: Mapping[str, str]) -> str:
    """The Idempotency-Key of a write, 1 to 255 visible characters, or `Problem` 400."""
    key = headers.get("idempotency-key")
    if key is None:
        detail = "Send an Idempotency-Key of 1 to 255 visible ASCII characters, a new one a write."
        raise Problem("idempotency-key-missing", detail)
    if not _FORMS[b"idempotency-key"].fullmatch(key.encode()):
        raise malformed("The Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return key


async def split_lines(
    chunks: AsyncIterable[bytes], *, line_bytes_max: int = BODY_BYTES_MAX
) -> AsyncIterator[bytes | Problem]:
    """The lines of an NDJSON stream; a line over the limit comes as the problem it is, unkept.

    Blank lines are skipped. Memory stays within one line and one chunk.
    """
    pending = bytearray()
    overlong = False
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            line = bytes(pending) + piece
            pending.clear()
            if overlong or len(line) > line_bytes_max:
                yield _too_large(line_bytes_max)
            elif line.strip():
                yield line
            overlong = False
        pending += rest
        if len(pending) > line_bytes_max:
            overlong = True
            pending.clear()
    if overlong:
        yield _too_large(line_bytes_max)
    elif pending.strip():
        yield bytes(pending)


def _checked(scope: Scope) -> _Headers:
    """The headers that are read here, after the target and they were found to be plain."""
    raw_path = scope.get("raw_path") or b""
    if len(raw_path) + len(scope["query_string"]) > TARGET_BYTES_MAX:
        raise malformed(f"The request target is over {TARGET_BYTES_MAX} bytes.")
    if not _PATH.fullmatch(scope["path"]) or b"%2f" in raw_path.lower():
        raise malformed("A path is visible ASCII characters; no id in it may hold a slash.")
    headers: _Headers = {}
    for name, value in scope["headers"]:
        if name not in _READ_ONCE and name not in _READ_MANY:
            continue
        if not _HEADER.fullmatch(value):
            raise malformed(f"The header {name.decode()} must be plain ASCII.")
        if name in headers and name in _READ_ONCE:
            raise malformed(f"The header {name.decode()} is given more than once.")
        headers[name] = value
    for name, form in _FORMS.items():
        if name in headers and not form.fullmatch(headers[name]):
            raise malformed(f"The header {name.decode()} is not of its form; see /openapi.json.")
    return headers


def _check_type(headers: _Headers, wanted: str) -> None:
    """415 unless the body is of the `wanted` type, in UTF-8 and not compressed."""
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        detail = "Compressed bodies are not read here; send the body as it is."
        raise Problem("unsupported-media-type", detail, headers={"Accept-Encoding": "identity"})
    kind, *parameters = headers.get(b"content-type", b"").decode("ascii").lower().split(";")
    extra = {p.strip().replace('"', "") for p in parameters} - {"", "charset=utf-8"}
    if kind.strip() != wanted or extra:
        detail = f"Send the body as `Content-Type: {wanted}`, in UTF-8."
        raise Problem("unsupported-media-type", detail, headers={"Accept": wanted})


async def _read(receive: Receive, limit: int) -> bytes:
    """The whole body, of which never more than the limit and one chunk is held.

    A little over the limit it is read to its end and dropped: a server that closes a connection
    with unread bytes on it resets it, and the caller would lose the answer.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        ended = not message.get("more_body", False)
        if size <= limit:
            chunks.append(chunk)
        elif ended or size > limit + LINGER_BYTES_MAX:
            raise _too_large(limit)
        if ended:
            return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands the body over in one piece and then listens on."""
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


def _counted(receive: Receive, limit: int) -> Receive:
    """A `receive` that stops a stream at its limit."""
    size = 0

    async def count() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b"")) if message["type"] == "http.request" else 0
        if size > limit:
            raise _too_large(limit)
        return message

    return count


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"This is over the limit of {limit} bytes. Send less at once.")
