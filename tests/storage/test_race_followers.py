"""Slow and fast writers race in processes of their own; a follower by position misses nothing."""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import log_writer
from ledger.database import Database
from ledger.postgres import Embedded
from ledger.recorder import Recorder, Row

ROOT = Path(__file__).resolve().parents[2]
WRITERS = 4
TRANSACTIONS, TRANSACTIONS_ON_15 = 10_000, 2_000
LONGEST_SECONDS = 120


@contextmanager
def writer(
    database: Database, name: str, seed: int, transactions: int
) -> Generator[subprocess.Popen[str]]:
    """A process that is ready to record and waits to be let go."""
    program = [sys.executable, log_writer.__file__, database.schema, name]
    with subprocess.Popen(
        [*program, str(seed), str(transactions)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(database.conninfo("runtime") + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


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
                writer(database, f"w{number}", seed + number, transactions // WRITERS)
            )
            for number in range(WRITERS)
        ]
        running.callback(follower.join)
        running.callback(over.set)
        follower.start()
        for process in writers:
            let_go(process)
        said = [line.split() for line in read_all(writers)]
        assert [process.wait(LONGEST_SECONDS) for process in writers] == [0] * WRITERS

    committed = {int(position): leaf.encode() for position, leaf in said}
    assert len(committed) == len(said), "two facts were given the same position"
    assert len(committed) > transactions
    # Dense, in order, each once, none missed, and each the very fact that its writer recorded.
    assert [row.position for row in seen] == list(range(1, len(committed) + 1))
    assert {row.position: row.leaf for row in seen} == committed

    names = [row.leaf.split(b"-")[0] for row in seen]
    turns = sum(one != other for one, other in pairwise(names))
    assert turns > transactions / 10, "the writers hardly met; the race proves little"


def let_go(process: subprocess.Popen[str]) -> None:
    """The writer begins."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def read_all(writers: list[subprocess.Popen[str]]) -> list[str]:
    """What all of them print, read at the same time, so that no pipe is ever full."""
    lines: list[str] = []

    def read(process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        lines.extend(process.stdout)

    readers = [threading.Thread(target=read, args=(process,)) for process in writers]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(LONGEST_SECONDS)
    return lines
