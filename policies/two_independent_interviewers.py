"""Nobody is hired or turned down on less than two independent people's written evidence."""

from collections import Counter
from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import evidenced, planned
from policies._independence import USES, WHY_NOT, counted_forms, witnesses
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import IRIS, JUNO, KOFI, reason
from policies._stage import posted_knock_out, second_reader

PEOPLE_MIN = 2


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Counts people, not forms; at a stage only a rejection needs them."""
    if isinstance(case.draft, f.StageDecided) and _exempt(case, case.draft):
        return
    seen = witnesses(case)
    counting = [w for w in seen if w.counts]
    if len(counting) < PEOPLE_MIN:
        why = Counter(WHY_NOT[w.why_not] for w in seen if w.why_not)
        not_counted = "".join(f"; {n} {text}" for text, n in sorted(why.items()))
        yield Found(
            message=f"independent written evidence comes from {len(counting)} of the {PEOPLE_MIN}"
            f" people needed{not_counted}",
            cure="have another person interview and write before reading what others wrote",
            positions=tuple(position for w in seen for position in w.feedback),
        )
        return
    forms = [form for mine in counted_forms(case).values() for form in mine]
    if len({form.fact.session for form in forms}) == 1:
        yield Found(
            message="all independent evidence comes from one and the same session",
            cure="nothing is needed; a second session would show more",
            positions=tuple(form.position for form in forms),
            advice=True,
        )


def _exempt(case: Case, decision: f.StageDecided) -> bool:
    advance = decision.outcome != "reject"
    return advance or posted_knock_out(case, decision) or second_reader(case, decision)


POLICY = Policy(
    id="two-independent-interviewers",
    version=1,
    title="Two independent interviewers wrote evidence",
    rationale="One person's view cannot be told from that person's taste.",
    source=f"{ARTICLE}, section H (require written evidence from at least two independent"
    " interviewers before a hire/no-hire recommendation)",
    practices=("P43",),
    moments=frozenset({"gate", "stage", "recommend", "decide"}),
    enforcement="block",
    core=True,
    uses=USES,
    check=check,
    examples=(
        accepted("three people wrote before reading", lambda: evidenced().asks_gate()),
        accepted(
            "a permit that the posting asks for is missing",
            lambda: planned().asks_reject("screening", reason("knock_out", "work-permit")),
        ),
        accepted(
            "the screener wrote independently, and the hiring manager rejects",
            lambda: planned().wrote(IRIS, "screen").asks_reject("screening", reason("competency")),
        ),
        refused(
            "one person wrote twice",
            lambda: planned().wrote(IRIS, "screen").wrote(IRIS, "panel").asks_gate(),
        ),
        refused(
            "the second read the first before writing",
            lambda: planned().wrote(IRIS, "screen").read(KOFI).wrote(KOFI, "panel").asks_gate(),
        ),
        refused(
            "the second referred the candidate",
            lambda: (
                planned()
                .disclosed(JUNO, "referrer")
                .wrote(IRIS, "screen")
                .wrote(JUNO, "design")
                .asks_decide()
            ),
        ),
    ),
)
