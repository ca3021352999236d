"""The first start of a ledger: default rules and the first key, recorded once and by `system`."""

import os
from pathlib import Path
from typing import Final

from domain import commands as c
from domain.values import SYSTEM
from ledger.api_keys import issue_secret, read_secret
from ledger.asked import Asked, as_system
from ledger.ledger import Ledger
from ledger.requests import Request, Scope

DEFAULT_SET: Final = "default"
_CALLER: Final = as_system("administrator")
_RULES_KEY: Final = "first-start-policy-set"
_ADMIN_KEY: Final = "first-start-administrator-key"
FIRST_REQUEST: Final = Request(Scope(SYSTEM, SYSTEM), _RULES_KEY, b"")
"""What every ledger begins with."""


def first_start(ledger: Ledger, admin_key: Path) -> bool:
    """Adopts the default policy set and issues the first administrator key, unless that was done.

    The key is written to `admin_key` (0600) before it is recorded: a crash between the two leaves a
    file whose key does not open anything yet, and the next start records that very key. Returns
    whether the file was written now.
    """
    rules = c.AdoptPolicySet(policy_set=DEFAULT_SET, policies=ledger.rules.default_set())
    ledger.submit(Asked(rules, _CALLER, _RULES_KEY, b"")).result()
    with ledger.reading() as group:
        scope = Scope(SYSTEM, SYSTEM)
        if ledger.store.requests.locate(group.cur, scope, _ADMIN_KEY) is not None:
            return False
    token, new_key = read_secret(admin_key) if admin_key.exists() else issue_secret()
    if not admin_key.exists():
        _write(admin_key, token)
    command = c.IssueKey(service="administrator", roles=("administrator",))
    done = ledger.submit(Asked(command, _CALLER, _ADMIN_KEY, b"", new_key=new_key)).result()
    if done.replayed:
        # Another process was first: its file holds the key, and ours opens nothing.
        admin_key.unlink()
        return False
    return True


def _write(path: Path, token: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(file.fileno())
