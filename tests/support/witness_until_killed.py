"""Witness processes to kill: each forked from one that has everything imported already.

    with witnesses_to_kill() as start:
        asked = start(directory, name, vkey, point="renamed")
        asked(body)      # the answer's status and body; None when it was killed before answering

`point` is where the next write kills the process, as kill -9 would: `written` (the new file has
its content), `synced` (on disk), `renamed` (in place of the old one), `durable` (the answer is not
sent yet); with an empty one it runs until `kill` is called. Run as a program, this file is the
process that all others are forked from.
"""

import contextlib
import importlib
import os
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POINTS = ("written", "synced", "renamed", "durable")


class Asked:
    """One process, over a connection of its own."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self._connection = connection

    def __call__(self, body: bytes) -> tuple[int, bytes] | None:
        """Status and body of the answer; None when there is none any more."""
        try:
            _send(self._connection, 0, body)
            return _receive(self._connection)
        except (ConnectionError, EOFError):
            return None

    def kill(self) -> None:
        """As kill -9 does; also when it is dead already."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let it end."""
        self._connection.close()


Start = Callable[..., Asked]


@contextmanager
def witnesses_to_kill() -> Generator[Start]:
    """Starts processes, one after the other."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen(
            [sys.executable, __file__], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as mother,
    ):  # fmt: skip
        assert mother.stdin is not None
        assert mother.stdout is not None
        started: list[Asked] = []

        def start(directory: Path, vkey: str, point: str = "") -> Asked:
            assert mother.stdin is not None
            assert mother.stdout is not None
            words = (str(listener.getsockname()[1]), str(directory), vkey, point)
            mother.stdin.write("\t".join(words) + "\n")
            mother.stdin.flush()
            pid = int(mother.stdout.readline())
            connection, _ = listener.accept()
            started.append(Asked(pid, connection))
            return started[-1]

        try:
            yield start
        finally:
            for one in started:
                one.close()
            mother.stdin.close()
            mother.wait(60)


def _send(connection: socket.socket, status: int, body: bytes) -> None:
    connection.sendall(struct.pack(">II", status, len(body)) + body)


def _receive(connection: socket.socket) -> tuple[int, bytes]:
    status, length = struct.unpack(">II", _exactly(connection, 8))
    return status, _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    said = b""
    while len(said) < length:
        piece = connection.recv(length - len(said))
        if not piece:
            raise EOFError
        said += piece
    return said


def _mother() -> None:
    """Forks a witness for every line; everything is imported before the first."""
    for module in ("ledger.vouching.witness_keys", "ledger.vouching.witness_state"):
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        port, directory, vkey, point = line.rstrip("\n").split("\t")
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # lines of its log are no process ids
            _witness(int(port), Path(directory), vkey, point)
            os._exit(0)
        print(pid, flush=True)


def _witness(port: int, directory: Path, vkey: str, point: str) -> None:
    from ledger.proof.note import Verifier
    from ledger.vouching.witness_keys import open_witness_keys
    from ledger.vouching.witness_state import KnownLogs, WitnessState

    known = KnownLogs([Verifier.from_vkey(vkey)])
    state = WitnessState(directory, known, open_witness_keys(directory, name="witness.example"))
    if point:
        _die_at(point)
    with (
        contextlib.suppress(EOFError, ConnectionError),
        socket.create_connection(("127.0.0.1", port)) as connection,
    ):
        while True:
            answer = state.add_checkpoint(_receive(connection)[1])
            if point == "durable" and answer.status == 200:
                _die()
            _send(connection, answer.status, answer.body)


def _die_at(point: str) -> None:
    """Makes the next step of a write that is called so the last."""
    fsync, replace = os.fsync, Path.replace

    def dying_fsync(descriptor: int) -> None:
        if point == "written":
            _die()
        fsync(descriptor)
        if point == "synced":
            _die()

    def dying_replace(path: Path, target: Path) -> Path:
        replaced = replace(path, target)
        if point == "renamed":
            _die()
        return replaced

    setattr(os, "fsync", dying_fsync)  # noqa: B010 (its declared type names a private one)
    setattr(Path, "replace", dying_replace)  # noqa: B010


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _mother()
