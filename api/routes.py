"""Every write: method, path, command, roles. Server, document and batch all read this table.

The roles stand once, in `domain.decide.entitled`; fields that a path names leave the body.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

from api.answers import Written
from api.openapi import Route
from domain import commands as c
from domain.decide.entitled import ROLES_FOR


def _write(method: str, path: str, command: type[c.Command], tag: str) -> Route:
    summary = (command.__doc__ or "").split("\n")[0].rstrip(".")
    return Route(
        method="DELETE" if method == "DELETE" else "POST",
        path=path,
        summary=summary,
        tags=(tag,),
        roles=tuple(sorted(ROLES_FOR[command])),
        command=command,
        answer=Written,
        statuses=(201,),
    )


_LOOP: Final = "/v1/loops/{loop}"
_SESSION: Final = f"{_LOOP}/sessions/{{session}}"
_TABLE: Final[tuple[tuple[str, type[c.Command], str], ...]] = (
    ("/v1/people", c.RegisterPerson, "people"),
    ("/v1/people/{person}/roles", c.ChangeRoles, "people"),
    ("/v1/keys", c.IssueKey, "keys"),
    ("/v1/requisitions", c.OpenRequisition, "rubric"),
    ("/v1/requisitions/{requisition}/changes", c.ChangeRequisition, "rubric"),
    ("/v1/requisitions/{requisition}/exceptions", c.GrantRequisitionException, "rubric"),
    ("/v1/scorecards/{scorecard}/versions", c.VersionScorecard, "rubric"),
    ("/v1/scorecards/{scorecard}/versions/{version}/approvals", c.ApproveScorecard, "rubric"),
    ("/v1/scorecards/{scorecard}/versions/{version}/retirement", c.RetireScorecard, "rubric"),
    ("/v1/prompts/{prompt}/versions", c.VersionPrompt, "rubric"),
    ("/v1/postings/{posting}/versions", c.VersionPosting, "rubric"),
    ("/v1/policy-sets/{policy_set}/versions", c.AdoptPolicySet, "rubric"),
    ("/v1/loops", c.OpenLoop, "loops"),
    (f"{_LOOP}/plan", c.PlanLoop, "loops"),
    (f"{_LOOP}/process-notice", c.GiveProcessNotice, "loops"),
    (f"{_LOOP}/relationships", c.DiscloseRelationship, "loops"),
    (f"{_SESSION}/completed", c.CompleteSession, "sessions"),
    (f"{_SESSION}/cancelled", c.CancelSession, "sessions"),
    (f"{_SESSION}/no-show", c.ReportNoShow, "sessions"),
    (f"{_SESSION}/replacement", c.ReplaceInterviewer, "sessions"),
    (f"{_SESSION}/take-home/assigned", c.AssignTakeHome, "sessions"),
    (f"{_SESSION}/take-home/received", c.ReceiveTakeHome, "sessions"),
    (f"{_SESSION}/take-home/anonymised", c.AnonymiseTakeHome, "sessions"),
    (f"{_SESSION}/feedback", c.SubmitFeedback, "feedback"),
    (f"{_LOOP}/feedback/{{position}}/amendments", c.AmendFeedback, "feedback"),
    (f"{_LOOP}/references", c.RecordReference, "loops"),
    (f"{_LOOP}/stages/{{stage}}/decision", c.DecideStage, "decision"),
    (f"{_LOOP}/debrief", c.OpenDebrief, "decision"),
    (f"{_LOOP}/debrief/statements", c.MakeStatement, "decision"),
    (f"{_LOOP}/debrief/dissents", c.RecordDissent, "decision"),
    (f"{_LOOP}/debrief/closing", c.CloseDebrief, "decision"),
    (f"{_LOOP}/gates/evidence", c.PassEvidenceGate, "decision"),
    (f"{_LOOP}/recommendations", c.MakeRecommendation, "decision"),
    (f"{_LOOP}/exceptions", c.GrantLoopException, "decision"),
    (f"{_LOOP}/decision", c.MakeDecision, "decision"),
    (f"{_LOOP}/decision/reversal", c.ReverseDecision, "decision"),
    (f"{_LOOP}/decision/observed", c.ObserveDecision, "decision"),
    (f"{_LOOP}/offer", c.RecordOffer, "closing"),
    (f"{_LOOP}/withdrawal", c.ReportWithdrawal, "closing"),
    (f"{_LOOP}/closing", c.CloseLoop, "closing"),
    (f"{_LOOP}/reopening", c.ReopenLoop, "closing"),
    (f"{_LOOP}/outcomes", c.RecordOutcome, "closing"),
    ("/v1/holds", c.PlaceHold, "privacy"),
    ("/v1/holds/{hold}/release", c.ReleaseHold, "privacy"),
    ("/v1/candidates/{candidate}/erasure", c.EraseSubject, "privacy"),
    ("/v1/facts/{position}/correction", c.CorrectFact, "facts"),
)
WRITES: Final[tuple[Route, ...]] = (
    *(_write("POST", path, command, tag) for path, command, tag in _TABLE),
    _write("DELETE", "/v1/keys/{key}", c.RevokeKey, "keys"),
)


class Matched(NamedTuple):
    """A write found by its path, and what the path says."""

    route: Route
    path: dict[str, str]


_PATTERNS: Final = tuple(
    (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path) + r"\Z"), route)
    for route in WRITES
    if route.method == "POST"
)


def match_post(path: str) -> Matched | None:
    """The write that a POST to this path would be, for the lines of a batch."""
    for pattern, route in _PATTERNS:
        found = pattern.match(path)
        if found:
            return Matched(route, {n: unquote(v) for n, v in found.groupdict().items()})
    return None
