"""Exceptions: granted by a second person, for a time, to rules that are not core."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain import commands as c
from domain import facts as f
from domain.case import Case
from domain.findings import Receipt
from domain.refusals import Meaningless, RefusedByRule
from policies import Catalogue
from policies._examples import Story, evidenced, planned, rubric
from policies._sample import (
    COMPETENCIES,
    HIRING_MANAGER,
    IRIS,
    JUNO,
    PARTNER,
    REQUISITION,
    TECH_LEAD,
    scorecard,
)

By = Callable[[str, Case], Receipt]
EVIDENCED = "every-competency-evidenced"
TWO = "two-independent-interviewers"
THREE_TO_FIVE = "three-to-five-competencies"


def unrated() -> Story:
    """Two people wrote; nobody looked at trade-offs."""
    return planned().wrote(IRIS, "screen").wrote(JUNO, "design")


def for_requisition(policy: str) -> c.GrantRequisitionException:
    """An exception for all loops of the requisition."""
    return c.GrantRequisitionException(
        requisition=REQUISITION,
        policy=policy,
        reason="the second team is on leave",
        expires_at=planned().now + timedelta(days=30),
    )


def test_an_exception_lets_one_rule_be_broken_and_is_named(by: By) -> None:
    """The finding stays, the receipt says who let it pass, and nothing is refused by it."""
    story = unrated().excepted(EVIDENCED)
    granted = [one.position for one in story.facts if isinstance(one.fact, f.ExceptionGranted)]
    one = by(EVIDENCED, story.asks_gate().case)
    assert (one.verdict, one.enforcement) == ("excepted", "block")
    assert [one.exception] == granted
    assert [(x.enforcement, x.message) for x in one.findings] == [
        ("warn", "nobody rated trade-offs with evidence")
    ]


def test_an_excepted_rule_does_not_refuse_the_intent(catalogue: Catalogue) -> None:
    """With its only obstacle excepted the gate is passed."""
    story = planned().held("screen").wrote(IRIS, "screen").held("design").wrote(JUNO, "design")
    assert catalogue.judge(story.asks_gate().case, None).refused
    assert not catalogue.judge(story.excepted(EVIDENCED).asks_gate().case, None).refused


def test_an_expired_exception_is_none(by: By) -> None:
    """It holds until the very moment of its expiry and no longer."""
    story = unrated().excepted(EVIDENCED, hours=1)
    expires = story.world.loops[next(iter(story.world.loops))].exceptions[-1].fact.expires_at
    story.now = expires - timedelta(microseconds=1)
    assert by(EVIDENCED, story.asks_gate().case).verdict == "excepted"
    story.now = expires
    assert by(EVIDENCED, story.asks_gate().case).verdict == "refused"


def test_nobody_excepts_themselves(by: By) -> None:
    """What the hiring manager granted does not help the hiring manager, but would help another."""
    story = unrated().excepted(EVIDENCED, by=HIRING_MANAGER)
    assert by(EVIDENCED, story.asks_gate().case).verdict == "refused"
    assert by(EVIDENCED, story.excepted(EVIDENCED, by=TECH_LEAD).asks_gate().case).verdict == (
        "excepted"
    )


def test_a_core_rule_takes_no_exception(by: By) -> None:
    """Two independent interviewers are needed, whoever signs."""
    one = by(TWO, planned().wrote(IRIS, "screen").excepted(TWO).asks_gate().case)
    assert (one.verdict, one.exception) == ("refused", None)


def test_an_exception_to_another_rule_does_not_help(by: By) -> None:
    """One rule is let go, not all."""
    story = unrated().excepted("feedback-on-time")
    assert by(EVIDENCED, story.asks_gate().case).verdict == "refused"


def test_of_several_exceptions_the_latest_that_holds_is_named(by: By) -> None:
    """An expired later one does not hide an earlier one that holds."""
    story = unrated().excepted(EVIDENCED, hours=99).excepted(EVIDENCED, hours=1).later(hours=2)
    first = story.world.loops[next(iter(story.world.loops))].exceptions[0].position
    assert by(EVIDENCED, story.asks_gate().case).exception == first


def test_an_exception_for_the_requisition_holds_for_its_loops(by: By) -> None:
    """It holds before a loop is open, and in the loop."""
    story = rubric().does(TECH_LEAD, scorecard(*COMPETENCIES[:2]))
    assert by(THREE_TO_FIVE, story.asks_open(version=2).case).verdict == "refused"
    story.does(PARTNER, for_requisition(THREE_TO_FIVE))
    one = by(THREE_TO_FIVE, story.asks_open(version=2).case)
    assert (one.verdict, one.exception) == ("excepted", story.world.head)
    in_loop = unrated().does(PARTNER, for_requisition(EVIDENCED))
    assert by(EVIDENCED, in_loop.asks_gate().case).verdict == "excepted"


def test_a_warning_can_be_excepted_too(by: By) -> None:
    """A second person may answer for what can no longer be cured."""
    story = planned().held("screen").later(hours=30).wrote(IRIS, "screen")
    assert by("feedback-on-time", story.asks_gate().case).verdict == "warned"
    story.excepted("feedback-on-time")
    assert by("feedback-on-time", story.asks_gate().case).verdict == "excepted"


def test_where_nothing_is_found_an_exception_is_not_used(by: By) -> None:
    """A rule that is met passes."""
    one = by(EVIDENCED, evidenced().excepted(EVIDENCED).asks_gate().case)
    assert (one.verdict, one.exception) == ("passed", None)


def test_advice_uses_no_exception(by: By) -> None:
    """What only advises stays advice."""
    story = planned().held("screen").excepted(EVIDENCED)
    case = story.asks(IRIS, story.feedback("screen", "too short")).case
    assert by(EVIDENCED, case).verdict == "warned"


def test_an_exception_to_an_unknown_rule_cannot_be_granted(catalogue: Catalogue) -> None:
    """A slip in the id is told to who makes it."""
    with pytest.raises(Meaningless, match="no such rule") as refusal:
        catalogue.check_exception("two-interviewers")
    assert refusal.value.pointer == "/policy"


@pytest.mark.parametrize(
    "core",
    [
        "gate-passed-and-fresh",
        "own-feedback-first",
        "safety-never-skipped",
        "scorecard-approved-by-three",
        "two-independent-interviewers",
    ],
)
def test_an_exception_to_a_core_rule_cannot_be_granted(catalogue: Catalogue, core: str) -> None:
    """It is refused when it is asked for, under the rule's own id."""
    with pytest.raises(RefusedByRule, match="a core rule takes no exception") as refusal:
        catalogue.check_exception(core)
    assert [(x.policy, x.message) for x in refusal.value.findings] == [
        (core, "this rule is core: no exception can be granted to it")
    ]


def test_an_exception_to_any_other_rule_can_be_granted(catalogue: Catalogue) -> None:
    """All rules that are not core take one."""
    for rule in catalogue.current.values():
        if not rule.core:
            catalogue.check_exception(rule.id)
