"""API keys: 256 random bits shown once; the log keeps their SHA-256, revocation and expiry.

A key reads `k_<26 characters>.<43 characters>`: the id, by which its facts are found, then the
secret.
"""

import base64
import hashlib
import hmac
import os
import re
from datetime import datetime
from pathlib import Path

from domain.boundary import key_items, person_items
from domain.decide import NewKey
from domain.evolve import fold
from domain.facts import KeyIssued, Role
from domain.values import make_handle
from ledger.group import Group

_TOKEN = re.compile(r"(k_[a-z2-7]{26})\.([A-Za-z0-9_-]{43})")


def issue_secret() -> tuple[str, NewKey]:
    """A fresh key: the token to show once, and what may be recorded of it."""
    key_id = make_handle("k", os.urandom(16))
    secret = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
    return f"{key_id}.{secret}", NewKey(id=key_id, secret_sha256=_digest(secret))


def read_secret(path: Path) -> tuple[str, NewKey]:
    """A key written to a file at a start that did not get to record it."""
    token = path.read_text().strip()
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise ValueError(f"{path} does not hold an API key; remove it and start again")
    return token, NewKey(id=parts[1], secret_sha256=_digest(parts[2]))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def check_token(token: str, group: Group, now: datetime) -> KeyIssued | None:
    """The key's issue if the token is genuine, not revoked and not expired; else None."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        return None
    rows = group.select(key_items(parts[1]))
    keys = fold(group.facts(rows)).keys
    key = keys.get(parts[1])
    if key is None or not hmac.compare_digest(key.issued.fact.secret_sha256, _digest(parts[2])):
        return None
    expires = key.issued.fact.expires_at
    if key.revoked is not None or (expires is not None and expires <= group.now(now)):
        return None
    return key.issued.fact


def roles_of_person(handle: str, group: Group) -> frozenset[Role] | None:
    """A registered person's roles now, or None for someone who is not registered."""
    rows = group.select(person_items(handle))
    person = fold(group.facts(rows)).people.get(handle)
    return None if person is None else frozenset(person.roles)
