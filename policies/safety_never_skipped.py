"""Safety is planned for and asked about in every loop, whatever else is left out."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import planned
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import DESIGN, PANEL, SCREEN, ref
from policies._sessions import buckets_of, held


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Over the planned prompts when planning; at the gate over those that were really given."""
    if not any("safety" in x.buckets and x.weight > 0 for x in case.scorecard.competencies):
        yield Found(
            message="no competency of the scorecard gives safety any weight",
            cure="open a new loop under a scorecard version in which safety weighs more than 0",
            positions=(case.pinned_scorecard(case.loop.opened.fact).position,),
        )
    if isinstance(case.draft, f.LoopPlanned):
        asked = [ref for session in case.draft.sessions for ref in session.prompts]
        if "safety" not in buckets_of(case.world, asked):
            yield Found(
                message="no planned session has a prompt on safety",
                cure="plan a prompt of the safety bucket in one of the sessions",
            )
        return
    sessions = held(case.loop)
    given = [ref for session in sessions for ref in session.prompts]
    if "safety" not in buckets_of(case.world, given):
        yield Found(
            message="in no session that took place was a prompt on safety given",
            cure="hold a session with a prompt of the safety bucket, and report it",
            positions=tuple(session.position for session in sessions),
        )


POLICY = Policy(
    id="safety-never-skipped",
    version=1,
    title="Every candidate is asked about safety",
    rationale="Whoever ships models can do harm by them, so nobody is decided on without having"
    " been asked about it.",
    source=f"{ARTICLE}, section B3 (early-stage firms may weigh awareness, but do not skip the"
    " topic)",
    practices=("P6", "P32"),
    moments=frozenset({"plan", "gate"}),
    enforcement="block",
    core=True,
    check=check,
    examples=(
        accepted(
            "the design session has a prompt on prompt injection",
            lambda: planned().asks_plan(SCREEN, DESIGN, PANEL),
        ),
        accepted("the prompt on safety was given", lambda: planned().held("design").asks_gate()),
        refused("nothing planned touches safety", lambda: planned().asks_plan(SCREEN, PANEL)),
        refused(
            "it was planned, but the session left it out",
            lambda: (
                planned()
                .held("screen")
                .held("design", prompts=(ref("support-assistant"),))
                .asks_gate()
            ),
        ),
    ),
)
