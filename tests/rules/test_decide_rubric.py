"""Requisitions, scorecards and their approvals, prompts, postings and policy sets."""

import pytest
from msgspec.structs import replace

import story as s
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.refusals import Exists, Forbidden, Meaningless, Missing
from domain.values import content_digest
from examples import of
from examples_early import TEAM
from scenario import given

CHANGE = c.ChangeRequisition(requisition=s.REQUISITION)
VERSION = c.VersionScorecard(
    scorecard="ml-engineer",
    title="ML engineer",
    role_family="ml",
    seniority="senior",
    scale=f.Scale(min=1, max=4),
    competencies=(s.FRAMING, s.SAFETY),
)
APPROVAL = c.ApproveScorecard(
    scorecard="ml-engineer",
    version=1,
    requisition=s.REQUISITION,
    capacity="tech_lead",
    content_digest=s.CARD_DIGEST,
)
TO_APPROVE = (s.REQUISITION_OPENED, s.SCORECARD_VERSIONED)
RETIREMENT = c.RetireScorecard(
    scorecard="ml-engineer", version=1, reason="Two competencies overlap."
)
PROMPT = c.VersionPrompt(
    prompt="rag-twin",
    kind="design",
    text="Design a search.",
    competency="framing",
    buckets=("design",),
)
LISTING = c.VersionPosting(
    posting="ml-engineer-berlin",
    requisition=s.REQUISITION,
    title="ML engineer (Berlin)",
    expectations=s.POSTING_CONTENT.expectations,
    knock_outs=s.POSTING_CONTENT.knock_outs,
)
ADOPTION = c.AdoptPolicySet(
    policy_set="default",
    policies=(f.PolicySetting(id="feedback-on-time", enforcement="warn"),),
)


def test_a_requisition_is_opened_once() -> None:
    """Its id is then taken."""
    given(s.REQUISITION_OPENED).when(of(c.OpenRequisition).command).refused(
        Exists, "a requisition has this id already"
    )


@pytest.mark.parametrize(
    ("change", "content", "status"),
    [
        (CHANGE, s.CONTENT, "open"),
        (replace(CHANGE, title="Lead"), replace(s.CONTENT, title="Lead"), "open"),
        (
            replace(CHANGE, team=replace(TEAM, tech_lead=s.ANA)),
            replace(s.CONTENT, team=replace(s.TEAM, tech_lead=s.ANA)),
            "open",
        ),
        (
            replace(CHANGE, jurisdictions=("FR",)),
            replace(s.CONTENT, jurisdictions=("FR",)),
            "open",
        ),
        (
            replace(CHANGE, time_zone="Europe/Paris"),
            replace(s.CONTENT, time_zone="Europe/Paris"),
            "open",
        ),
        (
            replace(CHANGE, legal_entity="Example SA"),
            replace(s.CONTENT, legal_entity="Example SA"),
            "open",
        ),
        (replace(CHANGE, openings=1), replace(s.CONTENT, openings=1), "open"),
        (replace(CHANGE, status="cancelled"), s.CONTENT, "cancelled"),
    ],
    ids=["nothing", "title", "team", "law", "zone", "entity", "openings", "status"],
)
def test_a_change_keeps_what_it_does_not_name(
    change: c.ChangeRequisition, content: f.RequisitionContent, status: f.RequisitionStatus
) -> None:
    """The fact tells the whole requisition as it stands after the change."""
    given(s.REQUISITION_OPENED).when(change).then(
        replace(s.REQUISITION_CHANGED, content=content, status=status)
    )


def test_a_second_change_builds_on_the_first() -> None:
    """What an earlier change set stays, its status included."""
    before = replace(s.REQUISITION_CHANGED, content=replace(s.CONTENT, title="Lead"))
    given(s.REQUISITION_OPENED, before).when(replace(CHANGE, openings=7)).then(
        replace(before, content=replace(s.CONTENT, title="Lead", openings=7))
    )


def test_an_unknown_requisition_cannot_be_changed() -> None:
    """It is opened first."""
    given().when(CHANGE).refused(Missing, "no such requisition; open it first")


def test_a_requisition_is_changed_by_the_team_it_has_now() -> None:
    """Whoever was replaced in the team changes nothing any more."""
    team = replace(s.TEAM, hiring_manager=s.ANA)
    before = replace(s.REQUISITION_CHANGED, content=replace(s.CONTENT, team=team))
    given(s.REQUISITION_OPENED, before).when(CHANGE).refused(
        Forbidden, "the requisition's team does not name this person; change the team first"
    )


@pytest.mark.parametrize(
    ("command", "detail", "pointer"),
    [
        (
            replace(VERSION, scale=f.Scale(min=4, max=4)),
            "the scale's min must be below its max",
            "/scale",
        ),
        (
            replace(VERSION, competencies=(s.SAFETY, s.SAFETY)),
            "an id stands twice; each names one thing",
            "/competencies",
        ),
        (
            replace(
                VERSION, competencies=(s.SAFETY, replace(s.FRAMING, probes=s.FRAMING.probes * 2))
            ),
            "an id stands twice; each names one thing",
            "/competencies/1/probes",
        ),
        (
            replace(
                VERSION,
                competencies=(replace(s.FRAMING, observations=s.FRAMING.observations[:1] * 2),),
            ),
            "an id stands twice; each names one thing",
            "/competencies/0/observations",
        ),
        (
            replace(VERSION, scale=f.Scale(min=1, max=3)),
            "an anchor is off the scale",
            "/competencies/0/anchors",
        ),
        (
            replace(VERSION, scale=f.Scale(min=2, max=4), competencies=(s.SAFETY,)),
            "an anchor is off the scale",
            "/competencies/0/anchors",
        ),
    ],
    ids=["scale", "competency", "probe", "observation", "anchor-above", "anchor-below"],
)
def test_a_scorecard_that_cannot_be_meant_is_refused(
    command: c.VersionScorecard, detail: str, pointer: str
) -> None:
    """Ids name one thing each, and anchors stand on the scale."""
    given().when(command).refused(Meaningless, detail, pointer)


def test_a_scorecard_is_derived_from_a_version_that_exists() -> None:
    """A version that nobody wrote is no origin."""
    given(s.STARTER_VERSIONED).when(
        replace(VERSION, derived_from=f.Ref(id="starter", version=4))
    ).refused(Missing, "no such scorecard version to derive from", "/derived_from")


def test_the_next_version_of_a_scorecard_has_the_next_number_and_its_own_digest() -> None:
    """Whoever approved the version before has not approved this one."""
    content = replace(s.CARD_CONTENT, title="ML engineer, sharper")
    given(s.SCORECARD_VERSIONED, s.SCORECARD_APPROVED).when(
        replace(VERSION, title="ML engineer, sharper"), by=s.TECH_LEAD
    ).then(
        f.ScorecardVersioned(
            stamp=s.stamp(tags.scorecard("ml-engineer"), by=s.TECH_LEAD),
            scorecard="ml-engineer",
            version=2,
            content=content,
            content_digest=content_digest(content),
            judged=s.JUDGED,
        )
    )
    assert content_digest(content) != s.CARD_DIGEST


@pytest.mark.parametrize(
    ("capacity", "person"),
    [("hiring_manager", s.HM), ("tech_lead", s.TECH_LEAD), ("partner", s.PARTNER)],
)
def test_each_of_three_approves_in_their_own_capacity(capacity: f.Capacity, person: str) -> None:
    """The requisition's team says who approves as what."""
    given(*TO_APPROVE).when(
        replace(APPROVAL, capacity=capacity), by=person, roles=("approver",)
    ).then(
        replace(
            s.SCORECARD_APPROVED,
            stamp=replace(s.SCORECARD_APPROVED.stamp, by=person),
            capacity=capacity,
        )
    )


@pytest.mark.parametrize(
    ("capacity", "person"),
    [
        ("hiring_manager", s.TECH_LEAD),
        ("tech_lead", s.PARTNER),
        ("partner", s.HM),
        ("tech_lead", s.DECIDER),
        ("tech_lead", s.STRANGER),
    ],
)
def test_nobody_approves_in_the_capacity_of_someone_else(capacity: f.Capacity, person: str) -> None:
    """Being an approver is not enough: the team names one person a capacity."""
    given(*TO_APPROVE).when(
        replace(APPROVAL, capacity=capacity), by=person, roles=("approver",)
    ).refused(Forbidden, "the requisition's team names someone else in this capacity")


def test_an_approval_of_another_digest_is_refused() -> None:
    """One approves what one read, word for word."""
    given(*TO_APPROVE).when(replace(APPROVAL, content_digest="0" * 64), by=s.TECH_LEAD).refused(
        Meaningless,
        "this digest is not that of the version; read it again and approve what you read",
        "/content_digest",
    )


def test_an_approval_of_an_unknown_version_is_not_found() -> None:
    """There is nothing to approve."""
    given(*TO_APPROVE).when(replace(APPROVAL, version=2), by=s.TECH_LEAD).refused(
        Missing, "no such version of this scorecard"
    )


def test_an_approval_for_an_unknown_requisition_is_not_found() -> None:
    """An approval is given for one requisition."""
    given(s.SCORECARD_VERSIONED).when(APPROVAL, by=s.TECH_LEAD).refused(
        Missing, "no such requisition; open it first", "/requisition"
    )


def test_an_unknown_version_cannot_be_retired() -> None:
    """There is nothing to retire."""
    given(s.SCORECARD_VERSIONED).when(replace(RETIREMENT, version=2)).refused(
        Missing, "no such version of this scorecard"
    )


def test_a_version_is_retired_once() -> None:
    """The first retirement counts."""
    given(s.SCORECARD_VERSIONED, s.SCORECARD_RETIRED).when(RETIREMENT).refused(
        Exists, "this version is retired already"
    )


def test_another_version_of_a_retired_scorecard_can_be_retired() -> None:
    """Retiring is about one version."""
    second = replace(s.SCORECARD_VERSIONED, version=2)
    given(s.SCORECARD_VERSIONED, second, s.SCORECARD_RETIRED).when(
        replace(RETIREMENT, version=2)
    ).then(replace(s.SCORECARD_RETIRED, version=2))


def test_the_next_version_of_a_prompt_has_the_next_number() -> None:
    """A prompt without constraints is recorded too; the rules say what they make of it."""
    given(s.TWIN_VERSIONED).when(PROMPT).then(replace(s.TWIN_VERSIONED, version=2))


def test_a_prompt_is_not_numbered_after_its_twin() -> None:
    """Reading a prompt finds what is equivalent to it; that does not count as a version of it."""
    given(s.TWIN_VERSIONED, s.PROMPT_VERSIONED).when(PROMPT).then(
        replace(s.TWIN_VERSIONED, version=2)
    )


def test_a_prompt_is_equivalent_to_a_version_that_exists() -> None:
    """A version that nobody wrote is equivalent to nothing."""
    given(s.TWIN_VERSIONED).when(
        replace(of(c.VersionPrompt).command, equivalent_to=f.Ref(id="rag-twin", version=2))
    ).refused(Missing, "no such prompt version to be equivalent to", "/equivalent_to")


def test_a_prompt_equivalent_to_its_own_earlier_version_is_tagged_once() -> None:
    """The same tag never stands twice."""
    first = f.Ref(id="rag-twin", version=1)
    given(s.TWIN_VERSIONED).when(replace(PROMPT, equivalent_to=first)).then(
        replace(
            s.TWIN_VERSIONED,
            version=2,
            content=replace(s.TWIN_VERSIONED.content, equivalent_to=first),
        )
    )


def test_the_next_version_of_a_posting_has_the_next_number() -> None:
    """A posting is rewritten for the same requisition."""
    given(s.REQUISITION_OPENED, s.POSTING_VERSIONED).when(LISTING).then(
        replace(s.POSTING_VERSIONED, version=2)
    )


def test_a_posting_for_an_unknown_requisition_is_not_found() -> None:
    """A posting belongs to a requisition."""
    given().when(LISTING).refused(Missing, "no such requisition; open it first", "/requisition")


def test_a_posting_stays_with_its_requisition() -> None:
    """The next version cannot move to another requisition."""
    other = replace(
        s.REQUISITION_OPENED,
        stamp=s.stamp(tags.requisition("ml-paris")),
        requisition="ml-paris",
    )
    given(other, s.POSTING_VERSIONED).when(replace(LISTING, requisition="ml-paris")).refused(
        Meaningless, "this posting belongs to another requisition", "/requisition"
    )


def test_a_knock_out_named_twice_is_refused() -> None:
    """Each id names one requirement."""
    given(s.REQUISITION_OPENED).when(replace(LISTING, knock_outs=LISTING.knock_outs * 2)).refused(
        Meaningless, "an id stands twice; each names one thing", "/knock_outs"
    )


def test_the_next_version_of_a_policy_set_has_the_next_number() -> None:
    """Versions are counted for each set."""
    other = replace(s.POLICY_SET_ADOPTED, policy_set="strict")
    given(s.POLICY_SET_ADOPTED, other, other).when(ADOPTION, by=s.ADMIN).then(
        f.PolicySetAdopted(
            stamp=s.POLICY_SET_ADOPTED.stamp,
            policy_set="default",
            version=2,
            policies=ADOPTION.policies,
        )
    )


def test_a_policy_set_names_each_rule_once() -> None:
    """Two settings of one rule cannot both hold."""
    given().when(replace(ADOPTION, policies=ADOPTION.policies * 2), by=s.ADMIN).refused(
        Meaningless, "an id stands twice; each names one thing", "/policies"
    )


@pytest.mark.parametrize("metrics", ["self", "aggregate", "named"])
def test_numbers_about_interviewers_rest_on_an_agreement(metrics: f.PersonMetrics) -> None:
    """Whoever switches them on names the agreement."""
    given().when(replace(ADOPTION, person_metrics=metrics), by=s.ADMIN).refused(
        Meaningless,
        "numbers about interviewers rest on an agreement: name it, or leave them off",
        "/agreement",
    )
