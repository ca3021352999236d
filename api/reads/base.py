"""A readable route: what it takes, and the function that answers it."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from msgspec import Struct

from api.openapi import Route
from api.reading import Read
from domain.facts import ROLES

Path = dict[str, str]
Answer = Callable[[Read, Path, Any], Struct]

# A recorder reads what the person it names may; the role itself opens nothing.
EVERYONE: Final[tuple[str, ...]] = tuple(role for role in ROLES if role != "recorder")
LOOP_READERS: Final = ("approver", "auditor", "decision_maker", "hiring_manager", "interviewer")


class Readable(NamedTuple):
    """A GET: its row in the document, and who answers."""

    route: Route
    answer: Answer


def _names(query: type[Struct] | None) -> tuple[str, ...]:
    return query.__struct_fields__ if query else ()


def get(
    path: str,
    answer: Answer,
    type_: type[Struct],
    *,
    tag: str,
    roles: tuple[str, ...],
    query: type[Struct] | None = None,
    also: tuple[int, ...] = (),
) -> Readable:
    """One GET; its summary is the function's docstring. `also` names statuses of its own."""
    return Readable(
        Route(
            method="GET",
            path=path,
            summary=(answer.__doc__ or "").split("\n")[0].rstrip("."),
            tags=(tag,),
            roles=tuple(sorted(roles)),
            query=query,
            answer=type_,
            statuses=(200, 304, *also),
            headers=("ETag", "Link") if "after" in _names(query) else ("ETag",),
        ),
        answer,
    )
