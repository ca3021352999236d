"""A process that records facts among others, slowly or fast, and says what it committed.

Run by the race tests with the schema, a seed and a number of transactions; the connection string,
which holds a password, comes on standard input. Every line that it prints is
`<position> <leaf>` of a fact whose commit was acknowledged.
"""

import random
import sys
import time

import psycopg

from facts_in_log import new
from ledger.log import Log

SLOW_SECONDS_MAX = 0.004
PAUSES = (0.0,) * 40 + (SLOW_SECONDS_MAX / 8,) * 3 + (SLOW_SECONDS_MAX,)


class GivenUp(Exception):
    """A writer that does not commit what it has inserted."""


def main(schema: str, name: str, seed: int, transactions: int) -> None:
    """Record in so many transactions, pausing at random between their steps."""
    chance = random.Random(seed)
    conninfo = sys.stdin.readline().strip()
    log = Log(schema)
    connection = psycopg.connect(conninfo)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(transactions):
        if connection.closed:
            connection = psycopg.connect(conninfo)
        leaves = [b"%s-%d-%d" % (name.encode(), number, n) for n in range(chance.choice((1, 1, 3)))]
        try:
            positions = _attempt(log, connection, leaves, chance)
        except GivenUp:
            continue
        for position, leaf in zip(positions, leaves, strict=True):
            print(position, leaf.decode())
    connection.close()


def _attempt(
    log: Log, connection: psycopg.Connection, leaves: list[bytes], chance: random.Random
) -> list[int]:
    with connection.transaction(), connection.cursor() as cur:
        if chance.random() < 0.3:
            log.head(cur)  # a snapshot from before the lock must do no harm
        time.sleep(chance.choice(PAUSES))
        log.lock(cur)
        time.sleep(chance.choice(PAUSES))
        positions = log.insert(cur, [new(leaf) for leaf in leaves])
        time.sleep(chance.choice(PAUSES))
        fate = chance.random()
        if fate < 0.01:
            connection.close()  # as if the process had died with its facts inserted
        if fate < 0.09:
            raise GivenUp
        return positions


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
