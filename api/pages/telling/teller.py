"""Who is who and what was said: the names and words that a dossier discloses, and no others.

People are told by their name where the dossier discloses it, else by what they were in this loop
("the hiring manager", "interviewer 2"). A personal value is shown where the dossier discloses it;
else the page says that it was erased or withheld, never what it may have been.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct

from api.pages.telling.moments import Moment, moment, zone_of
from api.pages.telling.terms import ROLE, listed, spaced
from domain import facts as f
from domain.codec import Recorded
from domain.state import At
from domain.values import SYSTEM, Digest

F = TypeVar("F", bound=f.Fact)

CANDIDATE: Final = "the candidate"
_PERSON: Final = re.compile(r'"(p_[a-z2-7]{26})"')
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # as BCP 47 spells them


class Said(Struct, frozen=True):
    """A personal value as the page shows it: its words, or why they are not there."""

    label: str
    text: str | None
    state: Literal["shown", "withheld", "erased"]
    lang: str | None = None
    kept: str | None = None
    """Why words of this kind stay in the house unless they are asked for."""


class Person(Struct, frozen=True):
    """Someone in this record: how the page calls them, and what they were."""

    handle: str
    label: str
    named: bool
    capacities: tuple[str, ...]


class Teller:
    """The facts of one dossier, and the words to tell them in.

    Args:
        facts: in position order.
        loop: the handle of the loop that is told.
        words: disclosed values by digest (the 43 characters).
        erased: digests of values that were destroyed, as far as whoever tells knows.
    """

    def __init__(
        self,
        facts: Sequence[Recorded],
        loop: str,
        words: Mapping[str, str],
        erased: Collection[str] = (),
    ) -> None:
        self.facts = tuple(facts)
        self.words = words
        self.erased = frozenset(erased)
        self.opened = next((o for o in self.of(f.LoopOpened) if o.fact.loop == loop), None)
        self.requisition = self._requisition()
        self.zone: tzinfo = zone_of(self.requisition.time_zone if self.requisition else "UTC")
        self.card = self._card()
        self.people = {person.handle: person for person in _people(self)}

    def of(self, *kinds: type[F]) -> list[At[F]]:
        """The facts of these kinds, in order."""
        return [At(one.position, one.fact) for one in self.facts if isinstance(one.fact, kinds)]

    def at(self, position: int) -> f.AnyFact | None:
        """The fact at a position, if the dossier holds it."""
        return next((one.fact for one in self.facts if one.position == position), None)

    # ------------------------------------------------------------ words

    def who(self, handle: str) -> str:
        """What the page calls a person."""
        if handle == SYSTEM:
            return "the ledger itself"
        known = self.people.get(handle)
        return known.label if known else handle

    def by(self, stamp: f.Stamp) -> str:
        """Who did what a fact says; a service that acted as itself is no person."""
        if stamp.by == SYSTEM and stamp.via != SYSTEM:
            return "a connected service"
        return self.who(stamp.by)

    def all_of(self, handles: Iterable[str]) -> str:
        """Several people: `Ana, Ben and interviewer 3`; `nobody` where there are none."""
        return listed([self.who(handle) for handle in handles]) or "nobody"

    @property
    def candidate(self) -> str:
        """The candidate's name where it is disclosed."""
        name = self.opened.fact.name if self.opened else None
        return self.words.get(name.sd, CANDIDATE) if name else CANDIDATE

    def said(self, label: str, value: Digest, *, lang: str | None = None) -> Said:
        """A personal value: its words, or that they are not there."""
        text = self.words.get(value.sd)
        if text is not None:
            known = lang is not None and _LANGUAGE.fullmatch(lang)
            return Said(label, text, "shown", lang if known else None)
        return Said(label, None, "erased" if value.sd in self.erased else "withheld")

    def maybe(self, label: str, value: Digest | None) -> tuple[Said, ...]:
        """`said`, for optional values: none or one."""
        return (self.said(label, value),) if value is not None else ()

    def when(self, time: datetime) -> Moment:
        """A time in the requisition's zone."""
        return moment(time, self.zone)

    def span(self, start: datetime, end: datetime) -> str:
        """From one time to another, the day said once where it is the same."""
        first, last = self.when(start).local, self.when(end).local
        day, _, time = last.partition(", ")
        return f"from {first} to {time if first.startswith(f'{day}, ') else last}"

    def competency(self, slug: str) -> str:
        """A competency's name, as the pinned scorecard has it."""
        known = next((c.name for c in self._competencies() if c.id == slug), None)
        return f"“{known or spaced(slug)}”"

    def observation(self, competency: str, code: str) -> f.Observation | None:
        """What the pinned scorecard means by the code of a behaviour, if it has it."""
        looked_for = (c.observations for c in self._competencies() if c.id == competency)
        return next((one for each in looked_for for one in each if one.code == code), None)

    def _competencies(self) -> tuple[f.Competency, ...]:
        return self.card.fact.content.competencies if self.card else ()

    # ------------------------------------------------------------ what the loop pinned

    def _requisition(self) -> f.RequisitionContent | None:
        if self.opened is None:
            return None
        wanted = self.opened.fact.requisition
        stated = [
            one.fact.content
            for one in self.facts
            if isinstance(one.fact, f.RequisitionOpened | f.RequisitionChanged)
            and one.fact.requisition == wanted
        ]
        return stated[-1] if stated else None

    def _card(self) -> At[f.ScorecardVersioned] | None:
        if self.opened is None:
            return None
        pinned = self.opened.fact.scorecard
        for one in self.of(f.ScorecardVersioned):
            if (one.fact.scorecard, one.fact.version) == (pinned.id, pinned.version):
                return one
        return None


def _people(t: Teller) -> Iterator[Person]:
    """Everyone who acts in the record, in order of appearance, each with a label of their own."""
    capacities = _capacities(t)
    names = _names(t)
    shared: dict[str, list[str]] = {}
    for handle, held in capacities.items():
        shared.setdefault(held[0] if held else "person", []).append(handle)
    for handle, held in capacities.items():
        first = held[0] if held else "person"
        alike = shared[first]
        numbered = first in {"interviewer", "person"} or len(alike) > 1
        label = f"{first} {alike.index(handle) + 1}" if numbered else f"the {first}"
        name = names.get(handle)
        yield Person(handle, name or label, name is not None, tuple(held))


def _capacities(t: Teller) -> dict[str, list[str]]:
    """What each person was, the weightiest first."""
    held: dict[str, list[str]] = {}

    def add(handle: str, *capacities: str) -> None:
        if handle != SYSTEM:
            known = held.setdefault(handle, [])
            known += [c for c in capacities if c not in known]

    if t.requisition is not None:
        team = t.requisition.team
        add(team.decision_maker, "decision maker")
        add(team.hiring_manager, "hiring manager")
        add(team.tech_lead, "tech lead")
        add(team.partner.person, f"partner for {spaced(team.partner.function)}")
    for one in t.facts:
        add(one.fact.stamp.by)
        match one.fact:
            case f.LoopPlanned(sessions=sessions):
                for session in sessions:
                    for handle in session.interviewers:
                        add(handle, "interviewer")
            case f.SessionCompleted(attendees=attendees):
                for handle in attendees:
                    add(handle, "interviewer")
            case f.FeedbackSubmitted(author=handle) | f.InterviewerReplaced(replacement=handle):
                add(handle, "interviewer")
            case _:
                pass
        for handle in _PERSON.findall(msgspec.json.encode(one.fact).decode()):
            add(handle)
    for registered in t.of(f.PersonRegistered):
        if not held[registered.fact.person]:
            add(registered.fact.person, *(ROLE[role] for role in registered.fact.roles[:1]))
    return held


def _names(t: Teller) -> dict[str, str]:
    """Names that the dossier discloses; a name that two people share is no name to tell them by."""
    names: dict[str, str] = {}
    for one in t.of(f.PersonRegistered):
        if one.fact.name is not None and one.fact.name.sd in t.words:
            names[one.fact.person] = t.words[one.fact.name.sd]
    twice = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {handle: name for handle, name in names.items() if name not in twice}
