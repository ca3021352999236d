"""The keys that sign the log's checkpoints, and with them the log's name (origin).

One file, `keys/log` in the data directory: a private key a line in Go's form, newest first, all of
one name. The first of each kind is the current key; those behind it sign too, so that whoever still
has an older verifier key goes on verifying until that key is retired.
"""

import os
import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from ledger.durable import replace_durably, sync_directory
from ledger.personal.key_files import KeyFileError, WrongForKeys, locked_directory, read_key_file
from ledger.proof.key_kinds import Kind
from ledger.proof.note import NoteError, Signer, Verifier, format_note

KEY_NAME: Final = "log"
FILE_BYTES_MAX: Final = 16_384
KEYS_MAX: Final = 16
ORIGIN_DEFAULT: Final = "hireledger.local/"
_KINDS: Final = (Kind.ED25519, Kind.MLDSA44_COSIGNATURE)
_RESTORE: Final = "Restore it from the backup of the keys."


class LogKeys:
    """The signing keys of one log, in memory; prints nothing of them."""

    __slots__ = ("signers",)

    def __init__(self, signers: Sequence[Signer]) -> None:
        """At least one, the current Ed25519 key first, all of one name; `open` is the usual way."""
        _require_one_log(signers)
        self.signers = tuple(signers)

    @classmethod
    def from_text(cls, text: str, where: str) -> Self:
        """The keys in the lines of a file or setting, which `where` calls by name."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) > KEYS_MAX:
            raise KeyFileError(f"{where} has more than {KEYS_MAX} keys. Retire the old ones.")
        try:
            return cls([Signer.from_text(line) for line in lines])
        except (NoteError, KeyFileError) as error:
            # The messages name kinds and lengths; of the key itself they say nothing.
            raise KeyFileError(f"{where} cannot be used. {error} {_RESTORE}") from None

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        given: str | None = None,
        origin: str | None = None,
        ml_dsa: bool | None = False,
        may_make: bool = True,
    ) -> Self:
        """The keys in `directory`, made there at the first start, or those `given` by setting.

        Args:
            directory: of all keys.
            given: lines of private keys, or the absolute path of a file of them (a mounted secret);
                the file in `directory` is then neither read nor made.
            origin: the log's name at the first start, default a random one; later it must be the
                one in the keys.
            ml_dsa: sign with ML-DSA-44 as well; the start that first asks for it makes the key.
                None: whatever keys there are.
            may_make: False where something was signed already, so that a missing key was lost.

        Raises:
            KeyFileError: the keys are missing, unreadable, readable by others, or another log's.
        """
        if given is not None:
            keys = cls._given(given)
        else:
            path = directory / KEY_NAME
            with changing(directory):
                if not os.path.lexists(path):
                    if not may_make:
                        raise KeyFileError(_lost(path))
                    _write(path, [_fresh(origin)])
                keys = cls.read(path)
                if ml_dsa and not keys._of(Kind.MLDSA44_COSIGNATURE):
                    fresh = Signer.generate(keys.origin, Kind.MLDSA44_COSIGNATURE)
                    keys = cls([*keys.signers, fresh])
                    _write(path, keys.signers)
        if origin is not None and origin != keys.origin:
            raise KeyFileError(
                "HIRELEDGER_ORIGIN is not the name in the log's keys. A log keeps its name for "
                "good: correct the variable or unset it, or give the keys of that other log."
            )
        if ml_dsa and not keys._of(Kind.MLDSA44_COSIGNATURE):
            raise KeyFileError(
                "Checkpoints are to be signed with ML-DSA-44 too, but the keys that "
                "HIRELEDGER_KEY_LOG gives have none. Add the line of one, or unset "
                "HIRELEDGER_KEY_LOG_ML_DSA."
            )
        return cls(keys._of(Kind.ED25519)) if ml_dsa is False else keys

    @classmethod
    def read(cls, path: Path, *, follow_links: bool = False) -> Self:
        """The keys in a file that nobody else can read."""
        raw = read_key_file(path, FILE_BYTES_MAX, follow_links=follow_links)
        where = f"The key file {path}"
        if len(raw) > FILE_BYTES_MAX:
            raise KeyFileError(f"{where} has more than {FILE_BYTES_MAX} bytes. {_RESTORE}")
        try:
            text = raw.decode("ascii")
        except UnicodeDecodeError:
            text = ""
        return cls.from_text(text, where)

    def __repr__(self) -> str:
        return f"LogKeys({', '.join(map(repr, self.signers))})"

    @property
    def origin(self) -> str:
        """The log's name: the first line of its checkpoints."""
        return self.signers[0].name

    @property
    def current(self) -> tuple[Signer, ...]:
        """The newest key of each kind, Ed25519 first."""
        return tuple(self._of(kind)[0] for kind in _KINDS if self._of(kind))

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The public keys, newest first."""
        return tuple(signer.verifier for signer in self.signers)

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The public keys as texts that verifiers are given, newest first."""
        return tuple(signer.vkey for signer in self.signers)

    def sign(self, text: str) -> bytes:
        """A note of this text, signed by every key, newest first."""
        return format_note(text, [signer.signature(text) for signer in self.signers])

    def _of(self, kind: Kind) -> list[Signer]:
        return [signer for signer in self.signers if signer.kind is kind]

    @classmethod
    def _given(cls, given: str) -> Self:
        if given.startswith("/"):
            return cls.read(Path(given), follow_links=True)
        return cls.from_text(given, "HIRELEDGER_KEY_LOG")


def rotate(directory: Path) -> LogKeys:
    """Put a new key of each kind in front of those in `keys/log`; all of them sign from now on."""
    path = directory / KEY_NAME
    with changing(directory):
        old = LogKeys.read(path)
        fresh = [Signer.generate(old.origin, one.kind) for one in old.current]
        # A crash before the file is replaced leaves the old keys, and nobody saw the new ones.
        return _write(path, [*fresh, *old.signers])


def retire(directory: Path, check: Callable[[LogKeys], None] = lambda _: None) -> LogKeys:
    """Leave only the newest key of each kind; the older ones never sign again.

    `check` is given the keys that would be left, and raises where that must not be.
    """
    path = directory / KEY_NAME
    with changing(directory):
        left = LogKeys.read(path).current
        check(LogKeys(left))
        return _write(path, left)


def begin(directory: Path, origin: str | None) -> LogKeys:
    """The keys of a log that begins now; refuses where there are keys."""
    path = directory / KEY_NAME
    with changing(directory):
        if os.path.lexists(path):
            raise WrongForKeys(
                f"There are keys in {path} already. Move them to a safe place first: they prove "
                "what the log has signed until now."
            )
        return _write(path, [_fresh(origin)])


@contextmanager
def changing(directory: Path) -> Generator[None]:
    """Holds the key directory, so that two starts or commands change its files one by one."""
    try:
        with locked_directory(directory):
            yield
    except OSError as error:
        raise KeyFileError(
            f"The log's keys in {directory} can be neither read nor made ({error.strerror}). Make "
            "it a directory that the ledger's user may write, or name another data directory."
        ) from error


def _write(path: Path, signers: Sequence[Signer]) -> LogKeys:
    """The file with these keys, durably, before anything is signed with them."""
    keys = LogKeys(signers)
    if len(keys.signers) > KEYS_MAX:
        raise KeyFileError(f"{path} would have more than {KEYS_MAX} keys. Retire the old ones.")
    replace_durably(path, "".join(f"{one.private_text}\n" for one in signers).encode())
    # The directory itself may be new: a store elsewhere would survive what took the key.
    for place in (path.parent.parent, path.parent.parent.parent):
        sync_directory(place)
    return keys


def _require_one_log(signers: Sequence[Signer]) -> None:
    if not signers or signers[0].kind is not Kind.ED25519:
        raise KeyFileError("The first of a log's keys is an Ed25519 key (type 1): all can verify.")
    if any(signer.kind not in _KINDS for signer in signers):
        raise KeyFileError("A log signs with Ed25519 (type 1) and ML-DSA-44 (type 6) keys only.")
    if len({signer.name for signer in signers}) > 1:
        raise KeyFileError("The keys of a log have one name, which is the log's.")
    if len({signer.vkey for signer in signers}) < len(signers):
        raise KeyFileError("A key of the log stands there twice.")


def _fresh(origin: str | None) -> Signer:
    """The first key of a log of this name, or of a random one."""
    try:
        return Signer.generate(origin or ORIGIN_DEFAULT + secrets.token_hex(8))
    except NoteError as error:
        raise KeyFileError(
            f"HIRELEDGER_ORIGIN cannot be the name of a log, which names its keys. {error}"
        ) from None


def _lost(path: Path) -> str:
    return (
        f"The log has signed checkpoints, but its key file {path} is missing. A new key would be "
        "another log's: restore the file from the backup of the keys, or copy it from the other "
        "server of this ledger. Where it is lost for good, keep the signed checkpoints, tell "
        "whoever verifies them, and begin a new log with `hireledger log-key begin`."
    )
