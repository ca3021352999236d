"""The store goes away while it is followed: the follower goes on by itself when it is back."""

import os
import signal
from pathlib import Path
from time import sleep

from followed import TALLY, append, catch_up, tally_of, wait_until
from ledger.database import Database
from ledger.embedded.server import Embedded
from loop_walk import Walk
from projections.follower import Follower

AWAY_SECONDS = 1.2
RECOVERY_SECONDS_MAX = 5.0


def kill(server: Embedded) -> None:
    """End the server's first process at once; its others end by themselves."""
    os.kill(server.pid, signal.SIGKILL)


def test_a_follower_goes_on_after_the_store_was_killed_and_restarted(passable_dir: Path) -> None:
    """A crash of the store, with nobody restarting us: every fact counts once, soon after."""
    walk = Walk(31)
    with Embedded.start(passable_dir / "killed", watch=True) as server:
        database = Database.embedded(server)
        database.prepare()
        append(database, walk.take(100))
        with Follower(database, [TALLY]) as follower:
            catch_up(database, TALLY)
            kill(server)
            wait_until(lambda: follower.state == "away")
            took = wait_until(lambda: follower.state == "following")
            append(database, walk.take(50))
            catch_up(database, TALLY)
        told, truth = tally_of(database)
    assert told == truth
    assert took < RECOVERY_SECONDS_MAX


def test_a_follower_waits_for_a_store_that_is_away_for_long(passable_dir: Path) -> None:
    """However long it was away, also at our start, and whoever starts it again."""
    walk, data = Walk(32), passable_dir / "absent"
    with Embedded.start(data, watch=False) as first:
        database = Database.embedded(first)
        database.prepare()
        append(database, walk.take(100))
    with Follower(database, [TALLY]) as follower:
        sleep(AWAY_SECONDS)
        assert follower.state == "away"
        with Embedded.start(data, watch=False):
            assert wait_until(lambda: follower.state == "following") < RECOVERY_SECONDS_MAX
            catch_up(database, TALLY)
            told, truth = tally_of(database)
            assert told == truth
