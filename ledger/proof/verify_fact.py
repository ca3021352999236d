"""Checks one fact without us: that a log holds exactly these bytes, by a proof of its own.

A `tlog-proof` is the first three steps of a dossier's verification and none of the others: it shows
that a fact was recorded, and nothing about what else was.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from ledger.counted import counted
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.log_proof import FIRST_LINE, LogProof, LogProofError, parse_log_proof
from ledger.proof.note import Verifier
from ledger.proof.proofs import ProofError, verify_inclusion
from ledger.proof.steps_of_the_log import read_checkpoint
from ledger.proof.tree import leaf_hash
from ledger.proof.verdict import STEP_NAMES, LeftOut, StepFailed, Verdict, verdict_of
from ledger.proof.witness_policy import WitnessPolicy


def is_log_proof(raw: bytes) -> bool:
    """Whether a file begins as a `tlog-proof` does, and no dossier."""
    return raw.startswith(FIRST_LINE.encode())


def verify_fact(
    raw: bytes,
    leaf: bytes,
    vkeys: Sequence[str],
    policy: WitnessPolicy | None,
    *,
    now: datetime,
) -> Verdict:
    """The verdict on a proof that a log holds `leaf`; steps 4 to 10 do not apply.

    Arguments are those of `verify`, and `leaf` the fact's stored bytes. Raises `NoteError` where
    a verifier key is none, and nothing because of `raw` or `leaf`.
    """
    fact = _Fact(raw, leaf, [Verifier.from_vkey(text) for text in vkeys], policy, now)
    own = (fact.shape, fact.checkpoint, fact.inclusion)
    return verdict_of([*own, *[_not_about_one_fact] * (len(STEP_NAMES) - len(own))])


def _not_about_one_fact() -> NoReturn:
    raise LeftOut("not applicable", "a proof is about one fact alone")


class _Fact:
    """A proof on its way through the three steps."""

    def __init__(
        self,
        raw: bytes,
        leaf: bytes,
        keys: Sequence[Verifier],
        policy: WitnessPolicy | None,
        now: datetime,
    ) -> None:
        self._raw, self._leaf = raw, leaf
        self._keys, self._policy, self._now = keys, policy, now
        self._proof: LogProof
        self._checkpoint: Checkpoint

    def shape(self) -> str:
        """Step 1."""
        try:
            self._proof = parse_log_proof(self._raw)
        except LogProofError as error:
            raise StepFailed(str(error)) from None
        return f"a proof of {counted(len(self._proof.hashes), 'hash', 'hashes')}"

    def checkpoint(self) -> str:
        """Step 2."""
        read = read_checkpoint(self._proof.checkpoint, self._keys, self._policy, self._now)
        self._checkpoint = read.checkpoint
        return read.said

    def inclusion(self) -> str:
        """Step 3."""
        proof, checkpoint = self._proof, self._checkpoint
        try:
            verify_inclusion(
                leaf_hash(self._leaf), proof.index, checkpoint.size, proof.hashes, checkpoint.root
            )
        except ProofError as error:
            raise StepFailed(str(error)) from None
        return f"the fact is in the log at position {proof.index + 1}"
