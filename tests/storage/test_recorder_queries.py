"""A boundary selects exactly the facts that match it, whatever the types, tags and plans are."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from eventsourcing.dcb.api import DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.dcb.popo import InMemoryDCBRecorder
from eventsourcing.persistence import ProgrammingError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg import Cursor
from psycopg.rows import TupleRow

from domain.findings import Item
from facts_in_log import START, new, record
from ledger import log, recorder
from ledger._log_sql import LogSql
from ledger.database import Database
from ledger.recorder import NewRow, Recorder, Row

TYPES = ("loop-opened.v1", "loop-planned.v1", "loop-closed.v1", "loop")
TAGS = ("loop:a", "loop:b", "loop", 'odd"\\{', "NULL", "é")


class Asked(NamedTuple):
    """A log, and a question about it."""

    rows: list[NewRow]
    items: list[Item]
    after: int
    upto: int | None


def subsets(words: Sequence[str], at_least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """Some of the words in any order, now and then the same word twice."""
    return st.lists(st.sampled_from(words), min_size=at_least, max_size=4).map(tuple)


ROWS = st.builds(
    NewRow,
    type=st.sampled_from(TYPES),
    tags=subsets(TAGS),
    leaf=st.binary(max_size=3),
    recorded=st.just(START),
)
ITEMS = st.builds(Item, types=subsets(TYPES), tags=subsets(TAGS, at_least=1))
QUESTIONS = st.builds(
    Asked,
    rows=st.lists(ROWS, max_size=12),
    items=st.lists(ITEMS, max_size=4),
    after=st.integers(0, 6),
    upto=st.none() | st.integers(0, 12),
)


def filtered(asked: Asked) -> list[Row]:
    """The answer by looking at every fact."""
    last = len(asked.rows) if asked.upto is None else asked.upto
    return [
        Row(position, row.type, row.tags, row.leaf)
        for position, row in enumerate(asked.rows, 1)
        if asked.after < position <= last
        and any(
            (not item.types or row.type in item.types) and all(tag in row.tags for tag in item.tags)
            for item in asked.items
        )
    ]


@pytest.mark.parametrize("kept_from", [0, log.PLANS_KEPT_FROM], ids=["kept plans", "fresh plans"])
def test_select_and_moved_agree_with_looking_at_every_fact(
    database: Database, monkeypatch: pytest.MonkeyPatch, kept_from: int
) -> None:
    """The index answers what a plain filter over all facts answers, in the same order."""
    monkeypatch.setattr(log, "PLANS_KEPT_FROM", kept_from)
    of_ledger = Recorder(database)

    with database.connect("runtime") as connection, connection.cursor() as cur:

        @given(QUESTIONS)
        @example(Asked([new(b"", "loop:a")] * 3, [Item(tags=("loop:a",))] * 2, 1, 2))
        @settings(max_examples=200, deadline=None)
        def check(asked: Asked) -> None:
            of_ledger.lock(cur)
            of_ledger.insert(cur, asked.rows)
            found = of_ledger.select(cur, asked.items, after=asked.after, upto=asked.upto)
            moved = of_ledger.moved(cur, asked.items, asked.after)
            connection.rollback()
            assert found == filtered(asked)
            assert moved == bool(filtered(asked._replace(upto=None)))

        check()


def test_an_item_without_a_tag_is_refused(database: Database) -> None:
    """A boundary that would name the whole log is a mistake, and no boundary names nothing."""
    of_ledger = Recorder(database)
    with database.connect("runtime") as connection, connection.cursor() as cur:
        record(of_ledger, connection, [new(b"", "x")])
        for items in ([Item()], [Item(tags=("x",)), Item(types=("loop-opened.v1",))]):
            with pytest.raises(ValueError, match="give it a tag"):
                of_ledger.select(cur, items)
            with pytest.raises(ValueError, match="give it a tag"):
                of_ledger.moved(cur, items, 0)
        assert of_ledger.select(cur, []) == []
        assert not of_ledger.moved(cur, [], 0)


LIBRARY_ITEMS = st.builds(
    DCBQueryItem, types=subsets(TYPES).map(list), tags=subsets(TAGS).map(list)
)


def test_the_librarys_queries_answer_as_its_recorder_in_memory_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also untagged items and several types are answered, over pages, with the same head."""
    monkeypatch.setattr(recorder, "PAGE_FACTS", 3)
    in_memory = InMemoryDCBRecorder()
    events = [
        DCBEvent(TYPES[number % 3], b"%d" % number, list(TAGS[number % 4 : number % 7]))
        for number in range(40)
    ]
    with Recorder(database) as of_ledger:
        assert of_ledger.append(events) == in_memory.append(events) == 40

        @given(
            st.lists(LIBRARY_ITEMS, max_size=3).map(DCBQuery),
            st.none() | st.integers(0, 45),
            st.none() | st.integers(0, 20),
        )
        @settings(max_examples=100, deadline=None)
        def check(query: DCBQuery, after: int | None, limit: int | None) -> None:
            ours = of_ledger.read(query, after=after, limit=limit)
            theirs = in_memory.read(query, after=after, limit=limit)
            assert ours.head == theirs.head
            assert list(ours) == list(theirs)

        check()


def test_appending_nothing_is_refused(database: Database) -> None:
    """As with the library's recorders, and nothing is recorded."""
    with Recorder(database) as of_ledger:
        with pytest.raises(ProgrammingError, match="at least one"):
            of_ledger.append([])
        assert of_ledger.read().head is None


def test_a_rare_tag_is_looked_up_before_a_common_one(database: Database) -> None:
    """With several tags in an item, the order in which they are given does not decide the cost."""
    of_ledger = Recorder(database)
    with database.connect("runtime") as connection:
        many = [new(b"x" * 1_000, "common", "other")] * 5_000
        record(of_ledger, connection, [*many, new(b"rare", "rare", "common")])
        with database.connect("owner", autocommit=True) as owner:
            owner.execute("analyze facts, fact_tags")
        with connection.cursor() as cur:
            for tags in (("common", "rare"), ("rare", "common")):
                item = Item(types=("session-completed.v1",), tags=tags)
                assert [row.leaf for row in of_ledger.select(cur, [item])] == [b"rare"]
                assert blocks_read(cur, database.schema, item) < 100  # 5,000 facts are far more


def test_types_are_told_apart_without_visiting_the_facts(database: Database) -> None:
    """A requisition's few facts are found fast, however many loops carry its tag."""
    of_ledger = Recorder(database)
    with database.connect("runtime") as connection:
        many = [new(b"x" * 1_000, "busy", of="loop-opened.v1")] * 5_000
        record(of_ledger, connection, [*many, new(b"few", "busy", of="requisition-changed.v1")])
        with database.connect("owner", autocommit=True) as owner:
            owner.execute("analyze facts, fact_tags")
        with connection.cursor() as cur:
            types = ("requisition-opened.v1", "requisition-changed.v1")
            item = Item(types=types, tags=("busy",))
            assert [row.leaf for row in of_ledger.select(cur, [item])] == [b"few"]
            assert blocks_read(cur, database.schema, item) < 100  # 5,000 facts are far more


def blocks_read(cur: Cursor[TupleRow], schema: str, item: Item) -> int:
    """Blocks of 8 kB that the server looked into to answer."""
    statements = LogSql(schema)
    asked = statements.facts_at(statements.matching([item], 0))
    explain = b"explain (analyze, buffers, format json) " + asked.text
    ((plans,),) = cur.execute(explain, asked.params, prepare=False).fetchall()
    return int(plans[0]["Plan"]["Shared Hit Blocks"] + plans[0]["Plan"]["Shared Read Blocks"])


def test_plans_are_kept_only_once_the_log_is_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan made for a few facts reads whole tables, so it must not outlive them."""
    monkeypatch.setattr(log, "PLANS_KEPT_FROM", 30)
    of_ledger = Recorder(database)
    kept = "select count(*) from pg_prepared_statements where statement like '%fact_tags%'"
    with database.connect("runtime") as connection, connection.cursor() as cur:
        for expected in (0, 1):
            record(of_ledger, connection, [new(b"", "x")] * 20)
            of_ledger.head(cur)
            for _ in range(10):
                of_ledger.select(cur, [Item(tags=("x",))])
            assert cur.execute(kept).fetchone() == (expected,)
