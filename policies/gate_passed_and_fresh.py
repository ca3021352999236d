"""A recommendation or decision rests on an evidence gate that nothing has overtaken."""

from collections.abc import Iterator

from domain.case import Case, Found
from policies._examples import decidable, evidenced
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import JUNO


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Feedback, an amendment, a relationship or a plan after the gate makes it stale."""
    loop = case.loop
    gate = loop.gate
    if gate is None:
        yield Found(
            message="no evidence gate was passed",
            cure="pass the evidence gate first",
        )
    elif loop.gate_stale:
        groups = (loop.feedback, loop.amendments, loop.relationships, loop.plans)
        moved = (one.position for group in groups for one in group)
        yield Found(
            message="the evidence gate is stale: feedback, an amendment, a relationship or a plan"
            " came after it",
            cure="pass the evidence gate again",
            positions=(gate.position, *(at for at in moved if at > gate.position)),
        )


POLICY = Policy(
    id="gate-passed-and-fresh",
    version=1,
    title="The evidence gate was passed and is fresh",
    rationale="What is recommended rests on all the evidence that is there, not on what was there"
    " last week.",
    source=f"{ARTICLE}, section H (written evidence before a hire/no-hire recommendation)",
    practices=("P43",),
    moments=frozenset({"recommend", "decide"}),
    enforcement="block",
    core=True,
    check=check,
    examples=(
        accepted("gate, then recommendation", lambda: evidenced().passed_gate().asks_recommend()),
        refused("no gate was passed", lambda: evidenced().asks_recommend()),
        refused(
            "a rating was amended after the gate", lambda: decidable().amended(JUNO).asks_decide()
        ),
    ),
)
