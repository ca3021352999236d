"""What comes to the ledger, and what comes back."""

from dataclasses import dataclass, field

from opentelemetry import context as otel
from opentelemetry.context import Context as TraceContext

from domain.codec import Recorded
from domain.commands import AnyCommand
from domain.decide import NewKey
from domain.facts import Assurance, Role
from domain.findings import Judged
from domain.refusals import Refusal
from domain.values import SYSTEM


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the API key, the person acting, and what the key limits that person to.

    `actor` is a person's handle, or `system` for a service that acts as itself with the roles of
    its key. `limit` is None where a service names a person, who then acts with all their own roles.
    """

    key_id: str
    actor: str
    assurance: Assurance
    limit: frozenset[Role] | None


def as_system(*roles: Role) -> Caller:
    """The ledger itself: whoever may read its data directory may act as it, in these roles."""
    return Caller(SYSTEM, SYSTEM, "system", frozenset(roles))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: a command, who sends it, under which request key, with which body."""

    command: AnyCommand
    caller: Caller
    key: str
    body: bytes
    new_key: NewKey | None = None
    trace: TraceContext = field(default_factory=otel.get_current)


@dataclass(frozen=True, slots=True)
class Done:
    """What a request recorded: its facts at their positions, in order.

    `replayed` tells that an earlier request with the same key recorded them.
    """

    recorded: tuple[Recorded, ...]
    cause: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the rules would say to a command now; nothing was recorded."""

    judged: Judged
    position: int


class KeyReused(Refusal):
    """The request key came before with another body."""

    code = "idempotency-key-reused"


class Unavailable(Exception):
    """It cannot be had now; the message says why.

    `recorded` is False when nothing was recorded, None when it is unknown.
    """

    def __init__(self, detail: str, *, recorded: bool | None) -> None:
        super().__init__(detail)
        self.recorded = recorded
