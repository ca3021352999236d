"""The file with the last checkpoint, outside the database, where somebody removed it."""

from datetime import UTC, datetime
from pathlib import Path

from structlog.testing import capture_logs

from hall import open_hall, record, until
from ledger.checkpoints import OutsideCopy
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.log_keys import LogKeys
from ledger.personal.keyring import KeyRing
from ledger.proof.note import parse_note
from ledger.publish import Publishing
from office import rules


def rows(database: Database) -> list[tuple[int, bytes]]:
    """Every checkpoint row, in the order of signing."""
    with database.connect("runtime") as connection:
        found = connection.execute("select size, note from checkpoints order by signed")
        return [(size, note) for size, note in found.fetchall()]


def test_a_copy_that_is_gone_is_put_back_once_the_log_holds_against_the_store(
    database: Database, tmp_path: Path
) -> None:
    """At the start, and told once; nothing is signed or recorded for it."""
    copy = OutsideCopy(tmp_path / "checkpoint")
    with open_hall(database, tmp_path, furnished=False) as hall:
        record(hall)
    before = rows(database)
    assert copy.read() == before[-1][1]
    copy.path.unlink()
    how, keyring = Publishing.of(tmp_path), KeyRing.open(tmp_path / "keys")
    with capture_logs() as said, Ledger(database, keyring, rules(), how):
        until(lambda: copy.read() is not None)
    assert copy.read() == before[-1][1]
    assert rows(database) == before
    event = "the checkpoint outside the database was gone and is put back"
    assert [one["event"] for one in said].count(event) == 1


def test_a_copy_is_not_put_back_from_a_store_that_was_changed(
    database: Database, tmp_path: Path
) -> None:
    """What the log does not hold against is not given out as what was signed last."""
    copy = OutsideCopy(tmp_path / "checkpoint")
    with open_hall(database, tmp_path, furnished=False) as hall:
        position = record(hall)
        hall.ledger.publisher.checkpoint_at_least(position)
        other = LogKeys.open(tmp_path / "other", origin=hall.ledger.publisher.keys.origin)
        text = parse_note(rows(database)[-1][1]).text
        with database.connect("runtime") as connection:
            connection.execute(
                "insert into checkpoints (size, signed, origin, note) values (%s, %s, %s, %s)",
                (position, datetime.now(UTC), other.origin, other.sign(text)),
            )
        copy.path.unlink()
        until(lambda: hall.ledger.publisher.standing().problem is not None)
        assert copy.read() is None
