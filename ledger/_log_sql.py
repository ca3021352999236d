"""The statements of the log, for the ledger in one schema.

A query is answered in two steps inside one statement: its items yield positions, then the facts at
these positions are read. The positions pass through an array, so that the planner can only look
facts up by their key, whatever it believes about how many there will be.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, LiteralString, NamedTuple

from domain.findings import Item
from ledger.personal.subject_keys import in_schema

LAST: Final = 2**63 - 1
"""No upper limit: the largest position that the database can hold."""


def lock_name(schema: str) -> str:
    """What the log of a schema is locked by: whoever appends and whoever erases waits for it."""
    return f"hireledger:{schema}"


_LOCK: Final = """
select set_config('hireledger.lock', %(key)s, true),
       pg_advisory_xact_lock(hashtextextended(%(key)s, 0)),
       current_setting('transaction_isolation'), clock_timestamp()
"""
HOLDERS: Final = """
select coalesce(nullif(application_name, ''), usename, 'somebody'), pid
from pg_locks join pg_stat_activity using (pid)
where locktype = 'advisory' and granted and objsubid = 1
  and pg_locks.database = (select oid from pg_database where datname = current_database())
  and (classid::bigint << 32 | objid::bigint) = hashtextextended(%(key)s, 0)
order by pid
"""
_HEAD: Final = "select coalesce(max(position), 0) from {}.facts"
_FETCH: Final = """
select position, type, tags, leaf from {}.facts where position = any(%b) order by position
"""
_PAGE: Final = """
select position, type, tags, leaf from {}.facts
where position > %s and position <= %s order by position limit %s
"""

# The last fact, and the tree as the last commit left it: two looks at the end of an index.
_TIP: Final = """
select coalesce(fact.position, 0), fact.recorded, coalesce(tree.size, 0), coalesce(tree.edge, '')
from (select) as always
left join (
    select position, recorded from {}.facts order by position desc limit 1
) as fact on true
left join (select size, edge from {}.tree_heads order by size desc limit 1) as tree on true
"""

# All in one round trip: facts, their tags, the nodes they complete, the head of the tree. What the
# lock left behind in a setting lives exactly as long as the lock does, also when a savepoint is
# rolled back: reading it is asking whether we hold the lock.
_INSERT: Final = """
with tip as materialized (
    select coalesce(max(position), 0) as head,
           coalesce(current_setting('hireledger.lock', true) = %(key)s, false) as held
    from {}.facts
), begin as materialized (
    select head from tip where held and head = %(head)s
), fresh as materialized (
    select begin.head + n as position, type, tags::text[] as tags, leaf, leaf_hash, recorded
    from begin, unnest(
        %(types)b::text[], %(tags)b::text[], %(leaves)b::bytea[], %(hashes)b::bytea[],
        %(recorded)b::timestamptz[]
    ) with ordinality as given(type, tags, leaf, leaf_hash, recorded, n)
), kept as (
    insert into {}.facts (position, type, tags, leaf, leaf_hash, recorded)
    select position, type, tags, leaf, leaf_hash, recorded from fresh
), found_again as (
    insert into {}.fact_tags (tag, type, position)
    select tag, type, position from fresh, unnest(tags) as tag
), grown as (
    insert into {}.tree_nodes (position, hashes)
    select position, hashes
    from begin, unnest(%(ends)b::bigint[], %(nodes)b::bytea[]) as given(position, hashes)
), headed as (
    insert into {}.tree_heads (size, edge, root)
    select %(size)s::bigint, %(edge)b::bytea, %(root)b::bytea from begin
)
select head, held, (select pg_notify(%(channel)s, '') from begin) from tip
"""

_TAGGED: Final = """
select a.position from {}.fact_tags a where a.tag = %s and a.position > %s and a.position <= %s
"""
_ALSO_TAGGED: Final = """ and exists (
    select from {}.fact_tags b where b.tag = %s and b.type = a.type and b.position = a.position
)"""
_OF_TYPES: Final = b" and a.type = any(%s)"
_SCAN: Final = "select position from {}.facts where position > %s and position <= %s"
_SCAN_ITEM: Final = b"(%s or type = any(%s)) and tags @> %s::text[]"


class Statement(NamedTuple):
    """A statement, or a query to stand inside one, with its parameters in order."""

    text: bytes
    params: list[object]


class LogSql:
    """What the log says to the database."""

    def __init__(self, schema: str) -> None:
        def text(statement: LiteralString) -> bytes:
            return in_schema(statement, schema)

        self.lock = text(_LOCK)
        self.head = text(_HEAD)
        self.tip = text(_TIP)
        self.fetch = text(_FETCH)
        self.page = text(_PAGE)
        self.insert = text(_INSERT)
        self.insert_repeating = text(_INSERT.replace("select tag,", "select distinct tag,"))
        self._tagged, self._also_tagged = text(_TAGGED), text(_ALSO_TAGGED)
        self._scan = text(_SCAN)
        self._shaped = cache(self._of_shape)

    def matching(
        self, items: Sequence[Item], after: int, upto: int = LAST, limit: int | None = None
    ) -> Statement:
        """Positions in (after, upto] of the facts that match any item; without items, of all.

        With a limit: the first so many, each once. Without: repeated where several items match.
        """
        if items and all(item.tags for item in items):
            found = [self._found_by_tags(item, after, upto) for item in items]
            text = b" union all ".join(one.text for one in found)
            params = [param for one in found for param in one.params]
        else:
            text, params = self._found_by_reading(items, after, upto)
        if limit is None:
            return Statement(text, params)
        first = b"select position from (%b) m group by position order by position limit %%s" % text
        return Statement(first, [*params, limit])

    def facts_at(self, positions: Statement) -> Statement:
        """The facts at the positions that a query yields, ascending, each once."""
        return Statement(self.fetch.replace(b"%b", b"array(%b)" % positions.text), positions.params)

    @staticmethod
    def exists(positions: Statement) -> Statement:
        """Whether a query yields any position."""
        return Statement(b"select exists (%b)" % positions.text, positions.params)

    @staticmethod
    def last_of(positions: Statement) -> Statement:
        """The largest position that a query yields, or null."""
        return Statement(b"select max(position) from (%b) m" % positions.text, positions.params)

    def _found_by_tags(self, item: Item, after: int, upto: int) -> Statement:
        first, *others = dict.fromkeys(item.tags)
        types = [list(item.types)] if item.types else []
        return Statement(
            self._shaped(len(others), bool(types)), [first, after, upto, *others, *types]
        )

    def _of_shape(self, other_tags: int, typed: bool) -> bytes:
        return self._tagged + self._also_tagged * other_tags + (_OF_TYPES if typed else b"")

    def _found_by_reading(self, items: Sequence[Item], after: int, upto: int) -> Statement:
        params: list[object] = [after, upto]
        for item in items:
            params += [not item.types, list(item.types), list(item.tags)]
        any_of = b" or ".join([_SCAN_ITEM] * len(items))
        return Statement(self._scan + (b" and (%b)" % any_of if items else b""), params)
