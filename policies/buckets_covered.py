"""The prompts of a loop look into all four signal buckets, and its sessions at all competencies."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import planned
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import DESIGN, SCREEN
from policies._sessions import buckets_of, held


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Buckets over prompts, not one a competency: planned ones, then at the gate those given."""
    if isinstance(case.draft, f.LoopPlanned):
        asked = [ref for session in case.draft.sessions for ref in session.prompts]
        looked_at = {x for session in case.draft.sessions for x in session.competencies}
        missed = [x.id for x in case.scorecard.competencies if x.id not in looked_at]
        if missed:
            yield Found(
                message=f"no planned session looks at {', '.join(missed)}",
                cure="give each competency of the scorecard to at least one session",
            )
        where: tuple[int, ...] = ()
    else:
        sessions = held(case.loop)
        asked = [ref for session in sessions for ref in session.prompts]
        where = tuple(session.position for session in sessions)
    covered = buckets_of(case.world, asked)
    left_out = [bucket for bucket in f.BUCKETS if bucket not in covered]
    if left_out:
        yield Found(
            message=f"no prompt looks into {', '.join(left_out)}",
            cure="add a prompt of each bucket to a session",
            positions=where,
        )


POLICY = Policy(
    id="buckets-covered",
    version=1,
    title="Prompts cover all four signal buckets",
    rationale="A loop of puzzles alone says nothing about framing, safety or working with others.",
    source=f"{ARTICLE}, sections A and B1 to B4 (outcomes, measurement and operations, not puzzles"
    " only)",
    practices=("P6", "P32"),
    moments=frozenset({"plan", "gate"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted("three sessions share four buckets", lambda: planned().asks_plan()),
        refused("nobody looks at collaboration", lambda: planned().asks_plan(SCREEN, DESIGN)),
        refused(
            "only the screen was held before the gate",
            lambda: planned().held("screen").asks_gate(),
        ),
    ),
)
