"""Who calls: an API key, and the person acting through it.

1. The key is genuine, neither revoked nor expired. 2. A person's key acts for that person alone; a
service names a registered person, for which it needs the role `recorder`, or acts as itself in a
role that needs no person (`SERVICE_ROLES`).
3. The roles that count are the person's, no more than a person's own key allows. 4. They must meet
those of the route. The ledger checks roles again, on the facts under the command's boundary.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Final

from api.problems import Problem
from domain.facts import KeyIssued, Role
from domain.values import SYSTEM, is_handle
from ledger.api_keys import check_token, roles_of_person
from ledger.asked import Caller
from ledger.blind_rule import Reader
from ledger.group import Group

# What a service may do as itself. All else in a loop and its rubric is done by a person.
SERVICE_ROLES: Final[frozenset[Role]] = frozenset(
    ("administrator", "auditor", "fairness_analyst", "privacy_officer")
)


def authenticate(headers: Mapping[str, str], group: Group) -> KeyIssued:
    """Step 1; raises `Problem` 401."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        key = check_token(token.strip(), group, datetime.now(UTC))
        if key is not None:
            return key
    raise Problem("unauthenticated")


def identify(key: KeyIssued, actor: str | None, group: Group) -> Reader:
    """Steps 2 and 3; raises `Problem` 403."""
    if key.person is not None:
        if actor is not None and _person(actor, group) != key.person:
            raise Problem("forbidden", "A person's own key acts for nobody else.")
        limit = frozenset(key.roles)
        caller = Caller(key.key, key.person, "own_key", limit)
        return Reader(caller, _roles(key.person, group) & limit)
    if actor is None:
        roles = frozenset(key.roles) & SERVICE_ROLES
        return Reader(Caller(key.key, SYSTEM, "asserted", roles), roles)
    if "recorder" not in key.roles:
        detail = "Only a service with the role recorder may name an acting person."
        raise Problem("forbidden", detail)
    person = _person(actor, group)
    return Reader(Caller(key.key, person, "asserted", None), _roles(person, group))


def admit(reader: Reader, roles: Collection[Role]) -> None:
    """Step 4; raises `Problem` 403."""
    if reader.roles.isdisjoint(roles):
        wanted = " or ".join(sorted(roles))
        said = f"This route needs the role {wanted}."
        if reader.person is None:
            said += " A service with the role recorder names the person in Hireledger-Actor."
        raise Problem("forbidden", said)


def _person(actor: str, group: Group) -> str:
    handle = actor if is_handle(actor) else group.store.aliases.find(group.cur, "person", actor)
    if handle is None:
        raise Problem("forbidden", "The acting person is not registered; register them first.")
    return handle


def _roles(person: str, group: Group) -> frozenset[Role]:
    roles = roles_of_person(person, group)
    if roles is None:
        raise Problem("forbidden", "The acting person is not registered; register them first.")
    return roles
