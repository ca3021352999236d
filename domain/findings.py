"""What rules say: findings, receipts, and the basis on which a gate or decision rested."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from domain.values import Position, Time, Version

Enforcement = Literal["block", "warn", "off"]
Verdict = Literal["passed", "warned", "refused", "excepted"]
ParamValue = bool | int | float | str | tuple[str, ...]
PolicyId = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}(?!\n)$")]

POSITIONS_IN_FINDING_MAX = 40


class Finding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing a rule found: what is wrong, its cure, the facts that show it. Quotes no text."""

    policy: PolicyId
    version: Version
    enforcement: Enforcement
    message: Annotated[str, Meta(max_length=600)]
    cure: Annotated[str, Meta(max_length=600)]
    positions: Annotated[tuple[Position, ...], Meta(max_length=POSITIONS_IN_FINDING_MAX)] = ()


class Receipt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """That one rule judged one intent: with which version and parameters, and what it found."""

    policy: PolicyId
    version: Version
    enforcement: Enforcement
    params: dict[str, ParamValue] = {}
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    exception: Position | None = None


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line of a boundary: facts of these types (none: any) that carry all of these tags."""

    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def matches(self, type_: str, tags: tuple[str, ...]) -> bool:
        """Whether a fact with this type and these tags belongs to the item."""
        return (not self.types or type_ in self.types) and set(self.tags) <= set(tags)


class Basis(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a decision rested on: query, position read up to, number of facts, RFC 6962 root."""

    items: tuple[Item, ...]
    upto: Annotated[int, Meta(ge=0)]
    count: Annotated[int, Meta(ge=0)]
    root: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9+/]{43}=(?!\n)$",
            description="base64 of the 32-byte root over the facts' stored bytes",
        ),
    ]


class Judged(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The judging of one intent: the moment it was judged at and every rule's receipt."""

    now: Time
    receipts: tuple[Receipt, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything found, in the order of the rules."""
        return tuple(f for r in self.receipts for f in r.findings)

    @property
    def refused(self) -> bool:
        """Whether any rule that blocks stood in the way."""
        return any(r.verdict == "refused" for r in self.receipts)
