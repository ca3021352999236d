"""Who counts as an independent interviewer, and which code says why not."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from domain import facts as f
from policies import Catalogue
from policies._examples import Story, evidenced, planned
from policies._sample import IRIS, JUNO, KOFI, LOOP, SCREEN


def why(catalogue: Catalogue, story: Story) -> dict[str, str | None]:
    """For everyone who wrote, why they do not count."""
    return {w.person: w.why_not for w in catalogue.witnesses(story.asks_gate().case)}


@pytest.mark.parametrize(
    ("tell", "expected"),
    [
        (lambda: planned().wrote(IRIS, "screen"), None),
        (lambda: planned().wrote(IRIS, "screen", "good"), "no-written-evidence"),
        (lambda: planned().read(IRIS).wrote(IRIS, "screen"), "read-before-writing"),
        (
            lambda: planned().wrote(IRIS, "screen").read(IRIS).amended(IRIS),
            "amended-after-reading",
        ),
        (lambda: planned().wrote(IRIS, "screen").amended(IRIS), None),
        (lambda: planned().wrote(IRIS, "screen").amended(IRIS, "bad"), "no-written-evidence"),
        (
            lambda: planned().disclosed(IRIS, "family").wrote(IRIS, "screen"),
            "disqualifying-relationship",
        ),
        (lambda: planned().disclosed(IRIS, "colleague").wrote(IRIS, "screen"), None),
        (
            lambda: planned(replace(SCREEN, kind="reference")).wrote(IRIS, "screen"),
            "reference-only",
        ),
    ],
    ids=[
        "blind", "no words", "read first", "amended after reading", "amended blind",
        "words amended away", "family", "colleague", "reference",
    ],
)  # fmt: skip
def test_one_person_counts_or_it_is_said_why_not(
    catalogue: Catalogue, tell: Callable[[], Story], expected: str | None
) -> None:
    """Each way not to be independent has a code of its own."""
    assert why(catalogue, tell()) == {IRIS: expected}


def test_one_independent_form_suffices_for_a_person(catalogue: Catalogue) -> None:
    """A second form, written after reading, does not take the first away."""
    story = planned().wrote(IRIS, "screen").read(IRIS).wrote(IRIS, "panel")
    (witness,) = catalogue.witnesses(story.asks_gate().case)
    assert (witness.counts, witness.why_not) == (True, None)
    assert witness.feedback == tuple(w.position for w in story.world.loops[LOOP].feedback)


def test_witnesses_come_in_the_order_in_which_they_wrote(catalogue: Catalogue) -> None:
    """The gate's list is the same whenever it is made."""
    found = [w.person for w in catalogue.witnesses(evidenced().asks_gate().case)]
    assert found == [IRIS, JUNO, KOFI]


def test_what_was_disclosed_last_holds(catalogue: Catalogue) -> None:
    """A slip can be corrected, in both directions."""
    story = planned().wrote(IRIS, "screen").disclosed(IRIS, "family")
    assert why(catalogue, story) == {IRIS: "disqualifying-relationship"}
    assert why(catalogue, story.disclosed(IRIS, "none")) == {IRIS: None}


def test_an_attestation_by_the_source_counts(catalogue: Catalogue) -> None:
    """Another system may vouch that a form was written blind."""
    story = planned().wrote(IRIS, "screen")
    told = Story()
    for one in story.facts:
        fact = one.fact
        if isinstance(fact, f.FeedbackSubmitted):
            fact = replace(fact, independence="attested_by_source")
        told.happened(fact)
    assert why(catalogue, told) == {IRIS: None}


def test_the_pinned_set_says_what_disqualifies_and_how_many_words_are_evidence(
    catalogue: Catalogue,
) -> None:
    """The organisation's parameters reach the count of witnesses."""
    words = f.PolicySetting(
        id="every-competency-evidenced", enforcement="block", params={"words_min": 50}
    )
    ties = f.PolicySetting(
        id="relationships-disclosed", enforcement="off", params={"disqualifying": ("alumni",)}
    )
    story = Story().rubric(words, ties).approved("hiring_manager", "tech_lead", "partner")
    story.opened().planned().disclosed(JUNO, "alumni").disclosed(KOFI, "family")
    story.wrote(IRIS, "screen").wrote(JUNO, "design", "word " * 50).wrote(
        KOFI, "panel", "word " * 50
    )
    assert why(catalogue, story) == {
        IRIS: "no-written-evidence",
        JUNO: "disqualifying-relationship",
        KOFI: None,
    }
