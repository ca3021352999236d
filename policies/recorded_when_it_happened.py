"""What happened is recorded soon after it happened."""

from collections.abc import Iterator
from datetime import timedelta

from domain import facts as f
from domain.case import Case, Found
from domain.state import Loop
from domain.values import Time
from policies._examples import MONDAY, evidenced, planned
from policies._policy import ARTICLE, Param, Params, Policy, accepted, refused, whole
from policies._sample import IRIS


def check(case: Case, params: Params) -> Iterator[Found]:
    """A claimed time is a claim: the longer ago, the less can be checked."""
    hours = whole(params, "recorded_hours_max")
    limit = timedelta(hours=hours)
    if isinstance(case.draft, f.EvidenceGatePassed | f.DecisionMade):
        late = [at for at, happened, known in _reports(case.loop) if known - happened > limit]
        if not late:
            return
    elif case.draft.stamp.recorded - case.draft.stamp.at <= limit:
        return
    else:
        late = []
    yield Found(
        message=f"reports were recorded more than {hours} hours after they are said to have"
        " happened",
        cure="report as it happens; let the sending system name its own record as the source",
        positions=tuple(late),
    )


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
        refused(
            "feedback said to be of Monday arrives on Friday",
            lambda: planned().later(days=4).wrote(IRIS, "screen", at=MONDAY).asks_gate(),
        ),
    ),
)
