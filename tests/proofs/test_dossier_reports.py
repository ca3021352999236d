"""A ledger that signs what nobody could have recorded is found out, whatever its rules then said.

Each log here is told by the domain and judged by the rules, but for one kind of fact, which is
changed before it is sealed: gate and decision are then judged, truly, on a lie.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from dossiers import NOW, VKEY, as_file, dossier_of
from ledger.proof.asked_again import REPORTS
from ledger.proof.verify import verify
from policies import _sample as sample
from policies._examples import EVIDENCE
from policies._sample import IRIS, JUNO
from told_log import ONSITE, ToldLog, few_rules, few_settings, installed

GHOST: Final = sample.handle("p", "somebody nobody knows")

Lie = Callable[[f.AnyFact], f.AnyFact]


class LyingLog(ToldLog):
    """A log that seals another fact than the one that was decided on."""

    def __init__(self, lie: Lie) -> None:
        super().__init__(few_rules(), seed=2)
        self._lie = lie

    def happened(self, fact: f.AnyFact) -> "LyingLog":
        """What is recorded is the lie."""
        return super().happened(self._lie(fact))


def ready(
    lie: Lie, *, read: bool = False, evidence: str = EVIDENCE, planned: c.SessionSpec = ONSITE
) -> ToldLog:
    """A loop of two sessions with one rule excepted, ready for the gate."""
    log = LyingLog(lie)
    log.staffed().rubric(*few_settings()).approved("hiring_manager", "tech_lead", "partner")
    log.opened().planned(sample.SCREEN, planned).disclosed(IRIS).disclosed(JUNO)
    log.held("screen").wrote(IRIS, "screen", evidence)
    if read:
        log.read(JUNO)
    log.advanced("screening").held("onsite", prompts=ONSITE.prompts).wrote(JUNO, "onsite")
    return log.excepted("feedback-on-time")


def told(lie: Lie, *, read: bool = False, amended: bool = False) -> ToldLog:
    """That loop, with one form amended or none, and its decision."""
    log = ready(lie, read=read)
    if amended:
        log.amended(JUNO)
    return log.passed_gate().recommended().decided()


def reason_against(log: ToldLog) -> str | None:
    """Why step 9 refuses the log's dossier; None where it is accepted."""
    verdict = verify(as_file(dossier_of(log)), (VKEY,), None, installed(), now=NOW)
    failed = verdict.failed
    assert failed is None or failed.number == 9, failed
    return failed.reason if failed else None


def nothing(fact: f.AnyFact) -> f.AnyFact:
    """The honest log."""
    return fact


def by(person: str, *kinds: type[f.Fact]) -> Lie:
    """Facts of these kinds are said to have been recorded by somebody."""

    def lie(fact: f.AnyFact) -> f.AnyFact:
        if not isinstance(fact, kinds):
            return fact
        return replace(fact, stamp=replace(fact.stamp, by=person))

    return lie


def ghost_instead_of_juno(fact: f.AnyFact) -> f.AnyFact:
    """A second interviewer who was never registered, planned or there."""
    match fact:
        case f.FeedbackSubmitted(author=author) | f.FeedbackAmended(author=author):
            return by(GHOST, type(fact))(replace(fact, author=GHOST)) if author == JUNO else fact
        case f.RelationshipDisclosed(person=person):
            return by(GHOST, type(fact))(replace(fact, person=GHOST)) if person == JUNO else fact
        case _:
            return fact


def signed_for_a_ghost(fact: f.AnyFact) -> f.AnyFact:
    """The words of one interviewer, filed as somebody else's."""
    if isinstance(fact, f.FeedbackSubmitted) and fact.author == JUNO:
        return replace(fact, author=GHOST)
    return fact


def disclosed_for_another(fact: f.AnyFact) -> f.AnyFact:
    """Somebody says of somebody else that they do not know the candidate."""
    if isinstance(fact, f.RelationshipDisclosed) and fact.person == JUNO:
        return replace(fact, stamp=replace(fact.stamp, by=IRIS))
    return fact


def held_in_a_year(fact: f.AnyFact) -> f.AnyFact:
    """A session that lies ahead of its own report."""
    if not isinstance(fact, f.SessionCompleted):
        return fact
    later = timedelta(days=300)
    return replace(fact, started_at=fact.started_at + later, ended_at=fact.ended_at + later)


def said_to_be_blind(fact: f.AnyFact) -> f.AnyFact:
    """Whoever had read another's form is said to have written without."""
    if isinstance(fact, f.FeedbackSubmitted | f.FeedbackAmended):
        return replace(fact, independence="blind")
    return fact


def rated_twice(fact: f.AnyFact) -> f.AnyFact:
    """One competency stands twice in one form."""
    if isinstance(fact, f.FeedbackSubmitted):
        return replace(fact, ratings=(*fact.ratings, fact.ratings[0]))
    return fact


LIES = {
    "nobody of the second interviewer's name": ghost_instead_of_juno,
    "one interviewer's words filed as a ghost's": signed_for_a_ghost,
    "every form in one hand": by(IRIS, f.FeedbackSubmitted),
    "forms that wrote themselves": by("system", f.FeedbackSubmitted),
    "a relationship disclosed by another": disclosed_for_another,
    "sessions reported by a stranger": by(GHOST, f.SessionCompleted),
    "a session that is yet to come": held_in_a_year,
    "an exception that nobody granted": by("system", f.ExceptionGranted),
    "an exception by who wrote the evidence": by(IRIS, f.ExceptionGranted),
    "a competency rated twice": rated_twice,
}


def test_an_honest_log_is_accepted() -> None:
    """Amended, excepted, advanced: all of it is what the domain makes of what was asked."""
    assert reason_against(told(nothing, amended=True)) is None


@pytest.mark.parametrize("words", [4_001, 10_000])
def test_as_many_words_as_a_text_can_hold_are_asked_for_again(words: int) -> None:
    """Figures are words too: ten thousand of one digit are a text that anybody may send."""
    log = ready(nothing, evidence=",".join(["7"] * words))
    assert reason_against(log.passed_gate().recommended().decided()) is None


def test_a_statement_stands_when_the_plan_of_its_time_does_not() -> None:
    """Its prompts were in what it was read with; the decision rests on the plan that followed."""
    other = replace(ONSITE, prompts=(sample.ref("shipping-dispute"), *ONSITE.prompts))
    log = ready(nothing, planned=other)
    log.said(IRIS, "It held on every slice.").planned(sample.SCREEN, ONSITE)
    assert reason_against(log.passed_gate().recommended().decided()) is None


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_report_that_nobody_could_have_made_is_refused(lie: Lie) -> None:
    """The rules judged it as it stands; the domain would never have let it stand."""
    assert reason_against(told(lie)) is not None


def test_a_form_that_another_than_its_author_amended_is_refused() -> None:
    """Whoever wrote it answers for it, and nobody else changes it."""
    assert reason_against(told(by(IRIS, f.FeedbackAmended), amended=True)) is not None


def test_independence_is_worked_out_again_from_who_read_what() -> None:
    """The basis asks for what interviewers read, so that it cannot be left out."""
    reason = reason_against(told(said_to_be_blind, read=True))
    assert reason is not None
    assert "is not what this request makes of the facts before it" in reason


def test_every_report_of_a_loop_that_somebody_can_ask_for_is_asked_for_again() -> None:
    """A new kind of loop fact is in the table, or judged with its own basis, or not of today."""
    elsewhere = {
        f.LoopOpened,
        f.LoopPlanned,
        f.RecommendationRecorded,
        f.ExceptionGranted,
        f.StageDecided,
        f.StageDecisionRefused,
        f.EvidenceGatePassed,
        f.EvidenceGateRefused,
        f.DecisionMade,
        f.DecisionRefused,
    }
    noted_or_without_a_request = {f.FeedbackViewed, f.PortfolioItemLinked, f.ExplanationIssued}
    loop_facts = set(f.LoopFact.__args__) | {f.OutcomeRecorded}
    assert set(REPORTS) == loop_facts - elsewhere - noted_or_without_a_request
