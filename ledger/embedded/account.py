"""Which account the embedded server runs as, and what that account may see.

PostgreSQL refuses to run as root. Started by root (a container, a build machine), the server
therefore runs as an unprivileged account, and everything it touches must be within that
account's reach. Started by anybody else, it runs as who started it.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypedDict

from ledger.errors import LedgerError

UNPRIVILEGED_NAMES = ("hireledger", "postgres", "nobody")
"""Tried in this order when root starts a server over a directory that root owns."""

_SERVER_NAMES = frozenset({b"postgres", b"postmaster"})
_PROBE_SECONDS_MAX = 10


class NoAccount(LedgerError):
    """There is no account that the server may run as."""


class Drop(TypedDict, total=False):
    """The arguments of a subprocess that make it run as another account; empty for our own."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the operating system with an entry in passwd (initdb asks for one)."""

    uid: int
    gid: int
    name: str

    @classmethod
    def of(cls, uid: int) -> Self | None:
        """The account of a user id, or None where passwd has no entry for it."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            return None
        return cls(entry.pw_uid, entry.pw_gid, entry.pw_name)

    @classmethod
    def for_server(cls, directory: Path) -> Self:
        """Who runs the server over `directory`: ourselves, or, for root, somebody unprivileged.

        Root takes the directory's owner; where that is root too, the first of
        `UNPRIVILEGED_NAMES` that exists.

        Raises:
            NoAccount: passwd has no fitting entry.
        """
        uid = os.geteuid()
        account = cls.of(directory.stat().st_uid if uid == 0 else uid)
        if account is not None and account.uid != 0:
            return account
        if uid != 0:
            raise NoAccount(
                f"PostgreSQL's initdb needs an entry in passwd; user id {uid} has none. Add one "
                "(in an image: `useradd --uid`), or give the URL of a server of your own."
            )
        for name in UNPRIVILEGED_NAMES:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid, entry.pw_name)
        raise NoAccount(
            "PostgreSQL refuses to run as root, and none of the accounts "
            f"{', '.join(UNPRIVILEGED_NAMES)} exists. Make one (`useradd --system hireledger`), "
            "start as a plain user, or give the URL of a server of your own."
        )

    @property
    def is_ours(self) -> bool:
        """True where nothing has to be dropped: we are this account."""
        return self.uid == os.geteuid()

    def drop(self) -> Drop:
        """What to hand to a subprocess so that it runs as this account and in no other group."""
        if self.is_ours:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def run(self, *argv: str, seconds_max: float = 60) -> "subprocess.CompletedProcess[str]":
        """Run a program as this account, from `/` and with an empty environment."""
        try:
            return subprocess.run(
                argv,
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds_max,
                check=False,
                umask=0o077,
                **self.drop(),
            )
        except OSError as error:
            if error.filename == argv[0]:  # the program itself is out of this account's reach
                return subprocess.CompletedProcess(argv, 126, "", str(error))
            raise self._cannot_become() from error

    def may_enter(self, directory: Path) -> bool:
        """Whether the account can change into the directory; asked of the kernel, not of modes."""
        script = 'cd -- "$1"'
        return self.run("/bin/sh", "-c", script, "sh", str(directory)).returncode == 0

    def give(self, path: Path) -> None:
        """Make the account own a file or directory that we have just made."""
        if self.is_ours:
            return
        try:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
        except OSError as error:
            raise self._cannot_become() from error

    def _cannot_become(self) -> NoAccount:
        return NoAccount(
            f"PostgreSQL refuses to run as root, and this process is root but may not become "
            f"{self.name} (a user namespace, or capabilities taken away). Start as a plain user, "
            "or give the URL of a server of your own."
        )

    def serves(self, pid: int, cluster: Path) -> bool | None:
        """Whether a process is a PostgreSQL process of this account over the cluster.

        A pid from a file proves nothing: the number may have gone to somebody else. What proves
        it is that the process belongs to the account, is called postgres, and works in the
        cluster's directory. None: the process fits, but the kernel will not show us where it works.
        """
        proc = Path("/proc", str(pid))
        if not (_is_named_server(pid) and _owner(proc) == self.uid):
            return False
        try:
            at, wanted = (proc / "cwd").stat(), cluster.stat()
        except PermissionError:
            return self._serves_as_itself_says(proc, cluster)
        except OSError:  # gone, or a zombie, which works nowhere
            return False
        return (at.st_dev, at.st_ino) == (wanted.st_dev, wanted.st_ino)

    def _serves_as_itself_says(self, proc: Path, cluster: Path) -> bool | None:
        """Ask as the account: root without CAP_SYS_PTRACE may not look, the account itself may."""
        script = 'test -e "$1" || exit 2; test "$1" -ef "$2"'
        asked = self.run(
            "/bin/sh", "-c", script, "sh", str(proc / "cwd"), str(cluster),
            seconds_max=_PROBE_SECONDS_MAX,
        )  # fmt: skip
        if asked.returncode == 2:
            return None if proc.exists() else False
        return asked.returncode == 0

    def servers_of(self, cluster: Path) -> list[int]:
        """The pids of all PostgreSQL processes over the cluster: postmaster and its children."""
        pids = (int(entry.name) for entry in os.scandir("/proc") if entry.name.isdecimal())
        return [pid for pid in pids if _is_named_server(pid) and self.serves(pid, cluster)]


def _is_named_server(pid: int) -> bool:
    """Whether the program's name is PostgreSQL's; asked of every process, so in one short read."""
    try:
        return Path(f"/proc/{pid}/comm").read_bytes().strip() in _SERVER_NAMES
    except OSError:
        return False


def _owner(proc: Path) -> int | None:
    """The effective user id of a process; anybody may read it, unlike where it works."""
    try:
        status = (proc / "status").read_text()
    except OSError:
        return None
    line = next(line for line in status.splitlines() if line.startswith("Uid:"))
    return int(line.split()[2])
