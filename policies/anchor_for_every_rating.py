"""Every rating of the scale has a behavioural anchor in every competency."""

from collections.abc import Iterator

from msgspec.structs import replace

from domain import facts as f
from domain.case import Case, Found
from domain.values import count_words
from policies._examples import rubric
from policies._policy import ARTICLE, Param, Params, Policy, accepted, refused, whole
from policies._sample import COMPETENCIES, TECH_LEAD, scorecard
from policies._words import only_adjectives


def check(case: Case, params: Params) -> Iterator[Found]:
    """An anchor says what someone does: a few words at least, and not adjectives alone."""
    least = whole(params, "anchor_words_min")
    content = case.scorecard
    ratings = [str(n) for n in range(content.scale.min, content.scale.max + 1)]
    opened = case.draft if isinstance(case.draft, f.LoopOpened) else None
    where = (case.pinned_scorecard(opened).position,) if opened else ()
    for competency in content.competencies:
        anchors = competency.anchors
        missing = [n for n in ratings if n not in anchors]
        given = [n for n in ratings if n in anchors]
        thin = [n for n in given if count_words(anchors[n]) < least or only_adjectives(anchors[n])]
        if missing:
            yield Found(
                message=f"{competency.id} has no anchor for the rating {', '.join(missing)}",
                cure="say for every rating what someone does who gets it",
                positions=where,
            )
        if thin:
            yield Found(
                message=f"{competency.id}: the anchor for the rating {', '.join(thin)} names no"
                " behaviour",
                cure=f"describe what someone does, in {least} words or more",
                positions=where,
            )


POLICY = Policy(
    id="anchor-for-every-rating",
    version=1,
    title="Every rating of every competency has a behavioural anchor",
    rationale="Two interviewers mean the same by a 3 only if the scorecard says what a 3 does.",
    source=f"{ARTICLE}, section A (behavioural anchors); Smith and Kendall 1963, Retranslation of"
    " expectations, Journal of Applied Psychology 47",
    practices=("P4",),
    moments=frozenset({"adopt", "open"}),
    about=(f.ScorecardVersioned, f.LoopOpened),
    enforcement="block",
    params={
        "anchor_words_min": Param(default=3, meaning="fewest words of an anchor", least=1, most=50)
    },
    check=check,
    examples=(
        accepted(
            "an anchor for each rating from 1 to 4", lambda: rubric().asks(TECH_LEAD, scorecard())
        ),
        refused(
            "only the best and the worst rating are described",
            lambda: rubric().asks(TECH_LEAD, scorecard(*COMPETENCIES[1:], _anchored("1", "4"))),
        ),
    ),
)


def _anchored(*ratings: str) -> f.Competency:
    return replace(COMPETENCIES[0], anchors=dict.fromkeys(ratings, "named the cost of each error"))
