"""What is said about running it: every setting with its trust, and nothing that does not exist."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from api.settings import NAMES, TEST_PREFIX, Settings, variable_of

ROW = re.compile(r"^\| `(HIRELEDGER_[A-Z_]+)` \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
VARIABLE = re.compile(r"\bHIRELEDGER_[A-Z_]*[A-Z]\b")
TRUST_LETTERS_MIN = 30
YAML = ("deploy/compose.yaml", "deploy/kubernetes.yaml")


def unexplained(names: tuple[str, ...], readme: str) -> Iterator[str]:
    """Settings that the table lacks, repeats, or leaves without a trust statement."""
    rows = ROW.findall(readme)
    for name in names:
        trusts = [row[3] for row in rows if row[0] == variable_of(name)]
        if len(trusts) != 1:
            yield f"{variable_of(name)}: {len(trusts)} rows"
        elif len(trusts[0]) < TRUST_LETTERS_MIN:
            yield f"{variable_of(name)}: no trust statement"


def wrong_defaults(defaults: Mapping[str, object], readme: str) -> Iterator[str]:
    """Settings whose default in the table is not the one in the code."""
    for variable, said, _, _ in ROW.findall(readme):
        default = defaults.get(variable)
        written = str(default).lower() if isinstance(default, bool) else default
        if not said.startswith("none: " if default is None else f"`{written}`"):
            yield f"{variable}: the table says {said}, the code {default}"


def unknown_settings(names: tuple[str, ...], texts: Mapping[str, str]) -> Iterator[str]:
    """Variables in documents and files for running it that no setting has."""
    known = {variable_of(name) for name in names}
    for path, text in texts.items():
        if path.startswith("deploy/") or path.endswith(".md"):
            for variable in sorted(set(VARIABLE.findall(text)) - known):
                if not variable.startswith(TEST_PREFIX):
                    yield f"{path}: {variable}"


def test_every_setting_states_its_trust(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """Whoever sets something knows what rests on it."""
    none_left(
        list(unexplained(NAMES, texts["deploy/README.md"])),
        "Every setting has one row in deploy/README.md, with what somebody could do who knows it"
        " or can change it:",
    )


def test_every_default_is_the_one_in_the_code(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """The table of settings does not grow stale."""
    settings = Settings()
    defaults = {variable_of(name): getattr(settings, name) for name in NAMES}
    none_left(
        list(wrong_defaults(defaults, texts["deploy/README.md"])),
        "Write the default of api/settings.py, or `none: ` and what happens then:",
    )


def test_no_document_names_a_setting_that_does_not_exist(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A copied line does not stop the start."""
    none_left(list(unknown_settings(NAMES, texts)), "There is no such setting in api/settings.py:")


@pytest.mark.parametrize("path", YAML)
def test_a_file_for_containers_is_read_as_it_looks(texts: dict[str, str], path: str) -> None:
    """The YAML is well formed, asks for no privilege and writes nowhere but to its volumes."""
    documents = list(yaml.safe_load_all(texts[path]))
    assert all(documents)
    said = texts[path]
    assert "privileged: true" not in said
    assert re.search(r"(readOnlyRootFilesystem|read_only): true", said)
    assert re.search(r"(cap_drop:|drop:) \[ALL\]", said)


def test_the_image_copies_every_room_and_lock(root: Path, texts: dict[str, str]) -> None:
    """A new room is in the image too, also behind .dockerignore."""
    project = tomllib.loads(texts["pyproject.toml"])
    rooms: list[str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    let_in = (root / ".dockerignore").read_text().split("\n")
    for room in rooms:
        assert f"COPY {room}/ {room}/" in texts["deploy/Dockerfile"]
        assert f"!{room}" in let_in
    commands = texts["deploy/Dockerfile"].replace("\\\n", " ")
    installs = re.findall(r"pip install[^&\n]*", commands)
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert len(installs) == 3


def test_a_setting_without_trust_or_with_a_wrong_default_is_found() -> None:
    """The checks of settings can fail."""
    readme = (
        "| `HIRELEDGER_DATA` | `.hireledger` | keys | Who reads it reads every personal value. |\n"
        "| `HIRELEDGER_HOST` | `0.0.0.0` | address | none |\n"
        "| `HIRELEDGER_PORT` | none: any | port | None by itself, and that is the whole truth. |\n"
    )
    assert list(unexplained(("data", "host", "schema"), readme)) == [
        "HIRELEDGER_HOST: no trust statement",
        "HIRELEDGER_SCHEMA: 0 rows",
    ]
    defaults = {"HIRELEDGER_DATA": Path(".hireledger"), "HIRELEDGER_HOST": "127.0.0.1"}
    assert [line.split(":")[0] for line in wrong_defaults(defaults, readme)] == ["HIRELEDGER_HOST"]
    assert list(unknown_settings(("data", "host"), {"deploy/a.env": readme})) == [
        "deploy/a.env: HIRELEDGER_PORT"
    ]
