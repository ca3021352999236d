"""Checkpoints: what a log says of itself, as the text of a signed note (c2sp.org/tlog-checkpoint).

Three lines: the log's name (origin), the number of its leaves, and the root over them in base64.
Further lines are extensions, which nobody can audit; the ledger writes none, and reads others'.
"""

import msgspec

from ledger.errors import LedgerError
from ledger.proof.wire import (
    WireError,
    base64_of,
    read_decimal,
    read_hash,
    read_lines,
    require_plain,
)


class CheckpointError(LedgerError):
    """A text is no checkpoint, or what is to be written as one cannot be."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The state of a log: `size` leaves (0 to 2^63-1), and `root`, 32 bytes, over them."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """The text that is signed; `CheckpointError` for a state that no checkpoint can say."""
    lines = (
        checkpoint.origin,
        str(checkpoint.size),
        base64_of(checkpoint.root),
        *checkpoint.extensions,
    )
    text = "".join(f"{line}\n" for line in lines)
    if parse_checkpoint(text) != checkpoint:
        raise CheckpointError("A line of a checkpoint has a line feed of its own.")
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """What a checkpoint says, from its text without signatures.

    The root of an empty log is not looked at here: a witness answers a wrong one differently from
    a text that is no checkpoint. Raises `CheckpointError`.
    """
    try:
        require_plain(text)
        lines = read_lines(text)
    except WireError as error:
        raise CheckpointError(f"The text of a checkpoint {error}.") from None
    if len(lines) < 3 or not all(lines):
        raise CheckpointError(
            "A checkpoint has at least three lines (origin, size and root), and none is empty."
        )
    origin, size, root, *extensions = lines
    return Checkpoint(origin, _size(size), _root(root), tuple(extensions))


def _size(text: str) -> int:
    try:
        return read_decimal(text)
    except WireError as error:
        raise CheckpointError(f"The size in line 2 of a checkpoint {error}.") from None


def _root(text: str) -> bytes:
    try:
        return read_hash(text)
    except WireError as error:
        raise CheckpointError(f"The root in line 3 of a checkpoint {error}.") from None
