"""Callers' ids and subjects' keys: each opens, belongs to someone in the log, and none is left of
who was erased.
"""

import hmac
from collections.abc import Iterator
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag

from domain.codec import types_of
from domain.facts import LoopOpened
from domain.values import SELF_IDENTIFICATION
from ledger.fsck.owners import Owners, candidates
from ledger.fsck.pages import Rows
from ledger.fsck.report import Findings
from ledger.fsck.values import cipher_of
from ledger.personal.keyring import KeyRing, KeyUnwrapError, Ring
from ledger.personal.subject_keys import NONCE_BYTES, RINGS, rotated

# A handle is known to the log by the tag of its kind; the index of tags is checked by itself.
_ALIASES: Final = """
select a.lookup, a.kind, a.handle, a.subject, a.sealed, k.ring, k.wrapped,
       (select min(t.position) from {}.fact_tags t where t.tag = a.kind || ':' || a.handle),
       case when a.kind = 'loop' then (
           select f.tags from {}.fact_tags t join {}.facts f using (position)
           where t.tag = 'loop:' || a.handle and t.type = any(%s) order by position limit 1
       ) end
from {}.aliases a left join {}.subject_keys k on k.subject = a.subject
"""
_NAMELESS: Final = """
select kind, handle, first, case when kind = 'loop' then (
    select f.tags from {}.fact_tags t join {}.facts f using (position)
    where t.tag = 'loop:' || handle and t.type = any(%s) order by position limit 1
) end
from (
    select split_part(tag, ':', 1) as kind, split_part(tag, ':', 2) as handle,
           min(position) as first
    from {}.fact_tags where tag ~ '^(loop:l|candidate:c|person:p)_' group by tag
) as named
where not exists (
    select from {}.aliases a where a.handle = named.handle and a.kind = named.kind
)
order by first
"""
# Each table is read once: asked for the first position of one subject after the other, PostgreSQL
# may walk all values by position each time, and does so where a large import has just ended.
_KEYS: Final = """
select k.subject, k.ring, k.wrapped, d.position, a.subject is not null
from {}.subject_keys k
left join (
    select subject, min(position) as position from {}.disclosures group by subject
) as d using (subject)
left join (select distinct subject from {}.aliases) as a using (subject)
"""
_KEYLESS: Final = """
select subject, min(position) from (
    select subject, position from {}.disclosures union all select subject, null from {}.aliases
) as kept
where not exists (select from {}.subject_keys k where k.subject = kept.subject)
group by subject
"""
_UNVACUUMED: Final = """
select e.position, f.type is null or f.type not like 'subject-erased.%%'
from {}.unvacuumed_erasures e left join {}.facts f using (position)
"""
_RESTORE: Final = "Restore the row of `aliases` with this handle from a backup."
_ROTATED: Final[dict[str, Ring]] = {rotated(ring): ring for ring in RINGS}
_RESTORE_KEY: Final = (
    "Restore the row of `subject_keys` of this subject from the backup of that table: without it "
    "nothing of theirs opens."
)
_ERASED: Final = (
    "Delete the row, and `VACUUM FULL` its table: the person was erased. A restored backup needs "
    "the erasures since it was made to be repeated."
)


class _Alias(NamedTuple):
    lookup: bytes
    kind: str
    handle: str
    subject: str
    sealed: bytes
    ring: str | None
    wrapped: bytes | None
    position: int | None
    opening: list[str | None] | None
    """The tags of the opening, where it is a loop that has one."""

    @property
    def owner(self) -> str:
        """Whose erasure takes it along: a loop's candidate's, if it has one."""
        return next(candidates(self.opening or ()), self.handle)


def check_aliases(rows: Rows, keyring: KeyRing, owners: Owners, findings: Findings) -> None:
    """Each alias is what was stored, and each handle of the log that is not erased has one."""
    opened = list(types_of(LoopOpened))
    for row in rows.stream(_ALIASES, opened):
        findings.rows["aliases"] += 1
        alias = _Alias(*row)
        for said, cure in _wrong_with(alias, keyring, owners):
            findings.add(
                "aliases", said, cure, position=alias.position, row=f"`aliases` {alias.handle}"
            )
    for kind, handle, position, opening in rows.stream(_NAMELESS, opened):
        owner = next(candidates(opening or ()), handle)
        if not owners.gone(owner):
            findings.add(
                "aliases",
                f"The {kind} has no alias although nobody was erased: its caller's id is lost.",
                _RESTORE,
                position=position,
                row=f"`aliases` {handle}",
            )


def _wrong_with(alias: _Alias, keyring: KeyRing, owners: Owners) -> Iterator[tuple[str, str]]:
    if owners.gone(alias.subject) or owners.gone(alias.owner):
        yield "The alias is still there although its subject was erased.", _ERASED
    if alias.position is None:
        yield "The alias is of a handle that stands in no fact.", "Remove the row, or restore it."
    if alias.subject != alias.owner:
        yield f"The alias stands under another subject than {alias.owner}.", _RESTORE
    elif not _opens(alias, keyring):
        yield "The alias, or the key of its subject, is not as stored: it does not open.", _RESTORE


def _opens(alias: _Alias, keyring: KeyRing) -> bool:
    """Whether the id behind it opens, and is found by its keyed HMAC."""
    if alias.ring is None or alias.wrapped is None:
        return False
    cipher = cipher_of(keyring, alias.subject, alias.ring, alias.wrapped)
    nonce, closed = alias.sealed[:NONCE_BYTES], alias.sealed[NONCE_BYTES:]
    try:
        bound = f"alias:{alias.kind}:{alias.handle}".encode()
        external_id = cipher.decrypt(nonce, closed, bound) if cipher else None
    except (InvalidTag, ValueError):
        return False
    if external_id is None:
        return False
    return hmac.compare_digest(keyring.mac("alias", alias.kind.encode(), external_id), alias.lookup)


def _check_rotated(
    subject: str, ring: str, wrapped: bytes, keyring: KeyRing, findings: Findings
) -> None:
    """What the latest rotation of a ring left: it tells which key wraps from then on."""
    try:
        if _ROTATED[subject] != ring:
            raise KeyUnwrapError("the row is of another ring")
        keyring.unwrap(_ROTATED[subject], wrapped)
    except KeyUnwrapError:
        findings.add(
            "keys",
            "What a rotation of the key-encryption key left does not unwrap: no new key is made.",
            "Rotate that key again: `hireledger kek rotate`.",
            row=f"`subject_keys` {subject}",
        )


def check_keys(rows: Rows, keyring: KeyRing, owners: Owners, findings: Findings) -> None:
    """Each key unwraps, and something is kept under it."""
    for subject, ring, wrapped, position, named in rows.stream(_KEYS):
        findings.rows["subject_keys"] += 1
        row = f"`subject_keys` {subject}"
        if subject in _ROTATED:
            _check_rotated(subject, ring, wrapped, keyring, findings)
            continue
        if cipher_of(keyring, subject, ring, wrapped) is None:
            said = "The key of a subject does not unwrap: the row was changed, or is another's."
            findings.add("keys", said, _RESTORE_KEY, position=position, row=row)
        if owners.gone(subject, position or 0):
            said = "The key of a subject is still there although they were erased."
            findings.add("keys", said, _ERASED, position=position, row=row)
        elif position is None and not named:
            whose = "a person" if subject.startswith(SELF_IDENTIFICATION) else "a subject"
            said = f"A key of {whose} of whom nothing is kept: rows are missing, or it was put in."
            findings.add("keys", said, "Compare the row with a backup.", row=row)
    for subject, position in rows.stream(_KEYLESS):
        said = "The key of a subject is missing although something is kept under it."
        row = f"`subject_keys` {subject}"
        findings.add("keys", said, _RESTORE_KEY, position=position, row=row)
    for position, stray in rows.stream(_UNVACUUMED):
        findings.rows["unvacuumed_erasures"] += 1
        if stray:
            findings.add(
                "keys",
                "An erasure is noted as unvacuumed where nobody was erased.",
                "Remove the row of `unvacuumed_erasures`, or set its position to the erasure's.",
                position=position,
                row="`unvacuumed_erasures`",
            )
