"""What each command depends on: named, tagged, and never what somebody merely read."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.boundary import LOOP_TYPES, boundary, first_items, loop_items
from domain.codec import ALL_FACTS, FACT_BY_TYPE, Recorded, type_of, types_of
from domain.decide.entitled import interviewers_of
from domain.evolve import LOOP_FIELDS, fold
from domain.findings import Item
from examples import EXAMPLES, of
from examples_early import Example
from scenario import Aside, items_of, selected

VIEWS = types_of(f.FeedbackViewed, f.RecordViewed)
"""Reading must not starve deciding."""
ATTEMPTS = types_of(f.StageDecisionRefused, f.EvidenceGateRefused, f.DecisionRefused)
"""An attempt does not decide the next one; what rests on a basis commits to it all the same."""
RESTS_ON_A_BASIS = (c.DecideStage, c.PassEvidenceGate, c.MakeDecision)
FEEDBACK = (c.SubmitFeedback, c.AmendFeedback)
NOTES = (c.NoteFeedbackViewed, c.NoteRecordViewed)
REPEATED = (*NOTES, c.CorrectFact, c.IssueKey)
"""Asked twice, these are recorded twice and nothing is wrong with it."""

every_command = pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda example: type(example.command).__name__
)


def log_of(example: Example) -> tuple[Recorded, ...]:
    """The example's facts at their positions."""
    facts = (one.fact if isinstance(one, Aside) else one for one in example.given)
    return tuple(Recorded(position, fact) for position, fact in enumerate(facts, 1))


@every_command
def test_every_item_has_a_tag_and_known_types(example: Example) -> None:
    """The store refuses an item without a tag; a type that nobody knows would select nothing."""
    for item in items_of(example.command, log_of(example), example.by):
        assert item.tags
        assert item.types
        assert set(item.types) <= set(FACT_BY_TYPE)


@every_command
def test_no_item_stands_twice(example: Example) -> None:
    """The basis counts each fact once, and so does the query."""
    items = items_of(example.command, log_of(example), example.by)
    assert len(set(items)) == len(items)


@every_command
def test_only_the_reading_of_who_writes_is_in_a_boundary(example: Example) -> None:
    """Feedback depends on what its author had read in its loop, a basis on what they all had."""
    items = items_of(example.command, log_of(example), example.by)
    found = [item for item in items if set(item.types) & set(VIEWS)]
    readers = [example.by] if isinstance(example.command, FEEDBACK) else []
    if isinstance(example.command, RESTS_ON_A_BASIS):
        readers = sorted(interviewers_of(fold(log_of(example)).loops[s.LOOP]))
        assert readers
    viewed = types_of(f.FeedbackViewed)
    assert found == [
        Item(types=viewed, tags=(tags.loop(s.LOOP), tags.viewer(reader))) for reader in readers
    ]


@every_command
def test_what_was_tried_and_corrected_is_read_where_it_is_committed_to(example: Example) -> None:
    """A dossier tells every refused attempt and every correction in its loop."""
    items = items_of(example.command, log_of(example), example.by)
    told = Item(types=(*ATTEMPTS, *types_of(f.FactCorrected)), tags=(tags.loop(s.LOOP),))
    found = [item for item in items if set(item.types) & set(told.types)]
    assert found == ([told] if isinstance(example.command, RESTS_ON_A_BASIS) else [])


@every_command
def test_a_command_depends_on_the_roles_of_who_asks(example: Example) -> None:
    """Roles taken away meanwhile count; a note of a reading was entitled by the reading."""
    own = Item(types=types_of(f.PersonRegistered), tags=(tags.person(example.by),))
    items = items_of(example.command, log_of(example), example.by)
    assert (own in items) is not isinstance(example.command, NOTES)


@every_command
def test_a_service_that_acts_as_itself_depends_on_no_registration(example: Example) -> None:
    """`system` is nobody's handle."""
    items = items_of(example.command, log_of(example), "system")
    assert all(tags.person("system") not in item.tags for item in items)


@pytest.mark.parametrize(
    "example",
    [one for one in EXAMPLES if not isinstance(one.command, REPEATED)],
    ids=lambda example: type(example.command).__name__,
)
def test_a_command_depends_on_what_it_makes_the_second_time(example: Example) -> None:
    """Whoever asks the same at the same instant is decided after the first, and sees its fact."""
    before = log_of(example)
    made = tuple(Recorded(len(before) + n, fact) for n, fact in enumerate(example.made, 1))
    items = items_of(example.command, (*before, *made), example.by)
    assert selected(made, items) == made


def test_what_is_read_first_is_part_of_what_is_read() -> None:
    """The second reading is never smaller than the first: it can only name more."""
    for example in EXAMPLES:
        first = first_items(example.command)
        items = items_of(example.command, log_of(example), example.by)
        assert isinstance(example.command, NOTES) or set(first) <= set(items)


def test_a_loops_evidence_is_every_loop_fact_but_views_and_refusals() -> None:
    """A new kind of loop fact is evidence, unless it is a reading or an attempt; so is erasure."""
    ends = (f.LoopOpened, f.SubjectErased)
    assert set(LOOP_TYPES) == set(types_of(*ends, *LOOP_FIELDS)) - {*VIEWS, *ATTEMPTS}
    assert len(LOOP_TYPES) == len(set(LOOP_TYPES))


def test_a_command_about_an_unknown_loop_depends_on_its_opening() -> None:
    """If the loop is opened before the answer is recorded, the answer is looked for again."""
    command = c.OpenDebrief(loop=s.LOOP)
    items = boundary(command, fold(()), s.HM)
    assert items[0] == loop_items(s.LOOP)[0]
    assert items[0].matches(type_of(s.LOOP_OPENED), s.LOOP_OPENED.stamp.tags)


def test_a_decision_depends_on_all_that_the_loop_pinned() -> None:
    """Scorecard, posting, prompts, the rules, the requisition, and who is who in all of that."""
    improvised = f.Ref(id="brain-teaser", version=1)
    given_too = f.SessionCompleted(
        stamp=s.stamp(s.IN_LOOP),
        loop=s.LOOP,
        session="design",
        stage="onsite",
        started_at=s.NOW,
        ended_at=s.NOW,
        attendees=(s.ANA,),
        prompts=(improvised,),
    )
    example = of(c.MakeDecision)
    before = log_of(example)
    items = items_of(example.command, (*before, Recorded(len(before) + 1, given_too)), example.by)
    named = {word for item in items for word in item.tags}
    assert named == {
        tags.loop(s.LOOP),
        tags.requisition(s.REQUISITION),
        tags.scorecard("ml-engineer"),
        tags.posting("ml-engineer-berlin"),
        tags.prompt("rag-design"),
        tags.prompt("brain-teaser"),
        tags.policy_sets(),
        *map(tags.viewer, (s.ANA, s.BEN)),
        *map(tags.person, (s.DECIDER, s.HM, s.TECH_LEAD, s.PARTNER, s.ANA, s.BEN, s.ADMIN)),
    }


@pytest.mark.parametrize(
    "kind",
    [
        f.ScorecardVersioned,
        f.ScorecardApproved,
        f.PromptVersioned,
        f.PostingVersioned,
        f.PolicySetAdopted,
        f.RequisitionStandardSet,
    ],
)
def test_a_decision_names_whoever_made_what_it_was_judged_by(kind: type[f.Fact]) -> None:
    """A court may ask who wrote the scorecard or adopted the rules, and whether they could."""
    example = of(c.MakeDecision)

    def by_another(one: Recorded) -> Recorded:
        stamp = replace(one.fact.stamp, by=s.STRANGER)
        return Recorded(one.position, replace(one.fact, stamp=stamp))

    before = log_of(example)
    whole = (*before, Recorded(98, s.SCORECARD_APPROVED), Recorded(99, s.STANDARD_SET))
    log = [by_another(one) if isinstance(one.fact, kind) else one for one in whole]
    items = items_of(example.command, log, example.by)
    assert any(tags.person(s.STRANGER) in item.tags for item in items)


def test_a_decision_learns_of_the_prompts_that_are_equivalent_to_those_given() -> None:
    """Whoever was asked the twin was asked the same, whichever of the two names the other."""
    example = of(c.MakeDecision)
    twin_of_given = f.PromptVersioned(
        stamp=s.PROMPT_VERSIONED.stamp,
        prompt="rag-third",
        version=1,
        content=s.PROMPT_CONTENT,
        judged=s.JUDGED,
    )
    items = items_of(example.command, log_of(example), example.by)
    late = (Recorded(99, twin_of_given),)
    assert selected(late, items) == late


def test_a_correction_depends_on_the_opening_of_the_loop_it_is_about() -> None:
    """The opening says whose words a correction is; nothing else of the loop matters."""
    log = (
        Recorded(1, s.LOOP_OPENED),
        Recorded(2, later.DEBRIEF_OPENED),
        Recorded(3, later.DISSENT_RECORDED),
    )
    items = items_of(c.CorrectFact(position=2, text="The date."), log, s.AUDITOR)
    assert selected(log, items) == log[:1]


def test_outside_its_loop_a_command_depends_on_named_types_only() -> None:
    """A loop's requisition has many loops; one loop's decision waits for none of the others."""
    for example in EXAMPLES:
        items = items_of(example.command, log_of(example), example.by)
        for item in items:
            if tags.requisition(s.REQUISITION) in item.tags:
                kinds = {FACT_BY_TYPE[name] for name in item.types}
                assert f.LoopOpened not in kinds


def test_an_item_selects_by_type_and_by_all_of_its_tags() -> None:
    """No types means any; every tag must be there, in whatever order."""
    item = Item(types=("a.v1", "b.v1"), tags=("x", "y"))
    assert item.matches("a.v1", ("y", "z", "x"))
    assert not item.matches("c.v1", ("x", "y"))
    assert not item.matches("a.v1", ("x",))
    assert Item(tags=("x",)).matches("c.v1", ("x",))
    assert len(ALL_FACTS) == len(FACT_BY_TYPE)
