"""Dossiers from ledgers that lie: every byte is signed and proven, and what it says cannot be.

Each log is the honest one told again with one fact changed; the bases that come after it commit to
the changed one, as a ledger's own would.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from domain import facts as f
from domain import tags
from domain.codec import encode
from domain.findings import Item
from dossiers import Dossier, RestsOnABasis, dossier_of
from policies import _sample as sample
from told_log import OTHER_LOOP, Entry, ToldLog, few_rules, small_log

Change = Callable[[f.AnyFact, ToldLog], f.AnyFact | bytes]
ChangeOfDecision = Callable[[f.DecisionMade, ToldLog], f.AnyFact | bytes]
Lie = tuple[int, Dossier]
_YEARS: Final = timedelta(days=3650)


def lies() -> dict[str, Lie]:
    """Each by its name: the step that finds it out, and the file."""
    return {
        "leaf-is-no-json": _decided(4, lambda _, __: b"We hired them, trust us."),
        "leaf-is-a-number": _decided(4, lambda _, __: b"27"),
        "leaf-has-a-member-twice": _decided(4, _member_twice),
        "leaf-without-tags": _decided(4, _without_tags),
        "decision-of-an-unknown-shape": _decided(4, _unknown_shape),
        "basis-upto-too-small": _decided(5, _short_sighted),
        "basis-count-too-small": _decided(5, lambda d, _: _rebased(d, count=d.basis.count - 1)),
        "basis-root-of-other-facts": _decided(5, lambda d, _: _rebased(d, root="A" * 43 + "=")),
        "basis-of-the-gate-too-small": _told(5, _shrunken_gate),
        "gate-that-never-was": _decided(6, lambda d, _: replace(d, gate=3)),
        "gate-that-is-no-gate": _decided(6, lambda d, _: replace(d, gate=d.recommendations[0])),
        "recommendation-that-is-none": _decided(6, _gate_as_recommendation),
        "cites-a-fact-of-another-loop": _decided(6, lambda d, _: replace(d, cites=(15,))),
        "cites-a-fact-after-the-decision": _decided(6, lambda d, _: replace(d, cites=(28,))),
        "cites-a-later-fact": _told(6, _stage_cites_later),
        "recorded-in-the-future": _decided(6, lambda d, _: _restamped(d, _YEARS)),
        "clock-ran-back": _decided(6, lambda d, _: _restamped(d, -timedelta(hours=1))),
        "exception-that-is-none": _decided(6, _false_exception),
        "opening-outside-the-basis": _told(8, _narrowed("loop-opened.v1")),
        "scorecard-outside-the-basis": _told(8, _narrowed("scorecard-versioned.v1")),
        "posting-outside-the-basis": _told(8, _narrowed("posting-versioned.v1")),
        "policy-set-outside-the-basis": _told(8, _narrowed("policy-set-adopted.v1")),
        "prompts-outside-the-basis": _told(8, _narrowed("prompt-versioned.v1")),
        "scorecard-of-a-version-that-never-was": _told(8, _pins_unknown_version),
        "amendments-outside-the-basis": _told(9, _narrowed("feedback-amended.v1")),
        "amendments-outside-the-gates-basis": _told(9, _narrow_gate),
        "opening-outside-the-gates-basis": _told(9, _gate_without_opening),
        "another-loop-inside-the-basis": _told(9, _widened),
        "fact-of-an-unknown-shape": _told(9, _unknown_person),
        "scorecard-reworded-after-approval": _told(9, _reworded_scorecard),
        "verdict-changed": _decided(9, lambda d, _: _receipt(d, verdict="warned")),
        "parameter-made-up": _decided(9, _words_not_needed),
        "rule-turned-down": _decided(9, lambda d, _: _receipt(d, enforcement="warn")),
        "rule-left-out-of-the-receipts": _decided(9, _rule_left_out),
        "rule-of-a-version-that-never-was": _decided(9, lambda d, _: _receipt(d, version=99)),
        "judged-at-another-time": _decided(9, _another_time),
        "recommendation-skipped": _decided(9, lambda d, _: replace(d, recommendations=())),
        "decided-by-whom-it-is-not-for": _decided(9, _by_another),
        "decided-twice": _told(9, _decided_again),
        "decided-against-its-verdict": _decided(9, _against_its_verdict),
    }


def told(change: Change) -> Dossier:
    """The dossier of the honest log told again, fact by fact, with what `change` makes of each."""
    log = ToldLog(few_rules())
    for one in small_log().entries:
        fact = one.fact
        if isinstance(fact, RestsOnABasis):
            fact = replace(fact, basis=log.basis(fact.basis.items))
        changed = change(fact, log)
        if isinstance(changed, bytes):
            entry = Entry(one.position, changed, fact, one.sealed)
        else:
            entry = Entry(one.position, encode(changed), changed, one.sealed)
        log.entries.append(entry)
    return dossier_of(log)


def _told(step: int, change: Change) -> Lie:
    return step, told(change)


def _decided(step: int, change: ChangeOfDecision) -> Lie:
    """A log that is honest but for its decision."""

    def changed(fact: f.AnyFact, log: ToldLog) -> f.AnyFact | bytes:
        return change(fact, log) if isinstance(fact, f.DecisionMade) else fact

    return _told(step, changed)


# ---------------------------------------------------------------- bytes


def _members(fact: f.AnyFact) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(encode(fact))
    return members


def _member_twice(fact: f.DecisionMade, _: ToldLog) -> bytes:
    return encode(fact).replace(b'"decision":"hire"', b'"decision":"no_hire","decision":"hire"')


def _without_tags(fact: f.DecisionMade, _: ToldLog) -> bytes:
    members = _members(fact)
    del members["stamp"]["tags"]
    return json.dumps(members).encode()


def _unknown_shape(fact: f.DecisionMade, _: ToldLog) -> bytes:
    return json.dumps({**_members(fact), "confidence": 0.99}).encode()


# ---------------------------------------------------------------- bases


def _rebased(fact: f.DecisionMade, **changes: Any) -> f.DecisionMade:
    return replace(fact, basis=replace(fact.basis, **changes))


def _short_sighted(fact: f.DecisionMade, log: ToldLog) -> f.DecisionMade:
    """It rests on everything but the fact just before it."""
    shorter = ToldLog(log.rules)
    shorter.entries = log.entries[:-1]
    return replace(fact, basis=shorter.basis(fact.basis.items))


def _shrunken_gate(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    if not isinstance(fact, f.EvidenceGatePassed):
        return fact
    return replace(fact, basis=replace(fact.basis, count=fact.basis.count - 1))


def _narrowed(hidden: str) -> Callable[[f.AnyFact, ToldLog], f.AnyFact]:
    """Bases that do not ask for one type of fact, as if it never mattered."""

    def change(fact: f.AnyFact, log: ToldLog) -> f.AnyFact:
        if not isinstance(fact, RestsOnABasis):
            return fact
        items = tuple(
            Item(types=types, tags=item.tags)
            for item in fact.basis.items
            if (types := tuple(type_ for type_ in item.types if type_ != hidden))
        )
        return replace(fact, basis=log.basis(items))

    return change


def _narrow_gate(fact: f.AnyFact, log: ToldLog) -> f.AnyFact:
    narrow = _narrowed("feedback-amended.v1")
    return narrow(fact, log) if isinstance(fact, f.EvidenceGatePassed) else fact


def _gate_without_opening(fact: f.AnyFact, log: ToldLog) -> f.AnyFact:
    """The gate was passed by a loop that, as far as it looked, nobody had opened."""
    narrow = _narrowed("loop-opened.v1")
    return narrow(fact, log) if isinstance(fact, f.EvidenceGatePassed) else fact


def _widened(fact: f.AnyFact, log: ToldLog) -> f.AnyFact:
    """The decision rests on what somebody else's loop shows, too."""
    if not isinstance(fact, f.DecisionMade):
        return fact
    other = Item(types=("loop-opened.v1",), tags=(tags.loop(OTHER_LOOP),))
    return replace(fact, basis=log.basis((*fact.basis.items, other)))


def _unknown_person(fact: f.AnyFact, _: ToldLog) -> f.AnyFact | bytes:
    """A fact as only a later release could read it."""
    if not isinstance(fact, f.PersonRegistered):
        return fact
    return json.dumps({**_members(fact), "pronouns": {"_sd": "A" * 43}}).encode()


def _pins_unknown_version(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    if not isinstance(fact, f.LoopOpened):
        return fact
    return replace(fact, scorecard=replace(fact.scorecard, version=7))


# ---------------------------------------------------------------- order


def _gate_as_recommendation(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    return replace(fact, recommendations=(fact.gate,))


def _stage_cites_later(fact: f.AnyFact, log: ToldLog) -> f.AnyFact:
    """The stage was decided on feedback that was written two facts later."""
    return (
        replace(fact, cites=(len(log.entries) + 3,)) if isinstance(fact, f.StageDecided) else fact
    )


def _restamped(fact: f.DecisionMade, by: timedelta) -> f.DecisionMade:
    stamp = fact.stamp
    return replace(fact, stamp=replace(stamp, at=stamp.at + by, recorded=stamp.recorded + by))


def _false_exception(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    return _receipt(fact, verdict="excepted", exception=fact.gate)


# ---------------------------------------------------------------- verdicts


def _reworded_scorecard(fact: f.AnyFact, _: ToldLog) -> f.AnyFact:
    """Its digest is what three people approved, and its words are others."""
    if not isinstance(fact, f.ScorecardVersioned):
        return fact
    return replace(fact, content=replace(fact.content, title="Charming ML engineer"))


def _receipt(fact: f.DecisionMade, **changes: Any) -> f.DecisionMade:
    first, *others = fact.judged.receipts
    return replace(fact, judged=replace(fact.judged, receipts=(replace(first, **changes), *others)))


def _words_not_needed(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    return _receipt(fact, params={**fact.judged.receipts[0].params, "made_up": 1})


def _rule_left_out(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    return replace(fact, judged=replace(fact.judged, receipts=fact.judged.receipts[1:]))


def _another_time(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    earlier = fact.judged.now - timedelta(hours=2)
    return replace(fact, judged=replace(fact.judged, now=earlier))


def _by_another(fact: f.DecisionMade, log: ToldLog) -> f.DecisionMade:
    """By the hiring manager, whose roles the basis shows, instead of the decision maker."""
    mine, theirs = (tags.person(p) for p in (sample.HIRING_MANAGER, sample.DECIDER))
    items = tuple(
        replace(item, tags=(mine,)) if theirs in item.tags else item for item in fact.basis.items
    )
    stamp = replace(fact.stamp, by=sample.HIRING_MANAGER)
    return replace(fact, stamp=stamp, basis=log.basis(items))


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
    return _receipt(fact, verdict="refused")
