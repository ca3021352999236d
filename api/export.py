"""The facts as a file: one line a fact, its exact stored text, and a manifest that binds them.

A line is `{"position":12,"leaf":"..."}`: whoever hashes the leaves in order, as RFC 6962 says, gets
the root in the manifest. Personal values are not in it: a leaf holds their salted digests.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from domain import commands as c
from domain.values import make_handle
from ledger.asked import Asked, as_system
from ledger.ledger import Ledger
from ledger.proof.tree import RightEdge, leaf_hash

_CALLER: Final = as_system("administrator")


class Query(Struct, frozen=True, kw_only=True):
    """Which facts were asked for; all of them, so far."""

    after: int = 0
    upto: int


class Manifest(Struct, frozen=True, kw_only=True):
    """What a file of facts holds, and by what it can be checked."""

    format: Literal["hireledger-facts-ndjson.v1"] = "hireledger-facts-ndjson.v1"
    ledger: Annotated[str, Meta(description="The ledger's schema.")]
    query: Query
    facts: int
    root: Annotated[str, Meta(description="base64 of the RFC 6962 root over the leaves.")]
    file_sha256: Annotated[str, Meta(description="Of the file's bytes, hex.")]
    code_version: str
    made_at: datetime


class _Line(Struct, frozen=True):
    position: int
    leaf: str


def export_facts(
    ledger: Ledger, path: Path, code_version: str, progress: Callable[[int, int], object]
) -> Manifest:
    """Write all facts up to now to `path`, and the manifest beside it (`path` + `.manifest.json`).

    Both appear whole or not at all. That the facts were read is recorded first, so the note itself
    comes after the last exported position. `progress` hears of facts written, and of how many.

    Raises:
        OSError: the file cannot be written.
        Unavailable: the store is away.
    """
    with ledger.reading() as group:
        upto = group.head
    note = c.NoteRecordViewed(what="export", first=min(1, upto) or None, last=upto or None)
    key = f"export-{make_handle('r', os.urandom(16))}"
    ledger.submit(Asked(note, _CALLER, key, b"")).result()
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            edge, digest = _write(ledger, upto, file, progress)
            file.flush()
            os.fsync(file.fileno())
        manifest = Manifest(
            ledger=ledger.database.schema,
            query=Query(upto=upto),
            facts=edge.size,
            root=base64.b64encode(edge.root()).decode(),
            file_sha256=digest,
            code_version=code_version,
            made_at=datetime.now(UTC),
        )
        encoded = msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"
        manifest_path(path).write_bytes(encoded)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return manifest


def manifest_path(path: Path) -> Path:
    """Where the manifest of a file goes."""
    return path.with_name(f"{path.name}.manifest.json")


def _write(
    ledger: Ledger, upto: int, file: IO[bytes], progress: Callable[[int, int], object]
) -> tuple[RightEdge, str]:
    edge, digest = RightEdge(), hashlib.sha256()
    with ledger.database.connect("runtime", autocommit=True) as connection:
        for rows in ledger.store.recorder.stream(connection, after=0, upto=upto):
            for row in rows:
                line = msgspec.json.encode(_Line(row.position, row.leaf.decode())) + b"\n"
                file.write(line)
                digest.update(line)
                edge.add(leaf_hash(row.leaf))
            progress(edge.size, upto)
    return edge, digest.hexdigest()
