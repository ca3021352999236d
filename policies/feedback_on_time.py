"""Feedback is written soon after the session, by when it was written and not when we heard."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain import facts as f
from domain.case import Case, Found
from policies._examples import evidenced, planned
from policies._policy import ARTICLE, Param, Params, Policy, accepted, refused, word
from policies._sample import IRIS

SATURDAY = 5
IN_WORDS = {
    "24h": "24 hours after the session ended",
    "next_business_day": "the end of the next business day after the session",
}


def check(case: Case, params: Params) -> Iterator[Found]:
    """Business days are Monday to Friday in the requisition's time zone; holidays count as such."""
    due = word(params, "due")
    zone = case.requisition.content.time_zone
    if due != "24h" and not _known(zone):
        yield Found(
            message="the requisition's time zone is unknown here, so lateness cannot be judged",
            cure="change the requisition's time zone to a name of the IANA database",
            positions=(case.requisition.latest,),
        )
        return
    if isinstance(case.draft, f.FeedbackSubmitted):
        session = case.loop.completed(case.draft.session)
        if session and case.draft.stamp.at > _deadline(session.fact.ended_at, due, zone):
            yield _late(due, session.position)
        return
    late: list[int] = []
    for written in case.loop.feedback:
        session = case.loop.completed(written.fact.session)
        if session and written.fact.stamp.at > _deadline(session.fact.ended_at, due, zone):
            late += (session.position, written.position)
    if late:
        yield _late(due, *late)
    held = {owed: case.loop.completed(owed) for owed, _ in case.loop.owes()}
    missing = [s for s in held.values() if s and case.now > _deadline(s.fact.ended_at, due, zone)]
    if missing:
        yield Found(
            message=f"feedback that was due by {IN_WORDS[due]} is still missing",
            cure="have whoever interviewed write it down before reading what others wrote",
            positions=tuple(session.position for session in missing),
        )


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _late(due: str, *positions: int) -> Found:
    return Found(
        message=f"feedback was written later than {IN_WORDS[due]}",
        cure="nothing makes it earlier: say in the debrief what it was written from, or have a"
        " second person grant an exception",
        positions=positions,
    )


def _deadline(ended: datetime, due: str, zone: str) -> datetime:
    if due == "24h":
        return ended + timedelta(hours=24)
    place = ZoneInfo(zone)
    day = ended.astimezone(place).date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=place)


POLICY = Policy(
    id="feedback-on-time",
    version=1,
    title="Feedback is written soon after the session",
    rationale="What is written days later is a memory of an impression, not of what was said.",
    source=f"{ARTICLE}, section A (map notes to the scorecard immediately after each session)",
    practices=("P8",),
    moments=frozenset({"feedback", "gate"}),
    about=(f.FeedbackSubmitted, f.EvidenceGatePassed),
    enforcement="warn",
    params={"due": Param(default="24h", meaning="when feedback is due", allowed=tuple(IN_WORDS))},
    check=check,
    examples=(
        accepted("everyone wrote within minutes", lambda: evidenced().asks_gate()),
        refused(
            "written thirty hours later",
            lambda: planned().held("screen").later(hours=30).wrote(IRIS, "screen").asks_gate(),
        ),
        refused(
            "two days later nothing is written",
            lambda: planned().held("screen").later(days=2).asks_gate(),
        ),
    ),
)
