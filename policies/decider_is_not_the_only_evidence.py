"""A decision rests on somebody's evidence besides the decision maker's own."""

from collections.abc import Iterator

from msgspec.structs import replace

from domain import facts as f
from domain.case import Case, Found
from policies._examples import decidable, planned
from policies._independence import USES, witnesses
from policies._policy import ARTICLE, Asked, Params, Policy, accepted, draft_of, refused
from policies._sample import DECIDER, DESIGN, JUNO, LOOP, SCREEN

OWN = replace(SCREEN, interviewers=(DECIDER,))


def check(case: Case, _params: Params) -> Iterator[Found]:
    """The decider's own form may be one of the two, and may not be all that is cited."""
    decision = draft_of(case, f.DecisionMade)
    decider = decision.stamp.by
    seen = witnesses(case)
    own = tuple(at for w in seen if w.person == decider for at in w.feedback)
    if not any(w.counts and w.person != decider for w in seen):
        yield Found(
            message="nobody but the decision maker gave independent written evidence",
            cure="have someone else interview and write before reading what others wrote",
            positions=own,
        )
        return
    cited = {at for w in seen for at in w.feedback} & set(decision.cites)
    if cited and cited <= set(own):
        yield Found(
            message="of all feedback the decision cites only the decision maker's own",
            cure="cite what others wrote too",
            positions=tuple(cited),
        )


def _cites_only_own() -> Asked:
    story = planned(OWN, DESIGN).wrote(DECIDER, "screen").wrote(JUNO, "design")
    own = story.world.loops[LOOP].feedback[0].position
    return story.asks_decide(by=DECIDER, cites=(own,))


POLICY = Policy(
    id="decider-is-not-the-only-evidence",
    version=1,
    title="The decision maker is not the only witness",
    rationale="Nobody decides on their own word alone.",
    source=f"{ARTICLE}, section H (at least two independent interviewers)",
    practices=("P43",),
    moments=frozenset({"decide"}),
    enforcement="block",
    uses=USES,
    check=check,
    examples=(
        accepted("others wrote, the decision maker did not", lambda: decidable().asks_decide()),
        refused(
            "the only interviewer decides",
            lambda: planned(OWN).wrote(DECIDER, "screen").asks_decide(by=DECIDER),
        ),
        refused(
            "of two people's feedback the decision maker cites only their own",
            _cites_only_own,
        ),
    ),
)
