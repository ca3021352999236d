"""What each role may do to a ledger, and what no role may."""

import hashlib

import psycopg
import pytest
from psycopg import errors

from ledger.database import Connection, Database
from ledger.embedded.server import Embedded

TREE = ("tree_nodes", "tree_heads", "checkpoints", "cosignatures", "timestamps")
KEPT = ("facts", "fact_tags", "requests", "schema_migrations", *TREE)
SIDE = ("subject_keys", "disclosures", "aliases")

CHANGES = {
    "facts": "UPDATE facts SET type = 'x'",
    "fact_tags": "UPDATE fact_tags SET tag = 'x'",
    "requests": "UPDATE requests SET cause = 'x'",
    "schema_migrations": "UPDATE schema_migrations SET sha256 = 'x'",
    "tree_nodes": "UPDATE tree_nodes SET hashes = hashes",
    "tree_heads": "UPDATE tree_heads SET root = root",
    "checkpoints": "UPDATE checkpoints SET note = note",
    "cosignatures": "UPDATE cosignatures SET line = line",
    "timestamps": "UPDATE timestamps SET token = token",
}

BEYOND_RUNTIME = (
    "CREATE TABLE mine (a int)",
    "CREATE TEMPORARY TABLE mine (a int)",
    "CREATE TABLE public.mine (a int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE facts DISABLE TRIGGER ALL",
    "ALTER TABLE facts ADD COLUMN mine int",
    "DROP TABLE facts",
    "DROP TRIGGER facts_stay ON facts",
    "INSERT INTO schema_migrations VALUES ('0099', 'x')",
    "UPDATE subject_keys SET wrapped = 'x'",
    "UPDATE disclosures SET sealed = 'x'",
    "UPDATE aliases SET sealed = 'x'",
    "TRUNCATE aliases",
    "LOCK TABLE facts IN EXCLUSIVE MODE",
    "SELECT FROM facts FOR UPDATE",
    "SET ROLE hireledger_owner",
    "SET ROLE hireledger_projector",
    "SET session_replication_role = replica",
    "COPY facts TO PROGRAM 'true'",
    "SELECT pg_read_file('/etc/hostname')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
)


def record(connection: Connection, position: int, *tags: str) -> None:
    """Insert a fact as the store does: leaf, leaf hash, tags."""
    leaf = b'{"type":"loop-opened.v1"}'
    connection.execute(
        "INSERT INTO facts VALUES (%s, 'loop-opened.v1', %s, %s, %s, now())",
        [position, list(tags), leaf, hashlib.sha256(b"\0" + leaf).digest()],
    )
    for tag in tags:
        connection.execute(
            "INSERT INTO fact_tags VALUES (%s, 'loop-opened.v1', %s)", [tag, position]
        )


def _fill(database: Database) -> None:
    with database.connect("runtime") as connection:
        record(connection, 1, "loop:l_a", "candidate:c_a")
        connection.execute("INSERT INTO requests VALUES ('k', 'b', 'cause', '{1}')")
        connection.execute("INSERT INTO subject_keys VALUES ('c_a', 'people', 'w')")
        connection.execute("INSERT INTO disclosures VALUES ('d', 1, 'c_a', 's')")
        connection.execute("INSERT INTO aliases VALUES ('l', 'candidate', 'c_a', 'c_a', 's')")


def test_the_runtime_role_records_reads_and_erases(database: Database) -> None:
    """What serving requests needs is allowed: append to the log, and empty the side tables."""
    _fill(database)
    with database.connect("runtime") as connection:
        for table in ("facts", "requests", *SIDE):
            assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM fact_tags").fetchone() == (2,)
        for table in SIDE:
            assert connection.execute(f"DELETE FROM {table}".encode()).rowcount == 1


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_runtime_role_changes_nothing_that_was_recorded(
    database: Database, table: str, verb: str
) -> None:
    """It has not the privilege, before any trigger is asked."""
    statement = {"UPDATE": CHANGES[table], "DELETE": f"DELETE FROM {table}"}.get(
        verb, f"TRUNCATE {table} CASCADE"
    )
    with database.connect("runtime") as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE", "TRUNCATE"])
def test_the_owner_changes_nothing_that_was_recorded(
    database: Database, table: str, verb: str
) -> None:
    """The guard stops even who may do everything, names the table and says what to do instead."""
    _fill(database)
    statement = {"UPDATE": CHANGES[table], "DELETE": f"DELETE FROM {table}"}.get(
        verb, f"TRUNCATE {table} CASCADE"
    )
    with (
        database.connect("owner") as connection,
        pytest.raises(errors.RestrictViolation) as refused,
    ):
        connection.execute(statement.encode())
    diagnosis = refused.value.diag
    assert f"{verb} on {database.schema}.{table} is refused" in str(diagnosis.message_primary)
    assert diagnosis.message_hint


def test_the_guard_also_stops_a_change_of_nothing(database: Database) -> None:
    """A statement that meets no row is refused as well, so that a mistake shows at once."""
    with database.connect("owner") as connection, pytest.raises(errors.RestrictViolation):
        connection.execute("DELETE FROM facts WHERE position = 0")


def test_the_guard_does_not_sleep_for_a_replica(server: Embedded, database: Database) -> None:
    """A superuser's session_replication_role, which switches other triggers off, does not help."""
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute("SET session_replication_role = replica")
        with pytest.raises(errors.RestrictViolation):
            connection.execute(f"DELETE FROM {database.schema}.facts".encode())


def test_an_upsert_is_a_change(database: Database) -> None:
    """INSERT ... ON CONFLICT DO UPDATE does not slip past the guard."""
    _fill(database)
    upsert = "INSERT INTO requests VALUES ('k', 'b', 'c', '{}') ON CONFLICT (key_hmac) DO UPDATE"
    statement = f"{upsert} SET cause = 'x'".encode()
    with database.connect("runtime") as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)
    with database.connect("owner") as connection, pytest.raises(errors.RestrictViolation):
        connection.execute(statement)


@pytest.mark.parametrize("statement", BEYOND_RUNTIME)
def test_the_runtime_role_owns_and_creates_nothing(database: Database, statement: str) -> None:
    """A request that could run any SQL as this role would still make no object and open no door."""
    with database.connect("runtime") as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def test_the_runtime_role_owns_no_object_at_all(server: Embedded, database: Database) -> None:
    """Neither in this ledger's schemas nor anywhere in the cluster."""
    query = "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = %s::regrole"
    assert database.schema
    with psycopg.connect(server.superuser_url()) as connection:
        assert connection.execute(query, ["hireledger_runtime"]).fetchone() == (0,)


def test_the_projector_reads_the_log_and_nothing_personal(database: Database) -> None:
    """It sees facts and tags, and neither keys, disclosures, aliases nor requests."""
    _fill(database)
    with database.connect("projector", autocommit=True) as connection:
        for table in ("facts", "fact_tags"):
            assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        for table in (*SIDE, "requests", "schema_migrations"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SELECT FROM {table}".encode())
        for statement in ("INSERT INTO fact_tags VALUES ('x', 'y', 1)", "DELETE FROM facts"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_the_projector_makes_and_swaps_tables_that_requests_read(database: Database) -> None:
    """Its own schema is all it owns; what it makes there the runtime role reads at once."""
    with database.connect("projector") as connection:
        connection.execute("CREATE TABLE loop_state_new AS SELECT 1 AS one")
        connection.execute("ALTER TABLE loop_state_new RENAME TO loop_state")
    with database.connect("runtime", autocommit=True) as connection:
        name = f"{database.views}.loop_state"
        assert connection.execute(f"SELECT one FROM {name}".encode()).fetchone() == (1,)
        for statement in (f"DELETE FROM {name}", f"CREATE TABLE {database.views}.mine (a int)"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    for place in (f"{database.schema}.mine", "public.mine"):
        with (
            database.connect("projector") as connection,
            pytest.raises(errors.InsufficientPrivilege),
        ):
            connection.execute(f"CREATE TABLE {place} (a int)".encode())


@pytest.mark.parametrize(
    "values",
    [
        "0, 'x', '{}', '', sha256(''), now()",
        "1, 'x', '{}', '', 'short', now()",
        "1, 'x', '{}', convert_to(repeat('a', 65536), 'UTF8'), sha256(''), now()",
        "1, 'x', '{}', NULL, sha256(''), now()",
    ],
    ids=["position 0", "a short hash", "a leaf over 65,535 bytes", "no leaf"],
)
def test_a_row_that_is_no_leaf_is_refused(database: Database, values: str) -> None:
    """The table itself holds the limits of the log."""
    with (
        database.connect("runtime") as connection,
        pytest.raises((errors.CheckViolation, errors.NotNullViolation)),
    ):
        connection.execute(f"INSERT INTO facts VALUES ({values})".encode())


def test_a_tag_needs_its_fact(database: Database) -> None:
    """A tag cannot point where nothing was recorded."""
    with database.connect("runtime") as connection, pytest.raises(errors.ForeignKeyViolation):
        connection.execute("INSERT INTO fact_tags VALUES ('loop:l_a', 'loop-opened.v1', 7)")
