"""Steps 9 and 10: the verdicts come out the same here, and when the checkpoint existed.

The rules are the verifier's own, never the file's. They judge each stage, gate and decision again
on exactly the facts of its basis, and what came before on the facts before it.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.boundary import boundary
from domain.decide.intent import intent_of
from domain.evolve import fold
from domain.findings import Receipt
from domain.state import World
from domain.tags import loop as loop_tag
from domain.values import Digest, count_words
from ledger.counted import counted
from ledger.proof.checked import CLOCK_SECONDS_MAX, Checked, RestsOnABasis, Told
from ledger.proof.disclosure import digest_of, read_disclosure
from ledger.proof.dossier import GivenPolicy
from ledger.proof.earlier_verdicts import judge_earlier
from ledger.proof.judging_again import (
    LOOP_STATE,
    check_installed,
    check_none_left_out,
    covered,
    differing,
    drafted_again,
    encode,
)
from ledger.proof.timestamp import TimestampError, check_token
from ledger.proof.verdict import LeftOut, StepFailed


class _Stored(msgspec.Struct):
    content: msgspec.Raw


_content = msgspec.json.Decoder(_Stored)
_ACCEPTED = f.DecisionMade | f.EvidenceGatePassed | f.StageDecided


def replay(checked: Checked) -> str:
    """Step 9. Judged again with the verifier's rules, every receipt comes out byte for byte.

    The rules are those that the receipts name, and none that is installed and has a say is left
    out. The basis is as wide as the verifier's own boundary, so that it cannot leave evidence out;
    and what was asked for, by a person with the roles for it, makes this very fact here too. What
    led there is judged again where the file has all that it depended on, and told where not.
    """
    resting = checked.resting
    receipts = [r for _, fact in resting for r in fact.judged.receipts if r.policy != LOOP_STATE]
    _check_of_one_loop(checked)
    _check_contents(checked)
    _check_words(checked)
    check_installed(receipts, checked.rules)
    _check_policies(receipts, checked)
    if not checked.decision.judged.receipts:
        raise StepFailed("No rule judged the decision: it has no receipt.")
    for one, fact in resting:
        _judge_again(one, fact, checked)
    earlier, checked.as_recorded = judge_earlier(checked)
    left = ", ".join(str(position) for position in checked.as_recorded)
    return (
        f"{len(receipts)} receipts of {counted(len(resting), 'fact')} come out the same, and "
        f"{earlier} of what came before"
        + (f"; as the ledger recorded, not judged again: No. {left}" if left else "")
    )


def _check_of_one_loop(checked: Checked) -> None:
    """No boundary of ours reaches into another loop, so no basis has any business there."""
    mine = loop_tag(checked.dossier.loop)
    for one in checked.told.values():
        if isinstance(one.fact, f.SubjectErased):  # of all loops of one person
            continue
        if any(tag.startswith(loop_tag("")) and tag != mine for tag in one.tags):
            raise StepFailed(f"The fact at {one.position} is of another loop.")


def _check_contents(checked: Checked) -> None:
    """A scorecard's digest, which people approved, is that of its words as they were stored."""
    for one in checked.told.values():
        if isinstance(one.fact, f.ScorecardVersioned):
            stored = b"[%b]" % _content.decode(one.leaf).content
            if hashlib.sha256(stored).hexdigest() != one.fact.content_digest:
                raise StepFailed(f"The scorecard at {one.position} is not what was approved.")


def _check_words(checked: Checked) -> None:
    """Rules go by how many words of evidence there are; of the words that are shown, so many are.

    Of words that are withheld the count is the ledger's.
    """
    shown = {digest_of(d): read_disclosure(d).value for d in checked.dossier.disclosures}
    for one in checked.told.values():
        for value, claimed in _counts(one.fact):
            text = "" if value is None else shown.get(value.sd)
            if text is not None and count_words(text) != claimed:
                raise StepFailed(
                    f"The fact at {one.position} counts {claimed} words of evidence where there "
                    f"are {count_words(text)}."
                )


def _counts(fact: f.AnyFact | None) -> Iterator[tuple[Digest | None, int]]:
    """Each text of a fact whose words were counted when it was recorded, and the count."""
    match fact:
        case f.FeedbackSubmitted() | f.FeedbackAmended():
            yield from ((rated.evidence, rated.words) for rated in fact.ratings)
        case f.DebriefStatementRecorded():
            yield fact.text, fact.words
        case _:
            return


def _check_policies(receipts: list[Receipt], checked: Checked) -> None:
    """The file's list of rules is the receipts', and says of each what the installed one says."""
    named = {(one.policy, one.version) for one in receipts}
    listed = [(one.id, one.version) for one in checked.dossier.policies]
    if sorted(listed) != sorted(named):
        raise StepFailed("The file's list of rules is not that of the rules in the receipts.")
    for one in checked.dossier.policies:
        rule = checked.rules.rules[(one.id, one.version)]
        digest = checked.rules.digests[(one.id, one.version)]
        mine = GivenPolicy(one.id, one.version, digest, rule.title, rule.rationale)
        if one.source_digest != digest:
            raise StepFailed(
                f"Version {one.version} of the rule {one.id} has another source here than the one "
                "that the file names."
            )
        if one != mine:
            raise StepFailed(f"The file describes the rule {one.id} in other words than its own.")


def _judge_again(one: Told, fact: RestsOnABasis, checked: Checked) -> None:
    at = f"The fact at {one.position}"
    before = [o for o in checked.told.values() if o.position < one.position]
    facts = checked.recorded([o for o in before if o.matches(fact.basis.items)])
    try:
        world = fold(facts)
        pinned = _pinned(fact.loop, world)
        asked = boundary(_command(fact), world, fact.stamp.by)
        again = checked.rules.replay(fact, world, facts)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise StepFailed(f"{at} cannot be judged again on the facts of its basis.") from error
    if not all(covered(item, fact.basis.items) for item in asked):
        raise StepFailed(f"{at} rests on a basis that leaves out what such a fact depends on.")
    if encode(again) != encode(fact.judged):
        raise StepFailed(f"{at} is judged otherwise here, by {differing(again, fact.judged)}.")
    _check_drafted(at, fact, world)
    check_none_left_out(at, fact, pinned, checked.rules, world, facts)


def _pinned(loop: str, world: World) -> f.PolicySetAdopted:
    found = world.policy_set(world.loops[loop].opened.fact.policy_set)
    if found is None:
        raise LookupError("the policy set that the loop pinned is outside the basis")
    return found.fact


def _command(fact: RestsOnABasis) -> c.MakeDecision | c.DecideStage | c.PassEvidenceGate:
    """What was asked for, as far as the fact tells; words that are sealed play no part in it."""
    match fact:
        case f.EvidenceGatePassed() | f.EvidenceGateRefused():
            return c.PassEvidenceGate(loop=fact.loop)
        case _:
            reasons = tuple(
                c.ReasonSpec(kind=one.kind, ref=one.ref, text="sealed") for one in fact.reasons
            )
    if isinstance(fact, f.StageDecided | f.StageDecisionRefused):
        return c.DecideStage(
            loop=fact.loop,
            stage=fact.stage,
            outcome=fact.outcome,
            reasons=reasons,
            cites=fact.cites,
        )
    return c.MakeDecision(loop=fact.loop, decision=fact.decision, reasons=reasons, cites=fact.cites)


def _check_drafted(at: str, fact: RestsOnABasis, world: World) -> None:
    """What the person asked for makes this very fact here, at the moment that it was recorded."""
    if isinstance(fact, _ACCEPTED) == fact.judged.refused:
        raise StepFailed(f"{at} was recorded against its own verdict.")
    if fact.judged.now != fact.stamp.recorded:
        raise StepFailed(f"{at} was judged at another time than it was recorded.")
    drafted = drafted_again(at, fact, _command(fact), world, roles_known=True)
    if isinstance(fact, _ACCEPTED) and drafted.state_findings:
        raise StepFailed(f"{at} came too late: {drafted.state_findings[0].message}.")
    mine, theirs = drafted.fact, intent_of(fact, world)
    if isinstance(mine, f.DecisionMade | f.StageDecided):
        mine = replace(mine, reasons=getattr(theirs, "reasons", ()))
    if mine != theirs:
        raise StepFailed(f"{at} is not what this request makes of the facts before it.")


def timestamps(checked: Checked) -> str:
    """Step 10. An authority that the verifier trusts saw the checkpoint at the time it says.

    Nobody has seen a checkpoint before what is in it: neither an authority nor a witness.
    """
    _check_witnesses(checked)
    tokens = checked.dossier.timestamps
    if not tokens:
        if checked.roots:
            raise StepFailed(
                "Roots of a timestamp authority were given, and the file has no timestamp: nobody "
                "but the log says when it existed. Leave the roots away if you ask for none."
            )
        raise LeftOut("not applicable", "the file has no timestamps")
    if not checked.roots:
        raise LeftOut("not checked", "no root certificates of a timestamp authority were given")
    latest = checked.now + timedelta(seconds=CLOCK_SECONDS_MAX)
    times: list[str] = []
    for number, token in enumerate(tokens, 1):
        try:
            moment = check_token(token, checked.dossier.checkpoint.encode(), checked.roots)
        except TimestampError as error:
            raise StepFailed(f"Timestamp {number}: {error}") from None
        if moment > latest:
            raise StepFailed(f"Timestamp {number} is from the future.")
        if _too_early(moment, checked):
            raise StepFailed(_before_its_facts("A timestamp authority", moment, checked))
        times.append(moment.isoformat())
    return f"the checkpoint existed at {min(times)}"


def _check_witnesses(checked: Checked) -> None:
    """Without those who say that they saw it before its decision, they are a quorum all the same.

    One whose clock is slow spoils nothing that enough others vouch for.
    """
    policy = checked.policy
    if policy is None:
        return
    times = {name: _moment(at) for name, at in checked.cosigned_at.items()}
    early = {name: saw for name, saw in times.items() if saw and _too_early(saw, checked)}
    if early and not policy.satisfied(times.keys() - early.keys()):
        name = min(early)
        raise StepFailed(_before_its_facts(f"The witness {name}", early[name], checked))


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _too_early(saw: datetime, checked: Checked) -> bool:
    return saw + timedelta(seconds=CLOCK_SECONDS_MAX) < checked.decision.stamp.recorded


def _before_its_facts(who: str, saw: datetime, checked: Checked) -> str:
    recorded = checked.decision.stamp.recorded
    return (
        f"{who} saw the checkpoint at {saw.isoformat()}, before the decision in it was recorded, "
        f"at {recorded.isoformat()}: the record, or one of their clocks, is false."
    )
