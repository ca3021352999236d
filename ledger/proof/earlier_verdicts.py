"""What led to the decision, judged again: opening, plan, recommendation, and the rubric before.

What was reported is asked for again too: who reported it, and whether that could be recorded.
These rest on no basis of their own. Where the bases in the file ask for everything that such a fact
depended on, all of it is in the file, and the fact can be judged again. Elsewhere (the prompts of a
plan that another one superseded) its receipts are what the ledger recorded, and are marked so.
"""

from typing import Final

from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.boundary import (
    person_items,
    policy_set_items,
    posting_items,
    prompt_items,
    requisition_items,
    scorecard_items,
    settle,
)
from domain.codec import Recorded
from domain.decide.entitled import ROLES_FOR
from domain.decide.intent import intent_of
from domain.evolve import fold
from domain.findings import Item
from domain.state import World
from domain.values import SYSTEM
from ledger.proof.asked_again import REPORTS, asked_for, same_but_for_words
from ledger.proof.checked import Checked, RestsOnABasis, Told
from ledger.proof.judging_again import (
    check_installed,
    check_none_left_out,
    covered,
    differing,
    drafted_again,
    encode,
)
from ledger.proof.verdict import StepFailed

_Earlier = (
    f.ScorecardVersioned
    | f.PromptVersioned
    | f.PostingVersioned
    | f.LoopOpened
    | f.LoopPlanned
    | f.RecommendationRecorded
)
_Written = f.ScorecardVersioned | f.PromptVersioned | f.PostingVersioned
# What somebody asked for to make such a fact: it says which roles they needed.
_ASKED_BY: Final[dict[type[f.Fact], type[c.Command]]] = {
    f.RequisitionOpened: c.OpenRequisition,
    f.PolicySetAdopted: c.AdoptPolicySet,
    f.ScorecardVersioned: c.VersionScorecard,
    f.ScorecardApproved: c.ApproveScorecard,
    f.PromptVersioned: c.VersionPrompt,
    f.PostingVersioned: c.VersionPosting,
    f.LoopOpened: c.OpenLoop,
    f.LoopPlanned: c.PlanLoop,
    f.RecommendationRecorded: c.MakeRecommendation,
    f.ExceptionGranted: c.GrantLoopException,
    f.FactCorrected: c.CorrectFact,
    **REPORTS,
}


def judge_earlier(checked: Checked) -> tuple[int, tuple[int, ...]]:
    """How many receipts of earlier facts came out the same, and which facts were not judged again.

    Who approved the scorecard, adopted the rules, or recorded any of this, was somebody who could.
    """
    count = 0
    left: list[int] = []
    for one in checked.told.values():
        if one.fact is None or isinstance(one.fact, RestsOnABasis):
            continue
        _check_role(one, one.fact, checked)
        judged = _check_again(one, one.fact, checked)
        if judged is None:
            left.append(one.position)
        else:
            count += judged
    return count, tuple(left)


def _in_file(one: Told, item: Item, checked: Checked) -> bool:
    """Whether all that this item selects before a fact is in the file: a basis asked for it."""
    if item not in checked.reaches:
        asking = (b.basis.upto for _, b in checked.resting if covered(item, b.basis.items))
        checked.reaches[item] = max(asking, default=-1)
    return checked.reaches[item] >= one.position - 1


def _before(one: Told, items: tuple[Item, ...], checked: Checked) -> tuple[Recorded, ...]:
    earlier = [o for o in checked.told.values() if o.position < one.position and o.matches(items)]
    return checked.recorded(earlier)


def _check_role(one: Told, fact: f.AnyFact, checked: Checked) -> None:
    """Whose registration is in the file had, at that time, a role for what they did."""
    asked, by = _ASKED_BY.get(type(fact)), fact.stamp.by
    own = person_items(by)
    if asked is None or by == SYSTEM or not all(_in_file(one, item, checked) for item in own):
        return
    person = fold(_before(one, own, checked)).people.get(by)
    if not (person and ROLES_FOR[asked] & frozenset(person.roles)):
        raise StepFailed(
            f"The fact at {one.position} was recorded by somebody who had no role for it."
        )


def _check_again(one: Told, fact: f.AnyFact, checked: Checked) -> int | None:
    """Asked for and judged again: the number of receipts; None where the file lacks something."""
    at = f"The fact at {one.position}"
    try:
        command = asked_for(fact)
    except ValueError as error:
        raise StepFailed(f"{at} is nothing that anybody could have asked for.") from error
    if command is None and not isinstance(fact, _Written):
        return 0
    own = person_items(fact.stamp.by)
    items = _rubric_items(fact) if isinstance(fact, _Written) else ()
    if command is not None:
        asked = settle(command, fact.stamp.by, lambda i: fold(_before(one, i, checked)))
        # A person who was erased can have no new loop; no rule, and no other fact, rests on it.
        # Nor does a statement on the prompts of a plan: the rules read it on arrival, not here.
        spared = {("subject-erased.v1",)}
        if isinstance(fact, f.DebriefStatementRecorded):
            spared.add(("prompt-versioned.v1",))
        items = tuple(i for i in asked if i not in own and i.types not in spared)
    if not all(_in_file(one, item, checked) for item in items):
        if type(fact) in REPORTS:  # of this loop: whoever could have made it, a basis asks for them
            raise StepFailed(f"{at} was reported by somebody who could not have reported it.")
        return None if isinstance(fact, _Earlier) else 0
    known = all(_in_file(one, item, checked) for item in own)
    try:
        facts = _before(one, (*items, *own) if known else items, checked)
        world = fold(facts)
        if command is not None:
            _check_drafted(at, fact, command, world, known=known)
        return _check_judged(at, fact, world, facts, checked) if isinstance(fact, _Earlier) else 0
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise StepFailed(f"{at} cannot be judged again on the facts before it.") from error


def _rubric_items(fact: _Written) -> tuple[Item, ...]:
    """What writing a version depends on."""
    match fact:
        case f.ScorecardVersioned():
            derived = {fact.derived_from.id} if fact.derived_from else set[str]()
            cards = sorted({fact.scorecard, *derived})
            items = tuple(item for slug in cards for item in scorecard_items(slug))
        case f.PromptVersioned():
            other = fact.content.equivalent_to
            items = prompt_items({fact.prompt, *({other.id} if other else set[str]())})
        case _:
            items = posting_items(fact.posting) + requisition_items(fact.content.requisition)
    return items + policy_set_items()


def _check_drafted(
    at: str, fact: f.AnyFact, command: c.AnyCommand, world: World, *, known: bool
) -> None:
    """What was asked for makes this very fact here; sealed words are taken as they are."""
    drafted = drafted_again(at, fact, command, world, roles_known=known)
    if drafted.state_findings:
        raise StepFailed(f"{at} could not be recorded: {drafted.state_findings[0].message}.")
    mine, theirs = drafted.fact, intent_of(fact, world) if isinstance(fact, _Earlier) else fact
    if isinstance(mine, f.LoopOpened) and isinstance(theirs, f.LoopOpened):
        mine = replace(mine, name=theirs.name, email=theirs.email)  # may have been left out
    if not same_but_for_words(mine, theirs):
        raise StepFailed(f"{at} is not what this request makes of the facts before it.")


def _check_judged(
    at: str, fact: _Earlier, world: World, facts: tuple[Recorded, ...], checked: Checked
) -> int:
    """Every rule that has a say judged it so, and none refused it."""
    receipts = fact.judged.receipts
    check_installed(receipts, checked.rules)
    if fact.judged.refused:
        raise StepFailed(f"{at} was recorded against its own verdict.")
    if fact.judged.now != fact.stamp.recorded:
        raise StepFailed(f"{at} was judged at another time than it was recorded.")
    again = checked.rules.replay(fact, world, facts)
    if encode(again) != encode(fact.judged):
        raise StepFailed(f"{at} is judged otherwise here, by {differing(again, fact.judged)}.")
    check_none_left_out(at, fact, _in_force(fact, world), checked.rules, world, facts)
    return len(receipts)


def _in_force(fact: _Earlier, world: World) -> f.PolicySetAdopted | None:
    """The set that the loop pinned; before there is a loop, the latest adopted."""
    handle = getattr(fact, "loop", None)
    loop = world.loops.get(handle) if isinstance(handle, str) else None
    if loop is None:
        return world.policy_sets[-1].fact if world.policy_sets else None
    pinned = world.policy_set(loop.opened.fact.policy_set)
    if pinned is None:
        raise LookupError("the policy set that the loop pinned is not in the file")
    return pinned.fact
