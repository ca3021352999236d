"""Steps 1 to 3: a file of the right shape, whose facts the log holds at their places."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.counted import counted
from ledger.proof.checked import CLOCK_SECONDS_MAX, Checked
from ledger.proof.checkpoint import Checkpoint, CheckpointError, parse_checkpoint
from ledger.proof.dossier import DossierError, decode_dossier
from ledger.proof.note import NoteError, Signature, Verifier, open_note
from ledger.proof.proofs import ProofError, verify_inclusion
from ledger.proof.tree import leaf_hash
from ledger.proof.verdict import StepFailed
from ledger.proof.witness_policy import WitnessPolicy


def shape(checked: Checked) -> str:
    """Step 1. The file is a dossier: nothing missing, unknown, repeated, too large or unsorted."""
    try:
        checked.dossier = decode_dossier(checked.raw)
    except DossierError as error:
        raise StepFailed(str(error)) from None
    return f"{counted(len(checked.dossier.facts), 'fact')}, {len(checked.raw)} bytes"


def checkpoint(checked: Checked) -> str:
    """Step 2. The checkpoint is signed by the log whose key the verifier was given, and witnessed.

    The log's name is its key's: whoever has the key of one ledger cannot sign for another. Where
    a witness policy is given, its quorum must have cosigned.
    """
    note = checked.dossier.checkpoint.encode()
    read = read_checkpoint(note, checked.keys, checked.policy, checked.now)
    checked.checkpoint, checked.cosigned_at = read.checkpoint, read.cosigned_at
    return read.said


class Opened(NamedTuple):
    """A checkpoint that is signed by whom it must be, what to say of that, and witnessed when."""

    checkpoint: Checkpoint
    said: str
    cosigned_at: Mapping[str, int | None]
    """The policy's witnesses by name, each with the POSIX seconds that it states, if any."""


def read_checkpoint(
    raw: bytes, keys: Sequence[Verifier], policy: WitnessPolicy | None, now: datetime
) -> Opened:
    """What a note says, and by whom it is signed; `StepFailed` unless by those who must."""
    witnesses = [one.verifier for one in policy.witnesses] if policy else []
    known = {(key.name, key.key_id): key for key in (*witnesses, *keys)}
    latest = int(now.timestamp()) + CLOCK_SECONDS_MAX
    try:
        note, signatures = open_note(raw, known.values(), not_after=latest)
        found = parse_checkpoint(note.text)
    except (NoteError, CheckpointError) as error:
        raise StepFailed(str(error)) from None
    logs = {(key.name, key.key_id) for key in keys}
    if not any((one.name, one.key_id) in logs and one.name == found.origin for one in signatures):
        raise StepFailed(
            "The checkpoint is not signed by the log that it names with a key that was given: it "
            "is another ledger's, or the key is."
        )
    said = f"signed by {found.origin} over {counted(found.size, 'fact')}"
    cosigned_at = {
        one.name: one.verifier.signed_at(signature.signature)
        for one in (policy.witnesses if policy else ())
        for signature in signatures
        if (one.verifier.name, one.verifier.key_id) == (signature.name, signature.key_id)
    }
    return Opened(found, f"{said}; {_witnessed(policy, signatures)}", cosigned_at)


def _witnessed(policy: WitnessPolicy | None, signatures: tuple[Signature, ...]) -> str:
    if policy is None:
        return "witnesses not checked: no policy given"
    logs = {(log.verifier.name, log.verifier.key_id) for log in policy.logs}
    if logs and not logs & {(one.name, one.key_id) for one in signatures}:
        raise StepFailed("The witness policy is about other logs than the one that signed.")
    cosigned = policy.cosigners(signatures)
    if not policy.satisfied(cosigned):
        raise StepFailed(
            f"{counted(len(cosigned), 'witness', 'witnesses')} of the policy cosigned the "
            "checkpoint, which is not the quorum it asks for."
        )
    return f"{counted(len(cosigned), 'witness', 'witnesses')} cosigned, as the policy asks"


def inclusion(checked: Checked) -> str:
    """Step 3. Every fact stands in the log at its position, byte for byte."""
    root, size = checked.checkpoint.root, checked.checkpoint.size
    for one in checked.dossier.facts:
        digest = leaf_hash(one.leaf.encode())
        try:
            verify_inclusion(digest, one.position - 1, size, one.proof, root)
        except ProofError as error:
            raise StepFailed(f"The fact at {one.position}: {error}") from None
    if len(checked.dossier.facts) == 1:
        return "1 fact is in the log at its position"
    return f"{len(checked.dossier.facts)} facts are in the log at their positions"
