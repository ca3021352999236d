"""Request keys: one row for each request that recorded anything, and its facts commit to it."""

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple

from ledger.counted import counted
from ledger.first_start import FIRST_REQUEST
from ledger.fsck.facts import Seen
from ledger.fsck.pages import Rows
from ledger.fsck.report import Findings
from ledger.personal.keyring import KeyRing
from ledger.requests import Requests, cause_of

# What one request recorded has neighbouring positions, so both sides are read in one order.
_ROWS: Final = """
select key_hmac, body_hmac, cause,
       case when array_ndims(positions) = 1 then positions else array[]::bigint[] end
from {}.requests order by positions[1] nulls first, cause
"""
_CURE: Final = (
    "The facts carry the request's id: restore the row of `requests` with that `cause` from a "
    "backup. Until then the same request, sent again, may be recorded again."
)


class _Row(NamedTuple):
    key_hmac: bytes
    body_hmac: bytes
    cause: str
    positions: list[int | None]


class RequestCheck:
    """Follows the facts in order, and beside them the rows of `requests`."""

    def __init__(self, rows: Rows, keyring: KeyRing, findings: Findings) -> None:
        self._findings = findings
        self._keyring = keyring
        self._rows = (_Row(*row) for row in rows.stream(_ROWS))
        self._next: _Row | None = None
        self._cause: str | None = None
        self._run: list[int] = []
        self._unknown: set[int] = set()
        self._bound = False
        self._random = 0
        self._first_cause = Requests(keyring, rows.schema).cause(FIRST_REQUEST)
        self._advance()

    def see(self, seen: Seen) -> None:
        """The next fact of the log."""
        if seen.fact is None:
            # Whose it was is not to be read any more; that it is damaged is said elsewhere.
            self._unknown.add(seen.position)
        elif seen.fact.stamp.cause == self._cause:
            self._run.append(seen.position)
        else:
            self._settle()
            self._cause, self._run = seen.fact.stamp.cause, [seen.position]
            # Where the first request ever has an id made of its row, all others have.
            self._bound = self._bound or (seen.position == 1 and self._cause == self._first_cause)

    def missing(self, first: int, last: int) -> None:
        """These positions are not in the log, which is said elsewhere."""
        self._unknown.update(range(first, min(last, first + 1_000) + 1))

    def end(self) -> None:
        """No more facts."""
        self._settle()
        for row in chain([self._next] if self._next else [], self._rows):
            self._stray(row)
        if self._random:
            self._findings.notes.append(
                f"Recorded before the ids of requests committed to their rows: "
                f"{counted(self._random, 'request')}, of which key and body cannot be checked."
            )

    def _advance(self) -> None:
        self._next = next(self._rows, None)
        self._findings.rows["requests"] += self._next is not None

    def _settle(self) -> None:
        """The facts of one request are known: compares them with the row that names them."""
        if self._cause is None:
            return
        first = self._run[0]
        while self._next is not None and (begin := self._begin(self._next)) < first:
            self._stray(self._next, begin)
            self._advance()
        if self._next is None or self._begin(self._next) > first:
            self._findings.add(
                "requests",
                "No row tells which request recorded this.",
                _CURE,
                position=first,
                upto=self._run[-1],
            )
            return
        self._compare(self._next)
        self._advance()
        self._unknown = {one for one in self._unknown if one > first}

    def _begin(self, row: _Row) -> int:
        """The first position of a row that a fact can be compared at."""
        known = [one for one in row.positions if one is not None and one not in self._unknown]
        return min(known, default=-1)

    def _compare(self, row: _Row) -> None:
        known = [one for one in row.positions if one not in self._unknown]
        what = ""
        if row.cause != self._cause:
            what = "The row of the request has another id than its facts."
        elif known != self._run:
            what = "The row of the request names other positions than carry its id."
        elif row.cause == cause_of(self._keyring, row.key_hmac, row.body_hmac):
            self._bound = True
        elif self._bound:
            what = "The HMACs of key and body are not those that the request's id commits to."
        else:
            self._random += 1
        if what:
            self._findings.add("requests", what, _CURE, position=self._run[0], upto=self._run[-1])

    def _stray(self, row: _Row, begin: int | None = None) -> None:
        """A row for which no run of facts is there."""
        positions: Sequence[int | None] = row.positions
        if positions and all(one in self._unknown for one in positions):
            return
        begin = self._begin(row) if begin is None else begin
        self._findings.add(
            "requests",
            "A row names positions whose facts are not of its request.",
            "No fact carries its id there: remove the row, or restore it from a backup.",
            position=begin if begin > 0 else None,
            row="a row of `requests`",
        )
