"""The two lists of the blind rule hold every fact of a loop, each in one of them."""

from domain import facts as f
from domain import tags
from domain.codec import ALL_FACTS, Recorded, type_of
from golden import every_fact
from ledger.blind_rule import HARMLESS, OPINIONS, told_to_the_blind

# Of a loop by its tag alone: the erasure carries one for each loop that the person had.
BY_TAG = {f.SubjectErased}
NAMES_LOOPS = {"loop", "loops", "case"}


def of_a_loop(fact: f.AnyFact) -> bool:
    """Whether it names a loop or is found by one."""
    tagged = any(tag.startswith(tags.loop("")) for tag in fact.stamp.tags)
    return tagged or not NAMES_LOOPS.isdisjoint(fact.__struct_fields__)


def test_every_fact_of_a_loop_is_an_opinion_or_harmless() -> None:
    """A new fact of a loop fails here until somebody says which it is; nothing is in both lists."""
    theirs = {type(fact) for fact in every_fact() if of_a_loop(fact)} | BY_TAG
    classified = [*OPINIONS, *HARMLESS]
    assert sorted(kind.__name__ for kind in classified) == sorted(kind.__name__ for kind in theirs)


def test_all_that_says_how_it_was_decided_is_an_opinion() -> None:
    """A decision, an offer, an explanation, a closing and an outcome: each tells it as well."""
    tells = {"decision", "outcome", "disposition", "dissent", "recommend", "status", "witnesses"}
    loops = {kind for kind in ALL_FACTS if not NAMES_LOOPS.isdisjoint(kind.__struct_fields__)}
    telling = {kind for kind in loops if not tells.isdisjoint(kind.__struct_fields__)}
    assert {f.DecisionObserved, f.OfferRecorded, f.DebriefClosed} <= telling
    assert telling <= set(OPINIONS)


def test_the_blind_are_told_the_harmless_facts_alone() -> None:
    """What state is made of then has no opinion in it."""
    known = [Recorded(position, fact) for position, fact in enumerate(every_fact(), 1)]
    told = {type_of(one.fact) for one in told_to_the_blind(known)}
    assert told.isdisjoint(type_of(kind) for kind in OPINIONS)
    assert {type_of(kind) for kind in HARMLESS} <= told
