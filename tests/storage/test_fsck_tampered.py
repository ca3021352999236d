"""A superuser changes something behind the ledger's back; fsck finds it and says where.

A round that fails prints its seed; `HIRELEDGER_TEST_TAMPERING=<seed>` repeats it.
"""

import os
import random
import secrets
from collections.abc import Generator, Iterable

import psycopg
import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.fsck.check import fsck
from ledger.fsck.report import Report
from sound_ledger import Sound, sound_ledger
from tampering import TABLES, Tampered, tamper
from tsa import OPENSSL, make_authority

ALONE = 200
TOGETHER = 200
"""With four changes each, so that there are 1,000 in all."""

BESIDE = (
    ("fact_tags", "tree_nodes", "tree_heads"),
    ("checkpoints", "cosignatures", "timestamps"),
    ("requests", "disclosures"),
    ("aliases", "subject_keys", "schema_migrations"),
)
"""Of each line one: such changes do not hide each other, as a changed fact hides what is its."""

SEED = os.environ.get("HIRELEDGER_TEST_TAMPERING")


@pytest.fixture(scope="module")
def sound(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Sound]:
    """A ledger with something in every table, at rest."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    directory = tmp_path_factory.mktemp("sound")
    authority = make_authority(directory / "tsa") if OPENSSL else None
    with sound_ledger(database, directory, authority) as made:
        yield made


@pytest.fixture
def cur(server: Embedded, sound: Sound) -> Generator[Cursor[TupleRow]]:
    """A superuser's cursor in a transaction that is never committed."""
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"set search_path = {sound.database.schema}".encode())
        with connection.cursor() as cursor:
            yield cursor
        connection.rollback()


def rounds(number: int, server: Embedded) -> Iterable[str]:
    """The seeds of so many rounds; a tenth on servers other than the one that users get."""
    if SEED is not None:
        return (SEED,)
    return map(str, range(number if server.version.startswith("18") else number // 10))


def tampered(
    cur: Cursor[TupleRow], sound: Sound, chance: random.Random, tables: Iterable[str | None]
) -> tuple[list[Tampered], Report]:
    """What was changed in these tables (None: in any), and what fsck then says; undone again."""
    cur.execute("savepoint untouched")
    done = [tamper(cur, chance, table) for table in tables]
    report = checked(cur, sound)
    cur.execute("rollback to untouched")
    return done, report


def checked(cur: Cursor[TupleRow], sound: Sound) -> Report:
    """What fsck says of the ledger as this transaction sees it."""
    return fsck(cur.connection, sound.database, sound.keyring, sound.trust, limit=1_000)


def told(seed: str, done: Tampered, report: Report) -> str:
    """What a failed round prints."""
    said = "\n".join(f"  {one.check} {one.place}: {one.said}" for one in report.problems)
    return f"seed {seed}: {done.what}, of which fsck says\n{said or '  nothing'}"


def test_an_untouched_ledger_has_every_table_filled_and_is_sound(
    cur: Cursor[TupleRow], sound: Sound
) -> None:
    """The rounds below have something to change everywhere, and what they find is their own."""
    report = checked(cur, sound)
    assert report.problems == ()
    assert report.sound
    assert set(TABLES) - set(report.rows) == (set() if OPENSSL else {"timestamps"})
    assert report.rows["bases"] == 2
    assert report.notes == ()


def test_every_change_alone_is_found_and_named_first(
    server: Embedded, cur: Cursor[TupleRow], sound: Sound
) -> None:
    """A bit, a row removed, doubled or exchanged, in any column that says anything."""
    for seed in rounds(ALONE, server):
        (done,), report = tampered(cur, sound, random.Random(f"alone {seed}"), [None])
        assert done.named_by(report), told(seed, done, report)
        # A key that is gone shows first in what it closed.
        assert done.table == "subject_keys" or done.first_in(report), told(seed, done, report)


def test_changes_in_several_tables_at_once_are_all_named(
    server: Embedded, cur: Cursor[TupleRow], sound: Sound
) -> None:
    """Whoever changes more does not hide the one behind the other."""
    for seed in rounds(TOGETHER, server):
        chance = random.Random(f"together {seed}")
        known = [[one for one in some if one in sound.filled] for some in BESIDE]
        changes, report = tampered(cur, sound, chance, [chance.choice(some) for some in known])
        for done in changes:
            assert done.named_by(report), told(seed, done, report)


@pytest.mark.parametrize("table", list(TABLES))
def test_every_kind_of_bit_in_a_table_is_found(
    cur: Cursor[TupleRow], sound: Sound, table: str
) -> None:
    """Each column in turn, whatever the dice say."""
    if table not in sound.filled:
        pytest.skip("openssl is not installed, so nothing stands in it: apt-get install openssl")
    for column in TABLES[table]:
        if (table, column) == ("tree_heads", "size"):
            continue  # one bit more or less does not go with the number of hashes in `edge`
        cur.execute("savepoint untouched")
        done = tamper(cur, random.Random(f"bit {table}.{column}"), table, column)
        report = checked(cur, sound)
        cur.execute("rollback to untouched")
        assert done.what == f"a bit of {table}.{column}"
        assert done.named_by(report), told("-", done, report)
