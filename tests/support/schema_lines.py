"""How the schema of a fresh ledger is, which `hireledger fsck` compares with.

To renew the file after a new migration:
.venv/bin/python tests/support/schema_lines.py > ledger/migrations/schema.txt
"""

import tempfile
from pathlib import Path

from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.fsck.check import snapshot
from ledger.fsck.pages import Rows
from ledger.fsck.schema import schema_lines


def lines_of(database: Database) -> list[str]:
    """A line for each thing that counts, sorted."""
    with snapshot(database) as connection:
        return schema_lines(Rows(connection, database.schema), database)


def _print_fresh() -> None:
    with (
        tempfile.TemporaryDirectory() as made,
        Embedded.start(Path(made) / "data", settings={"fsync": "off"}, watch=False) as server,
    ):
        database = Database.embedded(server)
        database.prepare()
        print("\n".join(lines_of(database)))


if __name__ == "__main__":
    _print_fresh()
