"""Looks for bytes in the files of an embedded cluster, as somebody who took its disk would."""

from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg

from ledger.embedded.server import Embedded

_FIRST: Final = 8
_PIECE: Final = 8
"""Of random bytes compression leaves at least eight together, beginning in any of eight places."""


def files_with(server: Embedded, secrets: dict[str, bytes]) -> set[tuple[str, str]]:
    """Which file holds which of the secrets, whole or in pieces; what is in memory is written."""
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute("checkpoint")
    cluster = server.home / "cluster"
    pieces = [
        (name, secret[at : at + _PIECE])
        for name, secret in secrets.items()
        for at in range(_FIRST, _FIRST + _PIECE)
    ]
    assert all(len(piece) == _PIECE for _, piece in pieces)
    found: set[tuple[str, str]] = set()
    for path in cluster.rglob("*"):
        held = _bytes_of(path)
        where = str(path.relative_to(cluster))
        if not where.startswith("pg_wal/"):
            found |= {(where, name) for name, piece in pieces if piece in held}
    return found


def _bytes_of(path: Path) -> bytes:
    """Nothing of a directory, or of a file of a running server that is gone meanwhile."""
    with suppress(FileNotFoundError, IsADirectoryError):
        return path.read_bytes()
    return b""
