"""From settings to an open ledger: the server, the schema, the keys, the rules, in this order.

Any number of processes may do this over one data directory at once: the command line works beside
a running server.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

import policies
from api.publishing import KEYS, publishing
from api.settings import Settings, SettingWrong
from ledger.database import Database
from ledger.embedded.cluster import read_store
from ledger.embedded.server import Embedded
from ledger.errors import LedgerError
from ledger.first_start import first_start
from ledger.ledger import Ledger
from ledger.personal.keyring import KEY_NAMES, RING_KEYS, KeyName, KeyRing

ADMIN_KEY: Final = "admin.key"


class NoLedger(LedgerError):
    """There is no ledger where the settings point, or its keys are not there."""


@contextmanager
def open_database(
    settings: Settings, *, make: bool = False, watch: bool = False
) -> Generator[Database]:
    """The ledger's database, ready to be used; its server is ours to start and to stop.

    Args:
        settings: where it is.
        make: make a ledger where there is none; without it, that raises `NoLedger`.
        watch: start the embedded server again whenever it dies.

    Raises:
        LedgerError: what is in the way, and what to do about it.
        psycopg.OperationalError: the server is away.
    """
    if settings.database is not None:
        database = _external(settings)
        if not make and not _made(database):
            raise NoLedger(_nothing_at("the database of the given URL"))
        database.prepare()
        yield database
        return
    if not make and read_store(settings.data) is None:
        raise NoLedger(_nothing_at(str(settings.data)))
    with Embedded.start(settings.data, binaries=settings.postgres, watch=watch) as server:
        database = Database.embedded(server, settings.schema)
        database.prepare()
        yield database


@contextmanager
def database_as_it_is(settings: Settings) -> Generator[Database]:
    """The ledger's database, neither made nor migrated; raises like `open_database`."""
    if settings.database is not None:
        database = _external(settings)
        if not _made(database):
            raise NoLedger(_nothing_at("the database of the given URL"))
        yield database
        return
    if read_store(settings.data) is None:
        raise NoLedger(_nothing_at(str(settings.data)))
    with Embedded.start(settings.data, binaries=settings.postgres, watch=False) as server:
        yield Database.embedded(server, settings.schema)


@contextmanager
def open_ledger(
    settings: Settings, *, make: bool = False, watch: bool = False
) -> Generator[Ledger]:
    """The ledger itself, after its first start; see `open_database` for arguments and errors."""
    with open_database(settings, make=make, watch=watch) as database:
        keyring = _keyring(settings, database)
        with (
            publishing(settings, database) as how,
            Ledger(database, keyring, policies.load(), how) as ledger,
        ):
            if make:
                first_start(ledger, admin_key(settings))
            yield ledger


def keyring_as_it_is(settings: Settings) -> KeyRing:
    """The keys by setting or from the data directory, where none is made."""
    directory = settings.data / KEYS
    names = [name for name in KEY_NAMES if name not in keys_given(settings)]
    missing = [name for name in names if not (directory / name).exists()]
    if missing:
        raise NoLedger(
            f"The key {directory / missing[0]} is not there, and without it nothing can be checked "
            "that is sealed. Give the data directory of this ledger (--data), restore the key from "
            "its backup, or give it by setting."
        )
    return _opened(settings)


def admin_key(settings: Settings) -> Path:
    """The file that the first administrator key is written to."""
    return settings.data / ADMIN_KEY


def _external(settings: Settings) -> Database:
    urls = (settings.database or "", settings.runtime_database, settings.projector_database)
    try:
        for url in urls:
            conninfo_to_dict(url or "")
    except psycopg.ProgrammingError:
        raise SettingWrong(
            "A URL of the database is not one that PostgreSQL's clients read. It looks like "
            "postgresql://user:password@host:5432/database."
        ) from None
    owner, runtime, projector = urls
    return Database.external(owner or "", settings.schema, runtime, projector)


def _made(database: Database) -> bool:
    """Whether the schema holds a ledger, however old."""
    with database.connect("owner", autocommit=True) as connection:
        name = sql.Identifier(database.schema, "facts").as_string(connection)
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone()
        return bool(row and row[0])


def _keyring(settings: Settings, database: Database) -> KeyRing:
    """The keys by setting or from the data directory, where the first start makes them.

    Keys made anew beside a log that was recorded with others would open nothing of it, and would
    seal what the others cannot open: so beside a log with facts every key has to be there.
    """
    given, directory = keys_given(settings), settings.data / KEYS
    wanted = [directory / name for name in KEY_NAMES if name not in given]
    # The log is looked at first: who recorded its facts had made the keys before them, also when
    # that was another process that starts for the first time just now.
    if wanted and _has_facts(database):
        missing = [str(path) for path in wanted if not os.path.lexists(path)]
        if missing:
            raise NoLedger(
                "The log has facts, but keys that their personal values were sealed with are not "
                f"there: {', '.join(missing)}. New ones would open nothing, and none is made. Give "
                "the data directory of this ledger (--data), restore the keys from their backup, "
                "or give them by setting."
            )
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _opened(settings)


def _opened(settings: Settings) -> KeyRing:
    return KeyRing.open(
        settings.data / KEYS,
        given=keys_given(settings),
        coming=keys_given(settings, coming=True),
    )


def keys_given(settings: Settings, *, coming: bool = False) -> dict[KeyName, str]:
    """The keys that come by setting; or those that are to follow them, for a rotation."""
    found: dict[KeyName, str] = {}
    for name in RING_KEYS.values() if coming else KEY_NAMES:
        setting = f"key_{name.replace('-', '_')}{'_next' if coming else ''}"
        text: str | None = getattr(settings, setting)
        if text is not None:
            found[name] = text
    return found


def _has_facts(database: Database) -> bool:
    with database.connect("runtime", autocommit=True) as connection:
        return connection.execute("SELECT 1 FROM facts LIMIT 1").fetchone() is not None


def _nothing_at(where: str) -> str:
    return (
        f"There is no ledger in {where}. Name the right one (--data DIR or --database URL), or "
        "begin one: `hireledger serve`."
    )
