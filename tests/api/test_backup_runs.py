"""Backup and restoring are executed: the shell lines of deploy/README.md, exactly as printed."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from command_line import Shell, ready

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = "Ada Backedup"


@pytest.fixture
def place(passable_dir: Path) -> Generator[Path]:
    """Where the lines run: as in a checkout, with a ledger in `.hireledger` and a safe place."""
    made = passable_dir / "backup"
    made.mkdir(mode=0o711)
    (made / "SAFE").mkdir()
    (made / "deploy").symlink_to(ROOT / "deploy")
    (made / ".venv" / "bin").mkdir(parents=True)
    for program in ("python", "hireledger"):
        command = f'#!/bin/sh\nexec "{Path(sys.executable).with_name(program)}" "$@"\n'
        (made / ".venv" / "bin" / program).write_text(command)
        (made / ".venv" / "bin" / program).chmod(0o755)
    yield made
    shutil.rmtree(made)


def _run(lines: str, place: Path) -> str:
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines],
        cwd=place,
        env={k: v for k, v in os.environ.items() if not k.startswith("HIRELEDGER_")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@contextmanager
def _served(data: Path) -> Generator[httpx.Client]:
    """The interface over a data directory, for its first administrator where there is a key."""
    with Shell(("--data", str(data))).start("serve", "--port", "0", "--json") as process:
        address = ready(process)["address"]
        key = data / "admin.key"
        headers = {"Authorization": f"Bearer {key.read_text().strip()}"} if key.exists() else {}
        with httpx.Client(base_url=address, headers=headers) as client:
            yield client


def _recorded(data: Path) -> bytes:
    """Somebody with a name is recorded; the checkpoint signed over it."""
    with _served(data) as client:
        _registered(client, "ada")
        return client.get("/checkpoint").content


def _registered(client: httpx.Client, person: str) -> None:
    body = {"id": person, "name": f"{person.title()} Backedup", "roles": ["auditor"]}
    answer = client.post("/v1/people", json=body, headers={"Idempotency-Key": person})
    assert answer.status_code == 201, answer.text


def _blocks() -> tuple[str, str]:
    """The lines for backing up, and those for restoring."""
    backup, restore = BLOCKS.findall((ROOT / "deploy" / "README.md").read_text())
    return backup, restore


def test_what_was_backed_up_is_restored_and_goes_on_under_its_name(place: Path) -> None:
    """The restored record is sound, the checkpoint that was signed is accepted, and it serves."""
    backup, restore = _blocks()
    _recorded(place / ".hireledger")
    signed = (place / ".hireledger" / "checkpoint").read_bytes()
    _run(backup, place)
    told = _run(restore, place)
    assert "Everything is as it was recorded." in told
    with _served(place / "restored") as client:
        assert client.get("/health/ready").status_code == 200
        assert client.get("/checkpoint").content == signed
    again = Shell(("--data", str(place / "restored"))).run("log-key", "show")
    assert again.out == Shell(("--data", str(place / ".hireledger"))).run("log-key", "show").out


def test_who_came_between_the_two_dumps_is_not_half_restored(place: Path) -> None:
    """Beside a running server the second knows more than the first: the record decides."""
    backup, restore = _blocks()
    _recorded(place / ".hireledger")
    lines = backup.splitlines(keepends=True)
    second = next(n for n, line in enumerate(lines) if "--data-only" in line)
    _run("".join(lines[:second]), place)
    with _served(place / ".hireledger") as client:
        _registered(client, "bo")
    _run("".join(lines[second:]), place)
    (place / ".hireledger" / "checkpoint").unlink()  # else the restored record is too old
    without = "".join(
        line for line in restore.splitlines(keepends=True) if "checkpoint" not in line
    )
    assert "Everything is as it was recorded." in _run(without, place)
    with _served(place / "restored") as client:
        client.headers["Authorization"] = _administrator(place)
        _registered(client, "bo")


def _administrator(place: Path) -> str:
    return f"Bearer {(place / '.hireledger' / 'admin.key').read_text().strip()}"


def test_what_is_kept_for_long_holds_nothing_that_erasure_destroys(place: Path) -> None:
    """Neither a key nor what leads from an id to a handle: these are in the second dump alone."""
    backup, _ = _blocks()
    _recorded(place / ".hireledger")
    _run(backup, place)
    record = (place / "record.sql").read_text()
    assert "COPY hireledger.facts " in record
    assert "COPY hireledger.subject_keys " not in record
    assert "COPY hireledger.aliases " not in record
    assert NAME not in record
    forgettable = (place / "keys-and-ids.sql").read_text()
    assert set(re.findall(r"^COPY (\S+)", forgettable, re.MULTILINE)) == {
        "hireledger.subject_keys",
        "hireledger.aliases",
    }
    for row in re.findall(r"^\\\\x([0-9a-f]{64})\t", forgettable, re.MULTILINE):
        assert row not in record
