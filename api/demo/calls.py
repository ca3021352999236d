"""What a story sends and what it hears: calls, answers, and stories as generators of calls."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeVar

RECORDER: Final = "recorder"
"""The name of the service's key, through which people act unless a call says otherwise."""

T = TypeVar("T")
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request of a story.

    Attributes:
        at: when it happens in the story; a write says so in its body.
        by: id of who acts, named to the ledger by the service; None: the key's own holder.
        key: name of the API key that it is sent with.
        expect: the status that the story needs; another one ends the demo.
    """

    path: str
    at: datetime
    body: Mapping[str, object] = field(default_factory=dict[str, object])
    by: str | None = None
    key: str = RECORDER
    method: Literal["GET", "POST"] = "POST"
    expect: int = 201


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the positions recorded (of a recorded refusal, its own), and the document."""

    status: int
    positions: tuple[int, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def position(self) -> int:
        """The first position recorded."""
        return self.positions[0]


# What a story yields at once is sent at once: several calls go as one batch.
Story = Generator[tuple[Call, ...], list[Answer], T]


def send(call: Call) -> Story[Answer]:
    """One call, and its answer."""
    answers = yield (call,)
    return answers[0]


def send_together(*calls: Call) -> Story[list[Answer]]:
    """Several calls in one batch; they happen at the same time."""
    return (yield calls) if calls else []


class Clock:
    """The time in a story; it only goes forward. All times are UTC."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def after(self, *, days: int = 0, hours: int = 0, minutes: int = 0) -> datetime:
        """Let time pass."""
        self.now += timedelta(days=days, hours=hours, minutes=minutes)
        return self.now

    def workday(self, days: int = 1, *, hour: int = 14) -> datetime:
        """The hour of a day, so many working days on."""
        day = self.now
        while days:
            day += timedelta(days=1)
            days -= day.weekday() < _SATURDAY
        self.now = max(self.now, day.replace(hour=hour, minute=0, second=0))
        return self.now
