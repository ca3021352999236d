"""Servers of strangers, on loopback: what they say is up to them, byte by byte.

with stranger(lambda asked: answer("302 Found", Location="/x")) as met:
    send(met.url, ...)
    met.requests
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field

Say = Callable[["Request"], bytes | Iterable[bytes]]


@dataclass(frozen=True)
class Request:
    """One request as it came: its first line, its header fields, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Stranger:
    """Where a stranger listens, and what it was asked."""

    url: str
    requests: list[Request] = field(default_factory=list[Request])


def answer(status: str, body: bytes = b"", kind: str = "text/plain", **more: str) -> bytes:
    """A whole answer after which the connection ends."""
    fields = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close", **more}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


@contextmanager
def stranger(say: Say) -> Generator[Stranger]:
    """A server that answers each request on a connection of its own with what `say` says."""
    listener = socket.create_server(("127.0.0.1", 0))
    met = Stranger(f"http://127.0.0.1:{listener.getsockname()[1]}")
    sockets: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                sockets.append(caller)
                threading.Thread(target=serve, args=(caller,), daemon=True).start()

    def serve(caller: socket.socket) -> None:
        with contextlib.suppress(OSError), caller:
            request = _read(caller)
            met.requests.append(request)
            said = say(request)
            for piece in [said] if isinstance(said, bytes) else said:
                caller.sendall(piece)

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield met
    finally:
        # A thread that waits in accept() is woken by a shutdown, not by a close.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for caller in sockets:
            with contextlib.suppress(OSError):
                caller.shutdown(socket.SHUT_RDWR)


def _read(caller: socket.socket) -> Request:
    with caller.makefile("rb") as stream:
        line = stream.readline().decode().strip()
        headers: dict[str, str] = {}
        while field_line := stream.readline().decode().strip():
            name, _, value = field_line.partition(":")
            headers[name.lower()] = value.strip()
        return Request(line, headers, stream.read(int(headers.get("content-length", "0"))))
