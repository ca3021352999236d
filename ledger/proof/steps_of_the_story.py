"""Steps 4 to 8: the decision, all that it rested on, in order, and nothing else."""

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, get_args

from domain import facts as f
from domain import tags
from domain.codec import type_of, types_of
from domain.findings import Basis, Receipt
from ledger.counted import counted
from ledger.proof.checked import (
    CLOCK_SECONDS_MAX,
    Checked,
    Decided,
    RestsOnABasis,
    Told,
    read_leaf,
)
from ledger.proof.disclosure import DisclosureError, digest_of, places, read_disclosure
from ledger.proof.tree import basis_root
from ledger.proof.verdict import StepFailed

_RESTING_TYPES: Final = types_of(*get_args(RestsOnABasis))


def decision(checked: Checked) -> str:
    """Step 4. The facts can be read, and at `decision` stands a decision of `loop`.

    That is one to hire or not to hire, or that the candidate was rejected at a stage.
    """
    dossier = checked.dossier
    checked.told = {one.position: read_leaf(one.position, one.leaf) for one in dossier.facts}
    found = checked.told.get(dossier.decision)
    if found is None:
        raise StepFailed(f"No fact of the file stands at {dossier.decision}, its decision.")
    fact = found.fact
    if not isinstance(fact, Decided):
        raise StepFailed(f"At {dossier.decision} stands no decision that was made.")
    if isinstance(fact, f.StageDecided) and fact.outcome != "reject":
        raise StepFailed(
            f"At {dossier.decision} a candidate was advanced, which is no decision: only to hire, "
            "not to hire, or to reject at a stage is one."
        )
    if fact.loop != dossier.loop:
        raise StepFailed(f"The decision at {dossier.decision} is about another loop.")
    checked.decision = fact
    made = fact.decision if isinstance(fact, f.DecisionMade) else f"reject at stage {fact.stage}"
    return f"{made} at position {found.position}"


def basis(checked: Checked) -> str:
    """Step 5. Each basis is recomputed from the facts given: none is missing, none is too many.

    A basis reaches up to the very position before the fact that rests on it. Every fact of the
    file belongs to one, or is the decision; nothing that the decision's items select comes later.
    """
    resting = checked.resting
    belonging = {checked.dossier.decision}
    for one in checked.told.values():
        if one.fact is None and one.type in _RESTING_TYPES:
            raise StepFailed(f"The basis of the fact at {one.position} cannot be read.")
    for one, fact in resting:
        belonging |= _check_basis(checked, one, fact.basis)
    for one in checked.told.values():
        if one.position > checked.dossier.decision:
            raise StepFailed(f"The fact at {one.position} came after the decision.")
        if one.position not in belonging:
            raise StepFailed(f"The fact at {one.position} belongs to no basis in the file.")
    bases = counted(len(resting), "basis", "bases")
    return f"{bases} recomputed, the decision's over {checked.decision.basis.count}"


def _check_basis(checked: Checked, resting: Told, given: Basis) -> set[int]:
    at = resting.position
    if given.upto != at - 1:
        raise StepFailed(
            f"The basis of the fact at {at} reaches up to {given.upto}, not to the position before "
            "it: what stands between could have been left out."
        )
    chosen = [o for o in checked.told.values() if o.position < at and o.matches(given.items)]
    if len(chosen) != given.count:
        raise StepFailed(
            f"The basis of the fact at {at} has {given.count} facts, and the file {len(chosen)} of "
            "them."
        )
    if base64.b64encode(basis_root(one.leaf for one in chosen)).decode() != given.root:
        raise StepFailed(f"The basis of the fact at {at} has other facts than those in the file.")
    return {one.position for one in chosen}


def order(checked: Checked) -> str:
    """Step 6. What is cited is in the file and came first, and the ledger's clock never ran back.

    The gate that the decision names is a passed one, its recommendations are recommendations and
    the exceptions that receipts name are exceptions.
    """
    _check_clock(checked)
    count = 0
    for one in checked.told.values():
        if one.fact is None:
            continue
        for position, kinds in _named(one.fact):
            count += 1
            found = checked.told.get(position)
            if found is None:
                raise StepFailed(f"The fact at {one.position} cites {position}, not in the file.")
            if position >= one.position:
                raise StepFailed(f"The fact at {one.position} cites the later one at {position}.")
            if not isinstance(found.fact, kinds):
                raise StepFailed(
                    f"The fact at {one.position} rests on {position}, which is a "
                    f"{_kind(found)} and cannot be what is meant."
                )
    return f"{counted(count, 'citation')}, each of an earlier fact in the file"


def _kind(told: Told) -> str:
    return type_of(told.fact) if told.fact else "fact of a kind unknown here"


def _check_clock(checked: Checked) -> None:
    latest = checked.now + timedelta(seconds=CLOCK_SECONDS_MAX)
    before: datetime | None = None
    for one in checked.told.values():
        if one.fact is None:
            continue
        recorded = one.fact.stamp.recorded
        if recorded > latest:
            raise StepFailed(f"The fact at {one.position} is from the future, by the clock here.")
        if before is not None and recorded < before:
            raise StepFailed(f"The fact at {one.position} was recorded before the one before it.")
        before = recorded


Named = tuple[int, type[f.Fact] | tuple[type[f.Fact], ...]]


def _named(fact: f.AnyFact) -> Iterator[Named]:
    """The earlier facts that a fact names, and what each must be."""
    match fact:
        case f.DecisionMade():
            yield fact.gate, f.EvidenceGatePassed
            yield from ((position, f.RecommendationRecorded) for position in fact.recommendations)
        case f.RecommendationRecorded():
            yield fact.gate, f.EvidenceGatePassed
        case f.EvidenceGatePassed() | f.EvidenceGateRefused():
            for witness in fact.witnesses:
                yield from ((position, f.FeedbackSubmitted) for position in witness.feedback)
        case f.FeedbackAmended():
            yield fact.amends, f.FeedbackSubmitted
        case f.DecisionReversed():
            yield fact.reverses, f.DecisionMade
        case _:
            pass
    cites: tuple[int, ...] = getattr(fact, "cites", ())
    yield from ((position, f.Fact) for position in cites)
    judged = getattr(fact, "judged", None)
    receipts: tuple[Receipt, ...] = judged.receipts if judged else ()
    for receipt in receipts:
        if receipt.exception is not None:
            yield receipt.exception, f.ExceptionGranted


def disclosures(checked: Checked) -> str:
    """Step 7. Each disclosure's digest stands in a fact of the file, at the pointer it names."""
    standing: dict[str, set[str]] = {}
    for one in checked.told.values():
        for pointer, digest in places(one.leaf):
            standing.setdefault(digest, set()).add(pointer)
    seen: set[str] = set()
    for number, disclosure in enumerate(checked.dossier.disclosures, 1):
        try:
            digest, pointer = digest_of(disclosure), read_disclosure(disclosure).pointer
        except DisclosureError as error:
            raise StepFailed(f"Disclosure {number}: {error}") from None
        if pointer not in standing.get(digest, ()):
            raise StepFailed(
                f"Disclosure {number} belongs to no fact of the file: no fact holds its digest at "
                "the place that it names."
            )
        if digest in seen:
            raise StepFailed(f"Disclosure {number} is given twice.")
        seen.add(digest)
    rest = "; the rest are withheld" if len(seen) < len(standing) else ""
    values = counted(len(standing), "personal value is", "personal values are")
    return f"{len(seen)} of {values} disclosed{rest}"


def pinned_versions(checked: Checked) -> str:
    """Step 8. What the loop was judged by is in the file: scorecard, posting, policy set, prompts.

    The first three were there before the loop was opened. A prompt that a session reports may be
    one that the ledger never knew; then the decision's basis, which asks for it, proves that.
    """
    loop = checked.dossier.loop
    opened = [
        (one.position, one.fact)
        for one in checked.told.values()
        if isinstance(one.fact, f.LoopOpened) and one.fact.loop == loop
    ]
    if len(opened) != 1:
        raise StepFailed(f"The file holds {len(opened)} openings of the loop; there is one.")
    position, pins = opened[0]
    known: dict[tuple[str, str, int], int] = {}
    for one in checked.told.values():
        if (version := _version(one.fact)) is not None:
            known.setdefault(version, one.position)
    for kind, ref in (
        ("scorecard", pins.scorecard),
        ("posting", pins.posting),
        ("policy set", pins.policy_set),
    ):
        if known.get((kind, ref.id, ref.version), position) >= position:
            raise StepFailed(
                f"The loop pinned version {ref.version} of {kind} {ref.id}, which is not in the "
                "file before the loop's opening."
            )
    given = {
        ref
        for one in checked.told.values()
        if isinstance(one.fact, f.SessionCompleted) and one.fact.loop == loop
        for ref in one.fact.prompts
    }
    unknown = [ref for ref in given if ("prompt", ref.id, ref.version) not in known]
    asked = checked.decision.basis.items
    for ref in unknown:
        if not any(i.matches("prompt-versioned.v1", (tags.prompt(ref.id),)) for i in asked):
            raise StepFailed(
                f"Version {ref.version} of prompt {ref.id} was given, and is not here."
            )
    noted = f", {counted(len(unknown), 'prompt')} that the ledger never knew" if unknown else ""
    prompts = counted(len(given) - len(unknown), "prompt")
    return f"scorecard, posting, policy set and {prompts}{noted}"


def _version(fact: f.AnyFact | None) -> tuple[str, str, int] | None:
    match fact:
        case f.ScorecardVersioned():
            return "scorecard", fact.scorecard, fact.version
        case f.PostingVersioned():
            return "posting", fact.posting, fact.version
        case f.PolicySetAdopted():
            return "policy set", fact.policy_set, fact.version
        case f.PromptVersioned():
            return "prompt", fact.prompt, fact.version
        case _:
            return None
