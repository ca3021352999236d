"""Slow and fast writers race in processes of their own; a follower by position misses nothing."""

import random
import threading
from contextlib import ExitStack
from itertools import pairwise

import log_writer
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.recorder import Recorder, Row
from racers import racer

WRITERS = 4
TRANSACTIONS, TRANSACTIONS_ON_15 = 10_000, 2_000


def follow(database: Database, seen: list[Row], over: threading.Event) -> None:
    """Everything in the log, as one that follows it by position sees it."""
    recorder, last = Recorder(database), 0
    with database.connect("projector", autocommit=True) as connection:
        while True:
            ending = over.is_set()  # asked before looking, so that the last facts are looked for
            for rows in recorder.stream(connection, after=last, batch=7):
                seen += rows
                last = rows[-1].position
            if ending:
                return
            recorder.wait(connection, last, timeout=0.5)


def test_a_follower_sees_every_fact_of_racing_writers_once_in_order(
    server: Embedded, database: Database
) -> None:
    """Over 10,000 transactions, some slow, some given up, some cut off, nothing is missed."""
    transactions = TRANSACTIONS_ON_15 if server.version.startswith("15") else TRANSACTIONS
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    seen: list[Row] = []
    over = threading.Event()
    follower = threading.Thread(target=follow, args=(database, seen, over))
    with ExitStack() as running:
        writers = [
            running.enter_context(
                racer(
                    log_writer.__file__,
                    database,
                    [f"w{number}", seed + number, transactions // WRITERS],
                )
            )
            for number in range(WRITERS)
        ]
        running.callback(follower.join)
        running.callback(over.set)
        follower.start()
        for writer in writers:
            writer.go()
        for writer in writers:
            writer.finish()

    said = [line.split() for writer in writers for line in writer.said]
    committed = {int(position): leaf.encode() for position, leaf in said}
    assert len(committed) == len(said), "two facts were given the same position"
    assert len(committed) > transactions
    # Dense, in order, each once, none missed, and each the very fact that its writer recorded.
    assert [row.position for row in seen] == list(range(1, len(committed) + 1))
    assert {row.position: row.leaf for row in seen} == committed

    names = [row.leaf.split(b"-")[0] for row in seen]
    turns = sum(one != other for one, other in pairwise(names))
    assert turns > transactions / 10, "the writers hardly met; the race proves little"
