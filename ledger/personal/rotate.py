"""Another key-encryption key in place of one that may be known: every subject's key wrapped anew.

1. The new key is on disk beside the old one (`keys/kek.next`), or in a setting of its own.
2. In one transaction of the owner, under the log's lock, every wrapped key of the ring is opened
   and wrapped with the new one. A crash before its commit changes nothing; from then on only the
   new key opens anything, and it has been durable since step 1.
3. The new file takes the old one's name: the old key is gone here. A crash before that leaves both,
   and every process tries both; running the rotation again goes on from there.
4. The table is written anew, because the rows as they were stay in its file until then.

A process that serves meanwhile finds the new key when the old one opens nothing any more, and
before it wraps another.
"""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from ledger.database import Connection, Database
from ledger.durable import give_to_owner_of, replace_durably, sync_directory
from ledger.errors import LedgerError, SubjectKeyError
from ledger.log import Log
from ledger.personal.erase import vacuum_now, vacuumed_soon
from ledger.personal.key_files import WrongForKeys, locked_directory
from ledger.personal.keyring import (
    KEY_BYTES,
    RING_KEYS,
    KeyName,
    KeyRing,
    KeyUnwrapError,
    Ring,
    coming_file,
)
from ledger.personal.subject_keys import in_schema, rotated

BATCH: Final = 5_000
LOCK_SECONDS_MAX: Final = 30
"""How long it waits for the log's lock, which a commit holds for a moment."""

_LOCK: Final = "rotating"
_PATIENCE: Final = "select set_config('lock_timeout', %s, true)"
_SELECT: Final = (
    "select subject, wrapped from {}.subject_keys where ring = %s and subject <> %s "
    "order by subject"
)
_UPDATE: Final = (
    "update {}.subject_keys k set wrapped = n.wrapped "
    "from unnest(%s::text[], %b::bytea[]) as n(subject, wrapped) where k.subject = n.subject"
)
_PROOF: Final = (
    "insert into {}.subject_keys (subject, ring, wrapped) values (%s, %s, %b) "
    "on conflict (subject) do update set ring = excluded.ring, wrapped = excluded.wrapped"
)


class NoNewKey(WrongForKeys):
    """There is no key to follow the one in use, or it is that same one; nothing was changed."""


class LogHeld(LedgerError):
    """Somebody has held the log's lock for too long; the message says who, and what to do."""


class Rotated(NamedTuple):
    """What a rotation did."""

    ring: Ring
    rewrapped: int
    """Keys of subjects that the new key wraps now."""
    vacuumed: bool
    """Whether the keys as they were wrapped before are out of their table's file."""


def make_coming(directory: Path, ring: Ring) -> None:
    """Step 1: a new key beside the old one, unless a rotation that was cut short left one.

    Raises `KeyFileError` where others may write to the directory, and `OSError`.
    """
    path = coming_file(directory, RING_KEYS[ring])
    with locked_directory(directory):
        if not path.exists():
            replace_durably(path, os.urandom(KEY_BYTES))


def rewrap(database: Database, keyring: KeyRing, ring: Ring) -> int:
    """Step 2: how many keys are wrapped with the ring's latest key now.

    Args:
        database: whose owner may change rows.
        keyring: with the old key and the new one.
        ring: which of them.

    Raises:
        NoNewKey: there is one key only, or the same one twice.
        SubjectKeyError: a row opens under neither; nothing was changed.
        LogHeld: the log's lock was not free in `LOCK_SECONDS_MAX`; nothing was changed.
        psycopg.Error: the store is away; nothing was changed.
    """
    newest = keyring.newest(ring)
    if newest is None:
        raise NoNewKey("there is no new key to wrap with; make one first")
    if keyring.repeats(ring):
        # Whoever was told to destroy the old key now would destroy the only one.
        raise NoNewKey(_same(RING_KEYS[ring]))
    with database.connect("owner") as connection:
        # Nobody makes a new subject's key from here to the commit.
        _lock(connection, database.schema)
        return _rewrap(connection, database.schema, keyring, newest, ring)


def _same(name: KeyName) -> str:
    variable = f"HIRELEDGER_KEY_{name.replace('-', '_').upper()}_NEXT"
    return (
        f"Nothing was rotated: the key that is to follow is the one in use. Where {variable} gives "
        f"it, put another one there: 32 bytes from a good source of randomness. Where it is the "
        f"file {coming_file(Path('keys'), name)} in the data directory, remove that file. Then run "
        "this again, and destroy no key before it says so."
    )


def _lock(connection: Connection, schema: str) -> None:
    """The log's lock, for which writers wait too; who holds it is told to whoever would wait on."""
    log = Log(schema)
    with connection.cursor() as cur:
        cur.execute(_PATIENCE, [f"{LOCK_SECONDS_MAX}s"])
        try:
            log.lock(cur)
        except psycopg.errors.LockNotAvailable:
            connection.rollback()
            raise LogHeld(
                f"Nothing was rotated: for {LOCK_SECONDS_MAX} seconds the log's lock was held by "
                f"{log.held_by(cur)}. Writes wait for it too. See what it does (pg_stat_activity), "
                "end it if need be (pg_terminate_backend), and run this again."
            ) from None
        # What is changed under the lock nobody else holds for long.
        cur.execute(_PATIENCE, ["0"])


def _rewrap(
    connection: Connection, schema: str, keyring: KeyRing, newest: KeyRing, ring: Ring
) -> int:
    done = 0
    with connection.cursor() as cur, connection.cursor() as change:
        rows = cur.execute(in_schema(_SELECT, schema), [ring, rotated(ring)])
        while some := rows.fetchmany(BATCH):
            subjects = [subject for subject, _ in some]
            anew: list[bytes] = []
            for subject, wrapped in some:
                try:
                    anew.append(newest.wrap(ring, keyring.unwrap(ring, wrapped)))
                except KeyUnwrapError as error:
                    raise SubjectKeyError(
                        f"Nothing was rotated: the key of subject {subject} opens under neither "
                        f"key. {error}"
                    ) from None
            change.execute(in_schema(_UPDATE, schema), (subjects, anew))
            done += len(subjects)
        # What tells every process with which key to wrap from now on.
        proof = newest.wrap(ring, os.urandom(KEY_BYTES))
        change.execute(in_schema(_PROOF, schema), (rotated(ring), ring, proof))
    connection.commit()
    return done


def retire(directory: Path, ring: Ring) -> None:
    """Step 3: the new key's file takes the place of the old one's; `OSError` where it cannot."""
    name = RING_KEYS[ring]
    with locked_directory(directory):
        coming_file(directory, name).replace(directory / name)
        sync_directory(directory)


def rotate_files(
    database: Database, directory: Path, ring: Ring, keys: Callable[[], KeyRing]
) -> Rotated:
    """All four steps, for a ring whose key is a file in `directory`; one rotation at a time.

    `keys` reads this ledger's keys as they stand; for what is raised see the steps.
    """
    keys()  # they are there, or nothing is made beside them
    with _one_at_a_time(directory):
        make_coming(directory, ring)
        done = rewrap(database, keys(), ring)
        retire(directory, ring)
    return Rotated(ring, done, vacuumed_soon(vacuum_now, database))


@contextmanager
def _one_at_a_time(directory: Path) -> Generator[None]:
    """Waits for a rotation under way: its new key must not be retired by the next one's.

    A lock of its own: servers that start, or look again for a key, never wait for it.
    """
    descriptor = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_to_owner_of(directory, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def rotate_settings(database: Database, ring: Ring, keys: KeyRing) -> Rotated:
    """Steps 2 and 4, for a ring whose new key comes by setting; the operator does the others."""
    done = rewrap(database, keys, ring)
    return Rotated(ring, done, vacuumed_soon(vacuum_now, database))
