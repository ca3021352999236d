"""The embedded PostgreSQL server: started, watched and stopped over one data directory.

Any number of our processes may use one data directory: a server, and the command line beside it.
The kernel counts them (`ledger.embedded.sharing`), and who leaves last stops the server. A server
whose every user died (kill -9) is found, stopped in order and started anew by the next one.
"""

import atexit
import os
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import psycopg
import structlog

from ledger.embedded.account import Account
from ledger.embedded.binaries import (
    Binaries,
    below_floor,
    find_binaries,
    version_text,
    within_reach,
)
from ledger.embedded.cluster import (
    CONNECT_SECONDS_MAX,
    DATABASE,
    SUPERUSER,
    Role,
    Store,
    StoreUnusable,
    command_line,
    make_cluster,
    make_data_directory,
    make_home,
    make_roles,
    make_socket_directory,
    new_store,
    read_store,
    role_name,
    sweep_logs,
    write_store,
)
from ledger.embedded.postmaster import Postmaster, ended, wait_for
from ledger.embedded.sharing import Users, turn
from ledger.errors import LedgerError

__all__ = ["Embedded", "StoreUnusable"]

DYING_SECONDS_MAX = 1
WATCH_SECONDS = 60
RETRY_SECONDS = 0.25

_log = structlog.get_logger(__name__)


class Embedded:
    """A running server over a data directory, and this process's share in it.

    Attributes:
        data: the data directory, resolved.
        home: where the cluster, its socket and its logs are; usually `data/postgres`.
        version: of the running server, such as "18.6".
        notices: what the operator must be told at the start, one sentence or two each.
        pid: of the server's first process; another one after the server had to be started again.
    """

    data: Path
    home: Path
    version: str
    notices: tuple[str, ...]
    pid: int

    @classmethod
    def start(
        cls,
        data: Path,
        *,
        binaries: Path | None = None,
        settings: Mapping[str, str] | None = None,
        watch: bool = True,
    ) -> Self:
        """Use the server of a data directory; start it, and the first time make it, if need be.

        Args:
            data: the data directory, made if missing; `store.json` in it is the key to the store.
            binaries: the directory of PostgreSQL's programs; default the wheel's or the system's.
            settings: server settings for tests, such as {"fsync": "off"}, which gives up durability
                for speed. They hold for a server that this call starts.
            watch: start the server again whenever it dies. False is for tests of an absent server.

        Raises:
            LedgerError: what is in the way, and what to do about it.
        """
        data = make_data_directory(data)
        with turn(data):
            server = cls(data)
            with server._closed_on_error():
                server._open(binaries, dict(settings or {}))
        server._go_on(watch=watch)
        return server

    @classmethod
    def attach(cls, data: Path) -> Self:
        """Use the server that runs over a data directory; never start one, and watch nothing.

        Raises:
            StoreUnusable: none runs.
        """
        data = data.resolve()
        if not (data / "store.json").is_file():
            raise StoreUnusable(
                f"{data} holds no embedded store. Check the path of the data directory."
            )
        with turn(data):
            server = cls(data)
            with server._closed_on_error():
                server._attach()
        server._go_on(watch=False)
        return server

    def __init__(self, data: Path) -> None:
        """Not for callers: `start` and `attach` make servers."""
        self.data = data
        self._store = read_store(data) or new_store()
        self.home = self._store.home(data)
        self._account = Account.for_server(self.home if self.home.is_dir() else data)
        self._postmaster = Postmaster(self.home, self._account)
        self._users = Users(data)
        self._binaries: Binaries | None = None
        self._settings: dict[str, str] = {}
        self._process = os.getpid()
        self._stopping = threading.Event()
        self._wake = -1
        self._watcher = threading.Thread(target=self._watch, name="postgres-watch", daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def url(self, role: Role, dbname: str = DATABASE) -> str:
        """How libpq connects as a role, password included: never log it."""
        return self._store.url(self.data, role_name(role), dbname)

    def superuser_url(self, dbname: str = DATABASE) -> str:
        """The same for the cluster's superuser: for backups, and for tests that tamper."""
        return self._store.url(self.data, SUPERUSER, dbname)

    def stop(self) -> None:
        """End our use of the server; it stops (fast: sessions end) when nobody else uses it."""
        if self._stopping.is_set() or os.getpid() != self._process:  # a fork has no share in it
            return
        self._stopping.set()
        atexit.unregister(self.stop)
        os.eventfd_write(self._wake, 1)
        if self._watcher.is_alive():
            self._watcher.join()
        os.close(self._wake)
        with turn(self.data):
            self._close()

    # ---------------------------------------------------------------- within our turn

    def _open(self, binaries: Path | None, settings: dict[str, str]) -> None:
        alone = self._users.join()
        self._settings = settings
        self._make_cluster(binaries)
        running = self._postmaster.find()
        if running is not None and alone:
            # Everyone who used it died. Its sessions are of nobody, its programs and settings of
            # yesterday; stopping it in order takes a tenth of a second.
            self._postmaster.stop(running)
            running = None
        if running is None or not self._postmaster.wait_ready(running):
            running = self._launch()
        self.pid = running
        if not self._store.ready:
            make_roles(self.data, self._store)
            self._save(msgspec.structs.replace(self._store, ready=True))
        # Ready: a start that finds no cluster is refused from here on, never given an empty one.
        try:
            self._meet()
        except StoreUnusable:
            if not self._dies():
                raise
            # It was about to die when we found it, as after a kill a moment ago.
            self.pid = self._launch()
            self._meet()

    def _dies(self) -> bool:
        """Whether the server that let nobody in is gone, or is so within a moment."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return True
        try:
            return ended(pidfd, DYING_SECONDS_MAX)
        finally:
            os.close(pidfd)

    def _attach(self) -> None:
        self._users.join()
        running = self._postmaster.find()
        if running is None or not self._store.ready or not self._postmaster.wait_ready(running):
            raise StoreUnusable(f"No server runs over {self.data}. Start it: `hireledger serve`.")
        self.pid = running
        self._meet()

    def _make_cluster(self, binaries: Path | None) -> None:
        """Find the programs, and make the cluster if this is the first start.

        Raises:
            StoreUnusable: the cluster of a store that was in use is gone: never begin an empty one.
        """
        stamp = self.home / "cluster" / "PG_VERSION"
        made = stamp.is_file()
        if self._store.ready and not made:
            raise StoreUnusable(
                f"The database is gone: {self.home / 'cluster'} is not what it was. Restore the "
                "data directory from a backup; to begin an empty ledger, give another directory."
            )
        found = find_binaries(binaries, int(stamp.read_text()) if made else None)
        self._binaries = within_reach(found, self._account)
        if made:
            return
        # The passwords are kept before anything rests on them; a crash from here on leaves a store
        # that is not ready, and the next start goes through these lines again.
        self._save(self._store)
        self._save(make_home(self.data, self._store, self._account))
        self.home = self._store.home(self.data)
        self._postmaster = Postmaster(self.home, self._account)
        if not self._postmaster.cluster.is_dir():
            sync = self._settings.get("fsync") != "off"
            make_cluster(self.home, self._store, self._binaries, self._account, sync=sync)

    def _launch(self) -> int:
        """Start the server over the cluster, clear of what a dead one left; its pid."""
        if self._binaries is None:  # attached: we do not know with what it was started
            raise StoreUnusable(
                f"The server over {self.data} is gone. Start it: `hireledger serve`."
            )
        self._save(make_socket_directory(self.data, self._store, self._account))
        socket = self._store.socket(self.data)
        self._postmaster.clear(socket)
        sweep_logs(self.home)
        return self._postmaster.launch(
            command_line(self.home, socket, self._binaries, self._settings)
        )

    def _meet(self) -> None:
        """Prove that the server knows our passwords; learn its version and what to tell of it."""
        try:
            with psycopg.connect(
                self.superuser_url("postgres"), connect_timeout=CONNECT_SECONDS_MAX
            ) as connection:
                number = connection.info.server_version
                fsync = connection.execute("SHOW fsync").fetchone()
        except psycopg.OperationalError as error:
            raise StoreUnusable(
                f"The server over {self.home} does not let us in with the passwords of "
                f"{self.data / 'store.json'}. If somebody started it by hand, stop it and start "
                "again; else restore that file from a backup."
            ) from error
        version = divmod(number, 10_000)
        self.version = version_text(version)
        elsewhere = (
            f"The server runs as {self._account.name}, which cannot reach {self.data}: the "
            f"database is in {self.home}. Back up both. To keep them together, let other accounts "
            "pass through the directories above, or start as a plain user."
        )
        unsafe = (
            "Durability is off (fsync): a power failure destroys this database. For tests only."
        )
        told = (
            elsewhere if self._store.elsewhere else None,
            below_floor(version),
            unsafe if fsync == ("off",) else None,
        )
        self.notices = tuple(notice for notice in told if notice)

    def _save(self, store: Store) -> None:
        """Keep what changed before anything rests on it."""
        if store != read_store(self.data):
            write_store(self.data, store)
        self._store = store

    def _close(self) -> None:
        """Count us out; the last one stops the server."""
        if not self._users.leave():
            self._postmaster.leave()
        elif (running := self._postmaster.find()) is not None:
            self._postmaster.stop(running)

    @contextmanager
    def _closed_on_error(self) -> Generator[None]:
        try:
            yield
        except BaseException:
            self._close()
            raise

    # ---------------------------------------------------------------- while it is used

    def _go_on(self, *, watch: bool) -> None:
        self._wake = os.eventfd(0, os.EFD_CLOEXEC)
        atexit.register(self.stop)
        if watch:
            self._watcher.start()

    def _watch(self) -> None:
        """Start the server again whenever it dies; every process that watches may, one does."""
        while not self._stopping.is_set():
            try:
                if self._lives(WATCH_SECONDS):
                    sweep_logs(self.home)
                else:
                    self._revive()
            except (LedgerError, OSError, psycopg.Error) as error:
                _log.error("store not restarted", error=type(error).__name__)
                self._stopping.wait(RETRY_SECONDS)

    def _lives(self, seconds_max: float) -> bool:
        """Whether the server still lives, after watching it for so long or until we stop."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return False
        try:
            if self._account.serves(self.pid, self._postmaster.cluster) is False:
                return False
            return pidfd not in wait_for([pidfd, self._wake], seconds_max)
        finally:
            os.close(pidfd)

    def _revive(self) -> None:
        with turn(self.data):
            if self._stopping.is_set():
                return
            running = self._postmaster.find()  # another process may have been first
            if running is None or not self._postmaster.wait_ready(running):
                running = self._launch()
                _log.warning("store restarted")
            self.pid = running
