"""The candidate knew rounds, attendees and timeline before the first interview, and of changes."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from domain.state import At, Loop
from policies._examples import planned, rubric
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import DECIDER, IRIS, JUNO, KOFI

Session = At[f.SessionCompleted]


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Compares what was announced, by the time it was said, with what took place."""
    loop = case.loop
    met = _met(loop)
    if not met:
        return
    first = met[0]
    if _told(loop, first) is None:
        yield Found(
            message="the candidate was not told rounds, attendees and timeline before the first"
            " interview",
            cure="tell the candidate now, and first thing in the next loop",
            positions=(first.position, *(notice.position for notice in loop.notices[:1])),
        )
    strange = [s for s in met if (n := _told(loop, s)) and set(s.fact.attendees) - set(n.attendees)]
    if strange:
        yield Found(
            message="someone attended whom the candidate had not been told of",
            cure="announce a change of interviewers before the session",
            positions=tuple(session.position for session in strange),
        )
    rounds = len({session.fact.session for session in met})
    if loop.notices and rounds > loop.notices[-1].fact.rounds:
        yield Found(
            message=f"{rounds} interviews took place; the candidate was told of"
            f" {loop.notices[-1].fact.rounds}",
            cure="announce an additional round before it takes place",
            positions=(loop.notices[-1].position, *(session.position for session in met)),
        )


def _met(loop: Loop) -> list[Session]:
    """The interviews that took place, the first first."""
    kinds = {s.position: loop.session(s.fact.session) for s in loop.sessions}
    met = [
        s for s in loop.sessions if (p := kinds[s.position]) and p.kind in ("interview", "panel")
    ]
    return sorted(met, key=lambda session: (session.fact.started_at, session.position))


def _told(loop: Loop, session: Session) -> f.ProcessNoticeGiven | None:
    """What the candidate had last been told when the session began."""
    before = [n.fact for n in loop.notices if n.fact.stamp.at <= session.fact.started_at]
    return before[-1] if before else None


POLICY = Policy(
    id="candidate-informed-first",
    version=1,
    title="The candidate is told the process before it begins",
    rationale="People who know the rounds, the faces and the dates show what they can do, and"
    " stay.",
    source=f"{ARTICLE}, section H (tell candidates up front: rounds, who attends, decision"
    " timelines)",
    practices=("P48",),
    moments=frozenset({"gate"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted("announced, then held", lambda: planned().held("screen").asks_gate()),
        refused(
            "nothing was announced",
            lambda: (
                rubric()
                .approved("hiring_manager", "tech_lead", "partner")
                .opened()
                .planned()
                .held("screen")
                .asks_gate()
            ),
        ),
        refused(
            "the decision maker joined the panel unannounced",
            lambda: planned().held("panel", KOFI, IRIS, DECIDER).asks_gate(),
        ),
        refused(
            "three rounds where two were announced",
            lambda: (
                planned()
                .noticed(IRIS, JUNO, KOFI, rounds=2)
                .held("screen")
                .held("design")
                .held("panel")
                .asks_gate()
            ),
        ),
    ),
)
