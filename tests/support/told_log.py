"""A whole log told in memory: real commands, the installed rules' own verdicts, real bytes.

For what is checked without a store: dossiers, their verifiers, their museum. Everyone in it is
invented, the salts come from a seed, and the same telling gives the same bytes.
"""

import base64
import functools
import random
from typing import Final, NamedTuple, Self, TypeGuard

from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.boundary import settle
from domain.case import Case, Draft, Intent, Report
from domain.codec import Recorded, decode, encode, type_of
from domain.decide import conclude, draft
from domain.evolve import fold
from domain.findings import Basis, Item, Judged
from domain.state import World
from ledger.seal import Sealed, seal
from merkle import basis_root
from policies import Catalogue, load
from policies import _sample as sample
from policies._examples import Story

ADMINISTRATOR: Final = sample.handle("p", "administrator")
READER: Final = sample.handle("p", "a reader")
OTHER_LOOP: Final = sample.handle("l", "another loop")
OTHER_CANDIDATE: Final = sample.handle("c", "another candidate")
_TEAM: Final[dict[str, tuple[f.Role, ...]]] = {
    sample.HIRING_MANAGER: ("hiring_manager", "approver"),
    sample.TECH_LEAD: ("approver", "interviewer"),
    sample.PARTNER: ("approver",),
    sample.DECIDER: ("decision_maker",),
    sample.IRIS: ("interviewer",),
    sample.JUNO: ("interviewer",),
    sample.KOFI: ("interviewer",),
    READER: ("auditor",),
}


class Entry(NamedTuple):
    """One fact of the log: its 1-based position, its stored bytes and what was sealed in it."""

    position: int
    leaf: bytes
    fact: f.AnyFact
    sealed: tuple[Sealed, ...]

    def matches(self, items: tuple[Item, ...]) -> bool:
        """Whether any of the items selects it."""
        return any(item.matches(type_of(self.fact), self.fact.stamp.tags) for item in items)


class ToldLog(Story):
    """A story whose every step is judged by the installed rules, sealed and encoded."""

    def __init__(self, rules: Catalogue | None = None, seed: int = 1) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.rules = rules or installed()
        self._random = random.Random(seed)

    def does(self, actor: str, command: c.AnyCommand, judged: Judged | None = None) -> Self:
        """A command is decided as the ledger decides it; what the rules refuse raises."""
        items = settle(command, actor, lambda items: fold(self._facts(items)))
        facts = self._facts(items)
        world = fold(facts)
        drafted = draft(command, world, self._context(actor, command))
        told = judged or Judged(now=self.now)
        witnesses: tuple[f.Witness, ...] = ()
        if drafted.moment is not None and judged is None:
            case = self._case(drafted, world, facts)
            told = self.rules.judge(case, _pinned(drafted, world), drafted.state_findings)
            witnesses = self.rules.witnesses(case) if drafted.moment == "gate" else ()
        for fact in conclude(drafted, told, self.basis(items), witnesses):
            self.happened(fact)
        return self.later(hours=0.02)

    def happened(self, fact: f.AnyFact) -> Self:
        """A fact is sealed, encoded and recorded at the next position."""
        closed, sealed = seal(fact, self._random.randbytes)
        leaf = encode(closed)
        entry = Entry(len(self.entries) + 1, leaf, decode(leaf), tuple(sealed))
        self.entries.append(entry)
        return super().happened(entry.fact)

    def basis(self, items: tuple[Item, ...]) -> Basis:
        """The commitment to everything that these items select now."""
        leaves = [one.leaf for one in self.entries if one.matches(items)]
        root = base64.b64encode(basis_root(leaves)).decode()
        return Basis(items=items, upto=len(self.entries), count=len(leaves), root=root)

    def _facts(self, items: tuple[Item, ...]) -> tuple[Recorded, ...]:
        return tuple(Recorded(e.position, e.fact) for e in self.entries if e.matches(items))

    def _case(self, drafted: Draft, world: World, facts: tuple[Recorded, ...]) -> Case:
        fact = drafted.fact
        if drafted.moment is None or not isinstance(fact, Intent | Report):
            raise TypeError("no rule judges this command")
        return Case(moment=drafted.moment, draft=fact, world=world, now=self.now, facts=facts)

    # ------------------------------------------------------------ steps that Story does not have

    def staffed(self, *people: str) -> Self:
        """These people are registered; everyone, unless named."""
        for person, roles in _TEAM.items():
            if people and person not in people:
                continue
            self.does(ADMINISTRATOR, c.RegisterPerson(id=person, roles=roles, name="Nobody Real"))
        return self

    def other_loop(self) -> Self:
        """Somebody else's loop for the same requisition is opened and planned in between."""
        candidate = c.CandidateSpec(id=OTHER_CANDIDATE, name="Someone Else", email="e@example.org")
        opening = replace(sample.opening(), id=OTHER_LOOP, candidate=candidate)
        self.does(sample.HIRING_MANAGER, opening)
        return self.does(sample.HIRING_MANAGER, c.PlanLoop(loop=OTHER_LOOP, sessions=sample.PLAN))

    def opened(self) -> Self:
        """The loop is opened for a candidate with a name and an address."""
        candidate = c.CandidateSpec(
            id=sample.CANDIDATE, name="Nobody Inparticular", email="nobody@example.org"
        )
        return self.does(sample.HIRING_MANAGER, replace(sample.opening(), candidate=candidate))

    def advanced(self, stage: str, *cites: int, rejected: bool = False) -> Self:
        """The candidate is advanced at a stage, or rejected there."""
        command = c.DecideStage(
            loop=sample.LOOP,
            stage=stage,
            outcome="reject" if rejected else "advance",
            reasons=(sample.reason("competency", "evaluation-design"),),
            cites=cites,
        )
        return self.does(sample.HIRING_MANAGER, command)

    def debated(self) -> Self:
        """A debrief with a statement, a dissent, the answer to it, and an end."""
        loop = sample.LOOP
        cites = self.feedback_positions()
        self.does(sample.HIRING_MANAGER, c.OpenDebrief(loop=loop))
        self.said(sample.KOFI, "She said what the proxy had cost.", cites[0])
        text = "The costs were guessed, not measured."
        self.does(sample.JUNO, c.RecordDissent(loop=loop, text=text, cites=cites[:1]))
        self.said(sample.IRIS, "They were measured on the second slice.", self.facts[-1].position)
        return self.does(sample.HIRING_MANAGER, c.CloseDebrief(loop=loop, dissent="recorded"))

    def decided(self, *cites: int) -> Self:
        """The decision maker decides to hire."""
        asked = self.asks_decide(cites=cites or self.feedback_positions())
        return self.does(asked.actor, asked.command)

    def feedback_positions(self) -> tuple[int, ...]:
        """Where the loop's feedback stands."""
        return tuple(written.position for written in self.world.loops[sample.LOOP].feedback)


def _pinned(drafted: Draft, world: World) -> f.PolicySetAdopted | None:
    """The set that the loop pinned, else the latest."""
    loop = world.loops.get(getattr(drafted.fact, "loop", ""))
    pinned = world.policy_set(loop.opened.fact.policy_set) if loop else None
    latest = world.policy_sets[-1].fact if world.policy_sets else None
    return (pinned.fact if pinned else None) if loop else latest


@functools.cache
def installed() -> Catalogue:
    """The rules as installed, loaded once a process."""
    return load()


def before_the_decision(
    rules: Catalogue | None = None, settings: tuple[f.PolicySetting, ...] | None = None
) -> ToldLog:
    """A loop of three sessions with an exception, a dissent, a gate and a recommendation.

    Under a policy set of these settings; by default every rule is named as it comes.
    """
    log = ToldLog(rules)
    log.staffed().rubric(*(log.rules.default_set() if settings is None else settings))
    log.approved("hiring_manager", "tech_lead", "partner").opened().noticed()
    log.planned().other_loop()
    for person in (sample.IRIS, sample.JUNO, sample.KOFI):
        log.disclosed(person)
    log.held("screen").wrote(sample.IRIS, "screen").read(READER)
    log.advanced("screening", *log.feedback_positions())
    log.held("design").wrote(sample.JUNO, "design").held("panel").wrote(sample.KOFI, "panel")
    log.later(days=4).excepted("feedback-on-time").wrote(sample.IRIS, "panel")
    return log.debated().passed_gate().recommended()


@functools.cache
def decided_log() -> ToldLog:
    """That loop decided, and what came after it: not to be changed by who asks for it."""
    log = before_the_decision().decided()
    log.does(sample.HIRING_MANAGER, c.RecordOffer(loop=sample.LOOP, status="made"))
    return log.read(READER)


# Rules by version, so that neither a new rule nor a new version of one changes what is told: the
# core ones, and a few others. The set turns off every other rule of the first release.
_FEW: Final = (
    ("every-competency-evidenced", 1),
    ("feedback-on-time", 1),
    ("gate-passed-and-fresh", 1),
    ("own-feedback-first", 1),
    ("reasons-within-scorecard-and-posting", 1),
    ("recommendation-first", 1),
    ("relationships-disclosed", 1),
    ("safety-never-skipped", 1),
    ("scorecard-approved-by-three", 1),
    ("two-independent-interviewers", 1),
)
_OFF: Final = (
    "adjectives-only",
    "anchor-for-every-rating",
    "asymmetric-costs",
    "buckets-covered",
    "candidate-informed-first",
    "debate-cites-evidence",
    "decider-is-not-the-only-evidence",
    "design-prompt-constraints",
    "dissent-answered",
    "inclusive-anchor",
    "open-scope-guided",
    "reasons-for-going-against",
    "recorded-when-it-happened",
    "same-prompts-for-all",
    "screening-by-posted-criteria",
    "take-home-anonymised-first",
    "take-home-same-time",
    "three-to-five-competencies",
)


ONSITE: Final = sample.session(
    "onsite",
    "onsite",
    "interview",
    ("failure-modes", "safety-judgement", "trade-offs"),
    ("support-assistant", "prompt-injection"),
    sample.JUNO,
)


@functools.cache
def few_rules() -> Catalogue:
    """A house with ten rules, the first version of each, whatever else is installed."""
    known = installed()
    return Catalogue([known.rules[key] for key in _FEW], (), {k: known.digests[k] for k in _FEW})


def few_settings() -> tuple[f.PolicySetting, ...]:
    """A set under which the few rules judge, and of those installed no other."""
    off = tuple(f.PolicySetting(id=id_, enforcement="off") for id_ in _OFF)
    return (*few_rules().default_set(), *off)


def small_before_the_decision(
    *asked: f.Ref, superseded: tuple[c.SessionSpec, ...] = (), early: bool = False
) -> ToldLog:
    """A loop of two sessions under ten rules, ready to be decided.

    With other prompts asked in the first session than those planned, where they are given, with a
    plan before the one that was followed, and with a gate tried too early.
    """
    log = _small_planned(superseded)
    if early:
        log.passed_gate()
    log.held("screen", prompts=asked or None).wrote(sample.IRIS, "screen").advanced("screening")
    log.held("onsite").wrote(sample.JUNO, "onsite")
    return log.passed_gate().recommended()


def _small_planned(superseded: tuple[c.SessionSpec, ...] = ()) -> ToldLog:
    log = ToldLog(few_rules(), seed=2)
    approvers = (sample.HIRING_MANAGER, sample.TECH_LEAD, sample.PARTNER)
    log.staffed(*approvers, sample.DECIDER, sample.IRIS, sample.JUNO)
    log.rubric(*few_settings()).approved("hiring_manager", "tech_lead", "partner")
    log.opened().other_loop()
    if superseded:
        log.planned(*superseded)
    log.planned(sample.SCREEN, ONSITE)
    return log.disclosed(sample.IRIS).disclosed(sample.JUNO)


@functools.cache
def small_log() -> ToldLog:
    """That loop decided, and an offer after it: not to be changed by who asks for it."""
    log = small_before_the_decision().decided()
    return log.does(sample.HIRING_MANAGER, c.RecordOffer(loop=sample.LOOP, status="made"))


@functools.cache
def rejected_log() -> ToldLog:
    """A loop in which the candidate was rejected at the first stage, and closed."""
    log = _small_planned().held("screen").wrote(sample.IRIS, "screen")
    log.advanced("screening", *log.feedback_positions(), rejected=True)
    return log.does(sample.HIRING_MANAGER, c.CloseLoop(loop=sample.LOOP, disposition="rejected"))


def decision_of(log: ToldLog) -> Entry:
    """The latest decision of the loop, or rejection at a stage."""
    return [one for one in log.entries if is_decision(one.fact)][-1]


def is_decision(fact: f.AnyFact) -> TypeGuard[f.DecisionMade | f.StageDecided]:
    """Whether a dossier can be about this."""
    rejected = isinstance(fact, f.StageDecided) and fact.outcome == "reject"
    return rejected or isinstance(fact, f.DecisionMade)
