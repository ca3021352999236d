"""Every fact in plain words: for whoever reads a dossier and knows no software."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

import story
import story_later
from api.pages.telling import terms
from api.pages.telling.moments import moment, zone_of
from api.pages.telling.sentences import tell
from api.pages.telling.teller import Teller
from arbitrary import facts
from domain import facts as f
from domain.codec import Recorded, encode, type_of
from domain.facts.afterwards import LawfulBasis, ObservedFrom, OutcomeDimension, OutcomeValue
from domain.facts.base import Assurance
from domain.facts.decision import Disposition, OfferStatus
from domain.facts.evidence import Independence, ObservationState, ReasonKind, Recommend
from domain.facts.opening import PortfolioKind, Relationship
from domain.facts.outside import ReadingOf
from domain.facts.people import Role
from domain.facts.rubric import Bucket, Capacity, PromptKind, RequisitionStatus, SessionKind
from domain.findings import Enforcement, Verdict
from golden import every_fact
from ledger.proof.disclosure import places
from policies._independence import WHY_NOT

HANDLE = re.compile(r"\b[cplkr]_[a-z2-7]{26}\b")
TOLD = (story.REQUISITION_OPENED, story.SCORECARD_VERSIONED, story.LOOP_OPENED, story.LOOP_PLANNED)
EVERYONE = ("HM", "TECH_LEAD", "PARTNER", "DECIDER", "ANA", "BEN", "CAY", "ADMIN", "AUDITOR")

TABLES: list[tuple[Any, Any]] = [
    (terms.ASSURANCE, Assurance),
    (terms.DECISION, Recommend),
    (terms.CAPACITY, Capacity),
    (terms.BUCKET, Bucket),
    (terms.OBSERVED, ObservationState),
    (terms.INDEPENDENCE, Independence),
    (terms.RELATIONSHIP, Relationship),
    (terms.REASON, ReasonKind),
    (terms.ENFORCEMENT, Enforcement),
    (terms.VERDICT, Verdict),
    (terms.SESSION, SessionKind),
    (terms.PROMPT, PromptKind),
    (terms.REQUISITION, RequisitionStatus),
    (terms.PORTFOLIO, PortfolioKind),
    (terms.OFFER, OfferStatus),
    (terms.DISPOSITION, Disposition),
    (terms.DIMENSION, OutcomeDimension),
    (terms.OUTCOME, OutcomeValue),
    (terms.OBSERVED_FROM, ObservedFrom),
    (terms.LAWFUL_BASIS, LawfulBasis),
    (terms.READ, ReadingOf),
    (terms.ROLE, Role),
]


def told(*more: f.AnyFact, **words: str) -> Teller:
    """The story's opening and these facts, with nothing disclosed but these words, by digest."""
    people = (
        replace(story.PERSON_REGISTERED, person=getattr(story, one), name=None) for one in EVERYONE
    )
    recorded = [Recorded(n, fact) for n, fact in enumerate((*TOLD, *people, *more), start=1)]
    return Teller(recorded, story.LOOP, words)


@pytest.mark.parametrize("fact", every_fact(), ids=type_of)
def test_every_fact_type_has_words_without_codes_and_handles(fact: f.AnyFact) -> None:
    """A reader meets sentences, and nobody in them by a handle."""
    shown = tell(fact, told(fact))
    text = " ".join((shown.sentence, *shown.points))
    assert re.fullmatch(r"[A-Z“].{15,}\.", shown.sentence, re.DOTALL)
    assert type_of(fact).partition(".")[0] not in text
    assert not HANDLE.search(text)
    assert "None" not in text
    assert "_" not in text


NOT_IN_THE_TIMELINE: dict[type[f.Fact], str] = {
    f.SelfIdentificationRecorded: "/attributes/",  # counted, and told to nobody
    # In the section of what was seen; a test of the page holds it to every word of a file.
    f.FeedbackSubmitted: "/ratings/",
    f.FeedbackAmended: "/ratings/",
    f.ReferenceRecorded: "/",
}
"""Where the values stand whose words the sentence leaves to another place."""


@pytest.mark.parametrize("fact", every_fact(), ids=type_of)
def test_every_personal_value_of_a_fact_is_in_its_telling(fact: f.AnyFact) -> None:
    """Where its words are disclosed they are shown, all of them; none is forgotten."""
    sealed = {place.digest for place in places(encode(fact))}
    words = {digest: f"word-{number}-said" for number, digest in enumerate(sorted(sealed))}
    shown = repr(tell(fact, told(fact, **words)))
    missing = [
        place.pointer
        for place in places(encode(fact))
        if not re.search(rf"\b{words[place.digest]}\b", shown)
    ]
    elsewhere = NOT_IN_THE_TIMELINE.get(type(fact))
    forgotten = [one for one in missing if elsewhere is None or not one.startswith(elsewhere)]
    assert not forgotten, f"{type_of(fact)}: say {forgotten} in api/pages/telling/ (`t.said`)"
    assert bool(missing) == (elsewhere is not None)


@given(fact=facts())
@settings(max_examples=60, deadline=None)
def test_whatever_a_fact_type_allows_can_be_told(fact: f.AnyFact) -> None:
    """No fact that a ledger can hold keeps a page from being made."""
    assert tell(fact, told(fact)).sentence


@pytest.mark.parametrize(("table", "choices"), TABLES)
def test_every_choice_of_the_vocabulary_has_words(table: dict[str, str], choices: Any) -> None:
    """A new choice is given words with the change that brings it."""
    assert set(table) == set(get_args(choices))


def test_every_reason_not_to_count_a_witness_has_words() -> None:
    """Why somebody's evidence does not count is said as the rule says it, in plain words."""
    assert set(terms.WHY_NOT) == set(WHY_NOT)


def test_people_who_are_only_mentioned_are_told_too() -> None:
    """An exception for somebody who does nothing else in the loop names no handle."""
    excepted = replace(story_later.EXCEPTION_GRANTED, subject=story.STRANGER)
    replaced = replace(story_later.INTERVIEWER_REPLACED, replaced=story.AUDITOR)
    t = Teller([Recorded(1, excepted), Recorded(2, replaced)], story.LOOP, {})
    assert "as far as person 2 is concerned" in tell(excepted, t).sentence
    assert "took the place of person 4" in tell(replaced, t).sentence


def test_people_are_told_by_name_only_where_it_is_disclosed() -> None:
    """A name that the dossier withholds is nowhere; what the person was in the loop tells them."""
    named = replace(story.PERSON_REGISTERED, name=story.said("Ana Example", story.ANA))
    assert named.name is not None
    assert told(named).who(story.ANA) == "interviewer 1"
    assert told(named, **{named.name.sd: "Ana Example"}).who(story.ANA) == "Ana Example"
    assert told(named).who(story.DECIDER) == "the decision maker"


def test_two_people_of_one_name_are_not_told_by_it() -> None:
    """Whoever reads never takes two people for one."""
    pair = [
        replace(story.PERSON_REGISTERED, person=one, name=story.said("Ana Example", one))
        for one in (story.ANA, story.BEN)
    ]
    t = told(*pair, **{one.name.sd: "Ana Example" for one in pair if one.name})
    assert [t.who(story.ANA), t.who(story.BEN)] == ["interviewer 1", "interviewer 2"]


def test_a_withheld_value_is_called_withheld_and_an_erased_one_erased() -> None:
    """Nothing is silently missing, and what is not there is not guessed."""
    (said,) = tell(story_later.DISSENT_RECORDED, told()).said
    assert (said.text, said.state) == (None, "withheld")
    recorded = Recorded(1, story_later.DISSENT_RECORDED)
    erased = Teller([recorded], story.LOOP, {}, {story_later.DISSENT_RECORDED.text.sd})
    (said,) = tell(story_later.DISSENT_RECORDED, erased).said
    assert (said.text, said.state) == (None, "erased")


def test_a_correction_that_is_kept_back_says_why() -> None:
    """As the reasons of what it corrects do; any other correction is withheld without a why."""
    advised = f.Reason(kind="legal", text=story.said("Advice.", story.CANDIDATE))
    made = replace(story_later.DECISION_MADE, reasons=(*story_later.REASONS, advised))
    correction = replace(story_later.FACT_CORRECTED, of=len(TOLD) + len(EVERYONE) + 1)
    for fact, kept in ((made, terms.KEPT["legal"]), (story_later.DECISION_MADE, None)):
        (said,) = tell(correction, told(fact, correction)).said
        assert (said.state, said.kept) == ("withheld", kept)


def test_a_time_is_told_at_the_place_and_in_utc() -> None:
    """Whoever was there recognises the hour, and whoever was not can compare it."""
    summer = datetime(2026, 7, 1, 22, 5, tzinfo=UTC)
    shown = moment(summer, zone_of("Europe/Berlin"))
    assert shown.local == "Thu 2 July 2026, 00:05 (UTC+02:00)"
    assert shown.utc == "1 July 2026, 22:05 UTC"
    assert shown.iso == "2026-07-01T22:05:00Z"


def test_a_zone_that_is_not_known_here_is_utc() -> None:
    """A made-up zone in a requisition keeps no page from being made."""
    assert zone_of("Mars/Olympus") is UTC
    assert zone_of("Europe") is UTC


def test_a_session_that_ends_on_another_day_says_both_days() -> None:
    """A span of time names its day once, and two days when there are two."""
    t, start = told(), story.NOW
    assert t.span(start, start + timedelta(hours=1)).endswith("to 14:00 (UTC+01:00)")
    assert "to Tue 10 March 2026" in t.span(start, start + timedelta(days=1))
