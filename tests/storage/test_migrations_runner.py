"""Migrations: each file once, in order, whole or not at all, and as it was released."""

import re
import secrets
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.errors import LedgerError
from ledger.migrate import MIGRATIONS, MigrationRefused, migrate, read_migrations

VERSIONS = [migration.version for migration in read_migrations()]
NAMES = {"runtime": "hireledger_runtime", "projector": "hireledger_projector"}

EMPTY = "-- migrate:up\n-- migrate:down\n"
COLUMNS = {
    "aliases": "lookup bytea, kind text, handle text, subject text, sealed bytea",
    "disclosures": "digest text, position bigint, subject text, sealed bytea",
    "fact_tags": "tag text, type text, position bigint",
    "facts": "position bigint, type text, tags text[], leaf bytea, leaf_hash bytea, "
    "recorded timestamp with time zone",
    "requests": "key_hmac bytea, body_hmac bytea, cause text, positions bigint[]",
    "schema_migrations": "version text, sha256 text, applied_at timestamp with time zone",
    "subject_keys": "subject text, ring text, wrapped bytea",
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A copy of the released files, to add to or spoil."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


def _add(files: Path, up: str) -> Path:
    path = files / f"{len(VERSIONS) + 1:04}_next.sql"
    path.write_text(f"-- migrate:up\n{up}\n-- migrate:down\n")
    return path


def _applied(database: Database) -> list[str]:
    with database.connect("owner") as connection:
        query = "SELECT version FROM schema_migrations ORDER BY version"
        return [str(version) for (version,) in connection.execute(query)]


def _migrate(database: Database, files: Path) -> list[str]:
    with database.connect("owner", autocommit=True) as connection:
        return migrate(connection, database.schema, names=NAMES, directory=files)


def test_a_fresh_schema_gets_every_migration_once(database: Database) -> None:
    """A second start finds nothing to do."""
    assert _applied(database) == VERSIONS
    assert _migrate(database, MIGRATIONS) == []
    database.prepare()
    assert _applied(database) == VERSIONS


def test_the_tables_are_those_that_the_code_expects(database: Database) -> None:
    """Names, order and types of all columns stand in one place besides the migration."""
    query = """
        SELECT relname, string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', '
                                   ORDER BY attnum)
          FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r' AND attnum > 0
         GROUP BY relname"""
    with database.connect("owner") as connection:
        found: dict[str, str] = dict(connection.execute(query, [database.schema]).fetchall())
        nullable = "SELECT count(*) FROM information_schema.columns WHERE table_schema = %s"
        row = connection.execute(f"{nullable} AND is_nullable = 'YES'".encode(), [database.schema])
        assert row.fetchone() == (0,)
    assert {name: columns for name, columns in found.items() if name in COLUMNS} == COLUMNS


def test_no_migration_names_a_schema_or_a_role() -> None:
    """One ledger is one schema, whatever it is called, so placeholders stand for all names."""
    for migration in read_migrations():
        code = re.sub(r"--.*|'(?:[^']|'')*'", "", migration.up)
        assert "hireledger" not in code
        assert set(re.findall(r'"(\$\w+)"', code)) <= {
            "$schema",
            "$views",
            "$runtime",
            "$projector",
        }
        assert "$" not in re.sub(r'"\$\w+"|\$\$', "", code)


def test_two_ledgers_in_one_database_know_nothing_of_each_other(server: Embedded) -> None:
    """A key spent in one is not spent in the other; a name with a quote in it is refused before."""
    schemas = [f"t_{secrets.token_hex(6)}" for _ in range(2)]
    spend = "INSERT INTO requests VALUES ('a', 'b', 'c', '{1}')"
    for schema in schemas:
        ledger = Database.embedded(server, schema)
        ledger.prepare()
        with ledger.connect("runtime") as connection:
            connection.execute(spend)
    for schema in schemas:
        with Database.embedded(server, schema).connect("runtime") as connection:
            assert connection.execute("SELECT count(*) FROM requests").fetchone() == (1,)


def test_processes_that_prepare_at_once_migrate_once(server: Embedded) -> None:
    """Each returns with the schema ready, whoever did it."""
    schema = f"t_{secrets.token_hex(6)}"
    barrier = threading.Barrier(6)

    def prepare(_number: int) -> None:
        ledger = Database.embedded(server, schema)
        barrier.wait()
        ledger.prepare()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(prepare, range(6)))
    assert _applied(Database.embedded(server, schema)) == VERSIONS


def test_a_new_file_is_applied_and_recorded_in_one_transaction(
    database: Database, files: Path
) -> None:
    """What fails half way leaves neither its tables nor its row, and runs when it is mended."""
    added = _add(files, "CREATE TABLE more (a int);\nSELECT 1/0;")
    with pytest.raises(
        MigrationRefused, match=r"_next\.sql failed and nothing of it was kept: divi"
    ):
        _migrate(database, files)
    assert _applied(database) == VERSIONS
    added.write_text(added.read_text().replace("SELECT 1/0;", ""))
    assert _migrate(database, files) == [added.name[:4]]
    with database.connect("owner") as connection:
        assert connection.execute("SELECT count(*) FROM more").fetchone() == (0,)


def test_a_connection_that_dies_in_a_migration_leaves_nothing(
    database: Database, files: Path
) -> None:
    """A crash between two statements of a file is as if it had not begun."""
    _add(files, "CREATE TABLE more (a int);\nSELECT pg_terminate_backend(pg_backend_pid());")
    with pytest.raises((MigrationRefused, psycopg.OperationalError)):
        _migrate(database, files)
    assert _applied(database) == VERSIONS
    with database.connect("owner") as connection:
        assert connection.execute("SELECT to_regclass('more')").fetchone() == (None,)


def test_a_database_of_a_newer_version_is_refused(database: Database, files: Path) -> None:
    """An older hireledger does not touch what it does not know, and says which one to run."""
    added = _add(files, "CREATE TABLE more (a int);")
    _migrate(database, files)
    with pytest.raises(
        MigrationRefused, match=rf"newer hireledger \({added.name[:4]}; this one knows"
    ):
        database.prepare()


def test_a_file_that_was_changed_after_it_was_applied_is_refused(
    database: Database, files: Path
) -> None:
    """Even a comment: what was released is what was run."""
    first = files / read_migrations(files)[0].name
    first.write_text(first.read_text() + "\n-- afterthought\n")
    with pytest.raises(MigrationRefused, match="Migration 0001 was changed after it was applied"):
        _migrate(database, files)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("0002 x.sql", EMPTY, "is no migration"),
        ("0099_gap.sql", EMPTY, "without gap or repetition"),
        ("0001_again.sql", EMPTY, "without gap or repetition"),
        ("0002_bare.sql", "SELECT 1;", "is no migration"),
        ("0002_alone.sql", EMPTY.replace("up", "up transaction:false"), "is no migration"),
    ],
    ids=["its name", "a gap", "a repetition", "no sections", "outside a transaction"],
)
def test_files_that_are_no_migrations_are_refused(
    files: Path, name: str, text: str, message: str
) -> None:
    """Nothing is run when one of the files is not as it must be."""
    for later in read_migrations(files)[1:]:
        (files / later.name).unlink()
    (files / name).write_text(text)
    with pytest.raises(MigrationRefused, match=message):
        read_migrations(files)


def test_a_directory_without_files_is_refused(tmp_path: Path, database: Database) -> None:
    """A package that lost its data files does not start."""
    with pytest.raises(MigrationRefused, match=r"found none\."):
        _migrate(database, tmp_path)


def test_a_table_in_use_is_not_waited_for_without_end(
    database: Database, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that cannot get its lock gives up, so that nobody queues behind it for long."""
    monkeypatch.setattr("ledger.migrate.LOCK_SECONDS_MAX", 1)
    _add(files, "ALTER TABLE aliases ADD COLUMN more int;")
    with database.connect("runtime") as reader:
        reader.execute("SELECT FROM aliases")
        with pytest.raises(MigrationRefused, match="lock timeout"):
            _migrate(database, files)
    assert _applied(database) == VERSIONS


@pytest.mark.parametrize("schema", ["", "Ledger", "a-b", 'a"b', "pg_ledger", "a" * 49, "1a"])
def test_a_schema_needs_a_plain_name(server: Embedded, schema: str) -> None:
    """Names that would need quoting, or room that PostgreSQL has not, are refused at once."""
    with pytest.raises(LedgerError, match="A schema's name has at most 48"):
        Database.embedded(server, schema)
