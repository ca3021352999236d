"""A proxy between us and PostgreSQL that does what networks do: it loses, cuts and goes silent.

    with FaultProxy(socket_directory) as proxy:
        url = proxy.url(server.superuser_url())
        proxy.fault = "cut answer"      # at the writer's next COMMIT, once

Faults, each at a COMMIT of a session that has taken the log's lock:

- `cut before`: hangs up before the server hears of the commit.
- `cut answer`: the server commits; its answer is dropped, and both sides are hung up on.
- `swallow answer`: the server commits; its answer is dropped, and nothing more is ever said.
"""

import contextlib
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Fault = Literal["cut before", "cut answer", "swallow answer"]

_LOCK: Final = b"hireledger.lock"
_APPLICATION: Final = b"hireledger-runtime"
_COMMIT: Final = b"COMMIT\0"
_CHUNK: Final = 65_536


class FaultProxy:
    """Listens on loopback; `fault` is what happens next, `met` how often it has happened."""

    def __init__(self, server: Path) -> None:
        self._server = server / ".s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._turn = threading.Lock()
        self.fault: Fault | None = None
        self.met = 0
        self.refusing = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A thread that waits in accept() is woken by a shutdown, not by a close.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def url(self, url: str) -> str:
        """The same login by way of the proxy."""
        host, port = self._listener.getsockname()
        return make_conninfo(url, host=host, port=port)

    def cut(self) -> None:
        """Hang up on everybody."""
        with self._turn:
            sockets, self._sockets = self._sockets, []
        for one in sockets:
            _hang_up(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                _hang_up(client)
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            with self._turn:
                self._sockets += [client, server]
            _Session(self, client, server).start()

    def strike(self) -> Fault | None:
        """The fault that is due, once."""
        with self._turn:
            fault, self.fault = self.fault, None
            self.met += fault is not None
            return fault


class _Session:
    """One connection through the proxy."""

    def __init__(self, proxy: FaultProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._is_ours = False
        self._locks = False
        self._dropping: Fault | None = None

    def start(self) -> None:
        """Both directions, until either side hangs up."""
        for work in (self._forth, self._back):
            threading.Thread(target=work, daemon=True).start()

    def _forth(self) -> None:
        with contextlib.suppress(OSError):
            while sent := self._client.recv(_CHUNK):
                # Only the writer: the others have sessions, and locks, of their own.
                self._is_ours = self._is_ours or _APPLICATION in sent
                self._locks = self._locks or (self._is_ours and _LOCK in sent)
                if self._locks and _COMMIT in sent:
                    fault = self._proxy.strike()
                    if fault == "cut before":
                        break
                    self._dropping = fault
                self._server.sendall(sent)
        _hang_up(self._server)
        _hang_up(self._client)

    def _back(self) -> None:
        with contextlib.suppress(OSError):
            while told := self._server.recv(_CHUNK):
                if self._dropping == "cut answer":
                    break  # the answer has come, so it is committed
                if self._dropping is None:
                    self._client.sendall(told)
        if self._dropping != "swallow answer":
            _hang_up(self._client)
        _hang_up(self._server)


def _hang_up(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def socket_directory(url: str) -> Path:
    """Where the server of a URL listens."""
    return Path(str(conninfo_to_dict(url)["host"]))
