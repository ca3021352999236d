"""What answers carry beside a body: request id, security headers, ETag, Link; and HEAD by GET."""

import asyncio
import base64
import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from api.asgi import App, Message, Receive, Scope, Send

_REQUEST_ID_KEY: Final = "hireledger.request_id"

# An answer of the API is data: nothing in it may be run, framed, sniffed, referred from or cached.
# A page that needs more sets its own header of that name, which then stands.
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "content-security-policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
HSTS: Final = ("strict-transport-security", "max-age=31536000")


def request_id(scope: Any) -> str:
    """The id of the request with this ASGI scope: `r_` and 26 base32 characters, never a caller's.

    Whoever asks first makes it; the scope keeps it.
    """
    found = scope.get(_REQUEST_ID_KEY)
    if isinstance(found, str):
        return found
    made = "r_" + base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()
    scope[_REQUEST_ID_KEY] = made
    return made


def etag(*parts: str | int) -> str:
    """A strong entity tag (RFC 9110, 8.8.3) over the parts; it shows none of them."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return '"' + base64.urlsafe_b64encode(digest[:18]).decode() + '"'


def is_fresh(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller has what `tag` names (RFC 9110, 13.1.2), so that 304 is the answer."""
    if if_none_match is None:
        return False
    held = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(part in {"*", tag} for part in held)


def next_link(path: str, parameters: Iterable[tuple[str, str | int]]) -> str:
    """The value of a Link header (RFC 8288) to the next page of a list."""
    return f'<{quote(path)}?{urlencode(list(parameters))}>; rel="next"'


class Finish:
    """ASGI: gives every answer its request id and security headers; answers HEAD by way of GET."""

    def __init__(self, app: App, *, https_only: bool = False) -> None:
        self._app = app
        standing = dict(SECURITY_HEADERS)
        if https_only:
            standing.update([HSTS])
        self._standing = tuple((k.encode(), v.encode()) for k, v in standing.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own_id = (b"request-id", request_id(scope).encode())

        async def send_finished(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(bytes(k).lower(), bytes(v)) for k, v in message.get("headers", ())]
                given = {name for name, _ in headers}
                headers += [pair for pair in self._standing if pair[0] not in given]
                message["headers"] = [*headers, own_id]
            await send(message)

        if scope["method"] == "HEAD":
            # In place, not in a copy: what routing writes into the scope is read around us.
            scope["method"] = "GET"
            bodiless = _Bodiless(receive, send_finished)
            await self._app(scope, bodiless.receive, bodiless.send)
        else:
            await self._app(scope, receive, send_finished)


class _Bodiless:
    """Sends the head of an answer and drops the body; then looks like a caller who has gone.

    So an endless stream ends at once instead of being made for nobody.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._done = False

    async def receive(self) -> Any:
        if self._done:
            return {"type": "http.disconnect"}
        return await self._receive()

    async def send(self, message: Message) -> None:
        if self._done:
            # Let whoever listens for the caller's leaving run, or an endless stream never ends.
            await asyncio.sleep(0)
        elif message["type"] == "http.response.start":
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._done = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
