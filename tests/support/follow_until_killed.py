"""A process that follows a ledger in small batches until somebody kills it.

Run with the data directory of an embedded store and a schema. Prints its state whenever that
changes, and ends when its standard input does.
"""

import sys
import threading
from pathlib import Path
from time import sleep

from followed import TALLY
from ledger.database import Database
from ledger.postgres import Embedded
from projections import LOOPS, follower

BATCH_FACTS = 20


def main(data: Path, schema: str) -> None:
    """Follow."""
    follower.BATCH_FACTS = BATCH_FACTS  # type: ignore[misc]
    follower.GATHER_SECONDS = 0.0  # type: ignore[misc]
    threading.Thread(target=_tell, args=[Embedded.attach(data), schema], daemon=True).start()
    sys.stdin.read()


def _tell(server: Embedded, schema: str) -> None:
    with follower.Follower(Database.embedded(server, schema), (TALLY, LOOPS)) as one:
        said = ""
        while True:
            if one.state != said:
                said = one.state
                print(said, flush=True)
            sleep(0.01)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
