"""The tree of a ledger that was recorded before there was one: completed when it is opened.

Page by page, each in a transaction of its own under the log's lock, so that a start that was cut
short goes on where it was, and of two starts one waits for the other.
"""

from typing import Final

from psycopg.errors import UniqueViolation

from ledger.database import Connection
from ledger.errors import LogDamaged
from ledger.growth import as_given, grow, removed
from ledger.log import Log
from ledger.personal.subject_keys import in_schema

PAGE_FACTS: Final = 4096

_LEAF_HASHES: Final = """
select position, leaf_hash from {}.facts where position > %s order by position limit %s
"""
_INTEGRATE: Final = """
with grown as (
    insert into {}.tree_nodes (position, hashes)
    select position, hashes
    from unnest(%(ends)b::bigint[], %(nodes)b::bytea[]) as given(position, hashes)
)
insert into {}.tree_heads (size, edge, root)
values (%(size)s::bigint, %(edge)b::bytea, %(root)b::bytea)
"""


def catch_up(connection: Connection, log: Log, schema: str, page: int = PAGE_FACTS) -> int:
    """Advance the tree over all facts that it lacks.

    Args:
        connection: with the rights of the running server, in no transaction.
        log: of the ledger in this schema.
        schema: the ledger's.
        page: facts integrated in one transaction.

    Returns:
        How many facts were integrated; 0 for every ledger that was opened before.

    Raises:
        LogDamaged: facts are missing, or heads of the tree.
    """
    leaf_hashes, integrate = in_schema(_LEAF_HASHES, schema), in_schema(_INTEGRATE, schema)
    done = 0
    while True:
        with connection.transaction(), connection.cursor() as cur:
            tip = log.tip(cur)
            if tip.size >= tip.head:
                return done
            log.lock(cur)
            tip = log.tip(cur)  # what another start did while we waited is seen only now
            if tip.size >= tip.head:
                return done
            found = cur.execute(leaf_hashes, (tip.size, page), binary=True).fetchall()
            last = found[-1][0]
            if last != tip.size + len(found):
                raise LogDamaged(removed(tip.size + 1, last, len(found)))
            try:
                cur.execute(integrate, as_given(grow(tip, [digest for _, digest in found])))
            except UniqueViolation:
                raise LogDamaged(
                    f"The newest head of the tree is over {tip.size} facts, but it has nodes of "
                    "more: heads were removed. Run `hireledger fsck`, and restore from a backup."
                ) from None
        # Committed: the tree is over `last` facts. A crash here loses nothing of it.
        done += len(found)
