"""What the tidy tests look at: the project's own files as text, keyed by path from its root.

A check is a function from such texts to a list of findings, so that each can be tried on a small
bad example as well as on the project.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = {"node_modules", "build", "dist", "__pycache__"}


def _texts() -> dict[str, str]:
    found: dict[str, str] = {}
    for folder, below, files in os.walk(ROOT):
        below[:] = [
            name
            for name in below
            if name not in LEFT_OUT and (name == ".ci" or not name.startswith("."))
        ]
        for name in files:
            path = Path(folder, name)
            content = path.read_bytes()
            if b"\0" not in content:
                found[path.relative_to(ROOT).as_posix()] = content.decode(errors="replace")
    return found


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """Every text file of the project, hidden folders but `.ci` left out."""
    return _texts()


@pytest.fixture(scope="session")
def sources(texts: dict[str, str]) -> dict[str, str]:
    """Every Python file of the project."""
    return {path: text for path, text in texts.items() if path.endswith(".py")}


@pytest.fixture
def none_left() -> Callable[[list[str], str], None]:
    """Fails with the lesson and every finding, when there is a finding."""

    def check(findings: list[str], lesson: str) -> None:
        if findings:
            pytest.fail("\n".join([lesson, *(f"  {finding}" for finding in findings)]), False)

    return check
