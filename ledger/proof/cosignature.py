"""Cosignatures: what a witness signs about a checkpoint, and when (c2sp.org/tlog-cosignature).

An Ed25519 witness signs the checkpoint's text under a line with the time. ML-DSA-44 signs the
witness's name, the time, and the checkpoint's first three lines in a binary form. Extension lines
are not in there, so that nobody could tell who added them: a checkpoint with such lines is never
signed, or taken for signed, with ML-DSA-44. In a note, the time stands before the signature, as 8
bytes.
"""

from typing import Final, NamedTuple

from ledger.errors import LedgerError
from ledger.proof.checkpoint import Checkpoint, CheckpointError, parse_checkpoint
from ledger.proof.tree import EMPTY_ROOT

TIMESTAMP_MAX: Final = 2**63 - 1
TIMESTAMP_BYTES: Final = 8
NAME_BYTES_MAX: Final = 255
_SUBTREE: Final = b"subtree/v1\n\0"


class CosignatureError(LedgerError):
    """What was to be cosigned is no checkpoint, or a cosignature is not built like one."""


class Cosignature(NamedTuple):
    """A cosignature taken apart: POSIX seconds (0: the witness states no time), and the rest."""

    timestamp: int
    signature: bytes


def join_cosignature(cosignature: Cosignature) -> bytes:
    """The bytes that stand behind the key id in a note's line."""
    _require_timestamp(cosignature.timestamp)
    return cosignature.timestamp.to_bytes(TIMESTAMP_BYTES) + cosignature.signature


def split_cosignature(raw: bytes) -> Cosignature:
    """The reverse of `join_cosignature`; `CosignatureError` for a time that cannot be."""
    if len(raw) <= TIMESTAMP_BYTES:
        raise CosignatureError("A cosignature is shorter than its time stamp of 8 bytes.")
    timestamp = int.from_bytes(raw[:TIMESTAMP_BYTES])
    _require_timestamp(timestamp)
    return Cosignature(timestamp, raw[TIMESTAMP_BYTES:])


def ed25519_message(text: str, timestamp: int) -> bytes:
    """What an Ed25519 witness signs about a checkpoint's text, at POSIX seconds `timestamp`."""
    _require_timestamp(timestamp)
    _checkpoint(text)
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def mldsa44_message(name: str, text: str, timestamp: int) -> bytes:
    """What the cosigner called `name` signs with ML-DSA-44: the tree from leaf 0 to the size."""
    _require_timestamp(timestamp)
    checkpoint = _checkpoint(text)
    if checkpoint.extensions:
        raise CosignatureError("A checkpoint has extension lines, which ML-DSA-44 does not sign.")
    return b"".join(
        (
            _SUBTREE,
            _counted(name),
            timestamp.to_bytes(8),
            _counted(checkpoint.origin),
            (0).to_bytes(8),
            checkpoint.size.to_bytes(8),
            checkpoint.root,
        )
    )


def _checkpoint(text: str) -> Checkpoint:
    try:
        checkpoint = parse_checkpoint(text)
    except CheckpointError as error:
        raise CosignatureError(f"Only checkpoints are cosigned. {error}") from None
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise CosignatureError("A checkpoint over no leaves has another root than that of nothing.")
    return checkpoint


def _counted(name: str) -> bytes:
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise CosignatureError("A name has half a character, which UTF-8 lacks.") from None
    if not 1 <= len(raw) <= NAME_BYTES_MAX:
        raise CosignatureError(
            f"Cosigners and origins have names of 1 to {NAME_BYTES_MAX} bytes, not {len(raw)}."
        )
    return len(raw).to_bytes(1) + raw


def _require_timestamp(timestamp: int) -> None:
    if not 0 <= timestamp <= TIMESTAMP_MAX:
        raise CosignatureError("The time of a cosignature is not from 0 to 2^63-1 seconds.")
