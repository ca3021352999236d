"""The life of a decision, step 4: what was judged becomes facts, or a refusal.

A refused gate, stage or decision is a fact too, and each of the three commits to its basis.
"""

from domain import decide
from domain import facts as f
from domain.case import Draft
from domain.findings import Judged
from ledger.judge import case_of
from ledger.read import Reading
from policies import Catalogue

_RESTS_ON_A_BASIS = ("stage", "gate", "decide")


def conclude(
    drafted: Draft, judged: Judged, reading: Reading, context: decide.Context, rules: Catalogue
) -> tuple[f.AnyFact, ...]:
    """The facts to record; a refusal that is no fact raises `Refusal`."""
    basis = reading.basis() if drafted.moment in _RESTS_ON_A_BASIS else None
    gate = drafted.moment == "gate"
    witnesses = rules.witnesses(case_of(drafted, reading, context)) if gate else ()
    return decide.conclude(drafted, judged, basis, witnesses)
