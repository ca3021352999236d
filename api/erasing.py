"""Erasure and key rotation from the command line: whoever may read the data directory may do it."""

import os
from typing import Final, cast

import msgspec
from msgspec import Struct

from api.pages.visible import shows_nothing
from api.publishing import KEYS
from api.settings import Settings, SettingWrong, variable_of
from api.store import keyring_as_it_is, keys_given, open_database
from domain import commands as c
from domain import facts as f
from domain.refusals import Meaningless
from domain.values import SYSTEM, is_handle, make_handle
from ledger.asked import Asked, Caller, as_system
from ledger.ledger import Ledger
from ledger.personal.erase import vacuum_keys, vacuumed_soon
from ledger.personal.keyring import RING_KEYS, Ring
from ledger.personal.rotate import rotate_files, rotate_settings

_SYSTEM: Final = as_system("privacy_officer")


class Erased(Struct, frozen=True, kw_only=True):
    """An erasure: whose, where it stands in the log, and whether the key left its file too."""

    candidate: str
    position: int
    keys_vacuumed: bool


class RingRotated(Struct, frozen=True, kw_only=True):
    """A rotation: how many keys were wrapped anew, and what is to be done next."""

    ring: str
    rewrapped: int
    keys_vacuumed: bool
    then: str


def erase(ledger: Ledger, candidate: str, legal_basis: str, *, by: str | None) -> Erased:
    """Erase a candidate, through the same command as over HTTP.

    Raises `Refusal`.

    Args:
        ledger: open.
        candidate: the caller's id, or the handle; of an imported case its own.
        legal_basis: the words to keep.
        by: the registered person who asks, by id or handle; None: the ledger's own `system`.
    """
    try:
        given = {"candidate": candidate, "legal_basis": legal_basis}
        command = msgspec.convert(given, c.EraseSubject)
    except msgspec.ValidationError:
        command = None
    if command is None or shows_nothing(legal_basis):
        raise Meaningless(
            "a candidate is named by your id for them, or by their handle, and the legal basis has "
            "1 to 20,000 characters that show something"
        )
    caller = _SYSTEM if by is None else Caller(SYSTEM, _person(ledger, by), "asserted", None)
    key = f"command-line-{make_handle('r', os.urandom(16))}"
    (recorded,) = ledger.submit(Asked(command, caller, key, b"")).result().recorded
    fact = cast("f.SubjectErased", recorded.fact)
    return Erased(
        candidate=fact.candidate,
        position=recorded.position,
        keys_vacuumed=vacuumed_soon(vacuum_keys, ledger.database),
    )


def _person(ledger: Ledger, ref: str) -> str:
    if is_handle(ref):
        return ref
    with ledger.reading() as group:
        found = group.store.aliases.find(group.cur, "person", ref)
    if found is None:
        raise Meaningless("nobody is registered under the id after --by")
    return found


def rotate(settings: Settings, ring_name: str) -> RingRotated:
    """Rotate the key-encryption key of a ring: a file by itself, a setting with the next one given.

    Raises:
        SettingWrong: the key comes by setting, and no setting gives the next.
        LedgerError: what is in the way; nothing was changed, or running it again goes on.
    """
    ring = cast("Ring", ring_name)
    name = RING_KEYS[ring]
    variable = variable_of(f"key_{name.replace('-', '_')}")
    given, coming = name in keys_given(settings), name in keys_given(settings, coming=True)
    if given and not coming:
        raise SettingWrong(
            f"The key comes by {variable}, so nothing here can replace it. Give the new one by "
            f"{variable}_NEXT beside it, restart every server with both, and run this again."
        )
    with open_database(settings) as database:
        if coming:
            done = rotate_settings(database, ring, keyring_as_it_is(settings))
            then = (
                f"Now set {variable} to the new key, unset {variable}_NEXT, and restart every "
                "server. Then destroy the old key, in its backups too."
            )
        else:
            done = rotate_files(
                database,
                settings.data / KEYS,
                ring,
                lambda: keyring_as_it_is(settings),
            )
            then = (
                f"The new key is {settings.data / KEYS / name}: back it up. Destroy the old one in "
                "its backups, once no backup of the database that needs it is to be kept."
            )
    if not done.vacuumed:
        then += (
            " The keys as they were wrapped before still lie in their table's file, because it "
            "was in use: run this again, or VACUUM FULL subject_keys."
        )
    return RingRotated(ring=ring, rewrapped=done.rewrapped, keys_vacuumed=done.vacuumed, then=then)
