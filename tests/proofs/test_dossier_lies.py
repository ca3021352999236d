"""What a ledger that lies can have verified: nothing about what it decided, and how."""

from collections import Counter

from domain import facts as f
from domain.codec import types_of
from dossiers import NOW, VKEY
from ledger.proof.verify import verify
from random_lies import lie
from told_log import installed

SEEDS = 250
JUDGED = types_of(f.StageDecided, f.EvidenceGatePassed, f.DecisionMade)
ONLY_THE_LEDGER_KNOWS = {"at", "via", "assurance", "cause", "source"}
"""Of a stamp: when something is said to have happened, and through what we heard of it."""


def test_a_random_lie_in_a_verdict_is_found_out() -> None:
    """No member of a stage, gate or decision can be another; and no lie breaks the verifier."""
    refused: Counter[int] = Counter()
    for seed in range(SEEDS):
        told = lie(seed)
        failed = verify(told.raw, [VKEY], None, installed(), now=NOW).failed
        if failed is None:
            in_stamp = told.path[0] == "stamp" and told.path[1] in ONLY_THE_LEDGER_KNOWS
            assert told.type not in JUDGED or in_stamp, (seed, told.type, told.path)
        else:
            refused[failed.number] += 1
            assert "could not be completed" not in failed.reason, (seed, failed.reason)
    assert set(refused) >= {4, 5, 6, 8, 9}
