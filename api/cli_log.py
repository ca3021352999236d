"""`hireledger log-key`: the keys that sign the log's checkpoints, shown and changed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich_click import RichGroup

from api.options import say, settings_of
from api.settings import Settings, SettingWrong, variable_of

if TYPE_CHECKING:
    from ledger.log_keys import LogKeys

_RESTART: Final = "A running server goes on with the keys it started with: restart it."
_NO_OLDER: Final = "There is no older key: nothing was retired."
_KEEP: Final = "Keep it: `hireledger fsck` needs it as --vkey, for what this key has signed."
_OLD_KEYS: Final = (
    "Keep the public keys of the log before: what it signed stays in the database, and `hireledger "
    "fsck` checks it only with them (--vkey KEY for each). `hireledger log-key show --data DIR` "
    "prints them where its keys are in DIR/keys/log."
)
_DATA: Final = click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data directory with the keys. Default .hireledger.",
)
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group("log-key", cls=RichGroup)
def log_key() -> None:
    """The keys that sign the log's checkpoints."""


@log_key.command("show")
@_DATA
@_JSON
def show(data: Path | None, as_json: bool) -> None:
    """Print the public keys, newest first: what verifiers are given."""
    from ledger.log_keys import KEY_NAME, LogKeys

    settings = settings_of(data=data)
    directory = _directory(settings)
    if settings.key_log is None:
        _require_file(directory / KEY_NAME)
    _tell(LogKeys.open(directory, given=settings.key_log, ml_dsa=None), as_json)


@log_key.command("rotate")
@_DATA
@_JSON
def rotate(data: Path | None, as_json: bool) -> None:
    """Put a new key in front of the old, which go on signing beside it."""
    from ledger.log_keys import rotate as rotated

    settings = settings_of(data=data)
    _tell(rotated(_own_directory(settings)), as_json, _RESTART)


@log_key.command("retire")
@_DATA
@_JSON
def retire(data: Path | None, as_json: bool) -> None:
    """Drop all keys but the newest: whoever still verifies with an old one is left behind."""
    from api.publishing import outside_copy
    from ledger.log_keys import KEY_NAME, LogKeys
    from ledger.log_keys import retire as retired
    from ledger.proof.note import NoteError, open_note

    settings = settings_of(data=data)
    directory = _own_directory(settings)
    before: list[str] = []

    def check(left: LogKeys) -> None:
        """What was signed last must still verify, or the next start would refuse it."""
        before.extend(LogKeys.read(directory / KEY_NAME).vkeys)
        raw = outside_copy(settings).read()
        try:
            if raw is not None:
                open_note(raw, left.verifiers)
        except NoteError:
            raise SettingWrong(
                "The last checkpoint is not signed by the newest key yet, so the old ones are "
                "still needed. Restart the server, which signs with all of them, then retire."
            ) from None

    left = retired(directory, check)
    gone = [vkey for vkey in before if vkey not in left.vkeys]
    more = [line for vkey in gone for line in (f"Retired: {vkey}", _KEEP)]
    _tell(left, as_json, *(more or [_NO_OLDER]), *([_RESTART] if gone else []), retired=gone)


@log_key.command("begin")
@_DATA
@_JSON
def begin(data: Path | None, as_json: bool) -> None:
    """Begin a log under a new name, after facts or keys were lost for good."""
    from api.publishing import outside_copy
    from ledger.log_keys import begin as begun

    settings = settings_of(data=data)
    _refuse_given(settings)
    copy = outside_copy(settings).path
    if copy.exists():
        raise SettingWrong(
            f"{copy} is what the log signed last, and evidence of what it had. Move it, and the "
            "log's keys, to a safe place before you begin another log."
        )
    if not settings.data.is_dir():
        raise SettingWrong(f"There is no data directory {settings.data}: give another (--data).")
    _tell(begun(_directory(settings), settings.origin), as_json, _OLD_KEYS)


def _tell(keys: "LogKeys", as_json: bool, *more: str, retired: Sequence[str] | None = None) -> None:
    current = {signer.vkey for signer in keys.current}
    document: dict[str, object] = {
        "origin": keys.origin,
        "keys": [{"vkey": vkey, "current": vkey in current} for vkey in keys.vkeys],
    }
    if retired is not None:
        document["retired"] = retired
    say(as_json, document, *keys.vkeys)
    if not as_json:
        for line in more:
            click.echo(line, err=True)


def _own_directory(settings: Settings) -> Path:
    from ledger.log_keys import KEY_NAME

    _refuse_given(settings)
    directory = _directory(settings)
    _require_file(directory / KEY_NAME)
    return directory


def _refuse_given(settings: Settings) -> None:
    if settings.key_log is not None:
        raise SettingWrong(
            f"The log's keys come by {variable_of('key_log')}: change them where that is kept. A "
            "new line goes in front of the old ones."
        )


def _directory(settings: Settings) -> Path:
    from api.publishing import KEYS

    return settings.data / KEYS


def _require_file(path: Path) -> None:
    from api.store import NoLedger

    if not path.exists():
        raise NoLedger(
            f"There are no log keys at {path}. Name the right data directory (--data DIR), or "
            "begin a ledger: `hireledger serve`."
        )
