"""The main flow of fsck: one snapshot, every table, each row recomputed from what it rests on."""

import base64
from typing import Final

from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow

from ledger.database import Database
from ledger.fsck.basis import Bases, leaves
from ledger.fsck.checkpoints import CheckpointCheck, Trust
from ledger.fsck.facts import FactCheck
from ledger.fsck.names import check_aliases, check_keys
from ledger.fsck.owners import Owners
from ledger.fsck.pages import Page, Rows
from ledger.fsck.report import CHECKS_OF_ROWS, PROBLEMS_SHOWN, Findings, Progress, Report, unheard
from ledger.fsck.requests import RequestCheck
from ledger.fsck.schema import check_schema
from ledger.fsck.tags import check_tags
from ledger.fsck.tree import TreeCheck
from ledger.fsck.values import ValueCheck
from ledger.personal.keyring import KeyRing

NOBODY: Final = Trust()
_COUNT: Final = "select count(*) from {}.facts"


def snapshot(database: Database) -> Connection[TupleRow]:
    """A connection that sees the ledger as it is when first asked, and can write nothing."""
    connection = database.connect("owner")
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def fsck(
    connection: Connection[TupleRow],
    database: Database,
    keyring: KeyRing,
    trust: Trust = NOBODY,
    *,
    limit: int = PROBLEMS_SHOWN,
    progress: Progress = unheard,
) -> Report:
    """Look at everything, in constant memory, and tell what is not as it was recorded.

    Args:
        connection: of `snapshot`; whatever its transaction sees is looked at.
        database: the ledger's.
        keyring: the ledger's keys; they open values and ids, of which nothing is told.
        trust: whose signatures count; without any, every checkpoint there is counts as wrong.
        limit: how many problems are told one by one; all are counted.
        progress: is told now and then.
    """
    rows, findings = Rows(connection, database.schema), Findings(limit)
    # Before the snapshot begins: what the copy outside says was committed before it was written.
    signed = CheckpointCheck(trust, findings)

    # 1. What keeps the record from being changed is as migrated. Where tables or columns are not,
    #    nothing else can be read.
    if not check_schema(rows, database, findings):
        return findings.report(database.schema, 0, "")
    # 2. The log from its first fact to its last, and beside it what belongs to each position.
    owners = Owners(rows)
    walk = _Walk(rows, keyring, owners, signed, findings)
    ((count,),) = rows.all(_COUNT)
    for page in rows.pages():
        walk.through(page)
        progress(findings.rows["facts"], count)
    root = walk.end()
    # 3. What gates and decisions rested on, once more through the log, now that all are known.
    walk.bases.check(leaves(rows), findings)
    # 4. What has no order of its own: the index of tags, the callers' ids, the subjects' keys.
    check_tags(rows, findings)
    check_aliases(rows, keyring, owners, findings)
    check_keys(rows, keyring, owners, findings)
    return findings.report(database.schema, count, root)


class _Walk:
    """Every check that follows the positions, led through the log side by side."""

    def __init__(
        self,
        rows: Rows,
        keyring: KeyRing,
        owners: Owners,
        signed: CheckpointCheck,
        findings: Findings,
    ) -> None:
        findings.begin(*CHECKS_OF_ROWS)
        self._facts = FactCheck(findings)
        self._tree = TreeCheck(findings)
        self._signed = signed
        self._requests = RequestCheck(rows, keyring, findings)
        self._values = ValueCheck(keyring, owners, findings)
        self.bases = Bases()

    def through(self, page: Page) -> None:
        """The next page of the log."""
        self._tree.wanted = self._signed.sizes(page)
        for row in page.facts:
            before = self._facts.head
            seen = self._facts.see(row)
            if seen is None:
                continue
            if row.position > before + 1:
                self._requests.missing(before + 1, row.position - 1)
                self._tree.missing(before + 1, row.position - 1, page)
            self._tree.see(seen.leaf_hash, seen.kept_hash, page)
            self._requests.see(seen)
            self.bases.collect(seen.position, seen.leaf, seen.fact)
            self._values.see(seen, page)
        self._signed.see(page, self._tree.roots())
        self._tree.end_page(page)
        self._values.end(page)

    def end(self) -> str:
        """The log is through; the root over it, in base64, unless facts are missing."""
        self._tree.end()
        self._signed.end(self._facts.head)
        self._requests.end()
        root = self._tree.whole_root()
        return "" if root is None else base64.b64encode(root).decode()
