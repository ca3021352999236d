"""A loop in a few words: how far it has come, and what is decided."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import facts as f
from domain.codec import Recorded
from domain.evolve import fold
from domain.state import Loop
from domain.summary import STAGES, Stage, decision_of, stage_of


def loop_of(*facts: f.AnyFact) -> Loop:
    """The story's loop, opened at position 1, after these facts."""
    log = [s.LOOP_OPENED, *facts]
    return fold(Recorded(position, fact) for position, fact in enumerate(log, 1)).loops[s.LOOP]


GATED = (later.FEEDBACK_SUBMITTED, later.DEBRIEF_OPENED, later.GATE_PASSED)
RECOMMENDED = (*GATED, later.RECOMMENDED)
MADE = replace(later.DECISION_MADE, gate=4)
REVERSED = replace(later.DECISION_REVERSED, reverses=2)
OBSERVED = later.DECISION_OBSERVED


@pytest.mark.parametrize(
    ("stage", "facts"),
    [
        ("opened", ()),
        ("planned", (s.LOOP_PLANNED,)),
        ("interviewing", (s.LOOP_PLANNED, later.SESSION_COMPLETED)),
        ("interviewing", (s.LOOP_PLANNED, later.FEEDBACK_SUBMITTED)),
        ("debrief", (later.FEEDBACK_SUBMITTED, later.DEBRIEF_OPENED)),
        ("gate_passed", GATED),
        ("debrief", (*GATED, later.FEEDBACK_AMENDED)),
        ("recommended", RECOMMENDED),
        ("gate_passed", (*RECOMMENDED, later.GATE_PASSED)),
        ("decided", (*RECOMMENDED, MADE)),
        ("decided", (OBSERVED,)),
        ("opened", (MADE, REVERSED)),
        ("withdrawn", (*RECOMMENDED, MADE, later.WITHDREW)),
        ("closed", (later.WITHDREW, later.CLOSED)),
        ("opened", (later.WITHDREW, later.CLOSED, later.REOPENED)),
    ],
)
def test_a_loop_has_come_as_far_as_its_latest_step(
    stage: Stage, facts: tuple[f.AnyFact, ...]
) -> None:
    """A stale gate falls back, a withdrawal or closing outranks, a reopening takes up again."""
    assert stage_of(loop_of(*facts)) == stage
    assert stage in STAGES


@pytest.mark.parametrize(
    ("position", "facts"),
    [
        (None, ()),
        (2, (MADE,)),
        (2, (OBSERVED,)),
        (3, (MADE, OBSERVED)),
        (3, (OBSERVED, MADE)),
        (None, (MADE, REVERSED)),
        (None, (MADE, OBSERVED, REVERSED)),
        (4, (MADE, REVERSED, OBSERVED)),
        (4, (MADE, REVERSED, MADE)),
    ],
)
def test_the_decision_in_force_is_the_latest_made_or_observed(
    position: int | None, facts: tuple[f.AnyFact, ...]
) -> None:
    """A reversal ends both; what was decided elsewhere since is what happened."""
    decision = decision_of(loop_of(*facts))
    assert (decision.position if decision else None) == position
