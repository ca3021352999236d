"""Dossiers built from a told log by other code than the product's: its own tree, note and file.

raw = valid_dossier()                       # the file's bytes; `VKEY` verifies it at `NOW`
file = dossier_of(decided_log())            # the same as a dict, to be spoilt
raw = as_file(file)
"""

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain import facts as f
from domain.findings import Basis
from merkle import inclusion_of, leaf_hash, root_of
from policies import Catalogue
from told_log import (
    Entry,
    ToldLog,
    decided_log,
    decision_of,
    installed,
    is_decision,
    rejected_log,
    small_log,
)

NOW: Final = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
"""When the told dossiers are verified: after everything in them was recorded."""

Dossier = dict[str, Any]
RestsOnABasis = f.DecisionMade | f.EvidenceGatePassed | f.StageDecided


class LogKey:
    """A log's Ed25519 key, as the signed-note specification has it."""

    def __init__(self, name: str, seed: bytes) -> None:
        self.name = name
        self.key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed).digest())
        public = b"\x01" + self.key.public_key().public_bytes_raw()
        self.key_id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{name}+{self.key_id.hex()}+{base64.b64encode(public).decode()}"

    def line(self, text: str) -> str:
        """The signature line over a note's text."""
        signature = self.key_id + self.key.sign(text.encode())
        return f"— {self.name} {base64.b64encode(signature).decode()}\n"

    def note(self, text: str) -> str:
        """A note with this key's signature alone."""
        return f"{text}\n{self.line(text)}"

    def cosignature_line(self, text: str, seconds: int) -> str:
        """A cosignature/v1 line over a checkpoint's text, made at a POSIX time."""
        public = b"\x04" + self.key.public_key().public_bytes_raw()
        key_id = hashlib.sha256(self.name.encode() + b"\n" + public).digest()[:4]
        signed = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        blob = key_id + seconds.to_bytes(8, "big") + self.key.sign(signed)
        return f"— {self.name} {base64.b64encode(blob).decode()}\n"

    @property
    def cosigner_vkey(self) -> str:
        """The verifier key of this key as a witness (type 0x04)."""
        public = b"\x04" + self.key.public_key().public_bytes_raw()
        key_id = hashlib.sha256(self.name.encode() + b"\n" + public).digest()[:4]
        return f"{self.name}+{key_id.hex()}+{base64.b64encode(public).decode()}"


KEY: Final = LogKey("ledger.example/log", b"the ledger")
OTHER_KEY: Final = LogKey("ledger.example/log", b"another ledger of the same name")
WITNESS: Final = LogKey("witness.example", b"a witness")
VKEY: Final = KEY.vkey


def checkpoint_of(log: ToldLog, origin: str = KEY.name, size: int | None = None) -> str:
    """The checkpoint's text over the first `size` facts, all unless told otherwise."""
    leaves = [leaf_hash(one.leaf) for one in log.entries[:size]]
    return f"{origin}\n{len(leaves)}\n{base64.b64encode(root_of(leaves)).decode()}\n"


def chosen(log: ToldLog, decision: Entry) -> list[Entry]:
    """The decision and the union of all bases it rests on."""
    bases = [_basis(decision)]
    picked = {decision.position: decision}
    while bases:
        basis = bases.pop()
        for one in log.entries[: basis.upto]:
            if one.matches(basis.items) and one.position not in picked:
                picked[one.position] = one
                if isinstance(one.fact, RestsOnABasis):
                    bases.append(_basis(one))
    return [picked[position] for position in sorted(picked)]


def given_facts(
    log: ToldLog, entries: Iterable[Entry], size: int | None = None
) -> list[dict[str, Any]]:
    """The entries as a dossier gives them, proven in the tree over the first `size` facts."""
    hashes = [leaf_hash(one.leaf) for one in log.entries[:size]]
    return [
        {
            "position": one.position,
            "leaf": one.leaf.decode(),
            "proof": [
                base64.b64encode(each).decode() for each in inclusion_of(hashes, one.position - 1)
            ],
        }
        for one in entries
    ]


def policies_of(entries: Sequence[Entry], rules: Catalogue) -> list[dict[str, Any]]:
    """The rules that the receipts of gates, stages and decisions name."""
    judged = [one.fact.judged for one in entries if isinstance(one.fact, RestsOnABasis)]
    named = sorted({(r.policy, r.version) for each in judged for r in each.receipts})
    return [
        {
            "id": id_,
            "version": version,
            "source_digest": rules.digests[(id_, version)],
            "title": rules.rules[(id_, version)].title,
            "rationale": rules.rules[(id_, version)].rationale,
        }
        for id_, version in named
        if (id_, version) in rules.rules
    ]


def dossier_of(
    log: ToldLog,
    *,
    key: LogKey = KEY,
    decision: Entry | None = None,
    entries: Sequence[Entry] | None = None,
    disclose: Callable[[str], bool] = lambda _: True,
) -> Dossier:
    """A dossier of the log's decision; `disclose` says for each pointer whether it is disclosed."""
    made = decision or decision_of(log)
    entries = chosen(log, made) if entries is None else entries
    fact = made.fact
    if not is_decision(fact):
        raise TypeError("a dossier is about a decision")
    return {
        "format": "hireledger-dossier/1",
        "loop": fact.loop,
        "decision": made.position,
        "checkpoint": key.note(checkpoint_of(log, key.name)),
        "facts": given_facts(log, entries),
        "disclosures": disclosures_of(entries, disclose),
        "policies": policies_of(entries, installed()),
        "timestamps": [],
    }


def disclosures_of(
    entries: Iterable[Entry], disclose: Callable[[str], bool] = lambda _: True
) -> list[str]:
    """What was sealed in these facts, in the order of the leaves."""
    return [
        sealed.disclosure
        for one in entries
        for sealed in one.sealed
        if disclose(_pointer(sealed.disclosure))
    ]


def as_file(dossier: Dossier) -> bytes:
    """The file: JSON, a member or element a line."""
    return (json.dumps(dossier, ensure_ascii=False, indent=1) + "\n").encode()


@functools.cache
def valid_dossier() -> bytes:
    """A dossier with which nothing is wrong: 37 facts of 49, everything disclosed."""
    return as_file(dossier_of(decided_log()))


def withheld_dossier() -> bytes:
    """The same with nothing disclosed."""
    return as_file(dossier_of(decided_log(), disclose=lambda _: False))


@functools.cache
def small_dossier() -> bytes:
    """A smaller one, under six rules, for what is done many thousand times."""
    return as_file(dossier_of(small_log()))


@functools.cache
def rejected_dossier() -> bytes:
    """Of a candidate who was rejected at a stage."""
    return as_file(dossier_of(rejected_log()))


@functools.cache
def small_withheld_dossier() -> bytes:
    """The smaller one with nothing disclosed."""
    return as_file(dossier_of(small_log(), disclose=lambda _: False))


def _pointer(disclosure: str) -> str:
    padded = disclosure + "=" * (-len(disclosure) % 4)
    pointer: str = json.loads(base64.urlsafe_b64decode(padded))[1]
    return pointer


def _basis(one: Entry) -> Basis:
    if not isinstance(one.fact, RestsOnABasis):
        raise TypeError("only decisions, gates and stage decisions have a basis")
    return one.fact.basis
