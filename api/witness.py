"""A witness over HTTP: `POST /add-checkpoint` (c2sp.org/tlog-witness); `GET /` says who it is.

It needs no key to call: what it signs is worth what the log's own signature and proof make it.
"""

import asyncio
from typing import Final

from api.asgi import App, Message, Receive, Scope, Send
from api.logs import log
from ledger.errors import LedgerError
from ledger.proof.add_checkpoint import REQUEST_BYTES_MAX, TEXT_TYPE, Answer
from ledger.vouching.witness_state import WitnessState

CALL: Final = "/add-checkpoint"
BODY_SECONDS_MAX: Final = 10.0
"""How long a request may take to arrive."""

_METHODS: Final = {"/": ("GET", "HEAD"), CALL: ("POST",)}


class _Refused(Exception):
    """The request never became one; what to answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class WitnessApp:
    """The ASGI application; `about` is what it says of itself."""

    def __init__(self, state: WitnessState, about: str) -> None:
        self._state = state
        self._about = about.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
        else:
            await self._request(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, methods = scope["method"], _METHODS.get(scope["path"], ())
        if method not in methods:
            status, why = (405, "Not this way.\n") if methods else (404, "There is nothing here.\n")
            await _answer(send, status, why.encode(), TEXT_TYPE, allow=", ".join(methods))
        elif scope["path"] == "/":
            await _answer(send, 200, self._about, TEXT_TYPE, bare=method == "HEAD")
        else:
            status, body, kind = await self._add_checkpoint(scope, receive)
            log.info("checkpoint shown", status=status, route=CALL)
            await _answer(send, status, body, kind)

    async def _add_checkpoint(self, scope: Scope, receive: Receive) -> tuple[int, bytes, str]:
        try:
            async with asyncio.timeout(BODY_SECONDS_MAX):
                body = await _body(scope, receive)
            # Files and a lock: in a thread, so that others are answered meanwhile.
            answer: Answer = await asyncio.to_thread(self._state.add_checkpoint, body)
            return answer.status, answer.body, answer.content_type
        except _Refused as refused:
            return refused.status, f"{refused.why}\n".encode(), TEXT_TYPE
        except TimeoutError:
            return 408, b"The request took too long to arrive.\n", TEXT_TYPE
        except (LedgerError, OSError):
            # Nothing was cosigned, or nobody will ever see it: what is on disk is what counts.
            log.exception("nothing is cosigned")
            return 503, b"This witness cannot cosign now; its log says why.\n", TEXT_TYPE


async def _body(scope: Scope, receive: Receive) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > REQUEST_BYTES_MAX:
            raise _Refused(413, f"A request has at most {REQUEST_BYTES_MAX} bytes.")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Refused(400, "The request is not whole.")
        body += message.get("body", b"")
        if len(body) > REQUEST_BYTES_MAX:
            raise _Refused(413, f"A request has at most {REQUEST_BYTES_MAX} bytes.")
        if not message.get("more_body", False):
            return bytes(body)


async def _answer(
    send: Send, status: int, body: bytes, kind: str, *, bare: bool = False, allow: str = ""
) -> None:
    fields = {
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    } | ({"Allow": allow} if allow else {})
    start: Message = {
        "type": "http.response.start",
        "status": status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": b"" if bare else body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        event = (await receive())["type"]
        await send({"type": f"{event}.complete"})
        if event == "lifespan.shutdown":
            return


def witness_app(state: WitnessState, about: str) -> App:
    """The application over a witness's state."""
    return WitnessApp(state, about)
