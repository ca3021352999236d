"""A take-home is anonymised before anyone reviews it, or it is said why that cannot be."""

from collections.abc import Iterator

from domain.case import Case, Found
from policies._examples import Story, planned
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import HIRING_MANAGER, KOFI, PLAN, TAKE_HOME, anonymised, handed_in


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Order is taken from when it happened, not from when we heard of it."""
    loop = case.loop
    submitted = {r.fact.session for r in loop.received} | {a.fact.session for a in loop.assigned}
    for written in loop.feedback:
        session = loop.session(written.fact.session)
        is_take_home = session is not None and session.kind == "take_home"
        if not is_take_home and written.fact.session not in submitted:
            continue
        done = [a for a in loop.anonymised if a.fact.session == written.fact.session]
        if not any(a.fact.stamp.at <= written.fact.stamp.at for a in done):
            yield Found(
                message="the take-home was reviewed before it was anonymised",
                cure="have someone review it who does not know whose it is; for what is past, a"
                " second person may grant an exception",
                positions=(written.position, *(a.position for a in done)),
            )


POLICY = Policy(
    id="take-home-anonymised-first",
    version=1,
    title="Take-homes are anonymised before review",
    rationale="Work whose author is unknown is judged as work.",
    source=f"{ARTICLE}, section H (anonymise submissions before review when feasible); Goldin and"
    " Rouse 2000, Orchestrating impartiality, American Economic Review 90",
    practices=("P47",),
    moments=frozenset({"gate"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted(
            "anonymised, then reviewed",
            lambda: (
                _handed_in().does(HIRING_MANAGER, anonymised()).wrote(KOFI, "exercise").asks_gate()
            ),
        ),
        accepted(
            "a recorded voice cannot be anonymised, and that was said first",
            lambda: (
                _handed_in()
                .does(HIRING_MANAGER, anonymised(feasible=False))
                .wrote(KOFI, "exercise")
                .asks_gate()
            ),
        ),
        refused(
            "reviewed with the name on it", lambda: _handed_in().wrote(KOFI, "exercise").asks_gate()
        ),
        refused(
            "anonymised a day after the review",
            lambda: (
                _handed_in()
                .wrote(KOFI, "exercise")
                .later(days=1)
                .does(HIRING_MANAGER, anonymised())
                .asks_gate()
            ),
        ),
    ),
)


def _handed_in() -> Story:
    return planned(*PLAN, TAKE_HOME).does(HIRING_MANAGER, handed_in())
