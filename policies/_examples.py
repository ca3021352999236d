"""Stories for examples and tests: each step is a real command, drafted by the domain and folded.

    told().held("screen").wrote(IRIS, "screen").asks_gate()

Everyone in them is invented and has only a handle. Times start on a Monday morning and move on with
every step; positions are given out as in a log.
"""

from datetime import UTC, datetime, timedelta
from typing import Self

from domain import commands as c
from domain import facts as f
from domain.case import Case, Intent, Report
from domain.codec import Recorded
from domain.decide import Context, conclude, draft
from domain.decide.decision import NO_BASIS
from domain.evolve import evolve
from domain.findings import Finding, Judged, Receipt
from domain.state import World
from domain.values import Time
from policies import _sample as sample
from policies._policy import Asked
from policies._sample import (
    DECIDER,
    HIRING_MANAGER,
    IRIS,
    JUNO,
    KOFI,
    LOOP,
    PARTNER,
    REQUISITION,
    SCORECARD,
    TECH_LEAD,
)

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVIDENCE = "said which metric had misled them and showed how its replacement was checked"


class Story:
    """One loop told step by step; every step returns the story itself."""

    def __init__(self) -> None:
        self.world = World()
        self.facts: list[Recorded] = []
        self.now: Time = MONDAY

    def later(self, *, days: float = 0, hours: float = 0) -> Self:
        """Time passes."""
        self.now += timedelta(days=days, hours=hours)
        return self

    def does(self, actor: str, command: c.AnyCommand, judged: Judged | None = None) -> Self:
        """A command is accepted: its facts are folded, judged by nobody unless told how."""
        drafted = draft(command, self.world, self._context(actor, command))
        for fact in conclude(drafted, judged or Judged(now=self.now), NO_BASIS):
            self.happened(fact)
        self.now += timedelta(minutes=1)
        return self

    def happened(self, fact: f.AnyFact) -> Self:
        """A fact is recorded at the next position."""
        recorded = Recorded(len(self.facts) + 1, fact)
        self.facts.append(recorded)
        self.world = evolve(self.world, recorded)
        return self

    def asks(self, actor: str, command: c.AnyCommand) -> Asked:
        """The case that this command makes now; nothing is recorded."""
        drafted = draft(command, self.world, self._context(actor, command))
        if drafted.moment is None or not isinstance(drafted.fact, Intent | Report):
            raise ValueError("no rule judges this command")
        case = Case(
            moment=drafted.moment,
            draft=drafted.fact,
            world=self.world,
            now=self.now,
            facts=tuple(self.facts),
        )
        return Asked(case=case, command=command, actor=actor)

    def _context(self, actor: str, command: c.AnyCommand) -> Context:
        return Context(
            now=self.now,
            at=self.now if command.at is None else command.at,
            actor=actor,
            via="system",
            assurance="system",
            cause="r_" + "a" * 26,
            roles=frozenset(f.ROLES),
        )

    # ------------------------------------------------------------ rubric and opening

    def rubric(self, *policies: f.PolicySetting) -> Self:
        """A requisition with scorecard, prompts, posting and policy set; nothing is approved."""
        self.does("system", c.AdoptPolicySet(policy_set="house", policies=policies))
        self.does(HIRING_MANAGER, sample.requisition())
        self.does(TECH_LEAD, sample.scorecard())
        for prompt in sample.PROMPTS:
            self.does(TECH_LEAD, prompt)
        return self.does(HIRING_MANAGER, sample.posting())

    def approved(self, *capacities: f.Capacity, version: int = 1) -> Self:
        """The scorecard's version is approved in these capacities by whom the team names."""
        card = self.world.scorecard(f.Ref(id=SCORECARD, version=version))
        team = self.world.requisitions[REQUISITION].content.team
        people = {
            "hiring_manager": team.hiring_manager,
            "tech_lead": team.tech_lead,
            "partner": team.partner.person,
        }
        for capacity in capacities:
            approval = c.ApproveScorecard(
                scorecard=SCORECARD,
                version=version,
                requisition=REQUISITION,
                capacity=capacity,
                content_digest=card.fact.content_digest if card else "",
            )
            self.does(people[capacity], approval)
        return self

    def opened(self) -> Self:
        """The loop is opened."""
        return self.does(HIRING_MANAGER, sample.opening())

    def planned(self, *sessions: c.SessionSpec) -> Self:
        """The loop is planned; the first plan is the requisition's standard."""
        return self.does(HIRING_MANAGER, c.PlanLoop(loop=LOOP, sessions=sessions or sample.PLAN))

    def noticed(self, *attendees: str, rounds: int = 3) -> Self:
        """The candidate is told how many rounds there are, who attends, and when we decide."""
        notice = c.GiveProcessNotice(
            loop=LOOP,
            rounds=rounds,
            attendees=attendees or (IRIS, JUNO, KOFI),
            decide_by=self.now + timedelta(days=21),
        )
        return self.does(HIRING_MANAGER, notice)

    def disclosed(self, person: str, relationship: f.Relationship = "none") -> Self:
        """An interviewer says how they know the candidate."""
        return self.does(person, c.DiscloseRelationship(loop=LOOP, relationship=relationship))

    # ------------------------------------------------------------ evidence

    def held(self, session: str, *attendees: str, prompts: tuple[f.Ref, ...] | None = None) -> Self:
        """A planned session takes place for an hour, with the planned people and prompts."""
        planned = self.world.loops[LOOP].session(session)
        started, self.now = self.now, self.now + timedelta(hours=1)
        report = c.CompleteSession(
            loop=LOOP,
            session=session,
            started_at=started,
            ended_at=self.now,
            attendees=attendees or self.world.loops[LOOP].interviewers(session),
            prompts=(planned.prompts if planned else ()) if prompts is None else prompts,
        )
        return self.does(HIRING_MANAGER, report)

    def wrote(
        self, person: str, session: str, evidence: str = EVIDENCE, *, at: Time | None = None
    ) -> Self:
        """An interviewer hands in feedback: a 3 with this evidence for every competency."""
        return self.does(person, self.feedback(session, evidence, at=at))

    def feedback(
        self, session: str, evidence: str = EVIDENCE, *, at: Time | None = None
    ) -> c.SubmitFeedback:
        """The command behind `wrote`."""
        planned = self.world.loops[LOOP].session(session)
        rated = tuple(
            c.RatingSpec(competency=x, rating=3, evidence=evidence)
            for x in (planned.competencies if planned else ())
        )
        return c.SubmitFeedback(loop=LOOP, session=session, ratings=rated, at=at)

    def read(self, person: str) -> Self:
        """Someone reads all feedback that is in."""
        seen = tuple(w.position for w in self.world.loops[LOOP].feedback)
        return self.does(person, c.NoteFeedbackViewed(loop=LOOP, viewed=seen))

    def amended(self, person: str, evidence: str = EVIDENCE) -> Self:
        """Someone corrects the feedback that they handed in last."""
        mine = [w for w in self.world.loops[LOOP].feedback if w.fact.author == person][-1]
        rated = tuple(
            c.RatingSpec(competency=r.competency, rating=2, evidence=evidence)
            for r in mine.fact.ratings
        )
        amendment = c.AmendFeedback(
            loop=LOOP, position=mine.position, ratings=rated, reason="a slip of the pen"
        )
        return self.does(person, amendment)

    # ------------------------------------------------------------ debrief and decision

    def said(
        self, person: str, text: str = EVIDENCE, *cites: int, flagged_by: str | None = None
    ) -> Self:
        """Someone argues in the debrief; a rule may have found something in it on arrival."""
        statement = c.MakeStatement(loop=LOOP, text=text, cites=cites)
        return self.does(person, statement, self._flagged(flagged_by) if flagged_by else None)

    def _flagged(self, policy: str) -> Judged:
        finding = Finding(
            policy=policy, version=1, enforcement="warn", message="found", cure="say what was seen"
        )
        receipt = Receipt(
            policy=policy, version=1, enforcement="warn", verdict="warned", findings=(finding,)
        )
        return Judged(now=self.now, receipts=(receipt,))

    def passed_gate(self) -> Self:
        """The evidence gate is passed, whatever rules would have said."""
        return self.does(HIRING_MANAGER, c.PassEvidenceGate(loop=LOOP))

    def recommended(self, recommend: f.Recommend = "hire") -> Self:
        """The panel recommends."""
        return self.does(
            HIRING_MANAGER,
            c.MakeRecommendation(loop=LOOP, recommend=recommend, reason="the evidence points here"),
        )

    def excepted(self, policy: str, by: str = PARTNER, *, hours: float = 48) -> Self:
        """Someone lets a rule be broken in this loop for so many hours."""
        exception = c.GrantLoopException(
            loop=LOOP,
            policy=policy,
            reason="the second interviewer fell ill",
            expires_at=self.now + timedelta(hours=hours),
        )
        return self.does(by, exception)

    # ------------------------------------------------------------ what is asked in the end

    def asks_open(self, version: int = 1) -> Asked:
        """To open the loop under a version of the scorecard."""
        return self.asks(HIRING_MANAGER, sample.opening(version))

    def asks_plan(self, *sessions: c.SessionSpec) -> Asked:
        """To plan the loop with these sessions."""
        return self.asks(HIRING_MANAGER, c.PlanLoop(loop=LOOP, sessions=sessions or sample.PLAN))

    def asks_gate(self) -> Asked:
        """To pass the evidence gate."""
        return self.asks(HIRING_MANAGER, c.PassEvidenceGate(loop=LOOP))

    def asks_statement(self, text: str, *cites: int) -> Asked:
        """To argue in the debrief."""
        return self.asks(KOFI, c.MakeStatement(loop=LOOP, text=text, cites=cites))

    def asks_reject(self, stage: str, *reasons: c.ReasonSpec, by: str = HIRING_MANAGER) -> Asked:
        """To reject the candidate at a stage."""
        return self.asks(
            by, c.DecideStage(loop=LOOP, stage=stage, outcome="reject", reasons=reasons)
        )

    def asks_recommend(self) -> Asked:
        """To recommend to hire."""
        command = c.MakeRecommendation(loop=LOOP, recommend="hire", reason="what all three saw")
        return self.asks(HIRING_MANAGER, command)

    def asks_decide(
        self,
        decision: f.Recommend = "hire",
        *reasons: c.ReasonSpec,
        by: str = DECIDER,
        cites: tuple[int, ...] = (),
    ) -> Asked:
        """To decide; by default for a reason that scorecard and posting name."""
        given = reasons or (sample.reason("competency", "evaluation-design"),)
        command = c.MakeDecision(loop=LOOP, decision=decision, reasons=given, cites=cites)
        return self.asks(by, command)


def rubric() -> Story:
    """A requisition with its rubric; nothing is approved, no loop is open."""
    return Story().rubric()


def planned(*sessions: c.SessionSpec) -> Story:
    """A loop under an approved scorecard, announced, planned, and with nothing to disclose."""
    story = rubric().approved("hiring_manager", "tech_lead", "partner").opened()
    story.noticed().planned(*sessions)
    return story.disclosed(IRIS).disclosed(JUNO).disclosed(KOFI)


def evidenced() -> Story:
    """A loop whose planned sessions were held, with everyone's own feedback in on time."""
    story = planned().held("screen").wrote(IRIS, "screen").held("design").wrote(JUNO, "design")
    return story.held("panel").wrote(KOFI, "panel").wrote(IRIS, "panel")


def decidable() -> Story:
    """A loop with gate and recommendation, in which nothing is wrong."""
    return evidenced().passed_gate().recommended()
