"""The server: one socket, one thread that serves it, and a clean end on SIGTERM and SIGINT."""

import signal
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

import uvicorn

from api.asgi import App
from api.failed import Failed
from api.settings import Settings, SettingWrong

if TYPE_CHECKING:  # a witness is served by this module too, and has no ledger
    from ledger.ledger import Ledger

DRAIN_SECONDS_MAX: Final = 10
"""How long requests under way may take to end once the server is to stop."""

BACKLOG: Final = 2048
_POLL_SECONDS: Final = 0.02
_WATCH_SECONDS: Final = 0.25


class ServerFailed(Failed):
    """The server did not start, or ended by itself; its log says why."""


class Serving:
    """A server that runs; `address` is where."""

    def __init__(self, address: str, server: uvicorn.Server, thread: threading.Thread) -> None:
        self.address = address
        self._server = server
        self._thread = thread

    def wait(self, stop: threading.Event) -> None:
        """Until somebody stops it; raises `ServerFailed` if it ended by itself."""
        while not stop.wait(_WATCH_SECONDS):
            if not self._thread.is_alive():
                raise ServerFailed("The server ended by itself; its log says why.")

    def close(self) -> None:
        """Let requests under way end, then let go of the socket."""
        self._server.should_exit = True
        self._thread.join()


@contextmanager
def serving(settings: Settings, ledger: "Ledger", *, port: int | None = None) -> Generator[Serving]:
    """Serve a ledger while the block runs.

    Args:
        settings: host and port to listen at.
        ledger: open, with its first start done.
        port: another one than that of the settings; 0: any free one.

    Raises:
        SettingWrong: the port is taken, or the host is not ours.
        ServerFailed: see there.
    """
    from api.app import create_app

    app = create_app(ledger, https_only=settings.https_only)
    with serving_app(app, settings.host, settings.port if port is None else port) as served:
        yield served


@contextmanager
def serving_app(
    app: App, host: str, port: int, *, requests_max: int | None = None
) -> Generator[Serving]:
    """Serve any application while the block runs; see `serving` for what it raises.

    `requests_max` is how many requests may be under way at once; more are answered with 503.
    """
    with _listening(host, port) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=requests_max,
            timeout_graceful_shutdown=DRAIN_SECONDS_MAX,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="hireledger-http")
        thread.start()
        serving = Serving(_address(listener), server, thread)
        try:
            while not server.started:
                if not thread.is_alive():
                    raise ServerFailed("The server did not start; its log says why.")
                thread.join(_POLL_SECONDS)
            yield serving
        finally:
            serving.close()


@contextmanager
def stopped_by_signal() -> Generator[threading.Event]:
    """An event that SIGTERM and SIGINT set, in place of ending the process; main thread only."""
    stop = threading.Event()

    def told(_: int, __: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise SettingWrong(
            f"Nothing can listen at {host} port {port} ({error.strerror}). Give another one "
            "(--host, --port), or stop what is there."
        ) from None


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
