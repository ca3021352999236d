"""What comes before any loop: staff, keys, rules, requisitions, scorecards, prompts, postings."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from api.demo.calls import RECORDER, Call, Clock, Story, send, send_together
from api.demo.candidacy import stamp
from api.demo.jobs import SEASON_OVER, Job
from api.demo.people import AUDITOR, OPERATOR, OWN_KEY, STAFF
from api.demo.rubric import posting, scorecard, starter, without_inclusive

ADMINISTRATOR: Final = "administrator"
"""The name of the ledger's first key, made at its first start."""

FOUNDED: Final = datetime(2024, 3, 4, 9, tzinfo=UTC)
SECOND_VERSION: Final = datetime(2024, 4, 15, 9, tzinfo=UTC)
SECOND_VERSION_FROM: Final = datetime(2024, 4, 22, tzinfo=UTC)
REFUSED: Final = 409

# The season is recorded long after it took place, which the ledger would remark on every report.
# That says something about this demo and nothing about the story, so this one rule is off.
RULES: Final[Sequence[Mapping[str, object]]] = (
    {"id": "recorded-when-it-happened", "enforcement": "off"},
)


def keys_issued() -> Story[dict[str, str]]:
    """People are registered, then keys issued: to the recording service, the auditor, and one
    interviewer who has a key of her own. The keys by name; without those issued before.
    """
    clock = Clock(FOUNDED)
    yield from send_together(
        *(
            Call(path="/v1/people", body=member._asdict(), at=clock.now, key=ADMINISTRATOR)
            for member in STAFF
        )
    )
    bodies: dict[str, dict[str, object]] = {
        RECORDER: {"service": RECORDER, "roles": ["recorder"]},
        AUDITOR: {"person": AUDITOR, "roles": ["auditor"]},
        OWN_KEY: {"person": OWN_KEY, "roles": ["interviewer"]},
    }
    keys: dict[str, str] = {}
    for name, body in bodies.items():
        call = Call(path="/v1/keys", body=body, at=clock.now, key=ADMINISTRATOR)
        answer = yield from send(call)
        if "key" in answer.body:
            keys[name] = answer.body["key"]
    return keys


def rules_adopted() -> Story[None]:
    """The operator adopts a policy set in which one rule is off; see `RULES`."""
    body: dict[str, object] = {"policies": list(RULES)}
    path = "/v1/policy-sets/recorded-afterwards/versions"
    yield from send(Call(path=path, body=body, by=OPERATOR, at=FOUNDED))


def prompts_written(author: str) -> Story[None]:
    """The prompts are written, two of them with a flaw first, and one with a flaw only."""
    library = starter().prompts
    stale, loan, fraud = "stale-docs-assistant", "loan-threshold", "fraud-threshold"
    flawed = {
        stale: {k: v for k, v in library[stale].items() if k != "failure_mode"},
        loan: {**library[loan], "cost_false_negative": library[loan]["cost_false_positive"]},
    }
    good = {id_: body for id_, body in library.items() if id_ != fraud}
    same = {fraud: {**library[fraud], "equivalent_to": {"id": loan, "version": 2}}}
    clock = Clock(FOUNDED)
    for written in (flawed, good, same):
        clock.after(hours=2)
        calls = [
            Call(path=f"/v1/prompts/{id_}/versions", body=body, by=author, at=clock.now)
            for id_, body in written.items()
        ]
        yield from send_together(*calls)


def opened_requisition(job: Job) -> Story[None]:
    """The requisition, its listing, its scorecard in two versions, and in July its end."""
    manager, clock = job.team.manager, Clock(FOUNDED)
    team = {
        "hiring_manager": manager,
        "tech_lead": job.team.tech_lead,
        "partner": {"person": job.team.partner, "function": job.team.function},
        "decision_maker": job.team.decider,
    }
    requisition = {
        "id": job.requisition,
        "title": job.title,
        "team": team,
        "jurisdictions": job.jurisdictions,
        "time_zone": job.time_zone,
        "legal_entity": "Example Works Ltd",
        "openings": job.openings,
    }
    clock.after(hours=6)
    yield from send(Call(path="/v1/requisitions", body=requisition, by=manager, at=clock.now))
    listing = posting(job.requisition, job.title)
    path = f"/v1/postings/{job.posting}/versions"
    yield from send(Call(path=path, body=listing, by=manager, at=clock.after(hours=1)))
    yield from _first_scorecard(job, clock)
    clock.now = SECOND_VERSION
    first = {"id": job.scorecard, "version": 1}
    second = {**scorecard(job.family, job.title, second=True), "derived_from": first}
    yield from _written_and_approved(job, second, clock)
    retirement = {"reason": "Version 2 is approved; loops under way keep what they pinned."}
    path = f"/v1/scorecards/{job.scorecard}/versions/1/retirement"
    clock.now = SECOND_VERSION_FROM
    yield from send(Call(path=path, body=retirement, by=job.team.tech_lead, at=clock.now))
    clock.now = SEASON_OVER.replace(hour=9)
    body = {"status": job.ends}
    path = f"/v1/requisitions/{job.requisition}/changes"
    yield from send(Call(path=path, body=body, by=manager, at=clock.now))


def _first_scorecard(job: Job, clock: Clock) -> Story[None]:
    """Two competencies are not enough, the whole starter rubric is."""
    body = scorecard(job.family, job.title)
    few = {**body, "competencies": body["competencies"][:2]}
    clock.workday(hour=9)
    path = f"/v1/scorecards/{job.scorecard}/versions"
    call = Call(path=path, body=few, by=job.team.tech_lead, at=clock.now, expect=REFUSED)
    yield from send(call)
    # The risk team forgot the behaviours that let others speak: a warning, cured by version two.
    yield from _written_and_approved(
        job, without_inclusive(body) if job.family == "ml" else body, clock
    )


def _written_and_approved(job: Job, body: dict[str, Any], clock: Clock) -> Story[None]:
    path = f"/v1/scorecards/{job.scorecard}/versions"
    lead = job.team.tech_lead
    answer = yield from send(Call(path=path, body=body, by=lead, at=clock.after(hours=1)))
    version, digest = answer.body["version"], answer.body["content_digest"]
    approvers = {
        "hiring_manager": job.team.manager,
        "tech_lead": job.team.tech_lead,
        "partner": job.team.partner,
    }
    for capacity, person in approvers.items():
        clock.workday(hour=10)
        approval = {
            "requisition": job.requisition,
            "capacity": capacity,
            "content_digest": digest,
        }
        where = f"{path}/{version}/approvals"
        yield from send(Call(path=where, body=approval, by=person, at=clock.now))


def excepted_for_all(job: Job) -> Story[None]:
    """For the whole requisition the partner lets prompts differ: one of them had leaked."""
    body = {
        "policy": "same-prompts-for-all",
        "reason": "A candidate of last week has published one of the prompts.",
        "expires_at": stamp(datetime(2036, 1, 1, tzinfo=UTC)),
    }
    path = f"/v1/requisitions/{job.requisition}/exceptions"
    at = datetime(2024, 5, 6, 15, tzinfo=UTC)
    yield from send(Call(path=path, body=body, by=job.team.partner, at=at))
