"""Step 9 on honest ledgers of other times and habits: what they did by the rules is accepted."""

import dataclasses

import pytest
from msgspec.structs import replace

from api.pages.dossier_file import html_of
from domain import facts as f
from dossiers import NOW, VKEY, as_file, dossier_of, valid_dossier
from ledger.proof import judging_again
from ledger.proof.verdict import Verdict
from ledger.proof.verify import verify
from policies import Catalogue
from policies import _sample as sample
from told_log import ONSITE, ToldLog, before_the_decision, installed, small_before_the_decision
from told_pages import verified_page


def verdict_on(log: ToldLog, rules: Catalogue | None = None) -> Verdict:
    """The verdict on the dossier of this log's decision."""
    return verify(as_file(dossier_of(log)), [VKEY], None, rules or installed(), now=NOW)


def replanned() -> ToldLog:
    """The first plan asked for a prompt that the second one does without."""
    other = replace(sample.SCREEN, prompts=(sample.ref("shipping-dispute"),))
    return small_before_the_decision(superseded=(other, ONSITE)).decided()


def test_a_superseded_plan_is_told_not_to_be_judged_again() -> None:
    """Its prompts are outside every basis: the verdict says so, and accepts the dossier."""
    log = replanned()
    plan = next(
        one.position
        for one in log.entries
        if isinstance(one.fact, f.LoopPlanned) and one.fact.loop == sample.LOOP
    )
    verdict = verdict_on(log)
    assert verdict.accepted, verdict.failed
    assert verdict.as_recorded == (plan,)
    assert verdict.steps[8].reason.endswith(f"as the ledger recorded, not judged again: No. {plan}")


def test_the_page_keeps_apart_what_was_judged_again() -> None:
    """The plan that was followed was; the one that it superseded is as the ledger recorded."""
    story = verified_page(as_file(dossier_of(replanned()))).story
    assert story is not None
    told = {
        position for rule in story.rules for one in rule.verdicts for _, position in one.moments
    }
    assert story.as_recorded
    assert not told & set(story.as_recorded)


def test_the_page_marks_what_rules_read_on_arrival() -> None:
    """Nobody can judge words again that the file does not hold in the open."""
    page = verified_page(valid_dossier())
    assert page.story is not None
    places = {position for row in page.story.found for _, position in row.places}
    assert places & set(page.story.as_recorded)
    assert "(as recorded)" in html_of(page)


def test_a_set_that_names_no_rule_is_judged_by_all_of_them() -> None:
    """An honest ledger asked every rule all the same, and so does the verifier."""
    verdict = verdict_on(before_the_decision(settings=()).decided())
    assert verdict.accepted, verdict.failed
    assert verdict.as_recorded == ()


def test_a_rule_that_the_set_does_not_name_may_have_judged_in_an_older_version() -> None:
    """The verifier has a newer one, and takes the one that judged."""
    whole = installed()
    newer = [dataclasses.replace(rule, version=2) for rule in whole.current.values()]
    digests = {**whole.digests, **{(r.id, r.version): "0" * 64 for r in newer}}
    later = Catalogue(newer, whole.current.values(), digests)
    verdict = verdict_on(before_the_decision(settings=()).decided(), later)
    assert verdict.accepted, verdict.failed


def test_a_rule_of_a_later_release_did_not_judge_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is missed in every dossier, until the verifier is told that it was added later."""
    whole = installed()
    missing = "dissent-answered"
    before = [rule for rule in whole.current.values() if rule.id != missing]
    log = before_the_decision(Catalogue(before, (), whole.digests), settings=()).decided()
    failed = verdict_on(log).failed
    assert failed is not None
    assert f"was not judged by the rule {missing}" in failed.reason
    monkeypatch.setattr(judging_again, "RULES_ADDED_LATER", frozenset((missing,)))
    assert verdict_on(log).accepted


def test_a_verifier_whose_rules_are_all_off_accepts_nothing() -> None:
    """No receipts of no rules is not that they came out the same."""
    whole = installed()
    ids = ("every-competency-evidenced", "relationships-disclosed")
    nobody = Catalogue([whole.current[id_] for id_ in ids], (), whole.digests)
    off = tuple(f.PolicySetting(id=id_, enforcement="off") for id_ in ids)
    log = before_the_decision(nobody, settings=off).decided()
    failed = verdict_on(log, nobody).failed
    assert failed is not None
    assert failed.reason == "No rule judged the decision: it has no receipt."
