"""One ledger: its store, its rules, its writer, and a pool for readers, put together."""

from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from time import monotonic
from typing import Final, Self

import psycopg
from psycopg_pool import PoolTimeout

from ledger.accept import rehearse
from ledger.append import Writer
from ledger.asked import Asked, Done, Rehearsed, Unavailable
from ledger.catch_up import catch_up
from ledger.database import POOL_WAIT_SECONDS_MAX, Database
from ledger.group import Group, Store
from ledger.nodes import Nodes
from ledger.personal.aliases import Aliases
from ledger.personal.erase import Erasures, Vacuuming
from ledger.personal.keyring import KeyRing
from ledger.personal.vault import Vault
from ledger.publish import Publisher, Publishing
from ledger.recorder import Recorder
from ledger.requests import Requests
from ledger.restore_guard import RestoreGuard
from policies import Catalogue

READERS: Final = 8
AWAY_SECONDS_MAX: Final = 0.5
"""How long a reader waits for a store that the reader before found away."""

SHUT_SECONDS: Final = 0.2
"""And how long after it nobody waits at all."""


class Ledger:
    """Records through one writer, reads through a pool; close it, or use it in a `with`.

    `publisher` has the signed checkpoints; `guard` says whether the store was set back.
    """

    def __init__(
        self, database: Database, keyring: KeyRing, rules: Catalogue, publishing: Publishing
    ) -> None:
        """Open it: prove the keys, complete the tree, hold the store against what was signed.

        Raises:
            VaultError: the keys are another ledger's.
            LogDamaged: facts are missing.
            RecordBehind: the store was set back, as by an old backup.
            psycopg.OperationalError: the store is away.
        """
        self.database = database
        self.rules = rules
        vault = Vault(keyring, database.schema)
        self.store = Store(
            recorder=Recorder(database),
            nodes=Nodes(database.schema),
            vault=vault,
            erasures=Erasures(vault, database.schema),
            aliases=Aliases(keyring, database.schema),
            requests=Requests(keyring, database.schema),
            keyring=keyring,
        )
        with database.connect("runtime") as connection, connection.cursor() as cur:
            # Another key directory than the one that the rows were made with must not be used.
            self.store.vault.check_keys(cur)
            self.store.aliases.check_keys(cur)
            unfinished = self.store.erasures.pending(cur) is not None
            connection.rollback()
            catch_up(connection, self.store.recorder, database.schema)
            self.guard = RestoreGuard(
                database.schema,
                self.store.recorder,
                self.store.nodes,
                publishing.keys,
                publishing.copy,
            )
            self.guard.check(cur)
            self.guard.check_tail(cur)
        self._away = False
        self._shut_until = 0.0
        self._readers = database.pool("runtime", READERS)
        self._vacuuming = Vacuuming(database)
        self.publisher = Publisher(database, self.store.nodes, self.guard, publishing)
        self._writer = Writer(
            lambda: database.connect("runtime"),
            self.store,
            rules,
            guard=self.guard,
            recorded=self.publisher.recorded,
            erased=self._vacuuming.begin,
        )
        if unfinished:
            self._vacuuming.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Answers what is waiting, publishes what was recorded, then lets go of the store."""
        self._writer.close()
        self.publisher.close()
        self._vacuuming.close()
        self._readers.close()

    def submit(self, asked: Asked) -> "Future[Done]":
        """The facts once they are on disk; or a `Refusal`, or `Unavailable`."""
        return self._writer.submit(asked)

    def rehearse(self, asked: Asked) -> Rehearsed:
        """What the rules would say now; nothing is recorded."""
        with self.reading() as group:
            return rehearse(asked, group, self.rules)

    @contextmanager
    def reading(self) -> Generator[Group]:
        """The log as it stands now, on a pooled connection; raises `Unavailable`.

        While the store is away nobody waits long for it: there are few threads, and who stands in
        line for one (a health check, say, or the lines of a batch) would wait for all those before.
        """
        said = "the store is away; try again"
        if monotonic() < self._shut_until:
            raise Unavailable(said, recorded=False)
        wait = AWAY_SECONDS_MAX if self._away else POOL_WAIT_SECONDS_MAX
        try:
            with self._readers.connection(wait) as connection, connection.cursor() as cur:
                self._away, self._shut_until = False, 0.0
                yield Group.begin(self.store, cur)
        except (PoolTimeout, psycopg.OperationalError) as error:
            self._away = isinstance(error, PoolTimeout)
            if self._away:
                self._shut_until = monotonic() + SHUT_SECONDS
            raise Unavailable(said, recorded=False) from error
