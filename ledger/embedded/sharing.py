"""How processes share one data directory: by turns, and counted by the kernel.

Both are flock locks. They vanish with their process, whatever ends it, so none is ever stale.
"""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import LedgerError

TURN_SECONDS_MAX = 120
_POLL_SECONDS = 0.01


class InUse(LedgerError):
    """Another process holds the data directory in a way that we cannot join."""


@contextmanager
def turn(data: Path) -> Generator[None]:
    """The right to look at, start or stop the server of a data directory, one process at a time.

    Raises:
        InUse: another process has had its turn for longer than `TURN_SECONDS_MAX`.
    """
    descriptor = _open(data, "store.lock")
    try:
        deadline = time.monotonic() + TURN_SECONDS_MAX
        while not _locked(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise InUse(
                    f"Another process has been starting or stopping the store in {data} for "
                    f"{TURN_SECONDS_MAX} s. See what holds {data / 'store.lock'}, and start again."
                )
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


class Users:
    """Our process among those that use a data directory's server; call it within one's turn."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._descriptor: int | None = None

    def join(self) -> bool:
        """Count this process in; True where it is the only one.

        Raises:
            InUse: the others live in another container; their server cannot be seen from here.
        """
        descriptor = self._descriptor = _open(self._data, "store.users")
        here = os.fsencode(Path("/proc/self/ns/pid").readlink())
        alone = _locked(descriptor, fcntl.LOCK_EX)
        if alone:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, here, 0)
        elif os.pread(descriptor, 100, 0) != here:
            raise InUse(
                f"{self._data} is in use by hireledger in another container. Stop that one, or run "
                "this command there."
            )
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return alone

    def leave(self) -> bool:
        """Count this process out; True where it was the last one."""
        if self._descriptor is None:
            return False
        try:
            return _locked(self._descriptor, fcntl.LOCK_EX)
        finally:
            os.close(self._descriptor)
            self._descriptor = None


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(data: Path, name: str) -> int:
    """Open a lock file; one that root makes belongs to the data directory's owner."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(data / name, flags, 0o600)
    except OSError as error:
        raise InUse(
            f"{data / name} cannot be opened ({error.strerror}). Run as the account that owns the "
            "data directory."
        ) from error
    if os.geteuid() == 0:
        owner = data.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor
