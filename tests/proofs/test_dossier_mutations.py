"""100,000 mutations of a valid dossier: none is accepted that says something else, none raises."""

import pytest

from dossiers import NOW, VKEY, small_dossier
from ledger.proof.verify import verify
from mutations import meaning, mutated
from told_log import installed

SEEDS = 100_000
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_no_mutation_that_changes_meaning_is_accepted(part: int) -> None:
    """Whatever is accepted says the same, or tells fewer of the personal values; none raises."""
    raw = small_dossier()
    rules = installed()
    honest = meaning(raw)
    assert honest is not None
    accepted = 0
    for seed in range(part, SEEDS, PARTS):
        name, changed = mutated(raw, seed)
        verdict = verify(changed, [VKEY], None, rules, now=NOW)
        if verdict.accepted:
            accepted += 1
            now = meaning(changed)
            assert now is not None
            assert now.said == honest.said, (seed, name)
            assert now.disclosed <= honest.disclosed, (seed, name)
        else:
            assert verdict.failed is not None
            assert "could not be completed" not in verdict.failed.reason, (seed, name)
    # Some change nothing: a space between members, an element moved to where it was.
    assert 0 < accepted < SEEDS // PARTS // 10
