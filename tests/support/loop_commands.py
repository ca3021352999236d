"""A step of the model as the command that asks for it; people and loops by the callers' ids."""

from datetime import UTC, datetime, timedelta

from domain import commands as c
from hall import made
from loop_model import Dict, Step
from loop_model_later import Expected
from office import completed

AHEAD = timedelta(minutes=10)
BODIES: dict[str, type[c.AnyCommand]] = {
    "open": c.OpenLoop,
    "plan": c.PlanLoop,
    "notice": c.GiveProcessNotice,
    "relationship": c.DiscloseRelationship,
    "complete": c.CompleteSession,
    "cancel": c.CancelSession,
    "replace": c.ReplaceInterviewer,
    "feedback": c.SubmitFeedback,
    "amend": c.AmendFeedback,
    "view": c.NoteFeedbackViewed,
    "correct": c.CorrectFact,
    "statement": c.MakeStatement,
    "dissent": c.RecordDissent,
    "stage": c.DecideStage,
    "gate": c.PassEvidenceGate,
    "recommend": c.MakeRecommendation,
    "exception": c.GrantLoopException,
    "requisition_exception": c.GrantRequisitionException,
    "decide": c.MakeDecision,
    "reverse": c.ReverseDecision,
    "observe": c.ObserveDecision,
    "offer": c.RecordOffer,
    "withdraw": c.ReportWithdrawal,
    "close": c.CloseLoop,
    "reopen": c.ReopenLoop,
    "requisition": c.ChangeRequisition,
    "erase": c.EraseSubject,
    "hold": c.PlaceHold,
    "release": c.ReleaseHold,
}
SAID = "Ran the evaluation again on the slices that mattered and said what it had cost."


def command_of(step: Step, requisition: str) -> c.AnyCommand:
    """What the step asks for; loop 2 of requisition r-7 has the id `r-7.2`."""
    kind = BODIES.get(step.what)
    if step.what == "debrief":
        kind = c.CloseDebrief if step.more["ends"] else c.OpenDebrief
    assert kind is not None
    body = _body(step, requisition)
    if step.what in ("requisition", "requisition_exception"):
        body["requisition"] = requisition
    elif step.what not in ("open", "correct", "erase", "hold", "release"):
        body["loop"] = f"{requisition}.{step.loop}"
    if step.more.get("ahead"):
        body["at"] = datetime.now(UTC) + AHEAD
    return made(kind, body)


def _refs(prompts: list[tuple[str, int]]) -> list[Dict]:
    return [{"id": name, "version": version} for name, version in prompts]


def _rating(competency: str, words: int | None, rating: int) -> Dict:
    if words is None:
        return {"competency": competency, "not_observed": "There was no time for it."}
    evidence = " ".join(SAID.split()[:words])
    return {"competency": competency, "rating": rating, "evidence": evidence, "observations": []}


def _body(step: Step, requisition: str) -> Dict:
    more = {k: v for k, v in step.more.items() if k not in ("ahead", "expired", "sourced")}
    match step.what:
        case "open":
            return {
                "id": f"{requisition}.{step.loop}",
                "requisition": requisition,
                "candidate": {"id": _candidate(step, requisition), "name": "Nobody Inparticular"},
                "scorecard": {"id": "llm", "version": more["scorecard"]},
                "posting": {"id": requisition, "version": more["posting"]},
            }
        case "plan":
            return {"sessions": [_planned(session) for session in more["plan"]]}
        case "notice":
            return {"rounds": 2, "attendees": ["ivan"], "decide_by": "2999-01-01T00:00:00Z"}
        case "complete":
            told = {**completed("ivan"), "session": more["session"]}
            return {**told, "attendees": more["attendees"], "prompts": _refs(more["prompts"])}
        case "feedback" | "amend":
            ratings = [_rating(name, n, more["rating"]) for name, n in more["words"].items()]
            if step.what == "feedback":
                return {"session": more["session"], "ratings": ratings}
            amended = {"position": more["position"], "reason": "On reflection."}
            return {**amended, "ratings": ratings}
        case "cancel":
            return {"session": more["session"], "reason": "Ill."}
        case "replace":
            return {**more, "reason": "Ill."}
        case "erase":
            return {"candidate": _candidate(step, requisition), "legal_basis": SAID}
        case "hold":
            held = {"id": f"{requisition}-{more['hold']}", "requisitions": [requisition]}
            return {**held, "matter": SAID}
        case "release":
            return {"hold": f"{requisition}-{more['hold']}", "reason": SAID}
        case _:
            return _body_later(step, more)


def _candidate(step: Step, requisition: str) -> str:
    """Two people apply; the first and the third loop are for the same one."""
    return f"candidate-{requisition}-{step.loop % 2}"


def _planned(session: Dict) -> Dict:
    planned = {k: session[k] for k in ("id", "stage", "competencies")}
    prompts = _refs(session["prompts"])
    who = session["who"]
    return {**planned, "kind": "interview", "prompts": prompts, "interviewers": who, "minutes": 60}


def _body_later(step: Step, more: Dict) -> Dict:
    match step.what:
        case "correct":
            return {**more, "text": "That was the other candidate."}
        case "statement" | "dissent":
            return {**more, "text": SAID}
        case "debrief":
            return {"dissent": more["ends"]} if more["ends"] else {}
        case "stage":
            out = more.pop("knock_out")
            reason = {"kind": "knock_out", "ref": out} if out else {"kind": "requisition"}
            return {**more, "reasons": [{**reason, "text": SAID}]}
        case "recommend" | "reverse" | "reopen":
            return {**more, "reason": SAID}
        case "exception" | "requisition_exception":
            expires = "2001-01-01T00:00:00Z" if step.more["expired"] else "2999-01-01T00:00:00Z"
            return {**more, "reason": SAID, "expires_at": expires}
        case "decide":
            reasons = [{"kind": k, "ref": "evals", "text": SAID} for k in more["reasons"]]
            return {**more, "reasons": reasons}
        case "observe":
            source = {"system": "ats", "object": "decision", "id": "4711"}
            return {**more, "source": source if step.more["sourced"] else None}
        case "offer":
            return {"status": "made"}
        case "withdraw":
            return {"code": "other-offer"}
        case _:
            return more


def told(step: Step, expected: Expected) -> str:
    """A step and what was expected of it, for a failure's message."""
    return f"{step.what} by {step.who} in loop {step.loop} with {step.more}: {expected}"
