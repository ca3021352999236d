"""docs/dossier.md is held to the code: its lines run, its steps and members are the real ones."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from dossiers import VKEY, small_dossier
from ledger.proof.dossier import Dossier, GivenFact, GivenPolicy
from ledger.proof.verdict import STEP_NAMES
from museum import FOLDER
from verifiers import DOCS, SCRIPT

TEXT = (DOCS / "dossier.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [text.strip() for language, text in BLOCKS if language == "sh"]


def run(folder: Path, line: str, raw: bytes) -> "subprocess.CompletedProcess[str]":
    """A line of the document, where the file and the script lie, by somebody who has the key."""
    shutil.copy(SCRIPT, folder)
    (folder / "dossier.json").write_bytes(raw)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", line],
        cwd=folder,
        env={"PATH": path, "VKEY": VKEY, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_of_the_document_does_what_it_says(line: str, tmp_path: Path) -> None:
    """Exit code 0 for a good dossier; 1, and the step by name, for a bad one."""
    good = run(tmp_path, line, small_dossier())
    assert (good.returncode, good.stderr) == (0, "")
    assert STEP_NAMES[7] in good.stdout
    bad = run(tmp_path, line, (FOLDER / "proof-empty.json").read_bytes())
    assert bad.returncode == 1
    assert "inclusion" in bad.stdout
    assert "Traceback" not in bad.stderr


def test_both_commands_are_there() -> None:
    """The script's and the product's."""
    assert [line.split()[0] for line in COMMANDS] == ["python", "hireledger"]


def test_the_table_has_the_steps_by_their_names() -> None:
    """All ten, in order."""
    rows = re.findall(r"^\| (\d+) ([^|]+?) \|", TEXT, re.MULTILINE)
    assert rows == [(str(number), name) for number, name in enumerate(STEP_NAMES, 1)]


def test_the_file_in_the_document_has_the_members_of_the_format() -> None:
    """Neither more nor fewer, at every level."""
    (text,) = [text for language, text in BLOCKS if language == "json"]
    file = msgspec.json.decode(text, type=dict[str, object])
    assert list(file) == list(Dossier.__struct_fields__)
    for name, shape in (("facts", GivenFact), ("policies", GivenPolicy)):
        (one,) = msgspec.convert(file[name], list[dict[str, object]])
        assert list(one) == list(shape.__struct_fields__)
