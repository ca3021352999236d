"""What the candidate was really asked: the sessions that took place, with their prompts."""

from collections.abc import Iterable

from msgspec import Struct

from domain import facts as f
from domain.state import At, Loop, World


class Held(Struct, frozen=True, kw_only=True):
    """A session that took place, the prompts given in it, and the fact that says so."""

    session: str
    stage: str
    kind: f.SessionKind | None
    prompts: tuple[f.Ref, ...]
    position: int


def held(loop: Loop) -> tuple[Held, ...]:
    """The sessions that took place, in the order in which we heard of them.

    A report of completion says which prompts were given. Where there is none, a take-home handed in
    or feedback written shows that the session took place, with the prompts planned for it.
    """
    reported = {s.fact.session: s for s in loop.sessions}
    shown: dict[str, int] = {}
    for position, session in sorted(
        [(s.position, s.fact.session) for s in loop.sessions]
        + [(r.position, r.fact.session) for r in loop.received]
        + [(w.position, w.fact.session) for w in loop.feedback]
    ):
        shown.setdefault(session, position)
    return tuple(
        one
        for session, position in shown.items()
        if (one := _held(loop, session, position, reported.get(session))) is not None
    )


def _held(
    loop: Loop, session: str, position: int, report: At[f.SessionCompleted] | None
) -> Held | None:
    planned = loop.session(session)
    kind = planned.kind if planned is not None else None
    if report is not None:
        stage, prompts, shown_at = report.fact.stage, report.fact.prompts, report.position
    elif planned is not None:
        stage, prompts, shown_at = planned.stage, planned.prompts, position
    else:
        return None
    return Held(session=session, stage=stage, kind=kind, prompts=prompts, position=shown_at)


def buckets_of(world: World, prompts: Iterable[f.Ref]) -> frozenset[f.Bucket]:
    """The signal buckets that these prompts look into."""
    found: set[f.Bucket] = set()
    for ref in prompts:
        prompt = world.prompt(ref)
        if prompt is not None:
            found.update(prompt.fact.content.buckets)
    return frozenset(found)
