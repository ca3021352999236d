"""A key-encryption key is rotated: at every step what is stored opens, and the old key ends."""

import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg
import pytest
from msgspec import Struct

from domain.values import Digest, private
from ledger.database import Database
from ledger.durable import write_new
from ledger.embedded.server import Embedded
from ledger.errors import SubjectKeyError
from ledger.log import Log
from ledger.personal import rotate
from ledger.personal.keyring import (
    KEY_NAMES,
    RING_KEYS,
    KeyName,
    KeyRing,
    KeyUnwrapError,
    Ring,
    coming_file,
)
from ledger.personal.rotate import (
    LogHeld,
    NoNewKey,
    make_coming,
    rewrap,
    rotate_files,
    rotate_settings,
)
from ledger.personal.subject_keys import rotated
from ledger.personal.vault import Vault
from ledger.seal import seal

MARA, NOEL, LATE = "c_" + "m" * 26, "c_" + "n" * 26, "c_" + "l" * 26
HERSELF = "self-identification:" + MARA
RINGS: Final[tuple[Ring, ...]] = ("subject", "self-identification")


class Words(Struct, frozen=True):
    """A fact with one personal value."""

    value: Digest


class Cabinet:
    """One ledger's vault with a key directory, as any number of processes see it."""

    def __init__(self, database: Database, keys: Path) -> None:
        self.database = database
        self.keys = keys
        self.digests: dict[str, str] = {}
        ring = self.ring()
        for subject in (MARA, NOEL, HERSELF):
            self.store(ring, subject)

    def ring(self) -> KeyRing:
        """The keys as a process that starts now has them."""
        return KeyRing.open(self.keys)

    def store(self, ring: KeyRing, subject: str) -> None:
        """A value about somebody, as the writer stores it: under the log's lock."""
        (one,) = seal(Words(private(f"Words about {subject}", subject)))[1]
        with self.database.connect("runtime") as connection, connection.cursor() as cur:
            Log(self.database.schema).lock(cur)
            Vault(ring, self.database.schema).store(cur, [(1, one)])
        self.digests[subject] = one.digest

    def opens(self, ring: KeyRing) -> bool:
        """Whether everything stored opens with these keys."""
        vault = Vault(ring, self.database.schema)
        with self.database.connect("runtime") as connection, connection.cursor() as cur:
            vault.check_keys(cur)
            for subject, digest in self.digests.items():
                open_ = vault.open_counting if subject == HERSELF else vault.open
                assert open_(cur, [digest]) == {digest: f"Words about {subject}"}
        return True

    def wrapped(self) -> dict[str, bytes]:
        """Every wrapped key as it stands, by subject."""
        with self.database.connect("owner") as connection:
            return dict(connection.execute("select subject, wrapped from subject_keys").fetchall())

    def rotate(self, ring: Ring = "subject") -> rotate.Rotated:
        """A whole rotation, by files."""
        return rotate_files(self.database, self.keys, ring, self.ring)


@pytest.fixture
def cabinet(database: Database, tmp_path: Path) -> Cabinet:
    """Three values under three keys, in two rings."""
    return Cabinet(database, tmp_path / "keys")


def alone(cabinet: Cabinet, ring: Ring, key: bytes) -> KeyRing:
    """A process that has this key for the ring and no other."""
    given: dict[KeyName, str] = {
        name: (cabinet.keys / name).read_bytes().hex() for name in KEY_NAMES
    }
    return KeyRing.open(cabinet.keys, given={**given, RING_KEYS[ring]: key.hex()})


@pytest.mark.parametrize("ring", RINGS)
def test_after_a_rotation_only_the_new_key_opens_anything(cabinet: Cabinet, ring: Ring) -> None:
    """Every key of that ring is wrapped anew, those of the other stay as they were."""
    path = cabinet.keys / RING_KEYS[ring]
    old, before = path.read_bytes(), cabinet.wrapped()
    done = cabinet.rotate(ring)
    after = cabinet.wrapped()
    theirs = {MARA, NOEL} if ring == "subject" else {HERSELF}
    assert {s for s in before if before[s] != after[s]} == theirs
    assert (done.rewrapped, done.vacuumed) == (len(theirs), True)
    assert path.read_bytes() != old
    assert path.stat().st_mode & 0o777 == 0o600
    assert not coming_file(cabinet.keys, RING_KEYS[ring]).exists()
    assert cabinet.opens(cabinet.ring())
    for subject in theirs:
        with pytest.raises(KeyUnwrapError):
            alone(cabinet, ring, old).unwrap(ring, after[subject])


def test_a_process_that_serves_goes_on_without_a_restart(cabinet: Cabinet) -> None:
    """It reads what was wrapped anew, and wraps new keys with the new key, not with its own."""
    serving = cabinet.ring()
    for _ in range(2):
        cabinet.rotate()
        assert cabinet.opens(serving)
    cabinet.rotate()
    cabinet.store(serving, LATE)
    assert cabinet.opens(cabinet.ring())
    newest = (cabinet.keys / "kek").read_bytes()
    assert alone(cabinet, "subject", newest).unwrap("subject", cabinet.wrapped()[LATE])


def test_before_a_rotation_wraps_anything_the_old_key_does_everything(cabinet: Cabinet) -> None:
    """A crash after the first step leaves two keys, of which the new one is not in use."""
    old = (cabinet.keys / "kek").read_bytes()
    make_coming(cabinet.keys, "subject")
    coming = coming_file(cabinet.keys, "kek").read_bytes()
    cabinet.store(cabinet.ring(), LATE)
    assert alone(cabinet, "subject", old).unwrap("subject", cabinet.wrapped()[LATE])
    cabinet.rotate()
    assert (cabinet.keys / "kek").read_bytes() == coming
    assert cabinet.opens(cabinet.ring())


def test_a_rotation_that_was_cut_short_after_its_commit_goes_on(cabinet: Cabinet) -> None:
    """Both files stand, only the new one opens anything, and new keys are wrapped with it."""
    serving = cabinet.ring()
    make_coming(cabinet.keys, "subject")
    rewrap(cabinet.database, cabinet.ring(), "subject")
    # The process dies here: the old file still has its name.
    coming = coming_file(cabinet.keys, "kek").read_bytes()
    for number, ring in enumerate((cabinet.ring(), serving)):
        assert cabinet.opens(ring)
        late = f"c_{str(number + 2) * 26}"
        cabinet.store(ring, late)
        assert alone(cabinet, "subject", coming).unwrap("subject", cabinet.wrapped()[late])
    done = cabinet.rotate()
    assert done.rewrapped == 4
    assert (cabinet.keys / "kek").read_bytes() == coming
    assert cabinet.opens(cabinet.ring())


@pytest.fixture
def broken(cabinet: Cabinet) -> Callable[[], None]:
    """Changes a bit of the last person's wrapped key."""

    def spoil() -> None:
        with cabinet.database.connect("owner", autocommit=True) as connection:
            connection.execute(
                "update subject_keys set wrapped = set_byte(wrapped, 0, 255 - get_byte(wrapped, 0))"
                " where subject = %s",
                [NOEL],
            )

    return spoil


def test_a_key_that_opens_under_neither_stops_the_rotation(
    cabinet: Cabinet, broken: Callable[[], None]
) -> None:
    """Nothing is wrapped anew, and the message says whose key it is."""
    broken()
    before = cabinet.wrapped()
    with pytest.raises(SubjectKeyError, match=f"Nothing was rotated: the key of subject {NOEL}"):
        cabinet.rotate()
    assert cabinet.wrapped() == before
    assert rotated("subject") not in before


def test_a_rotation_of_many_keys_goes_batch_by_batch_and_is_whole(
    cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch, broken: Callable[[], None]
) -> None:
    """A batch that fails takes those before it back."""
    monkeypatch.setattr(rotate, "BATCH", 1)
    assert cabinet.rotate().rewrapped == 2
    assert cabinet.opens(cabinet.ring())
    before = cabinet.wrapped()
    broken()
    with pytest.raises(SubjectKeyError):
        cabinet.rotate()
    now = cabinet.wrapped()
    assert {subject for subject in now if now[subject] != before[subject]} == {NOEL}


def test_a_spoilt_mark_of_the_last_rotation_is_mended_by_the_next(cabinet: Cabinet) -> None:
    """It stops new keys from being made, so that it says so, and nothing of anybody rests on it."""
    cabinet.rotate()
    with cabinet.database.connect("owner", autocommit=True) as connection:
        connection.execute(
            "update subject_keys set wrapped = '\\x00' where subject = %s", [rotated("subject")]
        )
    with pytest.raises(SubjectKeyError, match="was rotated"):
        cabinet.store(cabinet.ring(), LATE)
    assert cabinet.rotate().rewrapped == 2
    cabinet.store(cabinet.ring(), LATE)
    assert cabinet.opens(cabinet.ring())


def test_while_somebody_holds_the_log_it_waits_no_longer_than_it_says(
    cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names who holds it, changes nothing, and goes on when it is run again."""
    monkeypatch.setattr(rotate, "LOCK_SECONDS_MAX", 1)
    before = cabinet.wrapped()
    with cabinet.database.connect("runtime") as connection, connection.cursor() as cur:
        Log(cabinet.database.schema).lock(cur)
        pid = connection.info.backend_pid
        with pytest.raises(LogHeld, match=rf"held by hireledger-runtime \(process {pid}\)"):
            cabinet.rotate()
    assert cabinet.wrapped() == before
    assert cabinet.rotate().rewrapped == 2
    assert cabinet.opens(cabinet.ring())


def test_without_a_new_key_nothing_is_rotated(cabinet: Cabinet) -> None:
    """A ring with one key has nothing to wrap with."""
    with pytest.raises(NoNewKey):
        rewrap(cabinet.database, cabinet.ring(), "subject")


def test_the_key_in_use_is_no_new_key(cabinet: Cabinet) -> None:
    """Given by setting or left as a file: nothing is done, and nobody is told to destroy it."""
    before, own = cabinet.wrapped(), (cabinet.keys / "kek").read_bytes()
    twice = KeyRing.open(cabinet.keys, given={"kek": own.hex()}, coming={"kek": own.hex().upper()})
    with pytest.raises(NoNewKey, match="HIRELEDGER_KEY_KEK_NEXT"):
        rotate_settings(cabinet.database, "subject", twice)
    coming = coming_file(cabinet.keys, "kek")
    write_new(coming, own)
    with pytest.raises(NoNewKey, match=r"remove that file"):
        cabinet.rotate()
    assert cabinet.wrapped() == before
    assert (cabinet.keys / "kek").read_bytes() == coming.read_bytes() == own
    coming.unlink()
    assert cabinet.rotate().rewrapped == 2
    assert cabinet.opens(cabinet.ring())


def test_a_key_by_setting_is_followed_by_the_next_one_by_setting(cabinet: Cabinet) -> None:
    """Processes with both settings serve through it; then the new one alone is enough."""
    old, new = (cabinet.keys / "kek").read_bytes(), secrets.token_bytes(32)
    given = {"kek": old.hex()}
    both = KeyRing.open(cabinet.keys, given={"kek": old.hex()}, coming={"kek": new.hex()})
    assert rotate_settings(cabinet.database, "subject", both).rewrapped == 2
    assert given["kek"] == (cabinet.keys / "kek").read_bytes().hex()
    serving = KeyRing.open(cabinet.keys, given={"kek": old.hex()}, coming={"kek": new.hex()})
    cabinet.store(serving, LATE)
    assert cabinet.opens(serving)
    assert cabinet.opens(KeyRing.open(cabinet.keys, given={"kek": new.hex()}))


def test_a_process_with_the_old_setting_alone_wraps_nothing_more(cabinet: Cabinet) -> None:
    """What it wrapped could be opened by nobody later, so it is refused and says why."""
    old, new = (cabinet.keys / "kek").read_bytes(), secrets.token_bytes(32)
    stale = KeyRing.open(cabinet.keys, given={"kek": old.hex()})
    both = KeyRing.open(cabinet.keys, given={"kek": old.hex()}, coming={"kek": new.hex()})
    rotate_settings(cabinet.database, "subject", both)
    with pytest.raises(SubjectKeyError, match="restart with the new key"):
        cabinet.store(stale, LATE)
    assert LATE not in cabinet.wrapped()


def test_keys_as_they_were_wrapped_leave_the_file_of_their_table(
    server: Embedded, cabinet: Cabinet
) -> None:
    """Whoever has the old key finds nothing in the table's file to open with it."""
    before = cabinet.wrapped()[MARA]
    cabinet.rotate()
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute("checkpoint")
        table = f"{cabinet.database.schema}.subject_keys"
        ((file,),) = connection.execute(
            "select pg_read_binary_file(pg_relation_filepath(%s::regclass))", [table]
        ).fetchall()
    assert before not in file
    assert cabinet.wrapped()[MARA] in file


def test_rotations_and_writers_at_once_leave_everything_readable(cabinet: Cabinet) -> None:
    """Two rotations, and two processes that make keys for new people all the while."""
    failures: list[Exception] = []

    def run(work: Callable[[int], object]) -> None:
        for number in range(6):
            try:
                work(number)
            except Exception as error:  # noqa: BLE001  (it is what is looked for)
                failures.append(error)

    def write(letter: str) -> Callable[[int], None]:
        ring = cabinet.ring()
        return lambda number: cabinet.store(ring, f"c_{letter}{str(number + 2) * 25}")

    def turn(_: int) -> None:
        cabinet.rotate()

    works: list[Callable[[int], object]] = [write("a"), write("b")]
    works += [turn, turn]
    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert cabinet.opens(cabinet.ring())
    assert len(cabinet.wrapped()) == 3 + 12 + 1
