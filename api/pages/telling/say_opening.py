"""Sentences about the opening of a loop: what was pinned, planned, promised and disclosed."""

from typing import assert_never

from api.pages.telling.say_rubric import ref, refs
from api.pages.telling.teller import Teller
from api.pages.telling.terms import PORTFOLIO, RELATIONSHIP, SESSION, counted, listed, spaced
from api.pages.telling.told import Told
from domain import facts as f


def say_opening(fact: f.OpeningFact, t: Teller) -> Told:
    """A fact of the opening in plain words."""
    by = t.by(fact.stamp)
    match fact:
        case f.LoopOpened():
            return _opened(fact, t)
        case f.LoopPlanned():
            return Told(
                sentence=f"{by} planned {counted(len(fact.sessions), 'session')}.",
                points=tuple(_planned(session, t) for session in fact.sessions),
                findings=fact.judged.findings,
            )
        case f.ProcessNoticeGiven():
            return Told(
                sentence=f"{by} told the candidate what to expect:"
                f" {counted(fact.rounds, 'round')}, attended by {t.all_of(fact.attendees)}, and a"
                f" decision by {t.when(fact.decide_by).local}."
            )
        case f.RelationshipDisclosed():
            return Told(
                sentence=f"{t.who(fact.person)} disclosed: {RELATIONSHIP[fact.relationship]}."
            )
        case f.PortfolioItemLinked():
            return Told(
                sentence=f"The candidate pointed to {PORTFOLIO[fact.kind]} for"
                f" {t.competency(fact.competency)} and on"
                f" {t.when(fact.consent.given_at).local} consented that it be looked at.",
                said=(
                    t.said("Title", fact.title),
                    *t.maybe("Address", fact.url),
                    t.said("Consent", fact.consent.text),
                ),
            )
        case _:
            assert_never(fact)


def _opened(fact: f.LoopOpened, t: Teller) -> Told:
    title = t.requisition.title if t.requisition else spaced(fact.requisition)
    return Told(
        sentence=f"{t.by(fact.stamp)} opened a loop for {t.candidate}, for “{title}”, and"
        " pinned what the candidate will be judged by.",
        points=(
            f"Scorecard: {ref(fact.scorecard)}",
            f"Posting: {ref(fact.posting)}",
            f"Set of rules: {ref(fact.policy_set)}",
        ),
        said=(*t.maybe("Name", fact.name), *t.maybe("E-mail address", fact.email)),
        findings=fact.judged.findings,
        weight="key",
    )


def _planned(session: f.PlannedSession, t: Teller) -> str:
    looked_for = listed([t.competency(one) for one in session.competencies]) or "no competency"
    return (
        f"“{spaced(session.id)}” (stage {spaced(session.stage)}): {SESSION[session.kind]} of"
        f" {session.minutes} minutes by {t.all_of(session.interviewers)} on {looked_for}, with"
        f" {refs(session.prompts)}"
    )
