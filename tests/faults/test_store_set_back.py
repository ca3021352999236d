"""The restore guard: a store that was set back behind what was signed takes no more facts."""

import shutil
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ledger.publish
from hall import Hall
from ledger.asked import Unavailable
from ledger.checkpoints import OutsideCopy, checkpoint_in
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.growth import Tip, grow
from ledger.ledger import Ledger
from ledger.log_keys import LogKeys, begin
from ledger.personal.keyring import KeyRing
from ledger.proof.tree import leaf_hash
from ledger.publish import Publishing
from ledger.restore_guard import TAIL_FACTS, RecordBehind
from office import open_office, rules
from set_back import run_as_superuser, set_back


@contextmanager
def opened(database: Database, data: Path) -> Generator[Hall]:
    """The ledger in this database with the keys and the copy in this directory."""
    keyring = KeyRing.open(data / "keys")
    with Ledger(database, keyring, rules(), Publishing.of(data)) as made:
        yield Hall(made)


def record(hall: Hall, count: int = 1) -> int:
    """More facts, all of them published; the position of the last."""
    done = [hall.ledger.submit(hall.a_stranger()).result(30) for _ in range(count)]
    position = done[-1].recorded[0].position
    assert hall.ledger.publisher.checkpoint_at_least(position).size >= position
    return position


def refused(database: Database, data: Path, *words: str) -> None:
    """A start that fails with all of these words, and leaves copy and rows as they are."""
    copy, before = OutsideCopy(data / "checkpoint").read(), _rows(database)
    with pytest.raises(RecordBehind) as why, opened(database, data):
        pytest.fail("it was opened")
    for word in words:
        assert word in str(why.value), str(why.value)
    assert (OutsideCopy(data / "checkpoint").read(), _rows(database)) == (copy, before)


def _rows(database: Database) -> list[tuple[int, ...]]:
    with database.connect("runtime") as connection:
        return connection.execute(
            "select (select count(*) from facts), (select count(*) from checkpoints)"
        ).fetchall()


@pytest.fixture
def data(database: Database, tmp_path: Path) -> Path:
    """A data directory beside a ledger of eleven facts, all of them signed."""
    with opened(database, tmp_path) as hall:
        record(hall, 11)
    return tmp_path


def test_a_store_that_is_ahead_of_the_copy_is_in_order(database: Database, data: Path) -> None:
    """As after a crash before signing, or where another server has signed since."""
    old = OutsideCopy(data / "checkpoint").read()
    assert old is not None
    with opened(database, data) as hall:
        record(hall, 3)
    OutsideCopy(data / "checkpoint").write(old)
    with opened(database, data) as hall:
        assert record(hall) == 15
    (data / "checkpoint").unlink()
    with opened(database, data) as hall:
        assert record(hall) == 16
    copy = OutsideCopy(data / "checkpoint").read()
    assert copy is not None
    assert checkpoint_in(copy).size == 16


def test_an_older_backup_is_not_started_on(
    server: Embedded, database: Database, data: Path
) -> None:
    """The copy outside says how many facts there were, and the message what to do."""
    set_back(server, database.schema, 7)
    refused(
        database,
        data,
        "signed over 11 facts, but the log has only 7",
        "restore the newest backup",
        "lost for good",
        "log-key begin",
    )


def test_an_older_backup_that_was_written_on_is_not_started_on(
    server: Embedded, database: Database, data: Path, tmp_path: Path
) -> None:
    """Long enough, and another history: two of them under one name would be a fork."""
    set_back(server, database.schema, 7)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copytree(data / "keys", elsewhere / "keys")
    with opened(database, elsewhere) as hall:
        record(hall, 6)
    refused(database, data, "signed over 11 facts that are not those in the log")


def test_an_emptied_log_is_not_started_on(server: Embedded, database: Database, data: Path) -> None:
    """Nor does the last row help, where it is all that was left."""
    run_as_superuser(server, database.schema, "truncate facts cascade")
    refused(database, data, "signed over 11 facts, but the log has only 0")
    (data / "checkpoint").unlink()
    refused(database, data, "The last checkpoint in the database", "only 0")


def test_facts_removed_from_under_their_tree_are_missed(
    server: Embedded, database: Database, data: Path
) -> None:
    """Also those that no checkpoint was over yet."""
    run_as_superuser(
        server,
        database.schema,
        "alter table tree_nodes drop constraint tree_nodes_position_fkey",
        "alter table tree_heads drop constraint tree_heads_size_fkey",
        "delete from checkpoints",
        "delete from fact_tags where position = 11",
        "delete from facts where position = 11",
    )
    (data / "checkpoint").unlink()
    refused(database, data, "The tree is over 11 facts, but the log has only 10")


REPLACED = b'{"type":"loop-opened.v1"}'


@pytest.mark.parametrize("position", [3, 8, 11])
def test_a_replaced_fact_is_found(
    server: Embedded, database: Database, data: Path, position: int
) -> None:
    """Its bytes alone, or with their hash: the tree was built over others."""
    where = f"where position = {position}"
    change = f"update facts set leaf = '{REPLACED.decode()}' {where}"
    run_as_superuser(server, database.schema, change)
    refused(database, data, "not of one log", "fsck")
    digest = leaf_hash(REPLACED).hex()
    run_as_superuser(server, database.schema, f"update facts set leaf_hash = '\\x{digest}' {where}")
    refused(database, data, "not of one log")


def test_a_replaced_fact_with_a_tree_to_match_is_found(
    server: Embedded, database: Database, data: Path
) -> None:
    """Whoever recomputes every hash still cannot sign: what was signed is not over these."""
    with database.connect("runtime") as connection:
        leaves = [
            leaf for (leaf,) in connection.execute("select leaf from facts order by position")
        ]
    leaves[4] = REPLACED
    hashes = [leaf_hash(leaf) for leaf in leaves]
    grown = grow(Tip(0, None, 0, b""), hashes)
    nodes = zip(grown.positions, grown.hashes, strict=True)
    run_as_superuser(
        server,
        database.schema,
        f"update facts set leaf = '{REPLACED.decode()}', leaf_hash = '\\x{hashes[4].hex()}' "
        "where position = 5",
        *(f"update tree_nodes set hashes = '\\x{h.hex()}' where position = {p}" for p, h in nodes),
        f"update tree_heads set root = '\\x{grown.root.hex()}', edge = '\\x{grown.edge.hex()}' "
        f"where size = {grown.size}",
    )
    refused(database, data, "signed over 11 facts that are not those in the log")


@pytest.mark.parametrize(
    "row",
    [
        "tree_nodes set hashes = sha256('') || sha256('') || sha256('') where position = 8",
        "tree_heads set root = sha256('') where size = 11",
        "tree_heads set edge = sha256('') || sha256('') || sha256('') where size = 11",
    ],
)
def test_a_changed_tree_is_found(
    server: Embedded, database: Database, data: Path, row: str
) -> None:
    """Each part of it is held against the facts, or against what was signed."""
    run_as_superuser(server, database.schema, f"update {row}")
    refused(database, data, "fsck")


def test_a_copy_or_a_row_of_other_keys_is_refused(
    server: Embedded, database: Database, data: Path, tmp_path: Path
) -> None:
    """Neither another log's keys nor a changed checkpoint lets the start believe it is behind."""
    copy = OutsideCopy(data / "checkpoint")
    note = copy.read()
    assert note is not None
    copy.write(note.replace(b"\n11\n", b"\n9\n"))
    refused(database, data, "does not verify with this log's keys", "invalid")
    other = LogKeys.open(tmp_path / "others", origin=checkpoint_in(note).origin)
    copy.write(other.sign(note.decode().partition("\n\n")[0] + "\n"))
    refused(database, data, "does not verify with this log's keys", "keys/log")
    refused(database, data, "move the file to a safe place, and take no older one from a backup")
    copy.write(b"")
    refused(database, data, "does not verify")
    copy.write(note)
    spoil = "update checkpoints set note = 'x' where size = 11"
    run_as_superuser(server, database.schema, spoil)
    refused(database, data, "The last checkpoint in the database is not one")


def test_a_copy_that_cannot_be_read_is_no_reason_to_sign_without(
    database: Database, data: Path
) -> None:
    """It is there, so it says something."""
    (data / "checkpoint").unlink()
    (data / "checkpoint").mkdir()
    with pytest.raises(RecordBehind, match="cannot be read"), opened(database, data):
        pytest.fail("it was opened")


def test_a_log_is_begun_anew_only_on_purpose(
    server: Embedded, database: Database, data: Path
) -> None:
    """After a loss for good: old copy and keys put away, a new name, the facts that are left."""
    set_back(server, database.schema, 7)
    refused(database, data)
    (data / "checkpoint").rename(data / "checkpoint.lost")
    (data / "keys" / "log").rename(data / "log.lost")
    begun = begin(data / "keys", "log.example.org/after-the-fire")
    with opened(database, data) as hall:
        assert record(hall) == 8
        latest = hall.ledger.publisher.latest()
    assert latest is not None
    assert checkpoint_in(latest.note).origin == begun.origin


def test_only_the_last_facts_are_read_at_a_start(
    server: Embedded, database: Database, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start stays fast however long the log: an old fact is left to fsck, a late one is not."""
    assert TAIL_FACTS >= 1000
    monkeypatch.setattr("ledger.restore_guard.TAIL_FACTS", 4)
    change = f"update facts set leaf = '{REPLACED.decode()}' where position ="
    run_as_superuser(server, database.schema, f"{change} 3")
    with opened(database, data) as hall:
        assert record(hall) == 12
    run_as_superuser(server, database.schema, f"{change} 9")
    refused(database, data, "At position 9")


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_running_server_notices_and_takes_no_writes_until_it_is_put_right(
    server: Embedded, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set back under its feet: 503 that says why, nothing signed or appended; then it goes on."""
    monkeypatch.setattr(ledger.publish, "LOOK_SECONDS", 0.05)
    with open_office(database, tmp_path) as office:

        def person(name: str) -> tuple[int, str]:
            body = {"id": name, "name": f"{name} Invented", "roles": ["interviewer"]}
            answer = office.call("POST", "/v1/people", body, token=office.admin)
            return answer.status, answer.text

        for number in range(9):
            assert person(f"p-{number}")[0] == 201
        head = office.ledger_head()
        office.ledger.publisher.checkpoint_at_least(head)
        tables = ("facts", "fact_tags", "requests", "tree_nodes", "tree_heads", "checkpoints")
        keep = [f"create table kept_{one} as select * from {one}" for one in tables]
        run_as_superuser(server, database.schema, *keep)
        set_back(server, database.schema, head - 4)
        _until(lambda: office.ledger.guard.refused is not None)
        copy, before = OutsideCopy(tmp_path / "checkpoint").read(), _rows(database)
        status, text = person("late")
        assert (status, f"but the log has only {head - 4}" in text) == (503, True)
        ready = office.call("GET", "/health/ready")
        assert (ready.status, "restore the newest backup" in ready.text) == (503, True)
        with pytest.raises(Unavailable, match="was set back"):
            office.ledger.publisher.checkpoint_at_least(head)
        assert office.call("GET", "/health/live").status == 200
        assert (OutsideCopy(tmp_path / "checkpoint").read(), _rows(database)) == (copy, before)
        back = [
            f"insert into {one} select * from kept_{one} on conflict do nothing" for one in tables
        ]
        run_as_superuser(server, database.schema, *back)
        _until(lambda: office.call("GET", "/health/ready").status == 200)
        assert person("late")[0] == 201
        assert office.ledger_head() == head + 1
