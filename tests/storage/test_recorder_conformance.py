"""The recorder passes the event-sourcing library's own suite for DCB recorders."""

from eventsourcing.dcb.tests import DCBRecorderTestCase

from ledger.database import Database
from ledger.recorder import Recorder


class Suite(DCBRecorderTestCase):
    """The library's suite; its methods begin with `_test_`, so nothing is collected by itself."""

    def append_read(self, database: Database) -> None:
        """Appending, reading and conditions."""
        with Recorder(database) as recorder:
            self._test_append_read(recorder)

    def append_subscribe(self, database: Database) -> None:
        """Subscribing, blocking and waking."""
        with Recorder(database) as recorder:
            self._test_append_subscribe(recorder)


def test_the_librarys_suite_for_append_and_read_passes(database: Database) -> None:
    """Positions, queries, limits, heads and append conditions are as the library defines them."""
    Suite().append_read(database)


def test_the_librarys_suite_for_append_and_subscribe_passes(database: Database) -> None:
    """A subscription gives what is there, blocks at the end, and wakes for what comes."""
    Suite().append_subscribe(database)
