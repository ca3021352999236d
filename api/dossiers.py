"""Makes a dossier for whoever runs the ledger: by the command line, noted like any audit read."""

import os
from collections.abc import Collection
from typing import Final, NamedTuple, cast

from api.settings import SettingWrong, variable_of
from domain import commands as c
from domain.refusals import Missing
from domain.values import is_handle, make_handle
from ledger.asked import Asked, as_system
from ledger.checkpoints import Checkpoints
from ledger.export_dossier import Audience, assemble, choose, loop_of, published_over
from ledger.group import Group
from ledger.ledger import Ledger
from ledger.personal.withholding import GUARDED, KINDS, Guarded, Kind
from ledger.proof.dossier import Dossier, encode_dossier

_CALLER: Final = as_system("administrator")


class Made(NamedTuple):
    """A dossier, and the file's bytes."""

    dossier: Dossier
    raw: bytes


def kinds(text: str) -> frozenset[Kind]:
    """Kinds of personal values from a list with commas; raises `SettingWrong`."""
    named = {word.strip() for word in text.split(",") if word.strip()}
    if named - set(KINDS):
        raise SettingWrong(f"--withhold takes {', '.join(KINDS)}, several with commas.")
    return frozenset(cast("set[Kind]", named))


def guarded_kinds(text: str) -> frozenset[Guarded]:
    """Kinds of reasons to disclose, from a list with commas; raises `SettingWrong`."""
    named = {word.strip() for word in text.split(",") if word.strip()}
    if named - set(GUARDED):
        raise SettingWrong(f"--disclose takes {', '.join(GUARDED)}, several with commas.")
    return frozenset(cast("set[Guarded]", named))


def export(
    ledger: Ledger,
    loop: str,
    *,
    decision: int | None = None,
    withheld: Collection[Kind] = (),
    disclosed: Collection[Guarded] = (),
) -> Made:
    """The dossier of a loop's decision; that it was made is recorded before it is handed out.

    Args:
        ledger: with its publisher running.
        loop: the caller's id, or a handle.
        decision: the position of the decision, or of a rejection at a stage; None: the decision
            in force, else the latest made, else the latest rejection.
        withheld: kinds of personal values to leave out.
        disclosed: kinds of reasons that are otherwise left out, and are not.

    Raises:
        Missing: there is no such loop, or no such decision.
        Unavailable: the store is away, or nothing is published.
        LedgerError: the log is not what it was, or cannot be told in one file.
    """
    with ledger.reading() as group:
        handle = _handle(group, loop)
        chosen = choose(group, loop_of(group, handle), decision)
    published = published_over(ledger, chosen.decision.position)
    audience = Audience(None, True, frozenset(withheld), frozenset(disclosed))
    with ledger.reading() as group:
        dossier = assemble(group, chosen, published, ledger.rules, audience)
    raw = encode_dossier(dossier)
    note = c.NoteRecordViewed(what="export", loop=handle)
    key = f"export-{make_handle('r', os.urandom(16))}"
    ledger.submit(Asked(note, _CALLER, key, b"")).result()
    return Made(dossier, raw)


def unwitnessed(ledger: Ledger) -> str | None:
    """What to tell where witnesses have cosigned, and no policy is set here that asks for them.

    A checkpoint is then published with the log's own signature alone, and so it is in a dossier.
    """
    if ledger.publisher.publishing.policy is not None:
        return None
    rows = Checkpoints(ledger.database.schema, ledger.publisher.keys.origin)
    with ledger.reading() as group:
        if not rows.has_cosignatures(group.cur):
            return None
    return (
        "No witness policy is set here, though witnesses have cosigned this log: the dossier has "
        "no cosignature, and verifiers who ask for witnesses will refuse it. Set "
        f"{variable_of('witness_policy')} to the policy file of the server, and export again."
    )


def _handle(group: Group, loop: str) -> str:
    if is_handle(loop) and loop.startswith("l_"):
        return loop
    found = group.store.aliases.find(group.cur, "loop", loop)
    if found is None:
        raise Missing("no loop has this id")
    return found
