"""The command line as its users have it: commands run here, servers in processes of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from api.cli import main

COMMAND = str(Path(sys.executable).with_name("hireledger"))
SECONDS_MAX = 120


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Shell:
    """Where commands run: options that each of them gets, and variables of the environment."""

    options: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def environment(self) -> dict[str, str]:
        """The process's own, without any setting of ours, and the variables given."""
        own = {k: v for k, v in os.environ.items() if not k.startswith("HIRELEDGER_")}
        return {**own, **self.variables}

    def run(self, *words: str, code: int = 0) -> Ended:
        """A command and its options; fails unless it exits with `code`.

        It runs in this process, which is much faster than in one of its own.
        """
        settings = [name for name in os.environ if name.startswith("HIRELEDGER_")]
        env: dict[str, str | None] = {**dict.fromkeys(settings), **self.variables}
        done = CliRunner().invoke(main, [*words, *self.options], env=env)
        told = f"exit {done.exit_code}\n{done.stdout}\n{done.stderr}"
        assert done.exit_code == code, told
        return Ended(done.exit_code, done.stdout, done.stderr)

    @contextmanager
    def start(self, *words: str) -> Generator["subprocess.Popen[str]"]:
        """A command that goes on running; told to end at the end of the block if it still does."""
        process = subprocess.Popen(
            [COMMAND, *words, *self.options],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            # Not killed: the store that it started would be left behind.
            process.terminate()
            process.communicate(timeout=SECONDS_MAX)


def ready(process: "subprocess.Popen[str]") -> Any:
    """The one line that a server started with `--json` prints when it is ready."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the server ended before it was ready"
    return json.loads(line)
