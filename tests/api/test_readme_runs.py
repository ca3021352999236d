"""The README is executed: its shell lines, exactly as printed, against a served ledger."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.database import Database
from office import open_office

README = Path(__file__).resolve().parents[2] / "README.md"


def _shell_lines() -> str:
    """All `bash` blocks of the README, in order."""
    text = README.read_text()
    return "\n".join(re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed: apt-get install curl")
def test_the_loop_in_the_readme_is_refused_and_then_decided(
    database: Database, tmp_path: Path
) -> None:
    """Every line answers 201, but the one decision that came too early; the dossier verifies."""
    with open_office(database, tmp_path) as office:
        script = _shell_lines().replace(
            "URL=http://127.0.0.1:8000", f"URL={str(office.client.base_url).rstrip('/')}"
        )
        assert "127.0.0.1:8000" not in script
        (tmp_path / ".hireledger").mkdir()
        shutil.copy(tmp_path / "admin.key", tmp_path / ".hireledger" / "admin.key")
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    lines = [line for line in ran.stdout.splitlines() if line]
    answers = [json.loads(line) for line in lines if line.startswith("{")]
    *steps, accepted, page = [line.split() for line in lines if not line.startswith("{")]
    assert accepted[0] == "Accepted:"
    made = tmp_path / ".hireledger" / "app-117.html"
    assert " ".join(page) == "Its page is in .hireledger/app-117.html."
    assert "Noor Kettleby" in made.read_text()
    assert not list(tmp_path.glob("app-117*")), "the story writes nothing into the checkout"
    assert [step[0] for step in steps] == [str(number) for number in range(1, 11)]
    assert {"failed", "not reached"}.isdisjoint(" ".join(step[1:4]) for step in steps)
    refused = [one for one in answers if one.get("status", 201) != 201]
    assert [one["status"] for one in refused] == [409]
    found = {one["policy"] for one in refused[0]["findings"]}
    assert "two-independent-interviewers" in found
    *_, decided, state = answers
    assert decided["facts"] == ["decision-made.v1"]
    assert state["stage"] == "decided"
    assert state["candidate"]["name"] == "Noor Kettleby"
