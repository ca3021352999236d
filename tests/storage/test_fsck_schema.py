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
    names = {role: ledger.role_name(role) for role in ("runtime", "projector")}
    findings = Findings()
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"SET search_path = {ledger.schema}".encode())
        check_schema(Rows(connection, ledger.schema), ledger, findings)
        assert findings.report("", 0, "").sound
        connection.execute(change.format(schema=ledger.schema, **names).encode())
        readable = check_schema(Rows(connection, ledger.schema), ledger, findings)
        connection.rollback()
    report = findings.report("", 0, "")
    assert CHANGES[change] in {problem.row for problem in report.problems}
    assert readable != change.startswith(("DROP TABLE", "ALTER TABLE aliases RENAME"))
