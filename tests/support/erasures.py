"""Erasures as tests ask for them, and what is left of somebody in the tables."""

from typing import Final

from domain import commands as c
from domain import facts as f
from hall import Hall
from ledger.database import Database

TABLES: Final = ("subject_keys", "disclosures", "aliases")
NOTHING: Final = dict.fromkeys(TABLES, 0)
_SUBJECTS: Final = " union all ".join(f"select '{name}', subject from {name}" for name in TABLES)
BASIS: Final = "Asked for it, Art. 17 (1) (b)"


def rows_of(database: Database, subject: str) -> dict[str, int]:
    """How many rows each table has of a person."""
    with database.connect("owner") as connection:
        rows = connection.execute(_SUBJECTS.encode()).fetchall()
    return {name: rows.count((name, subject)) for name in TABLES}


def erasing(candidate: str) -> c.EraseSubject:
    """The command that erases somebody."""
    return c.EraseSubject(candidate=candidate, legal_basis=BASIS)


def words_of(hall: Hall, opened: f.LoopOpened) -> list[object]:
    """Name and address of a loop's candidate as the vault has them."""
    digests = [one.sd for one in (opened.name, opened.email) if one]
    with hall.ledger.reading() as group:
        found = group.store.vault.open(group.cur, digests)
    return [found[digest] for digest in digests]
