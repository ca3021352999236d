"""Checkpoints of one log: those in the store, and the newest one as a file outside of it."""

import errno
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.durable import replace_durably
from ledger.errors import LedgerError
from ledger.personal.subject_keys import in_schema
from ledger.proof.checkpoint import Checkpoint, parse_checkpoint
from ledger.proof.note import NOTE_BYTES_MAX, NoteError, parse_note, parse_signatures
from ledger.proof.tiles import TILE_HEIGHT, Tile

PAGE_SIZES: Final = 50

_NEWEST: Final = """
select size, note, signed from {}.checkpoints
where origin = %s order by size desc, signed desc limit 1
"""
_ANY: Final = "select note from {}.checkpoints order by size desc, signed desc limit 1"
# Newest first; of each size the newest note, with every cosignature of that size.
_COSIGNED: Final = """
select size, note, signed, array(
    select line from {}.cosignatures
    where cosignatures.size = newest.size and cosignatures.origin = %(origin)s
    order by received, line
)
from (
    select distinct on (size) size, note, signed from {}.checkpoints
    where origin = %(origin)s and size < %(below)s and (not %(cosigned)s or exists (
        select from {}.cosignatures
        where cosignatures.size = checkpoints.size and cosignatures.origin = %(origin)s
    ))
    order by size desc, signed desc limit %(limit)s
) as newest order by size desc
"""
_ADD: Final = "insert into {}.checkpoints (size, signed, origin, note) values (%s, %s, %s, %s)"
_ADD_LINES: Final = """
insert into {}.cosignatures (size, origin, line, received)
select %s, %s, line, %s from unnest(%b::bytea[]) as line on conflict do nothing
"""
_ANY_LINE: Final = "select exists (select from {}.cosignatures where origin = %s)"
_BETWEEN: Final = """
select exists (
    select from {}.checkpoints where origin = %s and size >= %s and size <= %s
)
"""


class PublishedCheckpoint(NamedTuple):
    """A checkpoint that anyone may have."""

    size: int
    """How many facts it is over: positions 1 to `size`."""
    root: bytes
    note: bytes
    """The signed note: the log's signatures, then those of the witnesses."""
    signed: datetime

    @classmethod
    def of(cls, note: bytes, signed: datetime, lines: Sequence[bytes] = ()) -> Self:
        """From a note that the log signed, and lines of cosignatures."""
        said = checkpoint_in(note)
        return cls(said.size, said.root, b"".join((note, *lines)), signed)


def checkpoint_in(note: bytes) -> Checkpoint:
    """What a note says, whoever signed it; raises `NoteError` or `CheckpointError`."""
    return parse_checkpoint(parse_note(note).text)


def once_a_key(lines: Sequence[bytes]) -> list[bytes]:
    """The first line of each key: a witness that was asked again signed again, at another time."""
    found: dict[object, bytes] = {}
    for line in lines:
        try:
            ((name, key_id, _),) = parse_signatures(line.decode())
            found.setdefault((name, key_id), line)
        except (NoteError, ValueError):
            found.setdefault(line, line)  # kept, so that whoever reads the note says what is wrong
    return list(found.values())


class Checkpoints:
    """The tables `checkpoints` and `cosignatures`, for the log of one name."""

    __slots__ = ("_origin", "_text")

    def __init__(self, schema: str, origin: str) -> None:
        self._origin = origin
        self._text = {
            statement: in_schema(statement, schema)
            for statement in (_NEWEST, _ANY, _COSIGNED, _ADD, _ADD_LINES, _ANY_LINE, _BETWEEN)
        }

    def newest(self, cur: Cursor[TupleRow]) -> PublishedCheckpoint | None:
        """The one over the most facts, without cosignatures; whether published or only signed."""
        row = cur.execute(self._text[_NEWEST], (self._origin,), binary=True).fetchone()
        return None if row is None else PublishedCheckpoint.of(row[1], row[2])

    def newest_of_any_log(self, cur: Cursor[TupleRow]) -> bytes | None:
        """The note over the most facts, also where the log had another name then."""
        row = cur.execute(self._text[_ANY], binary=True).fetchone()
        return None if row is None else row[0]

    def newest_first(
        self, cur: Cursor[TupleRow], *, cosigned: bool
    ) -> Iterator[PublishedCheckpoint]:
        """From the newest size down, one a size, with what was cosigned; all, or only such."""
        below = 2**63 - 1
        while True:
            given = {
                "origin": self._origin,
                "below": below,
                "limit": PAGE_SIZES,
                "cosigned": cosigned,
            }
            rows = cur.execute(self._text[_COSIGNED], given, binary=True).fetchall()
            for size, note, signed, lines in rows:
                below = size
                yield PublishedCheckpoint.of(note, signed, once_a_key(lines))
            if len(rows) < PAGE_SIZES:
                return

    def add(self, cur: Cursor[TupleRow], size: int, note: bytes, signed: datetime) -> None:
        """Keep what was signed."""
        cur.execute(self._text[_ADD], (size, signed, self._origin, note))

    def add_cosignatures(
        self, cur: Cursor[TupleRow], size: int, lines: Sequence[bytes], received: datetime
    ) -> None:
        """Keep what witnesses signed of the checkpoint over `size` facts; known lines once."""
        cur.execute(self._text[_ADD_LINES], (size, self._origin, received, list(lines)))

    def has_cosignatures(self, cur: Cursor[TupleRow]) -> bool:
        """Whether any witness ever cosigned a checkpoint of this log."""
        row = cur.execute(self._text[_ANY_LINE], (self._origin,)).fetchone()
        return bool(row and row[0])

    def has_tile(self, cur: Cursor[TupleRow], tile: Tile) -> bool:
        """Whether the tree of a checkpoint has this tile: a partial one only as it was then."""
        shift = TILE_HEIGHT * tile.level
        hashes = (tile.index << TILE_HEIGHT) + tile.width
        least = hashes << shift
        full = tile.width == 1 << TILE_HEIGHT
        most = 2**63 - 1 if full else ((hashes + 1) << shift) - 1
        if least > 2**63 - 1:
            return False
        given = (self._origin, least, min(most, 2**63 - 1))
        row = cur.execute(self._text[_BETWEEN], given).fetchone()
        return bool(row and row[0])


class CopyNotWritten(LedgerError):
    """The checkpoint's copy outside the database cannot be written: nothing is signed."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"`checkpoint` in the data directory cannot be written ({error.strerror}), so nothing "
            "is published. Free space on its disk, or make the directory writable for the ledger's "
            "account; publishing then goes on by itself, and recording goes on meanwhile."
        )
        self.code = errno.errorcode.get(error.errno or 0, "OSError")


class OutsideCopy:
    """The newest checkpoint as a file beside the database, so that a restored backup is noticed."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """The note; None before the first. Raises `OSError`."""
        try:
            with self.path.open("rb") as file:
                return file.read(NOTE_BYTES_MAX + 1)
        except FileNotFoundError:
            return None

    def put_back(self, note: bytes) -> bool:
        """Where the file is gone, the note that the log was just held against; whether it was so.

        Where it cannot be written it stays away: the next signature needs it, and says why.
        """
        with suppress(OSError):
            if self.read() is None:
                self.write(note)
                return True
        return False

    def write(self, note: bytes) -> None:
        """The new note in place of the old, durably; the caller sees to it that it is newer."""
        replace_durably(self.path, note, mode=0o644)
