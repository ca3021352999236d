"""The dossier: one decision in one file, with everything it rested on (FORMATS, "Dossier").

Here is the file's shape, read strictly: members that the format does not know, a member given
twice, another spelling of base64, facts out of order and files beyond the limits are refused, each
with a reason. What the file says is checked in `verify`; nothing here is believed.
"""

import itertools
import json
import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal, cast

import msgspec
from msgspec import Meta, Struct

from domain.values import LEAF_BYTES_MAX, ContentDigest, LoopHandle, Position, Version
from ledger.errors import LedgerError
from ledger.proof.wire import base64_of

FORMAT: Final = "hireledger-dossier/1"
DOSSIER_BYTES_MAX: Final = 16_000_000
FACTS_MAX: Final = 2_000
DISCLOSURES_MAX: Final = 20_000
POLICIES_MAX: Final = 1_000
TIMESTAMPS_MAX: Final = 16
PROOF_HASHES_MAX: Final = 63
CHECKPOINT_CHARACTERS_MAX: Final = 200_000

Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]


class DossierError(LedgerError):
    """A file is not a dossier, or what is to be written as one does not fit."""


class GivenFact(Struct, frozen=True, forbid_unknown_fields=True):
    """A fact as the file gives it: its stored text, and the proof that the log holds it."""

    position: Position
    leaf: Annotated[str, Meta(max_length=LEAF_BYTES_MAX)]
    proof: Annotated[tuple[Hash, ...], Meta(max_length=PROOF_HASHES_MAX)]


class GivenPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that judged: which version, the SHA-256 (hex) of its source, and what it is for."""

    id: Annotated[str, Meta(max_length=64)]
    version: Version
    source_digest: ContentDigest
    title: Annotated[str, Meta(max_length=400)]
    rationale: Annotated[str, Meta(max_length=4_000)]


class Dossier(Struct, frozen=True, forbid_unknown_fields=True):
    """The file. `decision` is a position; `timestamps` are RFC 3161 tokens over `checkpoint`."""

    format: Literal["hireledger-dossier/1"]
    loop: LoopHandle
    decision: Position
    checkpoint: Annotated[str, Meta(max_length=CHECKPOINT_CHARACTERS_MAX)]
    facts: Annotated[tuple[GivenFact, ...], Meta(min_length=1, max_length=FACTS_MAX)]
    disclosures: Annotated[tuple[str, ...], Meta(max_length=DISCLOSURES_MAX)]
    policies: Annotated[tuple[GivenPolicy, ...], Meta(max_length=POLICIES_MAX)]
    timestamps: Annotated[tuple[bytes, ...], Meta(max_length=TIMESTAMPS_MAX)]


_decoder: Final = msgspec.json.Decoder(Dossier)
_encoder: Final = msgspec.json.Encoder()


def encode_dossier(dossier: Dossier) -> bytes:
    """The file: UTF-8 JSON, an element a line. `DossierError` where no verifier would read it."""
    raw = _written(dossier)
    decode_dossier(raw)
    return raw


def decode_dossier(raw: bytes) -> Dossier:
    """The dossier in a file, or `DossierError`; whitespace between members does not matter."""
    if len(raw) > DOSSIER_BYTES_MAX:
        raise DossierError(f"The file has more than {DOSSIER_BYTES_MAX} bytes; no dossier has.")
    try:
        dossier = _decoder.decode(raw)
    except (ValueError, RecursionError) as error:
        raise DossierError(_explained(error)) from None
    # What we would write ourselves has one spelling of everything. Anything else is looked at more
    # closely, for what the decoder lets pass: repeated members and other spellings of base64.
    if _written(dossier) != raw:
        _check_spelling(raw, dossier)
    if any(len(one.leaf.encode()) > LEAF_BYTES_MAX for one in dossier.facts):
        raise DossierError(f"A fact of the file has more than {LEAF_BYTES_MAX} bytes; no leaf has.")
    positions = [one.position for one in dossier.facts]
    if any(after <= before for before, after in itertools.pairwise(positions)):
        raise DossierError("The facts of the file do not ascend by position, each once.")
    return dossier


def read_once(text: str | bytes) -> object:
    """JSON in which no member is given twice, as Python values; `DossierError` otherwise."""
    try:
        value: object = json.loads(
            text, object_pairs_hook=_each_once, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise DossierError("A text is no JSON that every reader reads alike.") from None
    return value


def _written(dossier: Dossier) -> bytes:
    return msgspec.json.format(_encoder.encode(dossier), indent=1) + b"\n"


def _check_spelling(raw: bytes, dossier: Dossier) -> None:
    file = cast("dict[str, list[object]]", read_once(raw))
    proofs = cast("list[dict[str, list[str]]]", file["facts"])
    for given, fact in zip(proofs, dossier.facts, strict=True):
        _check_base64(given["proof"], fact.proof, "a proof")
    _check_base64(cast("list[str]", file["timestamps"]), dossier.timestamps, "a time stamp")


def _check_base64(texts: Sequence[str], raws: Sequence[bytes], what: str) -> None:
    if list(texts) != [base64_of(raw) for raw in raws]:
        raise DossierError(
            f"The base64 of {what} is spelled otherwise than its bytes are: every value has one "
            "spelling, with padding."
        )


def _each_once(members: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(members)
    if len(read) < len(members):
        raise DossierError("A member is given twice: readers would differ on which one counts.")
    return read


def _refuse_constant(_: str) -> object:
    raise ValueError("NaN and infinities are not JSON")


def _explained(error: Exception) -> str:
    """The reason in our words: a decoder's may quote the file."""
    if not isinstance(error, msgspec.ValidationError):
        return "The file is no UTF-8 JSON text, or not a whole one."
    said = str(error)
    place = re.search(r" - at `([\w.$\[\]]+)`\Z", said)
    at = f" at {place[1]}" if place else ""
    if said.startswith("Object missing required field"):
        return f"A member of the format is missing{at}."
    if said.startswith("Object contains unknown field"):
        return f"There is a member that the format does not know{at}."
    return f"A value is not of the type, the size or the spelling that the format wants{at}."
