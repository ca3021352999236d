"""Judging again what a file tells: by the rules as they were applied, and by none too few.

Which rules had to judge is the verifier's to say: those that are installed, under the policy set in
force. A ledger that names fewer rules in its set has not thereby fewer rules.
"""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec

from domain import commands as c
from domain import facts as f
from domain.case import Draft
from domain.codec import Recorded, types_of
from domain.decide import Context, draft
from domain.decide.intent import RecordedIntent
from domain.findings import Item, Judged, ParamValue, Receipt
from domain.refusals import Refusal
from domain.state import World
from domain.values import SYSTEM
from ledger.proof.verdict import StepFailed
from policies import Catalogue

LOOP_STATE: Final = "loop-state"
# Types of facts that boundaries select only since a later release. Decisions recorded before it
# were made without them, and could not have had any: their bases need not ask for them.
ADDED_LATER: Final[frozenset[str]] = frozenset(types_of(f.RecordImported))
# Ids of rules that came with a later release than the first. What was recorded before it was judged
# without them: where the policy set does not name such a rule, it may have left no receipt.
RULES_ADDED_LATER: Final[frozenset[str]] = frozenset()

encode: Final = msgspec.json.Encoder(order="deterministic").encode


def covered(item: Item, given: Collection[Item]) -> bool:
    """Whether some item of a basis selects at least what this one of our own does."""
    wanted = set(item.types) - ADDED_LATER
    return any(
        set(one.tags) <= set(item.tags) and (not one.types or wanted <= set(one.types))
        for one in given
    )


def differing(one: Judged, other: Judged) -> str:
    """The ids of the rules whose receipts are not the same in both."""
    mine = {receipt.policy: encode(receipt) for receipt in one.receipts}
    theirs = {receipt.policy: encode(receipt) for receipt in other.receipts}
    rules = sorted(r for r in mine.keys() | theirs.keys() if mine.get(r) != theirs.get(r))
    return ", ".join(rules) or "its order or its time"


def drafted_again(
    at: str, fact: f.AnyFact, command: c.AnyCommand, world: World, *, roles_known: bool
) -> Draft:
    """What this request makes of the state before it, asked by whom the fact says asked.

    Where the person's registration is not in the file, nobody can say which roles they had: then
    every role is taken for theirs. `StepFailed` where the domain refuses the request.
    """
    stamp = fact.stamp
    person = world.people.get(stamp.by)
    anyone = stamp.by == SYSTEM or not roles_known
    context = Context(
        now=stamp.recorded,
        at=stamp.at,
        actor=stamp.by,
        via=stamp.via,
        assurance=stamp.assurance,
        cause=stamp.cause,
        roles=frozenset(f.ROLES if anyone else person.roles if person else ()),
        source=stamp.source,
    )
    try:
        return draft(command, world, context)
    except Refusal as refusal:
        raise StepFailed(f"{at} could not be recorded: {refusal.detail}.") from None


def check_installed(receipts: Collection[Receipt], rules: Catalogue) -> None:
    """Every rule that left a receipt is installed here in that version."""
    for one in receipts:
        if one.policy != LOOP_STATE and (one.policy, one.version) not in rules.rules:
            raise StepFailed(
                f"Version {one.version} of the rule {one.policy} judged, and is not installed "
                "here. Verify with a release that has it."
            )


def check_none_left_out(
    at: str,
    fact: RecordedIntent,
    pinned: f.PolicySetAdopted | None,
    rules: Catalogue,
    world: World,
    facts: tuple[Recorded, ...],
) -> None:
    """Every installed rule that has a say left a receipt, applied as the set in force has it.

    A rule that the set does not name judges all the same, as it came in the release of the time:
    in the version of its receipt, with that version's strictness and parameters. Only a rule that
    is not core, and that the set turned off, leaves none.
    """
    named = {one.id for one in pinned.policies if one.version is not None} if pinned else set[str]()
    given = {one.policy: one for one in fact.judged.receipts if one.policy != LOOP_STATE}
    if len(given) != sum(one.policy != LOOP_STATE for one in fact.judged.receipts):
        raise StepFailed(f"{at} has two receipts of one rule.")
    versions = {policy: receipt.version for policy, receipt in given.items()}
    wanted = _receipts(fact, pinned, versions, rules, world, facts)
    for policy in sorted(wanted.keys() | given.keys()):
        mine, theirs = wanted.get(policy), given.get(policy)
        if mine is not None and theirs is not None:
            if _applied(mine, named) == _applied(theirs, named):
                continue
        elif mine is not None and policy not in named:
            older = [v for id_, v in rules.rules if id_ == policy and v < mine.version]
            if policy in RULES_ADDED_LATER or any(
                policy not in _receipts(fact, pinned, {**versions, policy: v}, rules, world, facts)
                for v in older
            ):
                continue
        raise StepFailed(
            f"{at} was not judged by the rule {policy} as the loop's policy set has it."
        )


def _receipts(
    fact: RecordedIntent,
    pinned: f.PolicySetAdopted | None,
    versions: Mapping[str, int],
    rules: Catalogue,
    world: World,
    facts: tuple[Recorded, ...],
) -> dict[str, Receipt]:
    """What the set makes the rules say, those that it names without a version in these versions."""
    settings = {one.id: one for one in pinned.policies} if pinned else {}
    for id_, version in versions.items():
        setting, rule = settings.get(id_), rules.rules[(id_, version)]
        if setting is None or setting.version is None:
            settings[id_] = f.PolicySetting(
                id=id_,
                version=version,
                enforcement=setting.enforcement if setting else rule.enforcement,
                params=setting.params if setting else {},
            )
    applied = f.PolicySetAdopted(
        stamp=fact.stamp, policy_set="as-it-was", version=1, policies=tuple(settings.values())
    )
    judged = rules.replay(fact, world, facts, applied)
    return {one.policy: one for one in judged.receipts if one.policy != LOOP_STATE}


def _applied(receipt: Receipt, named: set[str]) -> tuple[int, str, dict[str, ParamValue]]:
    """How a rule was applied: version, strictness, and the parameters that the set decides on.

    Parameters of another rule that the set does not name are as they were in its version then.
    """
    params = {
        name: value
        for name, value in receipt.params.items()
        if "." not in name or name.partition(".")[0] in named
    }
    return receipt.version, receipt.enforcement, params
