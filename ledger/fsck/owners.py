"""Whose value stands behind a digest: by it, erased is told from missing.

The leaf does not say it, because the type of a fact does: a candidate's in a loop's facts, with the
exceptions below. A test compares this with what recording a whole season sealed under whose key.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from domain import facts as f
from domain import tags
from domain.codec import types_of
from domain.values import ORGANISATION, SELF_IDENTIFICATION
from ledger.fsck.facts import readable
from ledger.fsck.pages import Rows

LOOPS_REMEMBERED: Final = 50_000

_OPENING: Final = """
select leaf, tags from {}.facts where position = (
    select min(position) from {}.fact_tags where tag = %s and type = any(%s)
)
"""
_TYPE: Final = "select type from {}.facts where position = %s"
_OF_THE_ORGANISATION: Final = types_of(f.HoldPlaced, f.HoldReleased, f.SubjectErased)
# Three witnesses, so that a change of one does not make everyone else's absence look wrong too:
# each difference between them is found where it stands.
_ERASURES: Final = """
select position, leaf, tags from {}.facts
where type like 'subject-erased.%%'
   or position in (select position from {}.fact_tags where type like 'subject-erased.%%')
order by position
"""


class Owners:
    """Knows the candidate of every loop, and who was erased."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._candidates: OrderedDict[str, str | None] = OrderedDict()
        self.erased = _erased(rows)
        """Handle of the person to position of the (last) erasure."""

    def opened(self, fact: f.AnyFact) -> None:
        """Remembers the candidate of a loop that a fact opens."""
        if isinstance(fact, f.LoopOpened):
            self._remember(fact.loop, fact.candidate)

    def of(self, fact: f.AnyFact, pointer: str) -> str:
        """Under whose name the value at `pointer` of this fact was sealed."""
        match fact:
            case f.RecordImported():
                about = pointer.startswith("/attributes/")
                return SELF_IDENTIFICATION + fact.case if about else fact.case
            case f.SelfIdentificationRecorded():
                return SELF_IDENTIFICATION + fact.candidate
            case f.InterviewerReplaced():
                return fact.replaced
            case f.PersonRegistered():
                return fact.person
            case f.HoldPlaced() | f.HoldReleased():
                return tags.only_candidate(fact.stamp.tags) or ORGANISATION
            case f.SubjectErased():
                return ORGANISATION
            case f.FactCorrected():
                return self._of_corrected(fact)
            case f.LoopOpened():
                return fact.candidate
            case _:
                loop = getattr(fact, "loop", None)
                return (self.candidate(loop) or loop) if isinstance(loop, str) else ORGANISATION

    def candidate(self, loop: str) -> str | None:
        """Whose loop it is; None for an imported case."""
        if loop in self._candidates:
            self._candidates.move_to_end(loop)
            return self._candidates[loop]
        found = self._rows.all(_OPENING, tags.loop(loop), list(types_of(f.LoopOpened)))
        leaf, about = found[0] if found else (b"", ())
        opening = readable(leaf)
        if isinstance(opening, f.LoopOpened):
            return self._remember(loop, opening.candidate)
        # No opening: an imported case. An unreadable one is told of; its tags say whose loop it is.
        return self._remember(loop, next(candidates(about), None))

    def gone(self, subject: str, position: int = 0) -> bool:
        """Whether everything sealed for this subject up to the position was erased since."""
        return self.erased.get(subject.removeprefix(SELF_IDENTIFICATION), -1) > position

    def _remember(self, loop: str, candidate: str | None) -> str | None:
        self._candidates[loop] = candidate
        if len(self._candidates) > LOOPS_REMEMBERED:
            self._candidates.popitem(last=False)
        return candidate

    def _of_corrected(self, fact: f.FactCorrected) -> str:
        """Whose words a correction is: of whom the corrected fact is about."""
        ((type_,),) = self._rows.all(_TYPE, fact.of) or [("",)]
        if type_ in _OF_THE_ORGANISATION:
            return ORGANISATION
        named = {kind: handle for kind, _, handle in (t.partition(":") for t in fact.stamp.tags)}
        if "self-identification" in named:
            return SELF_IDENTIFICATION + named["self-identification"]
        if "loop" in named and (candidate := self.candidate(named["loop"])) is not None:
            return candidate
        return named.get("candidate") or named.get("loop") or named.get("person") or ORGANISATION


def _erased(rows: Rows) -> dict[str, int]:
    found: dict[str, int] = {}
    for position, leaf, about in rows.stream(_ERASURES):
        fact = readable(leaf)
        if isinstance(fact, f.SubjectErased):
            found[fact.candidate] = position
        for handle in candidates(about):
            found[handle] = position
    return found


def candidates(about: Iterable[object]) -> Iterator[str]:
    """The candidates that tags name; an array of anything else names none."""
    for tag in about:
        kind, _, handle = tag.partition(":") if isinstance(tag, str) else ("", "", "")
        if kind == "candidate":
            yield handle
