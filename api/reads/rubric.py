"""Historical states of requisitions, scorecards, prompts, postings and policy sets."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from api.reading import Clock, Read
from api.reads.base import EVERYONE, Answer, Path, Readable, get
from domain import facts as f
from domain.boundary import (
    policy_set_items,
    posting_items,
    prompt_items,
    requisition_items,
    scorecard_items,
)
from domain.evolve import fold
from domain.refusals import Missing
from domain.state import At
from domain.values import Time

Settings = tuple[f.PolicySetting, ...]
C = TypeVar("C", f.PromptContent, f.PostingContent, Settings)


class Approval(Struct, frozen=True, kw_only=True):
    """Who approved which content, for which requisition, in which capacity, and when."""

    by: str
    requisition: str
    capacity: f.Capacity
    content_digest: str
    at: Time
    position: int


class ScorecardVersion(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a scorecard with its approvals."""

    id: str
    version: int
    content: f.ScorecardContent
    content_digest: str
    approvals: tuple[Approval, ...]
    position: int
    at: Time
    derived_from: f.Ref | None = None
    retired: int | None = None


class ScorecardHistory(Struct, frozen=True, kw_only=True):
    """Every version of a scorecard as of the clock."""

    id: str
    versions: tuple[ScorecardVersion, ...]


def scorecard(read: Read, path: Path, query: Clock) -> ScorecardHistory:
    """A scorecard's versions, now or at a clock."""
    slug = path["scorecard"]
    world = fold(read.facts(*scorecard_items(slug), clock=query))
    card = world.scorecards.get(slug)
    if card is None:
        raise Missing("no such scorecard, or not then")
    retired = {r.fact.version: r.position for r in card.retirements}
    return ScorecardHistory(
        id=slug,
        versions=tuple(
            ScorecardVersion(
                id=slug,
                version=v.fact.version,
                content=v.fact.content,
                content_digest=v.fact.content_digest,
                approvals=_approvals(card.approvals, v.fact.version),
                position=v.position,
                at=v.fact.stamp.at,
                derived_from=v.fact.derived_from,
                retired=retired.get(v.fact.version),
            )
            for v in card.versions
        ),
    )


def _approvals(given: tuple[At[f.ScorecardApproved], ...], version: int) -> tuple[Approval, ...]:
    return tuple(
        Approval(
            by=a.fact.stamp.by,
            requisition=a.fact.requisition,
            capacity=a.fact.capacity,
            content_digest=a.fact.content_digest,
            at=a.fact.stamp.at,
            position=a.position,
        )
        for a in given
        if a.fact.version == version
    )


def scorecard_version(read: Read, path: Path, query: Clock) -> ScorecardVersion:
    """One version of a scorecard."""
    wanted = int(path["version"])
    for version in scorecard(read, path, query).versions:
        if version.version == wanted:
            return version
    raise Missing("no such version of this scorecard, or not then")


class Version(Struct, Generic[C], frozen=True, kw_only=True):
    """One version of a prompt, a posting or a policy set."""

    id: str
    version: int
    content: C
    position: int
    at: Time


class History(Struct, Generic[C], frozen=True, kw_only=True):
    """Every version as of the clock."""

    id: str
    versions: tuple[Version[C], ...]


def _history(slug: str, found: Sequence[Version[C]]) -> History[C]:
    if not found:
        raise Missing("nothing has this id, or not then")
    return History(id=slug, versions=tuple(found))


def _version(
    slug: str,
    at: At[f.PromptVersioned] | At[f.PostingVersioned] | At[f.PolicySetAdopted],
    content: C,
) -> Version[C]:
    return Version(
        id=slug,
        version=at.fact.version,
        content=content,
        position=at.position,
        at=at.fact.stamp.at,
    )


def prompt(read: Read, path: Path, query: Clock) -> History[f.PromptContent]:
    """A prompt's versions, now or at a clock."""
    slug = path["prompt"]
    found = fold(read.facts(*prompt_items({slug}), clock=query)).prompts.get(slug, ())
    return _history(slug, [_version(slug, v, v.fact.content) for v in found])


def posting(read: Read, path: Path, query: Clock) -> History[f.PostingContent]:
    """A posting's versions, now or at a clock."""
    slug = path["posting"]
    found = fold(read.facts(*posting_items(slug), clock=query)).postings.get(slug, ())
    return _history(slug, [_version(slug, v, v.fact.content) for v in found])


def policy_set(read: Read, path: Path, query: Clock) -> History[Settings]:
    """A policy set's versions, now or at a clock."""
    slug = path["policy_set"]
    adopted = fold(read.facts(*policy_set_items(), clock=query)).policy_sets
    found = [s for s in adopted if s.fact.policy_set == slug]
    return _history(slug, [_version(slug, s, s.fact.policies) for s in found])


def _one(history: History[C], number: str) -> Version[C]:
    for version in history.versions:
        if str(version.version) == number:
            return version
    raise Missing("no such version, or not then")


def prompt_version(read: Read, path: Path, query: Clock) -> Version[f.PromptContent]:
    """One version of a prompt."""
    return _one(prompt(read, path, query), path["version"])


def posting_version(read: Read, path: Path, query: Clock) -> Version[f.PostingContent]:
    """One version of a posting."""
    return _one(posting(read, path, query), path["version"])


def policy_set_version(read: Read, path: Path, query: Clock) -> Version[Settings]:
    """One version of a policy set."""
    return _one(policy_set(read, path, query), path["version"])


class RequisitionState(Struct, frozen=True, kw_only=True):
    """A requisition as of the clock, with the standard that its first plan set."""

    id: str
    content: f.RequisitionContent
    status: f.RequisitionStatus
    standard: tuple[f.StandardSession, ...]
    position: int


def requisition(read: Read, path: Path, query: Clock) -> RequisitionState:
    """A requisition, now or at a clock."""
    slug = path["requisition"]
    known = read.facts(*requisition_items(slug), clock=query)
    if not known or not isinstance(known[0].fact, f.RequisitionOpened):
        raise Missing("no such requisition, or not then")
    found = fold(known).requisitions[slug]
    return RequisitionState(
        id=slug,
        content=found.content,
        status=found.status,
        standard=found.standard.fact.sessions if found.standard else (),
        position=found.latest,
    )


def rubric_get(
    path: str, answer: Answer, type_: type[Struct], query: type[Struct] = Clock
) -> Readable:
    """A route of the rubric: the organisation's own words, which every role may read."""
    return get(path, answer, type_, tag="rubric", roles=EVERYONE, query=query)


RUBRIC: tuple[Readable, ...] = (
    rubric_get("/v1/scorecards/{scorecard}", scorecard, ScorecardHistory),
    rubric_get(
        "/v1/scorecards/{scorecard}/versions/{version:int}", scorecard_version, ScorecardVersion
    ),
    rubric_get("/v1/prompts/{prompt}", prompt, History[f.PromptContent]),
    rubric_get(
        "/v1/prompts/{prompt}/versions/{version:int}", prompt_version, Version[f.PromptContent]
    ),
    rubric_get("/v1/postings/{posting}", posting, History[f.PostingContent]),
    rubric_get(
        "/v1/postings/{posting}/versions/{version:int}", posting_version, Version[f.PostingContent]
    ),
    rubric_get("/v1/policy-sets/{policy_set}", policy_set, History[Settings]),
    rubric_get(
        "/v1/policy-sets/{policy_set}/versions/{version:int}", policy_set_version, Version[Settings]
    ),
    rubric_get("/v1/requisitions/{requisition}", requisition, RequisitionState),
)
