"""A dossier on its way through the steps: what was given to the verifier, and what holds so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, cast

from cryptography.x509 import Certificate

from domain import facts as f
from domain.codec import Recorded, decode
from domain.findings import Item
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.dossier import Dossier, DossierError, read_once
from ledger.proof.note import Verifier
from ledger.proof.verdict import StepFailed
from ledger.proof.witness_policy import WitnessPolicy
from policies import Catalogue

CLOCK_SECONDS_MAX: Final = 300
"""By how much somebody else's clock may be ahead of the verifier's."""

RestsOnABasis = (
    f.DecisionMade
    | f.EvidenceGatePassed
    | f.StageDecided
    | f.DecisionRefused
    | f.EvidenceGateRefused
    | f.StageDecisionRefused
)
Decided = f.DecisionMade | f.StageDecided
"""What a dossier is about: a decision, or that a candidate was rejected at a stage."""


class Told(NamedTuple):
    """A fact that the log holds at `position`; `fact` is None where this version cannot read it."""

    position: int
    leaf: bytes
    type: str
    tags: tuple[str, ...]
    fact: f.AnyFact | None

    def matches(self, items: Sequence[Item]) -> bool:
        """Whether any of a basis' items selects it."""
        return any(item.matches(self.type, self.tags) for item in items)


@dataclass(slots=True, kw_only=True)
class Checked:
    """What the verifier was given, and, filled by one step for the next, what was established."""

    raw: bytes
    keys: Sequence[Verifier]
    policy: WitnessPolicy | None
    rules: Catalogue
    now: datetime
    roots: Sequence[Certificate] | None

    dossier: Dossier = field(init=False)  # from step 1
    checkpoint: Checkpoint = field(init=False)  # from step 2
    cosigned_at: Mapping[str, int | None] = field(init=False)  # from step 2, by witness
    told: dict[int, Told] = field(init=False)  # from step 4, by position
    decision: Decided = field(init=False)  # from step 4
    reaches: dict[Item, int] = field(default_factory=dict[Item, int])  # in step 9: bases, by item
    as_recorded: tuple[int, ...] = ()  # from step 9: whose verdicts could not be judged again

    @property
    def resting(self) -> list[tuple[Told, RestsOnABasis]]:
        """The facts of the file that name a basis, in order; the decision is the last of them."""
        return [
            (one, one.fact) for one in self.told.values() if isinstance(one.fact, RestsOnABasis)
        ]

    def recorded(self, chosen: Sequence[Told]) -> tuple[Recorded, ...]:
        """These facts as rules are shown them; fails at one that this version cannot read."""
        facts: list[Recorded] = []
        for one in chosen:
            if one.fact is None:
                raise StepFailed(
                    f"The fact at {one.position} is of a kind that this version of the verifier "
                    "does not know. Verify with a newer one."
                )
            facts.append(Recorded(one.position, one.fact))
        return tuple(facts)


def read_leaf(position: int, leaf: str) -> Told:
    """A stored fact; `StepFailed` where it is none, `fact` None where it is of an unknown shape."""
    try:
        members = read_once(leaf)
        stamp = cast("dict[str, object]", members)["stamp"]
        type_ = cast("dict[str, object]", members)["type"]
        tags = cast("dict[str, object]", stamp)["tags"]
    except (DossierError, LookupError, TypeError):
        members, type_, tags = None, None, None
    texts = cast("list[object]", tags) if isinstance(tags, list) else [None]
    if not isinstance(type_, str) or not all(isinstance(tag, str) for tag in texts):
        raise StepFailed(
            f"The fact at {position} is no JSON object that has a type and a stamp with tags, no "
            "member twice: every fact of a ledger is."
        )
    raw = leaf.encode()
    try:
        fact = decode(raw)
    except (ValueError, TypeError, LookupError):
        fact = None
    return Told(position, raw, type_, tuple(cast("list[str]", texts)), fact)
