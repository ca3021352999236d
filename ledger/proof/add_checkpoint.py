"""A witness's call `add-checkpoint`: the request, and what to answer (c2sp.org/tlog-witness).

A log sends its new checkpoint with the proof that it continues the one cosigned before. Nothing
here reads or writes. Whoever runs a witness holds a lock while it reads what was cosigned last,
decides, cosigns (which may fail) and stores the new state, and answers only when that is kept.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from ledger.errors import LedgerError
from ledger.proof.checkpoint import Checkpoint, CheckpointError, parse_checkpoint
from ledger.proof.key_kinds import Kind
from ledger.proof.note import (
    NOTE_BYTES_MAX,
    NoteError,
    Signer,
    Verifier,
    format_signature,
    open_note,
    parse_note,
)
from ledger.proof.proofs import ProofError, verify_consistency
from ledger.proof.tree import EMPTY_ROOT
from ledger.proof.wire import (
    WireError,
    base64_of,
    read_decimal,
    read_hash,
    read_lines,
    read_text,
)

PROOF_LINES_MAX: Final = 63
REQUEST_BYTES_MAX: Final = NOTE_BYTES_MAX + 4_096
TEXT_TYPE: Final = "text/plain; charset=utf-8"
SIZE_TYPE: Final = "text/x.tlog.size"
Status = Literal[200, 400, 403, 404, 409, 422]


class AddCheckpointError(LedgerError):
    """A body is no request, or no answer to one; a witness answers 400."""


class Request(NamedTuple):
    """A request: the size that the witness should have cosigned last, the proof, the new note."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes
    text: str
    checkpoint: Checkpoint


class Cosigned(NamedTuple):
    """What a witness cosigned last for an origin."""

    size: int
    root: bytes


class Answer(NamedTuple):
    """Status and body; with 200, what to store before the lines of `cosign` are sent as body."""

    status: Status
    body: bytes = b""
    content_type: str = TEXT_TYPE
    store: Cosigned | None = None


def format_request(old: int, proof: Sequence[bytes], note: bytes) -> bytes:
    """The body of a request: `old` is the size that the proof begins at, `note` a checkpoint."""
    lines = (f"old {old}", *map(base64_of, proof), "")
    raw = "".join(f"{line}\n" for line in lines).encode() + note
    parse_request(raw)
    return raw


def parse_request(raw: bytes) -> Request:
    """The request in a body; `AddCheckpointError` when it is malformed. Nothing is verified."""
    try:
        head, empty_line, rest = read_text(raw, REQUEST_BYTES_MAX).partition("\n\n")
        first, *lines = read_lines(f"{head}\n")
        if not (empty_line and first.startswith("old ")):
            raise AddCheckpointError(
                "A request is a line `old <size>`, the proof, an empty line, and a checkpoint."
            )
        if len(lines) > PROOF_LINES_MAX:
            raise AddCheckpointError(f"A proof has {PROOF_LINES_MAX} hashes at most.")
        old = read_decimal(first.removeprefix("old "))
        proof = tuple(map(read_hash, lines))
        note = rest.encode()
        text = parse_note(note).text
        return Request(old, proof, note, text, parse_checkpoint(text))
    except WireError as error:
        raise AddCheckpointError(f"A request, or a line of it, {error}.") from None
    except (NoteError, CheckpointError) as error:
        raise AddCheckpointError(f"The checkpoint of a request is none. {error}") from None


def decide(
    request: Request, logs: Mapping[str, Collection[Verifier]], last: Cosigned | None
) -> Answer:
    """What a witness answers: exactly one of 200, 400, 403, 404, 409 and 422.

    `logs` are the keys of each trusted origin; `last` is what was cosigned last for the request's
    origin, None when nothing was.
    """
    new = request.checkpoint
    # 1. The log is known.
    if new.origin not in logs:
        return _refusal(404, "This witness does not know the checkpoint's origin.")
    # 2. It said this itself.
    try:
        open_note(request.note, logs[new.origin])
    except NoteError as error:
        return _refusal(403, str(error))
    # 3. The request is about going forward, from where this witness stands.
    if request.old > new.size:
        return _refusal(400, "The old size is larger than the checkpoint's.")
    at = last or Cosigned(0, EMPTY_ROOT)
    if request.old != at.size:
        return Answer(409, f"{at.size}\n".encode(), SIZE_TYPE)
    # 4. Nothing that was cosigned is gone or changed.
    try:
        verify_consistency(at.size, new.size, request.proof, at.root, new.root)
    except ProofError as error:
        return _refusal(422, str(error))
    return Answer(200, store=Cosigned(new.size, new.root))


def cosign(text: str, signers: Iterable[Signer], timestamp: int) -> bytes:
    """The body of a 200: the checkpoint's text, cosigned with each key at POSIX `timestamp`.

    Lines beyond the root are signed with Ed25519 alone, so ML-DSA-44 keys sign no checkpoint that
    has some. Not to be sent before what the decision told to store is stored, and cannot be lost
    again. Raises `AddCheckpointError` where none of the keys can sign this checkpoint, `NoteError`
    where one is no witness's.
    """
    extended = bool(parse_checkpoint(text).extensions)
    able = [one for one in signers if not (extended and one.kind is Kind.MLDSA44_COSIGNATURE)]
    if not able:
        raise AddCheckpointError(
            "None of the keys signs this checkpoint: ML-DSA-44 does not sign extension lines."
        )
    return "".join(format_signature(one.signature(text, timestamp)) for one in able).encode()


def parse_conflict(body: bytes) -> int:
    """The size in the body of a 409: what the witness cosigned last."""
    try:
        (line,) = read_lines(read_text(body, 32))
        return read_decimal(line)
    except ValueError:
        raise AddCheckpointError("The body of a 409 is not a size and a line feed.") from None


def _refusal(status: Status, why: str) -> Answer:
    return Answer(status, f"{why}\n".encode())
