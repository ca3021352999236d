"""What was found: each problem with its place and its cure, and how much was looked at."""

from bisect import insort
from collections import Counter
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

Check = Literal[
    "schema",
    "facts",
    "tags",
    "tree",
    "checkpoints",
    "requests",
    "values",
    "aliases",
    "keys",
    "basis",
]
CHECKS_OF_ROWS: Final[tuple[Check, ...]] = (
    "facts", "tags", "tree", "checkpoints", "requests", "values", "aliases", "keys",
)  # fmt: skip
CHECKS: Final[tuple[Check, ...]] = ("schema", *CHECKS_OF_ROWS, "basis")
PROBLEMS_SHOWN: Final = 100
Progress = Callable[[int, int], object]
"""Hears how much was looked at, and of how much."""

_NOWHERE: Final = 2**63


def unheard(_done: int, _of: int) -> None:
    """Progress that nobody listens to."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is not as it was recorded; names rows by position or handle, quotes none."""

    check: Check
    position: int | None = None
    """Of the fact that is wrong, or that the wrong row belongs to; the first of several."""
    upto: int | None = None
    """The last of several, where it cannot be told which of them."""
    row: str | None = None
    """Which row, where a position does not say it: its table and key."""
    said: str
    cure: str

    @property
    def place(self) -> str:
        """Where it is, for people."""
        where: list[str] = []
        if self.position is not None:
            last = "" if self.upto in (None, self.position) else f" to {self.upto}"
            where.append(f"position{'s' if last else ''} {self.position}{last}")
        if self.row is not None:
            where.append(self.row)
        return ", ".join(where) or "the schema"


class Report(Struct, frozen=True, kw_only=True):
    """The outcome of one run."""

    ledger: str
    """The ledger's schema."""
    facts: int
    """How many there were when it began; all rows were looked at as of that moment."""
    root: str
    """base64 of the RFC 6962 root over them, recomputed from the leaves."""
    rows: dict[str, int]
    """How many rows of each table were looked at."""
    found: dict[Check, int]
    """How many problems each check found; checks that were not made are not in it."""
    problems: tuple[Problem, ...]
    """The first of them by position, then those without one; at most as many as were asked for."""
    notes: tuple[str, ...] = ()
    """What could not be checked, and why."""

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not any(self.found.values())


class Findings:
    """Collects problems in bounded memory: all are counted, the first by position are kept."""

    def __init__(self, limit: int = PROBLEMS_SHOWN) -> None:
        self._limit = limit
        self._kept: list[tuple[int, int, Problem]] = []
        self._number = 0
        self._found: dict[Check, int] = {}
        self.rows: Counter[str] = Counter()
        self.notes: list[str] = []

    def begin(self, *checks: Check) -> None:
        """These checks are made; one that finds nothing is counted with 0."""
        self._found.update({check: self._found.get(check, 0) for check in checks})

    def add(
        self,
        check: Check,
        said: str,
        cure: str,
        *,
        position: int | None = None,
        upto: int | None = None,
        row: str | None = None,
    ) -> None:
        """One problem; see `Problem`."""
        self._found[check] = self._found.get(check, 0) + 1
        self._number += 1
        place = _NOWHERE if position is None else position
        full = len(self._kept) >= self._limit
        if full and self._kept and place >= self._kept[-1][0]:
            return
        problem = Problem(check=check, position=position, upto=upto, row=row, said=said, cure=cure)
        insort(self._kept, (place, self._number, problem), key=_order)
        del self._kept[self._limit :]

    def counted(self, check: Check, more: int) -> None:
        """So many further problems that are not told one by one."""
        self._found[check] = self._found.get(check, 0) + more

    def report(self, ledger: str, facts: int, root: str) -> Report:
        """The outcome."""
        return Report(
            ledger=ledger,
            facts=facts,
            root=root,
            rows=dict(self.rows),
            found={check: self._found[check] for check in CHECKS if check in self._found},
            problems=tuple(problem for _, _, problem in self._kept),
            notes=tuple(self.notes),
        )


def _order(kept: tuple[int, int, Problem]) -> tuple[int, int]:
    return kept[:2]
