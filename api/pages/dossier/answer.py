"""The answer first: who was considered for what, what was decided, when, by whom, on what."""

from collections.abc import Iterator

from api.pages.telling.say_decision import of_whom
from api.pages.telling.say_rubric import ref
from api.pages.telling.teller import CANDIDATE, Teller
from api.pages.telling.terms import DECISION, TIMES, VERDICT, counted, listed, spaced
from api.pages.telling.told import opened_with_capital
from domain import facts as f
from domain.facts.evidence import Recommend
from domain.state import At
from ledger.proof.checked import Decided

Made = At[Decided]


def answer(t: Teller, made: Made) -> tuple[str, ...]:
    """The whole story in one paragraph, sentence by sentence."""
    sentences = (
        _considered(t),
        _decided(t, made),
        _before(t, made),
        _recommended(t, made),
        _witnessed(t, made),
        _judged(made),
        _tried(t, made),
        _against(t, made),
    )
    return tuple(opened_with_capital(one) for one in sentences if one)


def in_role(t: Teller, handle: str) -> str:
    """`, as decision maker` behind a name; who is told by the role needs it no second time."""
    known = t.people.get(handle)
    if known is None or not known.named:
        return ""
    if not known.capacities:
        return ", in a role that this record does not name"
    return f", as {known.capacities[0]}"


def _considered(t: Teller) -> str:
    if t.opened is None:
        return ""
    content = t.requisition
    title = f"“{content.title}”" if content else "a position"
    where = f" at {content.legal_entity}" if content and content.legal_entity else ""
    return f"{t.candidate} was considered for {title}{where}."


def _decided(t: Teller, made: Made) -> str:
    stamp = made.fact.stamp
    role = in_role(t, stamp.by)
    whom = "them" if t.candidate == CANDIDATE else t.candidate
    return (
        f"On {t.when(stamp.at).local}, {t.by(stamp)}{role}{',' if role else ''}"
        f" {outcome(made.fact, whom)}."
    )


def outcome(fact: Decided, whom: str) -> str:
    """`decided to hire them`, `rejected them at the stage “screening”`."""
    if isinstance(fact, f.StageDecided):
        return f"rejected {whom} at the stage “{spaced(fact.stage)}”"
    return f"decided {DECISION[fact.decision]} {whom}"


def _tried(t: Teller, made: Made) -> str:
    """How often the rules refused before what was decided in the end, or the gate to it."""
    tried = (
        ("the evidence gate", t.of(f.EvidenceGateRefused)),
        ("a decision at a stage", t.of(f.StageDecisionRefused)),
        ("a decision to hire or not to hire", t.of(f.DecisionRefused)),
    )
    refused = [
        f"{what} {TIMES.get(number, f'{number} times')} ({nos})"
        for what, several in tried
        if (number := sum(one.position < made.position for one in several))
        for nos in [listed([f"No. {one.position}" for one in several])]
    ]
    return f"Before it, the rules had refused {listed(refused)}." if refused else ""


def _before(t: Teller, made: Made) -> str:
    """What had been decided before: taken back, or made elsewhere without these rules."""
    earlier = [
        f"{DECISION[one.fact.decision]} (No. {one.position})"
        for one in t.of(f.DecisionMade)
        if one.position < made.position
    ]
    elsewhere = [one for one in t.of(f.DecisionObserved) if one.position < made.position]
    told = f"An earlier decision {listed(earlier)} had been taken back." if earlier else ""
    outside = (
        f"Before, a decision {DECISION[elsewhere[-1].fact.decision]} that was made elsewhere,"
        f" without these rules, had been observed (No. {elsewhere[-1].position})."
        if elsewhere
        else ""
    )
    return " ".join(one for one in (told, outside) if one)


def _recommended(t: Teller, made: Made) -> str:
    if isinstance(made.fact, f.StageDecided):
        return ""
    advice: list[Recommend] = [
        one.fact.recommend
        for one in t.of(f.RecommendationRecorded)
        if one.position in made.fact.recommendations
    ]
    if not advice:
        return "The decision cites no recommendation of the panel."
    last = advice[-1]
    first = f", after it had first recommended {DECISION[advice[0]]}" if advice[0] != last else ""
    verdict = "follows" if last == made.fact.decision else "goes against"
    return f"The panel recommended {DECISION[last]}{first}: the decision {verdict} it."


def _witnessed(t: Teller, made: Made) -> str:
    if t.opened is None:
        return ""
    gate = t.at(made.fact.gate) if isinstance(made.fact, f.DecisionMade) else None
    if isinstance(made.fact, f.StageDecided):
        return _written(t, t.opened.fact)
    if not isinstance(gate, f.EvidenceGatePassed):
        return ""
    counting = sum(one.counts for one in gate.witnesses)
    pins = t.opened.fact
    return (
        f"It rests on written evidence by {counted(len(gate.witnesses), 'person', 'people')},"
        f" {of_whom(counting, len(gate.witnesses))} counted as independent, rated on the scorecard"
        f" {ref(pins.scorecard)}, and was judged under the set of rules {ref(pins.policy_set)}."
    )


def _written(t: Teller, pins: f.LoopOpened) -> str:
    """A rejection at a stage rests on no gate, which would have counted who was independent."""
    authors = {one.fact.author for one in t.of(f.FeedbackSubmitted)}
    wrote = counted(len(authors), "person", "people") if authors else "nobody"
    return (
        f"By then {wrote} had written feedback on the scorecard {ref(pins.scorecard)}. The"
        f" rejection was judged under the set of rules {ref(pins.policy_set)}. A rejection at a"
        " stage rests on no evidence gate."
    )


def _judged(made: Made) -> str:
    receipts = made.fact.judged.receipts
    if not receipts:
        return "No rule judged the decision."
    if all(receipt.verdict == "passed" for receipt in receipts):
        return f"The decision passed {counted(len(receipts), 'rule')}, all that judged it."
    outcome = listed(
        [
            f"{sum(receipt.verdict == verdict for receipt in receipts)} {words}"
            for verdict, words in VERDICT.items()
            if any(receipt.verdict == verdict for receipt in receipts)
        ]
    )
    return f"Of {counted(len(receipts), 'rule')} that judged the decision, {outcome}."


def _against(t: Teller, made: Made) -> str:
    dissents = [one for one in t.of(f.DissentRecorded) if one.position < made.position]
    exceptions = [one for one in t.of(f.ExceptionGranted) if one.position < made.position]
    people = len({one.fact.author for one in dissents})
    disagreed = (
        f"{counted(people, 'person', 'people')} disagreed in the debate"
        if people
        else "Nobody's dissent is recorded"
    )
    number = counted(len(exceptions), "exception")
    granted = "were granted" if len(exceptions) > 1 else "was granted"
    return f"{disagreed}, and {number} from the rules {granted}."


def key_facts(t: Teller, made: Made) -> Iterator[tuple[str, str]]:
    """The answer as a table: term and value."""
    stamp, fact = made.fact.stamp, made.fact
    when, known = t.when(stamp.at), t.when(stamp.recorded)
    yield "Candidate", t.candidate
    if t.requisition is not None:
        yield "Position", t.requisition.title
    if isinstance(fact, f.StageDecided):
        yield "Decision", f"To reject at the stage “{spaced(fact.stage)}”"
    else:
        yield "Decision", {"hire": "To hire", "no_hire": "Not to hire"}[fact.decision]
    yield "Decided by", f"{t.by(stamp)}{in_role(t, stamp.by)}"
    yield "Decided at", f"{when.local}; {when.utc}"
    yield "Recorded at", f"{known.local}; {known.utc}"
    if t.opened is not None:
        pins = t.opened.fact
        yield "Scorecard", ref(pins.scorecard)
        yield "Posting", ref(pins.posting)
        yield "Set of rules", ref(pins.policy_set)
    yield "Rests on", f"{counted(fact.basis.count, 'fact')} of the log up to No. {fact.basis.upto}"
