"""The domain's and the ledger's refusals as problems: one table from code to problem."""

from typing import Final

from api.problems import Code, FieldError, Problem
from domain.refusals import Refusal, RefusedByRule
from ledger.asked import Unavailable

_CODES: Final[dict[str, Code]] = {
    "refused": "refused",
    "forbidden": "forbidden",
    "feedback-owed": "feedback-owed",
    "not-found": "not-found",
    "exists": "exists",
    "meaningless": "meaningless",
    "idempotency-key-reused": "idempotency-key-reused",
}


def problem_of_refusal(refusal: Refusal) -> Problem:
    """The problem that tells a refusal: its words are the ledger's own and repeat no input."""
    said = refusal.detail[0].upper() + refusal.detail[1:] + "."
    errors = () if refusal.pointer is None else (FieldError(refusal.pointer, said),)
    extra = {"findings": refusal.findings} if isinstance(refusal, RefusedByRule) else None
    return Problem(_CODES[refusal.code], said, errors=errors, extra=extra)


def problem_of_outage(error: Unavailable) -> Problem:
    """503, in the ledger's own words: whether anything was recorded, and what to do."""
    said = str(error)
    return Problem("unavailable", said[0].upper() + said[1:] + ".")
