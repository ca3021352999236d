"""Log proofs: that one leaf is in a log, as a text to keep beside it (c2sp.org/tlog-proof).

The index, the hashes from the leaf's sibling up to the root's child, and the signed checkpoint they
lead to. Reading one checks how it is written. What it shows is then checked in this order: the
signature of a log that is trusted, the witnesses' quorum, and the inclusion of the leaf.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from ledger.errors import LedgerError
from ledger.proof.note import NOTE_BYTES_MAX, NoteError, parse_note
from ledger.proof.wire import (
    WireError,
    base64_of,
    read_base64,
    read_decimal,
    read_hash,
    read_lines,
    read_text,
)

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
HASHES_MAX: Final = 63
LOG_PROOF_BYTES_MAX: Final = 2 * NOTE_BYTES_MAX
_EXTRA: Final = "extra "
_INDEX: Final = "index "


class LogProofError(LedgerError):
    """A text is no log proof, or what is to be written as one cannot be."""


class LogProof(msgspec.Struct, frozen=True):
    """What a proof says: `index` counts from 0; `extra` is authenticated by nothing."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None


def format_log_proof(
    index: int, hashes: Sequence[bytes], checkpoint_note: bytes, extra: bytes | None = None
) -> bytes:
    """The proof's bytes: leaf `index` (from 0), `hashes` of 32 bytes, a signed checkpoint."""
    lines = [FIRST_LINE]
    if extra is not None:
        lines.append(f"{_EXTRA}{base64_of(extra)}")
    lines.append(f"{_INDEX}{index}")
    lines.extend(map(base64_of, hashes))
    raw = "".join(f"{line}\n" for line in (*lines, "")).encode() + checkpoint_note
    parse_log_proof(raw)  # nothing is handed out that no reader would accept
    return raw


def parse_log_proof(raw: bytes) -> LogProof:
    """What a proof says; `LogProofError` when it is not written as one. Nothing is verified."""
    try:
        head, empty_line, rest = read_text(raw, LOG_PROOF_BYTES_MAX).partition("\n\n")
        checkpoint = rest.encode()
        if not empty_line:
            raise LogProofError("A log proof has no empty line before its checkpoint.")
        parse_note(checkpoint)
        index, hashes, extra = _read_head(read_lines(f"{head}\n"))
    except WireError as error:
        raise LogProofError(f"A log proof, or a line of it, {error}.") from None
    except NoteError as error:
        raise LogProofError(f"The checkpoint of a log proof is no note. {error}") from None
    return LogProof(index, hashes, checkpoint, extra)


def _read_head(lines: list[str]) -> tuple[int, tuple[bytes, ...], bytes | None]:
    first, *lines = lines
    if first != FIRST_LINE:
        raise LogProofError(f"A log proof begins with the line {FIRST_LINE}.")
    extra = None
    if lines and lines[0].startswith(_EXTRA):
        extra = read_base64(lines.pop(0).removeprefix(_EXTRA))
    if not lines or not lines[0].startswith(_INDEX):
        raise LogProofError("A log proof has the line `index <number>` before its hashes.")
    index, *hashes = lines
    if len(hashes) > HASHES_MAX:
        raise LogProofError(f"A log proof has {len(hashes)} hashes, more than any tree needs.")
    return read_decimal(index.removeprefix(_INDEX)), tuple(map(read_hash, hashes)), extra
