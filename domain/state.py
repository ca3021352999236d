"""What the facts add up to, for deciding: one struct per thing that has a life of its own.

State keeps the facts themselves with their positions, sorted by what they are about; the rest is
derived, so that nothing can drift from the record.
"""

from collections.abc import Collection
from typing import Generic, TypeVar

from msgspec import Struct

from domain import facts as f
from domain.codec import Recorded
from domain.values import Time

F = TypeVar("F", bound=f.Fact)


class At(Struct, Generic[F], frozen=True):
    """A fact of a known kind at its position."""

    position: int
    fact: F


class Loop(Struct, frozen=True, kw_only=True):
    """One candidate's loop for one requisition."""

    opened: At[f.LoopOpened]
    plans: tuple[At[f.LoopPlanned], ...] = ()
    notices: tuple[At[f.ProcessNoticeGiven], ...] = ()
    relationships: tuple[At[f.RelationshipDisclosed], ...] = ()
    portfolio: tuple[At[f.PortfolioItemLinked], ...] = ()
    sessions: tuple[At[f.SessionCompleted], ...] = ()
    cancelled: tuple[At[f.SessionCancelled], ...] = ()
    replacements: tuple[At[f.InterviewerReplaced], ...] = ()
    no_shows: tuple[At[f.CandidateNoShow], ...] = ()
    assigned: tuple[At[f.TakeHomeAssigned], ...] = ()
    received: tuple[At[f.TakeHomeReceived], ...] = ()
    anonymised: tuple[At[f.TakeHomeAnonymised], ...] = ()
    feedback: tuple[At[f.FeedbackSubmitted], ...] = ()
    amendments: tuple[At[f.FeedbackAmended], ...] = ()
    views: tuple[At[f.FeedbackViewed], ...] = ()
    references: tuple[At[f.ReferenceRecorded], ...] = ()
    stage_decisions: tuple[At[f.StageDecided], ...] = ()
    stage_refusals: tuple[At[f.StageDecisionRefused], ...] = ()
    debriefs: tuple[At[f.DebriefOpened], ...] = ()
    statements: tuple[At[f.DebriefStatementRecorded], ...] = ()
    dissents: tuple[At[f.DissentRecorded], ...] = ()
    debriefs_closed: tuple[At[f.DebriefClosed], ...] = ()
    gates: tuple[At[f.EvidenceGatePassed], ...] = ()
    gate_refusals: tuple[At[f.EvidenceGateRefused], ...] = ()
    recommendations: tuple[At[f.RecommendationRecorded], ...] = ()
    exceptions: tuple[At[f.ExceptionGranted], ...] = ()
    decisions: tuple[At[f.DecisionMade], ...] = ()
    decision_refusals: tuple[At[f.DecisionRefused], ...] = ()
    observed: tuple[At[f.DecisionObserved], ...] = ()
    reversals: tuple[At[f.DecisionReversed], ...] = ()
    offers: tuple[At[f.OfferRecorded], ...] = ()
    withdrawals: tuple[At[f.CandidateWithdrew], ...] = ()
    explanations: tuple[At[f.ExplanationIssued], ...] = ()
    closings: tuple[At[f.LoopClosed], ...] = ()
    reopenings: tuple[At[f.LoopReopened], ...] = ()
    outcomes: tuple[At[f.OutcomeRecorded], ...] = ()
    erased: At[f.SubjectErased] | None = None
    positions: tuple[int, ...] = ()

    @property
    def handle(self) -> str:
        """The loop's `l_` handle."""
        return self.opened.fact.loop

    @property
    def plan(self) -> At[f.LoopPlanned] | None:
        """The plan in force: the latest."""
        return self.plans[-1] if self.plans else None

    @property
    def planned(self) -> tuple[f.PlannedSession, ...]:
        """The sessions of the plan in force."""
        return self.plans[-1].fact.sessions if self.plans else ()

    def session(self, id_: str) -> f.PlannedSession | None:
        """A session by id: in the plan in force, or in the latest plan that had it."""
        return self._latest_plan_of(id_)[1]

    def _latest_plan_of(self, id_: str) -> tuple[int, f.PlannedSession | None]:
        """The session in the latest plan that had it, and that plan's position."""
        for plan in reversed(self.plans):
            for planned in plan.fact.sessions:
                if planned.id == id_:
                    return plan.position, planned
        return 0, None

    def completed(self, id_: str) -> At[f.SessionCompleted] | None:
        """The first report that this session took place: a later one makes nothing punctual."""
        return next((s for s in self.sessions if s.fact.session == id_), None)

    def interviewers(self, id_: str) -> tuple[str, ...]:
        """Who is to interview in a session: as last planned, then replaced, in that order."""
        since, planned = self._latest_plan_of(id_)
        people = list(planned.interviewers) if planned else []
        for change in self.replacements:
            one = change.fact
            if change.position > since and one.session == id_ and one.replaced in people:
                people[people.index(one.replaced)] = one.replacement
        return tuple(dict.fromkeys(people))

    def owes(self) -> tuple[tuple[str, str], ...]:
        """(session, person) pairs of the plan in force whose feedback is still missing.

        A session called off is owed no feedback, unless it was held or planned again after all.
        """
        since = self.plans[-1].position if self.plans else 0
        off = {one.fact.session for one in self.cancelled if one.position > since}
        off |= {one.fact.session for one in self.no_shows if one.position > since}
        held = {s.fact.session for s in self.sessions}
        written = {(w.fact.session, w.fact.author) for w in self.feedback}
        return tuple(
            (planned.id, person)
            for planned in self.planned
            if planned.id in held or planned.id not in off
            for person in self.interviewers(planned.id)
            if (planned.id, person) not in written
        )

    @property
    def decision(self) -> At[f.DecisionMade] | None:
        """The decision in force: the latest that was not reversed."""
        undone = {r.fact.reverses for r in self.reversals}
        return next((d for d in reversed(self.decisions) if d.position not in undone), None)

    @property
    def closed(self) -> At[f.LoopClosed] | None:
        """The closing in force, unless the loop was reopened since."""
        if not self.closings:
            return None
        reopened = self.reopenings[-1].position if self.reopenings else 0
        return self.closings[-1] if self.closings[-1].position > reopened else None

    @property
    def gate(self) -> At[f.EvidenceGatePassed] | None:
        """The latest passed gate, stale or not."""
        return self.gates[-1] if self.gates else None

    @property
    def gate_stale(self) -> bool:
        """Whether feedback, an amendment, its author's relationship or a plan came after the gate.

        What somebody discloses who wrote nothing here cannot have moved the gate.
        """
        gate = self.gate
        if gate is None:
            return False
        authors = {written.fact.author for written in self.feedback}
        disclosed = [one for one in self.relationships if one.fact.person in authors]
        moved = (self.feedback, self.amendments, disclosed, self.plans)
        return any(group and group[-1].position > gate.position for group in moved)

    @property
    def withdrawn(self) -> bool:
        """Whether the candidate withdrew since the loop was last (re)opened."""
        reopened = self.reopenings[-1].position if self.reopenings else 0
        return bool(self.withdrawals) and self.withdrawals[-1].position > reopened

    def ratings(self, feedback: At[f.FeedbackSubmitted]) -> tuple[f.Rated, ...]:
        """A feedback's ratings as last amended."""
        for amendment in reversed(self.amendments):
            if amendment.fact.amends == feedback.position:
                return amendment.fact.ratings
        return feedback.fact.ratings


class Requisition(Struct, frozen=True, kw_only=True):
    """A requisition as it stands, with its standard and the exceptions granted for it."""

    id: str
    content: f.RequisitionContent
    status: f.RequisitionStatus
    latest: int
    standard: At[f.RequisitionStandardSet] | None = None
    exceptions: tuple[At[f.ExceptionGranted], ...] = ()
    approvals: tuple[At[f.ScorecardApproved], ...] = ()


class Scorecard(Struct, frozen=True, kw_only=True):
    """All versions of a scorecard, with approvals and retirements."""

    versions: tuple[At[f.ScorecardVersioned], ...] = ()
    approvals: tuple[At[f.ScorecardApproved], ...] = ()
    retirements: tuple[At[f.ScorecardRetired], ...] = ()

    def version(self, number: int) -> At[f.ScorecardVersioned] | None:
        """One version, or None."""
        return next((v for v in self.versions if v.fact.version == number), None)


class Person(Struct, frozen=True, kw_only=True):
    """A registered member of staff and their roles now."""

    handle: str
    roles: tuple[f.Role, ...]
    registered: int


class Key(Struct, frozen=True, kw_only=True):
    """An API key: valid until it expires or is revoked."""

    issued: At[f.KeyIssued]
    revoked: int | None = None


class Hold(Struct, frozen=True, kw_only=True):
    """A legal hold: it stands until it is released."""

    placed: At[f.HoldPlaced]
    released: At[f.HoldReleased] | None = None

    def covers(self, candidate: str, requisitions: Collection[str]) -> bool:
        """Whether it is over this person, or over a requisition that they have a loop for."""
        over = self.placed.fact
        return candidate in over.candidates or not set(over.requisitions).isdisjoint(requisitions)


class World(Struct, frozen=True, kw_only=True):
    """Everything that was read to decide one command, and nothing else."""

    loops: dict[str, Loop] = {}
    requisitions: dict[str, Requisition] = {}
    scorecards: dict[str, Scorecard] = {}
    prompts: dict[str, tuple[At[f.PromptVersioned], ...]] = {}
    postings: dict[str, tuple[At[f.PostingVersioned], ...]] = {}
    policy_sets: tuple[At[f.PolicySetAdopted], ...] = ()
    people: dict[str, Person] = {}
    keys: dict[str, Key] = {}
    holds: dict[str, Hold] = {}
    erased: dict[str, At[f.SubjectErased]] = {}
    imported: tuple[At[f.RecordImported], ...] = ()
    others: tuple[Recorded, ...] = ()
    cited: dict[int, Recorded] = {}
    head: int = 0
    last_recorded: Time | None = None

    def imported_case(self, handle: str) -> bool:
        """Whether events of this case were copied from elsewhere, and no loop has its handle."""
        return handle not in self.loops and any(x.fact.case == handle for x in self.imported)

    def prompt(self, ref: f.Ref) -> At[f.PromptVersioned] | None:
        """One version of a prompt, or None."""
        return next(
            (v for v in self.prompts.get(ref.id, ()) if v.fact.version == ref.version), None
        )

    def posting(self, ref: f.Ref) -> At[f.PostingVersioned] | None:
        """One version of a posting, or None."""
        return next(
            (v for v in self.postings.get(ref.id, ()) if v.fact.version == ref.version), None
        )

    def scorecard(self, ref: f.Ref) -> At[f.ScorecardVersioned] | None:
        """One version of a scorecard, or None."""
        card = self.scorecards.get(ref.id)
        return card.version(ref.version) if card else None

    def policy_set(self, ref: f.Ref) -> At[f.PolicySetAdopted] | None:
        """One version of a policy set, or None."""
        wanted = (ref.id, ref.version)
        return next(
            (s for s in self.policy_sets if (s.fact.policy_set, s.fact.version) == wanted), None
        )
