"""What keeps the record from being changed: tables, constraints, triggers, functions and grants are
as migrated.

`migrations/schema.txt` says how that looks, a line each; a test renews it from a fresh ledger.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from ledger.database import Database
from ledger.fsck.pages import Rows
from ledger.fsck.report import Findings
from ledger.migrate import MIGRATIONS, read_migrations

EXPECTED: Final = MIGRATIONS / "schema.txt"

# Names of this ledger's schema and roles stand in the lines as in the migrations. An internal
# trigger enforces a foreign key. A table says of itself whether it has triggers and the like: where
# it says no, a superuser made it, and PostgreSQL does not look for them. Of what erasure empties no
# statistics may keep a copy. What others may only read, and who may act as the owner, is for the
# administrator of their own server to say; on the embedded one there is nobody else.
_NEAR: Final = "select set_config('search_path', quote_ident(%s), true)"
_LINES: Final = """
with ledger as (
    select oid, nspname, nspacl, nspowner from pg_namespace where nspname = %(schema)s
), kept as (
    select c.* from pg_class c, ledger where c.relnamespace = ledger.oid
), made as (
    select p.* from pg_proc p, ledger where p.pronamespace = ledger.oid
), owner as (
    select relowner from kept where relname = 'facts'
), granted as (
    select 'schema' as what, '' as name, '' as part, nspowner as owner, acl.*
    from ledger, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) as acl
    union all
    select 'table', relname, '', relowner, acl.*
    from kept, aclexplode(coalesce(relacl, acldefault('r', relowner))) as acl
    where relkind <> 'i'
    union all
    select 'column', relname, attname, relowner, acl.*
    from kept join pg_attribute a on a.attrelid = kept.oid, aclexplode(a.attacl) as acl
    union all
    select 'function', proname, '', proowner, acl.*
    from made, aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
), named as (
    select g.*, case
        when grantee = 0 then 'PUBLIC'
        when grantee = owner then '$owner'
        when rolname = %(runtime)s then '$runtime'
        when rolname = %(projector)s then '$projector'
        else rolname
    end as who
    from granted g left join pg_roles r on r.oid = g.grantee
    where grantee <> owner or (what = 'table' and privilege_type = 'SELECT')
), said(line) as (
    select format('table %%s: kind %%s, persistence %%s, row security %%s/%%s, '
                  'sees triggers %%s, checks %%s, indexes %%s, rules %%s', relname, relkind,
                  relpersistence, relrowsecurity, relforcerowsecurity,
                  relhastriggers >= exists(select from pg_trigger where tgrelid = kept.oid),
                  relchecks = (select count(*) from pg_constraint
                               where conrelid = kept.oid and contype = 'c'),
                  relhasindex >= exists(select from pg_index where indrelid = kept.oid),
                  relhasrules >= exists(select from pg_rewrite where ev_class = kept.oid))
    from kept where relkind <> 'i'
    union all
    select format('column %%s.%%s: %%s%%s, default %%s, generated %%s%%s%%s', relname, attname,
                  format_type(atttypid, atttypmod), case when attnotnull then ' not null' end,
                  coalesce(pg_get_expr(adbin, adrelid), 'none'), attgenerated, attidentity,
                  case when relname = any(%(emptied)s) and atttypid = 'bytea'::regtype then
                      ', statistics ' || coalesce(nullif(attstattarget, -1)::text, 'as usual')
                  end)
    from kept join pg_attribute a on attrelid = kept.oid and attnum > 0 and not attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where relkind <> 'i'
    union all
    select format('constraint %%s on %%s: %%s', conname, relname, pg_get_constraintdef(o.oid, true))
    from kept join pg_constraint o on conrelid = kept.oid where contype <> 'n'
    union all
    select format('statistics %%s on %%s: beside those of its columns', stxname, relname)
    from kept join pg_statistic_ext on stxrelid = kept.oid
    where relname = any(%(emptied)s)
    union all
    select format('index %%s: valid %%s, ready %%s, live %%s, immediate %%s, %%s', relname,
                  indisvalid, indisready, indislive, indimmediate,
                  pg_get_indexdef(kept.oid, 0, true))
    from kept join pg_index i on i.indexrelid = kept.oid
    union all
    select format('trigger %%s on %%s: enabled %%s, %%s', tgname, relname, tgenabled,
                  pg_get_triggerdef(t.oid, true))
    from kept join pg_trigger t on tgrelid = kept.oid where not tgisinternal
    union all
    select format('guard %%s of constraint %%s on %%s: enabled %%s', tgfoid::regproc, conname,
                  relname, tgenabled)
    from kept join pg_trigger t on tgrelid = kept.oid
    join pg_constraint o on o.oid = t.tgconstraint where tgisinternal
    union all
    select format('rule %%s on %%s: %%s', rulename, relname, pg_get_ruledef(w.oid))
    from kept join pg_rewrite w on ev_class = kept.oid
    union all
    select format('policy %%s on %%s', polname, relname)
    from kept join pg_policy on polrelid = kept.oid
    union all
    select format('child of %%s: %%s', relname, inhrelid::regclass)
    from kept join pg_inherits on inhparent = kept.oid where relkind <> 'i'
    union all
    select format('function %%s: as definer %%s, settings %%s, body %%s', made.oid::regprocedure,
                  prosecdef, proconfig, md5(prosrc))
    from made
    union all
    select format('grant %%s %%s %%s to %%s: grantable %%s', privilege_type, what,
                  concat_ws('.', nullif(name, ''), nullif(part, '')), who, is_grantable)
    from named
    where who in ('$owner', '$runtime', '$projector', 'PUBLIC') or %(ours)s
       or privilege_type not in ('SELECT', 'USAGE')
    union all
    select format('owner of %%s: not that of facts', relname)
    from kept, owner where kept.relowner <> owner.relowner
    union all
    select format('owner of %%s: not that of facts', proname)
    from made, owner where proowner <> owner.relowner
    union all
    select format('role $%%s: may act as another or has powers of its own', case rolname
                  when %(runtime)s then 'runtime' else 'projector' end)
    from pg_roles r
    where rolname in (%(runtime)s, %(projector)s)
      and (rolsuper or rolbypassrls or rolcreaterole or rolreplication or exists (
          select from pg_roles p where p.oid <> r.oid and pg_has_role(r.oid, p.oid, 'MEMBER')
          and (p.oid = (select relowner from owner) or p.rolname = any(%(powerful)s))))
    union all
    select format('role %%s: may do more than the ledger''s own', rolname)
    from pg_roles r
    where %(ours)s and rolcanlogin and r.oid >= 16384 and r.oid <> (select relowner from owner)
      and rolname not in (%(runtime)s, %(projector)s)
      and (rolsuper or rolcreaterole or rolreplication or exists (
          select from pg_roles p where p.oid <> r.oid and pg_has_role(r.oid, p.oid, 'MEMBER')
          and (p.oid = (select relowner from owner) or p.rolname = any(%(powerful)s))))
)
select distinct line collate "C" from said order by 1
"""
_POWERS: Final = (
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
    "pg_maintain",
    "pg_create_subscription",
)
"""Roles of PostgreSQL's whose members reach past grants; the older versions lack some."""

_MIGRATED: Final = "select version, sha256 from {}.schema_migrations order by version"
_CURE: Final = (
    "Put it back as the migrations in `ledger/migrations` made it, then see who changed it and "
    "what was done meanwhile: the other findings tell."
)
_MIGRATE: Final = (
    "Where the ledger is of an older version, start this one once: it migrates. Otherwise restore "
    "the row from a backup."
)


def schema_lines(rows: Rows, database: Database) -> list[str]:
    """How the schema is, a sorted line for each thing that counts."""
    runtime, projector = (database.role_name(role) for role in ("runtime", "projector"))
    given = {
        "schema": database.schema,
        "runtime": runtime,
        "projector": projector,
        "powerful": [runtime, projector, *_POWERS],
        "emptied": ["subject_keys", "aliases", "disclosures"],
        "ours": database.ours,
    }
    with rows.connection.cursor() as cur:
        cur.execute(_NEAR, [database.schema])  # so that the names of its own come without it
        return [line for (line,) in cur.execute(_LINES.encode(), given).fetchall()]


def check_schema(rows: Rows, database: Database, findings: Findings) -> bool:
    """Whether everything is there that the other checks read; what differs is told."""
    findings.begin("schema")
    expected = _by_object(EXPECTED.read_text().splitlines())
    found = _by_object(schema_lines(rows, database))
    if "table schema_migrations" in found:
        _check_migrations(rows, findings)
    readable = True
    for thing in sorted(expected.keys() | found.keys(), key=_tables_first):
        if expected.get(thing) == found.get(thing):
            continue
        findings.add("schema", _difference(expected.get(thing), found.get(thing)), _CURE, row=thing)
        if thing in expected and _read_by_us(thing):
            readable = readable and _kind(expected[thing]) == _kind(found.get(thing, ""))
    return readable


def _tables_first(thing: str) -> tuple[bool, str]:
    return not thing.startswith("table "), thing


def _by_object(lines: list[str]) -> dict[str, str]:
    return {thing: rest for thing, _, rest in (line.partition(": ") for line in lines)}


def _read_by_us(thing: str) -> bool:
    return thing.startswith(("table ", "column ")) or thing.endswith("to $owner")


def _kind(said: str) -> str:
    """Of a column, its type; of a table, that it is one."""
    return said.partition(",")[0].removesuffix(" not null")


def _difference(expected: str | None, found: str | None) -> str:
    if expected is None:
        return "It was added after the migrations."
    return "It is missing." if found is None else "It is not as the migrations made it."


def _check_migrations(rows: Rows, findings: Findings) -> None:
    """The migrations that were applied are those of this version, to the byte."""
    applied: Mapping[str, str] = dict(rows.all(_MIGRATED))
    findings.rows["schema_migrations"] += len(applied)
    files = {one.version: one.sha256 for one in read_migrations()}
    for version, said, cure in _migrations_wrong(applied, files):
        findings.add("schema", said, cure, row=f"`schema_migrations` {version}")


def _migrations_wrong(
    applied: Mapping[str, str], files: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    for version in sorted(applied.keys() | files.keys()):
        if version not in files:
            newer = "Run fsck of the version that the ledger is served with."
            yield version, "This version of hireledger knows no such migration.", newer
        elif version not in applied:
            yield version, "No row says that this migration was applied.", _MIGRATE
        elif applied[version] != files[version]:
            yield version, "The migration that was applied is not the file of this version.", _CURE
