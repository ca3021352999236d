"""Dossiers from ledgers that lie: every byte is signed and proven, and what it says cannot be.

Each log is the honest one told again with one fact changed; the bases that come after it commit to
the changed one, as a ledger's own would.
"""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from domain import facts as f
from domain import tags
from domain.codec import encode
from domain.findings import Item
from dossiers import Dossier, RestsOnABasis, dossier_of
from told_log import OTHER_LOOP, Entry, ToldLog, few_rules, small_log

Change = Callable[[f.AnyFact, ToldLog], f.AnyFact | bytes]
ChangeOfDecision = Callable[[f.DecisionMade, ToldLog], f.AnyFact | bytes]
_YEARS: Final = timedelta(days=3650)


class Lie(NamedTuple):
    """A dossier that lies: the step that finds it out, what stands in the reason, the file."""

    step: int
    why: str
    file: Dossier


def lies() -> dict[str, Lie]:
    """Each by its name; those about the rules and what they judged are in `lies_about_rules`."""
    return _of_bytes() | _of_bases() | _of_order()


def _of_bytes() -> dict[str, Lie]:
    no_object = "is no JSON object"
    return {
        "leaf-is-no-json": decided_lie(4, no_object, lambda _, __: b"We hired them, trust us."),
        "leaf-is-a-number": decided_lie(4, no_object, lambda _, __: b"27"),
        "leaf-has-a-member-twice": decided_lie(4, no_object, _member_twice),
        "leaf-without-tags": decided_lie(4, no_object, _without_tags),
        "leaf-with-a-number-that-is-none": decided_lie(4, no_object, _not_a_number),
        "decision-of-an-unknown-shape": decided_lie(4, "stands no decision", _unknown_shape),
        "decision-whose-basis-ends-at-a-fraction": decided_lie(4, "stands no", _fraction("upto")),
        "decision-whose-basis-counts-a-fraction": decided_lie(4, "stands no", _fraction("count")),
        "decision-whose-gate-is-a-fraction": decided_lie(4, "stands no", _fraction("gate")),
        "decision-without-a-number-for-its-gate": decided_lie(
            4, "stands no", lambda d, _: _respelt(d, rb'"gate":\d+', b'"gate":null')
        ),
    }


def _of_bases() -> dict[str, Lie]:
    few, other = "facts, and the file", "has other facts than those"
    pinned, leaves_out = "which is not in the file", "leaves out what such a fact depends on"
    return {
        "basis-upto-too-small": decided_lie(5, "reaches up to", _short_sighted),
        "basis-count-too-small": decided_lie(
            5, few, lambda d, _: _rebased(d, count=d.basis.count - 1)
        ),
        "basis-root-of-other-facts": decided_lie(
            5, other, lambda d, _: _rebased(d, root="A" * 43 + "=")
        ),
        "basis-of-the-gate-too-small": told_lie(5, few, _shrunken_gate),
        "basis-of-the-gate-counts-a-fraction": told_lie(5, "cannot be read", _gate_of_a_fraction),
        "opening-outside-the-basis": told_lie(8, "0 openings", _narrowed("loop-opened.v1")),
        "scorecard-outside-the-basis": told_lie(8, pinned, _narrowed("scorecard-versioned.v1")),
        "posting-outside-the-basis": told_lie(8, pinned, _narrowed("posting-versioned.v1")),
        "policy-set-outside-the-basis": told_lie(8, pinned, _narrowed("policy-set-adopted.v1")),
        "prompts-outside-the-basis": told_lie(
            8, "was given, and is", _narrowed("prompt-versioned.v1")
        ),
        "scorecard-of-a-version-that-never-was": told_lie(8, pinned, _pins_unknown_version),
        "amendments-outside-the-basis": told_lie(9, leaves_out, _narrowed("feedback-amended.v1")),
        "amendments-outside-the-gates-basis": told_lie(9, leaves_out, _narrow_gate),
        "opening-outside-the-gates-basis": told_lie(
            9, "cannot be judged again", _gate_without_opening
        ),
        "another-loop-inside-the-basis": told_lie(9, "is of another loop", _widened),
        "fact-of-an-unknown-shape": told_lie(9, "does not know", _unknown_person),
    }


def _of_order() -> dict[str, Lie]:
    absent, other = "not in the file", "cannot be what is meant"
    after = len(small_log().entries)
    return {
        "gate-that-never-was": decided_lie(6, other, lambda d, _: replace(d, gate=3)),
        "gate-that-is-no-gate": decided_lie(
            6, other, lambda d, _: replace(d, gate=d.recommendations[0])
        ),
        "recommendation-that-is-none": decided_lie(6, other, _gate_as_recommendation),
        "gate-that-never-was-behind-a-space": decided_lie(
            6, other, lambda d, _: _respelt(d, rb'"gate":\d+', b'"gate": 3')
        ),
        "gate-that-never-was-under-an-escape": decided_lie(
            6, other, lambda d, _: _respelt(d, rb'"gate":\d+', rb'"g\\u0061te":3')
        ),
        "cites-behind-a-space-what-is-not-there": decided_lie(
            6, absent, lambda d, _: _respelt(d, rb'"cites":\[[^]]*]', b'"cites":[25, 99999]')
        ),
        "cites-a-fact-of-another-loop": decided_lie(
            6, absent, lambda d, _: replace(d, cites=(_of_other_loop(),))
        ),
        "cites-a-fact-after-the-decision": decided_lie(
            6, absent, lambda d, _: replace(d, cites=(after,))
        ),
        "cites-a-later-fact": told_lie(6, "cites the later one", _stage_cites_later),
        "recorded-in-the-future": decided_lie(6, "from the future", lambda d, _: _moved(d, _YEARS)),
        "clock-ran-back": decided_lie(
            6, "before the one before it", lambda d, _: _moved(d, -timedelta(hours=1))
        ),
        "exception-that-is-none": decided_lie(6, other, _false_exception),
    }


def told(change: Change, honest: Callable[[], ToldLog] = small_log) -> Dossier:
    """The dossier of an honest log told again, fact by fact, with what `change` makes of each.

    What it does not change keeps its stored bytes: a weight of 1 must not become 1.0.
    """
    log = ToldLog(few_rules())
    for one in honest().entries:
        fact = one.fact
        if isinstance(fact, RestsOnABasis):
            fact = replace(fact, basis=log.basis(fact.basis.items))
        changed = change(fact, log)
        if isinstance(changed, bytes):
            entry = Entry(one.position, changed, fact, one.sealed)
        else:
            leaf = one.leaf if changed == one.fact else encode(changed)
            kept = tuple(sealed for sealed in one.sealed if sealed.digest.encode() in leaf)
            entry = Entry(one.position, leaf, changed, kept)
        log.entries.append(entry)
    return dossier_of(log)


def told_lie(step: int, why: str, change: Change) -> Lie:
    """A log that is honest but for what `change` makes of its facts."""
    return Lie(step, why, told(change))


def decided_lie(step: int, why: str, change: ChangeOfDecision) -> Lie:
    """A log that is honest but for its decision."""

    def changed(fact: f.AnyFact, log: ToldLog) -> f.AnyFact | bytes:
        return change(fact, log) if isinstance(fact, f.DecisionMade) else fact

    return told_lie(step, why, changed)


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


def _respelt(fact: f.AnyFact, old: bytes, new: bytes) -> bytes:
    """Bytes that the product would not write, in which readers could overlook a number."""
    told, found = re.subn(old, new, encode(fact))
    if found != 1:
        raise ValueError(f"{old!r} is not in the fact, once")
    return told


def _fraction(member: str) -> ChangeOfDecision:
    """A whole number, spelt as a fraction."""
    old = b'"%b":(\\d+)' % member.encode()
    return lambda fact, _: _respelt(fact, old, b'"%b":\\1.0' % member.encode())


def _not_a_number(fact: f.DecisionMade, _: ToldLog) -> bytes:
    return encode(fact)[:-1] + b',"confidence":NaN}'


# ---------------------------------------------------------------- bases


def _gate_of_a_fraction(fact: f.AnyFact, _: ToldLog) -> f.AnyFact | bytes:
    if not isinstance(fact, f.EvidenceGatePassed):
        return fact
    return _respelt(fact, rb'"count":(\d+)', rb'"count":\1.0')


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


def _moved(fact: f.DecisionMade, by: timedelta) -> f.DecisionMade:
    stamp = fact.stamp
    return replace(fact, stamp=replace(stamp, at=stamp.at + by, recorded=stamp.recorded + by))


def _false_exception(fact: f.DecisionMade, _: ToldLog) -> f.DecisionMade:
    return receipted(fact, verdict="excepted", exception=fact.gate)


def _of_other_loop() -> int:
    """Where the other loop's opening stands."""
    return next(
        one.position
        for one in small_log().entries
        if isinstance(one.fact, f.LoopOpened) and one.fact.loop == OTHER_LOOP
    )


def receipted(fact: f.DecisionMade, **changes: Any) -> f.DecisionMade:
    """The decision with its first receipt changed."""
    first, *others = fact.judged.receipts
    return replace(fact, judged=replace(fact.judged, receipts=(replace(first, **changes), *others)))
