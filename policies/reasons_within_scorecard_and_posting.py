"""Reasons stay within what the scorecard rates and the posting announced."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import decidable, planned
from policies._policy import ARTICLE, Params, Policy, accepted, draft_of, refused
from policies._sample import reason

ALLOWED = ("comparative", "legal", "requisition")


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Other kinds of reason are allowed and shown; whoever overrides is judged elsewhere."""
    draft = case.draft if isinstance(case.draft, f.StageDecided) else draft_of(case, f.DecisionMade)
    if isinstance(draft, f.StageDecided) and draft.outcome != "reject":
        return
    announced = {expectation.competency for expectation in case.posting.expectations}
    known = announced & {competency.id for competency in case.scorecard.competencies}
    posted = {knock_out.id for knock_out in case.posting.knock_outs}
    positions = _rubric(case)
    strange = sum(r.kind == "competency" and r.ref not in known for r in draft.reasons)
    if strange:
        yield Found(
            message=f"{strange} of {len(draft.reasons)} reasons named no competency that is both on"
            " the scorecard and in the posting",
            cure="name a competency that candidates were told of, or use the kind of reason that"
            " it is",
            positions=positions,
        )
    unposted = sum(r.kind == "knock_out" and r.ref not in posted for r in draft.reasons)
    if unposted:
        yield Found(
            message=f"{unposted} of {len(draft.reasons)} reasons named no knock-out that the"
            " posting states",
            cure="name a posted knock-out; state a new one in the next version of the posting",
            positions=positions,
        )
    shown = sorted({r.kind for r in draft.reasons if r.kind in ALLOWED})
    if shown:
        yield Found(
            message=f"reasons of the kind {', '.join(shown)} rest on no posted criterion",
            cure="nothing is needed: they are allowed, and shown",
            positions=positions,
            advice=True,
        )


def _rubric(case: Case) -> tuple[int, ...]:
    opened = case.loop.opened.fact
    posting = case.world.posting(opened.posting)
    return (case.pinned_scorecard(opened).position, *((posting.position,) if posting else ()))


POLICY = Policy(
    id="reasons-within-scorecard-and-posting",
    version=1,
    title="Reasons stay within scorecard and posting",
    rationale="Candidates are judged by what they were told they would be judged by.",
    source=f"{ARTICLE}, section G (alignment between public listing and internal rubric); 29 CFR"
    " 1607.14B on criteria that are job-related",
    practices=("P60", "P61"),
    moments=frozenset({"stage", "decide"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted("a competency that the posting announces", lambda: decidable().asks_decide()),
        refused(
            "a competency that nobody announced",
            lambda: decidable().asks_decide("hire", reason("competency", "team-fit")),
        ),
        refused(
            "a rejection for a requirement that is not posted",
            lambda: planned().asks_reject("screening", reason("knock_out", "degree")),
        ),
    ),
)
