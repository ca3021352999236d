"""The rubric: what a requisition asks for and by which rules it will be judged."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from domain.facts.base import Fact, Ref
from domain.findings import Enforcement, Judged, ParamValue, PolicyId
from domain.values import (
    Code,
    ContentDigest,
    Minutes,
    OrgText,
    PersonHandle,
    ShortOrgText,
    Slug,
    Version,
)

Bucket = Literal["framing", "design", "safety", "collaboration"]
BUCKETS: tuple[Bucket, ...] = ("framing", "design", "safety", "collaboration")
Capacity = Literal["hiring_manager", "tech_lead", "partner"]
PromptKind = Literal["design", "coding", "hypothetical", "behavioural", "reference", "take_home"]
SessionKind = Literal["interview", "panel", "take_home", "reference"]
RequisitionStatus = Literal["open", "filled", "cancelled"]
PersonMetrics = Literal["off", "self", "aggregate", "named"]
Jurisdiction = Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?(?!\n)$")]
TimeZone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}(?!\n)$", description="IANA name")]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A piece of a fact or command that has no life of its own."""


class Partner(Part, frozen=True, kw_only=True):
    """The partner function of a hiring team, such as product or security."""

    person: PersonHandle
    function: Slug


class Team(Part, frozen=True, kw_only=True):
    """Who hires: the people that approve, recommend and decide for a requisition."""

    hiring_manager: PersonHandle
    tech_lead: PersonHandle
    partner: Partner
    decision_maker: PersonHandle

    def people(self) -> tuple[str, ...]:
        """Everyone named, each once."""
        named = (self.hiring_manager, self.tech_lead, self.partner.person, self.decision_maker)
        return tuple(dict.fromkeys(named))


class RequisitionContent(Part, frozen=True, kw_only=True):
    """What is to be filled, by whom, and under which law and clock."""

    title: ShortOrgText
    team: Team
    jurisdictions: Annotated[tuple[Jurisdiction, ...], Meta(min_length=1, max_length=20)]
    time_zone: TimeZone
    legal_entity: ShortOrgText | None = None
    openings: Annotated[int, Meta(ge=1, le=10_000)] = 1


class RequisitionOpened(Fact, frozen=True, kw_only=True, tag="requisition-opened.v1"):
    """We opened a requisition and named its hiring team."""

    requisition: Slug
    content: RequisitionContent


class RequisitionChanged(Fact, frozen=True, kw_only=True, tag="requisition-changed.v1"):
    """We changed a requisition; this is how it stands now."""

    requisition: Slug
    content: RequisitionContent
    status: RequisitionStatus


class StandardSession(Part, frozen=True, kw_only=True):
    """What every candidate of a requisition gets at a stage: the prompts and the minutes."""

    stage: Slug
    kind: SessionKind
    prompts: tuple[Ref, ...]
    minutes: Minutes


class RequisitionStandardSet(Fact, frozen=True, kw_only=True, tag="requisition-standard-set.v1"):
    """The first plan of a requisition became the standard for all its candidates."""

    requisition: Slug
    sessions: tuple[StandardSession, ...]


class Scale(Part, frozen=True, kw_only=True):
    """The rating scale, both ends included."""

    min: Annotated[int, Meta(ge=0, le=99)]
    max: Annotated[int, Meta(ge=1, le=100)]


class Probe(Part, frozen=True, kw_only=True):
    """A question that every candidate is asked, or a reasoned skip."""

    id: Code
    text: OrgText


class Observation(Part, frozen=True, kw_only=True):
    """A behaviour to look for, and how it reads: strong, weak, or an element of a checklist."""

    code: Code
    reading: Literal["strong", "weak", "element"]
    text: OrgText


AnchorRating = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,2})(?!\n)$")]


class Competency(Part, frozen=True, kw_only=True):
    """One competency of a scorecard with its behavioural anchors."""

    id: Slug
    name: ShortOrgText
    buckets: Annotated[tuple[Bucket, ...], Meta(min_length=1, max_length=4)]
    weight: Annotated[float, Meta(ge=0, le=1000)]
    anchors: Annotated[dict[AnchorRating, OrgText], Meta(max_length=101)]
    probes: Annotated[tuple[Probe, ...], Meta(max_length=40)] = ()
    observations: Annotated[tuple[Observation, ...], Meta(max_length=60)] = ()
    inclusive: bool = False


class ScorecardContent(Part, frozen=True, kw_only=True):
    """What three people approve: the words and weights by which candidates will be rated."""

    title: ShortOrgText
    role_family: Literal["llm", "ml", "other"]
    seniority: Literal["junior", "mid", "senior", "staff"]
    scale: Scale
    competencies: Annotated[tuple[Competency, ...], Meta(min_length=1, max_length=20)]


class ScorecardVersioned(Fact, frozen=True, kw_only=True, tag="scorecard-versioned.v1"):
    """We wrote a version of a scorecard."""

    scorecard: Slug
    version: Version
    content: ScorecardContent
    content_digest: ContentDigest
    derived_from: Ref | None = None
    change: Slug | None = None
    judged: Judged


class ScorecardApproved(Fact, frozen=True, kw_only=True, tag="scorecard-approved.v1"):
    """Someone of the hiring team approved exactly this content for a requisition."""

    scorecard: Slug
    version: Version
    requisition: Slug
    capacity: Capacity
    content_digest: ContentDigest


class ScorecardRetired(Fact, frozen=True, kw_only=True, tag="scorecard-retired.v1"):
    """A version of a scorecard is not to be used for new loops."""

    scorecard: Slug
    version: Version
    reason: OrgText


Cost = Annotated[float, Meta(ge=0, le=1e12)]


class PromptContent(Part, frozen=True, kw_only=True):
    """What a candidate is asked, and the constraints stated with it."""

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


class PromptVersioned(Fact, frozen=True, kw_only=True, tag="prompt-versioned.v1"):
    """We wrote a version of a prompt."""

    prompt: Slug
    version: Version
    content: PromptContent
    judged: Judged


class Expectation(Part, frozen=True, kw_only=True):
    """What the posting tells candidates about how one competency is evaluated."""

    competency: Slug
    text: OrgText


class KnockOut(Part, frozen=True, kw_only=True):
    """A requirement stated up front whose absence ends an application."""

    id: Slug
    text: OrgText


class PostingContent(Part, frozen=True, kw_only=True):
    """The public listing's evaluation expectations and knock-outs."""

    requisition: Slug
    title: ShortOrgText
    expectations: Annotated[tuple[Expectation, ...], Meta(max_length=20)]
    knock_outs: Annotated[tuple[KnockOut, ...], Meta(max_length=20)] = ()


class PostingVersioned(Fact, frozen=True, kw_only=True, tag="posting-versioned.v1"):
    """We wrote a version of the public listing."""

    posting: Slug
    version: Version
    content: PostingContent
    judged: Judged


class PolicySetting(Part, frozen=True, kw_only=True):
    """One rule in a policy set: its version, how strictly it is enforced, its parameters."""

    id: PolicyId
    version: Version | None = None
    enforcement: Enforcement
    params: dict[Code, ParamValue] = {}


class PolicySetAdopted(Fact, frozen=True, kw_only=True, tag="policy-set-adopted.v1"):
    """The organisation adopted a set of rules; loops opened from now on pin it."""

    policy_set: Slug
    version: Version
    policies: Annotated[tuple[PolicySetting, ...], Meta(max_length=100)]
    person_metrics: PersonMetrics = "off"
    agreement: ShortOrgText | None = None


RubricFact = (
    RequisitionOpened
    | RequisitionChanged
    | RequisitionStandardSet
    | ScorecardVersioned
    | ScorecardApproved
    | ScorecardRetired
    | PromptVersioned
    | PostingVersioned
    | PolicySetAdopted
)
