"""A loop in a few words: where it stands. The read model and the API say it the same way."""

from typing import Literal

from domain.state import Loop

Stage = Literal[
    "opened",
    "planned",
    "interviewing",
    "debrief",
    "gate_passed",
    "recommended",
    "decided",
    "withdrawn",
    "closed",
]
STAGES: tuple[Stage, ...] = (
    "opened",
    "planned",
    "interviewing",
    "debrief",
    "gate_passed",
    "recommended",
    "decided",
    "withdrawn",
    "closed",
)


def stage_of(loop: Loop) -> Stage:
    """How far the loop has come; a withdrawal or a closing outranks everything else."""
    if loop.closed is not None:
        return "closed"
    if loop.withdrawn:
        return "withdrawn"
    if loop.decision is not None or _observed(loop):
        return "decided"
    gate = loop.gate
    if gate is not None and not loop.gate_stale:
        later = any(r.position > gate.position for r in loop.recommendations)
        return "recommended" if later else "gate_passed"
    if loop.debriefs:
        return "debrief"
    if loop.sessions or loop.feedback:
        return "interviewing"
    return "planned" if loop.plans else "opened"


def _observed(loop: Loop) -> bool:
    """Whether a decision made elsewhere is the latest word."""
    reversed_at = loop.reversals[-1].position if loop.reversals else 0
    return bool(loop.observed) and loop.observed[-1].position > reversed_at
