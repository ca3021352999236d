"""Killed at each step of publishing: nothing signed is taken back, and the next start goes on."""

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import publish_until_killed
from hall import Hall
from ledger.checkpoints import OutsideCopy, checkpoint_in
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.ledger import Ledger
from ledger.personal.keyring import KeyRing
from ledger.proof.proofs import verify_consistency
from ledger.publish import Publishing
from office import rules

ROOT = Path(__file__).resolve().parents[2]


def _opened(database: Database, data: Path) -> Ledger:
    return Ledger(database, KeyRing.open(data / "keys"), rules(), Publishing.of(data))


def _sizes(database: Database) -> list[int]:
    with database.connect("runtime") as connection:
        return [s for (s,) in connection.execute("select size from checkpoints order by size")]


@pytest.mark.parametrize("step", publish_until_killed.STEPS)
def test_the_next_start_goes_on_from_what_may_have_been_seen(
    server: Embedded, tmp_path: Path, step: str
) -> None:
    """The copy may be one ahead of the rows, never of the facts; both grow on from there."""
    url, schema = server.superuser_url(), f"t_{secrets.token_hex(6)}"
    database = Database.external(url, schema)
    database.prepare()
    copy = OutsideCopy(tmp_path / "checkpoint")
    with _opened(database, tmp_path) as first:
        recorded = first.submit(Hall(first).a_stranger()).result(30).recorded[0].position
    before = _sizes(database)
    assert before[-1] == recorded
    ended = subprocess.run(
        [sys.executable, publish_until_killed.__file__, schema, str(tmp_path), step],
        input=url + "\n",
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        timeout=120,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    # Signed and perhaps seen: the copy. Published: no more than before.
    left = copy.read()
    assert left is not None
    seen = checkpoint_in(left)
    assert seen.size == recorded + (step != "before the copy")
    assert _sizes(database) == before
    with _opened(database, tmp_path) as again:
        position = again.submit(Hall(again).a_stranger()).result(30).recorded[0].position
        assert position == recorded + 2
        latest = again.publisher.checkpoint_at_least(position)
        with again.reading() as group:
            proof = again.store.nodes.consistency(group.cur, seen.size, latest.size)
    verify_consistency(seen.size, latest.size, proof, seen.root, latest.root)
    assert copy.read() == latest.note
    assert _sizes(database)[-1] == latest.size
