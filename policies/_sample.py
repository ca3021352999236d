"""What the stories are about: an invented requisition with team, scorecard, prompts and posting."""

import hashlib
from datetime import UTC, datetime

from domain import commands as c
from domain import facts as f
from domain.values import make_handle


def handle(kind: str, name: str) -> str:
    """A handle that is always the same for this invented name; `kind` is c, p or l."""
    return make_handle(kind, hashlib.sha256(name.encode()).digest()[:16])


HIRING_MANAGER = handle("p", "hiring manager")
TECH_LEAD = handle("p", "tech lead")
PARTNER = handle("p", "partner")
DECIDER = handle("p", "decision maker")
IRIS = handle("p", "iris")
JUNO = handle("p", "juno")
KOFI = handle("p", "kofi")
CANDIDATE = handle("c", "candidate")
LOOP = handle("l", "loop")

REQUISITION = "ml-engineer"
SCORECARD = "ml-engineer-card"
POSTING = "ml-engineer-listing"


def ref(id_: str, version: int = 1) -> f.Ref:
    """A version, the first unless said otherwise."""
    return f.Ref(id=id_, version=version)


def competency(
    id_: str, bucket: f.Bucket, *, inclusive: bool = False, weight: float = 1
) -> f.Competency:
    """A competency with an anchor for every rating from 1 to 4."""
    return f.Competency(
        id=id_,
        name=id_.replace("-", " "),
        buckets=(bucket,),
        weight=weight,
        anchors={str(n): f"shows it in {n} of four past projects" for n in range(1, 5)},
        inclusive=inclusive,
    )


COMPETENCIES = (
    competency("evaluation-design", "framing"),
    competency("failure-modes", "design"),
    competency("safety-judgement", "safety"),
    competency("trade-offs", "collaboration", inclusive=True),
)


def scorecard(*competencies: f.Competency) -> c.VersionScorecard:
    """The next version of the scorecard, by default with one competency a bucket."""
    return c.VersionScorecard(
        scorecard=SCORECARD,
        title="ML engineer",
        role_family="ml",
        seniority="senior",
        scale=f.Scale(min=1, max=4),
        competencies=competencies or COMPETENCIES,
    )


def requisition() -> c.OpenRequisition:
    """A requisition in Berlin with a team of four."""
    team = c.TeamSpec(
        hiring_manager=HIRING_MANAGER,
        tech_lead=TECH_LEAD,
        partner=c.PartnerSpec(person=PARTNER, function="security"),
        decision_maker=DECIDER,
    )
    return c.OpenRequisition(
        id=REQUISITION,
        title="ML engineer",
        team=team,
        jurisdictions=("DE",),
        time_zone="Europe/Berlin",
    )


def prompt(
    id_: str,
    bucket: f.Bucket,
    kind: f.PromptKind = "behavioural",
    *,
    equivalent_to: f.Ref | None = None,
) -> c.VersionPrompt:
    """The next version of a prompt that looks into one bucket."""
    return c.VersionPrompt(
        prompt=id_,
        kind=kind,
        text="Tell us about a time when this mattered.",
        competency=next(x.id for x in COMPETENCIES if bucket in x.buckets),
        buckets=(bucket,),
        equivalent_to=equivalent_to,
    )


def design_prompt(*, failure_mode: str | None = "the index goes stale") -> c.VersionPrompt:
    """A design prompt with latency, budget, privacy and, unless left out, a failure mode."""
    return c.VersionPrompt(
        prompt="support-assistant",
        kind="design",
        text="Design an assistant that answers from our manuals.",
        competency="failure-modes",
        buckets=("design",),
        latency="two seconds at the 95th percentile",
        budget="one cent an answer",
        privacy="no customer text leaves the region",
        failure_mode=failure_mode,
    )


PROMPTS = (
    prompt("metric-change", "framing"),
    design_prompt(),
    prompt("prompt-injection", "safety"),
    prompt("shipping-dispute", "collaboration"),
    prompt("exercise", "design", "take_home"),
)


def posting() -> c.VersionPosting:
    """The public listing: an expectation for every competency, and one knock-out."""
    return c.VersionPosting(
        posting=POSTING,
        requisition=REQUISITION,
        title="ML engineer",
        expectations=tuple(
            f.Expectation(competency=x.id, text="We ask for an example.") for x in COMPETENCIES
        ),
        knock_outs=(f.KnockOut(id="work-permit", text="A permit to work in the EU."),),
    )


def opening(version: int = 1) -> c.OpenLoop:
    """The loop, under a version of the scorecard."""
    return c.OpenLoop(
        id=LOOP,
        requisition=REQUISITION,
        candidate=c.CandidateSpec(id=CANDIDATE),
        scorecard=ref(SCORECARD, version),
        posting=ref(POSTING),
    )


def session(
    id_: str,
    stage: str,
    kind: f.SessionKind,
    competencies: tuple[str, ...],
    prompts: tuple[str, ...],
    *interviewers: str,
) -> c.SessionSpec:
    """A session of an hour with the first versions of these prompts."""
    return c.SessionSpec(
        id=id_,
        stage=stage,
        kind=kind,
        competencies=competencies,
        prompts=tuple(ref(p) for p in prompts),
        interviewers=interviewers,
        minutes=60,
    )


SCREEN = session(
    "screen", "screening", "interview", ("evaluation-design",), ("metric-change",), IRIS
)
DESIGN = session(
    "design",
    "onsite",
    "interview",
    ("failure-modes", "safety-judgement"),
    ("support-assistant", "prompt-injection"),
    JUNO,
)
PANEL = session("panel", "onsite", "panel", ("trade-offs",), ("shipping-dispute",), KOFI, IRIS)
TAKE_HOME = session("exercise", "exercise", "take_home", ("failure-modes",), ("exercise",), KOFI)
PLAN = (SCREEN, DESIGN, PANEL)


def reason(kind: f.ReasonKind, ref_: str | None = None) -> c.ReasonSpec:
    """A reason of this kind, with words that no rule reads."""
    return c.ReasonSpec(kind=kind, ref=ref_, text="as the evidence shows")


def take_home(minutes: int = 60, *, adjusted: bool = False) -> c.AssignTakeHome:
    """The take-home is given out with a time expectation."""
    return c.AssignTakeHome(
        loop=LOOP,
        session="exercise",
        minutes=minutes,
        due=datetime(2026, 3, 9, 9, 0, tzinfo=UTC),
        adjusted=adjusted,
    )


def handed_in() -> c.ReceiveTakeHome:
    """The candidate hands the take-home in."""
    return c.ReceiveTakeHome(loop=LOOP, session="exercise", content_digest="0" * 64)


def anonymised(*, feasible: bool = True) -> c.AnonymiseTakeHome:
    """The submission is stripped of who wrote it, or cannot be, and why."""
    return c.AnonymiseTakeHome(
        loop=LOOP,
        session="exercise",
        feasible=feasible,
        method="name and commit history removed" if feasible else None,
        reason=None if feasible else "it is a recording of a voice",
    )
