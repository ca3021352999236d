"""Files that hold keys: only their owner may read them, and only one process makes them."""

import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ledger.durable import give_to_owner_of
from ledger.errors import LedgerError


class KeyFileError(LedgerError):
    """A key file or setting cannot be used; the message says which, why and what to do."""


class WrongForKeys(KeyFileError):
    """What was asked for does not fit the keys that are there: ask otherwise, nothing is broken."""


@contextmanager
def locked_directory(directory: Path) -> Generator[None]:
    """Makes `directory` (0700) and locks it, so that two first starts make one set of keys.

    Raises `KeyFileError` where others may write to it, and `OSError` where it cannot be made.
    """
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        give_to_owner_of(directory.parent, directory)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        if mode & 0o022:
            raise KeyFileError(
                f"The key directory {directory} has mode {mode:04o}: others could put their own "
                f"keys there. Run `chmod 700 {directory}` after checking who wrote to it."
            )
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_key_file(path: Path, bytes_max: int, *, follow_links: bool = False) -> bytes:
    """A key file that nobody else can read, and of it at most one byte more than `bytes_max`.

    Mounted secrets are links: follow them where the path was given by setting. Raises
    `KeyFileError`.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise KeyFileError(
            f"The key file {path} cannot be opened ({error.strerror}). Make it a plain file that "
            "the ledger's user can read, or restore it from the backup of the keys."
        ) from None
    try:
        status = os.fstat(descriptor)
        mode = stat.S_IMODE(status.st_mode)
        if not stat.S_ISREG(status.st_mode):
            raise KeyFileError(
                f"The key file {path} is no plain file. Restore it from the backup of the keys."
            )
        if mode & 0o077:
            raise KeyFileError(
                f"The key file {path} has mode {mode:04o}: others can read or write it. Run "
                f"`chmod 600 {path}`, and treat the key as known to whoever could read it."
            )
        return os.read(descriptor, bytes_max + 1)
    finally:
        os.close(descriptor)
