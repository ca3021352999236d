"""The steps of a loop up to its debrief, each a few calls; stories are made of them."""

from collections.abc import Mapping, Sequence
from typing import Final

from api.demo.calls import Answer, Call, Clock, Story, send, send_together
from api.demo.candidacy import Candidacy, reference_to, stamp
from api.demo.jobs import SCREENING, Prompt, Session
from api.demo.rubric import probes, readings

DECIDE_WITHIN_WORKDAYS: Final = 25
_SKIPPED_OF_TEN: Final = 1


def opened(c: Candidacy, *, expect: int = 201) -> Story[Answer]:
    """An application arrived, and its loop is opened."""
    body: dict[str, object] = {
        "id": c.loop,
        "requisition": c.job.requisition,
        "candidate": c.candidate._asdict(),
        "scorecard": {"id": c.job.scorecard, "version": c.version},
        "posting": {"id": c.job.posting, "version": 1},
    }
    manager = c.job.team.manager
    call = Call(path="/v1/loops", body=body, by=manager, at=c.clock.now, expect=expect)
    return (yield from send(call))


def planned(c: Candidacy, *, expect: int = 201) -> Story[None]:
    """The manager plans the sessions."""
    sessions = [_planned(c, session) for session in c.sessions]
    c.clock.after(hours=1)
    yield from send(c.call("/plan", c.job.team.manager, {"sessions": sessions}, expect=expect))


def noticed(c: Candidacy) -> Story[None]:
    """The candidate is told rounds, attendees and timeline."""
    deadline = Clock(c.clock.after(minutes=20)).workday(DECIDE_WITHIN_WORKDAYS, hour=17)
    body = {
        "rounds": sum(session.kind == "interview" for session in c.sessions),
        "attendees": c.interviewers,
        "decide_by": stamp(deadline),
    }
    yield from send(c.call("/process-notice", c.job.team.manager, body))


def disclosed(
    c: Candidacy, known: Mapping[str, str] | None = None, *, silent: Sequence[str] = ()
) -> Story[None]:
    """Each interviewer says how they know the candidate; most do not."""
    c.clock.after(minutes=30)
    yield from send_together(
        *(
            c.call("/relationships", person, {"relationship": (known or {}).get(person, "none")})
            for person in c.interviewers
            if person not in silent
        )
    )


def prepared(c: Candidacy) -> Story[None]:
    """Opened, planned, told, disclosed: as it should be."""
    yield from opened(c)
    yield from planned(c)
    yield from noticed(c)
    yield from disclosed(c)


def held(c: Candidacy, id_: str, *, prompts: Sequence[Prompt] | None = None) -> Story[None]:
    """A session takes place a working day later."""
    session = c.session(id_)
    started = c.clock.workday(hour=13 + c.words.random.randint(0, 3))
    ended = c.clock.after(minutes=session.minutes)
    body = {
        "started_at": stamp(started),
        "ended_at": stamp(ended),
        "attendees": [c.panel[id_]],
        "prompts": [reference_to(p) for p in (session.prompts if prompts is None else prompts)],
        "probes": _asked(c, session),
    }
    path = f"/sessions/{id_}/completed"
    yield from send(c.call(path, c.panel[id_], body, at=ended))


def wrote(c: Candidacy, id_: str, *, hours: int = 2, thin: bool = False) -> Story[None]:
    """The session's interviewer hands in feedback, some hours after it."""
    author = c.panel[id_]
    c.clock.after(hours=hours)
    body: dict[str, object] = {"ratings": ratings(c, id_, thin=thin), "language": "en"}
    if c.words.random.random() < 1 / 5:
        body["tools"] = [{"name": "scribe", "version": "2.4", "use": "transcript"}]
    answer = yield from send(c.own_call(f"/sessions/{id_}/feedback", author, body))
    c.written[id_, author] = answer.position


def amended(c: Candidacy, id_: str) -> Story[None]:
    """The author corrects a feedback; it stays where it is."""
    author = c.panel[id_]
    c.clock.after(hours=3)
    body = {"ratings": ratings(c, id_), "reason": c.words.remark("amended")}
    path = f"/feedback/{c.written[id_, author]}/amendments"
    yield from send(c.own_call(path, author, body))


def interviewed(c: Candidacy, id_: str) -> Story[None]:
    """A session and its feedback."""
    yield from held(c, id_)
    yield from wrote(c, id_)


def screened(c: Candidacy) -> Story[None]:
    """The first interview, after which the candidate goes on."""
    yield from interviewed(c, "screen")
    yield from decided_at_screening(c, "advance")


def decided_at_screening(
    c: Candidacy,
    outcome: str,
    reasons: Sequence[Mapping[str, object]] = (),
    *,
    expect: int = 201,
) -> Story[None]:
    """The manager advances or rejects at the first stage."""
    c.clock.after(hours=4)
    body = {"outcome": outcome, "reasons": list(reasons), "cites": c.cites}
    path = f"/stages/{SCREENING}/decision"
    yield from send(c.call(path, c.job.team.manager, body, expect=expect))


def onsite(c: Candidacy, *, without: Sequence[str] = ()) -> Story[None]:
    """Every interview after the first."""
    for session in c.sessions:
        if session.kind == "interview" and session.stage != SCREENING and session.id not in without:
            yield from interviewed(c, session.id)


def took_home(
    c: Candidacy,
    *,
    minutes: int | None = None,
    adjusted: bool = False,
    anonymised: str = "first",
) -> Story[None]:
    """A take-home is given, comes back, is anonymised and reviewed; none where none is planned."""
    if all(session.id != "take-home" for session in c.sessions):
        return
    path, manager = "/sessions/take-home/take-home", c.job.team.manager
    c.clock.after(hours=1)
    due = Clock(c.clock.now).workday(4)
    given = minutes or c.session("take-home").minutes
    assigned = {"minutes": given, "due": stamp(due), "adjusted": adjusted}
    yield from send(c.call(f"{path}/assigned", manager, assigned))
    c.clock.workday(3)
    digest = f"{c.words.random.getrandbits(256):064x}"
    yield from send(c.call(f"{path}/received", manager, {"content_digest": digest}))
    if anonymised == "late":
        yield from wrote(c, "take-home")
    c.clock.after(hours=1)
    feasible = anonymised != "not_feasible"
    how = {"method": c.words.remark("anonymised")}
    why = {"reason": c.words.remark("not_feasible")}
    body = {"feasible": feasible, **(how if feasible else why)}
    yield from send(c.call(f"{path}/anonymised", manager, body))
    if anonymised != "late":
        yield from wrote(c, "take-home")


def referenced(c: Candidacy) -> Story[None]:
    """Two references along the scorecard's themes: a former peer and a former manager."""
    c.clock.workday(2)
    calls = [
        c.call(
            "/references",
            c.job.team.manager,
            {
                "relation": relation,
                "themes": [
                    {"competency": "negotiates-trade-offs", "text": c.words.remark("reference")}
                ],
                "incident_pressure": c.words.remark("reference"),
            },
        )
        for relation in ("peer", "manager")
    ]
    yield from send_together(*calls)


def gathered(c: Candidacy) -> Story[None]:
    """All evidence of a loop in which nothing goes wrong."""
    yield from prepared(c)
    yield from screened(c)
    yield from onsite(c)
    yield from took_home(c)
    yield from referenced(c)


def two_people(c: Candidacy) -> None:
    """A loop of four sessions and two interviewers."""
    kept = ("screen", "framing", "design", "collaboration")
    first, second = c.panel["framing"], c.panel["design"]
    c.sessions = [session for session in c.sessions if session.id in kept]
    c.panel = {"screen": first, "framing": first, "design": second, "collaboration": first}


def someone_else(c: Candidacy) -> str:
    """An interviewer who is not on the panel yet."""
    return next(person for person in c.job.interviewers if person not in c.panel.values())


def looked_again(c: Candidacy, id_: str, person: str) -> Story[None]:
    """One more session like an earlier one, by someone else; the candidate is told before."""
    again = c.session(id_)._replace(id=f"second-{id_}")
    c.sessions.append(again)
    c.panel[again.id] = person
    yield from planned(c)
    yield from noticed(c)
    yield from send(c.call("/relationships", person, {"relationship": "none"}))
    yield from interviewed(c, again.id)


def ratings(c: Candidacy, id_: str, *, thin: bool = False) -> list[dict[str, object]]:
    """A rating of each competency of the session, with evidence and observations."""
    given: list[dict[str, object]] = []
    for competency in c.session(id_).competencies:
        rating = c.rating()
        evidence = c.words.remark("thin") if thin else c.words.evidence(competency, rating)
        given.append(
            {
                "competency": competency,
                "rating": rating,
                "evidence": evidence,
                "observations": _observed(c, competency, rating),
            }
        )
    return given


def _observed(c: Candidacy, competency: str, rating: int) -> list[dict[str, str]]:
    """What was seen: more of the strong the higher the rating, and the reverse."""
    seen: list[dict[str, str]] = []
    for code, reading in readings(competency).items():
        odds = {"strong": rating / 6, "element": rating / 5, "weak": (5 - rating) / 6}[reading]
        drawn = c.words.random.random()
        state = "seen" if drawn < odds else "not_seen" if drawn < 0.95 else "not_asked"
        seen.append({"code": code, "state": state})
    return seen


def _asked(c: Candidacy, session: Session) -> list[dict[str, object]]:
    """The probes of the session's competencies; now and then one is skipped for a reason."""
    given: list[dict[str, object]] = []
    for competency in session.competencies:
        for probe in probes(c.job.family, competency):
            if c.words.random.randint(1, 10) > _SKIPPED_OF_TEN:
                given.append({"id": probe, "asked": True})
            else:
                why = c.words.remark("skipped")
                given.append({"id": probe, "asked": False, "skipped_because": why})
    return given


def _planned(c: Candidacy, session: Session) -> dict[str, object]:
    return {
        "id": session.id,
        "stage": session.stage,
        "kind": session.kind,
        "competencies": session.competencies,
        "prompts": [reference_to(prompt) for prompt in session.prompts],
        "interviewers": [c.panel[session.id]] if session.id in c.panel else [],
        "minutes": session.minutes,
    }
