"""After an erasure no file of the cluster but the write-ahead log holds what leads to the person:
neither the wrapped key that opens their words, nor the keyed digests that lead from ids to handles.

Whoever takes the disk later, with the keys that are left, looks into these files.
"""

import shutil
import time
from collections.abc import Generator
from pathlib import Path
from secrets import token_bytes
from typing import Any, NamedTuple

import pytest

from cluster_files import files_with
from domain import facts as f
from erasures import erasing
from hall import Hall, open_hall
from ledger.database import Connection, Database
from ledger.embedded.server import Embedded
from ledger.migrate import MIGRATIONS, migrate, read_migrations
from ledger.personal import erase

_COPIES = "select count(*) from pg_stats where schemaname = %s and attname in ('wrapped', 'lookup')"
_FILES = "select array_agg(relfilenode order by relfilenode) from pg_class where relnamespace"
_PATHS = "select array_agg(pg_relation_filepath(oid)) from pg_class where relnamespace"
_BEFORE = "0005"


class Place(NamedTuple):
    """A server of its own, with one ledger that is served."""

    server: Embedded
    database: Database
    hall: Hall


@pytest.fixture(scope="module")
def place(
    programs: Path, passable_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Place]:
    """Its files are searched: nothing else is in them."""
    data = passable_dir / f"searched-{programs.parent.name}"
    fast = {"fsync": "off", "full_page_writes": "off"}
    with Embedded.start(data, binaries=programs, settings=fast, watch=False) as server:
        database = Database.embedded(server)
        database.prepare()
        with open_hall(database, tmp_path_factory.mktemp("searched")) as hall:
            hall.open_requisition("r-1")
            yield Place(server, database, hall)
    shutil.rmtree(data)


@pytest.fixture
def owner(place: Place) -> Generator[Connection]:
    """As the owner; commits each statement."""
    with place.database.connect("owner", autocommit=True) as connection:
        yield connection


def one(connection: Connection, query: str, *given: object) -> Any:
    """The first column of the first row."""
    (row,) = connection.execute(query.encode(), given).fetchall()
    return row[0]


def secrets_of(owner: Connection, opened: f.LoopOpened) -> dict[str, bytes]:
    """What must be gone with a candidate: their key, and what finds them and their loop by id."""
    lookup = "select lookup from aliases where handle = %s"
    return {
        "key": one(owner, "select wrapped from subject_keys where subject = %s", opened.candidate),
        "candidate's id": one(owner, lookup, opened.candidate),
        "loop's id": one(owner, lookup, opened.loop),
    }


def wait_until_vacuumed(hall: Hall) -> None:
    """Until nothing is left to vacuum."""
    deadline = time.monotonic() + 30
    while True:
        with hall.ledger.reading() as group:
            if group.store.erasures.pending(group.cur) is None:
                return
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_no_file_holds_the_key_or_an_id_of_the_erased(place: Place, owner: Connection) -> None:
    """Also where statistics were made while the person was there, as PostgreSQL does by itself."""
    ada, bo = (place.hall.open_loop(slug, "r-1") for slug in ("ada", "bo"))
    gone, stays = secrets_of(owner, ada), secrets_of(owner, bo)
    owner.execute("analyze")
    assert {name for _, name in files_with(place.server, gone)} == set(gone)
    place.hall.ask("paul", erasing("candidate-of-ada")).result(20)
    wait_until_vacuumed(place.hall)
    assert files_with(place.server, gone) == set()
    assert {name for _, name in files_with(place.server, stays)} == set(stays)


def test_statistics_never_copy_what_must_be_erasable(place: Place, owner: Connection) -> None:
    """However often ANALYZE runs: the keys and ids of those who are there are in no statistics."""
    secrets = secrets_of(owner, place.hall.open_loop("cy", "r-1"))
    owner.execute("analyze")
    assert one(owner, _COPIES, place.database.schema) == 0
    own = one(owner, f"{_PATHS} = %s::regnamespace", place.database.schema)
    holding = {where for where, _ in files_with(place.server, secrets)}
    assert holding
    assert holding <= set(own)


def test_a_ledger_from_before_forgets_what_was_copied(place: Place, tmp_path: Path) -> None:
    """The key in its statistics and the id in its file go: the next start sees that it must."""
    ledger = old_ledger(place, tmp_path)
    secrets = {"key": token_bytes(60), "id": token_bytes(32)}
    with ledger.connect("owner", autocommit=True) as connection:
        record_somebody_and_erase_them(connection, secrets)
        assert one(connection, _COPIES, ledger.schema) == 2
        before = one(connection, f"{_FILES} = %s::regnamespace", ledger.schema)
    with place.database.connect("runtime") as old:
        old.execute("set transaction isolation level repeatable read")
        old.execute("select 1")  # so that nothing takes the place of what is dead now
        ledger.prepare()
        assert {name for _, name in files_with(place.server, secrets)} == set(secrets)
    with ledger.connect("owner", autocommit=True) as connection:
        after = one(connection, f"{_FILES} = %s::regnamespace", ledger.schema)
        assert after == before, "no table is rewritten while the start waits"
        assert one(connection, "select max(position) from unvacuumed_erasures") == 1
        assert one(connection, _COPIES, ledger.schema) == 0
        assert erase.vacuum_keys(ledger)
        assert files_with(place.server, secrets) == set()
        assert one(connection, "select count(*) from unvacuumed_erasures") == 0
        connection.execute("analyze")
        assert one(connection, _COPIES, ledger.schema) == 0


def old_ledger(place: Place, tmp_path: Path) -> Database:
    """An empty one as an older version left it."""
    files = Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))
    for later in read_migrations():
        if later.version >= _BEFORE:
            (files / later.name).unlink()
    ledger = Database.embedded(place.server, schema="from_before")
    names = {role: ledger.role_name(role) for role in ("runtime", "projector")}
    with ledger.connect("owner", autocommit=True) as connection:
        connection.execute("create schema from_before")
        connection.execute("create schema from_before_views authorization hireledger_projector")
        migrate(connection, ledger.schema, names=names, directory=files)
    return ledger


def record_somebody_and_erase_them(connection: Connection, secrets: dict[str, bytes]) -> None:
    """As it was done before: only the table of keys was written anew."""
    connection.execute(
        "insert into subject_keys select 'c_' || i, 'subject', sha256(i::text::bytea) || '\\x00' "
        "from generate_series(1, 30) i"
    )
    connection.execute(
        "insert into aliases select sha256(i::text::bytea), 'candidate', 'c_' || i, 'c_' || i, '' "
        "from generate_series(1, 30) i"
    )
    connection.execute("insert into subject_keys values ('c_x', 'subject', %s)", [secrets["key"]])
    connection.execute(
        "insert into aliases values (%s, 'candidate', 'c_x', 'c_x', '')", [secrets["id"]]
    )
    connection.execute("analyze")
    connection.execute("delete from subject_keys where subject = 'c_x'")
    connection.execute("delete from aliases where subject = 'c_x'")
    connection.execute(
        "insert into facts values (1, 'subject-erased.v1', '{}', '', sha256(''), now())"
    )
    connection.execute("vacuum full subject_keys")
