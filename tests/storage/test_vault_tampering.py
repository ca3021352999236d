"""Tampering with the vault's rows: every changed bit is refused, with an error of its own."""

from collections.abc import Iterator

import pytest
from msgspec import Struct
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.values import Digest, private
from ledger.database import Database
from ledger.errors import SealedValueError, SubjectKeyError, VaultError
from ledger.personal.keyring import KEY_NAMES, KeyRing
from ledger.personal.vault import Vault
from ledger.seal import Sealed, seal

MARA, NOEL = "c_" + "m" * 26, "c_" + "n" * 26
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
def cur(database: Database) -> Iterator[Cursor[TupleRow]]:
    """A cursor with the rights of the running server."""
    with database.connect("runtime") as connection, connection.cursor() as cursor:
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


@pytest.mark.parametrize("byte", [0, 11, 12, 40, -17, -16, -1])
def test_a_changed_bit_of_a_ciphertext_is_refused(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow], byte: int
) -> None:
    """In the nonce, the text or the tag: the error names the digest and not the words."""
    digest, other = store(vault, cur, (MARA, "secret words"), (MARA, "other words"))
    flip(owner, "disclosures", "sealed", byte, f"digest = '{digest}'")
    for read in (vault.open, vault.disclosures):
        with pytest.raises(SealedValueError, match=digest) as caught:
            read(cur, [digest])
        assert "secret" not in str(caught.value)
    assert vault.open(cur, [other]) == {other: "other words"}


def flip(owner: Cursor[TupleRow], table: str, column: str, byte: int, where: str) -> None:
    """Changes the lowest bit of one byte, counted from the end when negative."""
    owner.execute(f"select {column} from {table} where {where}".encode())
    ((before,),) = owner.fetchall()
    after = bytearray(before)
    after[byte] ^= 1
    owner.execute(f"update {table} set {column} = %s where {where}".encode(), (bytes(after),))
    assert owner.rowcount == 1


@pytest.mark.parametrize("size", [0, 1, 11, 12, 13, 27, 28])
def test_a_cut_ciphertext_is_refused(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow], size: int
) -> None:
    """Shorter than nonce and tag, or with nothing between them, it is no value of ours."""
    (digest,) = store(vault, cur, (MARA, "words"))
    owner.execute("update disclosures set sealed = substr(sealed, 1, %s)", (size,))
    with pytest.raises(SealedValueError, match=digest):
        vault.open(cur, [digest])


@pytest.mark.parametrize("byte", [0, 7, 8, 20, 39])
def test_a_changed_bit_of_a_wrapped_key_is_refused(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow], byte: int
) -> None:
    """It is an error of its own, for reading and for storing more, and it names the subject."""
    (digest,) = store(vault, cur, (MARA, "words"))
    flip(owner, "subject_keys", "wrapped", byte, f"subject = '{MARA}'")
    with pytest.raises(SubjectKeyError, match=MARA):
        vault.open(cur, [digest])
    with pytest.raises(SubjectKeyError, match=MARA):
        store(vault, cur, (MARA, "more"))


def test_a_value_under_another_digest_is_refused(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """Neither a changed digest nor two exchanged ones show words that the leaf does not prove."""
    one, two, three = store(vault, cur, (MARA, "one"), (MARA, "two"), (MARA, "three"))
    other = ("A" if three[0] != "A" else "B") + three[1:]
    owner.execute("update disclosures set digest = %s where digest = %s", (other, three))
    with pytest.raises(SealedValueError, match=other):
        vault.open(cur, [other])
    owner.execute("update disclosures set digest = 'x' where digest = %s", (one,))
    owner.execute("update disclosures set digest = %s where digest = %s", (one, two))
    owner.execute("update disclosures set digest = %s where digest = 'x'", (two,))
    for digest in (one, two):
        with pytest.raises(SealedValueError, match=digest):
            vault.open(cur, [digest])


def test_a_value_given_to_another_subject_is_refused(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """Someone else's key does not open it, so erasing someone else cannot take it along unseen."""
    digest, _ = store(vault, cur, (MARA, "one"), (NOEL, "two"))
    owner.execute("update disclosures set subject = %s where subject = %s", (NOEL, MARA))
    with pytest.raises(SealedValueError, match=digest):
        vault.open(cur, [digest])


def test_a_key_moved_to_another_ring_is_refused(
    vault: Vault, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """Relabelling the row does not bring self-identification through the usual door."""
    (digest,) = store(vault, cur, (MARA_HERSELF, "woman"))
    owner.execute("update subject_keys set ring = 'subject'")
    with pytest.raises(SubjectKeyError, match=MARA):
        vault.open(cur, [digest])
    with pytest.raises(VaultError, match="in another ring"):
        store(vault, cur, (MARA_HERSELF, "more"))


def test_words_stored_under_a_digest_that_is_not_theirs_are_refused(
    vault: Vault, cur: Cursor[TupleRow]
) -> None:
    """Even an intact row must be what the leaf's digest was made of."""
    one, two = sealed((MARA, "one"), (MARA, "two"))
    vault.store(cur, [(1, one._replace(disclosure=two.disclosure))])
    with pytest.raises(SealedValueError, match=one.digest):
        vault.open(cur, [one.digest])


def test_another_ledgers_keys_are_noticed_at_the_start(
    database: Database, vault: Vault, cur: Cursor[TupleRow]
) -> None:
    """A lost and newly made key-encryption key says so before anything is recorded under it."""
    vault.check_keys(cur)
    (digest,) = store(vault, cur, (MARA, "words"))
    vault.check_keys(cur)
    other = KeyRing(dict.fromkeys(KEY_NAMES, b"9" * 32))
    stranger = Vault(other, database.schema)
    with pytest.raises(SubjectKeyError, match="keys belong to another ledger"):
        stranger.check_keys(cur)
    with pytest.raises(SubjectKeyError):
        stranger.open(cur, [digest])
