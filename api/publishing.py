"""From settings to what a ledger publishes with: its keys, the copy outside, its witnesses."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from api.settings import Settings, SettingWrong, variable_of
from ledger.checkpoints import OutsideCopy
from ledger.database import Database
from ledger.log_keys import LogKeys
from ledger.proof.witness_policy import (
    POLICY_BYTES_MAX,
    PolicyError,
    WitnessPolicy,
    parse_policy,
)
from ledger.publish import COPY_NAME, Publishing

KEYS: Final = "keys"
_POLICY: Final = f"{variable_of('witness_policy')} (or --witness-policy)"


@contextmanager
def publishing(settings: Settings, database: Database) -> Generator[Publishing]:
    """What the ledger in this database publishes with; its log's keys are made at the first start.

    Raises:
        KeyFileError: the log's keys are missing, unreadable, or another log's.
        SettingWrong: the witness policy cannot be used.
    """
    keys = log_keys(settings, database)
    copy = outside_copy(settings)
    if settings.witness_policy is None:
        yield Publishing(keys, copy)
        return
    from api.outbound import Outbound
    from ledger.vouching.witnessing import Witnesses

    policy = read_policy(settings.witness_policy, keys)
    with Outbound() as send:
        yield Publishing(keys, copy, policy, Witnesses.of(policy, send))


def log_keys(settings: Settings, database: Database) -> LogKeys:
    """The keys that sign checkpoints.

    Keys made anew beside checkpoints that others hold would be another log's over the same facts:
    so a key that is missing although something was signed is refused.
    """
    return LogKeys.open(
        settings.data / KEYS,
        given=settings.key_log,
        origin=settings.origin,
        ml_dsa=settings.key_log_ml_dsa,
        may_make=not outside_copy(settings).path.exists() and not _has_signed(database),
    )


def outside_copy(settings: Settings) -> OutsideCopy:
    """The newest checkpoint, outside the database."""
    return OutsideCopy(settings.data / COPY_NAME)


def read_policy(path: Path, keys: LogKeys) -> WitnessPolicy:
    """The policy in the setting's file, which must name this log where it names any."""
    try:
        with path.open("rb") as file:
            policy = parse_policy(file.read(POLICY_BYTES_MAX + 1))
    except OSError as error:
        raise SettingWrong(
            f"The witness policy cannot be read from {path} ({error.strerror}). Correct {_POLICY}, "
            "or unset it where checkpoints need no witness."
        ) from None
    except PolicyError as error:
        raise SettingWrong(
            f"The witness policy cannot be used: {path}, which {_POLICY} names. {error}"
        ) from None
    named = {log.verifier.vkey for log in policy.logs}
    if named and named.isdisjoint(keys.vkeys):
        raise SettingWrong(
            "The witness policy names logs, and this log's key is not among them: whoever verifies "
            "with it would trust nothing that is published here. Add the line that `hireledger "
            "log-key show` prints."
        )
    return policy


def _has_signed(database: Database) -> bool:
    with database.connect("runtime", autocommit=True) as connection:
        return connection.execute("SELECT 1 FROM checkpoints LIMIT 1").fetchone() is not None
