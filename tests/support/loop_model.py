"""What the ledger should accept, told a second time: plain dicts, no code of the product's.

`Model.expect(step)` says what must come of a step and takes it into account:

- `refusals`: codes, any of which may be the answer; nothing is recorded then. Empty: it is recorded.
- `blocks`: the rules that stand in the way. With `refusals` they are its findings; without, what
  is recorded is the refusal itself.
- `facts`: the types that are recorded, in order, from `position` on.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

Dict = dict[str, Any]

ROLES = {
    "hana": {"hiring_manager", "interviewer", "approver"},
    "theo": {"approver", "interviewer"},
    "petra": {"approver", "interviewer"},
    "dora": {"decision_maker", "interviewer"},
    "ivan": {"interviewer"},
    "inga": {"interviewer"},
    "olga": {"interviewer"},
    "mallory": {"hiring_manager", "decision_maker", "approver"},
    "udo": {"auditor"},
    "ghost": set[str](),
}
TEAM = {"hana", "theo", "petra", "dora"}
COMPETENCIES = {"evals", "failures", "tradeoffs", "shipping"}
DISQUALIFYING = {"family", "referrer", "current_manager"}
CORE = {
    "scorecard-approved-by-three",
    "safety-never-skipped",
    "own-feedback-first",
    "two-independent-interviewers",
    "gate-passed-and-fresh",
}
WORDS_MIN = 8


class Step(NamedTuple):
    """Somebody asks for something: what, who, in which loop, and the particulars."""

    what: str
    who: str
    loop: int
    more: Dict


class Expected(NamedTuple):
    """What must come of a step."""

    refusals: set[str]
    blocks: set[str]
    facts: list[str]
    position: int


@dataclass
class Model:
    """The state of a requisition with its loops; `head` is the log's length."""

    head: int
    loops: dict[int, Dict] = field(default_factory=dict[int, Dict])
    requisition: str = "open"
    standard: bool = False
    excepted: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def expect(self, step: Step) -> Expected:
        """What must come of it; the model's state is the one after it."""
        refusals: set[str] = set()
        blocks: set[str] = set()
        if step.who == "ghost":
            refusals.add("forbidden")
        if step.more.get("ahead"):
            refusals.add("meaningless")
        loop = self.loops.get(step.loop)
        if step.what == "open":
            self._may_open(step, loop, refusals, blocks)
        elif step.what in ("requisition", "requisition_exception", "correct"):
            getattr(self, f"_may_{step.what}")(step, refusals)
        elif loop is None:
            refusals.add("not-found")
        else:
            getattr(self, f"_may_{step.what}")(step, loop, refusals, blocks)
        if blocks and step.what in ("open", "plan", "recommend"):
            refusals.add("refused")
        at = self.head + 1
        facts = [] if refusals else self._facts(step, blocks)
        self.head += len(facts)
        if facts and not blocks:
            self._happened(step, at)
        return Expected(refusals, blocks, facts, at)

    # ---------------------------------------------------------------- who may

    def _team(self, who: str, *roles: str) -> bool:
        return who in TEAM and bool(ROLES[who] & set(roles))

    def _takes_part(self, who: str, loop: Dict) -> bool:
        return (
            any(who in session["who"] for session in loop["sessions"].values())
            or who in loop["seen_in"]
            or any(who == form["who"] for form in loop["feedback"])
        )

    def _entitled(
        self, who: str, loop: Dict, refusals: set[str], *team: str, panel: bool = False
    ) -> None:
        interviewer = panel and "interviewer" in ROLES[who] and self._takes_part(who, loop)
        if not self._team(who, *team) and not interviewer:
            refusals.add("forbidden")

    # ---------------------------------------------------------------- opening and planning

    def _may_open(
        self, step: Step, loop: Dict | None, refusals: set[str], blocks: set[str]
    ) -> None:
        if not self._team(step.who, "hiring_manager"):
            refusals.add("forbidden")
        if loop is not None:
            refusals.add("exists")
        if step.more["scorecard"] not in (1, 2) or step.more["posting"] != 1:
            refusals.add("not-found")
        if step.more["scorecard"] == 2:
            blocks.add("scorecard-approved-by-three")
        if self.requisition != "open":
            blocks.add("loop-state")

    def _may_requisition(self, step: Step, refusals: set[str]) -> None:
        if not self._team(step.who, "hiring_manager"):
            refusals.add("forbidden")

    def _may_plan(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")
        plan = step.more["plan"]
        named = [session["id"] for session in plan]
        asked = {competency for session in plan for competency in session["competencies"]}
        prompts = [prompt for session in plan for prompt in session["prompts"]]
        if len(set(named)) < len(named) or asked - COMPETENCIES:
            refusals.add("meaningless")
        if any(version != 1 for _, version in prompts):
            refusals.add("not-found")
        if ("failures-talk", 1) not in prompts:
            blocks.add("safety-never-skipped")
        if loop["closed"]:
            blocks.add("loop-state")

    def _may_notice(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")

    def _may_relationship(self, step: Step, _: Dict, refusals: set[str], __: set[str]) -> None:
        if "interviewer" not in ROLES[step.who]:
            refusals.add("forbidden")

    # ---------------------------------------------------------------- evidence

    def _session(self, step: Step, loop: Dict, refusals: set[str]) -> Dict | None:
        session: Dict | None = loop["sessions"].get(step.more["session"])
        if session is None:
            refusals.add("not-found")
        return session

    def _may_complete(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        attends = "interviewer" in ROLES[step.who] and step.who in step.more["attendees"]
        if not attends:
            self._entitled(step.who, loop, refusals, "hiring_manager", panel=True)
        self._session(step, loop, refusals)
        if any(version != 1 for _, version in step.more["prompts"]):
            refusals.add("not-found")

    def _may_cancel(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager", panel=True)
        self._session(step, loop, refusals)

    def _may_replace(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager", panel=True)
        session = self._session(step, loop, refusals)
        if session is not None and step.more["from"] not in session["who"]:
            refusals.add("meaningless")

    def _may_feedback(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, panel=True)
        session = self._session(step, loop, refusals)
        if session is None:
            return
        attended = loop["attended"].get(step.more["session"], set())
        if step.who not in set(session["who"]) | attended:
            refusals.add("forbidden")
        if any((f["session"], f["who"]) == (step.more["session"], step.who) for f in loop["forms"]):
            refusals.add("exists")
        self._ratings(step, set(session["competencies"]), refusals)

    def _ratings(self, step: Step, wanted: set[str], refusals: set[str]) -> None:
        words: Dict = step.more["words"]
        if set(words) - COMPETENCIES or wanted - set(words) or not 1 <= step.more["rating"] <= 5:
            refusals.add("meaningless")

    def _may_amend(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, panel=True)
        form = next((f for f in loop["forms"] if f["at"] == step.more["position"]), None)
        if form is None:
            refusals.add("not-found")
            return
        if form["who"] != step.who:
            refusals.add("forbidden")
        self._ratings(step, set(form["words"]), refusals)

    def _may_view(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        """The ledger's own note: nobody asks whether it may be made."""

    def _may_correct(self, step: Step, refusals: set[str]) -> None:
        if "auditor" not in ROLES[step.who]:
            refusals.add("forbidden")
        if not 1 <= step.more["position"] <= self.head:
            refusals.add("not-found")

    # ---------------------------------------------------------------- debate and decision

    def _cites(self, step: Step, loop: Dict, refusals: set[str]) -> None:
        if set(step.more["cites"]) - loop["evidence"]:
            refusals.add("meaningless")

    def _may_statement(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(
            step.who, loop, refusals, "hiring_manager", "decision_maker", panel=True
        )
        self._cites(step, loop, refusals)

    _may_dissent = _may_statement

    def _may_debrief(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")
        if step.more["ends"] == "none" and loop["dissent"]:
            refusals.add("refused")

    def _may_stage(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")
        self._cites(step, loop, refusals)
        self._over(loop, blocks)
        if step.more["outcome"] == "advance":
            return
        counted = self._counted(loop)
        posted = step.more["knock_out"] == "permit"
        second = any(
            loop["sessions"][form["session"]]["stage"] == step.more["stage"]
            for who, forms in counted.items()
            for form in forms
            if who != step.who
        )
        if not posted and not second:
            if len(counted) < 2:
                blocks.add("two-independent-interviewers")
            if step.more["stage"] == "screening":
                self._unless_excepted("screening-by-posted-criteria", step, loop, blocks)

    def _may_gate(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")
        self._over(loop, blocks)
        if len(self._counted(loop)) < 2:
            blocks.add("two-independent-interviewers")
        words = [form["words"] for form in loop["forms"]]
        thin = any(n is not None and n < WORDS_MIN for form in words for n in form.values())
        rated = {c for form in words for c, n in form.items() if n is not None and n >= WORDS_MIN}
        if thin or COMPETENCIES - rated:
            self._unless_excepted("every-competency-evidenced", step, loop, blocks)
        if ("failures-talk", 1) not in self._given(loop):
            blocks.add("safety-never-skipped")

    def _may_recommend(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")
        self._cites(step, loop, refusals)
        self._over(loop, blocks)
        self._rests_on_gate(loop, blocks)

    def _may_decide(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "decision_maker")
        self._cites(step, loop, refusals)
        self._over(loop, blocks)
        self._rests_on_gate(loop, blocks)
        counted = self._counted(loop)
        said = loop["recommended"]
        if not loop["gate"] or not any(at > loop["gate"] for at, _ in said):
            self._unless_excepted("recommendation-first", step, loop, blocks)
        against = said and said[-1][1] != step.more["decision"]
        if against and "override" not in step.more["reasons"]:
            self._unless_excepted("reasons-for-going-against", step, loop, blocks)
        forms = {form["at"]: form["who"] for form in loop["forms"]}
        cited = {forms[at] for at in step.more["cites"] if at in forms}
        if not set(counted) - {step.who} or cited == {step.who}:
            self._unless_excepted("decider-is-not-the-only-evidence", step, loop, blocks)

    def _rests_on_gate(self, loop: Dict, blocks: set[str]) -> None:
        if not loop["gate"] or loop["moved"] > loop["gate"]:
            blocks.add("gate-passed-and-fresh")
        if len(self._counted(loop)) < 2:
            blocks.add("two-independent-interviewers")

    def _over(self, loop: Dict, blocks: set[str]) -> None:
        if loop["closed"] or loop["withdrawn"] or loop["decided"]:
            blocks.add("loop-state")

    def _unless_excepted(self, rule: str, step: Step, loop: Dict, blocks: set[str]) -> None:
        granted = [*self.excepted, *loop["excepted"]]
        if not any(policy == rule and by != step.who for policy, by in granted):
            blocks.add(rule)

    def _counted(self, loop: Dict) -> dict[str, list[Dict]]:
        """Who counts as independent, with the forms by which they do."""
        found: dict[str, list[Dict]] = {}
        for form in loop["forms"]:
            evidenced = any(n is not None and n >= WORDS_MIN for n in form["words"].values())
            related = loop["related"].get(form["who"]) in DISQUALIFYING
            if form["blind"] and evidenced and not related:
                found.setdefault(form["who"], []).append(form)
        return found

    def _given(self, loop: Dict) -> set[tuple[str, int]]:
        """The prompts that the candidate was really given."""
        held = {form["session"] for form in loop["forms"]} - set(loop["reported"])
        planned = [p for session in held for p in loop["sessions"][session]["prompts"]]
        return {*planned, *(p for prompts in loop["reported"].values() for p in prompts)}
