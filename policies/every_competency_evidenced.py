"""Each rating has evidence of its own, and every competency was rated by someone."""

from collections.abc import Iterator, Sequence

from domain import facts as f
from domain.case import Case, Found
from policies._examples import evidenced, planned
from policies._policy import ARTICLE, Param, Params, Policy, accepted, refused, whole
from policies._sample import IRIS, JUNO, KOFI


def check(case: Case, params: Params) -> Iterator[Found]:
    """Counts words, frozen in the fact when it was written; reads none."""
    least = whole(params, "words_min")
    if isinstance(case.draft, f.FeedbackSubmitted | f.FeedbackAmended):
        thin = _thin(case.draft.ratings, least)
        if thin:
            yield _too_thin(thin, least)
        return
    scale = case.scorecard.scale
    rated: set[str] = set()
    for written in case.loop.feedback:
        ratings = case.loop.ratings(written)
        thin = _thin(ratings, least)
        if thin:
            yield _too_thin(thin, least, written.position)
        given = [r for r in ratings if r.rating is not None]
        if any(not scale.min <= (r.rating or 0) <= scale.max for r in given):
            yield Found(
                message=f"a rating is off the scorecard's scale of {scale.min} to {scale.max}",
                cure="its author amends it",
                positions=(written.position,),
            )
        rated |= {r.competency for r in given} - set(thin)
    missing = [x.id for x in case.scorecard.competencies if x.id not in rated]
    if missing:
        yield Found(
            message=f"nobody rated {', '.join(missing)} with evidence",
            cure="hold a session that looks at it, and have the interviewer rate it",
            positions=tuple(written.position for written in case.loop.feedback),
        )


def _thin(ratings: Sequence[f.Rated], least: int) -> list[str]:
    return [r.competency for r in ratings if r.rating is not None and r.words < least]


def _too_thin(competencies: list[str], least: int, *positions: int) -> Found:
    return Found(
        message=f"the rating of {', '.join(competencies)} has fewer than {least} words of evidence",
        cure="its author amends it: what was said or done, or why it was not observed",
        positions=positions,
    )


POLICY = Policy(
    id="every-competency-evidenced",
    version=1,
    title="Every competency is rated with its own evidence",
    rationale="A rating without its own evidence is the halo of another one.",
    source=f"{ARTICLE}, sections A and H (mapping reduces halo effects, consistent scoring per"
    " competency); Thorndike 1920, A constant error in psychological ratings, Journal of Applied"
    " Psychology 4",
    practices=("P9", "P42"),
    moments=frozenset({"feedback", "gate"}),
    enforcement="block",
    params={
        "words_min": Param(default=8, meaning="words of evidence for a rating", least=1, most=200)
    },
    check=check,
    examples=(
        accepted("all four competencies, each with a sentence", lambda: evidenced().asks_gate()),
        refused(
            "one of them got two words",
            lambda: (
                planned()
                .wrote(IRIS, "screen")
                .wrote(JUNO, "design", "very good")
                .wrote(KOFI, "panel")
                .asks_gate()
            ),
        ),
        refused(
            "nobody looked at trade-offs",
            lambda: planned().wrote(IRIS, "screen").wrote(JUNO, "design").asks_gate(),
        ),
    ),
)
