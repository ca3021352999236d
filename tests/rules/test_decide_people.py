"""Staff, their roles and keys, records from elsewhere, corrections, and who read what."""

import pytest
from msgspec.structs import replace

import story as s
import story_later as later
from domain import commands as c
from domain import facts as f
from domain import tags
from domain.decide import Context, draft
from domain.refusals import Exists, Forbidden, Meaningless, Missing
from domain.state import World
from examples import of
from examples_early import Example
from scenario import aside, given

ISSUE = c.IssueKey(person=s.ANA, roles=("interviewer",))


def test_a_person_is_registered_once() -> None:
    """Whoever is registered gets other roles by changing them."""
    given(s.PERSON_REGISTERED).when(of(c.RegisterPerson).command, by=s.ADMIN).refused(
        Exists, "this person is registered already; change their roles instead"
    )


@pytest.mark.parametrize(
    ("example", "before"),
    [
        (of(c.RegisterPerson), ()),
        (of(c.ChangeRoles), (s.PERSON_REGISTERED,)),
        (of(c.IssueKey), (s.PERSON_REGISTERED,)),
    ],
    ids=["register", "change", "issue"],
)
def test_a_role_named_twice_is_given_once(example: Example, before: tuple[f.AnyFact, ...]) -> None:
    """Roles are a set, kept in the order in which they were named."""
    command = replace(example.command, roles=("auditor", "approver", "auditor"))
    made = given(*before).when(command, by=s.ADMIN).draft().fact
    assert isinstance(made, f.PersonRegistered | f.KeyIssued)
    assert made.roles == ("auditor", "approver")


def test_all_roles_can_be_taken_from_a_person() -> None:
    """Whoever leaves keeps their handle and loses every role."""
    given(s.PERSON_REGISTERED).when(c.ChangeRoles(person=s.ANA, roles=()), by=s.ADMIN).then(
        replace(s.PERSON_REGISTERED, name=None, roles=())
    )


def test_roles_of_a_person_nobody_registered_are_not_found() -> None:
    """Roles are given to people whom the ledger knows."""
    given().when(of(c.ChangeRoles).command, by=s.ADMIN).refused(
        Missing, "no such person; register them first"
    )


def test_a_service_gets_a_key_of_its_own() -> None:
    """A key may belong to a service; it is then about no person."""
    given().when(c.IssueKey(service="ats", roles=("recorder",)), by=s.ADMIN).then(
        s.SERVICE_KEY_ISSUED
    )


@pytest.mark.parametrize("person", [s.ANA, None], ids=["both", "neither"])
def test_a_key_is_for_a_service_or_for_a_person(person: str | None) -> None:
    """A key that is for both, or for nobody, cannot be meant."""
    before = (s.PERSON_REGISTERED,) if person else ()
    command = replace(ISSUE, person=person, service="ats" if person else None)
    given(*before).when(command, by=s.ADMIN).refused(
        Meaningless, "a key is for a service or for a person: name exactly one", ""
    )


def test_a_key_for_a_person_nobody_registered_is_not_found() -> None:
    """Keys are given to people whom the ledger knows."""
    given().when(ISSUE, by=s.ADMIN).refused(
        Missing, "no such person; register them first", "/person"
    )


def test_a_key_that_would_have_expired_already_is_refused() -> None:
    """A key is issued to be used."""
    given(s.PERSON_REGISTERED).when(replace(ISSUE, expires_at=s.NOW), by=s.ADMIN).refused(
        Meaningless, "the key would have expired already", "/expires_at"
    )


def test_a_key_without_a_role_is_refused() -> None:
    """A key that opens nothing is a mistake."""
    given(s.PERSON_REGISTERED).when(replace(ISSUE, roles=()), by=s.ADMIN).refused(
        Meaningless, "a key without a role opens nothing: name at least one", "/roles"
    )


def test_a_key_is_never_issued_without_a_fresh_secret() -> None:
    """Forgetting to make a secret is our mistake, never the caller's."""
    context = Context(
        now=s.NOW,
        at=s.NOW,
        actor=s.ADMIN,
        via=s.KEY,
        assurance="own_key",
        cause=s.CAUSE,
        roles=frozenset(("administrator",)),
    )
    with pytest.raises(ValueError, match="only with a fresh secret"):
        draft(c.IssueKey(service="ats", roles=("recorder",)), World(), context)


def test_an_unknown_key_cannot_be_revoked() -> None:
    """There is nothing to revoke."""
    given().when(c.RevokeKey(key=s.NEW_KEY), by=s.ADMIN).refused(Missing, "no such key")


def test_a_key_is_revoked_once() -> None:
    """The first revocation counts."""
    given(s.SERVICE_KEY_ISSUED, s.KEY_REVOKED).when(c.RevokeKey(key=s.NEW_KEY), by=s.ADMIN).refused(
        Exists, "this key is revoked already"
    )


def test_an_event_is_imported_once() -> None:
    """Its case and its place in the trace say which event it is, whatever else differs."""
    again = replace(of(c.ImportRecord).command, activity="Another name", log="other-log")
    given(later.RECORD_IMPORTED).when(again, by=s.ADMIN).refused(
        Exists, "this event of this case was imported already"
    )


def test_the_next_event_of_a_case_is_imported() -> None:
    """Events of one case differ by their place."""
    following = replace(of(c.ImportRecord).command, place=4)
    given(later.RECORD_IMPORTED).when(following, by=s.ADMIN).then(
        replace(later.RECORD_IMPORTED, place=4)
    )


CORRECTION = c.CorrectFact(position=2, text="The date was wrong.")


def test_a_correction_of_nothing_is_not_found() -> None:
    """Only a fact that stands in the log can be corrected."""
    given().when(CORRECTION, by=s.AUDITOR).refused(Missing, "no fact at this position")


def test_a_correction_is_about_the_candidate_whose_loop_it_was() -> None:
    """A fact that names only its loop is corrected under the candidate's key, so it is erasable."""
    given(s.LOOP_OPENED, later.DEBRIEF_OPENED).when(CORRECTION, by=s.AUDITOR).then(
        replace(
            later.FACT_CORRECTED,
            stamp=s.stamp(tags.fact(2), tags.loop(s.LOOP), by=s.AUDITOR),
            text=s.said("The date was wrong.", s.CANDIDATE),
        )
    )


@pytest.mark.parametrize(
    ("cited", "about", "subject"),
    [
        (s.PERSON_REGISTERED, (tags.person(s.ANA),), s.ANA),
        (s.KEY_ISSUED, (tags.person(s.ANA),), s.ANA),
        (s.SERVICE_KEY_ISSUED, (), "organisation"),
        (s.SCORECARD_VERSIONED, (), "organisation"),
        (later.RECORD_IMPORTED, (tags.loop(s.LOOP),), s.LOOP),
        (later.SUBJECT_ERASED, (tags.candidate(s.CANDIDATE),), "organisation"),
        (later.ON_HOLD, (tags.candidate(s.CANDIDATE),), "organisation"),
        (
            later.SELF_IDENTIFIED,
            (tags.self_identification(s.CANDIDATE),),
            f"self-identification:{s.CANDIDATE}",
        ),
    ],
    ids=[
        "staff",
        "key",
        "service-key",
        "rubric",
        "import",
        "erasure",
        "hold",
        "self-identification",
    ],
)
def test_a_correction_is_sealed_for_whom_the_fact_is_about(
    cited: f.AnyFact, about: tuple[str, ...], subject: str
) -> None:
    """The words are the candidate's, the member of staff's, or the organisation's."""
    command = replace(CORRECTION, position=1)
    given(cited).when(command, by=s.AUDITOR).then(
        f.FactCorrected(
            stamp=s.stamp(tags.fact(1), *about, by=s.AUDITOR),
            of=1,
            text=s.said("The date was wrong.", subject),
        )
    )


def test_feedback_is_read_by_a_person() -> None:
    """A service that acts as itself reads nobody's feedback: nobody would owe the blind rule."""
    given(*aside(s.LOOP_OPENED)).when(
        c.NoteFeedbackViewed(loop=s.LOOP, viewed=(6,)), by="system", roles=f.ROLES
    ).refused(Forbidden, "feedback is read by a person; name the one who reads")


def test_a_service_that_reads_the_record_is_noted_without_a_person() -> None:
    """An export by a service names no viewer, and is about no loop unless it was of one."""
    given().when(c.NoteRecordViewed(what="export"), by="system", roles=f.ROLES).then(
        f.RecordViewed(stamp=s.stamp(by="system"), what="export")
    )
