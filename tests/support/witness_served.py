"""Witnesses as processes: started as users start them, asked over HTTP, killed when told to."""

import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from command_line import COMMAND, Shell, ready
from shown_log import ShownLog

NAME = "witness.example/served"


@dataclass
class ServedWitness:
    """One process; `told` is its ready line."""

    process: "subprocess.Popen[str]"
    told: Any
    client: httpx.Client

    @property
    def url(self) -> str:
        """Where it listens."""
        return str(self.told["address"])

    def add(self, body: bytes) -> httpx.Response:
        """One call `add-checkpoint`."""
        return self.client.post("/add-checkpoint", content=body)

    def kill(self) -> None:
        """As kill -9 does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


def calling(url: str) -> httpx.Client:
    """A client for one address; it need not load certificates, which takes longer than a call."""
    return httpx.Client(base_url=url, timeout=60, trust_env=False, verify=False)


@contextmanager
def served_witness(directory: Path, *logs: ShownLog) -> Generator[ServedWitness]:
    """`hireledger witness` over a directory, as often at once as wanted."""
    known = directory / "logs.txt"
    known.write_text("".join(f"{log.signer.vkey}\n" for log in logs))
    words = [COMMAND, "witness", "--json", "--data", str(directory / "witness"), "--name", NAME]
    words += ["--logs", str(known), "--port", "0"]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(
            words, env=Shell().environment, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        ) as process,
    ):
        try:
            told = ready(process)
            with calling(told["address"]) as client:
                yield ServedWitness(process, told, client)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(60)
