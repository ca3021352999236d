"""Sentences about the decision: debate, gate, recommendation, decision, and what followed."""

from typing import assert_never

from api.pages.telling.say_evidence import reasons
from api.pages.telling.teller import Teller
from api.pages.telling.terms import DECISION, DISPOSITION, OFFER, WHY_NOT, counted, spaced
from api.pages.telling.told import Told
from domain import facts as f

Debates = f.DebriefOpened | f.DebriefStatementRecorded | f.DissentRecorded | f.DebriefClosed
Decisions = f.DecisionMade | f.DecisionRefused | f.DecisionObserved | f.DecisionReversed
Gates = f.EvidenceGatePassed | f.EvidenceGateRefused
Endings = (
    f.OfferRecorded | f.CandidateWithdrew | f.ExplanationIssued | f.LoopClosed | f.LoopReopened
)


def say_decision(fact: f.DecisionFact, t: Teller) -> Told:
    """A fact of the decision in plain words."""
    match fact:
        case (
            f.DebriefOpened() | f.DebriefStatementRecorded() | f.DissentRecorded()
            | f.DebriefClosed()
        ):  # fmt: skip
            return _debate(fact, t)
        case f.EvidenceGatePassed() | f.EvidenceGateRefused():
            return _gate(fact, t)
        case f.RecommendationRecorded():
            return Told(
                sentence=f"{t.by(fact.stamp)} recorded the panel's recommendation"
                f" {DECISION[fact.recommend]}, resting on the evidence gate No. {fact.gate}.",
                said=(t.said("Reason", fact.reason),),
                cites=(fact.gate, *fact.cites),
                findings=fact.judged.findings,
                weight="key",
            )
        case f.ExceptionGranted():
            return exception(fact, t)
        case f.DecisionMade() | f.DecisionRefused() | f.DecisionObserved() | f.DecisionReversed():
            return _decision(fact, t)
        case (
            f.OfferRecorded() | f.CandidateWithdrew() | f.ExplanationIssued() | f.LoopClosed()
            | f.LoopReopened()
        ):  # fmt: skip
            return _ending(fact, t)
        case _:
            assert_never(fact)


def _debate(fact: Debates, t: Teller) -> Told:
    match fact:
        case f.DebriefOpened():
            return Told(sentence="The panel met to debate the evidence.")
        case f.DebriefStatementRecorded():
            return Told(
                sentence=f"{t.who(fact.author)} argued in the debate.",
                said=(t.said("Statement", fact.text),),
                cites=fact.cites,
                findings=fact.findings,
            )
        case f.DissentRecorded():
            return Told(
                sentence=f"{t.who(fact.author)} disagreed, and it was written down.",
                said=(t.said("Dissent", fact.text),),
                cites=fact.cites,
                weight="dissent",
            )
        case f.DebriefClosed():
            outcome = "with dissent" if fact.dissent == "recorded" else "without dissent"
            return Told(sentence=f"The debate ended, {outcome}.")
        case _:
            assert_never(fact)


def _gate(fact: Gates, t: Teller) -> Told:
    counting = [one for one in fact.witnesses if one.counts]
    passed = isinstance(fact, f.EvidenceGatePassed)
    heard = (
        f"{counted(len(fact.witnesses), 'person', 'people')} had written,"
        f" {of_whom(len(counting), len(fact.witnesses))} counted as independent"
    )
    return Told(
        sentence=f"The evidence gate was passed: {heard}."
        if passed
        else f"{t.by(fact.stamp)} asked whether there was enough evidence, and the rules"
        f" refused the gate: {heard}.",
        points=tuple(f"{t.who(one.person)} {witness(one)}" for one in fact.witnesses),
        cites=tuple(position for one in fact.witnesses for position in one.feedback),
        findings=fact.judged.findings,
        weight="key" if passed else "refusal",
    )


def of_whom(some: int, number: int) -> str:
    """`all of whom`, `of whom none`, `of whom 2`."""
    if some == number:
        return "all of whom" if number > 1 else "who"
    return f"of whom {some or 'none'}"


def witness(one: f.Witness) -> str:
    """Whether someone counted as independent, and why not."""
    if one.counts:
        return "counted as independent"
    why = WHY_NOT.get(one.why_not, spaced(one.why_not)) if one.why_not else "for no reason given"
    return f"did not count: {why}"


def exception(fact: f.ExceptionGranted, t: Teller) -> Told:
    """An exception with everything that limits it."""
    scope = f"the requisition “{spaced(fact.requisition)}”" if fact.requisition else "this loop"
    whose = f", as far as {t.who(fact.subject)} is concerned" if fact.subject else ""
    control = fact.compensating_control
    return Told(
        sentence=f"{t.by(fact.stamp)} granted an exception from the rule"
        f" “{spaced(fact.policy)}” for {scope}{whose}, until {t.when(fact.expires_at).local}.",
        points=() if control else ("No compensating control was recorded.",),
        said=(
            t.said("Reason", fact.reason),
            *((t.said("Compensating control", control),) if control else ()),
        ),
        weight="exception",
    )


def _decision(fact: Decisions, t: Teller) -> Told:
    by = t.by(fact.stamp)
    match fact:
        case f.DecisionMade():
            return Told(
                sentence=f"{by} decided {DECISION[fact.decision]}.",
                said=reasons(fact.reasons, t),
                cites=(fact.gate, *fact.recommendations, *fact.cites),
                findings=fact.judged.findings,
                weight="key",
            )
        case f.DecisionRefused():
            return Told(
                sentence=f"{by} tried to decide {DECISION[fact.decision]}, and the rules refused"
                " it.",
                said=reasons(fact.reasons, t),
                cites=fact.cites,
                findings=fact.judged.findings,
                weight="refusal",
            )
        case f.DecisionObserved():
            return Told(
                sentence=f"A decision {DECISION[fact.decision]} that had been made elsewhere,"
                " without these rules, was observed.",
                weight="refusal",
            )
        case f.DecisionReversed():
            return Told(
                sentence=f"{by} took back the decision No. {fact.reverses}.",
                said=(t.said("Reason", fact.reason),),
                cites=(fact.reverses, *fact.cites),
                weight="key",
            )
        case _:
            assert_never(fact)


def _ending(fact: Endings, t: Teller) -> Told:
    by = t.by(fact.stamp)
    match fact:
        case f.OfferRecorded():
            return Told(sentence=OFFER[fact.status])
        case f.CandidateWithdrew():
            return Told(
                sentence=f"The candidate withdrew ({spaced(fact.code)}).",
                said=t.maybe("Reason", fact.reason),
                weight="key",
            )
        case f.ExplanationIssued():
            return Told(
                sentence=f"{by} told the candidate why, with"
                f" {counted(len(fact.reasons), 'reason')}.",
                said=reasons(fact.reasons, t),
            )
        case f.LoopClosed():
            return Told(
                sentence=f"The loop was closed: {DISPOSITION[fact.disposition]}.",
                said=t.maybe("Reason", fact.reason),
                weight="key",
            )
        case f.LoopReopened():
            return Told(
                sentence=f"{by} took the closed loop up again.",
                said=(t.said("Reason", fact.reason),),
            )
        case _:
            assert_never(fact)
