"""Values that the ledger never wrote and Python can hardly hold: told like any other change."""

import secrets
from collections.abc import Generator

import psycopg
import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.fsck.check import fsck
from ledger.fsck.report import Report
from sound_ledger import Sound, sound_ledger

NESTED = "convert_to(repeat('[', 30000) || repeat(']', 30000), 'UTF8')"
STRANGE = {
    "update facts set recorded = 'infinity' where position = 7": 7,
    "update facts set recorded = '-infinity' where position = 7": 7,
    "update facts set recorded = '20000-01-01' where position = 7": 7,
    "update facts set tags = '{{a,b},{c,d}}' where position = 7": 7,
    "update facts set tags = '{NULL}' where position = 7": 7,
    "update facts set tags = '{}' where position = 7": 7,
    "update facts set type = '' where position = 7": 7,
    "update facts set leaf = '' where position = 7": 7,
    "update facts set leaf = '\\xff00' where position = 7": 7,
    "update facts set leaf = 'null' where position = 7": 7,
    "update facts set leaf = '[]' where position = 7": 7,
    f"update facts set leaf = {NESTED} where position = 7": 7,
    f"update facts set leaf = {NESTED}, leaf_hash = sha256('\\x00'::bytea || {NESTED}) "
    "where position = 7": 7,
    "update facts set position = 9223372036854775807 where position = 7": 7,
    "update requests set positions = '{{7,7}}' where 7 = any(positions)": 7,
    "update requests set positions = '{}' where 7 = any(positions)": 7,
    "update requests set positions = '{NULL}' where 7 = any(positions)": 7,
    "update requests set positions = array[7, 9223372036854775807] where 7 = any(positions)": 7,
    "update requests set key_hmac = '' where 7 = any(positions)": 7,
    "update requests set cause = '' where 7 = any(positions)": 7,
    "update disclosures set position = -9223372036854775808 where position = 7": 7,
    "update disclosures set position = 9223372036854775807 where position = 7": 7,
    "update disclosures set sealed = '' where position = 7": 7,
    "update disclosures set sealed = sealed || sealed where position = 7": 7,
    "update disclosures set digest = 'é' where position = 7": 7,
    "update disclosures set subject = 'self-identification:' where position = 7": 7,
    "update subject_keys set wrapped = '' where subject = 'organisation'": None,
    "update subject_keys set ring = '' where subject = 'organisation'": None,
    "update aliases set sealed = '' where handle = (select min(handle) from aliases)": None,
    "update aliases set kind = '' where handle = (select min(handle) from aliases)": None,
    "update aliases set lookup = '' where handle = (select min(handle) from aliases)": None,
    "update checkpoints set note = '' where size = (select max(size) from checkpoints)": None,
    "update checkpoints set note = '\\xff' where size = (select max(size) from checkpoints)": None,
    "update checkpoints set size = 0 where size = (select max(size) from checkpoints)": None,
    "update checkpoints set size = 9223372036854775807 "
    "where size = (select max(size) from checkpoints)": None,
    "update cosignatures set line = '\\xff' "
    "where size = (select max(size) from cosignatures)": None,
    "update cosignatures set line = '' where size = (select max(size) from cosignatures)": None,
    "update schema_migrations set version = '' where version = '0001'": None,
    "update schema_migrations set sha256 = '' where version = '0001'": None,
}


@pytest.fixture(scope="module")
def sound(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Sound]:
    """A ledger at rest."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    with sound_ledger(database, tmp_path_factory.mktemp("sound"), None) as made:
        yield made


@pytest.fixture
def cur(server: Embedded, sound: Sound) -> Generator[Cursor[TupleRow]]:
    """A superuser's cursor; never committed."""
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"set search_path = {sound.database.schema}".encode())
        with connection.cursor() as cursor:
            yield cursor
        connection.rollback()


def checked(cur: Cursor[TupleRow], sound: Sound) -> Report:
    """What fsck says of the ledger as this transaction sees it."""
    return fsck(cur.connection, sound.database, sound.keyring, sound.trust)


@pytest.mark.parametrize("statement", list(STRANGE))
def test_a_strange_value_is_a_problem_and_no_exception(
    cur: Cursor[TupleRow], sound: Sound, statement: str
) -> None:
    """Whatever a column can be made to hold; where it has a position, that comes first."""
    table = statement.split()[1]
    cur.execute(f"alter table {table} disable trigger all".encode())
    cur.execute(statement.encode())
    assert cur.rowcount == 1
    cur.execute(f"alter table {table} enable trigger all".encode())
    if table not in {"disclosures", "subject_keys", "aliases"}:
        cur.execute(f"alter table {table} enable always trigger {table}_stay".encode())
    report = checked(cur, sound)
    assert not report.sound
    assert table == "schema_migrations" or report.found["schema"] == 0
    position = STRANGE[statement]
    if position is not None:
        assert report.problems[0].position in {position, -(2**63)}, report.problems[:3]


@pytest.mark.parametrize(
    ("loosened", "statement"),
    [
        ("facts drop constraint facts_leaf_hash_check", "update facts set leaf_hash = ''"),
        ("tree_nodes drop constraint tree_nodes_check", "update tree_nodes set hashes = 'x'"),
        ("tree_heads drop constraint tree_heads_check", "update tree_heads set edge = 'x'"),
        ("tree_heads drop constraint tree_heads_root_check", "update tree_heads set root = ''"),
        (
            "facts drop constraint facts_leaf_check",
            "update facts set leaf = leaf || repeat(' ', 65536)::bytea",
        ),
    ],
)
def test_a_constraint_taken_off_lets_nothing_in_unseen(
    cur: Cursor[TupleRow], sound: Sound, loosened: str, statement: str
) -> None:
    """Values of no possible length, in every row, are told like any others."""
    table = statement.split()[1]
    cur.execute(f"alter table {table} disable trigger all".encode())
    cur.execute(f"alter table {loosened}".encode())
    cur.execute(statement.encode())
    found = checked(cur, sound).found
    assert found["schema"] > 0
    assert found["tree" if table.startswith("tree") else "facts"] > 0


def test_a_table_that_may_not_be_read_is_told(server: Embedded, sound: Sound) -> None:
    """The owner, who checks, was denied it; what can be read of the schema says so."""
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"set search_path = {sound.database.schema}".encode())
        owner = connection.execute(
            "select relowner::regrole::text from pg_class where oid = 'requests'::regclass"
        ).fetchall()[0][0]
        connection.execute(f"revoke select on requests from {owner}".encode())
        connection.execute(f"set local role {owner}".encode())
        report = fsck(connection, sound.database, sound.keyring, sound.trust)
        connection.rollback()
    assert [one.row for one in report.problems] == ["grant SELECT table requests to $owner"]
