"""Where a ledger lives, and how to connect to it as each role.

One ledger is one schema. Three roles work in it: the **owner** migrates; the **runtime** serves
requests, may insert and select, and owns nothing; the **projector** owns the schema of the read
models and sees only the log. On the embedded server they are three logins. On a server of the
organisation's own they are roles that the login of the given URL steps down to, or, better, logins
of their own URLs.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool

from ledger.embedded.binaries import OLDEST_MAJOR, below_floor
from ledger.embedded.cluster import ROLES, Role, role_name
from ledger.embedded.server import Embedded
from ledger.errors import LedgerError
from ledger.migrate import migrate

DEFAULT_SCHEMA = "hireledger"
CONNECT_SECONDS_MAX = 2
"""libpq's shortest; an absent server must be an answer, not a wait."""

PEER_SILENT_MS_MAX = 10_000
POOL_WAIT_SECONDS_MAX = 5.0
POOL_RETRY_SECONDS = 0.25

_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,47}")

Connection = psycopg.Connection[tuple[Any, ...]]
Pool = ConnectionPool[Connection]
_GRANT_SCHEMA: Final = "GRANT USAGE ON SCHEMA {views} TO {runtime}"
_GRANT_TABLES: Final = (
    "ALTER DEFAULT PRIVILEGES FOR ROLE {projector} IN SCHEMA {views} GRANT SELECT ON TABLES "
    "TO {runtime}"
)


class DatabaseUnfit(LedgerError):
    """The database cannot hold a ledger as it is; the message says what to change."""


class Database:
    """One ledger's schema, and the way to it.

    Attributes:
        schema: the ledger's; that of its read models has the suffix `_views`.
        notices: what the operator must be told; complete once `prepare` has returned.
    """

    schema: str
    notices: tuple[str, ...]

    def __init__(
        self, schema: str, urls: Mapping[Role, str], names: Mapping[Role, str], *, step_down: bool
    ) -> None:
        """Not for callers: `embedded` and `external` make databases."""
        if not _SCHEMA.fullmatch(schema) or schema.startswith("pg_"):
            raise DatabaseUnfit(
                "A schema's name has at most 48 of a-z, 0-9 and _, begins with a letter, and not "
                "with `pg_`. Change the setting."
            )
        self.schema = schema
        self.notices = ()
        self._urls = dict(urls)
        self._names = dict(names)
        self._step_down = step_down

    @classmethod
    def embedded(cls, server: Embedded, schema: str = DEFAULT_SCHEMA) -> Self:
        """A ledger on the embedded server; its three roles are three logins there."""
        database = cls(schema, _of_each(server.url), _of_each(role_name), step_down=False)
        database.notices = server.notices
        return database

    @classmethod
    def external(
        cls,
        url: str,
        schema: str = DEFAULT_SCHEMA,
        runtime_url: str | None = None,
        projector_url: str | None = None,
    ) -> Self:
        """A ledger on a server of the organisation's own, PostgreSQL 15 or newer.

        Args:
            url: libpq's URL or keywords, of a login that owns (or may create) the schema.
            schema: the ledger's.
            runtime_url: of a login for requests. Default `url`, stepping down by SET ROLE: that
                guards against mistakes, while a login of its own guards against a stolen process.
            projector_url: likewise for the read models.
        """
        urls: dict[Role, str] = {
            "owner": url,
            "runtime": runtime_url or url,
            "projector": projector_url or url,
        }
        return cls(schema, urls, _of_each(lambda role: f"{schema}_{role}"), step_down=True)

    @property
    def views(self) -> str:
        """The schema of the read models; the projector owns it."""
        return f"{self.schema}_views"

    @property
    def ours(self) -> bool:
        """Whether the server is the embedded one, where nobody else has any business."""
        return not self._step_down

    def role_name(self, role: Role) -> str:
        """The role's name on the server, as grants name it; the owner's only where it is ours."""
        return self._names[role]

    def conninfo(self, role: Role) -> str:
        """How libpq connects as a role, password included: never log it.

        What correctness rests on is stated, whatever the server's defaults are: the search path,
        the isolation in which a statement after the lock sees what was committed before it, and
        that a commit is on disk when it returns.
        """
        given = conninfo_to_dict(self._urls[role])
        path = f"{self.views},{self.schema}" if role == "projector" else self.schema
        stated = {
            "search_path": f"{path},pg_temp",
            "default_transaction_isolation": r"read\ committed",
            "synchronous_commit": "on",
            "TimeZone": "UTC",
        }
        if self._step_down and role != "owner":
            stated["role"] = self._names[role]
        words = [str(given.get("options") or ""), *(f"-c {k}={v}" for k, v in stated.items())]
        return make_conninfo(
            self._urls[role],
            connect_timeout=given.get("connect_timeout", CONNECT_SECONDS_MAX),
            tcp_user_timeout=given.get("tcp_user_timeout", PEER_SILENT_MS_MAX),
            # A peer that died without a word is noticed also by who only waits for it.
            keepalives_idle=given.get("keepalives_idle", 5),
            keepalives_interval=given.get("keepalives_interval", 2),
            keepalives_count=given.get("keepalives_count", 3),
            options=" ".join(words).strip(),
            application_name=f"hireledger-{role}",
            client_encoding="UTF8",
        )

    def connect(self, role: Role, *, autocommit: bool = False) -> Connection:
        """A connection of one's own.

        Raises:
            psycopg.OperationalError: the server is away; said within `CONNECT_SECONDS_MAX`.
        """
        return psycopg.connect(self.conninfo(role), autocommit=autocommit)

    def pool(self, role: Role, size: int, *, autocommit: bool = False) -> Pool:
        """An open pool of at most `size` connections; close it, or use it in a `with`.

        It opens also while the server is away. A connection is proven before it is handed out: the
        first that is found broken empties the pool, because a restart broke all of them. While
        requests wait, it tries to connect every `POOL_RETRY_SECONDS`: the library's own backing off
        would keep them waiting for seconds after the server has come back.

        Raises (from the pool):
            psycopg_pool.PoolTimeout: no connection within `POOL_WAIT_SECONDS_MAX`.
        """

        def prove(connection: Connection) -> None:
            try:
                Pool.check_connection(connection)
            except psycopg.Error:
                pool.drain()
                raise

        def try_again(pool: ConnectionPool[Any]) -> None:
            if pool.get_stats().get("requests_waiting"):
                pool.check()  # makes room for one more attempt

        pool: Pool = ConnectionPool(
            self.conninfo(role),
            connection_class=psycopg.Connection,
            kwargs={"autocommit": autocommit},
            min_size=min(1, size),
            max_size=size,
            open=True,
            check=prove,
            name=f"hireledger-{role}",
            timeout=POOL_WAIT_SECONDS_MAX,
            reconnect_timeout=POOL_RETRY_SECONDS,
            reconnect_failed=try_again,
        )
        return pool

    def prepare(self) -> None:
        """Make the roles and schemas that are missing, migrate, and prove the runtime role weak.

        Running it again changes nothing; two processes may run it at once.

        Raises:
            DatabaseUnfit: the server is too old, or something could not be made or is too open.
            MigrationRefused: the database and this version do not fit together.
            psycopg.OperationalError: the server is away.
        """
        with self.connect("owner", autocommit=True) as connection:
            self._refuse_unfit_server(connection)
            try:
                self._make_schemas(connection)
            except psycopg.errors.InsufficientPrivilege as error:
                raise DatabaseUnfit(self._for_the_administrator(connection)) from error
            migrate(
                connection,
                self.schema,
                names={str(role): name for role, name in self._names.items()},
            )
        with self.connect("runtime", autocommit=True) as connection:
            self._refuse_powerful_runtime(connection)

    # ---------------------------------------------------------------- steps of `prepare`

    def _refuse_unfit_server(self, connection: Connection) -> None:
        version = divmod(connection.info.server_version, 10_000)
        if version[0] < OLDEST_MAJOR:
            raise DatabaseUnfit(
                f"PostgreSQL {version[0]} is too old: a ledger needs {OLDEST_MAJOR} or newer."
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DatabaseUnfit(f"The database's encoding is {encoding}; make one with UTF8.")
        temporary = _one(
            connection, "SELECT has_database_privilege('public', current_database(), 'TEMPORARY')"
        )
        open_to_all = (
            "Every login may make temporary tables in this database, the one that serves requests "
            f"too. Better: REVOKE TEMPORARY ON DATABASE {connection.info.dbname} FROM PUBLIC."
        )
        told = (*self.notices, below_floor(version), open_to_all if temporary else None)
        self.notices = tuple(dict.fromkeys(notice for notice in told if notice))

    def _make_schemas(self, connection: Connection) -> None:
        """Roles first, because the projector owns its schema; one process at a time."""
        lock = "SELECT pg_advisory_xact_lock(hashtextextended('hireledger:migrate:' || %s, 0))"
        with connection.transaction():
            connection.execute(lock, [self.schema])
            if self._step_down:
                self._make_role(connection, "runtime")
                self._make_role(connection, "projector")
            for schema, owner in ((self.schema, None), (self.views, self._names["projector"])):
                if _one(connection, "SELECT to_regnamespace(%s)", schema) is None:
                    make = sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema))
                    whose = sql.SQL(" AUTHORIZATION {}").format(sql.Identifier(owner or ""))
                    connection.execute(make + whose if owner else make)
                    if owner:
                        self._let_requests_read(connection)

    def _let_requests_read(self, connection: Connection) -> None:
        """What the first migration grants too; a restored record has been migrated already."""
        views, projector, runtime = (
            sql.Identifier(name)
            for name in (self.views, self._names["projector"], self._names["runtime"])
        )
        for grant in (_GRANT_SCHEMA, _GRANT_TABLES):
            connection.execute(
                sql.SQL(grant).format(views=views, projector=projector, runtime=runtime)
            )

    def _make_role(self, connection: Connection, role: Role) -> None:
        """A role without login, and the right to step down to it for those who connect as it."""
        name = self._names[role]
        if _one(connection, "SELECT true FROM pg_roles WHERE rolname = %s", name) is None:
            connection.execute(
                sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(
                    sql.Identifier(name)
                )
            )
        steps_down = "SET" if connection.info.server_version >= 160_000 else "MEMBER"
        logins = {connection.info.user, conninfo_to_dict(self._urls[role]).get("user")}
        for login in sorted(str(login) for login in logins if login):
            if not _one(connection, "SELECT pg_has_role(%s, %s, %s)", login, name, steps_down):
                connection.execute(
                    sql.SQL("GRANT {} TO {}").format(sql.Identifier(name), sql.Identifier(login))
                )

    def _for_the_administrator(self, connection: Connection) -> str:
        login, database = connection.info.user, connection.info.dbname
        runtime, projector = self._names["runtime"], self._names["projector"]
        return (
            f"The login {login} may not make what a ledger needs. Let an administrator run: "
            f'CREATE ROLE "{runtime}"; CREATE ROLE "{projector}"; '
            f'GRANT "{runtime}", "{projector}" TO "{login}"; '
            f'CREATE SCHEMA "{self.schema}" AUTHORIZATION "{login}"; '
            f'CREATE SCHEMA "{self.views}" AUTHORIZATION "{projector}"; '
            f"in the database {database}; then start again."
        )

    def _refuse_powerful_runtime(self, connection: Connection) -> None:
        """What the runtime role could do to the log if somebody granted it more than we did."""
        facts = sql.Identifier(self.schema, "facts").as_string(connection)
        powerful = _one(
            connection,
            "SELECT rolsuper OR has_table_privilege(%s, 'UPDATE, DELETE, TRUNCATE')"
            " OR has_schema_privilege(%s, 'CREATE') FROM pg_roles WHERE rolname = current_user",
            facts,
            self.schema,
        )
        if powerful:
            raise DatabaseUnfit(
                f"The role {self._names['runtime']} may change the log or create objects beside "
                "it. Revoke what was granted to it beyond hireledger's migrations, and start again."
            )


def _of_each(named: Callable[[Role], str]) -> dict[Role, str]:
    return {role: named(role) for role in ROLES}


def _one(connection: Connection, query: LiteralString, *values: object) -> Any:
    """The first column of the first row, or None."""
    row = connection.execute(query, values).fetchone()
    return None if row is None else row[0]
