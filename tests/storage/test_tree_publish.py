"""Publishing: signed soon after recording, consistent whoever signs, never in the way."""

import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import ledger.publish
from hall import Hall, open_hall, record, until
from ledger.asked import Unavailable
from ledger.checkpoints import Checkpoints, OutsideCopy, PublishedCheckpoint, checkpoint_in
from ledger.database import Connection, Database
from ledger.ledger import Ledger
from ledger.log_keys import LogKeys, rotate
from ledger.personal.keyring import KeyRing
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, Verifier, format_signature, open_note, parse_note
from ledger.proof.proofs import verify_consistency
from ledger.proof.witness_policy import parse_policy
from ledger.publish import Publishing
from office import open_office, rules

PERSON = {"id": "late", "name": "Late Invented", "roles": ["interviewer"]}


@pytest.fixture
def hall(database: Database, tmp_path: Path) -> Generator[Hall]:
    """A ledger after its first start."""
    with open_hall(database, tmp_path, furnished=False) as opened:
        yield opened


def size(hall: Hall) -> int:
    """How many facts are published."""
    return hall.ledger.publisher.standing().position


def rows(database: Database) -> list[tuple[int, bytes]]:
    """Every checkpoint row, in the order of signing."""
    with database.connect("runtime") as connection:
        found = connection.execute("select size, note from checkpoints order by signed")
        return [(size, note) for size, note in found.fetchall()]


def test_what_is_recorded_is_published_soon_and_by_itself(
    hall: Hall, database: Database, tmp_path: Path
) -> None:
    """Nobody asks; the checkpoint is over every fact, and outside it is the same."""
    position = record(hall)
    until(lambda: size(hall) >= position)
    latest = hall.ledger.publisher.latest()
    assert latest is not None
    keys = LogKeys.open(tmp_path / "keys")
    note, _ = open_note(latest.note, [Verifier.from_vkey(keys.vkeys[0])])
    assert note.text.startswith(f"{keys.origin}\n{position}\n")
    with hall.ledger.reading() as group:
        assert hall.ledger.store.nodes.root_at(group.cur, position) == latest.root
        assert hall.ledger.publisher.published(group.cur) == latest
    assert OutsideCopy(tmp_path / "checkpoint").read() == latest.note
    assert rows(database)[-1] == (position, latest.note)


def test_many_commits_share_a_signature(hall: Hall, database: Database) -> None:
    """Recording goes on meanwhile; far fewer checkpoints than commits."""
    position = [record(hall) for _ in range(30)][-1]
    until(lambda: size(hall) >= position)
    with database.connect("runtime") as connection:
        commits = connection.execute("select count(*) from tree_heads").fetchall()[0][0]
    assert len(rows(database)) < commits


def test_a_checkpoint_that_is_asked_for_is_made_at_once(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who proves a fact does not wait for the next round."""
    monkeypatch.setattr(ledger.publish, "PAUSE_SECONDS", 3600.0)
    first = hall.ledger.publisher.checkpoint_at_least(record(hall))
    again = hall.ledger.publisher.checkpoint_at_least(first.size)
    assert again is first
    position = record(hall)
    assert hall.ledger.publisher.checkpoint_at_least(position).size >= position


def test_a_position_that_is_not_recorded_has_no_checkpoint(hall: Hall) -> None:
    """The wait has an end, and says what it waited for."""
    with pytest.raises(Unavailable, match="no checkpoint over position 1000 is published"):
        hall.ledger.publisher.checkpoint_at_least(1000, timeout=0.1)


def test_closing_publishes_what_was_recorded_last(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that records and ends leaves nothing unsigned."""
    monkeypatch.setattr(ledger.publish, "PAUSE_SECONDS", 3600.0)
    with open_hall(database, tmp_path, furnished=False) as hall:
        position = record(hall)
    assert rows(database)[-1][0] == position


def test_a_publisher_that_cannot_write_outside_holds_nobody_up(
    hall: Hall, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recording goes on, nothing unsaved becomes a row, and it is told; later it is made good."""
    until(lambda: size(hall) > 0)
    before = rows(database)

    def full(_: OutsideCopy, __: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(OutsideCopy, "write", full)
        position = record(hall)
        with pytest.raises(Unavailable, match="No space left on device"):
            hall.ledger.publisher.checkpoint_at_least(position, timeout=1)
        problem = str(hall.ledger.publisher.standing().problem)
        assert "`checkpoint` in the data directory cannot be written (No space" in problem
        assert "Free space on its disk" in problem
        assert record(hall) == position + 1
        assert rows(database) == before
    assert hall.ledger.publisher.checkpoint_at_least(position + 1).size == position + 1
    until(lambda: hall.ledger.publisher.standing().problem is None)


def test_a_copy_that_cannot_be_written_is_logged_once_and_shown(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs it learns which file, why and what to do; trying again fills no log."""
    monkeypatch.setattr(ledger.publish, "RETRY_SECONDS", 0.01)
    with open_office(database, tmp_path) as office, capture_logs() as said:
        until(lambda: office.ledger.publisher.standing().position == office.ledger_head())
        before = rows(database)
        in_the_way = tmp_path / "checkpoint.new"
        in_the_way.mkdir()
        office.call("POST", "/v1/people", PERSON, token=office.admin)
        tried: list[int] = []
        publisher = office.ledger.publisher
        attempt = publisher._publish  # pyright: ignore[reportPrivateUsage]

        def again(connection: Connection) -> str | None:
            tried.append(1)
            return attempt(connection)

        monkeypatch.setattr(publisher, "_publish", again)
        until(lambda: len(tried) > 5)
        ready = office.call("GET", "/health/ready")
        assert (ready.status, ready["status"]) == (200, "ready")
        problem = ready["published"]["problem"]
        assert problem.startswith("`checkpoint` in the data directory cannot be written (")
        assert "make the directory writable" in problem
        in_the_way.rmdir()
        until(lambda: publisher.standing() == (office.ledger_head(), None))
    event = "checkpoint cannot be written to its file"
    assert [one["event"] for one in said if one["log_level"] == "error"] == [event]
    assert len(rows(database)) > len(before)


@pytest.mark.parametrize(
    "own_data", [False, True], ids=["one directory", "directories of their own"]
)
def test_two_that_publish_one_log_are_consistent(
    database: Database, tmp_path: Path, own_data: bool
) -> None:
    """Every checkpoint goes on from the one before, and each outside copy is of this log."""
    second = tmp_path / "second" if own_data else tmp_path
    with open_hall(database, tmp_path, furnished=False) as hall:
        keys = LogKeys.open(tmp_path / "keys")
        how = Publishing.of(second, keys)
        second.mkdir(exist_ok=True)
        with Ledger(database, KeyRing.open(tmp_path / "keys"), rules(), how) as other:
            both = [hall, Hall(other)]
            with ThreadPoolExecutor(2) as threads:
                for _ in range(12):
                    positions = list(threads.map(record, both))
                    for one in both:
                        one.ledger.publisher.checkpoint_at_least(max(positions))
            found = rows(database)
            nodes = hall.ledger.store.nodes
            with hall.ledger.reading() as group:
                for (old, first), (new, then) in pairwise(found):
                    proof = nodes.consistency(group.cur, old, new)
                    roots = checkpoint_in(first).root, checkpoint_in(then).root
                    verify_consistency(old, new, proof, *roots)
    assert len(found) >= 12
    for place in {tmp_path, second}:
        copy = OutsideCopy(place / "checkpoint").read()
        assert copy in [note for _, note in rows(database)]


def test_after_a_rotation_the_same_size_is_signed_with_both_keys(
    database: Database, tmp_path: Path
) -> None:
    """Who knows only the new key gets a checkpoint also when nothing is recorded any more."""
    with open_hall(database, tmp_path, furnished=False) as hall:
        position = record(hall)
    rotate(tmp_path / "keys")
    keys = LogKeys.open(tmp_path / "keys")
    how = Publishing.of(tmp_path)
    with Ledger(database, KeyRing.open(tmp_path / "keys"), rules(), how) as again:
        until(lambda: again.publisher.standing().position == position)
        latest = again.publisher.latest()
    assert latest is not None
    assert len(parse_note(latest.note).signatures) == 2
    for verifier in keys.verifiers:
        open_note(latest.note, [verifier])
    assert [size for size, _ in rows(database)][-2:] == [position, position]


class Witness:
    """A witness that signs what it is shown, while it is awake, and checks nothing."""

    def __init__(self, name: str) -> None:
        self.signer = Signer.generate(name, Kind.ED25519_COSIGNATURE)
        self.awake = True
        self.proofs: list[int] = []

    def collect(self, note: bytes, proof_from: Callable[[int], tuple[bytes, ...]]) -> list[bytes]:
        """Its line, after it has asked for the way from the first fact."""
        if not self.awake:
            return []
        self.proofs.append(len(proof_from(1)))
        text = parse_note(note).text
        return [format_signature(self.signer.signature(text, int(time.time()))).encode()]


@pytest.fixture
def witness() -> Witness:
    """One witness of its own key."""
    return Witness("witness.example/w1")


@pytest.fixture
def witnessed(
    database: Database, tmp_path: Path, witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> Generator[Callable[[], Ledger]]:
    """Opens a ledger that publishes nothing without this witness."""
    monkeypatch.setattr(ledger.publish, "COSIGN_RETRY_SECONDS", 0.05)
    keyring = KeyRing.open(tmp_path / "keys")
    plain = Publishing.of(tmp_path)
    line = f"witness w1 {witness.signer.vkey}\nquorum w1\n"
    how = Publishing(plain.keys, plain.copy, parse_policy(line.encode()), witness)
    opened: list[Ledger] = []

    def open_it() -> Ledger:
        opened.append(Ledger(database, keyring, rules(), how))
        return opened[-1]

    yield open_it
    for one in opened:
        one.close()


def test_with_a_policy_published_is_what_a_quorum_has_cosigned(
    witnessed: Callable[[], Ledger], witness: Witness, database: Database
) -> None:
    """While too few sign the last published one stands; then the newest is, with their lines."""
    hall = Hall(witnessed())
    first = hall.ledger.publisher.checkpoint_at_least(record(hall))
    open_note(first.note, [witness.signer.verifier])
    witness.awake = False
    position = record(hall)
    with pytest.raises(Unavailable, match="witnesses have not cosigned"):
        hall.ledger.publisher.checkpoint_at_least(position, timeout=1)
    until(lambda: rows(database)[-1][0] == position)
    assert hall.ledger.publisher.latest() == first
    witness.awake = True
    published = hall.ledger.publisher.checkpoint_at_least(position)
    open_note(published.note, [witness.signer.verifier])
    assert witness.proofs
    assert published.size == position


def test_what_a_quorum_has_cosigned_is_published_after_a_restart(
    witnessed: Callable[[], Ledger], witness: Witness
) -> None:
    """The lines are in the store, so nobody need be asked for them again."""
    before = Hall(witnessed())
    published = before.ledger.publisher.checkpoint_at_least(record(before))
    before.ledger.close()
    witness.awake = False
    again = witnessed()
    until(lambda: again.publisher.latest() is not None)
    assert again.publisher.latest() == published


def test_with_a_quorum_of_none_witnesses_sign_and_nobody_waits(
    database: Database, tmp_path: Path, witness: Witness
) -> None:
    """Published is what the log signed; lines that come are added, each size is shown once."""
    keyring, plain = KeyRing.open(tmp_path / "keys"), Publishing.of(tmp_path)
    policy = parse_policy(f"witness w1 {witness.signer.vkey}\nquorum none\n".encode())
    how = Publishing(plain.keys, plain.copy, policy, witness)
    with Ledger(database, keyring, rules(), how) as opened:
        hall = Hall(opened)
        assert opened.publisher.checkpoint_at_least(record(hall)).size == 1
        position = record(hall)
        opened.publisher.checkpoint_at_least(position)

        def cosigned() -> bool:
            latest = opened.publisher.latest()
            assert latest is not None
            return latest.size == position and len(parse_note(latest.note).signatures) == 2

        until(cosigned)
    assert 1 <= len(witness.proofs) <= position


def test_a_witness_that_signed_twice_stands_there_once(
    hall: Hall, database: Database, witness: Witness
) -> None:
    """Asked again while others were missing, it signs again; a note has one line of a key."""
    publisher = hall.ledger.publisher
    made = publisher.checkpoint_at_least(record(hall))
    table = Checkpoints(database.schema, publisher.keys.origin)
    text = parse_note(made.note).text
    lines = [
        format_signature(signer.signature(text, at)).encode()
        for signer, at in ((witness.signer, 7), (witness.signer, 5), (Witness("w.two").signer, 9))
    ]
    with database.connect("runtime") as connection, connection.cursor() as cur:
        for line in lines:
            table.add_cosignatures(cur, made.size, [line], datetime.now(UTC))
        found = next(table.newest_first(cur, cosigned=True))
    assert found.note == made.note + lines[0] + lines[2]
    open_note(found.note, [witness.signer.verifier])


def test_the_newest_checkpoints_come_first_and_each_size_once(
    hall: Hall, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over several pages, with and without what was cosigned."""
    monkeypatch.setattr("ledger.checkpoints.PAGE_SIZES", 2)
    publisher = hall.ledger.publisher
    made = [publisher.checkpoint_at_least(record(hall)) for _ in range(5)]
    table = Checkpoints(database.schema, publisher.keys.origin)
    with database.connect("runtime") as connection, connection.cursor() as cur:
        for one in made[1::2]:
            table.add_cosignatures(cur, one.size, [b"a line\n", b"another\n"], one.signed)
            table.add_cosignatures(cur, one.size, [b"a line\n"], one.signed)
        found = list(table.newest_first(cur, cosigned=False))
        cosigned = list(table.newest_first(cur, cosigned=True))
    sizes = [one.size for one in found]
    assert sizes == sorted(set(sizes), reverse=True)
    assert {one.size for one in made} <= set(sizes)
    assert cosigned == [
        PublishedCheckpoint(one.size, one.root, one.note + b"a line\nanother\n", one.signed)
        for one in reversed(made[1::2])
    ]
