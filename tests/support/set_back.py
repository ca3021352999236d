"""A store that lost what it had: as by an old backup, or a replica promoted too early."""

import psycopg

from ledger.embedded.server import Embedded

_GUARDED = ("facts", "fact_tags", "requests", "tree_nodes", "tree_heads", "checkpoints")
_BY = {"requests": "positions[1]", "tree_heads": "size", "checkpoints": "size"}


def run_as_superuser(server: Embedded, schema: str, *statements: str) -> None:
    """Statements in the ledger's schema, past every guard; the guards stand again afterwards."""
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"SET search_path = {schema}".encode())
        for table in _GUARDED:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
        for statement in statements:
            connection.execute(statement.encode())
        for table in _GUARDED:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL".encode())
            connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_stay".encode())


def set_back(server: Embedded, schema: str, kept: int) -> None:
    """The store as it was when it had so many facts, as an older dump restores it."""
    tables = ("tree_nodes", "tree_heads", "checkpoints", "requests", "fact_tags", "facts")
    run_as_superuser(
        server,
        schema,
        *(f"DELETE FROM {one} WHERE {_BY.get(one, 'position')} > {kept}" for one in tables),
    )
