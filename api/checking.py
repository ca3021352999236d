"""What `hireledger fsck` needs of a ledger: its store as it is, its keys, and whom to trust.

Nothing is made, migrated or completed here, unlike at every other start: what is checked must not
be changed by being checked.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from api.progress import Bar
from api.publishing import KEYS, outside_copy, read_policy
from api.settings import Settings, SettingWrong, variable_of
from api.store import NoLedger, database_as_it_is, keyring_as_it_is
from ledger.database import Database
from ledger.fsck.basis import monitor
from ledger.fsck.check import fsck, snapshot
from ledger.fsck.checkpoints import Trust
from ledger.fsck.report import Progress, Report
from ledger.log_keys import KEY_NAME, LogKeys
from ledger.proof.note import NoteError, Verifier
from ledger.proof.timestamp import TimestampError, read_roots


def check(
    settings: Settings,
    *,
    only_basis: bool = False,
    vkeys: Sequence[str] = (),
    roots: Path | None = None,
    limit: int,
) -> Report:
    """Check a ledger, with a progress bar where somebody watches.

    Args:
        settings: where it is, and its keys.
        only_basis: check what gates and decisions rested on, and nothing else.
        vkeys: verifier keys of the log that its key file no longer has.
        roots: file of the timestamp authority's root certificates, in PEM.
        limit: how many problems are told one by one.

    Raises:
        SettingWrong: a key, policy or certificate that was given cannot be used.
        NoLedger: there is no ledger, or its keys are not there, that of the log included.
        psycopg.OperationalError: the store is away.
    """
    with database_as_it_is(settings) as database, _bar() as progress:
        if only_basis:
            with snapshot(database) as connection:
                return monitor(connection, database, limit=limit, progress=progress)
        keyring = keyring_as_it_is(settings)
        trust = _trust(settings, vkeys, roots)
        if not trust.verifiers and _has_signed(database):
            raise NoLedger(_no_log_key(settings))
        with snapshot(database) as connection:
            return fsck(connection, database, keyring, trust, limit=limit, progress=progress)


@contextmanager
def _bar() -> Generator[Progress]:
    with Bar("Checking") as bar:
        yield lambda done, of: bar.at(done, f"{done} facts", of)


def _trust(settings: Settings, vkeys: Sequence[str], roots: Path | None) -> Trust:
    keys = _log_keys(settings)
    try:
        retired = [Verifier.from_vkey(text) for text in vkeys]
        certificates = read_roots(roots.read_bytes()) if roots else ()
    except (NoteError, TimestampError) as error:
        raise SettingWrong(str(error)) from None
    known = {one.vkey: one for one in (*(keys.verifiers if keys else ()), *retired)}
    policy = settings.witness_policy
    return Trust(
        tuple(known.values()),
        read_policy(policy, keys) if policy and keys else None,
        certificates,
        outside_copy(settings).read,
    )


def _has_signed(database: Database) -> bool:
    """Whether there are checkpoints; a ledger of an old version has not even their table."""
    with database.connect("owner", autocommit=True) as connection:
        name = sql.Identifier(database.schema, "checkpoints")
        given = [name.as_string(connection)]
        found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", given).fetchone()
        if not (found and found[0]):
            return False
        query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(name)
        row = connection.execute(query).fetchone()
        return bool(row and row[0])


def _no_log_key(settings: Settings) -> str:
    return (
        f"The log's key {settings.data / KEYS / KEY_NAME} is not there, and without it no "
        "checkpoint can be checked. Give the data directory of this ledger (--data), restore the "
        "key from its backup, or give the log's public key (--vkey KEY)."
    )


def _log_keys(settings: Settings) -> LogKeys | None:
    """The log's keys by setting or from the data directory; None before the first start."""
    path, given = settings.data / KEYS / KEY_NAME, settings.key_log
    if given is not None and not given.startswith("/"):
        return LogKeys.from_text(given, variable_of("key_log"))
    if given is not None:
        return LogKeys.read(Path(given), follow_links=True)
    return LogKeys.read(path) if path.exists() else None
