"""What a thief of the whole database has: no word, no id, no request key, also not in its files."""

import base64
import secrets
from collections.abc import Iterator

import psycopg
import pytest
from msgspec import Struct
from psycopg.rows import TupleRow

from domain.values import Digest, private
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.personal.aliases import Aliases
from ledger.personal.keyring import KEY_NAMES, KeyName, KeyRing
from ledger.personal.vault import Vault
from ledger.proof.disclosure import read_disclosure
from ledger.requests import Request, Requests, Scope
from ledger.seal import seal

KEYS: dict[KeyName, bytes] = {name: secrets.token_bytes(32) for name in KEY_NAMES}
RING = KeyRing(KEYS)
MARA = "c_" + "m" * 26
RELATIONS = (
    "select c.relname, pg_relation_filepath(c.oid) from pg_class c "
    "where c.relkind in ('r', 'i', 't') and (c.relnamespace = %(schema)s::regnamespace or c.oid in "
    "(select reltoastrelid from pg_class where relnamespace = %(schema)s::regnamespace))"
)
WAL = "select name, 'pg_wal/' || name from pg_ls_waldir() order by modification desc limit 4"


class Words(Struct, frozen=True):
    """A fact with any number of personal values."""

    values: tuple[Digest, ...]


def spellings(text: str) -> Iterator[bytes]:
    """The text's bytes, and how they look inside hexadecimal and base64 at any offset."""
    plain = text.encode()
    yield plain
    yield text.encode("utf-16-le")
    yield plain.hex().encode()
    yield plain.hex().upper().encode()
    for offset in range(3):
        # Characters at either end depend on the neighbours too: cut them off.
        core = base64.b64encode(bytes(offset) + plain)[4:-4]
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))


def found_in(server: Embedded, database: Database, texts: list[str]) -> set[tuple[str, str]]:
    """(`files` or `wal`, text): what stands there of the texts, in any spelling."""
    hits: set[tuple[str, str]] = set()
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute("checkpoint")
        files = connection.execute(RELATIONS, {"schema": database.schema}).fetchall()
        assert {"disclosures", "subject_keys", "aliases", "requests"} <= {name for name, _ in files}
        files += connection.execute(WAL).fetchall()
        for _, path in files:
            ((content,),) = connection.execute("select pg_read_binary_file(%s)", (path,)).fetchall()
            place = "wal" if path.startswith("pg_wal/") else "files"
            hits |= {(place, text) for text in texts if any(s in content for s in spellings(text))}
    return hits


@pytest.fixture
def cur(database: Database) -> Iterator[psycopg.Cursor[TupleRow]]:
    """A cursor with the rights of the running server."""
    with database.connect("runtime") as connection, connection.cursor() as cursor:
        yield cursor


def test_no_word_and_no_id_stands_in_any_file_of_the_database(
    server: Embedded, database: Database, cur: psycopg.Cursor[TupleRow]
) -> None:
    """Values, ids, request keys, bodies and salts leave the process encrypted or as keyed HMACs."""
    words, name, sex, external, loop, key, body = (
        f"{place} {secrets.token_hex(12)} Möbius"
        for place in ("evidence", "name", "sex", "candidate", "loop", "request", "body")
    )
    fact = Words(
        (
            private(words, MARA),
            private(name, MARA),
            private(sex, "self-identification:" + MARA),
            private(words * 300, "organisation"),
        )
    )
    sealed = seal(fact)[1]
    vault, aliases = Vault(RING, database.schema), Aliases(RING, database.schema)
    vault.store(cur, [(1, one) for one in sealed])
    aliases.add(cur, "candidate", external, MARA, MARA)
    aliases.add(cur, "loop", loop, "l_" + "l" * 26, MARA)
    Requests(RING, database.schema).add(
        cur, Request(Scope("k_a", "p_b"), key, body.encode()), "r_c", [1]
    )
    salts = [read_disclosure(one.disclosure).salt for one in sealed]
    # Reading sends nothing either.
    assert aliases.find(cur, "candidate", external) == MARA
    assert vault.open(cur, [sealed[0].digest]) == {sealed[0].digest: words}
    cur.connection.commit()
    secret_texts = [words, name, sex, external, loop, key, body, *salts]
    assert found_in(server, database, secret_texts) == set()


@pytest.mark.parametrize("offset", ["", "x", "xy"])
def test_the_search_finds_what_is_not_encrypted(
    server: Embedded, database: Database, offset: str
) -> None:
    """The same search sees a text in the clear and a disclosure that nobody encrypted."""
    clear, disclosed, hidden = (f"{secrets.token_hex(12)} Möbius" for _ in range(3))
    with database.connect("owner") as connection:
        # Three times, because the head of a page of the WAL may stand in the middle of a text.
        for _ in range(3):
            (one,) = seal(Words((private(offset + disclosed, MARA),)))[1]
            connection.execute(
                "insert into disclosures values (%s, 1, %s, %s)",
                (one.digest, offset + clear, one.disclosure.encode()),
            )
    assert found_in(server, database, [clear, disclosed, hidden]) == {
        (place, text) for place in ("files", "wal") for text in (clear, disclosed)
    }


def test_no_key_of_the_ring_enters_the_database(
    server: Embedded, database: Database, cur: psycopg.Cursor[TupleRow]
) -> None:
    """Neither the ring's three keys nor a subject's unwrapped key can be found there."""
    vault = Vault(RING, database.schema)
    vault.store(cur, [(1, one) for one in seal(Words((private("words", MARA),)))[1]])
    cur.execute("select wrapped from subject_keys")
    ((wrapped,),) = cur.fetchall()
    cur.connection.commit()
    keys = [*KEYS.values(), RING.unwrap("subject", wrapped)]
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute("checkpoint")
        files = connection.execute(RELATIONS, {"schema": database.schema}).fetchall()
        for _, path in [*files, *connection.execute(WAL).fetchall()]:
            ((content,),) = connection.execute("select pg_read_binary_file(%s)", (path,)).fetchall()
            assert not [key for key in keys if key in content]
