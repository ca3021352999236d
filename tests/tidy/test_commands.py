"""The commands that the documents name: they exist, and they explain themselves."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import pytest

from api.cli import main

PLACE = re.compile(
    r"`((?:domain|policies|ledger|projections|api|tests|deploy|docs|requirements|\.ci)/[\w./-]*)`"
)
MODULE = re.compile(r"`([\w./-]+\.py)`")
ROOMS = ("domain", "policies", "ledger", "projections", "api")
MAKE = re.compile(r"(?:`|^\$ ?|^)make ([a-z]+)\b", re.MULTILINE)
OURS = re.compile(r"(?:`|^ *\$ ?)hireledger ([a-z]+(?:-[a-z]+)*)\b", re.MULTILINE)
TARGET = re.compile(r"^([a-z]+):(.*)$", re.MULTILINE)

needs_make = pytest.mark.skipif(
    shutil.which("make") is None, reason="make is not installed: apt-get install make"
)


def targets(makefile: str) -> dict[str, str]:
    """The Makefile's targets, each with the rest of its line."""
    return {match[1]: match[2] for match in TARGET.finditer(makefile)}


def unknown_targets(texts: Mapping[str, str]) -> Iterator[str]:
    """`make` commands in documents that the Makefile does not have."""
    known = targets(texts["Makefile"])
    for path, text in texts.items():
        if path.endswith(".md"):
            for match in MAKE.finditer(text):
                if match[1] not in known:
                    line = text.count("\n", 0, match.start()) + 1
                    yield f"{path}:{line}: make {match[1]}"


def unknown_places(root: Path, texts: Mapping[str, str]) -> Iterator[str]:
    """Files and folders named in documents that do not exist."""
    for path, text in texts.items():
        if path.endswith(".md"):
            for match in PLACE.finditer(text):
                if not (root / match[1]).exists():
                    line = text.count("\n", 0, match.start()) + 1
                    yield f"{path}:{line}: {match[1]}"


def unknown_modules(texts: Mapping[str, str]) -> Iterator[str]:
    """Files named in the rooms' docstrings and comments that do not exist.

    A path counts from the root. A bare name is a file of the same room.
    """
    for path, text in texts.items():
        room = path.partition("/")[0]
        if room not in ROOMS or not path.endswith(".py"):
            continue
        ours = {Path(other).name for other in texts if other.startswith(f"{room}/")}
        for match in MODULE.finditer(text):
            if match[1] not in (texts if "/" in match[1] else ours):
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}: {match[1]}"


def unknown_commands(commands: Collection[str], texts: Mapping[str, str]) -> Iterator[str]:
    """`hireledger` commands named in documents and messages that there are not."""
    for path, text in texts.items():
        if path.endswith((".md", ".py", ".yaml", ".service")) and not path.startswith("tests/"):
            for match in OURS.finditer(text):
                if match[1] not in commands:
                    line = text.count("\n", 0, match.start()) + 1
                    yield f"{path}:{line}: hireledger {match[1]}"


def unexplained_targets(makefile: str) -> Iterator[str]:
    """Targets without a `##` comment, which `make help` would not list."""
    for name, rest in targets(makefile).items():
        if not re.search(r"## [A-Z]", rest):
            yield f"Makefile: {name}"


def _python_without_venv(folder: Path) -> Path:
    """A python3 as Debian ships it without python3-venv: ensurepip cannot be imported."""
    fake = folder / "python3"
    fake.write_text(
        "#!/bin/sh\n"
        'case "$*" in *ensurepip*|*"-m venv"*) exit 1;; esac\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    fake.chmod(0o755)
    return fake


def _bare_checkout(root: Path, folder: Path) -> None:
    """As much of a checkout as `make setup` looks at, without an environment."""
    shutil.copy(root / "Makefile", folder)
    shutil.copy(root / "pyproject.toml", folder)
    shutil.copytree(root / "requirements", folder / "requirements")


def test_every_make_command_in_a_document_exists(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """Whoever types what a document says gets what it says."""
    none_left(
        list(unknown_targets(texts)),
        "A document names a target that the Makefile lacks. Correct the one or add the other:",
    )


def test_every_command_of_ours_that_is_named_exists(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """What a document or an error tells somebody to do can be done."""
    none_left(
        list(unknown_commands(main.commands, texts)),
        "A document or a message names a command that there is not. Name one that there is:",
    )


def test_every_place_in_a_document_exists(
    root: Path, texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """Whoever follows a document finds the file."""
    none_left(
        list(unknown_places(root, texts)),
        "A document names a file or folder that is not there. It was moved, or is misspelt:",
    )


def test_every_module_named_in_the_code_exists(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """Whoever reads on where a docstring or a comment sends them finds the file."""
    none_left(
        list(unknown_modules(texts)),
        "The code names a file that is not there. It was moved, or is misspelt:",
    )


def test_every_make_target_is_listed_by_help(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """`make` alone shows everything there is."""
    none_left(
        list(unexplained_targets(texts["Makefile"])),
        "Say what the target is for in a comment `## ...` on its line:",
    )


def test_an_unknown_or_unexplained_target_is_found() -> None:
    """The checks of commands can fail."""
    texts = {
        "Makefile": "test: setup ## Run\nhidden:\n",
        "README.md": "Then `make tset`.\n\n    $ make test\n```\nmake demo\n```\nto make sure",
    }
    assert list(unknown_targets(texts)) == ["README.md:1: make tset", "README.md:5: make demo"]
    assert list(unexplained_targets(texts["Makefile"])) == ["Makefile: hidden"]
    said = {"ledger/a.py": "# first\n'Run `hireledger fix`, then `hireledger serve`.'"}
    assert list(unknown_commands({"serve"}, said)) == ["ledger/a.py:2: hireledger fix"]
    somewhere = {"README.md": "In `tests/tidy/` and\n`domain/gone.py`, not `/v1/loops`."}
    assert list(unknown_places(Path(__file__).parents[2], somewhere)) == [
        "README.md:2: domain/gone.py"
    ]
    named = {
        "ledger/a.py": '"""See `b.py`, `api/c.py`, `v<n>.py`."""\n# and `c.py`, `ledger/c.py`',
        "ledger/x/b.py": "",
        "api/c.py": "",
    }
    assert list(unknown_modules(named)) == ["ledger/a.py:2: c.py", "ledger/a.py:2: ledger/c.py"]


def test_ci_runs_the_test_command_of_the_documents(texts: dict[str, str]) -> None:
    """What CI calls is what a reader is told to call."""
    commands = re.findall(r"^step \w+ (make \w+)$", texts[".ci/run"], re.MULTILINE)
    assert commands == ["make setup", "make lint", "make test"]
    assert "make test" in texts["README.md"]
    assert "make demo" in texts["README.md"]


@needs_make
def test_setup_without_venv_names_the_package_to_install(root: Path, tmp_path: Path) -> None:
    """Whoever lacks venv is told the one line that brings it, and nothing is left half made."""
    _bare_checkout(root, tmp_path)
    fake = _python_without_venv(tmp_path)
    command = ["make", "setup", f"PYTHON={fake}"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "apt-get install python3-venv" in result.stderr
    assert not (tmp_path / ".venv").exists()


@needs_make
def test_setup_with_an_old_python_says_which_one_it_needs(root: Path, tmp_path: Path) -> None:
    """Whoever has only an older Python is told how to name another."""
    _bare_checkout(root, tmp_path)
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    command = ["make", "setup", f"PYTHON={old}"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "needs Python 3.11 or newer" in result.stderr
    assert "make setup PYTHON=" in result.stderr


@needs_make
def test_help_lists_every_target(root: Path, texts: dict[str, str]) -> None:
    """The list is complete, and it is what `make` alone prints."""
    result = subprocess.run(
        ["make", "--no-print-directory"], cwd=root, capture_output=True, text=True, timeout=60
    )
    listed = re.findall(r"^  make (\w+)", result.stdout, re.MULTILINE)
    assert listed == list(targets(texts["Makefile"]))
