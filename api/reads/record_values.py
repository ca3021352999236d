"""The words in somebody's record: which are shown to them, which are withheld, and why."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from api.pages.telling.say_evidence import reason
from api.pages.telling.teller import Teller
from api.reading import Known
from domain import facts as f
from domain.values import ORGANISATION, SELF_IDENTIFICATION
from ledger.group import Group
from ledger.personal.vault import Erased
from ledger.personal.withholding import Guarded, corrected, guarded
from ledger.proof.disclosure import Place, places

Why = Literal["others", "comparison", "legal", "matter", "organisation", "self_identification"]
_WHY: Final[dict[Why, tuple[str, str]]] = {
    "others": ("Words about somebody else.", "They are that person's own data."),
    "comparison": (
        "Reasons that compare with other candidates.",
        "They say something about the others too.",
    ),
    "legal": ("Reasons that tell what lawyers advised.", "Legal advice is privileged."),
    "matter": (
        "What a legal hold is about, and why it was released.",
        "What lawyers advised is privileged.",
    ),
    "organisation": (
        "What the organisation noted of its own acts, such as the legal basis of an erasure.",
        "It is its own account of its acts. It may speak of you, and an erasure does not reach it.",
    ),
    "self_identification": (
        "Your answers about yourself, such as sex or ethnicity.",
        "They are sealed under a key of their own and only counted; nobody opens them one by one.",
    ),
}
_NAMES: Final = (
    "The names of those who interviewed, decided or read; they are told by what they did.",
    "Names are those people's own data.",
)
_REFEREES: Final = (
    "Who gave a reference, and how they know you.",
    "It is the referee's own data, given in confidence.",
)
_WHOLE_LOG: Final = (
    "Reading that was about nobody in particular: pages and exports of the whole log.",
    "Each is recorded by what it reached from and to, under who read it, not under who was in it.",
)
_KEEPING: Final = (
    "How the log keeps each entry: by which key and request it came, tags, and digests of facts.",
    "They say nothing about you that is not told here.",
)
_GUARDED: Final[dict[Guarded, Why]] = {"legal": "legal", "comparative": "comparison"}


class Value(Struct, frozen=True, kw_only=True):
    """Words in a record, or why they are not there."""

    label: str
    words: str | None
    state: Literal["shown", "erased", "withheld"]
    why: Annotated[Why | None, Meta(description="Why it is withheld; see `withheld`.")] = None


class Withheld(Struct, frozen=True, kw_only=True):
    """Something that is held and not told here, and why."""

    what: str
    why: str
    positions: tuple[int, ...] = ()


class Values:
    """The personal values in these facts, as they may be shown to the person they are about."""

    def __init__(self, candidate: str, known: Iterable[Known], group: Group) -> None:
        self._candidate = candidate
        self._known = {k.row.position: (k, places(k.row.leaf)) for k in known}
        digests = {p.digest for _, found in self._known.values() for p in found}
        vault, cur = group.store.vault, group.cur
        self._owners = vault.owners(cur, digests)
        own = {
            place.digest
            for one, found in self._known.values()
            for place in found
            if place.digest in self._owners and self._why(one.fact, place) is None
        }
        opened = vault.open(cur, own)
        self.shown = {digest: w for digest, w in opened.items() if not isinstance(w, Erased)}

    def of(self, known: Known, teller: Teller) -> tuple[Value, ...]:
        """The values in one fact, in its order."""
        _, found = self._known[known.row.position]
        return tuple(self._value(known.fact, place, teller) for place in found)

    def withheld(self, *, holds: bool) -> tuple[Withheld, ...]:
        """What is not told, each kind once with the positions where it stands."""
        at: dict[Why, list[int]] = {"matter": []} if holds else {}
        references: list[int] = []
        for position, (known, found) in sorted(self._known.items()):
            standing = [place for place in found if place.digest in self._owners]
            for why in _WHY:
                if any(self._why(known.fact, place) == why for place in standing):
                    at.setdefault(why, []).append(position)
            if isinstance(known.fact, f.ReferenceRecorded):
                references.append(position)
        told = [Withheld(what=_NAMES[0], why=_NAMES[1])]
        if references:
            told.append(Withheld(what=_REFEREES[0], why=_REFEREES[1], positions=tuple(references)))
        told += [
            Withheld(what=what, why=reason, positions=tuple(at[why]))
            for why, (what, reason) in _WHY.items()
            if why in at
        ]
        return (*told, *(Withheld(what=what, why=why) for what, why in (_WHOLE_LOG, _KEEPING)))

    def _value(self, fact: f.AnyFact, place: Place, teller: Teller) -> Value:
        label = label_of(fact, place.pointer, teller)
        if place.digest not in self._owners:
            return Value(label=label, words=None, state="erased")
        why = self._why(fact, place)
        if why is not None:
            return Value(label=label, words=None, state="withheld", why=why)
        return Value(label=label, words=self.shown[place.digest], state="shown")

    def _why(self, fact: f.AnyFact, place: Place) -> Why | None:
        """Why a value that stands is not shown; None for the person's own."""
        owner = self._owners[place.digest]
        if owner.startswith(SELF_IDENTIFICATION):
            return "self_identification"
        if isinstance(fact, f.HoldPlaced | f.HoldReleased):
            return "matter"
        if owner != self._candidate:
            return "organisation" if owner == ORGANISATION else "others"
        # A correction says again what it corrects: it is kept where any of that is.
        about = corrected(fact, self._fact_at) if isinstance(fact, f.FactCorrected) else fact
        kept = guarded(fact, place.pointer, self._fact_at)
        return next((why for kind, why in _GUARDED.items() if kind in kept), None) or (
            "others" if _about_others(fact, about) else None
        )

    def _fact_at(self, position: int) -> f.AnyFact | None:
        known = self._known.get(position)
        return known[0].fact if known else None


def _about_others(fact: f.AnyFact, about: f.AnyFact | None) -> bool:
    """Whether words that go with the candidate are about somebody else, or may be.

    About the person whom an exception is for; about who did what, in an imported event. `about` is
    what a correction corrects: it may be about whom a reference is from or an interviewer replaced.
    """
    match about:
        case f.ExceptionGranted(subject=whom) | f.RecordImported(resource=whom):
            return whom is not None
        case f.InterviewerReplaced() | f.ReferenceRecorded() | None:
            return isinstance(fact, f.FactCorrected)
        case _:
            return False


def label_of(fact: f.AnyFact, pointer: str, teller: Teller) -> str:
    """What a value is: the field's name, with the competency, probe or reason that it is about."""
    *_, last = pointer.split("/")
    field = last.replace("_", " ")
    match fact:
        case f.FeedbackSubmitted(ratings=parts) | f.FeedbackAmended(ratings=parts):
            number = _numbered(pointer, "ratings")
            return field if number is None else f"{parts[number].competency}: {field}"
        case f.ReferenceRecorded(themes=parts):
            number = _numbered(pointer, "themes")
            return field if number is None else f"{parts[number].competency}: {field}"
        case f.SessionCompleted(probes=probes):
            number = _numbered(pointer, "probes")
            return field if number is None else f"{probes[number].id}: {field}"
        case f.RecordImported(attributes=attributes):
            number = _numbered(pointer, "attributes")
            return field if number is None else attributes[number].name
        case f.PortfolioItemLinked() if pointer == "/consent/text":
            return "consent"
        case _:
            number = _numbered(pointer, "reasons")
            reasons: tuple[f.Reason, ...] = getattr(fact, "reasons", ())
            return field if number is None else f"reason: {reason(reasons[number], teller)}"


def _numbered(pointer: str, field: str) -> int | None:
    """Which of a field's parts a pointer leads into, as `/reasons/2/text` does."""
    parts = pointer.split("/")
    return int(parts[2]) if len(parts) > 2 and parts[1] == field and parts[2].isdigit() else None
