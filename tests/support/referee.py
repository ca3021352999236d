"""Go's own transparency log as a referee: what referee.go answers, line for line."""

import base64
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

DEBIAN = Path("/usr/share/gocode")
SOURCE = Path(__file__).with_suffix(".go")


class Referee:
    """The built program."""

    def __init__(self, program: Path) -> None:
        self._program = program

    @classmethod
    def build(cls, folder: Path) -> "Referee":
        """Compile it into a folder; the test that asks is skipped where Go or its x/mod is not."""
        go = shutil.which("go")
        if go is None or not (DEBIAN / "src/golang.org/x/mod/sumdb/tlog").is_dir():
            pytest.skip("Go's x/mod is missing: apt-get install golang-go golang-golang-x-mod-dev")
        program = folder / "referee"
        # Without modules: nothing is fetched, Debian's package is all there is.
        settings = {"GO111MODULE": "off", "GOPATH": str(DEBIAN), "GOCACHE": str(folder / "cache")}
        subprocess.run(
            [go, "build", "-o", str(program), str(SOURCE)],
            env=os.environ | settings | {"GOFLAGS": "", "GOTOOLCHAIN": "local"},
            check=True,
            timeout=120,
        )
        return cls(program)

    def ask(self, questions: Iterable[tuple[str | int | bytes, ...]]) -> list[str]:
        """An answer to each question; bytes are sent as base64."""
        lines = [" ".join(map(_word, question)) for question in questions]
        done = subprocess.run(
            [self._program],
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        answers = done.stdout.splitlines()
        assert len(answers) == len(lines)
        return answers


def _word(word: str | int | bytes) -> str:
    return base64.b64encode(word).decode() if isinstance(word, bytes) else str(word)
