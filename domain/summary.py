"""A loop in a few words: where it stands. The read model and the API say it the same way."""

from typing import Literal

from domain import facts as f
from domain.state import At, Loop

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
    if decision_of(loop) is not None:
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


def decision_of(loop: Loop) -> At[f.DecisionMade] | At[f.DecisionObserved] | None:
    """The decision in force: made here, or observed elsewhere since; a reversal ends both."""
    made = loop.decision
    since = loop.reversals[-1].position if loop.reversals else 0
    since = max(since, made.position if made is not None else 0)
    observed = loop.observed[-1] if loop.observed else None
    return observed if observed is not None and observed.position > since else made
