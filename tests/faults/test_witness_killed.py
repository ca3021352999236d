"""A witness that is killed: what it answered it remembers, and what it remembers agrees."""

import random
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from ledger.proof.checkpoint import parse_checkpoint
from ledger.proof.note import open_note
from ledger.vouching.witness_keys import open_witness_keys
from ledger.vouching.witness_state import KnownLogs, WitnessState
from shown_log import ShownLog
from witness_until_killed import POINTS, Start, witnesses_to_kill

ROUNDS = 40


@pytest.fixture(scope="module")
def start() -> Generator[Start]:
    """Starts processes to kill."""
    with witnesses_to_kill() as started:
        yield started


def kept(directory: Path, log: ShownLog) -> int:
    """The size that is on disk, of a whole checkpoint that the log and the witness signed."""
    signers = open_witness_keys(directory)
    note = WitnessState(directory, KnownLogs([log.signer.verifier]), signers).last(log.origin)
    if note is None:
        return 0
    _, verified = open_note(note, [log.signer.verifier, signers[0].verifier])
    assert len(verified) == 2
    said = parse_checkpoint(note.split(b"\n\n")[0].decode() + "\n")
    assert said.root == log.root(said.size)
    return said.size


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_at_any_step_of_a_write_loses_nothing(
    start: Start, tmp_path: Path, point: str
) -> None:
    """Before the rename the old state is in force, after it the new one, and neither is between."""
    log = ShownLog()
    tmp_path.chmod(0o700)
    whole = start(tmp_path, log.signer.vkey)
    assert whole(log.request(0, 4)) is not None
    whole.close()
    for old, new in ((4, 7), (7, 12)):
        # The first write of a start is that of the crash; what was before is whole.
        assert kept(tmp_path, log) == old
        crashed = start(tmp_path, log.signer.vkey, point)
        assert crashed(log.request(old, new)) is None, "nothing was answered"
        assert kept(tmp_path, log) == (new if point in ("renamed", "durable") else old)
        again = start(tmp_path, log.signer.vkey)
        # A fork from the size before is refused in either case; the log itself goes on.
        fork = again(log.forked(1).request(old, new))
        assert fork is not None
        assert fork[0] in (409, 422)
        told = again(log.request(old, new))
        assert told is not None
        if told[0] == 409:
            assert told[1] == f"{new}\n".encode()
            told = again(log.request(new, new))
        assert told is not None
        assert told[0] == 200
        again.close()


def test_killed_at_any_moment_it_forgets_nothing_that_it_answered(
    start: Start, tmp_path: Path
) -> None:
    """In a loop, at moments of chance: the size on disk is never below the last one answered."""
    log, chance, answered = ShownLog(), random.Random(3), 0
    tmp_path.chmod(0o700)
    for _ in range(ROUNDS):
        asked = start(tmp_path, log.signer.vkey)
        at, answers = answered, 0
        killer = threading.Timer(chance.random() * 0.005, asked.kill)
        while (said := asked(log.request(at, at + 1))) is not None:
            status, body = said
            if status == 409:
                at = int(body)
                continue
            assert status == 200, body
            at = answered = at + 1
            answers += 1
            if answers == 1:
                killer.start()
        killer.join()
        asked.close()
        on_disk = kept(tmp_path, log)
        assert answered <= on_disk <= answered + 1
    assert answered >= ROUNDS, "it was asked in earnest"
