"""Take-homes come with the same time expectation for all; adjusted time is nobody's business."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from domain.state import At
from policies._examples import planned
from policies._policy import ARTICLE, Asked, Params, Policy, accepted, refused
from policies._sample import HIRING_MANAGER, PLAN, TAKE_HOME, take_home


def check(case: Case, _params: Params) -> Iterator[Found]:
    """An adjusted time is silent: a finding would tell the panel of an accommodation."""
    standard = case.requisition.standard
    if standard is None:
        return
    expected = {s.stage: s.minutes for s in standard.fact.sessions if s.kind == "take_home"}
    latest: dict[str, At[f.TakeHomeAssigned]] = {a.fact.session: a for a in case.loop.assigned}
    for assigned in latest.values():
        session = case.loop.session(assigned.fact.session)
        minutes = expected.get(session.stage) if session else None
        if minutes is not None and assigned.fact.minutes != minutes and not assigned.fact.adjusted:
            yield Found(
                message=f"the take-home was given {assigned.fact.minutes} minutes; the"
                f" requisition's standard is {minutes}",
                cure="expect the same time of everyone, or report it as adjusted if it was",
                positions=(standard.position, assigned.position),
            )


POLICY = Policy(
    id="take-home-same-time",
    version=1,
    title="Take-homes have the same time expectation",
    rationale="A take-home measures skill only if everyone was asked to spend the same time.",
    source=f"{ARTICLE}, section H (take-homes: standard time expectations); 42 U.S.C. 12112(b)(5)"
    " and (d) on accommodations and their confidentiality",
    practices=("P46",),
    moments=frozenset({"gate"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted("an hour, as for everyone", lambda: _assigned(60)),
        accepted("two hours, adjusted", lambda: _assigned(120, adjusted=True)),
        refused("two hours, for no stated adjustment", lambda: _assigned(120)),
    ),
)


def _assigned(minutes: int, *, adjusted: bool = False) -> Asked:
    story = planned(*PLAN, TAKE_HOME)
    return story.does(HIRING_MANAGER, take_home(minutes, adjusted=adjusted)).asks_gate()
