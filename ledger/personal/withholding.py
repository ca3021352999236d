"""What kind of personal value stands where: one table, so that an exporter can leave kinds out.

A value whose place is not in the table is never disclosed in a file that leaves the house. A test
walks every personal field of the vocabulary, so that a new one is a decision and not an accident.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

from domain import facts as f
from domain.codec import type_of

Kind = Literal["name", "evidence", "reasons"]
KINDS: Final[tuple[Kind, ...]] = ("name", "evidence", "reasons")
"""Names, addresses and links; what was written about the candidate; why something was decided."""

Guarded = Literal["legal", "comparative"]
GUARDED: Final[tuple[Guarded, ...]] = ("legal", "comparative")
"""Kinds of reasons that leave the house only when asked for: legal advice is privileged, and a
comparison says something about other candidates too."""

FactAt = Callable[[int], f.AnyFact | None]
"""The fact at a position, as far as whoever asks has it."""

_RATED: Final[Mapping[str, Kind]] = {
    "/ratings/*/evidence": "evidence",
    "/ratings/*/not_observed": "evidence",
}
_REASONS: Final[Mapping[str, Kind]] = {"/reasons/*/text": "reasons"}
_REASON: Final[Mapping[str, Kind]] = {"/reason": "reasons"}

_TABLE: Final[dict[type[f.Fact], Mapping[str, Kind]]] = {
    f.PersonRegistered: {"/name": "name"},
    f.LoopOpened: {"/name": "name", "/email": "name"},
    f.PortfolioItemLinked: {"/title": "name", "/url": "name", "/consent/text": "name"},
    f.SessionCompleted: {"/probes/*/skipped_because": "evidence"},
    f.SessionCancelled: _REASON,
    f.InterviewerReplaced: _REASON,
    f.TakeHomeAnonymised: {"/method": "evidence", "/reason": "evidence"},
    f.FeedbackSubmitted: {**_RATED, "/summary": "evidence"},
    f.FeedbackAmended: {**_RATED, "/reason": "evidence"},
    f.ReferenceRecorded: {
        "/themes/*/text": "evidence",
        "/incident_pressure": "evidence",
        "/mentorship": "evidence",
    },
    f.DebriefStatementRecorded: {"/text": "evidence"},
    f.DissentRecorded: {"/text": "evidence"},
    f.RecommendationRecorded: {"/reason": "evidence"},
    f.StageDecided: _REASONS,
    f.StageDecisionRefused: _REASONS,
    f.ExceptionGranted: {"/reason": "reasons", "/compensating_control": "reasons"},
    f.DecisionMade: _REASONS,
    f.DecisionRefused: _REASONS,
    f.DecisionReversed: _REASON,
    f.CandidateWithdrew: _REASON,
    f.ExplanationIssued: _REASONS,
    f.LoopClosed: _REASON,
    f.LoopReopened: _REASON,
    f.FactCorrected: {"/text": "evidence"},
}
NEVER: Final[frozenset[type[f.Fact]]] = frozenset(
    (
        # Only the counting code opens it.
        f.SelfIdentificationRecorded,
        # A matter, a legal basis, a retrospective: the organisation's, and of no one decision.
        f.HoldPlaced,
        f.HoldReleased,
        f.SubjectErased,
        f.FindingRecorded,
        f.RetroClosed,
        # Another system's words, which no decision of ours rests on.
        f.RecordImported,
    )
)
"""Facts whose values stay in the house whatever is asked for."""

_BY_TYPE: Final = {type_of(fact): places for fact, places in _TABLE.items()}
_NUMBER: Final = re.compile(r"/[0-9]+(?=/|\Z)")


def kind_of(type_: str, pointer: str) -> Kind | None:
    """The kind of the value at a JSON Pointer into a fact of this type; None: never disclosed."""
    places = _BY_TYPE.get(type_)
    return places.get(_NUMBER.sub("/*", pointer)) if places else None


def kinds_of(fact: f.AnyFact, pointer: str, at: FactAt) -> frozenset[Kind]:
    """Every kind that a value is of, none where it is never disclosed.

    A correction is also of the kinds of what it corrects: a name that is withheld does not leave
    the house as the correction of a name.
    """
    own = kind_of(type_of(fact), pointer)
    if own is None:
        return frozenset()
    about = corrected(fact, at) if isinstance(fact, f.FactCorrected) else None
    if about is None:
        return frozenset((own,))
    if type(about) in NEVER:
        return frozenset()
    return frozenset((own, *_BY_TYPE.get(type_of(about), {}).values()))


def guarded(fact: f.AnyFact, pointer: str, at: FactAt) -> frozenset[Guarded]:
    """Which guarded kinds the value at a pointer into this fact is of; none for most.

    The words of a reason stand at `/reasons/N/text`, and its kind beside them. A correction is of
    the kinds of all reasons that it may be about: nothing says which it is about.
    """
    if isinstance(fact, f.FactCorrected):
        return frozenset(one.kind for one in _reasons(corrected(fact, at)) if one.kind in GUARDED)
    parts = pointer.split("/")
    if len(parts) < 3 or parts[1] != "reasons" or not parts[2].isdecimal():
        return frozenset()
    kind = _reasons(fact)[int(parts[2])].kind
    return frozenset((kind,)) if kind in GUARDED else frozenset()


def corrected(fact: f.FactCorrected, at: FactAt) -> f.AnyFact | None:
    """What a correction is about in the end, also through corrections of corrections."""
    about: f.AnyFact | None = fact
    while isinstance(about, f.FactCorrected):
        about = at(about.of)
    return about


def _reasons(fact: f.AnyFact | None) -> tuple[f.Reason, ...]:
    reasons: tuple[f.Reason, ...] = getattr(fact, "reasons", ())
    return reasons
