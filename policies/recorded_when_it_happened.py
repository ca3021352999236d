"""What happened is recorded soon after it happened, and not only what was thought of it."""

from collections.abc import Iterator
from datetime import timedelta

from domain import facts as f
from domain.case import Case, Found
from domain.state import Loop
from domain.values import Time
from policies._examples import MONDAY, evidenced, planned
from policies._policy import ARTICLE, Param, Params, Policy, accepted, refused, whole
from policies._sample import HIRING_MANAGER, IRIS, JUNO, KOFI, TAKE_HOME, handed_in, take_home


def check(case: Case, params: Params) -> Iterator[Found]:
    """A claimed time is a claim: the longer ago, the less can be checked."""
    hours = whole(params, "recorded_hours_max")
    limit = timedelta(hours=hours)
    if not isinstance(case.draft, f.EvidenceGatePassed | f.DecisionMade):
        if case.draft.stamp.recorded - case.draft.stamp.at > limit:
            yield _late(hours)
        return
    late = [at for at, happened, known in _reports(case.loop) if known - happened > limit]
    if late:
        yield _late(hours, *late)
    of_nothing = _of_nothing_reported(case.loop)
    if of_nothing:
        yield Found(
            message="this feedback is on sessions that nobody reported as held",
            cure="report each of these sessions as held, with its times and who attended; a"
            " take-home as received",
            positions=of_nothing,
        )


def _late(hours: int, *positions: int) -> Found:
    return Found(
        message=f"reports were recorded more than {hours} hours after they are said to have"
        " happened",
        cure="report as it happens; let the sending system name its own record as the source",
        positions=positions,
    )


def _of_nothing_reported(loop: Loop) -> tuple[int, ...]:
    """Feedback without any report of what it is about; a reference is a report of its own."""
    held = {session.fact.session for session in loop.sessions}
    handed_in = {one.fact.session for one in loop.received}
    found: list[int] = []
    for written in loop.feedback:
        planned = loop.session(written.fact.session)
        kind = planned.kind if planned is not None else None
        reported = held | handed_in if kind == "take_home" else held
        if kind != "reference" and written.fact.session not in reported:
            found.append(written.position)
    return tuple(found)


def _reports(loop: Loop) -> Iterator[tuple[int, Time, Time]]:
    """Position, when it is said to have happened, and when it was recorded."""
    for session in loop.sessions:
        stamp = session.fact.stamp
        yield session.position, min(stamp.at, session.fact.ended_at), stamp.recorded
    for group in (
        loop.notices,
        loop.relationships,
        loop.cancelled,
        loop.replacements,
        loop.no_shows,
        loop.assigned,
        loop.received,
        loop.anonymised,
        loop.feedback,
        loop.amendments,
        loop.references,
        loop.statements,
        loop.dissents,
    ):
        for one in group:
            yield one.position, one.fact.stamp.at, one.fact.stamp.recorded


POLICY = Policy(
    id="recorded-when-it-happened",
    version=1,
    title="Reports are recorded when they happen",
    rationale="A record made at the time is worth more than one made when it is needed.",
    source=f"{ARTICLE}, section A (immediately after each session); Federal Rules of Evidence"
    " 803(6)(A): a record made at or near the time",
    practices=("P8",),
    moments=frozenset({"feedback", "gate"}),
    enforcement="warn",
    params={
        "recorded_hours_max": Param(
            default=72, meaning="hours between event and record", least=1, most=8760
        )
    },
    check=check,
    examples=(
        accepted("reported as it happened", lambda: evidenced().asks_gate()),
        accepted(
            "a take-home was handed in, and feedback written on it",
            lambda: (
                planned(TAKE_HOME)
                .does(HIRING_MANAGER, take_home())
                .does(HIRING_MANAGER, handed_in())
                .wrote(KOFI, "exercise")
                .asks_gate()
            ),
        ),
        refused(
            "feedback said to be of Monday arrives on Friday",
            lambda: planned().later(days=4).wrote(IRIS, "screen", at=MONDAY).asks_gate(),
        ),
        refused(
            "feedback was written on a session that nobody reported as held",
            lambda: (
                planned().held("screen").wrote(IRIS, "screen").wrote(JUNO, "design").asks_gate()
            ),
        ),
    ),
)
