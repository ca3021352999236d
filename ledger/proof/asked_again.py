"""What was asked for to make a recorded fact, so that the domain can be asked for it again.

Sealed words play no part in what the domain makes of a request, but for how many there are. So each
is stood for by as many words as the fact counts, and left out when the two facts are compared.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.values import Digest

REPORTS: Final[Mapping[type[f.Fact], type[c.AnyCommand]]] = {
    f.ProcessNoticeGiven: c.GiveProcessNotice,
    f.RelationshipDisclosed: c.DiscloseRelationship,
    f.SessionCompleted: c.CompleteSession,
    f.SessionCancelled: c.CancelSession,
    f.CandidateNoShow: c.ReportNoShow,
    f.InterviewerReplaced: c.ReplaceInterviewer,
    f.TakeHomeAssigned: c.AssignTakeHome,
    f.TakeHomeReceived: c.ReceiveTakeHome,
    f.TakeHomeAnonymised: c.AnonymiseTakeHome,
    f.FeedbackSubmitted: c.SubmitFeedback,
    f.FeedbackAmended: c.AmendFeedback,
    f.ReferenceRecorded: c.RecordReference,
    f.DebriefOpened: c.OpenDebrief,
    f.DebriefStatementRecorded: c.MakeStatement,
    f.DissentRecorded: c.RecordDissent,
    f.DebriefClosed: c.CloseDebrief,
    f.DecisionObserved: c.ObserveDecision,
    f.DecisionReversed: c.ReverseDecision,
    f.OfferRecorded: c.RecordOffer,
    f.CandidateWithdrew: c.ReportWithdrawal,
    f.LoopClosed: c.CloseLoop,
    f.LoopReopened: c.ReopenLoop,
    f.OutcomeRecorded: c.RecordOutcome,
}
"""Facts whose fields are those of the request, but for words, counts and who wrote it."""
_RENAMED: Final = {"replaced": "from", "replacement": "to", "amends": "position"}
_SEALED: Final = "_sd"
_WORDLESS: Final = "."


def asked_for(fact: f.AnyFact) -> c.AnyCommand | None:
    """The request behind a fact; None for a fact that this module has no request for.

    Raises `ValueError` where no request could have been like that.
    """
    match fact:
        case f.PolicySetAdopted():
            return c.AdoptPolicySet(
                policy_set=fact.policy_set,
                policies=fact.policies,
                person_metrics=fact.person_metrics,
                agreement=fact.agreement,
            )
        case f.ScorecardApproved():
            return _of(c.ApproveScorecard, fact)
        case f.LoopOpened():
            return c.OpenLoop(
                id=fact.loop,
                requisition=fact.requisition,
                candidate=c.CandidateSpec(id=fact.candidate),
                scorecard=fact.scorecard,
                posting=fact.posting,
            )
        case f.LoopPlanned():
            return _of(c.PlanLoop, fact)
        case f.RecommendationRecorded():
            return _of(c.MakeRecommendation, fact)
        case f.ExceptionGranted():
            return _of(
                c.GrantLoopException if fact.requisition is None else c.GrantRequisitionException,
                fact,
            )
        case _:
            wanted = REPORTS.get(type(fact))
            return None if wanted is None else _of(wanted, fact)


def _of(wanted: type[c.AnyCommand], fact: f.AnyFact) -> c.AnyCommand:
    members = {_RENAMED.get(name, name): value for name, value in _told(fact).items()}
    if fact.stamp.source is not None:
        source = fact.stamp.source
        members["source"] = {"system": source.system, "object": source.object, "id": "sealed"}
    if members.get("independence") != "attested_by_source":
        members.pop("independence", None)  # the ledger's to say, but for what a source attests
    taken = {field.encode_name for field in msgspec.structs.fields(wanted)}
    return msgspec.convert({name: one for name, one in members.items() if name in taken}, wanted)


def _told(fact: f.AnyFact) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(fact)
    if isinstance(fact, f.DebriefStatementRecorded):
        members["text"] = _words(fact.words)
    for rated in members.get("ratings", ()):
        words = rated.pop("words", 0)
        if "evidence" in rated:
            rated["evidence"] = _words(words)
    return cast("dict[str, Any]", _opened(members))


def _words(number: int) -> str:
    """As short as can be: a text that is full of words has one for every second letter."""
    return " ".join(["w"] * number) or _WORDLESS


def _opened(value: object) -> object:
    """The same with a word in the place of each digest."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        if _SEALED in members:
            return "sealed"
        return {name: _opened(one) for name, one in members.items()}
    if isinstance(value, list | tuple):
        return [_opened(one) for one in cast("list[object]", value)]
    return value


def same_but_for_words(made: f.AnyFact, recorded: f.AnyFact) -> bool:
    """Whether the domain made what was recorded; what rules said on arrival is not the domain's."""
    if isinstance(recorded, f.FeedbackSubmitted | f.FeedbackAmended | f.DebriefStatementRecorded):
        recorded = replace(recorded, findings=())
    return _masked(made) == _masked(recorded)


def _masked(value: object) -> object:
    if isinstance(value, Digest):
        return Digest
    if isinstance(value, msgspec.Struct):
        return type(value), [_masked(getattr(value, name)) for name in value.__struct_fields__]
    if isinstance(value, tuple):
        return [_masked(one) for one in cast("tuple[object, ...]", value)]
    return value
