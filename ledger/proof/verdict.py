"""What a verifier says: ten named steps, each passed, failed, or left out for a stated reason."""

from typing import Final, Literal

from msgspec import Struct

Outcome = Literal["passed", "failed", "not applicable", "not checked", "not reached"]

STEP_NAMES: Final = (
    "shape and limits",
    "checkpoint",
    "inclusion",
    "decision",
    "basis",
    "order",
    "disclosures",
    "pinned versions",
    "replay",
    "timestamps",
)


class StepFailed(Exception):
    """A step found what must not be; the message says what, and quotes no personal value."""


class LeftOut(Exception):
    """A step has nothing to look at, or was not given what it needs; the message says which."""

    def __init__(self, outcome: Literal["not applicable", "not checked"], reason: str) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome


class Step(Struct, frozen=True):
    """One step: its number from 1, its name, how it ended, and what was found."""

    number: int
    name: str
    outcome: Outcome
    reason: str


class Verdict(Struct, frozen=True):
    """All ten steps in order. A dossier is accepted when none failed."""

    steps: tuple[Step, ...]

    @property
    def failed(self) -> Step | None:
        """The first step that failed; those after it were not reached."""
        return next((step for step in self.steps if step.outcome == "failed"), None)

    @property
    def accepted(self) -> bool:
        """Whether everything that was checked holds."""
        return self.failed is None
