"""What the ledger should accept, told a second time: plain dicts, no code of the product's.

This is its first half, up to the evidence; `loop_model_later` has the rest and puts it together.
Every `_may_...` adds to `refusals` the codes, any of which may be the answer, and to `blocks` the
rules that stand in the way.
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
    "paul": {"privacy_officer"},
    "ghost": set[str](),
}
TEAM = {"hana", "theo", "petra", "dora"}
COMPETENCIES = {"evals", "failures", "tradeoffs", "shipping"}


class Step(NamedTuple):
    """Somebody asks for something: what, who, in which loop, and the particulars."""

    what: str
    who: str
    loop: int
    more: Dict


@dataclass
class Evidence:
    """The state of a requisition with its loops, and what its reports depend on."""

    head: int
    loops: dict[int, Dict] = field(default_factory=dict[int, Dict])
    requisition: str = "open"
    standard: bool = False
    excepted: list[tuple[str, str, str | None]] = field(
        default_factory=list[tuple[str, str, str | None]]
    )
    holds: dict[int, bool] = field(default_factory=dict[int, bool])
    about: dict[int, int] = field(default_factory=dict[int, int])
    forgotten: set[int] = field(default_factory=set[int])

    # ---------------------------------------------------------------- who may

    def _team(self, who: str, *roles: str) -> bool:
        return who in TEAM and bool(ROLES[who] & set(roles))

    def _takes_part(self, who: str, loop: Dict) -> bool:
        return (
            any(who in session["who"] for session in loop["sessions"].values())
            or who in loop["seen_in"]
            or any(who == form["who"] for form in loop["forms"])
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

    def _owing(self, step: Step, loop: Dict, refusals: set[str]) -> None:
        """Who still has feedback to write goes by nobody else's."""
        who = step.who
        since, planned = loop["planned"]
        off = {session for at, session, _ in loop["called_off"] if at > since}
        planned = planned - (off - set(loop["reported"]))
        called_off = {session for _, session, by in loop["called_off"] if by == who}
        owed = {s for s in planned | called_off if who in loop["sessions"][s]["who"]}
        owed |= {s for s, people in loop["attended"].items() if who in people}
        if owed - {form["session"] for form in loop["forms"] if form["who"] == who}:
            refusals.add("feedback-owed")

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
        self._ratings(step, form["wanted"], refusals)

    def _may_view(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        """The ledger's own note: nobody asks whether it may be made."""

    def _may_correct(self, step: Step, refusals: set[str]) -> None:
        if "auditor" not in ROLES[step.who]:
            refusals.add("forbidden")
        if not 1 <= step.more["position"] <= self.head:
            refusals.add("not-found")
        if step.more["position"] in self.forgotten:
            refusals.add("refused")

    # ---------------------------------------------------------------- holds and erasure

    def _may_hold(self, step: Step, refusals: set[str], _: set[str]) -> None:
        self._privacy(step, refusals)
        if step.more["hold"] in self.holds:
            refusals.add("exists")

    def _may_release(self, step: Step, refusals: set[str], _: set[str]) -> None:
        self._privacy(step, refusals)
        stands = self.holds.get(step.more["hold"])
        if not stands:
            refusals.add("not-found" if stands is None else "exists")

    def _may_erase(self, step: Step, refusals: set[str], blocks: set[str]) -> None:
        self._privacy(step, refusals)
        if not self._theirs(step):
            refusals.add("not-found")
        elif any(self.holds.values()):
            blocks.add("legal-hold")

    def _privacy(self, step: Step, refusals: set[str]) -> None:
        if "privacy_officer" not in ROLES[step.who]:
            refusals.add("forbidden")

    def _theirs(self, step: Step) -> list[int]:
        """The loops of the person that the step's loop is for: every second one is the same's."""
        return [number for number in self.loops if number % 2 == step.loop % 2]

    def _erased(self, step: Step) -> None:
        """Their ids mean nobody from now on, and nothing more is said of what was theirs."""
        for number in self._theirs(step):
            del self.loops[number]
        self.forgotten |= {at for at, person in self.about.items() if person == step.loop % 2}
        self.about = {at: who for at, who in self.about.items() if at not in self.forgotten}

    def _is_about(self, step: Step, at: int) -> None:
        """Whose words a correction of this fact would be."""
        if step.what == "correct":
            if step.more["position"] in self.about:
                self.about[at] = self.about[step.more["position"]]
        elif step.what not in ("requisition", "requisition_exception", "erase", "hold", "release"):
            self.about[at] = step.loop % 2
