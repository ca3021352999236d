"""A scorecard rates at least one inclusive behaviour."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import rubric
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import COMPETENCIES, TECH_LEAD, scorecard


def check(case: Case, _params: Params) -> Iterator[Found]:
    """The author of a competency says whether its anchors reward inclusive behaviour."""
    if not any(competency.inclusive for competency in case.scorecard.competencies):
        yield Found(
            message="no competency of the scorecard rates inclusive behaviour",
            cure="anchor one on inviting quieter voices, summarising decisions or documenting"
            " dissent, and mark it as inclusive",
        )


POLICY = Policy(
    id="inclusive-anchor",
    version=1,
    title="The scorecard rates an inclusive behaviour",
    rationale="What the scorecard does not name, interviewers do not reward.",
    source=f"{ARTICLE}, section B4 (bias the rubric toward inclusive behaviours)",
    practices=("P36",),
    moments=frozenset({"adopt"}),
    about=(f.ScorecardVersioned,),
    enforcement="warn",
    check=check,
    examples=(
        accepted(
            "trade-offs are anchored on inviting quieter voices",
            lambda: rubric().asks(TECH_LEAD, scorecard()),
        ),
        refused(
            "three competencies, none of them inclusive",
            lambda: rubric().asks(TECH_LEAD, scorecard(*COMPETENCIES[:3])),
        ),
    ),
)
