"""What keeps the record from being changed is itself looked at: as migrated, or told."""

import secrets

import psycopg
import pytest

from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.fsck.pages import Rows
from ledger.fsck.report import Findings
from ledger.fsck.schema import EXPECTED, check_schema
from schema_lines import lines_of

CHANGES = {
    "ALTER TABLE facts DISABLE TRIGGER facts_stay": "trigger facts_stay on facts",
    "ALTER TABLE facts ENABLE TRIGGER facts_stay": "trigger facts_stay on facts",
    "ALTER TABLE fact_tags DISABLE TRIGGER ALL": "trigger fact_tags_stay on fact_tags",
    "DROP TRIGGER tree_heads_stay ON tree_heads": "trigger tree_heads_stay on tree_heads",
    "CREATE TRIGGER more AFTER INSERT ON facts EXECUTE FUNCTION refuse_change()": (
        "trigger more on facts"
    ),
    "ALTER TABLE facts DROP CONSTRAINT facts_leaf_hash_check": (
        "constraint facts_leaf_hash_check on facts"
    ),
    "ALTER TABLE tree_nodes DROP CONSTRAINT tree_nodes_position_fkey": (
        "constraint tree_nodes_position_fkey on tree_nodes"
    ),
    "ALTER TABLE requests DROP CONSTRAINT requests_pkey": "constraint requests_pkey on requests",
    "GRANT UPDATE ON facts TO {runtime}": "grant UPDATE table facts to $runtime",
    "GRANT UPDATE (recorded) ON facts TO {projector}": (
        "grant UPDATE column facts.recorded to $projector"
    ),
    "GRANT DELETE ON requests TO PUBLIC": "grant DELETE table requests to PUBLIC",
    "GRANT pg_write_all_data TO {runtime}": "role $runtime",
    "ALTER ROLE {runtime} CREATEROLE": "role $runtime",
    "GRANT CREATE ON SCHEMA {schema} TO {runtime}": "grant CREATE schema  to $runtime",
    "REVOKE INSERT ON facts FROM {runtime}": "grant INSERT table facts to $runtime",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql "
    "SET search_path = pg_catalog AS 'BEGIN RETURN NULL; END'": "function refuse_change()",
    "CREATE RULE quiet AS ON INSERT TO facts DO INSTEAD NOTHING": "rule quiet on facts",
    "ALTER TABLE facts ENABLE ROW LEVEL SECURITY": "table facts",
    "CREATE POLICY early ON facts USING (position < 3)": "policy early on facts",
    "ALTER TABLE disclosures SET UNLOGGED": "table disclosures",
    "CREATE TABLE more () INHERITS (facts)": "child of facts",
    "DROP INDEX aliases_of_subject": "index aliases_of_subject",
    "ALTER TABLE facts ALTER COLUMN recorded SET DEFAULT now()": "column facts.recorded",
    "ALTER TABLE facts ALTER COLUMN type DROP NOT NULL": "column facts.type",
    "ALTER TABLE aliases RENAME COLUMN handle TO name": "column aliases.handle",
    "DROP TABLE cosignatures": "table cosignatures",
    "UPDATE pg_class SET relhastriggers = false WHERE oid = 'facts'::regclass": "table facts",
    "UPDATE pg_class SET relchecks = 0 WHERE oid = 'facts'::regclass": "table facts",
    "UPDATE pg_class SET relhasindex = false WHERE oid = 'requests'::regclass": "table requests",
    "CREATE RULE quiet AS ON UPDATE TO facts DO INSTEAD NOTHING; "
    "UPDATE pg_class SET relhasrules = false WHERE oid = 'facts'::regclass": "table facts",
    "UPDATE pg_index SET indislive = false WHERE indexrelid = 'requests_pkey'::regclass": (
        "index requests_pkey"
    ),
    "UPDATE pg_index SET indimmediate = false WHERE indexrelid = 'requests_pkey'::regclass": (
        "index requests_pkey"
    ),
    "UPDATE pg_index SET indisunique = false WHERE indexrelid = 'requests_pkey'::regclass": (
        "index requests_pkey"
    ),
    "ALTER TABLE subject_keys ALTER wrapped SET STATISTICS 100": "column subject_keys.wrapped",
    "ALTER TABLE aliases ALTER lookup SET STATISTICS -1": "column aliases.lookup",
    "CREATE STATISTICS more (mcv) ON subject, wrapped FROM subject_keys": (
        "statistics more on subject_keys"
    ),
    "GRANT USAGE ON SCHEMA {schema} TO PUBLIC": "grant USAGE schema  to PUBLIC",
    "GRANT SELECT ON subject_keys TO PUBLIC": "grant SELECT table subject_keys to PUBLIC",
    "GRANT SELECT (sealed) ON aliases TO PUBLIC": "grant SELECT column aliases.sealed to PUBLIC",
    "GRANT pg_read_all_data TO {projector}": "role $projector",
    "GRANT pg_read_server_files TO {runtime}": "role $runtime",
    "GRANT {runtime} TO {projector}": "role $projector",
}
ON_OUR_OWN_SERVER = {
    "GRANT {owner} TO eve": "role eve",
    "GRANT {runtime} TO eve": "role eve",
    "CREATE ROLE between; GRANT {owner} TO between; GRANT between TO eve": "role eve",
    "GRANT pg_read_all_data TO eve": "role eve",
    "ALTER ROLE eve SUPERUSER": "role eve",
    "ALTER ROLE eve REPLICATION": "role eve",
    "ALTER ROLE eve CREATEROLE": "role eve",
    "GRANT SELECT ON disclosures TO eve": "grant SELECT table disclosures to eve",
    "GRANT SELECT (sealed) ON aliases TO eve": "grant SELECT column aliases.sealed to eve",
}


@pytest.fixture(scope="module")
def ledger(server: Embedded) -> Database:
    """A fresh ledger, in which every change is rolled back."""
    made = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    made.prepare()
    return made


def test_a_fresh_ledger_is_as_the_file_says(ledger: Database) -> None:
    """On every server; after a new migration the file is renewed."""
    renew = ".venv/bin/python tests/support/schema_lines.py > ledger/migrations/schema.txt"
    assert lines_of(ledger) == EXPECTED.read_text().splitlines(), renew


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_change_of_the_schema_is_named(server: Embedded, ledger: Database, change: str) -> None:
    """Whatever a superuser takes away, turns off or puts in."""
    readable, told = _found_after(server, ledger, change)
    assert CHANGES[change] in told
    assert readable != change.startswith(("DROP TABLE", "ALTER TABLE aliases RENAME"))


@pytest.mark.parametrize("change", list(ON_OUR_OWN_SERVER))
def test_whom_a_superuser_let_in_is_named_where_nobody_else_has_business(
    server: Embedded, ledger: Database, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """On the embedded server; on somebody's own their administrators may read and act."""
    made = f"CREATE ROLE eve LOGIN; {change}"
    readable, told = _found_after(server, ledger, made)
    assert ON_OUR_OWN_SERVER[change] in told
    assert readable
    monkeypatch.setattr(Database, "ours", False)
    assert _found_after(server, ledger, made) == (True, set())


def test_a_trigger_that_came_and_went_is_no_change(server: Embedded, ledger: Database) -> None:
    """A table may say that it has what it has no more: PostgreSQL looks, and finds nothing."""
    for table in ("facts", "disclosures"):
        passing = (
            f"CREATE TRIGGER passing AFTER INSERT ON {table} EXECUTE FUNCTION refuse_change(); "
            f"DROP TRIGGER passing ON {table}"
        )
        assert _found_after(server, ledger, passing) == (True, set())


def _found_after(server: Embedded, ledger: Database, change: str) -> tuple[bool, set[str | None]]:
    """Whether the rest can be read, and what is told, after a change that is rolled back."""
    names = {role: ledger.role_name(role) for role in ("owner", "runtime", "projector")}
    findings = Findings()
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"SET search_path = {ledger.schema}".encode())
        check_schema(Rows(connection, ledger.schema), ledger, findings)
        assert findings.report("", 0, "").sound
        connection.execute(change.format(schema=ledger.schema, **names).encode())
        readable = check_schema(Rows(connection, ledger.schema), ledger, findings)
        connection.rollback()
    return readable, {problem.row for problem in findings.report("", 0, "").problems}
