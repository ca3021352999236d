"""Serving processes to kill: real ones, forked from one that has everything imported already.

    with mother() as made, made.serving(directory) as serve:
        first = serve(data=..., database=..., schema=...)
        first.kill()

Run as a program, this file is that one process: it takes settings as lines of JSON.
"""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS_MAX = 60


class Served:
    """One serving process; `lines` is the file that its log goes to."""

    def __init__(self, pid: int, settings: dict[str, str], ready: Path) -> None:
        self.pid = pid
        self.settings = settings
        self.lines = ready.with_suffix(".log")
        deadline = time.monotonic() + START_SECONDS_MAX
        while not (ready.exists() and ready.read_text().endswith("\n")):
            assert time.monotonic() < deadline, self.lines.read_text()
            assert _lives(pid), self.lines.read_text()
            time.sleep(0.01)
        self.address, self.admin = ready.read_text().split()

    def kill(self) -> None:
        """As kill -9 does: nothing of it runs any more."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end in order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        deadline = time.monotonic() + 30
        while _lives(self.pid):
            with suppress(ProcessLookupError):  # it may end just now
                os.kill(self.pid, how)
            time.sleep(0.02)
            assert time.monotonic() < deadline, "it does not end"

    def post(self, path: str, body: object, key: str, **headers: str) -> httpx.Response:
        """One write by the administrator, over a connection of its own."""
        return httpx.post(
            f"{self.address}/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.admin}", "Idempotency-Key": key, **headers},
            timeout=60,
            trust_env=False,
        )


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


Serve = Callable[..., Served]


class Mother:
    """The process that all serving processes are forked from."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def told(self, **what: object) -> int:
        """One order; what it answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def fill(self, path: Path) -> None:
        """Write a file until its disk is full, as the processes see it."""
        self.told(fill=str(path))

    def free(self, path: Path) -> None:
        """Remove it again."""
        self.told(free=str(path))

    @contextmanager
    def serving(self, directory: Path) -> Generator[Serve]:
        """Starts serving processes, and kills those that are left at the end."""
        started: list[Served] = []

        def serve(**settings: object) -> Served:
            named = {name: str(value) for name, value in settings.items()}
            ready = directory / f"served-{len(started)}.txt"
            pid = self.told(settings=named, ready=str(ready))
            started.append(Served(pid, named, ready))
            return started[-1]

        try:
            yield serve
        finally:
            for one in started:
                if _lives(one.pid):
                    one.kill()


@contextmanager
def mother(*wrap: str) -> Generator[Mother]:
    """A process with everything imported; `wrap` is a command that it is run through."""
    argv = [*wrap, sys.executable, __file__]
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=env, stdin=pipe, stdout=pipe, text=True) as process:
        yield Mother(process)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(30)


def _mother() -> None:
    """Forks a serving process for every line; everything is imported before the first."""
    for module in ("api.running", "api.app", "api.outbound", "ledger.vouching.timestamps"):
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        told = json.loads(line)
        if "fill" in told or "free" in told:
            _fill(told["fill"]) if "fill" in told else Path(told["free"]).unlink()
            print(0, flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            _serve(told["settings"], Path(told["ready"]))
            os._exit(0)
        print(pid, flush=True)


def _fill(path: str) -> None:
    with contextlib.suppress(OSError), Path(path).open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass


def _serve(named: dict[str, Any], ready: Path) -> None:
    """Serves as `hireledger serve` does, on any free port, until it is told to stop."""
    from api.running import running
    from api.serve import stopped_by_signal
    from api.settings import read_settings
    from api.store import admin_key

    log = os.open(ready.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    settings = read_settings({}, port=0, **named)
    with stopped_by_signal() as stop, running(settings) as (_, serving):
        key = admin_key(settings).read_text().strip()
        ready.write_text(f"{serving.address} {key}\n")
        serving.wait(stop)


if __name__ == "__main__":
    _mother()
