"""kill -9 at random moments, while a writer appends: every fact counts exactly once."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from random import Random
from time import sleep

import pytest

from followed import TALLY, append, catch_up, dump, tally_of, wait_until
from ledger.database import Database
from ledger.embedded.server import Embedded
from loop_walk import Walk
from projections import LOOPS, rebuild
from projections.follower import Follower

ROOT = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("HIRELEDGER_TEST_SEED", "11"))
KILLS = 24
PAUSE_SECONDS_MAX = 0.15


class Followers:
    """Processes that follow, each until it is killed; what they said of their state, by pid."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.states: dict[int, list[str]] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            pid, state = line.split()
            self.states.setdefault(int(pid), []).append(state)

    def start(self) -> int:
        """One more; its pid, once it follows or stands by."""
        assert self._process.stdin is not None
        before = set(self.states)
        self._process.stdin.write("another\n")
        self._process.stdin.flush()
        wait_until(lambda: self._settled() > before)
        (pid,) = self._settled() - before
        return pid

    def _settled(self) -> set[int]:
        known = dict(self.states)
        return {pid for pid, said in known.items() if {*said} & {"following", "standing_by"}}

    def kill(self, pid: int) -> None:
        """Nothing of it runs any more."""
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def followers(server: Embedded, database: Database) -> Generator[Followers]:
    """Starts processes that follow the database."""
    program = str(ROOT / "tests" / "support" / "follow_until_killed.py")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    with subprocess.Popen(
        [sys.executable, program, str(server.data), database.schema],
        env=os.environ | {"PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Followers(process)
        # It ends when there is nothing more to hear, and only then do we stop to listen.
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


def test_killed_at_random_moments_two_processes_count_every_fact_once(
    followers: Followers, database: Database
) -> None:
    """Whichever of two followers is killed, and whenever, the rows are those of a rebuild."""
    chance, walk, done = Random(SEED), Walk(SEED), threading.Event()
    append(database, walk.take(600))

    def write() -> None:
        while not done.is_set():
            append(database, walk.take(chance.randrange(1, 30)), at_a_time=10)
            sleep(0.02)

    writer = threading.Thread(target=write)
    alive: list[int] = []
    writer.start()
    try:
        alive += [followers.start(), followers.start()]
        for _ in range(KILLS):
            sleep(chance.random() * PAUSE_SECONDS_MAX)
            leads = [pid for pid in alive if "following" in followers.states[pid]]
            victim = chance.choice(alive if chance.random() < 0.3 else leads or alive)
            alive.remove(victim)
            followers.kill(victim)
            alive.append(followers.start())
    finally:
        done.set()
        writer.join()
        for pid in alive:
            followers.kill(pid)
    with Follower(database, (TALLY, LOOPS)):
        catch_up(database, TALLY, LOOPS)
    told, truth = tally_of(database)
    assert told == truth, f"seed {SEED}: facts were missed or counted twice"
    followed = dump(database)
    rebuild(database)
    assert dump(database) == followed, f"seed {SEED}: a rebuild gives other rows"
    led = [pid for pid, said in followers.states.items() if "following" in said]
    assert len(led) > KILLS // 3, "those that were killed had hardly followed"
