"""Whoever decides against the recommendation says why."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import decidable
from policies._policy import ARTICLE, Params, Policy, accepted, draft_of, refused
from policies._sample import reason


def check(case: Case, _params: Params) -> Iterator[Found]:
    """The latest recommendation is the panel's word; a reason of kind override goes against it."""
    made = draft_of(case, f.DecisionMade)
    latest = case.loop.recommendations[-1:]
    against = tuple(r.position for r in latest if r.fact.recommend != made.decision)
    if against and not any(given.kind == "override" for given in made.reasons):
        yield Found(
            message="the decision goes against the recommendation, and no reason says why",
            cure="give a reason of kind override",
            positions=against,
        )


POLICY = Policy(
    id="reasons-for-going-against",
    version=1,
    title="Going against the recommendation needs a reason",
    rationale="A decision maker may know better, and then can say what.",
    source=f"{ARTICLE}, section H (recommendation is a step of its own)",
    practices=("P50",),
    moments=frozenset({"decide"}),
    enforcement="block",
    check=check,
    examples=(
        accepted("recommended and hired", lambda: decidable().asks_decide()),
        accepted(
            "recommended, not hired, and said why",
            lambda: decidable().asks_decide("no_hire", reason("override")),
        ),
        refused("recommended and not hired", lambda: decidable().asks_decide("no_hire")),
    ),
)
