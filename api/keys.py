"""API keys from the command line: whoever may read the data directory administers the ledger."""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from api.reading import Read
from api.reads.admin import KeyShown, Page, keys
from domain import commands as c
from domain.facts import ROLES
from domain.refusals import Meaningless
from domain.values import make_handle
from ledger.api_keys import issue_secret
from ledger.asked import Asked, as_system
from ledger.blind_rule import Reader
from ledger.ledger import Ledger

_CALLER: Final = as_system("administrator")


def issue(
    ledger: Ledger,
    *,
    service: str | None,
    person: str | None,
    roles: Sequence[str],
    expires: datetime | None,
) -> tuple[str, KeyShown]:
    """A fresh key: its token, and how it is listed from now on. Raises `Refusal`."""
    wanted = [role for each in roles for role in each.split(",")]
    if unknown := [role for role in wanted if role not in ROLES]:
        raise Meaningless(f"there are {len(unknown)} unknown roles; there are: {', '.join(ROLES)}")
    given = {"service": service, "person": person, "roles": wanted, "expires_at": expires}
    try:
        command = msgspec.convert(given, c.IssueKey)
    except msgspec.ValidationError:
        raise Meaningless(
            "a service is named by a-z, 0-9 and hyphens; a person by the id they are registered by"
        ) from None
    token, new_key = issue_secret()
    ledger.submit(Asked(command, _CALLER, _request_key(), b"", new_key=new_key)).result()
    return token, next(key for key in listed(ledger) if key.id == new_key.id)


def listed(ledger: Ledger) -> list[KeyShown]:
    """Every key in the order of their issue, people by the id that they are registered by."""
    found: list[KeyShown] = []
    with ledger.reading() as group:
        read = Read(group, Reader(_CALLER, frozenset({"administrator"})))
        after: int | None = 0
        while after is not None:
            page = keys(read, {}, Page(after=after, limit=1000))
            found += page.items
            after = page.next
        names = read.names({key.person for key in found if key.person is not None})
    return [
        msgspec.structs.replace(key, person=names.get(key.person or "", key.person))
        for key in found
    ]


def revoke(ledger: Ledger, key_id: str) -> None:
    """Make a key useless. Raises `Refusal` where there is none, or it is useless already."""
    try:
        command = msgspec.convert({"key": key_id}, c.RevokeKey)
    except msgspec.ValidationError:
        raise Meaningless("this is no key's id; `hireledger keys list` shows them") from None
    ledger.submit(Asked(command, _CALLER, _request_key(), b"")).result()


def _request_key() -> str:
    return f"command-line-{make_handle('r', os.urandom(16))}"
