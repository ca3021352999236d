"""What the ledger asks of others: one POST, one answer. How it travels is given from outside."""

from typing import NamedTuple, Protocol

from ledger.errors import LedgerError


class Unanswered(LedgerError):
    """Nobody answered in time, or not in a way that can be used; the message says what was."""


class Answer(NamedTuple):
    """What came back, whatever its status; redirects were not followed."""

    status: int
    content_type: str
    body: bytes


class Send(Protocol):
    """POSTs a body and waits for the whole answer; called from several threads at once."""

    def __call__(self, url: str, content_type: str, body: bytes, seconds_max: float, /) -> Answer:
        """The answer within `seconds_max` of wall-clock time, or `Unanswered`."""
        ...
