"""Commands about requisitions, scorecards, prompts, postings and policy sets."""

from typing import Annotated, Literal

from msgspec import Meta

from domain.commands.base import Body, Command, PersonRef
from domain.facts import (
    Bucket,
    Capacity,
    Competency,
    Cost,
    Expectation,
    Jurisdiction,
    KnockOut,
    PersonMetrics,
    PolicySetting,
    PromptKind,
    Ref,
    RequisitionStatus,
    Scale,
    TimeZone,
)
from domain.values import ContentDigest, Minutes, OrgText, ShortOrgText, Slug, Version


class PartnerSpec(Body, frozen=True, kw_only=True):
    """The partner function, such as product or security, and who speaks for it."""

    person: PersonRef
    function: Slug


class TeamSpec(Body, frozen=True, kw_only=True):
    """The hiring team by people's ids."""

    hiring_manager: PersonRef
    tech_lead: PersonRef
    partner: PartnerSpec
    decision_maker: PersonRef


Jurisdictions = Annotated[tuple[Jurisdiction, ...], Meta(min_length=1, max_length=20)]
Openings = Annotated[int, Meta(ge=1, le=10_000)]


class OpenRequisition(Command, frozen=True, kw_only=True):
    """Open a requisition."""

    id: Slug
    title: ShortOrgText
    team: TeamSpec
    jurisdictions: Jurisdictions
    time_zone: TimeZone
    legal_entity: ShortOrgText | None = None
    openings: Openings = 1


class ChangeRequisition(Command, frozen=True, kw_only=True):
    """Change some fields of a requisition; what is not named stays."""

    requisition: Slug
    title: ShortOrgText | None = None
    team: TeamSpec | None = None
    jurisdictions: Jurisdictions | None = None
    time_zone: TimeZone | None = None
    legal_entity: ShortOrgText | None = None
    openings: Openings | None = None
    status: RequisitionStatus | None = None


class VersionScorecard(Command, frozen=True, kw_only=True):
    """Write the next version of a scorecard."""

    scorecard: Slug
    title: ShortOrgText
    role_family: Literal["llm", "ml", "other"]
    seniority: Literal["junior", "mid", "senior", "staff"]
    scale: Scale
    competencies: Annotated[tuple[Competency, ...], Meta(min_length=1, max_length=20)]
    derived_from: Ref | None = None
    change: Slug | None = None


class ApproveScorecard(Command, frozen=True, kw_only=True):
    """Approve exactly this content for a requisition, in a capacity its team gives you."""

    scorecard: Slug
    version: Version
    requisition: Slug
    capacity: Capacity
    content_digest: ContentDigest


class RetireScorecard(Command, frozen=True, kw_only=True):
    """Take a version out of use for new loops."""

    scorecard: Slug
    version: Version
    reason: OrgText


class VersionPrompt(Command, frozen=True, kw_only=True):
    """Write the next version of a prompt."""

    prompt: Slug
    kind: PromptKind
    text: OrgText
    competency: Slug
    buckets: Annotated[tuple[Bucket, ...], Meta(min_length=1, max_length=4)]
    latency: OrgText | None = None
    budget: OrgText | None = None
    privacy: OrgText | None = None
    failure_mode: OrgText | None = None
    cost_false_positive: Cost | None = None
    cost_false_negative: Cost | None = None
    scope: Literal["tight", "open"] = "tight"
    guidance_minutes: Minutes | None = None
    interfaces: Annotated[tuple[Literal["data", "tools", "people"], ...], Meta(max_length=3)] = ()
    vendor_followup_minutes: Minutes | None = None
    equivalent_to: Ref | None = None


class VersionPosting(Command, frozen=True, kw_only=True):
    """Write the next version of a public listing."""

    posting: Slug
    requisition: Slug
    title: ShortOrgText
    expectations: Annotated[tuple[Expectation, ...], Meta(max_length=20)]
    knock_outs: Annotated[tuple[KnockOut, ...], Meta(max_length=20)] = ()


class AdoptPolicySet(Command, frozen=True, kw_only=True):
    """Adopt the next version of a policy set."""

    policy_set: Slug
    policies: Annotated[tuple[PolicySetting, ...], Meta(max_length=100)]
    person_metrics: PersonMetrics = "off"
    agreement: ShortOrgText | None = None
