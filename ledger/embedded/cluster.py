"""A PostgreSQL cluster of our own: its place, its passwords, its settings, its first start.

In the data directory stands `store.json` (0600): where the cluster lives and the passwords of its
roles. The cluster's home is `postgres/` in the data directory, or, where the server's account
cannot reach that, a directory below `/var/lib/hireledger/stores`.
"""

import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from ledger.embedded.account import Account
from ledger.embedded.binaries import STATE, Binaries, make_passable
from ledger.errors import LedgerError

Role = Literal["owner", "runtime", "projector"]
ROLES: Final[tuple[Role, ...]] = ("owner", "runtime", "projector")
DATABASE = "hireledger"
SUPERUSER = "postgres"
PORT = 5432
"""Part of the socket's name; the server listens on no network address."""

SOCKET_BYTES_MAX = 100
"""A socket's path may have 107 bytes on Linux, 103 elsewhere."""

LOG_FILES_MAX = 8
LOG_SIZE = "8MB"
CONNECT_SECONDS_MAX = 5


class StoreUnusable(LedgerError):
    """The embedded store cannot be used as it is; the message says what to do."""


class Store(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `store.json` holds. It gives full access to the database: never log it."""

    id: str
    elsewhere: str | None = None
    socket_elsewhere: str | None = None
    passwords: dict[str, str]
    ready: bool = False

    def __repr__(self) -> str:
        return f"<Store {self.id}>"

    def home(self, data: Path) -> Path:
        """The directory that the server's account owns: cluster, socket and logs."""
        return Path(self.elsewhere) if self.elsewhere else data / "postgres"

    def socket(self, data: Path) -> Path:
        """The directory of the server's socket."""
        return Path(self.socket_elsewhere) if self.socket_elsewhere else self.home(data) / "socket"

    def url(self, data: Path, user: str, dbname: str) -> str:
        """How libpq connects, password included: never log it."""
        return make_conninfo(
            host=str(self.socket(data)),
            port=PORT,
            user=user,
            password=self.passwords[user],
            dbname=dbname,
        )


def role_name(role: Role) -> str:
    """The login role's name on an embedded server, such as `hireledger_runtime`."""
    return f"hireledger_{role}"


def new_store() -> Store:
    """A store that nothing was made for yet: an id and a password for every role."""
    users = (SUPERUSER, *map(role_name, ROLES))
    return Store(
        id=secrets.token_hex(8), passwords={user: secrets.token_urlsafe(32) for user in users}
    )


def read_store(data: Path) -> Store | None:
    """The data directory's store, or None where none was made.

    Raises:
        StoreUnusable: the file is not ours to read, or not what we wrote.
    """
    path = data / "store.json"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        if (data / "postgres").exists():
            raise StoreUnusable(
                f"{data / 'postgres'} is there, but {path}, which holds its passwords, is not. "
                "Restore the file from a backup of the data directory."
            ) from None
        return None
    except OSError as error:
        raise StoreUnusable(
            f"{path} cannot be read ({error.strerror}). Run as the account that started hireledger "
            "over this data directory."
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        raw = file.read()
    try:
        return msgspec.json.decode(raw, type=Store)
    except msgspec.MsgspecError:
        raise StoreUnusable(
            f"{path} is damaged. Restore it from a backup of the data directory; the database "
            "itself is untouched."
        ) from None


def write_store(data: Path, store: Store) -> None:
    """Replace `store.json` whole, readable by the data directory's owner only."""
    descriptor, name = tempfile.mkstemp(prefix=".store-", dir=data)  # 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(store)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    give_to_owner_of(data, Path(name))
    Path(name).replace(data / "store.json")
    _sync_directory(data)


def _sync_directory(directory: Path) -> None:
    """Make a rename in it last through a power failure."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give_to_owner_of(data: Path, path: Path) -> None:
    """What root writes into somebody's data directory is theirs, so that they can go on."""
    if os.geteuid() == 0:
        owner = data.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def make_data_directory(data: Path) -> Path:
    """The data directory, made where it is missing, with its symlinks resolved.

    Root makes it 0711: the server's account passes through, and reads nothing in it.
    An existing directory keeps its mode.
    """
    try:
        if not data.is_dir():
            data.mkdir(parents=True)
            data.chmod(0o711 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise StoreUnusable(
            f"The data directory {data} cannot be made ({error.strerror}). Give another one, or "
            "make it yours."
        ) from error
    return data.resolve()


def make_home(data: Path, store: Store, account: Account) -> Store:
    """Make the cluster's home, owned by the account, where the account can reach it."""
    home = store.home(data)
    if not home.is_dir():
        home.mkdir(mode=0o700)
        account.give(home)
    if store.elsewhere is None and not account.is_ours and not account.may_enter(home):
        # An ancestor of the data directory is closed to the account, and is not ours to open.
        home.rmdir()
        home = STATE / "stores" / store.id
        make_passable(home.parent)
        home.mkdir(mode=0o700, exist_ok=True)
        account.give(home)
        store = msgspec.structs.replace(store, elsewhere=str(home))
    found = home.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
        raise StoreUnusable(
            f"{home} must be a directory of {account.name}, as which the server runs. Give it back "
            "to that account, or start as the account that owns it."
        )
    return store


def make_socket_directory(data: Path, store: Store, account: Account) -> Store:
    """A directory for the socket that only the account enters, with a path short enough for one."""
    inside = store.home(data) / "socket"
    path = os.fsencode(inside / f".s.PGSQL.{PORT}")
    fits = len(path) <= SOCKET_BYTES_MAX and b"," not in path  # libpq reads a list of hosts
    wanted = inside if fits else store.socket_elsewhere
    if wanted is not None and _is_private(Path(wanted), account):
        chosen = None if wanted == inside else str(wanted)
        return msgspec.structs.replace(store, socket_elsewhere=chosen)
    # The data directory's path does not serve, and the short one was not made yet, was swept from
    # the temporary directory, or is in somebody else's hands.
    made = Path(tempfile.mkdtemp(prefix="hireledger-", dir="/tmp"))
    account.give(made)
    return msgspec.structs.replace(store, socket_elsewhere=str(made))


def _is_private(directory: Path, account: Account) -> bool:
    """Make the directory unless it is there; whether it is the account's and nobody else's."""
    with contextlib.suppress(FileExistsError):
        directory.mkdir(mode=0o700)
        account.give(directory)
    found = directory.lstat()
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid
    return ours and not found.st_mode & 0o077


def make_cluster(
    home: Path, store: Store, binaries: Binaries, account: Account, *, sync: bool
) -> None:
    """Run initdb beside the final place and rename: a crash leaves no half cluster under the name.

    SCRAM for everyone, checksums on. From 17 on the collation is PostgreSQL's own C.UTF-8, which
    no update of the operating system can change under an index; before, it is C.
    """
    made = home / "cluster.new"
    shutil.rmtree(made, ignore_errors=True)
    password = home / "password.new"
    password.unlink(missing_ok=True)
    descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, store.passwords[SUPERUSER].encode())
    os.close(descriptor)
    account.give(password)
    locale = ["--locale=C"]
    if binaries.major >= 17:
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        ran = account.run(
            str(binaries.directory / "initdb"), f"--pgdata={made}", f"--username={SUPERUSER}",
            f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums",
            "--no-instructions", "--no-sync", *locale, seconds_max=300,
        )  # fmt: skip
    finally:
        password.unlink(missing_ok=True)
    if ran.returncode != 0:
        raise StoreUnusable(
            f"initdb failed as {account.name} in {home}: {_reason(ran.stderr)} "
            "Mend that and start again; nothing was recorded yet."
        )
    if sync and account.run("/bin/sync", "--file-system", str(made)).returncode != 0:
        raise StoreUnusable(f"{home} cannot be written to disk. See the system's log; start again.")
    # The cluster is on disk, whole, and under a name that nobody looks for.
    made.rename(home / "cluster")
    _sync_directory(home)


def command_line(
    home: Path, socket: Path, binaries: Binaries, settings: dict[str, str]
) -> list[str]:
    """How the server is called: every setting stands here, none in a file that could grow old.

    Durability is stated because the answer to a request rests on it. Statements and their
    parameters never reach the server's log; neither do the ledger's errors (`_make_role`).
    """
    stated = {
        "listen_addresses": "",
        "unix_socket_directories": '"{}"'.format(str(socket).replace('"', '""')),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "max_connections": "64",
        "cluster_name": "hireledger",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "recovery_init_sync_method": _sync_method(),
        "password_encryption": "scram-sha-256",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "logging_collector": "on",
        "log_directory": str(home / "log"),
        "log_filename": "postgresql-%Y%m%d-%H%M%S.log",
        "log_rotation_age": "1d",
        "log_rotation_size": LOG_SIZE,
        "log_file_mode": "0600",
        "log_line_prefix": "%m [%p] %q%u ",
        "log_statement": "none",
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
    } | settings
    program = str(binaries.directory / "postgres")
    options = [word for name, value in stated.items() for word in ("-c", f"{name}={value}")]
    return [program, "-D", str(home / "cluster"), *options]


def _sync_method() -> str:
    """How what a crash left is written to disk before recovery.

    One call for the file system takes a tenth of the time of one for each of a thousand files.
    Linux reports its errors since 5.8.
    """
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    reports = release is not None and (int(release[1]), int(release[2])) >= (5, 8)
    return "syncfs" if reports else "fsync"


def sweep_logs(home: Path) -> None:
    """Keep the newest `LOG_FILES_MAX` logs; the server begins a new one a day or `LOG_SIZE`."""
    logs = sorted((home / "log").glob("postgresql-*.log"), reverse=True)
    for log in logs[LOG_FILES_MAX:]:
        log.unlink(missing_ok=True)


def make_roles(data: Path, store: Store) -> None:
    """Make the three login roles and the database; running it again mends what a crash left.

    The owner owns the database and nothing beyond it. Nobody else may create anything in it, not
    even a temporary table.
    """
    with _as_superuser(store.url(data, SUPERUSER, "postgres")) as connection:
        for role in ROLES:
            _make_role(connection, role_name(role), store.passwords[role_name(role)])
        # The owner makes the schema of the read models, and the projector owns it.
        connection.execute("GRANT hireledger_projector TO hireledger_owner")
        made = "SELECT true FROM pg_database WHERE datname = 'hireledger'"
        if connection.execute(made).fetchone() is None:
            connection.execute("CREATE DATABASE hireledger OWNER hireledger_owner")
        connection.execute("REVOKE ALL ON DATABASE hireledger, postgres, template1 FROM PUBLIC")
        connection.execute(
            "GRANT CONNECT ON DATABASE hireledger TO hireledger_runtime, hireledger_projector"
        )
    with _as_superuser(store.url(data, SUPERUSER, DATABASE)) as connection:
        connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        # Large objects are the one kind that anybody may make without a schema to make them in.
        connection.execute(
            "REVOKE ALL ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) "
            "FROM PUBLIC"
        )


def _as_superuser(url: str) -> psycopg.Connection[Any]:
    return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS_MAX)


def _make_role(connection: psycopg.Connection[Any], name: str, password: str) -> None:
    known = connection.execute("SELECT true FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    # The server sees only the SCRAM verifier, so no log or statistics view can hold the password.
    verifier = connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    ).decode()
    identifier = sql.Identifier(name)
    connection.execute(
        sql.SQL(
            "{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD {}"
        ).format(sql.SQL("CREATE" if known is None else "ALTER"), identifier, sql.Literal(verifier))
    )
    # An error's text may quote a value. This role's errors go to who asked, never to the log.
    connection.execute(sql.SQL("ALTER ROLE {} SET log_min_messages = 'log'").format(identifier))


def _reason(text: str) -> str:
    """The line of initdb's that says why; what follows it tells only of tidying up."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "error:" in line or "FATAL:" in line]
    return (telling or lines or ["it said nothing"])[0].rstrip(".") + "."
