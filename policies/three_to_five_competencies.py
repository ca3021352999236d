"""A scorecard lists three to five competencies: fewer hide a role, more are not looked for."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import rubric
from policies._policy import ARTICLE, Param, Params, Policy, accepted, refused, whole
from policies._sample import COMPETENCIES, TECH_LEAD, scorecard


def check(case: Case, params: Params) -> Iterator[Found]:
    """Counts the competencies of the scorecard that is adopted or pinned."""
    number = len(case.scorecard.competencies)
    least, most = whole(params, "competencies_min"), whole(params, "competencies_max")
    if not least <= number <= most:
        opened = case.draft if isinstance(case.draft, f.LoopOpened) else None
        yield Found(
            message=f"the scorecard lists {number} competencies; {least} to {most} can be rated",
            cure="merge or add competencies in a new version",
            positions=(case.pinned_scorecard(opened).position,) if opened else (),
        )


POLICY = Policy(
    id="three-to-five-competencies",
    version=1,
    title="The scorecard lists three to five competencies",
    rationale="Interviewers can hold three to five competencies in mind and rate each on its own"
    " evidence.",
    source=f"{ARTICLE}, section A (three to five competencies)",
    practices=("P3",),
    moments=frozenset({"adopt", "open"}),
    about=(f.ScorecardVersioned, f.LoopOpened),
    enforcement="block",
    params={
        "competencies_min": Param(default=3, meaning="fewest competencies", least=1, most=4),
        "competencies_max": Param(default=5, meaning="most competencies", least=4, most=20),
    },
    check=check,
    examples=(
        accepted("four competencies, one a bucket", lambda: rubric().asks(TECH_LEAD, scorecard())),
        refused(
            "two competencies",
            lambda: rubric().asks(TECH_LEAD, scorecard(*COMPETENCIES[:2])),
        ),
    ),
)
