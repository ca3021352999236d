"""Looks for secrets in everything that a ledger leaves behind: rows, files, lines, spans, problems.

A secret may stand there as it is, escaped as JSON or in a URL, in hexadecimal, or in base64 at any
alignment. `grep` looks for all forms of all secrets in one pass.
"""

import base64
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import psycopg
from psycopg import sql

_TABLES = """SELECT table_schema, table_name, column_name, udt_name
    FROM information_schema.columns WHERE table_schema = ANY(%s)"""
_STATISTICS = "SELECT coalesce(string_agg(s::text, chr(10)), '') FROM pg_stats s"


def forms_of(secret: str) -> set[bytes]:
    """Every way in which a secret may be written down."""
    plain = secret.encode()
    texts = {
        secret,
        secret.lower(),
        secret.upper(),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        quote(secret, safe=""),
        quote_plus(secret),
        plain.hex(),
        plain.hex().upper(),
    }
    return {text.encode() for text in texts} | _base64_of(plain)


def _base64_of(plain: bytes) -> set[bytes]:
    """What of it looks the same whatever stands before and after it, at the three alignments."""
    found: set[bytes] = set()
    for offset in range(3):
        whole = (offset + len(plain)) // 3 * 3 - offset
        skipped = -offset % 3
        core = plain[skipped:whole]
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(core))
    return {one for one in found if len(one) >= 8}


def found_in(
    sources: Mapping[str, bytes | Path], secrets: Iterable[str], directory: Path
) -> set[tuple[str, str]]:
    """Which source holds which secret, in whatever form."""
    owner = {form: secret for secret in secrets for form in forms_of(secret)}
    patterns = directory / "patterns"
    patterns.write_bytes(b"\n".join(sorted(owner)) + b"\n")
    found: set[tuple[str, str]] = set()
    for name, source in sources.items():
        path = directory / "haystack"
        if isinstance(source, bytes):
            path.write_bytes(source)
        else:
            path = source
        argv = ["grep", "-a", "-r", "-o", "-h", "-F", "-f", str(patterns), str(path)]
        # Files of a running server come and go: those that are gone hold nothing any more.
        looked = subprocess.run(argv, env={"LC_ALL": "C"}, capture_output=True)
        found |= {(name, owner[form]) for form in set(looked.stdout.split(b"\n")) - {b""}}
    return found


def tables_of(url: str, schemas: list[str]) -> dict[str, bytes]:
    """Every table of these schemas: each column as text, and bytes as they are as well."""
    tables: dict[str, bytes] = {}
    with psycopg.connect(url) as connection:
        columns = connection.execute(_TABLES, [schemas]).fetchall()
        for schema, table, column, kind in columns:
            name = sql.Identifier(schema, table)
            cell = sql.Identifier(column)
            asked = sql.SQL("SELECT {}::text FROM {}").format(cell, name)
            values = [v.encode() for (v,) in connection.execute(asked) if v is not None]
            if kind == "bytea":
                raw = sql.SQL("SELECT {} FROM {}").format(cell, name)
                values += [bytes(v) for (v,) in connection.execute(raw) if v is not None]
            key = f"{schema}.{table}"
            tables[key] = tables.get(key, b"") + b"\n".join(values) + b"\n"
        statistics = connection.execute(_STATISTICS.encode()).fetchall()[0][0]
        tables["pg_stats"] = statistics.encode()
    return tables
