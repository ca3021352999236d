"""Legal holds, erasure, and what may still be recorded of somebody who was erased."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.codec import Recorded
from domain.evolve import fold
from domain.findings import Finding
from domain.refusals import Exists, Meaningless, Missing, RefusedByRule
from examples import EVIDENCE, of
from examples_early import Example
from scenario import Outcome, aside, given

HOLD = of(c.PlaceHold).command
ERASE = of(c.EraseSubject).command
ELSEWHERE = "ml-lisbon"
OTHER_LOOP_OPENED = replace(
    s.LOOP_OPENED,
    stamp=s.stamp(
        tags.loop(s.OTHER_LOOP), tags.candidate(s.CANDIDATE), tags.requisition(ELSEWHERE)
    ),
    loop=s.OTHER_LOOP,
    requisition=ELSEWHERE,
)
GONE = "this person was erased, and nothing personal is recorded of them any more"


def hold(
    slug: str, *, candidate: str | None = None, requisition: str | None = None
) -> f.HoldPlaced:
    """A hold over one person or one requisition."""
    people = (candidate,) if candidate else ()
    requisitions = (requisition,) if requisition else ()
    about = (*map(tags.candidate, people), *map(tags.requisition, requisitions))
    return replace(
        later.HOLD_PLACED,
        stamp=s.stamp(tags.hold(slug), tags.holds(), *about, by=s.OFFICER),
        hold=slug,
        candidates=people,
        requisitions=requisitions,
    )


def finding_of(outcome: Outcome) -> Finding:
    """What a rule or the state found, the only thing."""
    assert isinstance(outcome.drafted, RefusedByRule), outcome.drafted
    (finding,) = outcome.drafted.findings
    return finding


def test_a_hold_over_nobody_is_refused() -> None:
    """A hold that forbids nothing is a mistake."""
    nobody = replace(HOLD, candidates=(), requisitions=())
    given().when(nobody, by=s.OFFICER).refused(
        Meaningless, "a hold is over people or requisitions: name at least one", ""
    )


def test_a_hold_without_an_id_is_named_by_its_request() -> None:
    """Each request has an id of its own, so no two holds get the same."""
    unnamed = replace(HOLD, id=None, requisitions=())
    made = given().when(unnamed, by=s.OFFICER).draft().fact
    assert isinstance(made, f.HoldPlaced)
    assert made.hold == "hold-" + s.CAUSE[2:]
    assert tags.hold(made.hold) in made.stamp.tags


@pytest.mark.parametrize("before", [(later.ON_HOLD,), (later.ON_HOLD, later.OFF_HOLD)])
def test_the_id_of_a_hold_is_taken_for_good(before: tuple[f.AnyFact, ...]) -> None:
    """Two matters under one name could not be told apart later."""
    given(s.REQUISITION_OPENED, *before).when(HOLD, by=s.OFFICER).refused(
        Exists, "a hold has this id already, released or not; give another"
    )


def test_a_hold_names_each_once() -> None:
    """Whoever is named twice is held once."""
    twice = replace(HOLD, candidates=(s.CANDIDATE,) * 2, requisitions=(s.REQUISITION,) * 2)
    given(s.REQUISITION_OPENED).when(twice, by=s.OFFICER).then(later.ON_HOLD)


@pytest.mark.parametrize(
    ("people", "requisitions", "whose"),
    [
        ((s.CANDIDATE,), (), s.CANDIDATE),
        ((s.CANDIDATE,) * 2, (), s.CANDIDATE),
        ((s.CANDIDATE, "c_" + "b" * 26), (), "organisation"),
        ((s.CANDIDATE,), (s.REQUISITION,), "organisation"),
        ((), (s.REQUISITION,), "organisation"),
    ],
)
def test_the_matter_of_a_hold_is_the_one_persons_it_is_over_or_the_organisations(
    people: tuple[str, ...], requisitions: tuple[str, ...], whose: str
) -> None:
    """And the reason of its release: what outlasts an erasure is about more than the erased."""
    over = replace(HOLD, candidates=people, requisitions=requisitions)
    opened = (s.REQUISITION_OPENED,) if requisitions else ()
    placed = given(*opened).when(over, by=s.OFFICER).draft().fact
    assert isinstance(placed, f.HoldPlaced)
    assert getattr(placed.matter, "subject", None) == whose
    release = replace(of(c.ReleaseHold).command, hold=placed.hold)
    standing = replace(placed, matter=later.HOLD_PLACED.matter)
    released = given(standing).when(release, by=s.OFFICER).draft().fact
    assert isinstance(released, f.HoldReleased)
    assert getattr(released.reason, "subject", None) == whose


def test_a_hold_over_an_unknown_requisition_is_not_found() -> None:
    """A misspelt requisition would hold nobody."""
    given(s.REQUISITION_OPENED).when(
        replace(HOLD, requisitions=(s.REQUISITION, "no-such")), by=s.OFFICER
    ).refused(Missing, "no such requisition; open it first", "/requisitions/1")


def test_nobody_is_held_who_was_erased() -> None:
    """A hold over somebody of whom nothing is left would promise what cannot be kept."""
    before = given(s.REQUISITION_OPENED, later.ERASED)
    assert finding_of(before.when(HOLD, by=s.OFFICER)).positions == (2,)


def test_a_hold_that_was_never_placed_is_not_found() -> None:
    """There is nothing to release."""
    given().when(of(c.ReleaseHold).command, by=s.OFFICER).refused(Missing, "no such hold")


def test_a_hold_is_released_once() -> None:
    """The first release counts."""
    given(later.ON_HOLD, later.OFF_HOLD).when(of(c.ReleaseHold).command, by=s.OFFICER).refused(
        Exists, "this hold is released already"
    )


@pytest.mark.parametrize(
    "placed",
    [hold("m-1", candidate=s.CANDIDATE), hold("m-1", requisition=s.REQUISITION)],
    ids=["person", "requisition"],
)
def test_nobody_is_erased_under_a_hold(placed: f.HoldPlaced) -> None:
    """A hold over the person, or over a requisition of a loop of theirs, is named in the answer."""
    found = finding_of(given(s.LOOP_OPENED, placed).when(ERASE, by=s.OFFICER))
    assert (found.policy, found.positions) == ("legal-hold", (2,))
    assert found.message == "a legal hold stands over this person: m-1"


def test_every_hold_stands_in_the_way_and_a_few_are_named() -> None:
    """The positions say which, however many they are."""
    placed = [hold(f"m-{n}", candidate=s.CANDIDATE) for n in range(7)]
    found = finding_of(given(s.LOOP_OPENED, *placed).when(ERASE, by=s.OFFICER))
    assert found.message.endswith(": m-0, m-1, m-2, m-3, m-4 and 2 more")
    assert found.positions == tuple(range(2, 9))


def test_one_hold_of_two_is_enough() -> None:
    """Released is only what was released."""
    placed = (hold("m-1", candidate=s.CANDIDATE), hold("m-2", requisition=s.REQUISITION))
    over = f.HoldReleased(stamp=placed[0].stamp, hold="m-1", reason=later.HOLD_RELEASED.reason)
    found = finding_of(given(s.LOOP_OPENED, *placed, over).when(ERASE, by=s.OFFICER))
    assert found.message == "a legal hold stands over this person: m-2"


def test_holds_over_others_do_not_matter() -> None:
    """Neither another person's hold nor another requisition's is even read."""
    others = (
        hold("m-1", candidate=s.OTHER_CANDIDATE),
        hold("m-2", requisition="ml-paris"),
    )
    given(s.LOOP_OPENED, *aside(*others)).when(ERASE, by=s.OFFICER).then(later.ERASED)


def test_an_erasure_is_known_in_each_loop_of_the_person() -> None:
    """Whoever reads one of the loops learns of it, whatever requisition it was for."""
    stamp = s.stamp(tags.candidate(s.CANDIDATE), s.IN_LOOP, tags.loop(s.OTHER_LOOP), by=s.OFFICER)
    given(s.LOOP_OPENED, OTHER_LOOP_OPENED).when(ERASE, by=s.OFFICER).then(
        replace(later.ERASED, stamp=stamp)
    )


def test_a_hold_over_any_of_their_requisitions_counts() -> None:
    """The second loop's requisition is held, so the person is."""
    before = given(s.LOOP_OPENED, OTHER_LOOP_OPENED, hold("m-1", requisition=ELSEWHERE))
    assert finding_of(before.when(ERASE, by=s.OFFICER)).positions == (3,)


def test_a_person_is_erased_once() -> None:
    """The first erasure left nothing."""
    given(s.LOOP_OPENED, later.ERASED).when(ERASE, by=s.OFFICER).refused(
        Exists, "this person was erased already; nothing of them is left to erase"
    )


def test_somebody_nobody_knows_cannot_be_erased() -> None:
    """A handle that stands for nobody is not found."""
    given().when(ERASE, by=s.OFFICER).refused(Missing, "no such candidate")


def test_an_imported_case_is_erased_as_whom_it_is_about() -> None:
    """It has no candidate: its own handle is what it is found by."""
    command = replace(ERASE, candidate=s.LOOP)
    erased = replace(
        later.SUBJECT_ERASED,
        stamp=s.stamp(tags.candidate(s.LOOP), tags.loop(s.LOOP), by=s.OFFICER),
        candidate=s.LOOP,
    )
    before = given(later.RECORD_IMPORTED)
    before.when(command, by=s.OFFICER).then(erased)
    given(later.RECORD_IMPORTED, erased).when(command, by=s.OFFICER).refused(
        Exists, "this person was erased already; nothing of them is left to erase"
    )
    placed = hold("m-1", candidate=s.LOOP)
    held = given(later.RECORD_IMPORTED, placed).when(command, by=s.OFFICER)
    assert finding_of(held).positions == (2,)


def test_nothing_is_imported_into_a_case_that_was_erased() -> None:
    """It would get a key again."""
    erased = replace(
        later.SUBJECT_ERASED,
        stamp=s.stamp(tags.candidate(s.LOOP), tags.loop(s.LOOP), by=s.OFFICER),
        candidate=s.LOOP,
    )
    example = of(c.ImportRecord)
    outcome = given(later.RECORD_IMPORTED, erased).when(
        replace(example.command, place=9), by=example.by
    )
    assert finding_of(outcome).message == GONE


def test_a_loops_handle_is_nobodys() -> None:
    """A hold and an erasure are over a candidate, or over an imported case, which has none."""
    given(s.LOOP_OPENED).when(replace(ERASE, candidate=s.LOOP), by=s.OFFICER).refused(
        Missing, "no such candidate"
    )
    given(s.LOOP_OPENED).when(
        replace(HOLD, candidates=(s.LOOP,), requisitions=()), by=s.OFFICER
    ).refused(Meaningless, "no such candidate is registered", "/candidates/0")


WORDS = [
    one
    for one in EVIDENCE
    if isinstance(one.command, c.SubmitFeedback | c.RecordReference | c.DecideStage)
] + [of(c.MakeStatement), of(c.RecordDissent), of(c.MakeDecision), of(c.ReopenLoop)]


@pytest.mark.parametrize("example", WORDS, ids=lambda one: type(one.command).__name__)
def test_no_words_are_recorded_of_somebody_who_was_erased(example: Example) -> None:
    """Sealing them would make the person a key again."""
    erased = given(*example.given, later.ERASED)
    found = finding_of(erased.when(example.command, by=example.by))
    assert (found.message, found.positions) == (GONE, (len(example.given) + 1,))


@pytest.mark.parametrize("name", ["Cam Example", None])
def test_no_loop_is_opened_under_the_handle_of_somebody_who_was_erased(name: str | None) -> None:
    """Even without a name the loop's own id would be kept under the person's key."""
    example = of(c.OpenLoop)
    candidate = c.CandidateSpec(id=s.CANDIDATE, name=name)
    command = replace(example.command, id=s.OTHER_LOOP, candidate=candidate)
    outcome = given(*example.given, later.ERASED).when(command, by=example.by)
    assert finding_of(outcome).message == GONE


WITHOUT_WORDS = [of(c.OpenDebrief), of(c.RecordOffer), of(c.RecordOutcome), of(c.ReportNoShow)]


@pytest.mark.parametrize("example", WITHOUT_WORDS, ids=lambda one: type(one.command).__name__)
def test_what_happened_is_still_recorded_where_it_needs_no_words(example: Example) -> None:
    """A ledger that refuses true facts gets false ones."""
    given(*example.given, later.ERASED).when(example.command, by=example.by).then(*example.made)


def test_a_reason_may_be_left_out_and_then_a_loop_is_closed() -> None:
    """The same command with words is refused."""
    example = of(c.CloseLoop)
    before = given(*example.given, later.ERASED)
    assert finding_of(before.when(example.command, by=example.by)).message == GONE
    before.when(replace(example.command, reason=None), by=example.by).then(
        replace(later.CLOSED, reason=None)
    )


def test_a_correction_of_what_was_said_of_the_erased_is_refused() -> None:
    """Its words would be about them; the erasure itself can be corrected."""
    log = (s.LOOP_OPENED, later.OUTCOME_RECORDED, later.ERASED)
    about_them = c.CorrectFact(position=2, text="The date was wrong.")
    assert finding_of(given(*log).when(about_them, by=s.AUDITOR)).message == GONE
    of_the_erasure = c.CorrectFact(position=3, text="The basis was another.")
    (outcome,) = aside(later.OUTCOME_RECORDED)
    before = given(s.LOOP_OPENED, outcome, later.ERASED)
    made = before.when(of_the_erasure, by=s.AUDITOR).draft().fact
    assert isinstance(made, f.FactCorrected)
    assert made.stamp.tags[1:] == (tags.candidate(s.CANDIDATE), s.IN_LOOP)


def test_words_about_others_are_recorded_after_an_erasure() -> None:
    """Why an interviewer was replaced is about the interviewer."""
    example = of(c.ReplaceInterviewer)
    given(*example.given, later.ERASED).when(example.command, by=example.by).then(*example.made)


def test_a_loop_knows_since_when_its_candidate_is_erased() -> None:
    """Each loop that the fact names learns of it, and no other."""
    other = replace(
        OTHER_LOOP_OPENED, candidate=s.OTHER_CANDIDATE, stamp=s.stamp(tags.loop(s.OTHER_LOOP))
    )
    log: tuple[f.AnyFact, ...] = (s.LOOP_OPENED, other, later.ERASED)
    world = fold(Recorded(position, fact) for position, fact in enumerate(log, 1))
    erased = world.loops[s.LOOP].erased
    assert erased is not None
    assert (erased.position, erased.fact) == (3, later.ERASED)
    assert world.loops[s.LOOP].positions == (1, 3)
    assert world.loops[s.OTHER_LOOP].erased is None
    assert world.erased == {s.CANDIDATE: erased}


def test_reading_a_record_is_found_by_whom_it_is_about() -> None:
    """Whoever asks who has read about a person finds it, and so does who reads one loop."""
    note = c.NoteRecordViewed(what="candidate", candidate=s.CANDIDATE, loops=(s.LOOP,))
    stamp = s.stamp(tags.candidate(s.CANDIDATE), s.IN_LOOP, tags.viewer(s.OFFICER), by=s.OFFICER)
    given().when(note, by=s.OFFICER).then(
        f.RecordViewed(stamp=stamp, viewer=s.OFFICER, what="candidate")
    )
