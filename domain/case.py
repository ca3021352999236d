"""A case: what a rule is shown. The draft of what is asked for, the folded state, and the time."""

from typing import Literal

from msgspec import Struct

from domain import facts as f
from domain.codec import Recorded
from domain.findings import ParamValue
from domain.state import At, Loop, Requisition, World
from domain.values import Time

# When rules judge. The first seven are intents and may be refused; the rest are reports of what
# happened: they are always recorded, with what the rules found attached.
Moment = Literal[
    "adopt", "open", "plan", "stage", "gate", "recommend", "decide", "feedback", "statement"
]
INTENTS: frozenset[Moment] = frozenset(
    ("adopt", "open", "plan", "stage", "gate", "recommend", "decide")
)

Intent = (
    f.ScorecardVersioned
    | f.PromptVersioned
    | f.PostingVersioned
    | f.LoopOpened
    | f.LoopPlanned
    | f.StageDecided
    | f.EvidenceGatePassed
    | f.RecommendationRecorded
    | f.DecisionMade
)
Report = f.FeedbackSubmitted | f.FeedbackAmended | f.DebriefStatementRecorded


class Case(Struct, frozen=True, kw_only=True):
    """All that a rule may look at: no clock, no database, nothing that is not in the record.

    `draft` is the fact as it would be recorded, not yet judged. Of its personal values only reports
    (feedback, statements) show their text, once, on arrival; a replay sees digests. `params` holds
    the parameters of every rule in force, by rule.
    """

    moment: Moment
    draft: Intent | Report
    world: World
    now: Time
    facts: tuple[Recorded, ...] = ()
    params: dict[str, dict[str, ParamValue]] = {}

    @property
    def loop(self) -> Loop:
        """The loop that the draft is about."""
        handle = getattr(self.draft, "loop", None)
        if not isinstance(handle, str) or handle not in self.world.loops:
            raise LookupError("this case is about no recorded loop")
        return self.world.loops[handle]

    @property
    def requisition(self) -> Requisition:
        """The requisition that the draft, or its loop, belongs to."""
        if isinstance(self.draft, f.LoopOpened):
            return self.world.requisitions[self.draft.requisition]
        if isinstance(self.draft, f.PostingVersioned):
            return self.world.requisitions[self.draft.content.requisition]
        return self.world.requisitions[self.loop.opened.fact.requisition]

    @property
    def scorecard(self) -> f.ScorecardContent:
        """The scorecard under judgement, or the one that the loop pinned."""
        match self.draft:
            case f.ScorecardVersioned():
                return self.draft.content
            case f.LoopOpened():
                return self.pinned_scorecard(self.draft).fact.content
            case _:
                return self.pinned_scorecard(self.loop.opened.fact).fact.content

    def pinned_scorecard(self, opened: f.LoopOpened) -> At[f.ScorecardVersioned]:
        """The scorecard version that a loop pinned, at its position."""
        found = self.world.scorecard(opened.scorecard)
        if found is None:
            raise LookupError("the pinned scorecard is outside what was read")
        return found

    @property
    def posting(self) -> f.PostingContent:
        """The posting that the loop pinned."""
        opened = self.draft if isinstance(self.draft, f.LoopOpened) else self.loop.opened.fact
        found = self.world.posting(opened.posting)
        if found is None:
            raise LookupError("the pinned posting is outside what was read")
        return found.fact.content


class Found(Struct, frozen=True, kw_only=True):
    """What a rule yields: the message, what would cure it, and the facts that show it.

    `advice` only warns, however strictly the rule is enforced.
    """

    message: str
    cure: str
    positions: tuple[int, ...] = ()
    advice: bool = False


class Draft(Struct, frozen=True, kw_only=True):
    """A command worked out: the fact it would make, what comes with it, and when it is judged."""

    fact: f.AnyFact
    moment: Moment | None = None
    also: tuple[f.AnyFact, ...] = ()
    state_findings: tuple[Found, ...] = ()
