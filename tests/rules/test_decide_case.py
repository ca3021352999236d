"""What a rule is shown of a case: loop, requisition, scorecard and posting, or an error of ours."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import facts as f
from domain.case import Case, Intent, Moment, Report
from domain.codec import Recorded
from domain.evolve import fold

FACTS: tuple[f.AnyFact, ...] = (
    s.REQUISITION_OPENED,
    s.SCORECARD_VERSIONED,
    s.POSTING_VERSIONED,
    s.LOOP_OPENED,
)
WORLD = fold(Recorded(position, fact) for position, fact in enumerate(FACTS, 1))
OTHER_CARD = replace(s.SCORECARD_VERSIONED, content=replace(s.CARD_CONTENT, title="Another"))


def case_of(draft: Intent | Report, moment: Moment) -> Case:
    """A case about the draft."""
    return Case(moment=moment, draft=draft, world=WORLD, now=s.NOW)


def test_a_case_about_a_loop_shows_what_the_loop_pinned() -> None:
    """Whatever was written since, a loop is judged by what it pinned."""
    case = case_of(later.DECISION_MADE, "decide")
    assert case.loop is WORLD.loops[s.LOOP]
    assert case.requisition is WORLD.requisitions[s.REQUISITION]
    assert case.scorecard == s.CARD_CONTENT
    assert case.posting == s.POSTING_CONTENT


def test_a_case_about_opening_a_loop_shows_what_it_would_pin() -> None:
    """The loop is not there yet; its rubric is."""
    opening = replace(s.LOOP_OPENED, loop=s.OTHER_LOOP)
    case = case_of(opening, "open")
    assert case.requisition is WORLD.requisitions[s.REQUISITION]
    assert case.scorecard == s.CARD_CONTENT
    assert case.posting == s.POSTING_CONTENT
    with pytest.raises(LookupError, match="about no recorded loop"):
        _ = case.loop


def test_a_case_about_a_scorecard_shows_the_one_under_judgement() -> None:
    """It is judged before anyone pins it, and belongs to no loop."""
    case = case_of(OTHER_CARD, "adopt")
    assert case.scorecard.title == "Another"
    with pytest.raises(LookupError, match="about no recorded loop"):
        _ = case.loop


def test_a_case_about_a_posting_shows_its_requisition() -> None:
    """A posting is written for one."""
    case = case_of(s.POSTING_VERSIONED, "adopt")
    assert case.requisition is WORLD.requisitions[s.REQUISITION]


@pytest.mark.parametrize("pinned", ["scorecard", "posting"])
def test_a_pinned_version_that_was_not_read_is_our_mistake(pinned: str) -> None:
    """A rule never judges by half of what it needs."""
    unread = replace(s.LOOP_OPENED, **{pinned: replace(s.CARD, id="unread")})
    case = case_of(unread, "open")
    with pytest.raises(LookupError, match=f"the pinned {pinned} is outside what was read"):
        getattr(case, pinned)
