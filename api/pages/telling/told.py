"""What the page says about one fact: a sentence, and what goes with it."""

from typing import Literal

from msgspec import Struct

from api.pages.telling.teller import Said
from domain.findings import Finding

Weight = Literal["plain", "key", "dissent", "exception", "refusal"]


class Told(Struct, frozen=True, kw_only=True):
    """One fact in plain words.

    Attributes:
        sentence: a whole sentence, or several, without personal values other than names.
        points: further details, a line each.
        said: the personal values in the fact, in its order.
        cites: positions of the facts that it rests on.
        findings: what rules found about it.
        weight: what it means for the reader: most facts are plain.
    """

    sentence: str
    points: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    cites: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()
    weight: Weight = "plain"


def opened_with_capital(sentence: str) -> str:
    """A sentence that begins with "the ..." begins in capitals; a name stays as it is."""
    first = sentence.partition(" ")[0]
    return sentence[0].upper() + sentence[1:] if first in _OURS else sentence


_OURS = {"the", "a", "interviewer", "person", "decision", "hiring", "tech", "partner", "nobody"}
