"""Steps to take: any that can be thought of, sensible and senseless, and the natural next one.

`pick` chooses from a sequence: hypothesis's draw, or a seeded random's choice.
"""

from collections.abc import Callable, Sequence
from typing import Any

from loop_model import COMPETENCIES, ROLES, Dict, Step
from loop_model_later import CORE, Model

Pick = Callable[[Sequence[Any]], Any]

LOOPS = (1, 2, 3)
EVERYONE = tuple(ROLES)
STAFF = tuple(who for who in ROLES if who != "ghost")
RULES = (
    *("recommendation-first", "reasons-for-going-against", "every-competency-evidenced"),
    *("decider-is-not-the-only-evidence", "screening-by-posted-criteria", "no-such-rule"),
    *sorted(CORE),
)
DISPOSITIONS = ("hired", "rejected", "withdrawn", "filled", "cancelled", "knock_out")


def _session(name: str, stage: str, competencies: Sequence[str], *who: str) -> Dict:
    prompts = [(f"{competency}-talk", 1) for competency in competencies]
    return {
        "id": name,
        "stage": stage,
        "competencies": list(competencies),
        "prompts": prompts,
        "who": list(who),
    }


FIRST = _session("first", "onsite", ("evals", "failures"), "ivan")
SECOND = _session("second", "onsite", ("tradeoffs", "shipping"), "inga")
PLANS: tuple[list[Dict], ...] = (
    [FIRST, SECOND],
    [FIRST, SECOND],
    [FIRST, {**SECOND, "who": ["dora"]}],
    [_session("screen", "screening", ("evals",), "olga"), FIRST, SECOND],
    [_session("panel", "onsite", tuple(sorted(COMPETENCIES)), "ivan", "inga")],
    [{**FIRST, "prompts": FIRST["prompts"][:1]}, SECOND],
    [FIRST, FIRST],
    [{**FIRST, "competencies": ["charm"]}, SECOND],
    [FIRST, {**SECOND, "prompts": [("tradeoffs-talk", 7)]}],
)


def natural(model: Model, number: int, pick: Pick) -> Step:
    """What comes next in a loop where everyone does as they should."""
    loop = model.loops.get(number)
    if loop is None:
        return Step("open", "hana", number, {"scorecard": 1, "posting": 1})
    if not loop["sessions"]:
        return Step("plan", "hana", number, {"plan": pick(PLANS[:5])})
    written = {(form["session"], form["who"]) for form in loop["forms"]}
    for name, session in loop["sessions"].items():
        for who in session["who"]:
            if (name, who) in written:
                continue
            if name not in loop["reported"]:
                told = {"session": name, "attendees": [who], "prompts": session["prompts"]}
                return Step("complete", who, number, told)
            words = dict.fromkeys(session["competencies"], 12)
            more = {"session": name, "words": words, "rating": 4}
            return Step("feedback", who, number, more)
    cites = [form["at"] for form in loop["forms"]]
    if not loop["gate"] or loop["moved"] > loop["gate"]:
        return Step("gate", "hana", number, {})
    if not any(at > loop["gate"] for at, _ in loop["recommended"]):
        said = {"recommend": pick(("hire", "hire", "no_hire")), "cites": cites}
        return Step("recommend", "hana", number, said)
    if not loop["decided"]:
        made = loop["recommended"][-1][1]
        decided = {"decision": made, "reasons": ["competency"], "cites": cites}
        return Step("decide", "dora", number, decided)
    if not loop["closed"] and pick((True, False)):
        return Step("reverse", "dora", number, {"cites": cites})
    if not loop["closed"]:
        ends = {"hire": "hired", "no_hire": "rejected"}[loop["in_force"]]
        return Step("close", "dora", number, {"disposition": ends})
    return Step("reopen", "dora", number, {})


def unsettling(model: Model, pick: Pick) -> Step:
    """Something that makes a passed gate stale, then a decision on it all the same."""
    over = ("decided", "closed", "withdrawn")
    open_ones = [
        number
        for number, loop in sorted(model.loops.items())
        if loop["gate"] and not any(loop[state] for state in over)
    ]
    if not open_ones:
        return any_step(model, pick)
    number = pick(open_ones)
    loop = model.loops[number]
    cites = [form["at"] for form in loop["forms"]]
    if loop["moved"] > loop["gate"]:
        if pick((True, False)):
            return Step("recommend", "hana", number, {"recommend": "hire", "cites": cites})
        decided = {"decision": "hire", "reasons": ["override"], "cites": cites}
        return Step("decide", "dora", number, decided)
    form = pick(loop["forms"])
    match pick(("relationship", "amend", "plan")):
        case "relationship":
            kind = {"relationship": pick(("none", "alumni", "family"))}
            return Step("relationship", form["who"], number, kind)
        case "amend":
            words = dict.fromkeys(sorted(form["wanted"]), 12)
            change = {"position": form["at"], "words": words, "rating": 3}
            return Step("amend", form["who"], number, change)
        case _:
            return Step("plan", "hana", number, {"plan": pick(PLANS[:5])})


def any_step(model: Model, pick: Pick) -> Step:
    """Anybody asks for anything, in a loop that may not be there."""
    usual = (_of_opening, _of_evidence, _of_debate, _of_decision, _of_closing)
    kind = pick((*usual, _of_privacy))
    number = pick(LOOPS)
    loop = model.loops.get(number, {})
    step: Step = kind(number, loop, pick, model.head)
    if step.what not in ("view", "requisition") and pick(range(30)) == 0:
        return step._replace(more={**step.more, "ahead": True})
    return step


def _who(pick: Pick, *likely: str) -> str:
    """Mostly one of those who may; now and then anybody."""
    name: str = pick(EVERYONE) if pick(range(5)) == 0 else pick(likely)
    return name


def _sessions(loop: Dict, pick: Pick) -> tuple[str, Dict]:
    known = loop.get("sessions") or {"first": FIRST}
    name = "never-planned" if pick(range(12)) == 0 else pick(sorted(known))
    return name, known.get(name, FIRST)


def _cites(loop: Dict, pick: Pick, head: int) -> list[int]:
    """Mostly evidence of the loop; now and then some other fact, or none at all."""
    known = sorted(loop.get("evidence", ())) or [1]
    if pick(range(12)) == 0:
        return [pick((1, max(1, head), head + 5))]
    forms = [form["at"] for form in loop.get("forms", ())]
    cites: list[int] = pick(([], known[-1:], known[-3:], forms))
    return cites


def _of_opening(number: int, _: Dict, pick: Pick, __: int) -> Step:
    match pick(("open", "plan", "plan", "notice", "relationship", "requisition")):
        case "open":
            pins = {"scorecard": pick((1, 1, 1, 2, 9)), "posting": pick((1, 1, 1, 1, 9))}
            return Step("open", _who(pick, "hana"), number, pins)
        case "plan":
            return Step("plan", _who(pick, "hana"), number, {"plan": pick(PLANS)})
        case "notice":
            return Step("notice", _who(pick, "hana"), number, {})
        case "relationship":
            kind = pick(("none", "none", "alumni", "family", "referrer"))
            return Step("relationship", _who(pick, *STAFF), number, {"relationship": kind})
        case _:
            status = pick(("open", "open", "open", "filled", "cancelled"))
            return Step("requisition", _who(pick, "hana"), number, {"status": status})


def _of_evidence(number: int, loop: Dict, pick: Pick, _: int) -> Step:
    name, session = _sessions(loop, pick)
    people = session["who"]
    match pick(("complete", "cancel", "replace", "feedback", "feedback", "amend", "view")):
        case "complete":
            given = pick((session["prompts"], session["prompts"], [("evals-talk", 1)]))
            given = [("evals-talk", 8)] if pick(range(12)) == 0 else given
            attendees = pick((people[:1], people, ["olga"]))
            told = {"session": name, "attendees": attendees, "prompts": given}
            return Step("complete", _who(pick, "hana", *people), number, told)
        case "cancel":
            return Step("cancel", _who(pick, "hana", *people), number, {"session": name})
        case "replace":
            swap = {"session": name, "from": _who(pick, *people), "to": pick(("olga", "hana"))}
            swap["from"] = "ivan" if swap["from"] == "ghost" else swap["from"]
            return Step("replace", _who(pick, "hana"), number, swap)
        case "feedback":
            more = {"session": name, **_ratings(session["competencies"], pick)}
            return Step("feedback", _who(pick, *people), number, more)
        case "amend":
            forms = loop.get("forms") or [{"at": 1, "who": "ivan", "words": {"evals": 9}}]
            form = pick(forms)
            at = 1 if pick(range(12)) == 0 else form["at"]
            more = {"position": at, **_ratings(sorted(form["words"]), pick)}
            return Step("amend", _who(pick, form["who"]), number, more)
        case _:
            seen = [form["at"] for form in loop.get("forms", ())] or [1]
            return Step("view", pick(STAFF), number, {"viewed": pick((seen[:1], seen))})


def _ratings(competencies: Sequence[str], pick: Pick) -> Dict:
    """Words of evidence by competency (None: not observed), and the rating given to each."""
    words: Dict = dict.fromkeys(competencies, 12)
    match pick(range(10)):
        case 0:
            words = dict.fromkeys(words, 2)
        case 1:
            words = {**words, competencies[0]: None}
        case 2:
            words = {**words, "charm": 12}
        case 3:
            words = dict(list(words.items())[1:]) or {"charm": 12}
        case _:
            pass
    return {"words": words, "rating": 9 if pick(range(12)) == 0 else pick((2, 4))}


def _of_debate(number: int, loop: Dict, pick: Pick, head: int) -> Step:
    cites = _cites(loop, pick, head)
    match pick(("statement", "dissent", "debrief", "stage", "stage")):
        case "statement":
            return Step("statement", _who(pick, "hana", "ivan", "dora"), number, {"cites": cites})
        case "dissent":
            return Step("dissent", _who(pick, "hana", "inga", "dora"), number, {"cites": cites})
        case "debrief":
            ends = {"ends": pick((None, "none", "recorded"))}
            return Step("debrief", _who(pick, "hana"), number, ends)
        case _:
            more = {
                "stage": pick(("screening", "onsite")),
                "outcome": pick(("advance", "reject")),
                "knock_out": pick((None, None, "permit", "degree")),
                "cites": cites,
            }
            return Step("stage", _who(pick, "hana"), number, more)


def _of_decision(number: int, loop: Dict, pick: Pick, head: int) -> Step:
    cites = _cites(loop, pick, head)
    match pick(("gate", "recommend", "exception", "requisition_exception", "decide", "decide")):
        case "gate":
            return Step("gate", _who(pick, "hana"), number, {})
        case "recommend":
            said = {"recommend": pick(("hire", "no_hire")), "cites": cites}
            return Step("recommend", _who(pick, "hana"), number, said)
        case "exception" | "requisition_exception" as what:
            terms = {
                "policy": pick(RULES),
                "subject": pick((None, "hana", "dora")),
                "expired": pick(range(8)) == 0,
            }
            return Step(what, _who(pick, "hana", "theo", "petra"), number, terms)
        case _:
            made = {
                "decision": pick(("hire", "no_hire")),
                "reasons": pick((["competency"], ["competency", "override"])),
                "cites": cites,
            }
            return Step("decide", _who(pick, "dora"), number, made)


def _of_closing(number: int, loop: Dict, pick: Pick, head: int) -> Step:
    match pick(("reverse", "observe", "offer", "withdraw", "close", "close", "reopen", "correct")):
        case "reverse":
            cites = _cites(loop, pick, head)
            return Step("reverse", _who(pick, "dora"), number, {"cites": cites})
        case "observe":
            seen = {"decision": pick(("hire", "no_hire")), "sourced": pick(range(6)) > 0}
            return Step("observe", _who(pick, "dora"), number, seen)
        case "offer" | "withdraw" as what:
            return Step(what, _who(pick, "hana"), number, {})
        case "close":
            ends = {"disposition": pick(DISPOSITIONS)}
            return Step("close", _who(pick, "hana", "dora"), number, ends)
        case "reopen":
            return Step("reopen", _who(pick, "dora"), number, {})
        case _:
            at = {"position": pick((1, max(1, head), head + 3))}
            return Step("correct", _who(pick, "udo"), number, at)


def _of_privacy(number: int, _: Dict, pick: Pick, __: int) -> Step:
    what = pick((*("erase",) * 6, "hold", "release", "release"))
    more = {} if what == "erase" else {"hold": pick((1, 2))}
    return Step(what, _who(pick, "paul"), number, more)
