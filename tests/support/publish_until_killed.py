"""A process that records and is killed, as kill -9 does it, at one step of publishing.

Run with schema, data directory and step; the URL, which holds a password, comes on standard input.
The ledger has been opened before, so that what is published here is only what is recorded here.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from hall import Hall
from ledger.checkpoints import Checkpoints, OutsideCopy
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.personal.keyring import KeyRing
from ledger.publish import Publishing
from office import rules

STEPS = ("before the copy", "after the copy", "before the commit")


def die(*_: Any) -> None:
    """Nothing of this process runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


# ruff: noqa: B010  (what is put in place takes whatever it is given)


def main(schema: str, data: Path, step: str) -> None:
    """Record one fact; whoever publishes it is killed."""
    add = Checkpoints.add

    def add_and_die(*given: Any) -> None:
        add(*given)
        die()

    if step == "before the copy":
        setattr(OutsideCopy, "write", die)
    else:
        setattr(Checkpoints, "add", die if step == "after the copy" else add_and_die)
    database = Database.external(sys.stdin.readline().strip(), schema)
    with Ledger(database, KeyRing.open(data / "keys"), rules(), Publishing.of(data)) as ledger:
        hall = Hall(ledger)
        done = ledger.submit(hall.a_stranger()).result(30)
        ledger.publisher.checkpoint_at_least(done.recorded[0].position)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
