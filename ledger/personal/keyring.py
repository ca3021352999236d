"""The keys that never enter the database: two key-encryption keys and one for keyed HMACs.

They live as files of 32 random bytes in one directory, or come by setting. Losing them is losing
every personal value of the ledger; leaves, proofs and verdicts stay valid without them.

While a key-encryption key is rotated (`rotate.py`) two stand side by side: what one does not unwrap
the other does, and a process that knows neither looks at the files once more.
"""

import hmac
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from copy import copy
from pathlib import Path
from typing import Final, Literal, Self

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from ledger.durable import UNFINISHED, sync_directory, write_new
from ledger.errors import LedgerError
from ledger.personal.key_files import KeyFileError, locked_directory, read_key_file

Ring = Literal["subject", "self-identification"]
KeyName = Literal["kek", "kek-self-identification", "hmac"]

KEY_BYTES: Final = 32
KEY_NAMES: Final[tuple[KeyName, ...]] = ("kek", "kek-self-identification", "hmac")
RING_KEYS: Final[dict[Ring, KeyName]] = {
    "subject": "kek",
    "self-identification": "kek-self-identification",
}
LOOKS: Final = 3
"""How often the files are looked at for a key that opens; between two looks names may change."""

_COMING: Final = ".next"
_NEXT: Final = "_NEXT"
"""What the variable of a coming key's setting ends with."""


class KeyUnwrapError(LedgerError):
    """A wrapped key was changed, or was wrapped by another key-encryption key."""


Rings = dict[Ring, tuple[bytes, ...]]
"""The key-encryption keys of each ring; the first one wraps."""


class KeyRing:
    """The keys of one ledger, in memory; prints nothing of them."""

    __slots__ = ("_hmac", "_look_again", "_rings")

    def __init__(
        self,
        keys: Mapping[KeyName, bytes],
        coming: Mapping[KeyName, bytes] | None = None,
        look_again: Callable[[], "KeyRing"] | None = None,
    ) -> None:
        """Hold these keys; `open` is the usual way in.

        Args:
            keys: every name of `KEY_NAMES` with 32 bytes each.
            coming: while a key is rotated, the one that takes its place.
            look_again: how to learn of a rotation that began after this.
        """
        for name, key in (*keys.items(), *(coming or {}).items()):
            if len(key) != KEY_BYTES:
                raise KeyFileError(_wrong_size(f"The key `{name}`", len(key)))
        self._hmac = bytes(keys["hmac"])
        self._rings: Rings = {
            ring: tuple(bytes(each[name]) for each in (keys, coming or {}) if name in each)
            for ring, name in RING_KEYS.items()
        }
        self._look_again = look_again

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        given: Mapping[KeyName, str] | None = None,
        coming: Mapping[KeyName, str] | None = None,
    ) -> Self:
        """The keys in `directory`, made there at the first start, except those `given` by setting.

        A given key is 64 hex digits, or the absolute path of a file of 32 bytes (a mounted
        secret). Its file in `directory` is then neither read nor made. `coming` are likewise the
        settings for a rotation. Raises `KeyFileError` where a file is missing beside others, has a
        wrong size, or can be read by others.
        """
        for settings, suffix in ((given, ""), (coming, _NEXT)):
            for name, text in (settings or {}).items():
                _read_setting(name, text, suffix)  # a wrong setting makes no file
        wanted: list[KeyName] = [name for name in KEY_NAMES if name not in (given or {})]
        try:
            with locked_directory(directory) if wanted else nullcontext():
                _make_at_first_start(directory, wanted)
        except OSError as error:
            raise KeyFileError(
                f"The keys in {directory} can be neither read nor made ({error.strerror}). Make it "
                "a directory that the ledger's user may write, or name another data directory."
            ) from error
        return cls._read(directory, given or {}, coming or {})

    @classmethod
    def _read(
        cls, directory: Path, given: Mapping[KeyName, str], coming: Mapping[KeyName, str]
    ) -> Self:
        """What stands there now. Takes no lock: whoever rotates may be waiting for who reads."""

        def read(
            setting: Mapping[KeyName, str], name: KeyName, path: Path, suffix: str = ""
        ) -> bytes | None:
            if name in setting:
                return _read_setting(name, setting[name], suffix)
            try:
                return _read_key(path) if name not in given and path.exists() else None
            except KeyFileError:
                # A rotation that ends just now puts one file in place of the other.
                if path.exists():
                    raise
                return None

        keys: dict[KeyName, bytes] = {}
        following: dict[KeyName, bytes] = {}
        for name in KEY_NAMES:
            key = read(given, name, directory / name)
            if key is None:
                raise KeyFileError(_lost(directory / name))
            keys[name] = key
        for name in RING_KEYS.values():
            key = read(coming, name, coming_file(directory, name), _NEXT)
            following |= {} if key is None else {name: key}
        return cls(keys, following, look_again=lambda: cls._read(directory, given, coming))

    def wrap(self, ring: Ring, key: bytes) -> bytes:
        """A subject's key as it may stand in the database: AES-KWP (RFC 5649), 40 bytes for 32."""
        return aes_key_wrap_with_padding(self._rings[ring][0], key)

    def unwrap(self, ring: Ring, wrapped: bytes) -> bytes:
        """The key inside `wrapped`; `KeyUnwrapError` where a bit, ring or ledger is wrong."""
        return self._unwrap(ring, wrapped)[1]

    def newest(self, ring: Ring) -> "KeyRing | None":
        """A ring that wraps with the key that is to take the place of this one's; None without."""
        keys = self._rings[ring]
        if len(keys) < 2:
            return None
        other = copy(self)
        other._rings = {**self._rings, ring: (keys[-1], *keys[:-1])}
        return other

    def repeats(self, ring: Ring) -> bool:
        """Whether the key that is to take the place of this ring's is that same key."""
        first, *others = self._rings[ring]
        return first in others

    def follow(self, ring: Ring, proof: bytes) -> None:
        """Wraps from now on with the key that wrapped `proof`, which the latest rotation left.

        Raises `KeyUnwrapError` where that key is not here.
        """
        number, _ = self._unwrap(ring, proof)
        if number > 0:
            keys = self._rings[ring]
            ordered = (keys[number], *keys[:number], *keys[number + 1 :])
            self._rings = {**self._rings, ring: ordered}

    def _unwrap(self, ring: Ring, wrapped: bytes) -> tuple[int, bytes]:
        """The key inside, and which of the ring's keys opened it."""
        for _ in range(LOOKS):
            for number, key in enumerate(self._rings[ring]):
                try:
                    return number, aes_key_unwrap_with_padding(key, wrapped)
                except (InvalidUnwrap, ValueError):
                    continue
            if self._look_again is None:
                break
            # Another process may have rotated the key since; while it does, names change.
            try:
                self._rings = self._look_again()._rings
            except KeyFileError:
                break
        raise KeyUnwrapError(
            f"A wrapped key does not open under the key-encryption key of ring `{ring}`: its row "
            "was changed, or this data directory's keys belong to another ledger. Start with the "
            "key files that this ledger was recorded with, or restore the row."
        )

    def mac(self, purpose: str, *parts: bytes) -> bytes:
        """HMAC-SHA-256 (32 bytes) over purpose and parts, each preceded by its length.

        No two different (purpose, parts) share an input, so a value made for one purpose says
        nothing about another.
        """
        message = b"".join(
            len(part).to_bytes(8, "big") + part for part in (purpose.encode(), *parts)
        )
        return hmac.digest(self._hmac, message, "sha256")


def coming_file(directory: Path, name: KeyName) -> Path:
    """Where the key lies that is to take a key's place, while it is rotated."""
    return directory / f"{name}{_COMING}"


def _lost(path: Path) -> str:
    return (
        f"The key file {path} is missing although other keys of this ledger are there. A new key "
        "could not open what the old one closed: restore the file from the backup of the keys, or "
        "give the key by setting."
    )


def _read_setting(name: KeyName, text: str, suffix: str) -> bytes:
    """The key that a setting gives; the setting's text is a secret and appears in no message.

    `suffix` is "" or `_NEXT`: the variable of the environment is named by it.
    """
    if text.startswith("/"):
        return _read_key(Path(text), follow_links=True)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or len(text) != 2 * KEY_BYTES:
        raise KeyFileError(
            f"HIRELEDGER_KEY_{name.replace('-', '_').upper()}{suffix} is neither 64 hex digits "
            "nor the absolute path of a file of 32 bytes. Correct the variable, or unset it to use "
            "the data directory's file."
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
        raise KeyFileError(_lost(directory / lost[0]))
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
