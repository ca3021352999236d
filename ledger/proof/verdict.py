"""What a verifier says: ten named steps, each passed, failed, or left out for a stated reason."""

from collections.abc import Callable, Sequence
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
    """All ten steps in order. A dossier is accepted when none failed.

    `as_recorded` are the positions of facts of the file whose verdicts could not be judged again:
    they are as the ledger recorded them.
    """

    steps: tuple[Step, ...]
    as_recorded: tuple[int, ...] = ()

    @property
    def failed(self) -> Step | None:
        """The first step that failed; those after it were not reached."""
        return next((step for step in self.steps if step.outcome == "failed"), None)

    @property
    def accepted(self) -> bool:
        """Whether everything that was checked holds."""
        return self.failed is None


def verdict_of(checks: Sequence[Callable[[], str]]) -> Verdict:
    """Takes the steps in order: each says what it found, or raises how it ended otherwise.

    After the first that failed the rest are not reached. Whatever a check raises is a failure:
    a verifier that breaks on a file has not accepted it.
    """
    steps: list[Step] = []
    failed = 0
    for number, (name, check) in enumerate(zip(STEP_NAMES, checks, strict=True), 1):
        if failed:
            step = Step(number, name, "not reached", f"step {failed} failed")
        else:
            step = Step(number, name, *_taken(check))
        steps.append(step)
        failed = failed or (number if step.outcome == "failed" else 0)
    return Verdict(tuple(steps))


def _taken(check: Callable[[], str]) -> tuple[Outcome, str]:
    try:
        return "passed", check()
    except StepFailed as error:
        return "failed", str(error)
    except LeftOut as error:
        return error.outcome, str(error)
    except Exception as error:  # noqa: BLE001  (whatever bytes bring about is a reason to refuse)
        return "failed", f"This step could not be completed ({type(error).__name__})."
