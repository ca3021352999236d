"""A decision follows a recommendation made after the latest passed gate."""

from collections.abc import Iterator

from domain.case import Case, Found
from policies._examples import decidable, evidenced
from policies._policy import ARTICLE, Params, Policy, accepted, refused


def check(case: Case, _params: Params) -> Iterator[Found]:
    """A recommendation from before the gate rested on other evidence."""
    loop = case.loop
    gate = loop.gate.position if loop.gate else 0
    if loop.gate is None or not any(r.position > gate for r in loop.recommendations):
        yield Found(
            message="nothing was recommended after the latest passed gate",
            cure="record the panel's recommendation first",
            positions=tuple(r.position for r in loop.recommendations[-1:]),
        )


POLICY = Policy(
    id="recommendation-first",
    version=1,
    title="A recommendation comes before the decision",
    rationale="Who saw the candidate recommends, who answers for it decides, and both are on"
    " record.",
    source=f"{ARTICLE}, section H (recommendation is a step of its own)",
    practices=("P50",),
    moments=frozenset({"decide"}),
    enforcement="block",
    check=check,
    examples=(
        accepted("gate, recommendation, decision", lambda: decidable().asks_decide()),
        refused("nothing was recommended", lambda: evidenced().passed_gate().asks_decide()),
        refused("the gate was passed again since", lambda: decidable().passed_gate().asks_decide()),
    ),
)
