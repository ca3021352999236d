"""A design prompt states latency, budget, privacy and a failure mode."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import rubric
from policies._policy import ARTICLE, Params, Policy, accepted, draft_of, refused
from policies._sample import TECH_LEAD, design_prompt


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Looks at design prompts only."""
    content = draft_of(case, f.PromptVersioned).content
    if content.kind != "design":
        return
    stated = {
        "latency": content.latency,
        "budget": content.budget,
        "privacy": content.privacy,
        "failure mode": content.failure_mode,
    }
    missing = [name for name, text in stated.items() if text is None]
    if missing:
        yield Found(
            message=f"the design prompt states no {', no '.join(missing)}",
            cure="state all four: without constraints every design is right",
        )


POLICY = Policy(
    id="design-prompt-constraints",
    version=1,
    title="Design prompts state their constraints",
    rationale="A design is judged by how it meets constraints, so the candidate must be given"
    " them.",
    source=f"{ARTICLE}, section B2 (latency targets, budget caps, privacy limits, an explicit"
    " failure mode)",
    practices=("P18",),
    moments=frozenset({"adopt"}),
    about=(f.PromptVersioned,),
    enforcement="warn",
    check=check,
    examples=(
        accepted("all four are stated", lambda: rubric().asks(TECH_LEAD, design_prompt())),
        refused(
            "nothing is said about what fails",
            lambda: rubric().asks(TECH_LEAD, design_prompt(failure_mode=None)),
        ),
    ),
)
