"""A person's record tells whatever a fact about them says: every type, member by member.

Whoever asks what is held is owed all of it. So each member of each leaf is changed, one by one: a
record that reads the same before and after has left that member out.
"""

import re
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, Final, cast

import msgspec
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

import story
import story_later
from api.pages.telling.teller import Teller
from api.reading import Known
from api.reads.candidate_record import Entry, entry, hold_on_record, viewing
from api.reads.record_values import Values
from arbitrary import facts
from domain import facts as f
from domain.codec import ALL_FACTS, Recorded, encode, type_of
from domain.state import At, Hold
from golden import every_fact
from ledger.log import Row
from ledger.proof.disclosure import places
from other_members import others

NOT_ABOUT_A_CANDIDATE: Final = (
    # What everyone who applies is judged by, and who hires: the organisation's.
    f.RequisitionOpened, f.RequisitionChanged, f.RequisitionStandardSet, f.ScorecardVersioned,
    f.ScorecardApproved, f.ScorecardRetired, f.PromptVersioned, f.PostingVersioned,
    f.PolicySetAdopted, f.RubricChangeProposed, f.RubricChangeAdopted, f.RubricChangeRejected,
    f.PeerComparisonRecorded,
    # Counts over many people, found under nobody's tag.
    f.RetroOpened, f.FindingRecorded, f.RetroClosed, f.FairnessReportRecorded,
    # Staff, services and their keys.
    f.PersonRegistered, f.KeyIssued, f.KeyRevoked,
)  # fmt: skip
VIEWS: Final = f.FeedbackViewed | f.RecordViewed


def copied(fact: f.AnyFact) -> f.AnyFact:
    """The fact as it is when it came from another system; a view never does."""
    if isinstance(fact, VIEWS):
        return fact
    return replace(fact, stamp=replace(fact.stamp, source=story.ATS))


ABOUT: Final = [copied(one) for one in every_fact() if not isinstance(one, NOT_ABOUT_A_CANDIDATE)]

# What of these is held and not told, the record says of all entries at once (`withheld`).
EVERYWHERE: Final[dict[str, str]] = {
    "/stamp/via": "by which key it came in; the service is no person, and a person's key is theirs",
    "/stamp/assurance": "how whoever did it was known, which is about them",
    "/stamp/cause": "the id of the request, made up by the ledger for its own use",
    "/stamp/tags": "under what it is found again: handles and ids that stand in the fact too",
    "/stamp/source/id_mac": "a keyed digest; that there is one is told",
    "/loop": "an entry stands in its application, whose handle and id are told over it",
    "/judged/now": "the moment of judging, which is that of recording",
    "/basis": "a digest over facts, of which those about the person stand in the record themselves",
}
"""Members of any fact that say nothing of the person, or are told in another place, and why."""
ELSEWHERE: Final[dict[type[f.Fact], dict[str, str]]] = {
    f.LoopOpened: {"/candidate": "told at the head of the record"},
    f.SelfIdentificationRecorded: {"/candidate": "told at the head of the record"},
    f.SubjectErased: {"/candidate": "told at the head of the record"},
    f.RecordImported: {"/case": "told at the head of the record: it stands for the person"},
    f.ReferenceRecorded: {"/relation": "withheld, and said so: it may tell who answered"},
    f.HoldPlaced: {
        "/candidates/*": "the others' handles are theirs; how many there are is told",
        "/requisitions/*": "which others it is over is not about the person; how many is told",
    },
    f.FeedbackViewed: {"/stamp/recorded": "a view is noted as it happens: that is its time"},
    f.RecordViewed: {"/stamp/recorded": "a view is noted as it happens: that is its time"},
}
"""The same for members of one kind of fact."""

STAFF: Final[list[f.AnyFact]] = [
    replace(story.PERSON_REGISTERED, person=handle, roles=roles, name=None)
    for handle, roles in story.ROLES_OF.items()
]
OPENING: Final[tuple[f.AnyFact, ...]] = (
    story.REQUISITION_OPENED,
    story.SCORECARD_VERSIONED,
    story.LOOP_OPENED,
)


def known(position: int, fact: f.AnyFact) -> Known:
    """A fact as the log has it."""
    return Known(Row(position, type_of(fact), fact.stamp.tags, encode(fact)), fact)


def values_of(*facts: Known, owner: str = story.CANDIDATE) -> Values:
    """The values of these facts, each sealed for one person, in words that no other has."""

    def owners(_: object, digests: Iterable[str]) -> dict[str, str]:
        return dict.fromkeys(digests, owner)

    def opened(_: object, digests: Iterable[str]) -> dict[str, str]:
        return {digest: f"words of {digest}" for digest in digests}

    vault = SimpleNamespace(owners=owners, open=opened)
    group: Any = SimpleNamespace(store=SimpleNamespace(vault=vault), cur=None)
    return Values(story.CANDIDATE, facts, group)


def told(fact: f.AnyFact) -> bytes:
    """What the record says of one fact, with the story's opening, rubric and staff around it."""
    around = [one for one in (*STAFF, *OPENING) if type(one) is not type(fact)]
    recorded = [Recorded(n, one) for n, one in enumerate((*around, fact), start=10)]
    one = known(recorded[-1].position, fact)
    values = values_of(one)
    return msgspec.json.encode(_told(one, Teller(recorded, story.LOOP, values.shown), values))


def _told(one: Known, teller: Teller, values: Values) -> object:
    match one.fact:
        case f.FeedbackViewed() | f.RecordViewed():
            return viewing(one, teller)
        case f.HoldPlaced():
            hold = Hold(placed=At(one.row.position, one.fact))
            return hold_on_record(hold, story.CANDIDATE, [one], teller, values)
        case _:
            return entry(one, teller, values)


def untold_for(fact: f.AnyFact, place: str) -> str | None:
    """The place in a list of exceptions that lets a member be left out."""
    listed = (*EVERYWHERE, *ELSEWHERE.get(type(fact), {}))
    return next((one for one in listed if re.match(f"{re.escape(one)}(/|$)", place)), None)


@pytest.mark.parametrize("fact", ABOUT, ids=type_of)
def test_every_member_of_a_fact_about_the_person_is_told(fact: f.AnyFact) -> None:
    """Another rating, another source, a finding less: the record reads otherwise."""
    before = told(fact)
    left_out = {
        other.place
        for other in others(fact)
        if untold_for(fact, other.place) is None and told(other.fact) == before
    }
    assert not left_out, (
        f"the record of a person says nothing of {sorted(left_out)} in {type_of(fact)}: tell it in"
        " api/pages/telling/say_also.py, or say here why it is not about the person"
    )


def test_every_exception_is_a_member_that_there_is() -> None:
    """An exception for a member that was renamed would let the next one be left out unseen."""
    used = {
        (kind, excused)
        for fact in ABOUT
        for other in others(fact)
        if (excused := untold_for(fact, other.place)) is not None
        for kind in (type(fact), None)
    }
    assert {(None, one) for one in EVERYWHERE} <= used
    assert {(kind, one) for kind, several in ELSEWHERE.items() for one in several} <= used


def test_every_type_of_fact_is_about_somebody_or_is_not() -> None:
    """A new type is one of the two."""
    assert {type(one) for one in ABOUT} | set(NOT_ABOUT_A_CANDIDATE) == set(ALL_FACTS)


@pytest.mark.parametrize("fact", ABOUT, ids=type_of)
def test_every_personal_value_stands_in_the_record_or_why_it_does_not(fact: f.AnyFact) -> None:
    """Each with a label of its own, so that nobody has to guess what the words are about."""
    one = known(10, fact)
    values = values_of(one)
    teller = Teller([Recorded(10, fact)], story.LOOP, values.shown)
    shown = values.of(one, teller)
    sealed = [place.digest for place in places(one.row.leaf)]
    assert len(shown) == len(sealed)
    assert len({value.label for value in shown}) == len(shown)
    for value, digest in zip(shown, sealed, strict=True):
        kept = value.state == "withheld" and value.why is not None
        assert kept or value.words == f"words of {digest}"


@given(fact=facts(*(type(one) for one in ABOUT)))
@settings(max_examples=60, deadline=None)
def test_whatever_a_fact_allows_can_be_told(fact: f.AnyFact) -> None:
    """No fact that a ledger can hold keeps anybody from their record."""
    assert told(fact)


# ---------------------------------------------------------------- in plain words


def entry_of(fact: f.AnyFact, *before: f.AnyFact) -> Entry:
    """The entry of a fact, after others of the loop, at 10 and on."""
    all_ = [*OPENING, *before, fact]
    rows = [known(number, one) for number, one in enumerate(all_, start=10 - len(OPENING))]
    values = values_of(*rows)
    return entry(rows[-1], Teller([k.recorded for k in rows], story.LOOP, values.shown), values)


def test_what_was_seen_is_told_by_the_scorecards_words() -> None:
    """A code says nothing to whoever it is about."""
    details = entry_of(story_later.FEEDBACK_SUBMITTED).details
    named = "“Designs evaluations before tuning”"
    assert f"{named}: B1.S1 (Strong sign “Found that a metric misled.”): seen" in details
    assert f"{named}: 4 words of evidence" in details
    assert "Language: en" in details
    assert details[-1].startswith("Copied from ats (scorecard, revision 7)")


def test_a_reason_says_of_what_kind_it_is_and_to_what_it_refers() -> None:
    """Also where its words are withheld."""
    reasons = (
        f.Reason(kind="knock_out", ref="doctorate", text=story.said("None.", "x")),
        f.Reason(kind="legal", text=story.said("Advice.", "x")),
    )
    shown = entry_of(replace(story_later.DECISION_MADE, reasons=reasons)).values
    assert [(one.label, one.state, one.why) for one in shown] == [
        ("reason: a requirement stated in the posting, “doctorate”", "shown", None),
        ("reason: a legal ground", "withheld", "legal"),
    ]


def of_reasons(*kinds: str) -> f.DecisionMade:
    """A decision for reasons of these kinds."""
    given = tuple(
        f.Reason(kind=cast("Any", kind), text=story.said(f"Words {n}.", story.CANDIDATE))
        for n, kind in enumerate(kinds)
    )
    return replace(story_later.DECISION_MADE, reasons=given)


@pytest.mark.parametrize(
    ("fact", "why"),
    [
        (of_reasons("override", "legal"), "legal"),
        (of_reasons("comparative", "override"), "comparison"),
        (of_reasons("comparative", "legal"), "legal"),
        (of_reasons("override"), None),
        (story_later.INTERVIEWER_REPLACED, "others"),
        (story_later.EXCEPTION_GRANTED, "others"),
        (replace(story_later.EXCEPTION_GRANTED, subject=None), None),
        (story_later.REFERENCE_RECORDED, "others"),
        (story_later.RECORD_IMPORTED, "others"),
        (replace(story_later.RECORD_IMPORTED, resource=None), None),
        (story_later.FEEDBACK_SUBMITTED, None),
    ],
)
def test_a_correction_is_withheld_where_what_it_corrects_is(
    fact: f.AnyFact, why: str | None
) -> None:
    """And a correction of the correction too: nothing says which words it repeats."""
    correction = replace(
        story_later.FACT_CORRECTED, of=10, text=story.said("It was otherwise.", "one")
    )
    again = replace(story_later.FACT_CORRECTED, of=11, text=story.said("It was not.", "another"))
    for shown in (entry_of(correction, fact), entry_of(again, fact, correction)):
        (value,) = shown.values
        assert value.why == why
        assert (value.words is None) == (why is not None)
