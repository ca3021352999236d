"""A ledger that was recorded before there was a tree gets one when it is opened."""

import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from facts_in_log import START, new, record
from ledger.catch_up import catch_up
from ledger.database import Connection, Database
from ledger.embedded.server import Embedded
from ledger.errors import LogDamaged
from ledger.migrate import MIGRATIONS, migrate
from ledger.nodes import Nodes
from ledger.proof.tree import leaf_hash
from ledger.recorder import Recorder
from naive_proofs import root_of
from office import open_office

ROOT = Path(__file__).resolve().parents[2]
SIZE = 1300
HASHES = tuple(leaf_hash(b"%d" % number) for number in range(SIZE))

IN_SMALL_PAGES = """
import sys
import psycopg
from ledger.catch_up import catch_up
from ledger.log import Log
with psycopg.connect(sys.stdin.readline().strip()) as connection:
    catch_up(connection, Log(sys.argv[1]), sys.argv[1], page=1)
"""


@pytest.fixture
def old(database: Database, tmp_path: Path) -> Database:
    """A ledger as the first release left it: facts, tags, and nothing of a tree."""
    shutil.copy(next(MIGRATIONS.glob("0001_*.sql")), tmp_path)
    with database.connect("owner", autocommit=True) as connection:
        connection.execute(f"drop schema {database.schema} cascade".encode())
        connection.execute(f"create schema {database.schema}".encode())
        migrate(
            connection,
            database.schema,
            names={
                "views": database.views,
                "runtime": "hireledger_runtime",
                "projector": "hireledger_projector",
            },
            directory=tmp_path,
        )
        connection.cursor().executemany(
            "insert into facts values (%s, 'old.v1', '{}', %s, %s, %s)",
            [(n + 1, b"%d" % n, HASHES[n], START) for n in range(SIZE)],
        )
    database.prepare()
    return database


def test_an_old_ledger_gets_its_tree_when_it_is_opened(old: Database, tmp_path: Path) -> None:
    """Opened and served, it goes on from its old facts, and the tree is over all of them."""
    with open_office(old, tmp_path) as office, office.ledger.reading() as group:
        assert group.head > SIZE
        nodes = office.ledger.store.nodes
        assert nodes.head(group.cur).size == group.head
        for size in (1, 2, 255, 256, 1024, SIZE - 1, SIZE):
            assert nodes.root_at(group.cur, size) == root_of(HASHES[:size])


def test_nothing_is_appended_before_the_tree_has_caught_up(old: Database) -> None:
    """An append would leave a hole in the tree: it is refused and told what to do."""
    recorder = Recorder(old)
    with old.connect("runtime") as connection:
        with pytest.raises(LogDamaged, match=r"1300 facts, the tree over it only 0. Start"):
            record(recorder, connection, [new()])
        assert catch_up(connection, recorder, old.schema, page=500) == SIZE
        assert catch_up(connection, recorder, old.schema) == 0
        assert record(recorder, connection, [new()]) == [SIZE + 1]


def test_catching_up_goes_on_where_it_was_killed(old: Database) -> None:
    """Each page is committed by itself; kill -9 loses none, and the rest is done by the next."""
    argv = [sys.executable, "-c", IN_SMALL_PAGES, old.schema]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, text=True, cwd=ROOT, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None
        process.stdin.write(old.conninfo("runtime") + "\n")
        process.stdin.flush()
        with old.connect("runtime", autocommit=True) as watching:
            while not 0 < (done := _size(old, watching)) < SIZE:
                assert done == 0, "it was done before it could be killed"
                assert process.poll() is None
                time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    with old.connect("runtime") as connection:
        left = _size(old, connection)
        connection.rollback()
        assert 0 < left < SIZE
        assert catch_up(connection, Recorder(old), old.schema) == SIZE - left
        with connection.cursor() as cur:
            assert Nodes(old.schema).head(cur)[:2] == (SIZE, root_of(HASHES))


def test_an_old_ledger_with_a_hole_is_not_opened(server: Embedded, old: Database) -> None:
    """A tree over facts that are not there would hide that they were removed."""
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"set search_path = {old.schema}".encode())
        connection.execute("alter table facts disable trigger all")
        connection.execute("delete from facts where position = 700")
    with (
        old.connect("runtime") as connection,
        pytest.raises(LogDamaged, match="facts were removed"),
    ):
        catch_up(connection, Recorder(old), old.schema)


def test_of_two_that_catch_up_one_waits_for_the_other(old: Database) -> None:
    """Both begin at once and take turns under the lock; every node is there once."""
    recorder = Recorder(old)

    def one(_: int) -> int:
        with old.connect("runtime") as connection:
            return catch_up(connection, recorder, old.schema, page=100)

    with old.connect("runtime") as holding, ThreadPoolExecutor(2) as threads:
        with holding.transaction(), holding.cursor() as cur:
            recorder.lock(cur)
            both = threads.map(one, range(2))
        assert sum(both) == SIZE
        assert holding.execute("select count(*) from tree_nodes").fetchone() == (SIZE // 2,)
        assert holding.execute("select count(*) from tree_heads").fetchone() == (SIZE // 100,)


def _size(database: Database, connection: Connection) -> int:
    with connection.cursor() as cur:
        return Nodes(database.schema).head(cur).size
