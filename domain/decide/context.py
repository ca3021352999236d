"""Who asks, through what, and when: everything about a request that is not the command itself."""

from datetime import timedelta

from msgspec import Struct

from domain.commands import Command
from domain.facts import Assurance, Role, Source, Stamp
from domain.refusals import Meaningless
from domain.tags import source as tag_source
from domain.values import Time

AHEAD_MAX = timedelta(minutes=5)


class NewKey(Struct, frozen=True, kw_only=True):
    """An API key about to be issued; the secret itself never comes here."""

    id: str
    secret_sha256: str


class Context(Struct, frozen=True, kw_only=True):
    """The request around a command. `now` is the ledger's clock, never before the last fact."""

    now: Time
    at: Time
    actor: str
    via: str
    assurance: Assurance
    cause: str
    roles: frozenset[Role]
    source: Source | None = None
    new_key: NewKey | None = None

    def stamp(self, *tags: str) -> Stamp:
        """The stamp of a fact made by this request, found again under these tags."""
        origin = (tag_source(self.source.id_mac),) if self.source else ()
        return Stamp(
            at=self.at,
            recorded=self.now,
            by=self.actor,
            via=self.via,
            assurance=self.assurance,
            cause=self.cause,
            tags=(*tags, *origin),
            source=self.source,
        )

    def not_ahead(self, claimed: Time, pointer: str) -> None:
        """Refuses a time that lies more than 5 minutes ahead of the ledger's clock."""
        if claimed > self.now + AHEAD_MAX:
            raise Meaningless(
                "a report cannot lie more than 5 minutes in the future; check the sender's clock",
                pointer=pointer,
            )


def claimed_at(command: Command, now: Time) -> Time:
    """When it happened as claimed; by default now."""
    return now if command.at is None else command.at
