"""The end of waiting for a store that has gone silent without hanging up.

A store that dies hangs up, and whoever waits for it hears that. One that is frozen, or a network
that swallows its answers, says nothing: who waits would wait for ever, and everybody behind them.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Final

from psycopg import Connection

LOOK_SECONDS: Final = 1.0


class Patience:
    """Hangs up on behalf of the one thread that waits, when its connection was silent too long.

    The waiting thread then finds its connection broken, as if the store had died.
    """

    def __init__(self, seconds_max: float) -> None:
        self._seconds_max = seconds_max
        self._turn = threading.Lock()
        self._connection: Connection[Any] | None = None
        self._since = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="store-patience", daemon=True)
        self._thread.start()

    def begin(self, connection: Connection[Any]) -> None:
        """Somebody is about to wait on this connection, or has just heard from it."""
        with self._turn:
            self._connection, self._since = connection, time.monotonic()

    def end(self) -> None:
        """Nobody waits any more; only now may the connection be closed."""
        with self._turn:
            self._connection = None

    def close(self) -> None:
        """Watch nothing any more."""
        self._ending.set()
        self._thread.join()

    def _watch(self) -> None:
        look = min(LOOK_SECONDS, self._seconds_max / 4)
        while not self._ending.wait(look):
            with self._turn:
                if (
                    self._connection is not None
                    and time.monotonic() - self._since > self._seconds_max
                ):
                    # Within the turn it cannot be closed, so the number is still its socket's.
                    _hang_up(self._connection)
                    self._connection = None


def _hang_up(connection: Connection[Any]) -> None:
    with suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)
