"""The list of loops: every filter, page by page, and nothing that the reader may not see."""

from collections.abc import Generator
from datetime import timedelta
from itertools import combinations

import psycopg
import pytest

import story as s
from api.reads.listing import seen_by
from domain.decide.entitled import interviewers_of
from domain.facts import Role
from domain.refusals import Missing
from domain.state import Loop
from domain.summary import STAGES, Stage, stage_of
from domain.values import SYSTEM
from followed import append
from ledger.asked import Caller
from ledger.blind_rule import Reader, check_may_read
from ledger.database import Connection, Database
from ledger.embedded.server import Embedded
from loop_walk import PEOPLE, REQUISITIONS, Walk
from projections import NotBuilt, Site, rebuild
from projections.loop_list import LoopPage, Sees, Wanted, list_loops

ROLES: tuple[Role, ...] = ("interviewer", "hiring_manager", "auditor", "administrator")
ANY = Wanted()
ALL = Sees(everything=True)


class Season:
    """Many loops, listed and folded."""

    def __init__(self, database: Database, walk: Walk, connection: Connection) -> None:
        self.walk = walk
        self.site = Site.of(database)
        self.connection = connection
        ordered = sorted(walk.loops.values(), key=lambda loop: loop.opened.position)
        self.loops: tuple[Loop, ...] = tuple(ordered)

    def page(self, wanted: Wanted = ANY, sees: Sees = ALL, **page: int) -> LoopPage:
        """One page."""
        with self.connection.cursor() as cur:
            return list_loops(cur, self.site, wanted, sees, **page)

    def found(self, wanted: Wanted = ANY, sees: Sees = ALL) -> list[str]:
        """The loops on one long page."""
        return [row.loop for row in self.page(wanted, sees).rows]


@pytest.fixture(scope="module")
def season(server: Embedded) -> Generator[Season]:
    """Forty loops over two requisitions, in all sorts of states."""
    database = Database.embedded(server, schema="t_loop_list")
    database.prepare()
    walk = Walk(41, loops=40)
    append(database, walk.take(1000))
    rebuild(database)
    with database.connect("runtime", autocommit=True) as connection:
        yield Season(database, walk, connection)


@pytest.mark.parametrize("stage", STAGES)
def test_loops_are_found_by_stage(season: Season, stage: Stage) -> None:
    """Exactly the loops in that stage, or in one of several."""
    for other in STAGES:
        those = [x.handle for x in season.loops if stage_of(x) in {stage, other}]
        assert season.found(Wanted(stages=(stage, other))) == those


def test_loops_are_found_by_requisition_and_candidate(season: Season) -> None:
    """Exactly those; a slug or handle that nobody has finds none."""
    for slug in REQUISITIONS:
        those = [x.handle for x in season.loops if x.opened.fact.requisition == slug]
        assert season.found(Wanted(requisition=slug)) == those
        assert 0 < len(those) < len(season.loops)
    for loop in season.loops:
        assert season.found(Wanted(candidate=loop.opened.fact.candidate)) == [loop.handle]
    assert season.found(Wanted(candidate=s.OTHER_CANDIDATE)) == []
    assert season.found(Wanted(requisition="nothing")) == []


def test_loops_are_found_by_who_owes_feedback(season: Season) -> None:
    """Exactly the loops in which that person still has to write."""
    found = 0
    for person in (*PEOPLE, s.STRANGER):
        those = [x.handle for x in season.loops if person in {debtor for _, debtor in x.owes()}]
        assert season.found(Wanted(owed_by=person)) == those
        found += len(those)
    assert found > len(PEOPLE)


def test_loops_are_found_by_age(season: Season) -> None:
    """Opened at or after a time, and before a time; two meet without gap or overlap."""
    times = sorted(loop.opened.fact.stamp.at for loop in season.loops)
    for time in (times[0], times[len(times) // 2], times[-1] + timedelta(days=1)):
        older = season.found(Wanted(opened_before=time))
        newer = season.found(Wanted(opened_after=time))
        assert older == [x.handle for x in season.loops if x.opened.fact.stamp.at < time]
        assert sorted(older + newer) == sorted(season.walk.loops)


def test_conditions_hold_together(season: Season) -> None:
    """With several, a loop must meet every one."""
    wanted = Wanted(stages=STAGES[:7], requisition=REQUISITIONS[0], owed_by=s.ANA)
    those = [
        x.handle
        for x in season.loops
        if stage_of(x) in STAGES[:7]
        and x.opened.fact.requisition == REQUISITIONS[0]
        and s.ANA in {person for _, person in x.owes()}
    ]
    assert season.found(wanted) == those
    assert 0 < len(those) < len(season.loops) / 2


@pytest.mark.parametrize("limit", [1, 3, 39, 40, 1000])
def test_pages_together_are_the_list(season: Season, limit: int) -> None:
    """Following `next` gives every loop once, in order, and then says that there is no more."""
    found: list[str] = []
    after: int | None = 0
    while after is not None:
        page = season.page(after=after, limit=limit)
        assert 0 < len(page.rows) <= limit
        assert page.position == season.walk.head
        found += [row.loop for row in page.rows]
        after = page.next
    assert found == [loop.handle for loop in season.loops]


def test_an_empty_page_tells_the_position_all_the_same(season: Season) -> None:
    """Nobody has to guess how old the answer `nothing` is."""
    page = season.page(after=season.walk.head)
    assert page == LoopPage((), None, season.walk.head)


@pytest.mark.parametrize("person", [*PEOPLE, s.AUDITOR, s.STRANGER, SYSTEM])
def test_a_reader_sees_in_the_list_what_they_may_read(season: Season, person: str) -> None:
    """With any roles, the list has exactly the loops that a read of that loop would show."""
    for number in range(len(ROLES) + 1):
        for roles in combinations(ROLES, number):
            reader = _reader(person, *roles)
            those = [x.handle for x in season.loops if _may_read(reader, x, season.walk)]
            assert season.found(sees=seen_by(reader)) == those


def test_the_season_tells_readers_apart(season: Season) -> None:
    """The test before would not pass for a list that shows everything, or nothing."""
    seen = {role: len(season.found(sees=seen_by(_reader(s.CAY, role)))) for role in ROLES}
    assert seen["administrator"] == 0 < seen["interviewer"] < seen["auditor"]
    assert seen["interviewer"] == len([x for x in season.loops if s.CAY in interviewers_of(x)])
    assert seen["auditor"] == len(season.loops) == 40


def _reader(person: str, *roles: Role) -> Reader:
    caller = Caller(key_id=s.KEY, actor=person, assurance="own_key", limit=None)
    return Reader(caller, frozenset(roles))


def _may_read(reader: Reader, loop: Loop, walk: Walk) -> bool:
    try:
        check_may_read(reader, loop, walk.requisitions[loop.opened.fact.requisition])
    except Missing:
        return False
    return True


def test_before_the_first_build_there_is_no_list(database: Database) -> None:
    """An empty list would say that there are no loops, which nobody knows yet."""
    with (
        database.connect("runtime") as connection,
        connection.cursor() as cur,
        pytest.raises(NotBuilt, match="first time"),
    ):
        list_loops(cur, Site.of(database), ANY, ALL)


def test_the_role_for_requests_may_read_the_list_and_change_nothing(season: Season) -> None:
    """What requests run as owns none of the tables; only the projector's role writes them."""
    for statement in ("delete from {loops}", "update {followed} set position = 0"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            season.connection.execute(season.site.text(statement))
