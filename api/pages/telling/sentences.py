"""Every fact as a sentence: where the vocabulary meets a reader who knows no software."""

from msgspec.structs import replace

from api.pages.telling.say_around import say_afterwards, say_outside, say_people
from api.pages.telling.say_decision import say_decision
from api.pages.telling.say_evidence import say_evidence
from api.pages.telling.say_opening import say_opening
from api.pages.telling.say_rubric import say_rubric
from api.pages.telling.teller import Teller
from api.pages.telling.told import Told, opened_with_capital
from domain import facts as f


def tell(fact: f.AnyFact, t: Teller) -> Told:
    """A fact of any kind in plain words; a new kind of fact is missing here until it has some."""
    told = _told(fact, t)
    return replace(
        told,
        sentence=opened_with_capital(told.sentence),
        points=tuple(opened_with_capital(point) for point in told.points),
    )


def _told(fact: f.AnyFact, t: Teller) -> Told:
    if isinstance(fact, f.RubricFact):
        return say_rubric(fact, t)
    if isinstance(fact, f.OpeningFact):
        return say_opening(fact, t)
    if isinstance(fact, f.EvidenceFact):
        return say_evidence(fact, t)
    if isinstance(fact, f.DecisionFact):
        return say_decision(fact, t)
    if isinstance(fact, f.AfterwardsFact):
        return say_afterwards(fact, t)
    if isinstance(fact, f.PeopleFact):
        return say_people(fact, t)
    return say_outside(fact, t)
