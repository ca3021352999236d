"""One loop from requisition to outcome, as recorded: invented people, and a fact of every type.

The facts stand in the order a loop lives through them, each with every field it can have. Here are
the people, the rubric and the opening; what came later is in `story_later`. Tests take what they
need and change what they are about with `msgspec.structs.replace`. The first fact of every type is
frozen in `tests/golden`: write another beside it rather than change it.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from domain import facts as f
from domain import tags
from domain.findings import Basis, Finding, Item, Judged, Receipt
from domain.values import Digest, content_digest

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

HM = "p_" + "h" * 26
TECH_LEAD = "p_" + "t" * 26
PARTNER = "p_" + "r" * 26
DECIDER = "p_" + "d" * 26
ANA = "p_" + "a" * 26
BEN = "p_" + "b" * 26
CAY = "p_" + "c" * 26
ADMIN = "p_" + "m" * 26
AUDITOR = "p_" + "u" * 26
OFFICER = "p_" + "o" * 26
STRANGER = "p_" + "s" * 26
CANDIDATE = "c_" + "c" * 26
OTHER_CANDIDATE = "c_" + "x" * 26
LOOP = "l_" + "l" * 26
OTHER_LOOP = "l_" + "x" * 26
KEY = "k_" + "k" * 26
NEW_KEY = "k_" + "n" * 26
CAUSE = "r_" + "q" * 26

ROLES_OF: dict[str, tuple[f.Role, ...]] = {
    HM: ("hiring_manager",),
    TECH_LEAD: ("approver", "interviewer"),
    PARTNER: ("approver",),
    DECIDER: ("decision_maker",),
    ANA: ("interviewer",),
    BEN: ("interviewer",),
    CAY: ("interviewer",),
    ADMIN: ("administrator",),
    AUDITOR: ("auditor",),
    OFFICER: ("privacy_officer",),
    STRANGER: f.ROLES,
}
"""Whom the company has registered; the stranger may do anything, but not here."""


def said(words: str, about: str) -> Digest:
    """Words about someone, sealed: the same words about the same person give the same digest."""
    hashed = hashlib.sha256(f"{about}\0{words}".encode()).digest()
    return Digest(sd=base64.urlsafe_b64encode(hashed).decode().rstrip("="))


ATS = f.Source(system="ats", object="scorecard", id_mac="M" * 43, revision="7")


def stamp(*words: str, by: str = HM, source: f.Source | None = None) -> f.Stamp:
    """The stamp of what somebody recorded just now with their own key."""
    origin = (tags.source(source.id_mac),) if source else ()
    return f.Stamp(
        at=NOW,
        recorded=NOW,
        by=by,
        via=KEY,
        assurance="own_key",
        cause=CAUSE,
        tags=(*words, *origin),
        source=source,
    )


IN_LOOP = tags.loop(LOOP)
ABOUT = (tags.loop(LOOP), tags.candidate(CANDIDATE))

FINDING = Finding(
    policy="two-independent-interviewers",
    version=1,
    enforcement="block",
    message="one person wrote evidence; two are needed",
    cure="let a second person write feedback before reading others'",
    positions=(3,),
)
WARNING = Finding(
    policy="two-independent-interviewers",
    version=1,
    enforcement="warn",
    message="one person wrote evidence; two are needed",
    cure="let a second person write feedback before reading others'",
    positions=(3,),
)
JUDGED = Judged(
    now=NOW,
    receipts=(
        Receipt(
            policy="two-independent-interviewers",
            version=1,
            enforcement="block",
            params={"people_min": 2},
            verdict="excepted",
            findings=(FINDING,),
            exception=5,
        ),
    ),
)
REFUSED = Judged(
    now=NOW,
    receipts=(
        Receipt(
            policy="two-independent-interviewers",
            version=1,
            enforcement="block",
            verdict="refused",
            findings=(FINDING,),
        ),
    ),
)
BASIS = Basis(
    items=(Item(types=("loop-opened.v1",), tags=(IN_LOOP,)),), upto=9, count=4, root="A" * 43 + "="
)

# ---------------------------------------------------------------- people and keys

PERSON_REGISTERED = f.PersonRegistered(
    stamp=stamp(tags.person(ANA), tags.people(), by=ADMIN),
    person=ANA,
    roles=("interviewer",),
    name=said("Ana Example", ANA),
)
KEY_ISSUED = f.KeyIssued(
    stamp=stamp(tags.key(NEW_KEY), tags.keys(), tags.person(ANA), by=ADMIN),
    key=NEW_KEY,
    person=ANA,
    roles=("interviewer",),
    secret_sha256="5" * 64,
    expires_at=NOW + 90 * DAY,
)
SERVICE_KEY_ISSUED = f.KeyIssued(
    stamp=stamp(tags.key(NEW_KEY), tags.keys(), by=ADMIN),
    key=NEW_KEY,
    service="ats",
    roles=("recorder",),
    secret_sha256="5" * 64,
)
KEY_REVOKED = f.KeyRevoked(stamp=stamp(tags.key(NEW_KEY), tags.keys(), by=ADMIN), key=NEW_KEY)

# ---------------------------------------------------------------- the rubric

REQUISITION = "ml-berlin"
TEAM = f.Team(
    hiring_manager=HM,
    tech_lead=TECH_LEAD,
    partner=f.Partner(person=PARTNER, function="security"),
    decision_maker=DECIDER,
)
CONTENT = f.RequisitionContent(
    title="ML engineer, Berlin",
    team=TEAM,
    jurisdictions=("DE", "US-NY"),
    time_zone="Europe/Berlin",
    legal_entity="Example GmbH",
    openings=2,
)
REQUISITION_OPENED = f.RequisitionOpened(
    stamp=stamp(tags.requisition(REQUISITION)), requisition=REQUISITION, content=CONTENT
)
REQUISITION_CHANGED = f.RequisitionChanged(
    stamp=stamp(tags.requisition(REQUISITION)),
    requisition=REQUISITION,
    content=CONTENT,
    status="filled",
)

CARD = f.Ref(id="ml-engineer", version=1)
FRAMING = f.Competency(
    id="framing",
    name="Designs evaluations before tuning",
    buckets=("framing", "design"),
    weight=1.5,
    anchors={"1": "Tunes first.", "2": "Measures late.", "3": "Plans to measure.", "4": "Doubts."},
    probes=(f.Probe(id="B1.P1", text="When did your definition of success change?"),),
    observations=(
        f.Observation(code="B1.S1", reading="strong", text="Found that a metric misled."),
        f.Observation(code="B1.W1", reading="weak", text="Hides behind accuracy."),
    ),
)
SAFETY = f.Competency(
    id="safety",
    name="Documents failure modes",
    buckets=("safety",),
    weight=1.0,
    anchors={"1": "Never.", "2": "When asked.", "3": "By habit.", "4": "Teaches others to."},
    inclusive=True,
)
CARD_CONTENT = f.ScorecardContent(
    title="ML engineer",
    role_family="ml",
    seniority="senior",
    scale=f.Scale(min=1, max=4),
    competencies=(FRAMING, SAFETY),
)
CARD_DIGEST = content_digest(CARD_CONTENT)
SCORECARD_VERSIONED = f.ScorecardVersioned(
    stamp=stamp(tags.scorecard("ml-engineer")),
    scorecard="ml-engineer",
    version=1,
    content=CARD_CONTENT,
    content_digest=CARD_DIGEST,
    derived_from=f.Ref(id="starter", version=3),
    change="fewer-words",
    judged=JUDGED,
)
STARTER_VERSIONED = f.ScorecardVersioned(
    stamp=stamp(tags.scorecard("starter")),
    scorecard="starter",
    version=3,
    content=CARD_CONTENT,
    content_digest=CARD_DIGEST,
    judged=JUDGED,
)
SCORECARD_APPROVED = f.ScorecardApproved(
    stamp=stamp(tags.scorecard("ml-engineer"), tags.requisition(REQUISITION), by=TECH_LEAD),
    scorecard="ml-engineer",
    version=1,
    requisition=REQUISITION,
    capacity="tech_lead",
    content_digest=CARD_DIGEST,
)
SCORECARD_RETIRED = f.ScorecardRetired(
    stamp=stamp(tags.scorecard("ml-engineer")),
    scorecard="ml-engineer",
    version=1,
    reason="Two competencies overlap.",
)

RAG = f.Ref(id="rag-design", version=1)
RAG_TWIN = f.Ref(id="rag-twin", version=1)
PROMPT_CONTENT = f.PromptContent(
    kind="design",
    text="Design a support assistant over stale documents.",
    competency="framing",
    buckets=("design",),
    latency="2 s at p95",
    budget="1 cent an answer",
    privacy="no customer names leave the region",
    failure_mode="documents are a month old",
    cost_false_positive=1.0,
    cost_false_negative=20.5,
    scope="open",
    guidance_minutes=60,
    interfaces=("data", "people"),
    vendor_followup_minutes=5,
    equivalent_to=RAG_TWIN,
)
PROMPT_VERSIONED = f.PromptVersioned(
    stamp=stamp(tags.prompt("rag-design"), tags.prompt("rag-twin")),
    prompt="rag-design",
    version=1,
    content=PROMPT_CONTENT,
    judged=JUDGED,
)
TWIN_VERSIONED = f.PromptVersioned(
    stamp=stamp(tags.prompt("rag-twin")),
    prompt="rag-twin",
    version=1,
    content=f.PromptContent(
        kind="design", text="Design a search.", competency="framing", buckets=("design",)
    ),
    judged=JUDGED,
)

POSTING = f.Ref(id="ml-engineer-berlin", version=1)
POSTING_CONTENT = f.PostingContent(
    requisition=REQUISITION,
    title="ML engineer (Berlin)",
    expectations=(f.Expectation(competency="framing", text="You say how you would measure."),),
    knock_outs=(f.KnockOut(id="work-permit", text="You may work in Germany."),),
)
POSTING_VERSIONED = f.PostingVersioned(
    stamp=stamp(tags.posting("ml-engineer-berlin"), tags.requisition(REQUISITION)),
    posting="ml-engineer-berlin",
    version=1,
    content=POSTING_CONTENT,
    judged=JUDGED,
)
POLICY_SET = f.Ref(id="default", version=1)
POLICY_SET_ADOPTED = f.PolicySetAdopted(
    stamp=stamp(tags.policy_set("default"), tags.policy_sets(), by=ADMIN),
    policy_set="default",
    version=1,
    policies=(
        f.PolicySetting(
            id="feedback-on-time",
            version=1,
            enforcement="warn",
            params={"due": "24h", "hours": 24, "strict": True, "share": 0.5, "zones": ("a", "b")},
        ),
    ),
    person_metrics="aggregate",
    agreement="Works agreement 12",
)

# ---------------------------------------------------------------- opening

LOOP_OPENED = f.LoopOpened(
    stamp=stamp(IN_LOOP, tags.candidate(CANDIDATE), tags.requisition(REQUISITION)),
    loop=LOOP,
    candidate=CANDIDATE,
    requisition=REQUISITION,
    scorecard=CARD,
    posting=POSTING,
    policy_set=POLICY_SET,
    name=said("Cam Example", CANDIDATE),
    email=said("cam@example.org", CANDIDATE),
    judged=JUDGED,
)
DESIGN_SESSION = f.PlannedSession(
    id="design",
    stage="onsite",
    kind="panel",
    competencies=("framing", "safety"),
    prompts=(RAG,),
    interviewers=(ANA, BEN),
    minutes=60,
)
TASK_SESSION = f.PlannedSession(
    id="task",
    stage="homework",
    kind="take_home",
    competencies=("safety",),
    prompts=(),
    interviewers=(BEN,),
    minutes=120,
)
LOOP_PLANNED = f.LoopPlanned(
    stamp=stamp(IN_LOOP), loop=LOOP, sessions=(DESIGN_SESSION, TASK_SESSION), judged=JUDGED
)
STANDARD_SET = f.RequisitionStandardSet(
    stamp=stamp(tags.requisition(REQUISITION)),
    requisition=REQUISITION,
    sessions=(
        f.StandardSession(stage="onsite", kind="panel", prompts=(RAG,), minutes=60),
        f.StandardSession(stage="homework", kind="take_home", prompts=(), minutes=120),
    ),
)
NOTICE_GIVEN = f.ProcessNoticeGiven(
    stamp=stamp(IN_LOOP), loop=LOOP, rounds=2, attendees=(ANA, BEN), decide_by=NOW + 10 * DAY
)
RELATIONSHIP_DISCLOSED = f.RelationshipDisclosed(
    stamp=stamp(IN_LOOP, by=ANA), loop=LOOP, person=ANA, relationship="colleague"
)
PORTFOLIO_ITEM_LINKED = f.PortfolioItemLinked(
    stamp=stamp(*ABOUT),
    loop=LOOP,
    competency="framing",
    kind="project",
    title=said("An evaluation harness", CANDIDATE),
    url=said("https://example.org/harness", CANDIDATE),
    consent=f.Consent(text=said("You may look.", CANDIDATE), given_at=NOW - DAY),
)
