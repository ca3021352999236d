"""A loop opens only under a scorecard that hiring manager, tech lead and partner approved."""

from collections.abc import Iterator
from itertools import product
from typing import get_args

from domain import facts as f
from domain.case import Case, Found
from domain.state import At
from policies._examples import rubric
from policies._policy import ARTICLE, Param, Params, Policy, accepted, draft_of, refused, whole
from policies._sample import TECH_LEAD, competency, scorecard

CAPACITIES: tuple[f.Capacity, ...] = get_args(f.Capacity)


def check(case: Case, params: Params) -> Iterator[Found]:
    """An approval counts for exactly the content that was read: its digest, not its number."""
    opening = draft_of(case, f.LoopOpened)
    pinned = case.pinned_scorecard(opening)
    valid = _valid(case, opening, pinned)
    positions = (pinned.position, *(a.position for a in valid))
    by: dict[str, set[str]] = {capacity: set() for capacity in CAPACITIES}
    for approval in valid:
        by[approval.fact.capacity].add(approval.fact.stamp.by)
    missing = [capacity.replace("_", " ") for capacity in CAPACITIES if not by[capacity]]
    needed = whole(params, "distinct_approvers_min")
    if missing:
        yield Found(
            message="this content of the scorecard is not approved for the requisition by its "
            + ", ".join(missing),
            cure="whoever the requisition's team names reads this version and approves its digest",
            positions=positions,
        )
        return
    people = max(len(set(chosen)) for chosen in product(*by.values()))
    if people < needed:
        yield Found(
            message=f"{people} different people approved in the three capacities; {needed} must",
            cure="name different people in the requisition's team, and have them approve",
            positions=positions,
        )


def _valid(
    case: Case, opening: f.LoopOpened, pinned: At[f.ScorecardVersioned]
) -> list[At[f.ScorecardApproved]]:
    given = case.world.scorecards[opening.scorecard.id].approvals
    wanted = (opening.requisition, pinned.fact.content_digest)
    return [a for a in given if (a.fact.requisition, a.fact.content_digest) == wanted]


POLICY = Policy(
    id="scorecard-approved-by-three",
    version=1,
    title="The scorecard is approved by three people in three capacities",
    rationale="What is looked for is agreed by all who will live with the hire, before anyone"
    " is interviewed.",
    source=f"{ARTICLE}, section A (a written role scorecard agreed by hiring manager, tech lead"
    " and a partner function)",
    practices=("P1", "P2"),
    moments=frozenset({"open"}),
    enforcement="block",
    core=True,
    params={
        "distinct_approvers_min": Param(
            default=3, meaning="different people among the approvers", least=2, most=3
        )
    },
    check=check,
    examples=(
        accepted(
            "hiring manager, tech lead and security approved the very words",
            lambda: rubric().approved("hiring_manager", "tech_lead", "partner").asks_open(),
        ),
        refused(
            "security has not approved yet",
            lambda: rubric().approved("hiring_manager", "tech_lead").asks_open(),
        ),
        refused(
            "all three approved version 1; the loop would open under an edited version 2",
            lambda: (
                rubric()
                .approved("hiring_manager", "tech_lead", "partner")
                .does(TECH_LEAD, scorecard(competency("failure-modes", "design")))
                .asks_open(version=2)
            ),
        ),
    ),
)
