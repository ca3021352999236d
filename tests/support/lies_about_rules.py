"""Dossiers from ledgers that lie about the rules: what they said, and whether they were asked.

About the decision, and about what came before it: scorecard, approvals, opening, recommendation.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from domain import facts as f
from domain.findings import Receipt
from dossiers import RestsOnABasis
from museum_of_lies import Change, Lie, decided_lie, receipted, told, told_lie
from policies import _sample as sample
from told_log import ToldLog, rejected_log


def lies_about_rules() -> dict[str, Lie]:
    """Each by its name."""
    return _of_verdicts() | _of_what_came_before()


def _of_verdicts() -> dict[str, Lie]:
    otherwise, nobody = "is judged otherwise here", "was not judged by the rule"
    return {
        "verdict-changed": decided_lie(9, otherwise, lambda d, _: receipted(d, verdict="warned")),
        "parameter-made-up": decided_lie(9, "as the loop's policy set has it", _words_not_needed),
        "rule-turned-down": decided_lie(
            9, otherwise, lambda d, _: receipted(d, enforcement="warn")
        ),
        "rule-left-out-of-the-receipts": decided_lie(9, nobody, _rule_left_out),
        "rule-of-a-version-that-never-was": decided_lie(
            9, "is not installed here", lambda d, _: receipted(d, version=99)
        ),
        "judged-at-another-time": decided_lie(9, "at another time", _another_time),
        "recommendation-skipped": decided_lie(
            9, "is not what this request makes", lambda d, _: replace(d, recommendations=())
        ),
        "decided-by-whom-it-is-not-for": decided_lie(9, "could not be recorded", _by_another),
        "attempts-left-out": decided_lie(9, "leaves out what such a fact", _without_attempts),
        "decided-twice": told_lie(9, "came too late", _decided_again),
        "decided-against-its-verdict": decided_lie(9, otherwise, _against_its_verdict),
        "no-rule-judged-the-decision": decided_lie(9, "No rule judged", _unjudged),
        "no-rule-judged-the-rejection": Lie(
            9, "No rule judged", told(_unjudged_one(f.StageDecided), rejected_log)
        ),
        "no-rule-judged-anything": told_lie(9, "No rule judged", _unjudged_under_no_set),
        "core-rule-turned-off": told_lie(
            9, "was not judged by the rule own-feedback-first", _core_off
        ),
        "rule-that-the-set-does-not-name-left-out": told_lie(9, nobody, _unnamed_and_left_out),
    }


def _of_what_came_before() -> dict[str, Lie]:
    roles = "by somebody who had no role for it"
    return {
        "scorecard-reworded-after-approval": told_lie(9, "is not what was", _reworded_scorecard),
        "more-words-counted-than-shown": told_lie(9, "words of evidence where", _counted),
        "words-counted-where-none-are": told_lie(9, "where there are 0", _counted_nothing),
        "scorecard-approved-by-nobody": told_lie(9, "this digest is not that of", _approved_unread),
        "scorecard-approved-by-another": told_lie(9, "names someone else", _approved_by_another),
        "opening-that-no-rule-judged": told_lie(
            9, "was not judged by the rule scorecard-approved", _unjudged_one(f.LoopOpened)
        ),
        "plan-that-no-rule-judged": told_lie(
            9, "was not judged by the rule safety-never", _unjudged_one(f.LoopPlanned)
        ),
        "recommendation-that-no-rule-judged": told_lie(
            9, "was not judged by the rule gate-passed", _unjudged_one(f.RecommendationRecorded)
        ),
        "opening-refused-by-all": told_lie(9, "against its own verdict", _refused_opening),
        "recommended-by-a-stranger": told_lie(9, roles, _recommended_by_interviewer),
        "policy-set-adopted-without-the-role": told_lie(9, roles, _adopted_by_interviewer),
    }


# ---------------------------------------------------------------- verdicts


def _reworded_scorecard(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """Its digest is what three people approved, and its words are others."""
    if not isinstance(fact, f.ScorecardVersioned):
        return fact
    return replace(fact, content=replace(fact.content, title="Charming ML engineer"))


def _counted(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """Evidence of a few words passes for forty."""
    if not isinstance(fact, f.FeedbackSubmitted):
        return fact
    return replace(fact, ratings=tuple(replace(one, words=40) for one in fact.ratings))


def _counted_nothing(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """A rating without evidence passes for one with forty words of it."""
    if not isinstance(fact, f.FeedbackSubmitted):
        return fact
    bare = (replace(one, words=40, evidence=None) for one in fact.ratings)
    return replace(fact, ratings=tuple(bare))


def _words_not_needed(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    return receipted(fact, params={**fact.judged.receipts[0].params, "made_up": 1})


def _rule_left_out(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    return replace(fact, judged=replace(fact.judged, receipts=fact.judged.receipts[1:]))


def _another_time(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    earlier = fact.judged.now - timedelta(hours=2)
    return replace(fact, judged=replace(fact.judged, now=earlier))


def _by_another(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    """By the hiring manager, whose roles the basis shows, instead of the decision maker."""
    return replace(fact, stamp=replace(fact.stamp, by=sample.HIRING_MANAGER))


def _without_attempts(fact: f.DecisionMade, log: ToldLog) -> f.DecisionMade:
    """On a basis that does not ask what was refused before, so that nobody could tell."""
    kept = tuple(i for i in fact.basis.items if "decision-refused.v1" not in i.types)
    return replace(fact, basis=log.basis(kept))


def _decided_again(fact: f.AnyFact, log: ToldLog) -> f.AnyFact:
    """Instead of the offer comes the same decision once more."""
    if not isinstance(fact, f.OfferRecorded):
        return fact
    first = log.entries[-1].fact
    if not isinstance(first, f.DecisionMade):
        raise TypeError("before the offer stands the decision")
    now = fact.stamp.recorded
    return replace(
        first,
        stamp=replace(first.stamp, at=now, recorded=now),
        judged=replace(first.judged, now=now),
        basis=log.basis(first.basis.items),
    )


def _against_its_verdict(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    """The rules really refuse it, the receipts say so, and it was recorded all the same."""
    return receipted(fact, verdict="refused")


def _judged_by(fact: Any, receipts: tuple[Receipt, ...]) -> f.AnyFact:
    changed: f.AnyFact = replace(fact, judged=replace(fact.judged, receipts=receipts))
    return changed


def _unjudged(fact: f.DecisionMade, _: ToldLog) -> f.AnyFact:
    """No rule was asked, and the set says that every one of them must be."""
    return _judged_by(fact, ())


def _under(fact: f.PolicySetAdopted, kept: Callable[[f.PolicySetting], bool]) -> f.PolicySetAdopted:
    return replace(fact, policies=tuple(one for one in fact.policies if kept(one)))


def _unjudged_under_no_set(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """The set names no rule, so none was asked: not at the gate, not for the decision."""
    if isinstance(fact, f.PolicySetAdopted):
        return _under(fact, lambda _: False)
    return _judged_by(fact, ()) if hasattr(fact, "judged") else fact


def _core_off(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """The set turns off a rule that nobody can turn off, and it left no receipt."""
    core = "own-feedback-first"
    if isinstance(fact, f.PolicySetAdopted):
        off = f.PolicySetting(id=core, enforcement="off")
        return replace(fact, policies=(*_under(fact, lambda p: p.id != core).policies, off))
    return _without(fact, core)


def _unnamed_and_left_out(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """The set does not name a rule, and the ledger did not ask it; ours asks it all the same."""
    unnamed = "relationships-disclosed"
    if isinstance(fact, f.PolicySetAdopted):
        return _under(fact, lambda p: p.id != unnamed)
    return _without(fact, unnamed)


def _without(fact: f.AnyFact, policy: str) -> f.AnyFact:
    if not isinstance(fact, RestsOnABasis):
        return fact
    return _judged_by(fact, tuple(r for r in fact.judged.receipts if r.policy != policy))


# ---------------------------------------------------------------- what came before


def _unjudged_one(kind: type[f.Fact]) -> Change:
    """No rule was asked about the loop's opening, plan or recommendation."""

    def change(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
        return _judged_by(fact, ()) if isinstance(fact, kind) else fact

    return change


def _refused_opening(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """Every rule refused the opening, the receipts say so, and it was recorded all the same."""
    if not isinstance(fact, f.LoopOpened):
        return fact
    return _judged_by(fact, tuple(replace(r, verdict="refused") for r in fact.judged.receipts))


def _approved_unread(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """Approved was a text that is not the scorecard's."""
    return replace(fact, content_digest="0" * 64) if isinstance(fact, f.ScorecardApproved) else fact


def _approved_by_another(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """All three approvals are the hiring manager's, whom the team names for one of them."""
    return _by(fact, sample.HIRING_MANAGER) if isinstance(fact, f.ScorecardApproved) else fact


def _recommended_by_interviewer(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    return _by(fact, sample.IRIS) if isinstance(fact, f.RecommendationRecorded) else fact


def _adopted_by_interviewer(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    return _by(fact, sample.IRIS) if isinstance(fact, f.PolicySetAdopted) else fact


def _by(fact: f.AnyFact, person: str) -> f.AnyFact:
    return replace(fact, stamp=replace(fact.stamp, by=person))
