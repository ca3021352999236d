"""Who may read a loop, and what is noted before they do: every route gets facts through here.

The blind rule: whoever owes feedback in a loop sees nobody else's there, whatever other role they
have. Everyone else's look at somebody's feedback is recorded before a byte is sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from domain import commands as c
from domain import facts as f
from domain.codec import Recorded
from domain.decide.entitled import TEAM_ROLES, interviewers_of, owes
from domain.refusals import FeedbackOwed, Missing
from domain.state import Loop, Requisition
from domain.values import SYSTEM
from ledger.asked import Caller

# Facts that let a reader know what someone else thought of a candidate, or what came of it: an
# offer or an explanation says how it was decided as well as the decision does.
OPINIONS: Final = (
    f.FeedbackSubmitted,
    f.FeedbackAmended,
    f.ReferenceRecorded,
    f.StageDecided,
    f.StageDecisionRefused,
    f.DebriefStatementRecorded,
    f.DissentRecorded,
    f.DebriefClosed,
    f.EvidenceGatePassed,
    f.EvidenceGateRefused,
    f.RecommendationRecorded,
    f.ExceptionGranted,
    f.DecisionMade,
    f.DecisionRefused,
    f.DecisionObserved,
    f.DecisionReversed,
    f.OfferRecorded,
    f.CandidateWithdrew,
    f.ExplanationIssued,
    f.LoopClosed,
    f.LoopReopened,
    f.OutcomeRecorded,
    f.FindingRecorded,
    f.RecordImported,
    f.FactCorrected,
    # A dossier is read of what is decided only, and a view says where somebody's feedback stands.
    f.FeedbackViewed,
    f.RecordViewed,
)
# All other facts of a loop: what was agreed and what took place. A test holds
# every fact of a loop to be in one of the two, so that a new one cannot be forgotten.
HARMLESS: Final = (
    f.LoopOpened,
    f.LoopPlanned,
    f.ProcessNoticeGiven,
    f.RelationshipDisclosed,
    f.PortfolioItemLinked,
    f.SessionCompleted,
    f.SessionCancelled,
    f.InterviewerReplaced,
    f.CandidateNoShow,
    f.TakeHomeAssigned,
    f.TakeHomeReceived,
    f.TakeHomeAnonymised,
    f.DebriefOpened,
    f.SubjectErased,
)
VIEWED_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: the caller, and the roles that count for this request."""

    caller: Caller
    roles: frozenset[f.Role]

    @property
    def person(self) -> str | None:
        """The reading person's handle; None for a service that reads as itself."""
        return None if self.caller.actor == SYSTEM else self.caller.actor


def check_may_read(reader: Reader, loop: Loop, requisition: Requisition) -> None:
    """Refuses, as if there were nothing, a reader who has nothing to do with the loop."""
    if "auditor" in reader.roles:
        return
    if reader.person in requisition.content.team.people() and reader.roles & TEAM_ROLES:
        return
    if "interviewer" in reader.roles and reader.person in interviewers_of(loop):
        return
    raise Missing("no such loop, or not for this reader")


def check_not_owing(reader: Reader, loop: Loop) -> None:
    """Refuses whoever still owes feedback in this loop; nothing is noted as viewed then."""
    if withholds(reader, loop):
        raise FeedbackOwed(
            "you still owe feedback in this loop: submit it first, then read what others wrote"
        )


def withholds(reader: Reader, loop: Loop) -> bool:
    """Whether opinions of this loop are withheld from this reader, who owes feedback in it."""
    return reader.person is not None and owes(reader.person, loop)


def blind_in(loop: Loop) -> tuple[str, ...]:
    """Everyone who owes feedback in this loop."""
    return tuple(sorted(person for person in interviewers_of(loop) if owes(person, loop)))


def told_to_the_blind(facts: Iterable[Recorded]) -> list[Recorded]:
    """The facts that tell a loop without anybody's opinion; folded, they say where it stands.

    Whatever a loop's state ever comes to say of gate, decision or ending is thus not known.
    """
    return [one for one in facts if not isinstance(one.fact, OPINIONS)]


def notes_of_reading(
    reader: Reader, loop: Loop, facts: Iterable[Recorded], what: f.ReadingOf
) -> list[c.AnyCommand]:
    """What must be recorded before these facts are shown: feedback viewed, an audit read, a file.

    A person's look at others' feedback is always noted, so that it counts should they come to write
    in this loop; feedback they wrote, or were noted to have seen before, is not noted again. A file
    that is taken out is noted each time, whoever takes it: what becomes of it nobody here can see.
    """
    notes: list[c.AnyCommand] = []
    if what == "export" or reader.person is None or "auditor" in reader.roles:
        notes.append(c.NoteRecordViewed(what=what, loop=loop.handle))
    if reader.person is not None:
        seen = {p for v in loop.views if v.fact.viewer == reader.person for p in v.fact.viewed}
        fresh = [
            one.position
            for one in facts
            if isinstance(one.fact, f.FeedbackSubmitted | f.FeedbackAmended)
            and one.fact.author != reader.person
            and one.position not in seen
        ]
        for start in range(0, len(fresh), VIEWED_MAX):
            viewed = tuple(fresh[start : start + VIEWED_MAX])
            notes.append(c.NoteFeedbackViewed(loop=loop.handle, viewed=viewed))
    return notes
