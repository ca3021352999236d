"""What every fact has: a stamp that says when, by whom, through which service and why."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from domain.values import By, Code, Slug, Tag, Time, Version

Assurance = Literal["own_key", "identity_provider", "asserted", "system"]


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a fact was copied from; the object's id only as a keyed digest."""

    system: Code
    object: Code
    id_mac: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{43}(?!\n)$")]
    revision: Code | None = None


class Stamp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """When it happened as claimed (`at`), when we heard (`recorded`), who, through what, why."""

    at: Time
    recorded: Time
    by: By
    via: Annotated[str, Meta(pattern=r"^(k_[a-z2-7]{26}|system)(?!\n)$")]
    assurance: Assurance
    cause: Annotated[str, Meta(pattern=r"^r_[a-z2-7]{26}(?!\n)$", description="id of the request")]
    tags: tuple[Tag, ...]
    source: Source | None = None


class Fact(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="type",
):
    """Something that happened. It is never changed; what is learnt later is a further fact."""

    stamp: Stamp


class Ref(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a scorecard, prompt, posting or policy set."""

    id: Slug
    version: Version
