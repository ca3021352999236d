"""Sentences about the rubric: what was looked for, and by which rules."""

from typing import assert_never

from api.pages.telling.teller import Teller
from api.pages.telling.terms import CAPACITY, PROMPT, REQUISITION, SESSION, counted, listed, spaced
from api.pages.telling.told import Told
from domain import facts as f


def say_rubric(fact: f.RubricFact, t: Teller) -> Told:
    """A fact of the rubric in plain words."""
    by = t.by(fact.stamp)
    match fact:
        case f.RequisitionOpened() | f.RequisitionChanged() | f.RequisitionStandardSet():
            return _requisition(fact, t)
        case f.ScorecardVersioned() | f.ScorecardApproved() | f.ScorecardRetired():
            return _scorecard(fact, t)
        case f.PromptVersioned(content=content):
            told = f"{by} wrote version {fact.version} of the prompt “{spaced(fact.prompt)}”"
            return Told(
                sentence=f"{told}, a {PROMPT[content.kind]}.",
                points=(content.text,),
                findings=fact.judged.findings,
            )
        case f.PostingVersioned(content=content):
            return Told(
                sentence=f"{by} wrote version {fact.version} of the public posting"
                f" “{content.title}”, which tells candidates about"
                f" {counted(len(content.expectations), 'expectation')} and"
                f" {counted(len(content.knock_outs), 'requirement')}.",
                findings=fact.judged.findings,
            )
        case f.PolicySetAdopted():
            agreed = f", on the ground of “{fact.agreement}”" if fact.agreement else ""
            return Told(
                sentence=f"{by} adopted version {fact.version} of the set of rules"
                f" “{spaced(fact.policy_set)}”, which {_sets(len(fact.policies))}{agreed}."
            )
        case _:
            assert_never(fact)


def _sets(rules: int) -> str:
    """A set holds only what it sets: whoever reads "1 rule" must not think that it is the only."""
    if rules == 0:
        return "leaves every rule as it comes"
    return f"sets {counted(rules, 'rule')} and leaves every other as it comes"


def _requisition(
    fact: f.RequisitionOpened | f.RequisitionChanged | f.RequisitionStandardSet, t: Teller
) -> Told:
    by, named = t.by(fact.stamp), f"“{spaced(fact.requisition)}”"
    match fact:
        case f.RequisitionOpened(content=content):
            return Told(
                sentence=f"{by} opened the requisition “{content.title}”"
                f" ({counted(content.openings, 'opening')}) and named its hiring team.",
                points=(team(content.team, t),),
            )
        case f.RequisitionChanged(content=content):
            return Told(
                sentence=f"{by} changed the requisition “{content.title}”, which is now"
                f" {REQUISITION[fact.status]}.",
                points=(team(content.team, t),),
            )
        case f.RequisitionStandardSet():
            return Told(
                sentence="The first plan became the standard for every candidate of the"
                f" requisition {named}.",
                points=tuple(
                    f"{spaced(one.stage)}: {SESSION[one.kind]} of {one.minutes} minutes, with"
                    f" {refs(one.prompts)}"
                    for one in fact.sessions
                ),
            )
        case _:
            assert_never(fact)


def _scorecard(
    fact: f.ScorecardVersioned | f.ScorecardApproved | f.ScorecardRetired, t: Teller
) -> Told:
    by = t.by(fact.stamp)
    named = f"version {fact.version} of the scorecard “{spaced(fact.scorecard)}”"
    match fact:
        case f.ScorecardVersioned(content=content):
            derived = f", derived from {ref(fact.derived_from)}" if fact.derived_from else ""
            change = f", for the change “{spaced(fact.change)}”" if fact.change else ""
            return Told(
                sentence=f"{by} wrote {named}:"
                f" {counted(len(content.competencies), 'competency', 'competencies')}, rated from"
                f" {content.scale.min} to {content.scale.max}{derived}{change}.",
                findings=fact.judged.findings,
            )
        case f.ScorecardApproved():
            return Told(
                sentence=f"{by} approved {named}, as {CAPACITY[fact.capacity]} of the requisition"
                f" “{spaced(fact.requisition)}”.",
            )
        case f.ScorecardRetired():
            return Told(
                sentence=f"{by} retired {named}: it is not used for new loops.",
                points=(fact.reason,),
            )
        case _:
            assert_never(fact)


def team(named: f.Team, t: Teller) -> str:
    """Who hires, in one sentence."""
    return (
        f"Hiring manager: {t.who(named.hiring_manager)}. Tech lead: {t.who(named.tech_lead)}."
        f" Partner for {spaced(named.partner.function)}: {t.who(named.partner.person)}."
        f" Decision maker: {t.who(named.decision_maker)}."
    )


def ref(one: f.Ref) -> str:
    """`“rag design”, version 1`."""
    return f"“{spaced(one.id)}”, version {one.version}"


def refs(several: tuple[f.Ref, ...]) -> str:
    """Prompts given or planned: `the prompt “rag design”, version 1`, or `no prompt`."""
    if not several:
        return "no prompt"
    return f"the prompt{'s' if len(several) > 1 else ''} {listed([ref(one) for one in several])}"
