"""The catalogue of rules: what each asks, why, on whose word, with examples."""

from msgspec import Struct

from api.reading import Read
from api.reads.base import EVERYONE, Path, Readable, get
from domain.refusals import Missing
from policies import Catalogue, Entry


class Policies(Struct, frozen=True, kw_only=True):
    """Every rule, by id."""

    items: tuple[Entry, ...]


def catalogue(rules: Catalogue) -> tuple[Readable, ...]:
    """The routes of the catalogue."""

    def every_policy(_: Read, __: Path, ___: object) -> Policies:
        """Every rule: rationale, source, practices, moments, parameters, versions, examples."""
        return Policies(items=rules.entries())

    def one_policy(_: Read, path: Path, __: object) -> Entry:
        """One rule with its rationale, source, parameters and examples."""
        for entry in rules.entries():
            if entry.id == path["policy"]:
                return entry
        raise Missing("no such policy; /v1/policies lists them")

    return (
        get("/v1/policies", every_policy, Policies, tag="policies", roles=EVERYONE),
        get("/v1/policies/{policy}", one_policy, Entry, tag="policies", roles=EVERYONE),
    )
