"""The draft behind a recorded intent, so that rules can judge it again exactly as they did."""

from msgspec.structs import replace

from domain import facts as f
from domain.case import Intent, Moment
from domain.decide.decision import NO_BASIS, current_recommendations
from domain.findings import Judged
from domain.state import World

RecordedIntent = Intent | f.DecisionRefused | f.StageDecisionRefused | f.EvidenceGateRefused

MOMENT_OF: dict[type[f.Fact], Moment] = {
    f.ScorecardVersioned: "adopt",
    f.PromptVersioned: "adopt",
    f.PostingVersioned: "adopt",
    f.LoopOpened: "open",
    f.LoopPlanned: "plan",
    f.StageDecided: "stage",
    f.StageDecisionRefused: "stage",
    f.EvidenceGatePassed: "gate",
    f.EvidenceGateRefused: "gate",
    f.RecommendationRecorded: "recommend",
    f.DecisionMade: "decide",
    f.DecisionRefused: "decide",
}


def intent_of(fact: RecordedIntent, world: World) -> Intent:
    """The draft that was judged; `world` is the state just before the fact."""
    unjudged = Judged(now=fact.judged.now)
    match fact:
        case f.DecisionRefused():
            loop = world.loops[fact.loop]
            return f.DecisionMade(
                stamp=fact.stamp,
                loop=fact.loop,
                decision=fact.decision,
                reasons=fact.reasons,
                cites=fact.cites,
                gate=loop.gate.position if loop.gate else 0,
                recommendations=current_recommendations(loop),
                judged=unjudged,
                basis=NO_BASIS,
            )
        case f.StageDecisionRefused():
            return f.StageDecided(
                stamp=fact.stamp,
                loop=fact.loop,
                stage=fact.stage,
                outcome=fact.outcome,
                reasons=fact.reasons,
                cites=fact.cites,
                judged=unjudged,
                basis=NO_BASIS,
            )
        case f.EvidenceGateRefused() | f.EvidenceGatePassed():
            return f.EvidenceGatePassed(
                stamp=fact.stamp,
                loop=fact.loop,
                witnesses=(),
                judged=unjudged,
                basis=NO_BASIS,
            )
        case f.DecisionMade() | f.StageDecided():
            return replace(fact, judged=unjudged, basis=NO_BASIS)
        case _:
            return replace(fact, judged=unjudged)
