"""What is installed: every file of the rooms, from requirements that are locked by hash."""

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOMS = ("domain", "policies", "ledger", "projections", "api")
LOCKS = ("requirements/build.txt", "requirements/dev.txt", "requirements/runtime.txt")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")


def pins(lock: str) -> dict[str, str]:
    """The versions that a lock pins, by normalised name."""
    found = (PIN.match(line) for line in lock.splitlines())
    return {canonicalize_name(match[1]): match[2] for match in found if match}


def unlocked(lock: str) -> Iterator[str]:
    """Entries of a lock that are no exact version, or have no SHA-256."""
    text = re.sub(r" *\\\n *", " ", lock)
    for line in text.splitlines():
        locked = PIN.match(line) and " --hash=sha256:" in line
        if line.strip() and not line.lstrip().startswith("#") and not locked:
            yield line.split(" --hash")[0]


def unmet(wanted: list[str], lock: str) -> Iterator[str]:
    """Requirements that no pin of the lock meets."""
    pinned = pins(lock)
    for text in wanted:
        requirement = Requirement(text)
        version = pinned.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(Version(version), True):
            yield f"{text} (locked: {version or 'no'})"


def _project(root: Path) -> tuple[list[str], list[str]]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    runtime: list[str] = [*project["dependencies"], *extras["embedded"]]
    return runtime, extras["dev"]


@pytest.mark.parametrize("path", LOCKS)
def test_every_requirement_is_locked_by_hash(
    texts: Mapping[str, str], path: str, none_left: Callable[[list[str], str], None]
) -> None:
    """What is installed today is installed byte for byte in three years."""
    none_left(list(unlocked(texts[path])), f"{path} has entries without version or hash: make lock")


def test_the_locks_hold_what_the_project_asks_for(
    root: Path, texts: Mapping[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A range in pyproject.toml and its pin do not drift apart."""
    runtime, dev = _project(root)
    missing = [*unmet(runtime, texts[LOCKS[2]]), *unmet([*runtime, *dev], texts[LOCKS[1]])]
    none_left(missing, "The locks are older than pyproject.toml. Run `make lock`:")


def test_the_locks_agree_with_each_other(texts: Mapping[str, str]) -> None:
    """The tests run against the versions that are served."""
    runtime, dev = pins(texts["requirements/runtime.txt"]), pins(texts["requirements/dev.txt"])
    assert runtime
    assert {name: dev.get(name) for name in runtime} == runtime


def test_a_loose_or_missing_pin_is_found() -> None:
    """The checks of locks can fail."""
    lock = "# made by\na==1.0 ; x \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\nb==2.0\nc>=3\n"
    assert list(unlocked(lock)) == ["b==2.0", "c>=3"]
    assert pins(lock) == {"a": "1.0", "b": "2.0"}
    assert list(unmet(["a>=1", "B[x]>=3", "d"], lock)) == [
        "B[x]>=3 (locked: 2.0)",
        "d (locked: no)",
    ]


def test_the_wheel_holds_every_file_of_the_rooms_and_nothing_else(
    root: Path, tmp_path: Path
) -> None:
    """Migrations and sample data are there where the project is installed, not only checked out."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    here = (path for room in ROOMS for path in (root / room).rglob("*") if path.is_file())
    assert packed == {
        path.relative_to(root).as_posix() for path in here if "__pycache__" not in path.parts
    }
