"""The other verifiers of dossiers, asked as ours is: the number of the step that fails, or 0.

`docs/verify_dossier.py` is run here as its own `main` runs it, and in a Python that has nothing but
it and `cryptography`. `docs/verify-dossier.html` is asked in a browser, by the tests of that.
"""

import functools
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol, cast

from dossiers import NOW, VKEY
from ledger.proof.verify import verify
from told_log import installed

DOCS: Final = Path(__file__).parents[2] / "docs"
SCRIPT: Final = DOCS / "verify_dossier.py"
PAGE: Final = DOCS / "verify-dossier.html"
SHARED: Final = 8
"""Up to this step all verifiers check the same."""

_BROUGHT: Final = ("cryptography", "cffi", "_cffi_backend", "pycparser")


def by_ledger(raw: bytes) -> int:
    """Our own verdict on the steps that all share: the failed one, or 0 when it is a later one."""
    failed = verify(raw, [VKEY], None, installed(), now=NOW).failed
    return failed.number if failed and failed.number <= SHARED else 0


class Script(Protocol):
    """What the script defines and tests call."""

    steps: Callable[[bytes, str], Iterator[str]]
    root_above: Callable[..., bytes | None]


@functools.cache
def script() -> Script:
    """The script as a module, which its own name is not."""
    spec = importlib.util.spec_from_file_location("verify_dossier", SCRIPT)
    if spec is None or spec.loader is None:
        raise ImportError(SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("Script", module)


def by_script(raw: bytes, vkey: str = VKEY) -> int:
    """The script's verdict, taken in this process."""
    step = ""
    try:
        for step in script().steps(raw, vkey):  # noqa: B007  (where it stops is the verdict)
            pass
    except Exception:  # noqa: BLE001  (as the script itself does)
        return _number(step)
    return 0


def _number(step: str) -> int:
    """Of a line such as `step 3 inclusion`."""
    return int(step.split()[1])


class Ran(NamedTuple):
    """What a run of the script left: exit status, the steps it named, and its last words."""

    status: int
    steps: list[str]
    said: str

    @property
    def failed(self) -> int:
        """The step that failed, or 0."""
        return _number(self.steps[-1]) if self.status else 0


class BarePython:
    """A Python of its own that can import `cryptography` and nothing else of ours."""

    def __init__(self, folder: Path) -> None:
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120
        )
        self.python = folder / "bin" / "python"
        (site,) = folder.glob("lib/python*/site-packages")
        for name in _BROUGHT:
            spec = importlib.util.find_spec(name)
            if spec is None or spec.origin is None:
                continue  # a later cryptography may need less
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (site / source.name).symlink_to(source)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it with nothing around it: no settings, no paths, another directory."""
        return subprocess.run(
            [str(self.python), "-I", *arguments],
            env={"PATH": os.defpath},
            cwd=self.python.parent,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def verify(self, script: Path, arguments: Sequence[str]) -> Ran:
        """The script on these arguments, as anybody calls it."""
        done = self.run(str(script), *arguments)
        steps = [line for line in done.stdout.splitlines() if line.startswith("step ")]
        return Ran(done.returncode, steps, done.stderr or done.stdout.splitlines()[-1])
