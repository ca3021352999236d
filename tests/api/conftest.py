"""What tests of the interface share: a call straight into an ASGI application."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest

from api.asgi import App


class Answer(NamedTuple):
    """What came back over ASGI: status, headers in order, and the body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The only value of a header, or None."""
        found = [value for key, value in self.headers if key == name.lower()]
        assert len(found) <= 1, f"{name} came {len(found)} times"
        return found[0] if found else None

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


Call = Callable[..., Answer]


@pytest.fixture
def call() -> Call:
    """Send one request, chunk by chunk, without a server in between that could mend it."""
    return _call


def _call(
    app: App,
    method: str,
    target: str,
    chunks: Sequence[bytes] = (),
    headers: Sequence[tuple[bytes, bytes]] = ((b"content-type", b"application/json"),),
    *,
    path: str | None = None,
    hang_up: bool = False,
) -> Answer:
    raw_path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw_path if path is None else path,
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    waiting = list(chunks)
    sent: list[Any] = []

    async def receive() -> Any:
        if not waiting:
            if hang_up or any(not m.get("more_body") for m in sent[1:]):
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting) or hang_up}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asyncio.wait_for(app(scope, receive, send), timeout=60))
    if not sent:
        return Answer(0, [], b"")
    head = sent[0]
    names = [(k.decode().lower(), v.decode("latin-1")) for k, v in head["headers"]]
    return Answer(head["status"], names, b"".join(m.get("body", b"") for m in sent[1:]))
