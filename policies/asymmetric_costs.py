"""A hypothetical states what each kind of error costs, and the two costs differ."""

from collections.abc import Iterator

from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case, Found
from policies._examples import rubric
from policies._policy import ARTICLE, Params, Policy, accepted, draft_of, refused
from policies._sample import TECH_LEAD, prompt


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Looks at hypotheticals only."""
    content = draft_of(case, f.PromptVersioned).content
    if content.kind != "hypothetical":
        return
    positive, negative = content.cost_false_positive, content.cost_false_negative
    if positive is None or negative is None:
        yield Found(
            message="the hypothetical does not state what each kind of error costs",
            cure="give the cost of a false positive and of a false negative in one unit",
        )
    elif positive == negative:
        yield Found(
            message="both kinds of error cost the same in this hypothetical",
            cure="make one of them cost more: otherwise there is no threshold to choose",
        )


POLICY = Policy(
    id="asymmetric-costs",
    version=1,
    title="Hypotheticals have asymmetric costs",
    rationale="Only where errors cost differently does it show who tunes a threshold and who"
    " chases a leaderboard.",
    source=f"{ARTICLE}, section B1 (a tiny asymmetric-cost hypothetical)",
    practices=("P17",),
    moments=frozenset({"adopt"}),
    about=(f.PromptVersioned,),
    enforcement="warn",
    check=check,
    examples=(
        accepted(
            "a missed fraud costs forty times a blocked customer",
            lambda: rubric().asks(TECH_LEAD, _hypothetical(5, 200)),
        ),
        refused("both cost the same", lambda: rubric().asks(TECH_LEAD, _hypothetical(5, 5))),
        refused(
            "no cost is stated",
            lambda: rubric().asks(TECH_LEAD, prompt("fraud", "framing", "hypothetical")),
        ),
    ),
)


def _hypothetical(positive: float, negative: float) -> c.VersionPrompt:
    bare = prompt("fraud", "framing", "hypothetical")
    return replace(bare, cost_false_positive=positive, cost_false_negative=negative)
