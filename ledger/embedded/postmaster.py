"""The server's process over one cluster: is it there, start it, stop it, clear away what died.

No signal is ever sent to a bare number. A process is held by a pidfd first, then proven to be this
account's PostgreSQL over this cluster (`Account.serves`), then signalled through the pidfd.
"""

import os
import select
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ledger.embedded.account import Account
from ledger.errors import LedgerError

START_SECONDS_MAX = 600
"""Recovery after a crash replays the write-ahead log: minutes on a slow disk."""

STOP_SECONDS_MAX = 60
ORPHAN_SECONDS_MAX = 10
REASON_SECONDS_MAX = 1
POLL_SECONDS = 0.005


class ServerFailed(LedgerError):
    """The server does not start, does not stop, or cannot be told from another process."""


class Postmaster:
    """The first process of the server over `home/cluster`, ours or one that we found."""

    def __init__(self, home: Path, account: Account) -> None:
        self.cluster = home / "cluster"
        self._home = home
        self._account = account
        self._child: subprocess.Popen[bytes] | None = None

    def find(self) -> int | None:
        """The pid of a proven server over the cluster, whoever started it.

        Raises:
            ServerFailed: the lock file names a process that we may not look at.
        """
        if self._child is not None and self._child.poll() is None:
            return self._child.pid
        pid = self._lock_file()[0]
        proven = self._account.serves(pid, self.cluster) if pid else False
        if proven is None:
            raise ServerFailed(
                f"{self.cluster / 'postmaster.pid'} names process {pid}, which may be the server; "
                "this process may not look. Stop it if it is, else remove the file, and start "
                "again."
            )
        if proven:
            return pid
        # The lock file is missing, truncated or stale. A server may still be there: it is the one
        # whose parent is none of them and which has children.
        pids = set(self._account.servers_of(self.cluster))
        parents = {each: _parent(each) for each in pids}
        heads = [each for each in pids if parents[each] not in pids]
        return next((head for head in heads if head in parents.values()), None)

    def clear(self, socket: Path) -> None:
        """Remove what a dead server left: its orphans, then its lock files.

        PostgreSQL believes a pid in a lock file, here or beside its socket, whoever has it now.

        Orphans see that their parent died and leave; one that computes sees it late, so what is
        still there after `ORPHAN_SECONDS_MAX` is told to quit. The shared memory of the cluster
        is PostgreSQL's own guard: it does not start while anybody is attached to it.

        Raises:
            ServerFailed: an orphan does not leave.
        """
        if orphans := self._orphans(ORPHAN_SECONDS_MAX):
            for pid in orphans:
                if (pidfd := self._signal(pid, signal.SIGQUIT)) is not None:
                    os.close(pidfd)
            if orphans := self._orphans(ORPHAN_SECONDS_MAX):
                raise ServerFailed(
                    f"Processes of a server that died still hold {self.cluster}: "
                    f"{sorted(orphans)}. End them and start again."
                )
        self._reap()
        for stale in (self.cluster / "postmaster.pid", *socket.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _orphans(self, seconds_max: float) -> list[int]:
        """Who is still there after waiting at most so long for all to leave."""
        deadline = time.monotonic() + seconds_max
        while orphans := self._account.servers_of(self.cluster):
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        return orphans

    def launch(self, argv: list[str]) -> int:
        """Start the server as our child and wait until it accepts connections; its pid.

        It gets a session of its own, so that an interrupt typed at a terminal reaches us and we
        stop it in order.

        Raises:
            ServerFailed: it ended, or was not ready in time; with what it said.
        """
        logs = self._home / "log"
        known = {log: log.stat().st_size for log in logs.glob("*.log")}
        with tempfile.TemporaryFile() as said:
            self._child = subprocess.Popen(
                argv,
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                umask=0o077,
                **self._account.drop(),
            )
            deadline = time.monotonic() + START_SECONDS_MAX
            while self._lock_file() != (self._child.pid, "ready"):
                if self._child.poll() is not None:
                    raise ServerFailed(f"PostgreSQL did not start. {_reason(said, logs, known)}")
                if time.monotonic() > deadline:
                    raise ServerFailed(
                        f"PostgreSQL was not ready after {START_SECONDS_MAX} s and is stopped. See "
                        f"its log in {logs}, and start again."
                    )
                time.sleep(POLL_SECONDS)
        return self._child.pid

    def wait_ready(self, pid: int) -> bool:
        """Wait for a server that another process started; False where it ends instead."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._account.serves(pid, self.cluster) and time.monotonic() < deadline:
            if self._lock_file() in {(pid, "ready"), (None, "")}:
                return True
            time.sleep(POLL_SECONDS)
        return False

    def stop(self, pid: int) -> None:
        """Stop it in order (SIGINT: sessions end, a checkpoint is written), at once if it hangs.

        Raises:
            ServerFailed: it is still there.
        """
        pidfd = self._signal(pid, signal.SIGINT)
        if pidfd is None:
            self._reap()
            return
        try:
            if not ended(pidfd, STOP_SECONDS_MAX):
                signal.pidfd_send_signal(pidfd, signal.SIGQUIT)
                if not ended(pidfd, ORPHAN_SECONDS_MAX):
                    raise ServerFailed(f"PostgreSQL (process {pid}) does not stop; see its log.")
        finally:
            os.close(pidfd)
        self._reap()

    def leave(self) -> None:
        """Let it run on for others; a child left behind is nobody's resource leak."""
        if self._child is not None and self._child.poll() is None:
            self._child.returncode = 0
        self._child = None

    def _reap(self) -> None:
        """Take the exit status of our child, so that no zombie remains."""
        if self._child is not None:
            self._child.wait()
            self._child = None

    def _signal(self, pid: int, number: signal.Signals) -> int | None:
        """Signal a process once it is proven to be ours; its pidfd, or None where it is not."""
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return None
        # What is proven now is the process that the pidfd holds, or one that came after its end.
        if self._account.serves(pid, self.cluster):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, number)
                return pidfd
        os.close(pidfd)
        return None

    def _lock_file(self) -> tuple[int | None, str]:
        """The pid and the status (line 8: starting, ready, stopping) in postmaster.pid."""
        try:
            text = (self.cluster / "postmaster.pid").read_text(errors="replace")
        except FileNotFoundError:
            return None, ""
        lines = text.splitlines()
        first = lines[0].strip() if lines else ""
        pid = int(first) if first.isascii() and first.isdecimal() else None
        return pid or None, lines[7].strip() if len(lines) > 7 else ""


def ended(pidfd: int, seconds_max: float) -> bool:
    """Whether the process behind a pidfd has ended, after waiting for that at most so long."""
    return bool(wait_for([pidfd], seconds_max))


def wait_for(descriptors: list[int], seconds_max: float) -> list[int]:
    """Those of the descriptors that are readable, after waiting for one at most so long."""
    waiting = select.poll()  # unlike select, it takes descriptors beyond 1,023
    for descriptor in descriptors:
        waiting.register(descriptor, select.POLLIN)
    return [descriptor for descriptor, _ in waiting.poll(seconds_max * 1000)]


def _parent(pid: int) -> int:
    """The parent's pid, 0 where the process is gone. The name in `stat` may hold anything."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _reason(said: BinaryIO, logs: Path, known: dict[Path, int]) -> str:
    """The line in which a server that ended says why, printed or in what was logged since.

    Its log is written by a process that outlives it by some milliseconds.
    """
    line = "It said nothing."
    deadline = time.monotonic() + REASON_SECONDS_MAX
    while time.monotonic() < deadline:
        said.seek(0)
        texts = [
            said.read(),
            *(log.read_bytes()[known.get(log, 0) :] for log in logs.glob("*.log")),
        ]
        lines = b"".join(texts).decode(errors="replace").splitlines()
        telling = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
        if telling:
            return telling[-1].strip()
        line = lines[-1].strip() if lines else line
        time.sleep(POLL_SECONDS)
    return line
