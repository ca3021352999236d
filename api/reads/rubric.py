"""Historical states of requisitions, scorecards, prompts, postings and policy sets."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec
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


class Diff(Struct, frozen=True, kw_only=True):
    """What two versions say differently, by JSON pointer: (then, now), null where it is not."""

    from_version: int
    to_version: int
    changes: dict[str, tuple[Any, Any]]


class DiffQuery(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """Which two versions."""

    from_: int
    to: int


def scorecard_diff(read: Read, path: Path, query: DiffQuery) -> Diff:
    """What changed between two versions of a scorecard."""
    by_number = {v.version: v for v in scorecard(read, path, Clock()).versions}
    if query.from_ not in by_number or query.to not in by_number:
        raise Missing("no such version of this scorecard")
    old = _flat(msgspec.to_builtins(by_number[query.from_].content), "")
    new = _flat(msgspec.to_builtins(by_number[query.to].content), "")
    changes = {
        pointer: (old.get(pointer), new.get(pointer))
        for pointer in sorted(old.keys() | new.keys())
        if old.get(pointer) != new.get(pointer)
    }
    return Diff(from_version=query.from_, to_version=query.to, changes=changes)


def _flat(value: object, pointer: str) -> dict[str, object]:
    """Every scalar by its pointer; list items that have an id or a code stand under that."""
    members: list[tuple[object, object]]
    if isinstance(value, dict):
        members = list(cast("dict[object, object]", value).items())
    elif isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        members = [(_name(inner, at), inner) for at, inner in enumerate(items)]
    else:
        return {pointer: value}
    return {
        place: scalar
        for name, inner in members
        for place, scalar in _flat(inner, f"{pointer}/{name}").items()
    }


def _name(item: object, at: int) -> object:
    if isinstance(item, dict):
        members = cast("dict[str, object]", item)
        return members.get("id") or members.get("code") or at
    return at


class Lineage(Struct, frozen=True, kw_only=True):
    """Where each version comes from: what it was derived from and the change that led to it."""

    id: str
    versions: tuple["Ancestry", ...]


class Ancestry(Struct, frozen=True, kw_only=True):
    """One version's origin."""

    version: int
    position: int
    derived_from: f.Ref | None
    approved_for: tuple[str, ...]


def scorecard_lineage(read: Read, path: Path, query: Clock) -> Lineage:
    """Where each version of a scorecard comes from."""
    history = scorecard(read, path, query)
    return Lineage(
        id=history.id,
        versions=tuple(
            Ancestry(
                version=v.version,
                position=v.position,
                derived_from=v.derived_from,
                approved_for=tuple(dict.fromkeys(a.requisition for a in v.approvals)),
            )
            for v in history.versions
        ),
    )


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


def _get(path: str, answer: Answer, type_: type[Struct], query: type[Struct] = Clock) -> Readable:
    return get(path, answer, type_, tag="rubric", roles=EVERYONE, query=query)


RUBRIC: tuple[Readable, ...] = (
    _get("/v1/scorecards/{scorecard}", scorecard, ScorecardHistory),
    _get("/v1/scorecards/{scorecard}/versions/{version:int}", scorecard_version, ScorecardVersion),
    _get("/v1/scorecards/{scorecard}/diff", scorecard_diff, Diff, DiffQuery),
    _get("/v1/scorecards/{scorecard}/lineage", scorecard_lineage, Lineage),
    _get("/v1/prompts/{prompt}", prompt, History[f.PromptContent]),
    _get("/v1/prompts/{prompt}/versions/{version:int}", prompt_version, Version[f.PromptContent]),
    _get("/v1/postings/{posting}", posting, History[f.PostingContent]),
    _get(
        "/v1/postings/{posting}/versions/{version:int}", posting_version, Version[f.PostingContent]
    ),
    _get("/v1/policy-sets/{policy_set}", policy_set, History[Settings]),
    _get(
        "/v1/policy-sets/{policy_set}/versions/{version:int}", policy_set_version, Version[Settings]
    ),
    _get("/v1/requisitions/{requisition}", requisition, RequisitionState),
)
