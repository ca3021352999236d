"""A ledger on a server of the organisation's own: by one login, or by three."""

import re
import secrets
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.database import Database, DatabaseUnfit
from ledger.embedded.server import Embedded

Login = Callable[..., str]


@pytest.fixture
def own(server: Embedded) -> str:
    """The URL of a database of its own, as the superuser."""
    name = f"own_{secrets.token_hex(4)}"
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.superuser_url(name)


@pytest.fixture
def login(own: str) -> Generator[Login]:
    """Makes a login with some attributes, which may create in the database; its URL.

    It is one for the test alone: `hireledger fsck` of others on this server names who may log in.
    """
    made: list[str] = []

    def make(attributes: str = "", *, creates: bool = True) -> str:
        name = f"login_{secrets.token_hex(4)}"
        made.append(name)
        database = conninfo_to_dict(own)["dbname"]
        with psycopg.connect(own, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'a' {attributes}".encode())
            if creates:
                connection.execute(f"GRANT CREATE ON DATABASE {database} TO {name}".encode())
        return make_conninfo(own, user=name, password="a")

    yield make
    with psycopg.connect(own, autocommit=True) as connection:
        for name in made:
            connection.execute(f"ALTER ROLE {name} NOLOGIN".encode())


@pytest.fixture
def schema() -> str:
    """A schema's name; its roles are the whole server's, so it is used once."""
    return f"x_{secrets.token_hex(4)}"


def _user(database: Database, role: Any) -> tuple[Any, ...]:
    with database.connect(role) as connection:
        row = connection.execute("SELECT session_user::text, current_user::text").fetchone()
    assert row is not None
    return row


def test_one_login_steps_down_for_requests_and_read_models(own: str, schema: str) -> None:
    """Even a superuser's URL serves requests as a role that may only append and read."""
    ledger = Database.external(own, schema)
    ledger.prepare()
    assert _user(ledger, "owner") == ("postgres", "postgres")
    assert _user(ledger, "runtime") == ("postgres", f"{schema}_runtime")
    assert _user(ledger, "projector") == ("postgres", f"{schema}_projector")
    with ledger.connect("runtime", autocommit=True) as connection:
        for statement in ("DELETE FROM facts", "CREATE TABLE mine (a int)"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    with ledger.connect("projector") as connection:
        connection.execute("CREATE TABLE loop_state AS SELECT 1 AS one")
    ledger.prepare()


def test_a_login_that_may_make_roles_needs_no_administrator(login: Login, schema: str) -> None:
    """It makes what is missing, and steps down to the roles it made."""
    ledger = Database.external(login("CREATEROLE"), schema)
    ledger.prepare()
    ledger.prepare()
    assert _user(ledger, "runtime")[1] == f"{schema}_runtime"
    with ledger.connect("projector") as connection:
        connection.execute("CREATE TABLE loop_state AS SELECT 1 AS one")


def test_a_login_that_may_not_is_told_what_the_administrator_runs(
    own: str, login: Login, schema: str
) -> None:
    """The lines in the message are all that is needed: run as they stand, they let it start."""
    ledger = Database.external(login(creates=False), schema)
    with pytest.raises(DatabaseUnfit, match="may not make what a ledger needs") as refused:
        ledger.prepare()
    lines = re.findall(r"(?:CREATE|GRANT)[^;]*;", str(refused.value))
    assert len(lines) == 5
    with psycopg.connect(own) as connection:
        for line in lines:
            connection.execute(line.encode())
    ledger.prepare()
    assert _user(ledger, "runtime")[1] == f"{schema}_runtime"


def test_logins_of_their_own_cannot_step_back(login: Login, own: str, schema: str) -> None:
    """A stolen connection of the runtime login is the runtime role and can become nothing else."""
    runtime, projector = login(creates=False), login(creates=False)
    ledger = Database.external(own, schema, runtime, projector)
    ledger.prepare()
    names = [str(conninfo_to_dict(url)["user"]) for url in (runtime, projector)]
    assert _user(ledger, "runtime") == (names[0], f"{schema}_runtime")
    assert _user(ledger, "projector") == (names[1], f"{schema}_projector")
    with ledger.connect("runtime", autocommit=True) as connection:
        for role in ("postgres", f"{schema}_projector"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"SET ROLE {role}".encode())
        connection.execute("RESET ROLE")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("DELETE FROM facts")


@pytest.mark.parametrize(
    "grant",
    [
        "GRANT UPDATE ON {schema}.facts TO {role}",
        "GRANT TRUNCATE ON {schema}.facts TO {role}",
        "GRANT CREATE ON SCHEMA {schema} TO {role}",
        "ALTER ROLE {role} SUPERUSER",
    ],
)
def test_a_runtime_role_with_more_power_than_ours_is_refused(
    own: str, schema: str, grant: str
) -> None:
    """A helpful grant by hand does not go unnoticed at the next start."""
    ledger = Database.external(own, schema)
    ledger.prepare()
    with psycopg.connect(own) as connection:
        connection.execute(grant.format(schema=schema, role=f"{schema}_runtime").encode())
    with pytest.raises(DatabaseUnfit, match="may change the log or create objects"):
        ledger.prepare()


def test_what_correctness_rests_on_is_stated_by_the_connection(
    own: str, login: Login, schema: str
) -> None:
    """Other defaults of the server, the role or the URL change neither isolation nor durability."""
    url = login("CREATEROLE")
    user = conninfo_to_dict(url)["user"]
    for setting in (
        "default_transaction_isolation = 'serializable'", "search_path = public",
        "synchronous_commit = off", "TimeZone = 'Asia/Kathmandu'",
    ):  # fmt: skip
        with psycopg.connect(own) as connection:
            connection.execute(f"ALTER ROLE {user} SET {setting}".encode())
    given = make_conninfo(url, options="-c search_path=public -c work_mem=8MB")
    ledger = Database.external(given, schema)
    ledger.prepare()
    stated = {
        "default_transaction_isolation": "read committed", "synchronous_commit": "on",
        "search_path": f"{schema},pg_temp", "TimeZone": "UTC", "work_mem": "8MB",
        "application_name": "hireledger-runtime", "client_encoding": "UTF8",
    }  # fmt: skip
    with ledger.connect("runtime") as connection:
        found = {name: connection.execute(f"SHOW {name}".encode()).fetchone() for name in stated}
    assert {name: value and value[0].replace('"', "") for name, value in found.items()} == stated


def test_temporary_tables_for_everybody_are_pointed_out(own: str, schema: str) -> None:
    """What a ledger's own server forbids, an administrator may forbid here."""
    ledger = Database.external(own, schema)
    ledger.prepare()
    said = [notice for notice in ledger.notices if "temporary tables" in notice]
    database = conninfo_to_dict(own)["dbname"]
    assert f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC" in said[0]
    with psycopg.connect(own) as connection:
        connection.execute(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC".encode())
    again = Database.external(own, schema)
    again.prepare()
    assert not [notice for notice in again.notices if "temporary tables" in notice]


def test_another_encoding_than_utf8_is_refused(own: str, schema: str) -> None:
    """Leaves are UTF-8, and so is every text beside them."""
    name = f"own_{secrets.token_hex(4)}"
    with psycopg.connect(own, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'"
            " TEMPLATE template0".encode()
        )
    with pytest.raises(DatabaseUnfit, match="encoding is SQL_ASCII; make one with UTF8"):
        Database.external(make_conninfo(own, dbname=name), schema).prepare()


def test_an_absent_server_is_an_answer_within_seconds(tmp_path: Path, schema: str) -> None:
    """A connection attempt has a limit of its own, which the URL may change."""
    ledger = Database.external(f"host={tmp_path} user=a dbname=b", schema)
    with pytest.raises(psycopg.OperationalError):
        ledger.prepare()
    assert conninfo_to_dict(ledger.conninfo("runtime"))["connect_timeout"] == "2"
    patient = Database.external("host=db.example connect_timeout=7", schema)
    assert conninfo_to_dict(patient.conninfo("runtime"))["connect_timeout"] == "7"
