"""A process that forks others, each of which follows a ledger in small batches until it is killed.

Run with the data directory of an embedded store and a schema. For each line on standard input it
forks one; each of these prints `<pid> <state>` whenever its follower's state changes. Forking what
has imported everything makes a process in milliseconds, so that many can be killed in a test; and
between a batch's rows and its position each takes its time, so that many are killed just there.
"""

import os
import signal
import sys
from pathlib import Path
from time import sleep

import structlog
from psycopg import Cursor
from psycopg.rows import TupleRow

from followed import TALLY
from ledger.database import Database
from ledger.embedded.server import Embedded
from projections import LOOPS, Projection, Site, _build, _positions, follower

BATCH_FACTS = 20
BUILD_FACTS = 200
SLOW_SECONDS = 0.02

_advance = _positions.advance


def main(data: Path, schema: str) -> None:
    """Fork on demand."""
    follower.BATCH_FACTS = BATCH_FACTS  # type: ignore[misc]
    follower.GATHER_SECONDS = 0.0  # type: ignore[misc]
    _build.BUILD_FACTS = BUILD_FACTS  # type: ignore[misc]
    _positions.advance = _advance_slowly
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=sys.stderr))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if os.fork() == 0:
            _follow(Database.embedded(Embedded.attach(data), schema))


def _advance_slowly(
    cur: Cursor[TupleRow], site: Site, projection: Projection, position: int
) -> None:
    sleep(SLOW_SECONDS)
    _advance(cur, site, projection, position)


def _follow(database: Database) -> None:
    parent, said = os.getppid(), ""
    with follower.Follower(database, (TALLY, LOOPS)) as one:
        while os.getppid() == parent:
            if one.state != said:
                said = one.state
                os.write(1, f"{os.getpid()} {said}\n".encode())
            sleep(0.005)
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
