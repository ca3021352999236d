"""Dossiers that no ledger made, to look at their page: any facts, every value with words of ours.

What verifies is another matter and tested elsewhere; here the verdict is given.
"""

import base64
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import msgspec

from api.pages.dossier_page import Page, page_of
from domain import facts as f
from domain.codec import encode
from dossiers import NOW, VKEY, dossier_of
from ledger.proof.disclosure import digest_of, make_disclosure
from ledger.proof.dossier import Dossier, GivenFact, encode_dossier
from ledger.proof.verdict import STEP_NAMES, Outcome, Step, Verdict
from ledger.proof.verify import verify
from told_log import decided_log, installed

HELD: Final = Verdict(
    tuple(Step(number, name, "passed", "as it should") for number, name in enumerate(STEP_NAMES, 1))
)
Words = Callable[[int], str]


def failing(step: int, reason: str) -> Verdict:
    """A verdict that ends at a step."""

    def outcome(number: int) -> Outcome:
        return "passed" if number < step else "failed" if number == step else "not reached"

    return Verdict(
        tuple(
            Step(number, name, outcome(number), reason if number == step else "")
            for number, name in enumerate(STEP_NAMES, 1)
        )
    )


def verified_page(raw: bytes) -> Page:
    """The page of a file that the verifier accepts."""
    verdict = verify(raw, [VKEY], None, installed(), now=NOW)
    assert verdict.accepted
    return page_of(raw, verdict, installed(), NOW)


def page_about(facts: Iterable[f.AnyFact], words: Words) -> Page:
    """The page of a file of these facts, one of them a decision, as if it had verified."""
    return page_of(file_of(facts, words), HELD, installed(), NOW)


def file_of(facts: Iterable[f.AnyFact], words: Words) -> bytes:
    """A file of these facts at positions from 1, each personal value with `words` of its number."""
    given: list[GivenFact] = []
    disclosures: list[str] = []
    decision = None
    for position, fact in enumerate(facts, start=1):
        leaf = msgspec.json.decode(encode(fact))
        _resealed(leaf, "", words, disclosures)
        given.append(GivenFact(position, msgspec.json.encode(leaf).decode(), ()))
        if isinstance(fact, f.DecisionMade):
            decision = (position, fact.loop)
    assert decision is not None
    return encode_dossier(
        Dossier(
            format="hireledger-dossier/1",
            loop=decision[1],
            decision=decision[0],
            checkpoint=dossier_of(decided_log())["checkpoint"],
            facts=tuple(given),
            disclosures=tuple(disclosures),
            policies=(),
            timestamps=(),
        )
    )


def _resealed(value: object, pointer: str, words: Words, disclosures: list[str]) -> None:
    """Gives each digest of a leaf a disclosure, in place."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        if "_sd" in members:
            salt = base64.b64decode("c2FsdHlzYWx0eXNhbHQ=")
            number = len(disclosures)
            disclosures.append(make_disclosure(salt, pointer, words(number)))
            members["_sd"] = digest_of(disclosures[-1])
            return
        for name, inner in members.items():
            _resealed(inner, f"{pointer}/{name}", words, disclosures)
    elif isinstance(value, list):
        for number, inner in enumerate(cast("list[object]", value)):
            _resealed(inner, f"{pointer}/{number}", words, disclosures)
