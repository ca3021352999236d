"""What holds for every command alike: its facts, who may ask, the clock, where it came from."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.codec import encode
from domain.decide.context import AHEAD_MAX
from domain.decide.entitled import ROLES_FOR
from domain.facts import ROLES, Role
from domain.refusals import Forbidden, Meaningless, Missing
from examples import EXAMPLES
from examples_early import SOURCE, Example
from scenario import concluded, given, sealed
from story import ATS, DAY, HOUR, NOW, STRANGER

NOTES = (c.NoteFeedbackViewed, c.NoteRecordViewed)
ASKED = [one for one in EXAMPLES if not isinstance(one.command, NOTES)]
"""The examples but for what the ledger notes by itself when somebody reads."""

FOR_A_TEAM = (
    c.ChangeRequisition,
    c.ApproveScorecard,
    c.VersionPosting,
    c.OpenLoop,
    c.GrantRequisitionException,
)
NOT_OF_THE_LOOP = (
    "this person is neither named by the requisition's team nor an interviewer of this loop; "
    "change the team, the plan or the replacement first"
)
NOT_NAMED = {
    "the requisition's team does not name this person; change the team first",
    "the requisition's team names someone else in this capacity",
    NOT_OF_THE_LOOP,
}


def name_of(example: Example) -> str:
    """The command's name, for the test's id."""
    return type(example.command).__name__


def lacking(command: c.AnyCommand) -> set[str]:
    """What somebody hears who lacks the role: which would do, or that the loop is not theirs."""
    wanted = " or ".join(sorted(ROLES_FOR[type(command)]))
    return {f"this needs the role {wanted}; an administrator can grant it", *NOT_NAMED}


def test_every_command_has_one_example_and_one_line_in_the_table_of_roles() -> None:
    """No command is forgotten, neither by these tests nor by the table that the routes use."""
    assert sorted(map(name_of, EXAMPLES)) == sorted(k.__name__ for k in c.ALL_COMMANDS)
    assert set(ROLES_FOR) == set(c.ALL_COMMANDS)
    assert all(ROLES_FOR[kind] <= set(ROLES) and ROLES_FOR[kind] for kind in c.ALL_COMMANDS)


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_a_command_makes_exactly_the_facts_of_its_example(example: Example) -> None:
    """Whoever may ask, after the facts it depends on, gets these facts and nothing more."""
    given(*example.given).when(example.command, by=example.by).then(*example.made)


@pytest.mark.parametrize("example", ASKED, ids=name_of)
def test_a_person_with_every_other_role_is_refused(example: Example) -> None:
    """No role but those in the table allows a command."""
    allowed = ROLES_FOR[type(example.command)]
    roles: list[Role] = [role for role in ROLES if role not in allowed]
    outcome = given(*example.given).when(example.command, by=example.by, roles=roles)
    assert isinstance(outcome.drafted, Forbidden)
    assert outcome.drafted.detail in lacking(example.command)


@pytest.mark.parametrize(
    "example",
    [
        one
        for one in ASKED
        if isinstance(one.command, (c.LoopCommand, *FOR_A_TEAM))
        and not isinstance(one.command, c.DiscloseRelationship)
    ],
    ids=name_of,
)
def test_a_stranger_to_the_team_is_refused_whatever_their_roles(example: Example) -> None:
    """Roles are not enough where a requisition's team, or a loop's interviewers, are meant."""
    outcome = given(*example.given).when(example.command, by=STRANGER, roles=ROLES)
    assert isinstance(outcome.drafted, Forbidden)
    assert outcome.drafted.detail in NOT_NAMED


@pytest.mark.parametrize(
    "example",
    [one for one in ASKED if isinstance(one.command, c.LoopCommand)],
    ids=name_of,
)
def test_a_command_about_an_unknown_loop_is_not_found(example: Example) -> None:
    """A loop that was never opened has nothing to say."""
    given().when(example.command, by=example.by).refused(Missing, "no such loop")


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_a_time_more_than_five_minutes_ahead_is_refused(example: Example) -> None:
    """Clocks may differ by five minutes; beyond that a report of the future is a mistake."""
    ahead = replace(example.command, at=NOW + AHEAD_MAX + HOUR / 3600)
    given(*example.given).when(ahead, by=example.by).refused(
        Meaningless,
        "a report cannot lie more than 5 minutes in the future; check the sender's clock",
        "/at",
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
@pytest.mark.parametrize("at", [NOW + AHEAD_MAX, NOW - 400 * DAY], ids=["ahead", "long-ago"])
def test_a_claimed_time_is_kept_beside_the_time_of_recording(
    example: Example, at: datetime
) -> None:
    """Facts say when it happened, and apart from it when the ledger heard."""
    if isinstance(example.command, c.MakeDecision) and at < NOW:
        # Not before the gate that it rests on, which is a rule of its own.
        at = max(one.stamp.at for one in example.given if isinstance(one, f.EvidenceGatePassed))
    drafted = given(*example.given).when(replace(example.command, at=at), by=example.by).draft()
    for fact in concluded(drafted):
        assert (fact.stamp.at, fact.stamp.recorded) == (at, NOW)


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_a_source_is_kept_and_can_be_found_again(example: Example) -> None:
    """What was copied from another system is found by the keyed digest of its id there."""
    command = replace(example.command, source=SOURCE)
    drafted = given(*example.given).when(command, by=example.by).draft()
    for fact in concluded(drafted):
        assert fact.stamp.source == ATS
        assert tags.source(ATS.id_mac) in fact.stamp.tags


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_a_draft_with_personal_words_cannot_be_stored(example: Example) -> None:
    """Words about a person keep a draft from being stored until they are sealed."""
    drafted = given(*example.given).when(example.command, by=example.by).draft()
    for fact in concluded(drafted):
        if fact == sealed(fact):
            encode(fact)
        else:
            with pytest.raises(TypeError):
                encode(fact)
