"""What the parameters of rules change, each at its edge."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain import commands as c
from domain import facts as f
from domain.case import Case
from domain.findings import ParamValue, Receipt
from policies import Catalogue
from policies._examples import planned, rubric
from policies._sample import (
    DECIDER,
    HIRING_MANAGER,
    IRIS,
    LOOP,
    REQUISITION,
    TECH_LEAD,
    competency,
    reason,
    scorecard,
)

BERLIN = ZoneInfo("Europe/Berlin")
Under = Callable[..., Receipt]


@pytest.fixture
def under(catalogue: Catalogue, adopted: Callable[..., f.PolicySetAdopted]) -> Under:
    """One rule's receipt under a set that gives it these parameters."""

    def judge(id_: str, case: Case, **params: ParamValue) -> Receipt:
        enforcement = catalogue.current[id_].enforcement
        judged = catalogue.judge(case, adopted(id_, enforcement, **params))
        return next(r for r in judged.receipts if r.policy == id_)

    return judge


def written(ended: datetime, at: datetime, zone: str | None = None) -> Case:
    """A gate after a screen that ended then and feedback written at that time."""
    story = planned()
    if zone is not None:
        change = c.ChangeRequisition(requisition=REQUISITION, time_zone=zone)
        story.does(HIRING_MANAGER, change)
    report = c.CompleteSession(
        loop=LOOP, session="screen", started_at=ended, ended_at=ended, attendees=(), prompts=()
    )
    story.now = max(ended, at)
    return story.does(HIRING_MANAGER, report).wrote(IRIS, "screen", at=at).asks_gate().case


@pytest.mark.parametrize(
    ("ended", "at", "verdict"),
    [
        ("2026-03-02 17:00", "2026-03-03 23:59", "passed"),
        ("2026-03-02 17:00", "2026-03-04 00:00", "passed"),
        ("2026-03-02 17:00", "2026-03-04 00:01", "warned"),
        ("2026-03-06 17:00", "2026-03-09 23:59", "passed"),
        ("2026-03-06 17:00", "2026-03-10 00:01", "warned"),
        ("2026-03-07 10:00", "2026-03-09 23:59", "passed"),
        ("2026-03-08 10:00", "2026-03-10 00:01", "warned"),
        ("2026-03-27 17:00", "2026-03-30 23:59", "passed"),
    ],
    ids=[
        "next evening", "midnight", "after midnight", "friday to monday", "friday to tuesday",
        "saturday to monday", "sunday to tuesday", "over the change to summer time",
    ],
)  # fmt: skip
def test_the_next_business_day_ends_at_midnight_where_the_requisition_is(
    under: Under, ended: str, at: str, verdict: str
) -> None:
    """Days and weekends are those of the requisition's own clock."""
    case = written(
        datetime.fromisoformat(ended).replace(tzinfo=BERLIN),
        datetime.fromisoformat(at).replace(tzinfo=BERLIN),
    )
    assert under("feedback-on-time", case, due="next_business_day").verdict == verdict


def test_another_time_zone_is_another_day(under: Under) -> None:
    """A session past midnight in Berlin was the evening before in New York, and is due earlier."""
    ended = datetime(2026, 3, 3, 0, 30, tzinfo=BERLIN)
    at = datetime(2026, 3, 4, 6, 1, tzinfo=BERLIN)
    berlin, new_york = written(ended, at), written(ended, at, "America/New_York")
    assert under("feedback-on-time", berlin, due="next_business_day").verdict == "passed"
    assert under("feedback-on-time", new_york, due="next_business_day").verdict == "warned"


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "Europe", "../etc"])
def test_a_time_zone_that_is_none_is_said_and_nothing_fails(under: Under, zone: str) -> None:
    """Lateness by business days cannot be judged without a calendar; by hours it can."""
    moment = datetime(2026, 3, 3, 10, 0, tzinfo=BERLIN)
    case = written(moment, moment, zone)
    receipt = under("feedback-on-time", case, due="next_business_day")
    assert receipt.verdict == "warned"
    assert [finding.message for finding in receipt.findings] == [
        "the requisition's time zone is unknown here, so lateness cannot be judged"
    ]
    assert under("feedback-on-time", case).verdict == "passed"


def test_a_small_firm_may_have_two_approvers(under: Under) -> None:
    """All three capacities stay, two people may hold them."""
    story = rubric()
    team = c.TeamSpec(
        hiring_manager=HIRING_MANAGER,
        tech_lead=TECH_LEAD,
        partner=c.PartnerSpec(person=TECH_LEAD, function="security"),
        decision_maker=DECIDER,
    )
    story.does(HIRING_MANAGER, c.ChangeRequisition(requisition=REQUISITION, team=team))
    partly = story.approved("hiring_manager", "tech_lead").asks_open().case
    assert under("scorecard-approved-by-three", partly, distinct_approvers_min=2).verdict == (
        "refused"
    )
    whole = story.approved("partner").asks_open().case
    assert under("scorecard-approved-by-three", whole, distinct_approvers_min=2).verdict == (
        "passed"
    )


def test_an_organisation_may_rate_six_competencies(under: Under) -> None:
    """The limits move, and the message moves with them."""
    many = tuple(competency(f"number-{n}", "framing") for n in range(7))
    six = rubric().asks(TECH_LEAD, scorecard(*many[:6])).case
    seven = rubric().asks(TECH_LEAD, scorecard(*many)).case
    rule = "three-to-five-competencies"
    assert under(rule, six, competencies_max=6).verdict == "passed"
    assert under(rule, seven, competencies_max=6).findings[0].message == (
        "the scorecard lists 7 competencies; 3 to 6 can be rated"
    )


def test_an_organisation_may_ask_for_longer_anchors(under: Under) -> None:
    """Eight words are enough unless nine are asked for."""
    case = rubric().asks(TECH_LEAD, scorecard()).case
    rule = "anchor-for-every-rating"
    assert under(rule, case, anchor_words_min=8).verdict == "passed"
    assert under(rule, case, anchor_words_min=9).verdict == "refused"


def test_an_organisation_may_wait_longer_for_reports(under: Under) -> None:
    """Hours between event and record are counted from the one to the other."""
    story = planned().held("screen").later(days=4)
    story.wrote(IRIS, "screen", at=story.now - timedelta(hours=80))
    case = story.asks_gate().case
    assert under("recorded-when-it-happened", case).verdict == "warned"
    assert under("recorded-when-it-happened", case, recorded_hours_max=80).verdict == "passed"
    assert under("recorded-when-it-happened", case, recorded_hours_max=79).verdict == "warned"


@pytest.mark.parametrize(
    ("screen_no_hire", "read", "posted", "verdict"),
    [
        ("second_reader", False, False, "refused"),
        ("second_reader", True, False, "passed"),
        ("second_reader", False, True, "passed"),
        ("warn", False, False, "warned"),
        ("warn", True, False, "passed"),
        ("block", False, False, "refused"),
        ("block", True, False, "refused"),
        ("block", True, True, "passed"),
    ],
)
def test_what_one_person_may_reject_at_screening_is_a_house_rule(
    under: Under, screen_no_hire: str, read: bool, posted: bool, verdict: str
) -> None:
    """A posted knock-out always does; a second reader and a warning where the house says so."""
    story = planned().wrote(IRIS, "screen") if read else planned()
    given = reason("knock_out", "work-permit") if posted else reason("competency", "trade-offs")
    case = story.asks_reject("screening", given).case
    rule = "screening-by-posted-criteria"
    assert under(rule, case, screen_no_hire=screen_no_hire).verdict == verdict


def test_at_other_stages_screening_has_no_say(under: Under) -> None:
    """The rule is about the first glance only, and about turning down."""
    story = planned()
    rule = "screening-by-posted-criteria"
    elsewhere = story.asks_reject("onsite", reason("competency", "trade-offs")).case
    assert under(rule, elsewhere).verdict == "passed"
    advance = c.DecideStage(loop=LOOP, stage="screening", outcome="advance")
    assert under(rule, story.asks(HIRING_MANAGER, advance).case).verdict == "passed"


def test_a_house_that_rejects_by_posted_criteria_only_says_so(under: Under) -> None:
    """Where a second reader does not help, the refusal does not ask for one."""
    case = planned().asks_reject("screening", reason("competency", "trade-offs")).case
    rule = "screening-by-posted-criteria"
    (finding,) = under(rule, case, screen_no_hire="block").findings
    assert (
        finding.message == "the rejection at screening names no knock-out that the posting states"
    )
    assert finding.cure == "name a posted knock-out, or let the candidate go on"
    (finding,) = under(rule, case, screen_no_hire="warn").findings
    assert finding.enforcement == "warn"
    assert finding.cure == (
        "name a posted knock-out, or have a second person read and write independently"
    )
