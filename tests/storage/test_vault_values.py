"""The vault: values come back as they went in, or not at all, and never from the wrong door."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.values import Digest, private
from ledger.database import Connection, Database
from ledger.errors import RingClosedError, SubjectKeyError, VaultError
from ledger.log import Log
from ledger.personal.keyring import KEY_NAMES, KeyRing, Ring
from ledger.personal.subject_keys import SubjectKeys
from ledger.personal.vault import ERASED, Vault
from ledger.proof.disclosure import digest_of, read_disclosure
from ledger.seal import Sealed, seal

MARA, NOEL, STAFF = "c_" + "m" * 26, "c_" + "n" * 26, "p_" + "s" * 26
MARA_HERSELF = "self-identification:" + MARA
RING = KeyRing({name: bytes([number]) * 32 for number, name in enumerate(KEY_NAMES, start=1)})


class Words(Struct, frozen=True):
    """A fact with any number of personal values."""

    values: tuple[Digest, ...]


def sealed(*values: tuple[str, str]) -> list[Sealed]:
    """(subject, words) as they come out of sealing."""
    return seal(Words(tuple(private(words, subject) for subject, words in values)))[1]


@pytest.fixture
def vault(database: Database) -> Vault:
    """A vault over an empty ledger."""
    return Vault(RING, database.schema)


@pytest.fixture
def runtime(database: Database) -> Iterator[Connection]:
    """A connection with the rights of the running server."""
    with database.connect("runtime") as connection:
        yield connection


@pytest.fixture
def cur(runtime: Connection) -> Iterator[Cursor[TupleRow]]:
    """A cursor with the rights of the running server."""
    with runtime.cursor() as cursor:
        yield cursor


@pytest.fixture
def owner(database: Database) -> Iterator[Cursor[TupleRow]]:
    """A cursor that may change rows behind the ledger's back; commits each statement."""
    with (
        database.connect("owner", autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def store(vault: Vault, cur: Cursor[TupleRow], *values: tuple[str, str]) -> list[str]:
    """Seals, stores and commits values; their digests in order."""
    ones = sealed(*values)
    vault.store(cur, [(number, one) for number, one in enumerate(ones, start=1)])
    cur.connection.commit()
    return [one.digest for one in ones]


TEXTS = st.lists(st.tuples(st.sampled_from([MARA, NOEL, STAFF, "organisation"]), st.text()))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=TEXTS)
def test_any_text_comes_back_as_it_went_in(
    vault: Vault, cur: Cursor[TupleRow], values: list[tuple[str, str]]
) -> None:
    """Every Unicode text, NUL, quotes and empty text too, in one batch over several subjects."""
    digests = store(vault, cur, *values)
    words = [text for _, text in values]
    assert vault.open(cur, digests) == dict(zip(digests, words, strict=True))
    disclosures = vault.disclosures(cur, digests)
    assert [read_disclosure(disclosures[digest]).value for digest in digests] == words
    assert [digest_of(disclosures[digest]) for digest in digests] == digests


def test_a_batch_takes_three_statements_at_most(vault: Vault, cur: Cursor[TupleRow]) -> None:
    """However many values and subjects: read keys, make the missing ones, insert the values."""
    counting = CountingCursor(cur.connection)
    ones = sealed(*((f"c_{letter * 26}", "words") for letter in "abcdefghij" * 30))
    vault.store(counting, list(enumerate(ones, start=1)))
    assert counting.statements == 3
    vault.store(counting, list(enumerate(sealed((MARA, "x"), ("c_" + "a" * 26, "y")), start=1)))
    assert counting.statements == 6
    assert set(vault.open(counting, [one.digest for one in ones]).values()) == {"words"}
    assert counting.statements == 7


class CountingCursor(Cursor[TupleRow]):
    """A cursor that counts what it sends."""

    statements = 0

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        """Counts and executes."""
        self.statements += 1
        return super().execute(*args, **kwargs)


def test_nothing_to_store_or_open_asks_nothing(vault: Vault, cur: Cursor[TupleRow]) -> None:
    """Facts without personal values cost the database nothing."""
    counting = CountingCursor(cur.connection)
    vault.store(counting, [])
    assert (vault.open(counting, []), vault.disclosures(counting, [])) == ({}, {})
    assert counting.statements == 0


def test_an_unknown_digest_reads_as_erased(vault: Vault, cur: Cursor[TupleRow]) -> None:
    """A value that is not there is gone; its disclosure is left out."""
    (digest,) = store(vault, cur, (MARA, "words"))
    unknown = digest_of("unknown")
    assert vault.open(cur, [unknown, digest]) == {unknown: ERASED, digest: "words"}
    assert list(vault.disclosures(cur, [unknown, digest])) == [digest]


def test_a_rolled_back_store_leaves_neither_values_nor_keys(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """Values and keys commit with the facts that name them, or not at all."""
    ones = sealed((MARA, "words"))
    vault.store(cur, [(1, ones[0])])
    cur.connection.rollback()
    assert vault.open(cur, [ones[0].digest]) == {ones[0].digest: ERASED}
    assert count(owner, "subject_keys") == 0


def count(owner: Cursor[TupleRow], table: str) -> int:
    """Number of rows."""
    owner.execute(f"select count(*) from {table}".encode())
    return sum(number for (number,) in owner.fetchall())


# ------------------------------------------------------------------------------------- erasure


def test_forgetting_destroys_one_subject_and_nobody_else(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """Values, self-identification and both keys of one person go; the others' stay as they were."""
    gone = store(vault, cur, (MARA, "one"), (MARA_HERSELF, "woman"), (MARA, "two"))
    kept = store(vault, cur, (NOEL, "three"), (STAFF, "four"), ("organisation", "five"))
    assert vault.forget(cur, MARA) == 3
    cur.connection.commit()
    assert vault.open(cur, [*gone, *kept]) == {
        **dict.fromkeys(gone, ERASED),
        **dict(zip(kept, ["three", "four", "five"], strict=True)),
    }
    assert vault.open_counting(cur, gone) == dict.fromkeys(gone, ERASED)
    assert vault.disclosures(cur, gone) == {}
    owner.execute("select subject from subject_keys order by subject")
    assert owner.fetchall() == [(NOEL,), ("organisation",), (STAFF,)]
    assert count(owner, "disclosures") == 3


def test_forgetting_again_or_a_stranger_destroys_nothing(
    vault: Vault, cur: Cursor[TupleRow]
) -> None:
    """Erasure may be retried."""
    (kept,) = store(vault, cur, (NOEL, "words"))
    assert vault.forget(cur, MARA) == 0
    assert vault.open(cur, [kept]) == {kept: "words"}


def test_a_value_whose_key_alone_is_gone_reads_as_erased(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """A backup that brings back ciphertext without its key brings nothing back."""
    gone, kept = store(vault, cur, (MARA, "words"), (NOEL, "others"))
    owner.execute("delete from subject_keys where subject = %s", (MARA,))
    assert vault.open(cur, [gone, kept]) == {gone: ERASED, kept: "others"}
    assert vault.disclosures(cur, [gone]) == {}


def test_an_erasure_elsewhere_holds_at_once(database: Database, cur: Cursor[TupleRow]) -> None:
    """A process that opened the value a moment ago keeps no key of its own."""
    here, there = Vault(RING, database.schema), Vault(RING, database.schema)
    (digest,) = store(here, cur, (MARA, "words"))
    assert here.open(cur, [digest]) == {digest: "words"}
    cur.connection.commit()
    with database.connect("runtime") as other:
        there.forget(other.cursor(), MARA)
    assert here.open(cur, [digest]) == {digest: ERASED}


def test_after_an_erasure_a_new_value_gets_a_new_key(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """A handle that is used again neither revives old values nor loses new ones."""
    (old,) = store(vault, cur, (MARA, "old"))
    owner.execute("select wrapped from subject_keys")
    before = owner.fetchall()
    vault.forget(cur, MARA)
    (new,) = store(vault, cur, (MARA, "new"))
    owner.execute("select wrapped from subject_keys")
    assert owner.fetchall() != before
    assert vault.open(cur, [old, new]) == {old: ERASED, new: "new"}


def test_an_erasure_in_the_midst_of_a_store_is_told(
    database: Database, vault: Vault, cur: Cursor[TupleRow]
) -> None:
    """Whoever stores without the log's lock gets an error, never a value without a key."""

    class Erasing(Cursor[TupleRow]):
        """Between looking for a key and making it, someone else makes it, then destroys it."""

        def execute(self, query: Any, params: Any = None, **kwargs: Any) -> Any:
            if b"insert into" in query and b"subject_keys" in query:
                store(vault, cur, (MARA, "made meanwhile"))
                super().execute(query, params, **kwargs)
                vault.forget(cur, MARA)
                cur.connection.commit()
                return self
            return super().execute(query, params, **kwargs)

    with database.connect("runtime") as connection, Erasing(connection) as erasing:
        with pytest.raises(SubjectKeyError, match="destroyed while a value was being stored"):
            vault.store(erasing, [(1, sealed((MARA, "words"))[0])])
        connection.rollback()


def test_an_erasure_waits_for_the_log(
    database: Database, vault: Vault, cur: Cursor[TupleRow]
) -> None:
    """No append that holds the log's lock has the key destroyed under its hands."""
    store(vault, cur, (MARA, "words"))
    with database.connect("runtime") as other:
        Log(database.schema).lock(other.cursor())
        cur.execute("set local statement_timeout = '200ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            vault.forget(cur, MARA)
    cur.connection.rollback()
    assert vault.forget(cur, MARA) == 1


# ------------------------------------------------------------------------- self-identification


def test_each_ring_opens_through_its_own_door_only(vault: Vault, cur: Cursor[TupleRow]) -> None:
    """Readers cannot open self-identification, and counting opens nothing else."""
    own, other = store(vault, cur, (MARA_HERSELF, "woman"), (MARA, "words"))
    for read in (vault.open, vault.disclosures):
        with pytest.raises(RingClosedError, match=f"{own} is in ring `self-identification`"):
            read(cur, [other, own])
    with pytest.raises(RingClosedError, match=f"{other} is in ring `subject`"):
        vault.open_counting(cur, [other])
    assert vault.open_counting(cur, [own]) == {own: "woman"}
    assert vault.closed(cur, [own, other, digest_of("unknown")]) == {own}


def test_one_person_has_a_key_in_each_ring(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """Whoever holds the usual key-encryption key has nothing that opens self-identification."""
    store(vault, cur, (MARA_HERSELF, "woman"), (MARA, "words"))
    owner.execute("select subject, ring, wrapped from subject_keys order by subject")
    rows = owner.fetchall()
    assert [row[:2] for row in rows] == [(MARA, "subject"), (MARA_HERSELF, "self-identification")]
    for _, ring, wrapped in rows:
        assert len(RING.unwrap(ring, wrapped)) == 32


# --------------------------------------------------------------------------------- concurrency


def test_many_writers_of_the_same_new_subjects_agree_on_the_keys(
    database: Database, vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """Whoever comes second uses the first one's key, in whatever order they name the subjects."""
    subjects = [f"c_{letter * 26}" for letter in "abcdefghij"]
    stored: list[tuple[str, str]] = []
    failures: list[Exception] = []
    barrier = threading.Barrier(4)

    def write(number: int) -> None:
        named = subjects if number % 2 else subjects[::-1]
        ones = sealed(*((subject, f"{number} {subject}") for subject in named))
        try:
            with database.connect("runtime") as connection:
                barrier.wait()
                Vault(RING, database.schema).store(
                    connection.cursor(), [(number, one) for one in ones]
                )
        except (psycopg.Error, VaultError) as error:
            failures.append(error)
        texts = [f"{number} {subject}" for subject in named]
        stored.extend(zip((one.digest for one in ones), texts, strict=True))

    for _ in range(5):
        threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert vault.open(cur, [digest for digest, _ in stored]) == dict(stored)
        assert count(owner, "subject_keys") == len(subjects)
        for subject in subjects:
            vault.forget(cur, subject)
        cur.connection.commit()
        stored.clear()


def test_writers_of_many_new_subjects_in_opposite_orders_do_not_deadlock(
    database: Database, owner: Cursor[TupleRow]
) -> None:
    """Keys are made in one order, whatever the order in which they are asked for."""
    keys = SubjectKeys(RING, database.schema)
    owners: list[tuple[str, Ring]] = [
        (f"organisation-{number:05}", "subject") for number in range(3000)
    ]
    failures: list[psycopg.Error] = []
    barrier = threading.Barrier(2)

    def make(asked: list[tuple[str, Ring]]) -> None:
        try:
            with database.connect("runtime") as connection:
                barrier.wait()
                keys.obtain(connection.cursor(), asked)
        except psycopg.Error as error:
            failures.append(error)

    threads = [threading.Thread(target=make, args=(asked,)) for asked in (owners, owners[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert count(owner, "subject_keys") == len(owners)
