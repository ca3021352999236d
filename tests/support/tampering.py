"""Changes behind the ledger's back: one bit, one row or two, as a superuser makes them.

done = tamper(cursor, chance)     # triggers off, one change, triggers on again
done.named_by(report)             # whether fsck says where it was
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, cast

import psycopg
from psycopg import Cursor, sql
from psycopg.rows import TupleRow

from ledger.fsck.report import Problem, Report

TABLES: Final[dict[str, tuple[str, ...]]] = {
    "facts": ("position", "type", "tags", "leaf", "leaf_hash", "recorded"),
    "fact_tags": ("tag", "type", "position"),
    "tree_nodes": ("position", "hashes"),
    "tree_heads": ("size", "edge", "root"),
    "checkpoints": ("size", "origin", "note"),
    "cosignatures": ("size", "origin", "line"),
    "timestamps": ("size", "stamped", "note", "token"),
    "requests": ("key_hmac", "body_hmac", "cause", "positions"),
    "disclosures": ("digest", "position", "subject", "sealed"),
    "subject_keys": ("subject", "ring", "wrapped"),
    "aliases": ("lookup", "kind", "handle", "subject", "sealed"),
    "schema_migrations": ("version", "sha256"),
}
"""Every column but those that only inform: when a migration was applied, a checkpoint was signed,
a cosignature was received."""

REPEATED: Final = {"tree_heads", "checkpoints", "cosignatures", "timestamps"}
"""Tables of which an older row may be lost: nothing else says that it was there."""

_WEIGHTED: Final = [*TABLES, "facts", "facts", "fact_tags", "disclosures"]
GUARDED: Final = set(TABLES) - {"disclosures", "subject_keys", "aliases"}
_PLACES: Final = {"position", "size", "positions"}
_NAMES: Final = {"subject", "handle", "version"}


class Tampered(NamedTuple):
    """One change: what was done, to which rows, before and after."""

    what: str
    table: str
    rows: tuple[dict[str, Any], ...]

    def named_by(self, report: Report) -> bool:
        """Whether the report names a row that was changed, by its position or its key."""
        return any(self._names(problem) for problem in report.problems)

    def first_in(self, report: Report) -> bool:
        """Whether the first thing that the report tells is of a row that was changed."""
        return self._names(report.problems[0])

    def _names(self, problem: Problem) -> bool:
        for row in self.rows:
            for column, value in row.items():
                if column in _PLACES:
                    if any(_covers(problem, place) for place in _places_of(value)):
                        return True
                elif column in _NAMES and problem.row is not None and value in problem.row:
                    return True
        return False


def _places_of(value: Any) -> list[int | None]:
    return cast("list[int | None]", value) if isinstance(value, list) else [value]


def _covers(problem: Problem, place: int | None) -> bool:
    if problem.position is None or place is None:
        return False
    return problem.position <= place <= (problem.upto or problem.position)


def tamper(
    cur: Cursor[TupleRow],
    chance: random.Random,
    table: str | None = None,
    column: str | None = None,
) -> Tampered:
    """One change to any table or this one, or a bit of this column; commits nothing.

    Where a constraint refuses a change, another is made.
    """
    while True:
        chosen = table or chance.choice(_WEIGHTED)
        how = chance.choice([_flip, _flip, _flip, _delete, _copy, _swap])
        cur.execute("savepoint tampering")
        try:
            _guards(cur, chosen, on=False)
            if column is None:
                done = how(cur, chance, chosen)
            else:
                done = _flip(cur, chance, chosen, column)
            _guards(cur, chosen, on=True)
        except (psycopg.IntegrityError, psycopg.DataError):
            done = None
        if done is not None:
            cur.execute("release tampering")
            return done
        cur.execute("rollback to tampering")


def _guards(cur: Cursor[TupleRow], table: str, *, on: bool) -> None:
    """All triggers of a table, those behind its foreign keys too."""
    name = sql.Identifier(table)
    if not on:
        cur.execute(sql.SQL("alter table {} disable trigger all").format(name))
        return
    cur.execute(sql.SQL("alter table {} enable trigger all").format(name))
    if table in GUARDED:
        stay = sql.Identifier(f"{table}_stay")
        cur.execute(sql.SQL("alter table {} enable always trigger {}").format(name, stay))


# ---------------------------------------------------------------- what is done


def _flip(
    cur: Cursor[TupleRow], chance: random.Random, table: str, column: str | None = None
) -> Tampered | None:
    """One bit of one column of one row."""
    row = _pick(cur, chance, table)
    column = column or chance.choice(TABLES[table])
    if row is None or (after := _flipped(row[column], chance)) == row[column]:
        return None
    _set(cur, table, row, column, after)
    return Tampered(f"a bit of {table}.{column}", table, (row, {**row, column: after}))


def _delete(cur: Cursor[TupleRow], chance: random.Random, table: str) -> Tampered | None:
    """One row taken away."""
    row = _pick(cur, chance, table, newest=table in REPEATED)
    if row is None or (table in REPEATED and table != "tree_heads"):
        return None
    where = sql.SQL("delete from {} where ctid = %s").format(sql.Identifier(table))
    cur.execute(where, [row["ctid"]])
    return Tampered(f"a row of {table} removed", table, (row,))


def _copy(cur: Cursor[TupleRow], chance: random.Random, table: str) -> Tampered | None:
    """One row put in again, under another key."""
    row = _pick(cur, chance, table)
    column = _KEYS[table]
    if row is None:
        return None
    given = {name: row[name] for name in row if name != "ctid"}
    if table == "facts":
        cur.execute("select max(position) + 1 from facts")
        given["position"] = cur.fetchall()[0][0]
    else:
        given[column] = _flipped(row[column], chance)
    names = sql.SQL(", ").join(map(sql.Identifier, given))
    values = sql.SQL(", ").join(sql.Placeholder() * len(given))
    insert = sql.SQL("insert into {} ({}) values ({})")
    cur.execute(insert.format(sql.Identifier(table), names, values), list(given.values()))
    return Tampered(f"a row of {table} doubled", table, (given,))


def _swap(cur: Cursor[TupleRow], chance: random.Random, table: str) -> Tampered | None:
    """Two rows exchange what they have in one column."""
    one, other = _pick(cur, chance, table), _pick(cur, chance, table)
    column = chance.choice(TABLES[table])
    if one is None or other is None or one[column] == other[column]:
        return None
    if all(one[name] == other[name] for name in one if name not in {"ctid", column}):
        return None  # rows that differ in nothing else: exchanged, they are the same two rows
    moved = _set(cur, table, one, column, _elsewhere(one[column]))
    _set(cur, table, other, column, one[column])
    _set(cur, table, moved, column, other[column])
    changed = ({**one, column: other[column]}, {**other, column: one[column]})
    return Tampered(f"two rows of {table} swapped {column}", table, (one, other, *changed))


_KEYS: Final = {table: columns[0] for table, columns in TABLES.items()} | {"requests": "key_hmac"}


def _pick(
    cur: Cursor[TupleRow], chance: random.Random, table: str, *, newest: bool = False
) -> dict[str, Any] | None:
    """A row of the table, with the place where it lies."""
    order = sql.SQL("size desc") if newest else sql.SQL("ctid")
    cur.execute(
        sql.SQL("select ctid::text, * from {} order by {}").format(sql.Identifier(table), order)
    )
    rows = cur.fetchall()
    names = [column.name for column in cur.description or ()]
    if not rows:
        return None
    return dict(zip(names, rows[0] if newest else chance.choice(rows), strict=True))


def _set(
    cur: Cursor[TupleRow], table: str, row: dict[str, Any], column: str, value: object
) -> dict[str, Any]:
    """A column of the row that lies where this one lay; where it lies from now on."""
    update = sql.SQL("update {} set {} = %s where ctid = %s returning ctid::text").format(
        sql.Identifier(table), sql.Identifier(column)
    )
    cur.execute(update, [value, row["ctid"]])
    return {**row, "ctid": cur.fetchall()[0][0]}


def _elsewhere(value: Any) -> Any:
    """A value of the same type that no row has."""
    kinds: dict[type, Callable[[], Any]] = {
        int: lambda: 1 << 40,
        str: lambda: "elsewhere",
        bytes: lambda: b"\xee" * len(value),
        list: lambda: value[:1] * 7,
        datetime: lambda: value + timedelta(days=999),
    }
    return kinds[type(value)]()


def _flipped(value: Any, chance: random.Random) -> Any:
    """The value with one bit changed, if it can be one of its type then."""
    if isinstance(value, bytes):
        at = chance.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << chance.randrange(8)]) + value[at + 1 :]
    if isinstance(value, str):
        at = chance.randrange(len(value))
        changed = chr(ord(value[at]) ^ 1 << chance.randrange(7))
        return value[:at] + changed + value[at + 1 :]
    if isinstance(value, int):
        return value ^ 1 << chance.randrange(63)
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1 << chance.randrange(45))
    at = chance.randrange(len(value))
    return [*value[:at], _flipped(value[at], chance), *value[at + 1 :]]
