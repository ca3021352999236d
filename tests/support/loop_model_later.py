"""The second half of `loop_model`: debate, decision and closing, and what each step changes.

`Model.expect(step)` says what must come of a step, and takes it into account.
"""

from collections.abc import Sequence
from typing import NamedTuple

from loop_model import COMPETENCIES, Dict, Evidence, Step

DISQUALIFYING = {"family", "referrer", "current_manager"}
CORE = {
    "scorecard-approved-by-three",
    "safety-never-skipped",
    "own-feedback-first",
    "two-independent-interviewers",
    "gate-passed-and-fresh",
}
WORDS_MIN = 8
FACTS = {
    "open": "loop-opened",
    "plan": "loop-planned",
    "notice": "process-notice-given",
    "relationship": "relationship-disclosed",
    "complete": "session-completed",
    "cancel": "session-cancelled",
    "replace": "interviewer-replaced",
    "feedback": "feedback-submitted",
    "amend": "feedback-amended",
    "view": "feedback-viewed",
    "correct": "fact-corrected",
    "statement": "debrief-statement-recorded",
    "dissent": "dissent-recorded",
    "stage": "stage-decided",
    "gate": "evidence-gate-passed",
    "recommend": "recommendation-recorded",
    "exception": "exception-granted",
    "requisition_exception": "exception-granted",
    "decide": "decision-made",
    "reverse": "decision-reversed",
    "observe": "decision-observed",
    "offer": "offer-recorded",
    "withdraw": "candidate-withdrew",
    "close": "loop-closed",
    "reopen": "loop-reopened",
    "requisition": "requisition-changed",
    "erase": "subject-erased",
    "hold": "hold-placed",
    "release": "hold-released",
}
REFUSED = {
    "stage": "stage-decision-refused",
    "gate": "evidence-gate-refused",
    "decide": "decision-refused",
}


class Expected(NamedTuple):
    """What must come of a step.

    One of `refusals`, and nothing is recorded; or, where there is none, facts of these types from
    `position` on. `blocks` are the rules that stand in the way: with a refusal its findings;
    without, what is recorded is itself the refusal.
    """

    refusals: set[str]
    blocks: set[str]
    facts: list[str]
    position: int


class Model(Evidence):
    """A requisition and its loops, from opening to closing; `head` is the log's length."""

    def expect(self, step: Step) -> Expected:
        """What must come of it; the model's state is the one after it."""
        refusals: set[str] = set()
        blocks: set[str] = set()
        if step.who == "ghost":
            refusals.add("forbidden")
        if step.more.get("ahead"):
            refusals.add("meaningless")
        loop = self.loops.get(step.loop)
        ask = getattr(self, f"_may_{step.what}")
        if step.what == "open":
            ask(step, loop, refusals, blocks)
        elif step.what in ("requisition", "requisition_exception", "correct"):
            ask(step, refusals)
        elif step.what in ("erase", "hold", "release"):
            ask(step, refusals, blocks)
        elif loop is None:
            refusals.add("not-found")
        else:
            ask(step, loop, refusals, blocks)
        if blocks and step.what not in REFUSED:
            refusals.add("refused")
        facts = [] if refusals else self._facts(step, blocks)
        at = self.head + 1
        self.head += len(facts)
        if facts:
            self._is_about(step, at)
        if facts and not blocks:
            self._happened(step, at)
        return Expected(refusals, blocks, facts, at)

    def _facts(self, step: Step, blocks: set[str]) -> list[str]:
        if blocks:
            return [f"{REFUSED[step.what]}.v1"]
        if step.what == "debrief":
            return ["debrief-closed.v1" if step.more["ends"] else "debrief-opened.v1"]
        standard = step.what == "plan" and not self.standard
        return [f"{FACTS[step.what]}.v1"] + ["requisition-standard-set.v1"] * standard

    # ---------------------------------------------------------------- debate and decision

    def _cites(self, step: Step, loop: Dict, refusals: set[str]) -> None:
        if set(step.more["cites"]) - loop["evidence"]:
            refusals.add("meaningless")

    def _may_statement(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager", "decision_maker", panel=True)
        self._cites(step, loop, refusals)

    _may_dissent = _may_statement

    def _may_debrief(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")
        if step.more["ends"]:
            self._owing(step, loop, refusals)
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
        self._owing(step, loop, refusals)
        self._over(loop, blocks)
        if len(self._counted(loop)) < 2:
            blocks.add("two-independent-interviewers")
        self._evidence(step, loop, blocks)

    def _evidence(self, step: Step, loop: Dict, blocks: set[str]) -> None:
        """What blocks at the gate, and at the decision again."""
        forms = [(form["who"], form["words"]) for form in loop["forms"]]
        few = range(WORDS_MIN)
        whose = [{who} for who, form in forms if any(n in few for n in form.values())]
        rated = {c for _, form in forms for c, n in form.items() if n and n >= WORDS_MIN}
        missing = COMPETENCIES - rated
        whose += [{who for who, _ in forms}] if missing else []
        if whose:
            self._unless_excepted("every-competency-evidenced", step, loop, blocks, whose)
        if ("failures-talk", 1) not in self._given(loop):
            blocks.add("safety-never-skipped")

    def _may_recommend(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")
        self._owing(step, loop, refusals)
        self._cites(step, loop, refusals)
        self._over(loop, blocks)
        self._rests_on_gate(loop, blocks)

    def _may_decide(self, step: Step, loop: Dict, refusals: set[str], blocks: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "decision_maker")
        self._owing(step, loop, refusals)
        self._cites(step, loop, refusals)
        self._over(loop, blocks)
        self._rests_on_gate(loop, blocks)
        self._evidence(step, loop, blocks)
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
            own = {step.who} & set(forms.values())
            self._unless_excepted("decider-is-not-the-only-evidence", step, loop, blocks, [own])

    def _rests_on_gate(self, loop: Dict, blocks: set[str]) -> None:
        if not loop["gate"] or loop["moved"] > loop["gate"]:
            blocks.add("gate-passed-and-fresh")
        if len(self._counted(loop)) < 2:
            blocks.add("two-independent-interviewers")

    def _over(self, loop: Dict, blocks: set[str]) -> None:
        if loop["closed"] or loop["withdrawn"] or loop["decided"]:
            blocks.add("loop-state")

    def _unless_excepted(
        self, rule: str, step: Step, loop: Dict, blocks: set[str], whose: Sequence[set[str]] = ()
    ) -> None:
        """An exception for one person excuses nothing in which they have no part."""
        for policy, by, subject in (*self.excepted, *loop["excepted"]):
            covers = not subject or all(subject in people for people in whose if people)
            if policy == rule and by != step.who and covers:
                return
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

    # ---------------------------------------------------------------- exceptions and closing

    def _may_requisition_exception(self, step: Step, refusals: set[str]) -> None:
        if not self._team(step.who, "approver") or step.more["subject"] == step.who:
            refusals.add("forbidden")
        if step.more["policy"] in CORE:
            refusals.add("refused")
        if step.more["policy"] == "no-such-rule" or step.more["expired"]:
            refusals.add("meaningless")

    def _may_exception(self, step: Step, _: Dict, refusals: set[str], __: set[str]) -> None:
        self._may_requisition_exception(step, refusals)

    def _may_reverse(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "decision_maker")
        self._owing(step, loop, refusals)
        self._cites(step, loop, refusals)
        if not loop["decided"]:
            refusals.add("refused")

    def _may_observe(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "decision_maker")
        if not step.more["sourced"]:
            refusals.add("meaningless")

    def _may_offer(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager")

    _may_withdraw = _may_offer

    def _may_close(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "hiring_manager", "decision_maker")
        if step.more["disposition"] in ("hired", "rejected"):
            self._owing(step, loop, refusals)
        decided = loop["in_force"]
        rejected = loop["stages"][-1:] in ([("reject", True)], [("reject", False)])
        borne_out = {
            "hired": decided == "hire",
            "rejected": decided == "no_hire" or rejected,
            "knock_out": loop["stages"][-1:] == [("reject", True)],
            "withdrawn": loop["withdrawn"],
            "filled": self.requisition == "filled",
            "cancelled": self.requisition == "cancelled",
        }
        if loop["closed"] or not borne_out[step.more["disposition"]]:
            refusals.add("refused")

    def _may_reopen(self, step: Step, loop: Dict, refusals: set[str], _: set[str]) -> None:
        self._entitled(step.who, loop, refusals, "decision_maker")
        if not loop["closed"]:
            refusals.add("refused")

    # ---------------------------------------------------------------- what each step changes

    def _happened(self, step: Step, at: int) -> None:
        more = step.more
        if step.what == "open":
            self.loops[step.loop] = _opened(at)
        elif step.what == "requisition":
            self.requisition = more["status"]
        elif step.what == "requisition_exception":
            self.excepted.append((more["policy"], step.who, more["subject"]))
        elif step.what == "erase":
            self._erased(step)
        elif step.what in ("hold", "release"):
            self.holds[more["hold"]] = step.what == "hold"
        elif step.what != "correct":
            self._happened_in(self.loops[step.loop], step, at)

    def _happened_in(self, loop: Dict, step: Step, at: int) -> None:
        more, who = step.more, step.who
        if step.what != "view":
            loop["evidence"].add(at)
        wrote = any(form["who"] == who for form in loop["forms"])
        if step.what in ("plan", "feedback", "amend") or (step.what == "relationship" and wrote):
            loop["moved"] = at
        match step.what:
            case "plan":
                self.standard = True
                loop["sessions"] |= {s["id"]: {**s, "who": list(s["who"])} for s in more["plan"]}
                loop["planned"] = at, {s["id"] for s in more["plan"]}
            case "relationship":
                loop["related"][who] = more["relationship"]
            case "complete":
                loop["reported"][more["session"]] = more["prompts"]
                loop["attended"].setdefault(more["session"], set()).update(more["attendees"])
                loop["seen_in"].update(more["attendees"])
            case "cancel":
                loop["called_off"].add((at, more["session"], who))
            case "replace":
                people = loop["sessions"][more["session"]]["who"]
                people[people.index(more["from"])] = more["to"]
                loop["seen_in"].add(more["to"])
            case "feedback":
                blind = who not in loop["readers"]
                form = {"at": at, "who": who, "session": more["session"], "blind": blind}
                words = more["words"]
                loop["forms"].append({**form, "words": words, "wanted": set(words)})
            case "amend":
                (form,) = (f for f in loop["forms"] if f["at"] == more["position"])
                form["words"] = more["words"]
                form["blind"] = form["blind"] and who not in loop["readers"]
            case "view":
                loop["readers"].add(who)
            case _:
                _later(loop, step, at)


def _later(loop: Dict, step: Step, at: int) -> None:
    more = step.more
    match step.what:
        case "debrief" if not more["ends"]:
            loop["dissent"] = False
        case "dissent":
            loop["dissent"] = True
        case "stage":
            loop["stages"].append((more["outcome"], more["knock_out"] is not None))
        case "gate":
            loop["gate"] = at
        case "recommend":
            loop["recommended"].append((at, more["recommend"]))
        case "exception":
            loop["excepted"].append((more["policy"], step.who, more["subject"]))
        case "decide":
            loop["decided"] = loop["in_force"] = more["decision"]
        case "reverse":
            loop["decided"] = loop["in_force"] = None
        case "observe":
            loop["in_force"] = more["decision"]
        case "withdraw":
            loop["withdrawn"] = True
        case "close":
            loop["closed"] = True
        case "reopen":
            loop["closed"] = loop["withdrawn"] = False
        case _:
            pass


def _opened(at: int) -> Dict:
    return {
        "sessions": {},
        "evidence": {at},
        "moved": 0,
        "related": {},
        "planned": (0, set()),
        "called_off": set(),
        "reported": {},
        "attended": {},
        "seen_in": set(),
        "forms": [],
        "readers": set(),
        "dissent": False,
        "stages": [],
        "gate": 0,
        "recommended": [],
        "excepted": [],
        "decided": None,
        "in_force": None,
        "withdrawn": False,
        "closed": False,
    }
