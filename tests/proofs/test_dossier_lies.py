"""What a ledger that lies can have verified: nothing about what it decided, and how."""

from collections import Counter

from domain import facts as f
from domain.codec import types_of
from dossiers import NOW, VKEY
from ledger.proof.verify import verify
from random_lies import Path, lie
from told_log import installed

SEEDS = 400
JUDGED = types_of(f.StageDecided, f.EvidenceGatePassed, f.RecommendationRecorded, f.DecisionMade)
ONLY_THE_LEDGER_KNOWS = {"at", "via", "assurance", "cause", "source"}
"""Of a stamp: when something is said to have happened, and through what we heard of it."""


def harmless(type_: str, path: Path) -> bool:
    """What nobody but the ledger, or whoever decided, can know; and a basis that asks for more.

    A wider basis leaves nothing out: what it selects besides is in the file too. To what a reason
    for a stage refers is said by whoever decided it, and judged where the stage ends the loop.
    """
    of_basis = path[:2] == ("basis", "items")
    of_stamp = path[0] == "stamp" and path[1:2] and path[1] in ONLY_THE_LEDGER_KNOWS
    of_reason = type_ == "stage-decided.v1" and path[0] == "reasons" and path[-1] == "ref"
    return bool(of_basis or of_stamp or of_reason)


def test_a_random_lie_in_a_verdict_is_found_out() -> None:
    """No member of a stage, gate or decision can be another; and no lie breaks the verifier."""
    refused: Counter[int] = Counter()
    for seed in range(SEEDS):
        told = lie(seed)
        failed = verify(told.raw, [VKEY], None, installed(), now=NOW).failed
        if failed is None:
            wrong = told.type in JUDGED and not harmless(told.type, told.path)
            assert not wrong, (seed, told.type, told.path)
        else:
            refused[failed.number] += 1
            assert "could not be completed" not in failed.reason, (seed, failed.reason)
    assert set(refused) >= {4, 5, 6, 8, 9}
