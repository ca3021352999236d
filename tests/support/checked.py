"""fsck as a function of a ledger: every check, with the keys that the ledger itself signs with."""

from ledger.fsck.check import fsck, snapshot
from ledger.fsck.checkpoints import Trust
from ledger.fsck.report import Report
from ledger.ledger import Ledger


def fscked(ledger: Ledger) -> Report:
    """What fsck says of a ledger that is open, and may be recording."""
    keys = ledger.publisher.keys
    with snapshot(ledger.database) as connection:
        return fsck(connection, ledger.database, ledger.store.keyring, Trust(keys.verifiers))


def said_of(report: Report) -> str:
    """What a failed test prints."""
    return "\n".join(f"{one.check}, {one.place}: {one.said}" for one in report.problems)
