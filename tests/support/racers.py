"""Other processes that record in the same ledger at the same time."""

import os
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ledger.database import Database

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SECONDS = 120


class Racer:
    """A process that is connected and waits to be let go."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self.said: list[str] = []
        self._listening = threading.Thread(target=self._listen)

    def _listen(self) -> None:
        self.said += [line.rstrip("\n") for line in self._stdout]

    def tell(self, line: str) -> None:
        """One line to its standard input."""
        self._stdin.write(line + "\n")
        self._stdin.flush()

    def hear(self) -> str:
        """One line from its standard output."""
        return self._stdout.readline().rstrip("\n")

    def go(self) -> None:
        """It begins."""
        self._listening.start()
        self.tell("go")

    def finish(self) -> None:
        """Waits until it has ended, and it has said everything in `said`."""
        self._listening.join(LONGEST_SECONDS)
        assert not self._listening.is_alive(), "a racer hangs"


@contextmanager
def racer(program: str, database: Database, arguments: Sequence[object]) -> Generator[Racer]:
    """Runs a file of this folder with the schema and the arguments, in a process of its own.

    The connection string, which holds a password, goes to its standard input; then it says `ready`
    and waits for a line. It must end with status 0.
    """
    argv = [sys.executable, program, database.schema, *map(str, arguments)]
    with subprocess.Popen(
        argv,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            started = Racer(process.stdin, process.stdout)
            started.tell(database.conninfo("runtime"))
            assert started.hear() == "ready"
            yield started
            assert process.wait(LONGEST_SECONDS) == 0
        finally:
            process.kill()
