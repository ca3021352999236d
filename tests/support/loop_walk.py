"""A random walk through hiring loops: commands drawn from a seed, decided by the domain itself.

    walk = Walk(seed=7)
    facts = walk.take(500)   # the next 500 or so of a log that begins empty; same seed, same facts

The rules are a coin: one intent in four is refused. What the domain refuses leaves no fact, and
another command is drawn. The facts fit the positions at which they stand, from 1. `loops` and
`requisitions` are the state after all facts taken.
"""

import base64
from collections.abc import Iterable
from datetime import timedelta
from random import Random

from msgspec.structs import replace

import story as s
from domain import commands as c
from domain import facts as f
from domain.codec import Recorded, UnreadableLeaf, encode, type_of
from domain.decide import Context, claimed_at, conclude, draft
from domain.evolve import evolve
from domain.findings import Basis
from domain.refusals import Refusal
from domain.state import Loop, Requisition, World
from ledger.log import NewRow
from scenario import sealed
from story_later import RECORD_IMPORTED, RECORD_VIEWED, WITNESSES

PEOPLE = (s.ANA, s.BEN, s.CAY, s.HM, s.TECH_LEAD, s.PARTNER, s.DECIDER)
REQUISITIONS = (s.REQUISITION, "ml-lisbon")
SESSIONS = ("design", "task", "talk")
STAGES = ("onsite", "homework")
REASONS = (c.ReasonSpec(kind="competency", ref="framing", text="Measures first."),)
SOURCE = c.SourceRef(system="ats", object="decision", id="d-1")
RATINGS = tuple(
    c.RatingSpec(competency=name, rating=3, evidence="Said so.") for name in ("framing", "safety")
)


class Walk:
    """Where the log stands, and what may come next."""

    def __init__(self, seed: int, *, loops: int = 12) -> None:
        self.random = Random(seed)
        self.head = 0
        self.now = s.NOW
        self.loops_max = loops
        self.loops: dict[str, Loop] = {}
        self._around = World()
        self._waiting: list[f.AnyFact] = []
        rubric = (s.POLICY_SET_ADOPTED, s.SCORECARD_VERSIONED, s.PROMPT_VERSIONED)
        for slug in REQUISITIONS:
            self._open_requisition(slug)
        for fact in (*rubric, s.SCORECARD_APPROVED):
            self._record(fact)

    def take(self, count: int) -> list[f.AnyFact]:
        """The next facts, at least so many: what one command makes is never parted."""
        while len(self._waiting) < count:
            self._step()
        taken, self._waiting = self._waiting, []
        return taken

    @property
    def requisitions(self) -> dict[str, Requisition]:
        """The requisitions as they stand."""
        return self._around.requisitions

    def _open_requisition(self, slug: str) -> None:
        tagged = replace(s.REQUISITION_OPENED.stamp, tags=(f"requisition:{slug}",))
        self._record(replace(s.REQUISITION_OPENED, stamp=tagged, requisition=slug))
        tagged = replace(tagged, tags=(f"posting:{slug}", f"requisition:{slug}"))
        content = replace(s.POSTING_CONTENT, requisition=slug)
        self._record(replace(s.POSTING_VERSIONED, stamp=tagged, posting=slug, content=content))

    def _step(self) -> None:
        self.now += timedelta(minutes=self.random.randrange(1, 90))
        chance = self.random.random()
        if chance < 0.06:
            self._record(self._aside())
        elif chance < 0.09:
            self._ask(self._change_team(), s.HM)
        elif len(self.loops) < self.loops_max and chance < 0.2:
            self._ask(self._open_loop(), s.HM)
        elif self.loops:
            loop = self.random.choice(list(self.loops.values()))
            kinds = (self._plan, *(self._report,) * 8, self._look, *(self._conclude,) * 6)
            draw = self.random.choice(kinds)
            self._ask(draw(loop), self.random.choice(PEOPLE))

    def _ask(self, command: c.AnyCommand, person: str) -> None:
        context = Context(
            now=self.now,
            at=claimed_at(command, self.now),
            actor=person,
            via=s.KEY,
            assurance="own_key",
            cause=s.CAUSE,
            roles=frozenset(f.ROLES),
            source=s.ATS if command.source else None,
        )
        refuse = self.random.random() < 0.25
        try:
            drafted = draft(command, self._world(command), context)
            basis: Basis | None = None
            if drafted.moment in ("stage", "gate", "decide"):
                basis = s.BASIS
            judged = s.REFUSED if refuse or drafted.state_findings else s.JUDGED
            witnesses = WITNESSES if drafted.moment == "gate" else ()
            made = [sealed(one) for one in conclude(drafted, judged, basis, witnesses)]
            for fact in made:
                encode(fact)
        except (Refusal, UnreadableLeaf):
            return  # what only a rule would have refused may not fit into a fact
        for fact in made:
            self._record(fact)

    def _world(self, command: c.AnyCommand) -> World:
        handle = getattr(command, "loop", None)
        if handle not in self.loops:
            return self._around
        return replace(self._around, loops={handle: self.loops[handle]}, head=self.head)

    def _record(self, fact: f.AnyFact) -> None:
        self.head += 1
        self._waiting.append(fact)
        one = Recorded(self.head, fact)
        handle = getattr(fact, "loop", None)
        if isinstance(fact, f.LoopOpened):
            self.loops[fact.loop] = evolve(World(), one).loops[fact.loop]
        elif (
            isinstance(handle, str)
            and handle in self.loops
            and not isinstance(fact, f.RecordViewed)
        ):
            before = World(loops={handle: self.loops[handle]})
            self.loops[handle] = evolve(before, one).loops[handle]
        else:
            self._around = evolve(self._around, one)

    def _aside(self) -> f.AnyFact:
        """A fact that no loop's state depends on: an import, or an audit read of a loop."""
        if not self.loops or self.random.random() < 0.5:
            case = self.new_handle("l")
            tagged = replace(RECORD_IMPORTED.stamp, tags=(f"loop:{case}",), recorded=self.now)
            return replace(RECORD_IMPORTED, stamp=tagged, case=case)
        loop = self.random.choice(list(self.loops))
        tagged = replace(RECORD_VIEWED.stamp, tags=(f"loop:{loop}",), recorded=self.now)
        return replace(RECORD_VIEWED, stamp=tagged, loop=loop)

    def _change_team(self) -> c.AnyCommand:
        lead, manager, partner, decider = (s.HM, *self.random.sample(PEOPLE[:3], 3))
        return c.ChangeRequisition(
            requisition=self.random.choice(REQUISITIONS),
            team=c.TeamSpec(
                hiring_manager=lead,
                tech_lead=manager,
                partner=c.PartnerSpec(person=partner, function="security"),
                decision_maker=decider,
            ),
        )

    def _open_loop(self) -> c.AnyCommand:
        requisition = self.random.choice(REQUISITIONS)
        return c.OpenLoop(
            id=self.new_handle("l"),
            requisition=requisition,
            candidate=c.CandidateSpec(id=self.new_handle("c"), name="Cam Example"),
            scorecard=s.CARD,
            posting=f.Ref(id=requisition, version=1),
            at=self.now - timedelta(days=self.random.randrange(30)),
        )

    def _plan(self, loop: Loop) -> c.AnyCommand:
        ids = self.random.sample(SESSIONS, self.random.randint(1, 3))
        sessions = tuple(
            c.SessionSpec(
                id=id_,
                stage=self.random.choice(STAGES),
                kind="panel",
                competencies=("framing", "safety"),
                prompts=(s.RAG,),
                interviewers=self._some(3),
                minutes=60,
            )
            for id_ in ids
        )
        return c.PlanLoop(loop=loop.handle, sessions=sessions)

    def _report(self, loop: Loop) -> c.AnyCommand:
        """What became of a session, usually of one in the plan."""
        handle, hour = loop.handle, timedelta(hours=1)
        session = self.random.choice([one.id for one in loop.planned] or SESSIONS)
        those = loop.interviewers(session) or PEOPLE
        held = c.CompleteSession(
            loop=handle,
            session=session,
            started_at=self.now - 26 * hour,
            ended_at=self.now - 25 * hour,
            attendees=self._some(2),
            prompts=(s.RAG,),
            at=self.now - 25 * hour,
        )
        written = c.SubmitFeedback(loop=handle, session=session, ratings=RATINGS)
        changed = c.ReplaceInterviewer(
            loop=handle,
            session=session,
            replaced=self.random.choice(those),
            replacement=self.random.choice(PEOPLE),
            reason="Away that day.",
        )
        off = c.CancelSession(loop=handle, session=session, reason="A storm.")
        nobody = c.ReportNoShow(loop=handle, session=session, who="candidate")
        return self.random.choice((held, held, *(written,) * 5, changed, off, nobody))

    def _look(self, loop: Loop) -> c.AnyCommand:
        """What rests on feedback, of which there may be none."""
        one = self.random.choice(loop.feedback).position if loop.feedback else 1
        amended = c.AmendFeedback(loop=loop.handle, position=one, ratings=RATINGS, reason="Mixed.")
        return self.random.choice((amended, c.NoteFeedbackViewed(loop=loop.handle, viewed=(one,))))

    def _conclude(self, loop: Loop) -> c.AnyCommand:
        """What brings a loop forward, or to its end, or back."""
        handle, to_come = loop.handle, self.now + timedelta(days=self.random.randrange(1, 20))
        notice = c.GiveProcessNotice(loop=handle, rounds=2, attendees=PEOPLE[:2], decide_by=to_come)
        forward: tuple[c.AnyCommand, ...] = (
            notice,
            c.DiscloseRelationship(loop=handle, relationship="colleague"),
            c.DecideStage(loop=handle, stage="onsite", outcome="advance", reasons=REASONS),
            c.OpenDebrief(loop=handle),
            c.CloseDebrief(loop=handle, dissent="none"),
            *(c.PassEvidenceGate(loop=handle),) * 3,
            *(c.MakeRecommendation(loop=handle, recommend="hire", reason="Two saw it."),) * 3,
            *(c.MakeDecision(loop=handle, decision="hire", reasons=REASONS),) * 3,
        )
        backward: tuple[c.AnyCommand, ...] = (
            c.ReverseDecision(loop=handle, reason="The budget is gone."),
            c.ObserveDecision(loop=handle, decision="no_hire", source=SOURCE),
            c.RecordOffer(loop=handle, status="made"),
            c.ReportWithdrawal(loop=handle, code="other-offer"),
            c.CloseLoop(loop=handle, disposition="withdrawn"),
            *(c.ReopenLoop(loop=handle, reason="Came back."),) * 2,
        )
        return self.random.choice(forward if self.random.random() < 0.7 else backward)

    def _some(self, count: int) -> tuple[str, ...]:
        return tuple(self.random.sample(PEOPLE, self.random.randint(1, count)))

    def new_handle(self, kind: str) -> str:
        """A handle that nobody has."""
        word = base64.b32encode(self.random.randbytes(16)).decode().rstrip("=").lower()
        return f"{kind}_{word}"


def rows_of(facts: Iterable[f.AnyFact]) -> list[NewRow]:
    """Facts as the log takes them."""
    return [
        NewRow(type_of(fact), fact.stamp.tags, encode(fact), fact.stamp.recorded) for fact in facts
    ]
