"""The five rooms: who may import what, and that the rooms are ours alone."""

import ast
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

ROOMS = ("domain", "policies", "ledger", "projections", "api")

# What a room may import besides the standard library and the rooms to its right. The rooms'
# order and the direction of imports are contracts in pyproject.toml; `api` may import whatever
# pyproject.toml declares.
PURE = {"msgspec"}
STORE = PURE | {"psycopg", "psycopg_pool", "cryptography", "structlog", "opentelemetry"}
MAY_IMPORT = {
    "domain": PURE,
    "policies": PURE,
    "ledger": STORE | {"eventsourcing", "rfc3161_client"},
    "projections": STORE,
}
KNOWS_EVENTSOURCING = "ledger/recorder.py"

# A rule and a fact know no clock, no chance, no files and no network.
IMPURE = {
    "asyncio", "http", "logging", "os", "random", "shutil", "socket", "sqlite3", "subprocess",
    "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
CLOCK_READS = {"now", "today", "utcnow"}
ANY = {"Any", "typing.Any"}


def imports(text: str) -> Iterator[tuple[int, str]]:
    """The modules that a text imports anywhere in it, with the line."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def in_rooms(sources: Mapping[str, str], *rooms: str) -> Iterator[tuple[str, str]]:
    """The sources that lie in one of the rooms."""
    for path, text in sources.items():
        if path.split("/")[0] in rooms:
            yield path, text


def foreign_imports(sources: Mapping[str, str]) -> Iterator[str]:
    """Imports of packages that the room may not know."""
    for path, text in in_rooms(sources, *MAY_IMPORT):
        room = path.split("/")[0]
        for line, module in imports(text):
            root = module.split(".")[0]
            if root not in {*sys.stdlib_module_names, *ROOMS, *MAY_IMPORT[room]}:
                yield f"{path}:{line} imports {module}"


def eventsourcing_elsewhere(sources: Mapping[str, str]) -> Iterator[str]:
    """Imports of eventsourcing outside the store's adapter."""
    for path, text in in_rooms(sources, *ROOMS):
        for line, module in imports(text):
            if module.split(".")[0] == "eventsourcing" and path != KNOWS_EVENTSOURCING:
                yield f"{path}:{line} imports {module}"


def impurities(sources: Mapping[str, str]) -> Iterator[str]:
    """Clocks, chance, files and network in the two pure rooms."""
    for path, text in in_rooms(sources, "domain", "policies"):
        for line, module in imports(text):
            if module.split(".")[0] in IMPURE:
                yield f"{path}:{line} imports {module}"
        for node in ast.walk(ast.parse(text)):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in CLOCK_READS:
                yield f"{path}:{called.lineno} calls {ast.unparse(called)}"


def any_types(sources: Mapping[str, str]) -> Iterator[str]:
    """Uses of `Any` in the two pure rooms."""
    for path, text in in_rooms(sources, "domain", "policies"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in ANY:
                yield f"{path}:{node.lineno}"


def undeclared(
    sources: Mapping[str, str], declared: set[str], brought_by: Mapping[str, list[str]]
) -> Iterator[str]:
    """Imports in the rooms whose distribution pyproject.toml does not declare."""
    for path, text in in_rooms(sources, *ROOMS):
        for line, module in imports(text):
            root = module.split(".")[0]
            if root in {*sys.stdlib_module_names, *ROOMS}:
                continue
            by = {_normal(name) for name in brought_by.get(root, [root])}
            if not by & declared:
                yield f"{path}:{line} imports {module} of {', '.join(sorted(by))}"


def strangers(brought_by: Mapping[str, list[str]]) -> Iterator[str]:
    """Other distributions that bring a top-level name of ours."""
    for room in ROOMS:
        for name in sorted(set(brought_by.get(room, ())) - {"hireledger"}):
            yield f"{room} is also brought by {name}"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared(root: Path) -> set[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["embedded"]]
    return {_normal(re.split(r"[\[<>=!~ ]", line)[0]) for line in lines}


def _lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120)


def test_every_room_imports_only_what_it_may_know(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """The further right a room, the less it knows of the world."""
    none_left(
        list(foreign_imports(sources)),
        "This room may not know this package. Move the code to the room that may, and hand its"
        " result over as a value; MAY_IMPORT in this file is the list:",
    )


def test_only_the_recorder_knows_eventsourcing(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A new version of the library changes one file."""
    none_left(
        list(eventsourcing_elsewhere(sources)),
        f"Only {KNOWS_EVENTSOURCING} imports eventsourcing. Use what it offers, or add to it:",
    )


def test_domain_and_policies_are_pure(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A verdict is the same whenever and wherever it is computed again."""
    none_left(
        list(impurities(sources)),
        "Facts and rules know no clock, chance, file or network. Take the value as a parameter;"
        " the time of judging is `Case.now`:",
    )


def test_domain_and_policies_say_their_types(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """What a fact or a rule holds is never just anything."""
    none_left(
        list(any_types(sources)),
        "Say the type: a union, a type variable, a Protocol, or `object` where nothing is known:",
    )


def test_every_import_is_declared(
    root: Path, sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """No room leans on a package that is only there because another one needs it."""
    brought_by = importlib.metadata.packages_distributions()
    none_left(
        list(undeclared(sources, _declared(root), brought_by)),
        "Add the distribution to [project] dependencies in pyproject.toml, then `make lock`:",
    )


def test_no_other_distribution_brings_a_room(none_left: Callable[[list[str], str], None]) -> None:
    """`import domain` means ours, whatever else is installed."""
    none_left(
        list(strangers(importlib.metadata.packages_distributions())),
        "Two distributions bring one name, and either may be imported. Remove the other one from"
        " the environment; hireledger has an environment of its own:",
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_imported_from_this_checkout(root: Path, room: str) -> None:
    """The tests test the code beside them."""
    spec = importlib.util.find_spec(room)
    assert spec is not None, f"{room} is not installed: run `make setup`"
    assert spec.origin is not None, f"{room} has no __init__.py"
    assert Path(spec.origin).resolve() == root / room / "__init__.py"


def test_the_rooms_keep_their_contracts(root: Path) -> None:
    """The direction of imports that pyproject.toml states holds."""
    result = _lint_imports(root)
    assert result.returncode == 0, (
        "An import goes against the rooms' order, or between policies. Move what both need to the"
        " right, or into a policies/_helper.py listed in pyproject.toml:\n" + result.stdout
    )


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("domain", "import ledger", "A room imports only"),
        ("policies", "import projections", "A room imports only"),
        ("projections", "import eventsourcing.dcb", "Only the store's adapter"),
        ("ledger", "import litestar", "Only api knows"),
        ("policies", "import policies.{other}", "Policies do not import each other"),
    ],
)
def test_a_broken_contract_is_found(
    root: Path, tmp_path: Path, room: str, line: str, contract: str
) -> None:
    """Each contract fails on the project with one bad import added."""
    for name in ROOMS:
        bare = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, tmp_path / name, ignore=bare)
    shutil.copy(root / "pyproject.toml", tmp_path)
    first, other = sorted((root / room).glob("[a-z]*.py"))[:2]
    with (tmp_path / room / first.name).open("a") as file:
        file.write(line.format(other=other.stem) + "\n")
    result = _lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout
    assert re.search(rf"^{contract}.* BROKEN\b", result.stdout, re.MULTILINE), result.stdout


def test_a_bad_import_is_found_in_every_room() -> None:
    """The checks of imports can fail, also on an import inside a function."""
    sources = {
        "domain/a.py": "import json\nimport psycopg\nfrom domain.b import c",
        "policies/a.py": "def f():\n    from cryptography import x509",
        "ledger/recorder.py": "from eventsourcing.dcb import api",
        "ledger/store.py": "import eventsourcing.dcb",
        "api/app.py": "import litestar, requests",
    }
    assert list(foreign_imports(sources)) == [
        "domain/a.py:2 imports psycopg",
        "policies/a.py:2 imports cryptography",
    ]
    assert list(eventsourcing_elsewhere(sources)) == ["ledger/store.py:1 imports eventsourcing.dcb"]
    declared = {"litestar", "eventsourcing", "psycopg", "cryptography"}
    assert list(undeclared(sources, declared, {})) == ["api/app.py:1 imports requests of requests"]


def test_an_impurity_is_found() -> None:
    """The checks of the pure rooms can fail, and leave the other rooms alone."""
    bad = "import time\nx = datetime.now(UTC)\nfrom typing import Any\ny: Any\nz: typing.Any"
    sources = {"domain/a.py": bad, "ledger/a.py": bad, "policies/a.py": "late = case.now - at"}
    assert list(impurities(sources)) == [
        "domain/a.py:1 imports time",
        "domain/a.py:2 calls datetime.now",
    ]
    assert list(any_types(sources)) == ["domain/a.py:4", "domain/a.py:5"]


def test_a_stranger_is_found() -> None:
    """The check of top-level names can fail."""
    brought_by = {"domain": ["hireledger", "domain"], "api": ["hireledger"]}
    assert list(strangers(brought_by)) == ["domain is also brought by domain"]
