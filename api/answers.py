"""The answer to a write, built from the facts it recorded: so a repeated request gets the same."""

from typing import Annotated

from msgspec import Meta, Struct

from api.problems import Problem
from domain import facts as f
from domain.codec import Recorded, type_of
from domain.findings import Finding
from domain.values import Position
from ledger.asked import Done


class Written(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was recorded, and the ids and versions that it made."""

    positions: tuple[Position, ...]
    facts: Annotated[tuple[str, ...], Meta(description="The facts' types, in the same order.")]
    request: Annotated[str, Meta(description="The ledger's id of this request.")]
    id: Annotated[str | None, Meta(description="Handle or id of what was made.")] = None
    candidate: Annotated[str | None, Meta(description="The candidate's handle.")] = None
    version: int | None = None
    content_digest: Annotated[str | None, Meta(description="What approvals name.")] = None
    policy_set: f.Ref | None = None
    gate: Position | None = None
    recommendations: tuple[Position, ...] = ()
    key: Annotated[str | None, Meta(description="The API key; shown once.")] = None
    findings: tuple[Finding, ...] = ()


_REFUSALS = f.DecisionRefused | f.StageDecisionRefused | f.EvidenceGateRefused


def answer(done: Done, key: str | None = None) -> tuple[Written, str]:
    """The answer's body and its Location; raises `Problem` 409 for a recorded refusal.

    `key` is a fresh API key's token; it is never part of a replay.
    """
    first = done.recorded[0]
    fact = first.fact
    if isinstance(fact, _REFUSALS):
        raise _refused(first, fact.judged.findings, replayed=done.replayed)
    secret = key if isinstance(fact, f.KeyIssued) and not done.replayed else None
    made, location = _made(fact)
    return (
        Written(
            positions=tuple(one.position for one in done.recorded),
            facts=tuple(type_of(one.fact) for one in done.recorded),
            request=done.cause,
            id=made,
            candidate=fact.candidate if isinstance(fact, f.LoopOpened | f.SubjectErased) else None,
            version=_version(fact),
            content_digest=fact.content_digest if isinstance(fact, f.ScorecardVersioned) else None,
            policy_set=fact.policy_set if isinstance(fact, f.LoopOpened) else None,
            gate=fact.gate if isinstance(fact, f.DecisionMade | f.RecommendationRecorded) else None,
            recommendations=fact.recommendations if isinstance(fact, f.DecisionMade) else (),
            key=secret,
            findings=_findings(fact),
        ),
        location or f"/v1/facts/{first.position}",
    )


def _refused(recorded: Recorded, findings: tuple[Finding, ...], *, replayed: bool) -> Problem:
    return Problem(
        "refused",
        "The rules do not allow this now; the attempt is recorded. Cure the findings that block, "
        "then ask again with a new Idempotency-Key.",
        extra={"findings": findings, "position": recorded.position},
        headers={"Idempotent-Replay": "true"} if replayed else {},
    )


def _findings(fact: f.AnyFact) -> tuple[Finding, ...]:
    match fact:
        case (
            f.ScorecardVersioned()
            | f.PromptVersioned()
            | f.PostingVersioned()
            | f.LoopOpened()
            | f.LoopPlanned()
            | f.StageDecided()
            | f.EvidenceGatePassed()
            | f.RecommendationRecorded()
            | f.DecisionMade()
        ):
            return fact.judged.findings
        case f.FeedbackSubmitted() | f.FeedbackAmended() | f.DebriefStatementRecorded():
            return fact.findings
        case _:
            return ()


def _version(fact: f.AnyFact) -> int | None:
    match fact:
        case f.ScorecardVersioned() | f.PromptVersioned() | f.PostingVersioned():
            return fact.version
        case f.PolicySetAdopted():
            return fact.version
        case _:
            return None


def _made(fact: f.AnyFact) -> tuple[str | None, str | None]:
    """The id that a fact made known, and the path of what it is about."""
    match fact:
        case f.PersonRegistered():
            return fact.person, None
        case f.KeyIssued():
            return fact.key, None
        case f.RequisitionOpened() | f.RequisitionChanged():
            return fact.requisition, f"/v1/requisitions/{fact.requisition}"
        case f.ScorecardVersioned():
            return fact.scorecard, f"/v1/scorecards/{fact.scorecard}/versions/{fact.version}"
        case f.PromptVersioned():
            return fact.prompt, f"/v1/prompts/{fact.prompt}/versions/{fact.version}"
        case f.PostingVersioned():
            return fact.posting, f"/v1/postings/{fact.posting}/versions/{fact.version}"
        case f.PolicySetAdopted():
            return fact.policy_set, f"/v1/policy-sets/{fact.policy_set}/versions/{fact.version}"
        case f.LoopOpened():
            return fact.loop, f"/v1/loops/{fact.loop}"
        case f.HoldPlaced() | f.HoldReleased():
            return fact.hold, None
        case _:
            return None, None
