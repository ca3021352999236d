"""At screening one person alone turns down only by what the posting states."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import planned
from policies._independence import USES
from policies._policy import ARTICLE, Param, Params, Policy, accepted, draft_of, refused, word
from policies._sample import IRIS, reason
from policies._stage import posted_knock_out, second_reader

STAGE = "screening"


def check(case: Case, params: Params) -> Iterator[Found]:
    """Without a posted knock-out: a second reader, a warning, or never, as the house rule says."""
    draft = draft_of(case, f.StageDecided)
    if (draft.stage, draft.outcome) != (STAGE, "reject"):
        return
    rule = word(params, "screen_no_hire")
    if posted_knock_out(case, draft) or (rule != "block" and second_reader(case, draft)):
        return
    posting = case.world.posting(case.loop.opened.fact.posting)
    yield Found(
        message="the rejection at screening names no knock-out that the posting states"
        + ("" if rule == "block" else ", and nobody else read independently"),
        cure="name a posted knock-out, or let the candidate go on"
        if rule == "block"
        else "name a posted knock-out, or have a second person read and write independently",
        positions=(posting.position,) if posting else (),
        advice=rule == "warn",
    )


POLICY = Policy(
    id="screening-by-posted-criteria",
    version=1,
    title="Screening rejects by posted criteria",
    rationale="A first glance by one person turns down nobody for something that was never asked"
    " for.",
    source=f"{ARTICLE}, sections G and H (posts that spell out evaluation expectations, two"
    " independent interviewers)",
    practices=("P43", "P59"),
    moments=frozenset({"stage"}),
    enforcement="block",
    uses=USES,
    params={
        "screen_no_hire": Param(
            default="second_reader",
            meaning="what lets one person reject at screening without a posted knock-out: a second"
            " reader, nothing but a warning, or nothing at all",
            allowed=("second_reader", "warn", "block"),
        )
    },
    check=check,
    examples=(
        accepted(
            "a permit that the posting asks for is missing",
            lambda: planned().asks_reject(STAGE, reason("knock_out", "work-permit")),
        ),
        accepted(
            "a second person read and wrote independently",
            lambda: planned().wrote(IRIS, "screen").asks_reject(STAGE, reason("competency")),
        ),
        refused(
            "one person alone, for no posted reason",
            lambda: planned().asks_reject(STAGE, reason("competency", "evaluation-design")),
        ),
    ),
)
