"""What was checked, how it came out, and how a reader checks it again without us."""

import hashlib
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from ledger.proof.checkpoint import parse_checkpoint
from ledger.proof.note import parse_note
from ledger.proof.verdict import STEP_NAMES, Verdict
from ledger.proof.wire import base64_of

# What each step means for someone who knows no software, by its name.
MEANING: Final[Mapping[str, str]] = {
    "shape and limits": "The file is whole and well formed.",
    "checkpoint": "The state of the company's log was signed with the key that the checker was"
    " given, not with one from the file.",
    "inclusion": "Every fact shown here stands in that signed log, word for word, at its number.",
    "decision": "The decision, or the rejection at a stage, stands where the file says, and"
    " belongs to this loop.",
    "basis": "Nothing that the decision rested on was left out, and nothing was slipped in later.",
    "order": "What the decision cites was recorded before it.",
    "disclosures": "Every name and text shown is the one that was recorded.",
    "pinned versions": "The scorecard, posting, prompts and rules that the loop was bound to are"
    " here.",
    "replay": "The rules were run again on the recorded facts; every verdict came out the same, but"
    " for those that are marked as only recorded.",
    "timestamps": "An outside clock confirms when the log's state already existed.",
}


class StepShown(Struct, frozen=True, kw_only=True):
    """One of the ten steps."""

    number: int
    name: str
    meaning: str
    outcome: str
    reason: str


class Checks(Struct, frozen=True, kw_only=True):
    """The verdict over the file that the page was made from."""

    holds: bool
    headline: str
    failed: StepShown | None
    steps: tuple[StepShown, ...]
    file_bytes: int
    file_sha256: str


class Signed(Struct, frozen=True, kw_only=True):
    """The signed state of the log, to be compared with what the company publishes."""

    origin: str
    size: int
    root: str
    signers: tuple[tuple[str, str], ...]
    note: str


def checks_of(raw: bytes, verdict: Verdict) -> Checks:
    """How the file came through the ten steps."""
    steps = tuple(
        StepShown(
            number=step.number,
            name=step.name,
            meaning=MEANING[step.name],
            outcome=step.outcome,
            reason=step.reason,
        )
        for step in verdict.steps
    )
    failed = next((step for step in steps if step.outcome == "failed"), None)
    passed = sum(step.outcome == "passed" for step in steps)
    return Checks(
        holds=verdict.accepted,
        headline=f"This file was checked: {passed} of {len(STEP_NAMES)} steps passed, none failed."
        if failed is None
        else f"This file does not verify: step {failed.number} of {len(STEP_NAMES)}"
        f" ({failed.name}) failed.",
        failed=failed,
        steps=steps,
        file_bytes=len(raw),
        file_sha256=hashlib.sha256(raw).hexdigest(),
    )


def signed_of(note: str) -> Signed:
    """The checkpoint of a dossier that verified."""
    parsed = parse_note(note.encode())
    checkpoint = parse_checkpoint(parsed.text)
    return Signed(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=base64_of(checkpoint.root),
        signers=tuple((one.name, one.key_id.hex()) for one in parsed.signatures),
        note=note,
    )
