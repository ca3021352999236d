"""A prompt of open scope comes with an hour of guidance."""

from collections.abc import Iterator

from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case, Found
from policies._examples import rubric
from policies._policy import ARTICLE, Params, Policy, accepted, draft_of, refused
from policies._sample import TECH_LEAD, design_prompt

GUIDANCE_MINUTES_MIN = 60


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Tight prompts need no guidance."""
    content = draft_of(case, f.PromptVersioned).content
    minutes = content.guidance_minutes or 0
    if content.scope == "open" and minutes < GUIDANCE_MINUTES_MIN:
        yield Found(
            message=f"the prompt is of open scope with {minutes} minutes of guidance;"
            f" {GUIDANCE_MINUTES_MIN} are needed",
            cure="narrow the scope, or plan an hour of guidance",
        )


POLICY = Policy(
    id="open-scope-guided",
    version=1,
    title="Open prompts are guided",
    rationale="Without guidance an open prompt measures who guesses the interviewer's scope.",
    source=f"{ARTICLE}, section B2 (avoid infinite-scope prompts unless an hour of guidance is"
    " spent)",
    practices=("P23",),
    moments=frozenset({"adopt"}),
    about=(f.PromptVersioned,),
    enforcement="warn",
    check=check,
    examples=(
        accepted("a tight prompt", lambda: rubric().asks(TECH_LEAD, design_prompt())),
        accepted("open, with an hour of guidance", lambda: rubric().asks(TECH_LEAD, _open(60))),
        refused("open, with a quarter of an hour", lambda: rubric().asks(TECH_LEAD, _open(15))),
    ),
)


def _open(minutes: int) -> c.VersionPrompt:
    return replace(design_prompt(), scope="open", guidance_minutes=minutes)
