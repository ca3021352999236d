"""How versions differ, and where each comes from."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple, cast

import msgspec
from msgspec import Meta, Struct

from api.reading import Clock, Read
from api.reads.base import Path, Readable
from api.reads.rubric import policy_set, posting, prompt, rubric_get, scorecard
from domain import facts as f
from domain.refusals import Missing


class _Versioned(NamedTuple):
    """One version, reduced to what is compared and traced."""

    version: int
    position: int
    content: object
    derived_from: f.Ref | None = None
    approved_for: tuple[str, ...] = ()


History = Callable[[Read, Path, Clock], list[_Versioned]]


class Difference(Struct, frozen=True, kw_only=True):
    """What stood in the one version and stands in the other; null where it does not stand."""

    before: Any
    after: Any


class Diff(Struct, frozen=True, kw_only=True):
    """What two versions say differently, by JSON pointer."""

    from_version: int
    to_version: int
    changes: dict[str, Difference]


class DiffQuery(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """Which two versions."""

    from_: Annotated[int, Meta(ge=1)]
    to: Annotated[int, Meta(ge=1)]


class Ancestry(Struct, frozen=True, kw_only=True):
    """One version's origin, and the requisitions that it was approved for."""

    version: int
    position: int
    derived_from: f.Ref | None
    approved_for: tuple[str, ...]


class Lineage(Struct, frozen=True, kw_only=True):
    """Where each version comes from."""

    versions: tuple[Ancestry, ...]


def _scorecards(read: Read, path: Path, clock: Clock) -> list[_Versioned]:
    return [
        _Versioned(
            v.version,
            v.position,
            v.content,
            v.derived_from,
            tuple(dict.fromkeys(a.requisition for a in v.approvals)),
        )
        for v in scorecard(read, path, clock).versions
    ]


def _prompts(read: Read, path: Path, clock: Clock) -> list[_Versioned]:
    found = prompt(read, path, clock).versions
    return [_Versioned(v.version, v.position, v.content, v.content.equivalent_to) for v in found]


def _postings(read: Read, path: Path, clock: Clock) -> list[_Versioned]:
    found = posting(read, path, clock).versions
    return [
        _Versioned(v.version, v.position, v.content, None, (v.content.requisition,)) for v in found
    ]


def _policy_sets(read: Read, path: Path, clock: Clock) -> list[_Versioned]:
    found = policy_set(read, path, clock).versions
    return [_Versioned(v.version, v.position, v.content) for v in found]


def _diff(history: History) -> Callable[[Read, Path, DiffQuery], Diff]:
    def diff(read: Read, path: Path, query: DiffQuery) -> Diff:
        """What changed between two versions."""
        by_number = {v.version: v for v in history(read, path, Clock())}
        if query.from_ not in by_number or query.to not in by_number:
            raise Missing("no such version of it")
        old = _flat(msgspec.to_builtins(by_number[query.from_].content), "")
        new = _flat(msgspec.to_builtins(by_number[query.to].content), "")
        changes = {
            pointer: Difference(before=old.get(pointer), after=new.get(pointer))
            for pointer in sorted(old.keys() | new.keys())
            if old.get(pointer) != new.get(pointer)
        }
        return Diff(from_version=query.from_, to_version=query.to, changes=changes)

    return diff


def _lineage(history: History) -> Callable[[Read, Path, Clock], Lineage]:
    def lineage(read: Read, path: Path, query: Clock) -> Lineage:
        """Where each version comes from."""
        return Lineage(
            versions=tuple(
                Ancestry(
                    version=v.version,
                    position=v.position,
                    derived_from=v.derived_from,
                    approved_for=v.approved_for,
                )
                for v in history(read, path, query)
            )
        )

    return lineage


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


_HISTORIES: tuple[tuple[str, History], ...] = (
    ("/v1/scorecards/{scorecard}", _scorecards),
    ("/v1/prompts/{prompt}", _prompts),
    ("/v1/postings/{posting}", _postings),
    ("/v1/policy-sets/{policy_set}", _policy_sets),
)
RUBRIC_CHANGES: tuple[Readable, ...] = (
    *(rubric_get(f"{path}/diff", _diff(of), Diff, DiffQuery) for path, of in _HISTORIES),
    *(rubric_get(f"{path}/lineage", _lineage(of), Lineage) for path, of in _HISTORIES),
)
