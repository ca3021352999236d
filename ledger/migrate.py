"""Migrations: numbered files of plain SQL in dbmate's format, applied once each, in order.

A file is applied in one transaction that also records it, so a crash leaves it applied or not.
The same transaction holds an advisory lock of the schema, so that of two processes that start at
once one applies and the other finds it applied. Files only go forward.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ledger.errors import LedgerError

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK_SECONDS_MAX = 30
"""How long a migration waits for a table that is in use before it gives up."""

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_SECTIONS = re.compile(r"^-- migrate:up *\n(.*)^-- migrate:down *\n", re.MULTILINE | re.DOTALL)


class MigrationRefused(LedgerError):
    """The files and the database do not fit together, or a file failed; nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number as text ("0001"), its name, the SQL of its `up` section, its SHA-256."""

    version: str
    name: str
    up: str
    sha256: str


def migrate(
    connection: psycopg.Connection[Any],
    schema: str,
    *,
    names: Mapping[str, str] | None = None,
    directory: Path = MIGRATIONS,
) -> list[str]:
    """Bring a ledger's schema up to date; the versions applied by this call, in order.

    Args:
        connection: the owner's, in no transaction.
        schema: the ledger's; it, its schema of read models and its roles exist already.
        names: what to put for the placeholders `views`, `runtime` and `projector`; default the
            schema's name with that suffix.
        directory: of the files.

    Raises:
        MigrationRefused: see there.
    """
    migrations = read_migrations(directory)
    suffixed = {name: f"{schema}_{name}" for name in ("views", "runtime", "projector")}
    actual = suffixed | dict(names or {}) | {"schema": schema}
    return [
        migration.version
        for migration in migrations
        if _apply(connection, migration, migrations, actual)
    ]


def read_migrations(directory: Path = MIGRATIONS) -> list[Migration]:
    """The files of a directory in order.

    Raises:
        MigrationRefused: a name, a section or the numbering is not as it must be.
    """
    migrations = [_read(path) for path in sorted(directory.glob("*.sql"))]
    numbers = [int(migration.version) for migration in migrations]
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        raise MigrationRefused(
            f"The migrations must be numbered 0001, 0002 and so on without gap or repetition; "
            f"found {', '.join(migration.name for migration in migrations) or 'none'}."
        )
    return migrations


def _read(path: Path) -> Migration:
    raw = path.read_bytes()
    named = _NAME.fullmatch(path.name)
    sections = _SECTIONS.search(raw.decode())
    if named is None or sections is None:
        raise MigrationRefused(
            f"{path.name} is no migration: it needs a name such as 0002_heads.sql and the lines "
            "`-- migrate:up` and `-- migrate:down`, bare."
        )
    return Migration(named[1], path.name, sections[1], sha256(raw).hexdigest())


def _apply(
    connection: psycopg.Connection[Any],
    migration: Migration,
    known: Iterable[Migration],
    names: Mapping[str, str],
) -> bool:
    """Apply one file unless it was; False where it was."""
    schema = names["schema"]
    with connection.transaction():
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('hireledger:migrate:' || %s, 0))",
            [schema],
        )
        # Nobody else migrates this schema until we commit; what we read now stays true.
        applied = _applied(connection, schema)
        _refuse_unknown(applied, known)
        if migration.version in applied:
            return False
        path = sql.SQL("{}, pg_temp").format(sql.Identifier(schema))
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(path))
        connection.execute(
            sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(f"{LOCK_SECONDS_MAX}s"))
        )
        try:
            connection.execute(_with_names(connection, migration.up, names))
        except psycopg.Error as error:
            raise MigrationRefused(
                f"{migration.name} failed and nothing of it was kept: {error.diag.message_primary}."
            ) from error
        connection.execute(
            sql.SQL("INSERT INTO {}.schema_migrations (version, sha256) VALUES (%s, %s)").format(
                sql.Identifier(schema)
            ),
            [migration.version, migration.sha256],
        )
    # Committed: the file's changes and its row are there together, or neither is.
    return True


def _applied(connection: psycopg.Connection[Any], schema: str) -> dict[str, str]:
    """Version to SHA-256 of what was applied; nothing where the schema is new."""
    table = sql.Identifier(schema, "schema_migrations")
    there = connection.execute("SELECT to_regclass(%s)", [table.as_string()]).fetchone()
    if there is None or there[0] is None:
        return {}
    return dict(connection.execute(sql.SQL("SELECT version, sha256 FROM {}").format(table)))


def _refuse_unknown(applied: Mapping[str, str], known: Iterable[Migration]) -> None:
    hashes = {migration.version: migration.sha256 for migration in known}
    unknown = sorted(set(applied) - set(hashes))
    if unknown:
        raise MigrationRefused(
            f"The database was migrated by a newer hireledger ({', '.join(unknown)}; this one "
            f"knows up to {max(hashes, default='none')}). Run that version or a newer one."
        )
    changed = sorted(version for version in applied if applied[version] != hashes[version])
    if changed:
        raise MigrationRefused(
            f"Migration {', '.join(changed)} was changed after it was applied. Put the file back "
            "as it was released, and make the change in a new one."
        )


def _with_names(connection: psycopg.Connection[Any], text: str, names: Mapping[str, str]) -> bytes:
    for placeholder, name in names.items():
        text = text.replace(f'"${placeholder}"', sql.Identifier(name).as_string(connection))
    return text.encode()
