"""The keys that never enter the database: two key-encryption keys and one for keyed HMACs.

They live as files of 32 random bytes in one directory, or come by setting. Losing them is losing
every personal value of the ledger; leaves, proofs and verdicts stay valid without them.
"""

import hmac
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Final, Literal, Self

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from ledger.durable import UNFINISHED, sync_directory, write_new
from ledger.errors import LedgerError
from ledger.key_files import KeyFileError, locked_directory, read_key_file

Ring = Literal["subject", "self-identification"]
KeyName = Literal["kek", "kek-self-identification", "hmac"]

KEY_BYTES: Final = 32
KEY_NAMES: Final[tuple[KeyName, ...]] = ("kek", "kek-self-identification", "hmac")
_RING_KEYS: Final[dict[Ring, KeyName]] = {
    "subject": "kek",
    "self-identification": "kek-self-identification",
}


class KeyUnwrapError(LedgerError):
    """A wrapped key was changed, or was wrapped by another key-encryption key."""


class KeyRing:
    """The three keys of one ledger, in memory; prints nothing of them."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Mapping[KeyName, bytes]) -> None:
        """`keys` has every name of `KEY_NAMES` with 32 bytes each; `open` is the usual way in."""
        for name in KEY_NAMES:
            if len(keys[name]) != KEY_BYTES:
                raise KeyFileError(_wrong_size(f"The key `{name}`", len(keys[name])))
        self._keys = {name: bytes(keys[name]) for name in KEY_NAMES}

    @classmethod
    def open(cls, directory: Path, *, given: Mapping[KeyName, str] | None = None) -> Self:
        """The keys in `directory`, made there at the first start, except those `given` by setting.

        A given key is 64 hex digits, or the absolute path of a file of 32 bytes (a mounted
        secret). Its file in `directory` is then neither read nor made. Raises `KeyFileError` where
        a file is missing beside others, has a wrong size, or can be read by others.
        """
        keys: dict[KeyName, bytes] = {
            name: _read_setting(name, text) for name, text in (given or {}).items()
        }
        wanted: list[KeyName] = [name for name in KEY_NAMES if name not in keys]
        try:
            with locked_directory(directory) if wanted else nullcontext():
                _make_at_first_start(directory, wanted)
                keys |= {name: _read_key(directory / name) for name in wanted}
        except OSError as error:
            raise KeyFileError(
                f"The keys in {directory} can be neither read nor made ({error.strerror}). Make it "
                "a directory that the ledger's user may write, or name another data directory."
            ) from error
        return cls(keys)

    def wrap(self, ring: Ring, key: bytes) -> bytes:
        """A subject's key as it may stand in the database: AES-KWP (RFC 5649), 40 bytes for 32."""
        return aes_key_wrap_with_padding(self._keys[_RING_KEYS[ring]], key)

    def unwrap(self, ring: Ring, wrapped: bytes) -> bytes:
        """The key inside `wrapped`; `KeyUnwrapError` where a bit, ring or ledger is wrong."""
        try:
            return aes_key_unwrap_with_padding(self._keys[_RING_KEYS[ring]], wrapped)
        except (InvalidUnwrap, ValueError):
            raise KeyUnwrapError(
                f"A wrapped key does not open under the key-encryption key of ring `{ring}`: its "
                "row was changed, or this data directory's keys belong to another ledger. Start "
                "with the key files that this ledger was recorded with, or restore the row."
            ) from None

    def mac(self, purpose: str, *parts: bytes) -> bytes:
        """HMAC-SHA-256 (32 bytes) over purpose and parts, each preceded by its length.

        No two different (purpose, parts) share an input, so a value made for one purpose says
        nothing about another.
        """
        message = b"".join(
            len(part).to_bytes(8, "big") + part for part in (purpose.encode(), *parts)
        )
        return hmac.digest(self._keys["hmac"], message, "sha256")


def _read_setting(name: KeyName, text: str) -> bytes:
    """The key that a setting gives; the setting's text is a secret and appears in no message."""
    if text.startswith("/"):
        return _read_key(Path(text), follow_links=True)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(text) != 2 * KEY_BYTES:
        raise KeyFileError(
            f"The setting for key `{name}` is neither 64 hex digits nor the absolute path of a "
            "file of 32 bytes. Correct the setting, or remove it to use the data directory's file."
        )
    return key


def _make_at_first_start(directory: Path, wanted: Sequence[KeyName]) -> None:
    """Makes the `wanted` keys when none exists; completes a first start that was cut short.

    A key that is missing beside others was lost, and a new one in its place would only hide that.
    """
    missing = [name for name in wanted if not os.path.lexists(directory / name)]
    if not missing:
        return
    if len(missing) == len(wanted):
        # 1. No key has its name yet, so nothing was ever encrypted: what a crash left is rubbish.
        for name in wanted:
            write_new(directory / f"{name}{UNFINISHED}", os.urandom(KEY_BYTES))
        sync_directory(directory)
    # 2. Every missing key is durable under its unfinished name. A crash between the renames leaves
    #    some keys named and the others unfinished: the next start comes here and goes on.
    lost = [name for name in missing if not (directory / f"{name}{UNFINISHED}").exists()]
    if lost:
        raise KeyFileError(
            f"The key file {directory / lost[0]} is missing although other keys of this ledger are "
            "there. A new key could not open what the old one closed: restore the file from the "
            "backup of the keys, or give the key by setting."
        )
    for name in missing:
        (directory / f"{name}{UNFINISHED}").rename(directory / name)
    # 3. The names, also those of a directory made just now, are durable before the first value is
    #    encrypted under a key: a database elsewhere would survive what took the keys.
    for place in (directory, directory.parent, directory.parent.parent):
        sync_directory(place)


def _read_key(path: Path, *, follow_links: bool = False) -> bytes:
    """The 32 bytes of a key file that nobody else can read (mounted secrets are links: allowed)."""
    key = read_key_file(path, KEY_BYTES, follow_links=follow_links)
    if len(key) != KEY_BYTES:
        raise KeyFileError(_wrong_size(f"The key file {path}", path.stat().st_size))
    return key


def _wrong_size(what: str, size: int) -> str:
    return (
        f"{what} has {size} bytes instead of {KEY_BYTES}. Restore it from the backup of the keys; "
        "never pad or cut it."
    )
