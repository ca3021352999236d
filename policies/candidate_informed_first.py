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
            cure="tell the candidate now; a second person may grant an exception for what is past",
            positions=(first.position, *(notice.position for notice in loop.notices[:1])),
        )
    strange = [s.position for s in met if set(s.fact.attendees) - _attendees(loop, s)]
    if strange:
        yield Found(
            message="someone attended whom the candidate had not been told of",
            cure="tell the candidate of a change before the session; a second person may grant an"
            " exception for what is past",
            positions=tuple(strange),
        )
    extra = [
        session.position
        for number, session in enumerate(met, start=1)
        if (told := _told(loop, session)) and told.rounds < number
    ]
    if extra:
        yield Found(
            message=f"{len(met)} interviews took place, more than the candidate had been told"
            " of before them",
            cure="give notice of an additional round before it takes place; a second person may"
            " grant an exception for what is past",
            positions=tuple(extra),
        )


def _met(loop: Loop) -> list[Session]:
    """The interviews that took place, each by its latest report, the first first."""
    planned = {s.fact.session: loop.session(s.fact.session) for s in loop.sessions}
    held = [
        report
        for id_, session in planned.items()
        if session and session.kind in ("interview", "panel") and (report := loop.completed(id_))
    ]
    return sorted(held, key=lambda session: (session.fact.started_at, session.position))


def _attendees(loop: Loop, session: Session) -> set[str]:
    told = _told(loop, session)
    return set(told.attendees if told else session.fact.attendees)


def _told(loop: Loop, session: Session) -> f.ProcessNoticeGiven | None:
    """What the candidate had last been told when the session began."""
    before = [n.fact for n in loop.notices if n.fact.stamp.at <= session.fact.started_at]
    return max(reversed(before), key=lambda notice: notice.stamp.at, default=None)


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
