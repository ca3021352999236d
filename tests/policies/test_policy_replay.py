"""Replay: the same facts, rules and parameters give the same bytes, whatever is in force today."""

import dataclasses
from collections.abc import Callable, Iterator

import msgspec
import pytest
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case, Draft, Found
from domain.decide import conclude, draft
from domain.decide.context import Context
from domain.decide.decision import NO_BASIS
from domain.decide.intent import RecordedIntent
from domain.findings import Judged
from domain.refusals import RefusedByRule
from domain.values import Digest
from policies import Catalogue, load
from policies._examples import Story, decidable, evidenced, planned
from policies._policy import Asked, Example, Params
from policies._sample import HIRING_MANAGER, IRIS, KOFI, LOOP, PARTNER

REFUSALS_ARE_FACTS = ("stage", "gate", "decide")
INTENDED = [
    pytest.param(example, id=f"{rule.id}-{number}")
    for rule in load().current.values()
    for number, example in enumerate(rule.examples)
    if example.case().moment not in ("feedback", "statement")
]


def as_bytes(judged: Judged) -> bytes:
    """The stored form of a judging."""
    return msgspec.json.encode(judged, order="deterministic")


def sealed(fact: RecordedIntent) -> RecordedIntent:
    """The fact as it comes back from the log: words are digests, receipts come from JSON."""
    judged = msgspec.json.decode(as_bytes(fact.judged), type=Judged)
    if isinstance(
        fact, f.DecisionMade | f.DecisionRefused | f.StageDecided | f.StageDecisionRefused
    ):
        digest = Digest(sd="A" * 43)
        reasons = tuple(replace(reason, text=digest) for reason in fact.reasons)
        return replace(fact, judged=judged, reasons=reasons)
    return replace(fact, judged=judged)


def record(
    catalogue: Catalogue, asked: Asked, pinned: f.PolicySetAdopted | None = None
) -> RecordedIntent:
    """Judges what is asked and makes the fact that is then recorded."""
    case = asked.case
    context = Context(
        now=case.now,
        at=case.now,
        actor=asked.actor,
        via="system",
        assurance="system",
        cause="r_" + "a" * 26,
        roles=frozenset(f.ROLES),
    )
    drafted: Draft = draft(asked.command, case.world, context)
    judged = catalogue.judge(case, pinned, drafted.state_findings)
    fact = conclude(drafted, judged, NO_BASIS, ())[0]
    assert isinstance(fact, RecordedIntent)
    return sealed(fact)


def replayed(catalogue: Catalogue, asked: Asked, fact: RecordedIntent) -> bytes:
    """The bytes of a replay with the recorded rules."""
    return as_bytes(catalogue.replay(fact, asked.case.world, asked.case.facts))


@pytest.mark.parametrize("example", INTENDED)
def test_a_replay_gives_the_recorded_bytes(catalogue: Catalogue, example: Example) -> None:
    """Every example that is recorded, accepted or refused, is judged again to the same bytes."""
    asked = example.build()
    if asked.case.moment not in REFUSALS_ARE_FACTS and example.kind == "refused":
        judged = catalogue.judge(asked.case, None)
        if judged.refused:
            with pytest.raises(RefusedByRule):
                record(catalogue, asked)
            return
    fact = record(catalogue, asked)
    assert fact.judged.receipts
    assert replayed(catalogue, asked, fact) == as_bytes(fact.judged)


def settings(*given: f.PolicySetting) -> f.PolicySetAdopted:
    """A policy set with these settings."""
    return Story().rubric(*given).world.policy_sets[-1].fact


STRICT = settings(
    f.PolicySetting(id="every-competency-evidenced", enforcement="warn", params={"words_min": 30}),
    f.PolicySetting(
        id="relationships-disclosed", enforcement="off", params={"disqualifying": ("alumni",)}
    ),
    f.PolicySetting(id="feedback-on-time", enforcement="block", params={"due": "24h"}),
)


def test_a_replay_takes_parameters_from_the_receipts(catalogue: Catalogue) -> None:
    """Also those of rules that were off, or judge at another moment: the receipt names them."""
    asked = evidenced().passed_gate().asks_recommend()
    with pytest.raises(RefusedByRule):
        record(catalogue, asked, STRICT)
    for kind in ("gate", "decide"):
        story = decidable()
        asked = story.asks_gate() if kind == "gate" else story.asks_decide()
        fact = record(catalogue, asked, STRICT)
        assert fact.judged.refused
        assert replayed(catalogue, asked, fact) == as_bytes(fact.judged)
        assert as_bytes(catalogue.replay(fact, asked.case.world, (), None)) != as_bytes(fact.judged)


def test_a_replay_with_todays_rules_says_what_they_would_have_said(catalogue: Catalogue) -> None:
    """The same facts under another set: that one's verdicts, at the recorded moment."""
    asked = evidenced().asks_gate()
    fact = record(catalogue, asked)
    assert not fact.judged.refused
    today = catalogue.replay(fact, asked.case.world, asked.case.facts, STRICT)
    assert today.now == fact.judged.now
    assert {r.policy for r in today.receipts if r.verdict == "refused"} == {
        "two-independent-interviewers"
    }


def test_a_refusal_by_the_state_is_replayed_too(catalogue: Catalogue) -> None:
    """A second decision is refused by the loop's state, and the replay finds that again."""
    story = decidable()
    decided = story.asks_decide()
    story.does(decided.actor, decided.command)
    withdrawal = c.ReportWithdrawal(loop=LOOP, code="other-offer")
    story.does(HIRING_MANAGER, withdrawal)
    for asked in (story.asks_decide(), story.asks_gate(), story.asks_reject("onsite")):
        fact = record(catalogue, asked)
        (state,) = [r for r in fact.judged.receipts if r.policy == "loop-state"]
        assert [x.message for x in state.findings] == [
            "the candidate withdrew",
            "the loop is decided",
        ]
        assert replayed(catalogue, asked, fact) == as_bytes(fact.judged)


def test_an_exception_is_replayed_as_it_held_then(catalogue: Catalogue) -> None:
    """What has expired since had not expired when it was judged."""
    rule = "every-competency-evidenced"
    story = planned().held("screen").wrote(IRIS, "screen").held("design").excepted(rule, hours=1)
    asked = story.wrote(KOFI, "panel").asks_gate()
    fact = record(catalogue, asked)
    assert [r.verdict for r in fact.judged.receipts if r.policy == rule] == ["excepted"]
    assert replayed(catalogue, asked, fact) == as_bytes(fact.judged)


def test_a_verdict_survives_the_erasure_of_every_word(catalogue: Catalogue) -> None:
    """Rules that read text did so on arrival: what they found is in the facts."""
    asked = evidenced().said(KOFI, "great", flagged_by="adjectives-only").asks_gate()
    fact = record(catalogue, asked)
    story = Story()
    for one in asked.case.facts:
        story.happened(without_words(one.fact))
    again = catalogue.replay(fact, story.world, tuple(story.facts))
    assert as_bytes(again) == as_bytes(fact.judged)


def without_words(fact: f.AnyFact) -> f.AnyFact:
    """The fact with every personal value gone for good."""
    gone = Digest(sd="B" * 43)
    match fact:
        case f.FeedbackSubmitted():
            ratings = tuple(replace(r, evidence=gone if r.evidence else None) for r in fact.ratings)
            return replace(fact, ratings=ratings)
        case f.DebriefStatementRecorded():
            return replace(fact, text=gone)
        case _:
            return fact


def failing(_case: Case, _params: Params) -> Iterator[Found]:
    """A check with a bug."""
    raise RuntimeError


def test_a_rule_that_failed_then_and_fails_now_gives_the_same_bytes(
    catalogue: Catalogue,
) -> None:
    """A refusal by a broken rule is evidence too."""
    broken = with_check(catalogue, "own-feedback-first", failing)
    asked = evidenced().asks_gate()
    fact = record(broken, asked)
    assert fact.judged.refused
    assert replayed(broken, asked, fact) == as_bytes(fact.judged)
    assert replayed(catalogue, asked, fact) != as_bytes(fact.judged)


def test_a_changed_rule_shows_in_the_replay(catalogue: Catalogue) -> None:
    """A replay with other code behind the same version is not identical, and so is found."""

    def silent(_case: Case, _params: Params) -> Iterator[Found]:
        yield from ()

    asked = planned().asks_gate()
    fact = record(catalogue, asked)
    changed = with_check(catalogue, "two-independent-interviewers", silent)
    assert replayed(changed, asked, fact) != as_bytes(fact.judged)


def with_check(
    catalogue: Catalogue, id_: str, check: Callable[[Case, Params], Iterator[Found]]
) -> Catalogue:
    """The catalogue with other code in one rule."""
    rules = dict(catalogue.current)
    rules[id_] = dataclasses.replace(rules[id_], check=check)
    return Catalogue(rules.values(), (), {})


def test_a_new_rule_leaves_old_judgings_as_they_were(catalogue: Catalogue) -> None:
    """A replay runs the recorded rules and no others."""
    fewer = [rule for rule in catalogue.current.values() if rule.id != "dissent-answered"]
    asked = evidenced().read(PARTNER).asks_gate()
    fact = record(Catalogue(fewer, (), {}), asked)
    assert replayed(catalogue, asked, fact) == as_bytes(fact.judged)
