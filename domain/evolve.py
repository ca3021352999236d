"""How each fact changes the state: the only place that says so."""

from collections.abc import Iterable
from typing import assert_never

from msgspec.structs import replace

from domain import facts as f
from domain.codec import Recorded
from domain.state import At, Hold, Key, Loop, Person, Requisition, Scorecard, World
from domain.tags import loop as tag_loop

_IN_LOOP = tag_loop("")


def fold(recorded: Iterable[Recorded], world: World | None = None) -> World:
    """The state after these facts, in position order."""
    state = world or World()
    for one in recorded:
        state = evolve(state, one)
    return state


def evolve(world: World, recorded: Recorded) -> World:
    """The state after one more fact."""
    position, fact = recorded.position, recorded.fact
    world = replace(world, head=position, last_recorded=fact.stamp.recorded)
    match fact:
        case f.ExceptionGranted(loop=None):
            return _requisition_exception(world, At(position, fact))
        case f.LoopOpened():
            loop = Loop(opened=At(position, fact), positions=(position,))
            return replace(world, loops={**world.loops, fact.loop: loop})
        case (
            f.RequisitionOpened()
            | f.RequisitionChanged()
            | f.RequisitionStandardSet()
            | f.ScorecardVersioned()
            | f.ScorecardApproved()
            | f.ScorecardRetired()
            | f.PromptVersioned()
            | f.PostingVersioned()
            | f.PolicySetAdopted()
        ):
            return _rubric(world, position, fact)
        case f.PersonRegistered():
            person = Person(handle=fact.person, roles=fact.roles, registered=position)
            return replace(world, people={**world.people, fact.person: person})
        case f.KeyIssued():
            key = Key(issued=At(position, fact))
            return replace(world, keys={**world.keys, fact.key: key})
        case f.KeyRevoked():
            revoked = replace(world.keys[fact.key], revoked=position)
            return replace(world, keys={**world.keys, fact.key: revoked})
        case f.RecordImported():
            return replace(world, imported=(*world.imported, At(position, fact)))
        case f.HoldPlaced():
            hold = Hold(placed=At(position, fact))
            return replace(world, holds={**world.holds, fact.hold: hold})
        case f.HoldReleased():
            over = replace(world.holds[fact.hold], released=At(position, fact))
            return replace(world, holds={**world.holds, fact.hold: over})
        case f.SubjectErased():
            return _erasure(world, At(position, fact))
        case (
            f.SelfIdentificationRecorded()
            | f.RetroOpened()
            | f.FindingRecorded()
            | f.RetroClosed()
            | f.RubricChangeProposed()
            | f.RubricChangeAdopted()
            | f.RubricChangeRejected()
            | f.PeerComparisonRecorded()
            | f.FairnessReportRecorded()
            | f.ExternalEditDetected()
            | f.ExternalDeletionDetected()
            | f.RecordViewed()
            | f.FactCorrected()
        ):
            return replace(world, others=(*world.others, recorded))
        case _:
            return _loop(world, position, fact)


def _erasure(world: World, at: At[f.SubjectErased]) -> World:
    """The fact names each loop of the person by its tag, and each of them learns of it."""
    loops = dict(world.loops)
    for tag in at.fact.stamp.tags:
        handle = tag.removeprefix(_IN_LOOP)
        if handle != tag and handle in loops:
            positions = (*loops[handle].positions, at.position)
            loops[handle] = replace(loops[handle], erased=at, positions=positions)
    return replace(world, loops=loops, erased={**world.erased, at.fact.candidate: at})


def _requisition_exception(world: World, at: At[f.ExceptionGranted]) -> World:
    slug = at.fact.requisition or ""
    requisition = world.requisitions[slug]
    granted = replace(requisition, exceptions=(*requisition.exceptions, at))
    return replace(world, requisitions={**world.requisitions, slug: granted})


def _rubric(world: World, position: int, fact: f.RubricFact) -> World:
    match fact:
        case f.RequisitionOpened() | f.RequisitionChanged() | f.RequisitionStandardSet():
            requisition = _requisition(world.requisitions.get(fact.requisition), position, fact)
            return replace(world, requisitions={**world.requisitions, requisition.id: requisition})
        case f.ScorecardVersioned():
            card = world.scorecards.get(fact.scorecard) or Scorecard()
            card = replace(card, versions=(*card.versions, At(position, fact)))
            return replace(world, scorecards={**world.scorecards, fact.scorecard: card})
        case f.ScorecardApproved():
            return _approval(world, At(position, fact))
        case f.ScorecardRetired():
            # As it had happened by some time, a version may be retired before it was written.
            card = world.scorecards.get(fact.scorecard) or Scorecard()
            card = replace(card, retirements=(*card.retirements, At(position, fact)))
            return replace(world, scorecards={**world.scorecards, fact.scorecard: card})
        case f.PromptVersioned():
            versions = (*world.prompts.get(fact.prompt, ()), At(position, fact))
            return replace(world, prompts={**world.prompts, fact.prompt: versions})
        case f.PostingVersioned():
            postings = (*world.postings.get(fact.posting, ()), At(position, fact))
            return replace(world, postings={**world.postings, fact.posting: postings})
        case f.PolicySetAdopted():
            return replace(world, policy_sets=(*world.policy_sets, At(position, fact)))
        case _:
            assert_never(fact)


def _requisition(
    now: Requisition | None,
    position: int,
    fact: f.RequisitionOpened | f.RequisitionChanged | f.RequisitionStandardSet,
) -> Requisition:
    match fact:
        case f.RequisitionOpened():
            return Requisition(
                id=fact.requisition, content=fact.content, status="open", latest=position
            )
        case f.RequisitionChanged():
            return replace(_known(now), content=fact.content, status=fact.status, latest=position)
        case f.RequisitionStandardSet():
            return replace(_known(now), standard=At(position, fact))
        case _:
            assert_never(fact)


def _known(now: Requisition | None) -> Requisition:
    if now is None:
        raise ValueError("a requisition changed before it was opened: the log is out of order")
    return now


def _approval(world: World, at: At[f.ScorecardApproved]) -> World:
    fact = at.fact
    card = world.scorecards.get(fact.scorecard)
    if card is not None:
        card = replace(card, approvals=(*card.approvals, at))
        world = replace(world, scorecards={**world.scorecards, fact.scorecard: card})
    requisition = world.requisitions.get(fact.requisition)
    if requisition is not None:
        requisition = replace(requisition, approvals=(*requisition.approvals, at))
        world = replace(world, requisitions={**world.requisitions, fact.requisition: requisition})
    return world


def _loop(world: World, position: int, fact: f.LoopFact | f.OutcomeRecorded) -> World:
    handle = fact.loop or ""
    loop = world.loops[handle]
    name = LOOP_FIELDS[type(fact)]
    kept: tuple[At[f.Fact], ...] = getattr(loop, name)
    grown = {name: (*kept, At(position, fact)), "positions": (*loop.positions, position)}
    return replace(world, loops={**world.loops, handle: replace(loop, **grown)})


# Where a loop keeps each kind of fact. A test holds this table to the union of loop facts.
LOOP_FIELDS: dict[type[f.Fact], str] = {
    f.LoopPlanned: "plans",
    f.ProcessNoticeGiven: "notices",
    f.RelationshipDisclosed: "relationships",
    f.PortfolioItemLinked: "portfolio",
    f.SessionCompleted: "sessions",
    f.SessionCancelled: "cancelled",
    f.InterviewerReplaced: "replacements",
    f.CandidateNoShow: "no_shows",
    f.TakeHomeAssigned: "assigned",
    f.TakeHomeReceived: "received",
    f.TakeHomeAnonymised: "anonymised",
    f.FeedbackSubmitted: "feedback",
    f.FeedbackAmended: "amendments",
    f.FeedbackViewed: "views",
    f.ReferenceRecorded: "references",
    f.StageDecided: "stage_decisions",
    f.StageDecisionRefused: "stage_refusals",
    f.DebriefOpened: "debriefs",
    f.DebriefStatementRecorded: "statements",
    f.DissentRecorded: "dissents",
    f.DebriefClosed: "debriefs_closed",
    f.EvidenceGatePassed: "gates",
    f.EvidenceGateRefused: "gate_refusals",
    f.RecommendationRecorded: "recommendations",
    f.ExceptionGranted: "exceptions",
    f.DecisionMade: "decisions",
    f.DecisionRefused: "decision_refusals",
    f.DecisionObserved: "observed",
    f.DecisionReversed: "reversals",
    f.OfferRecorded: "offers",
    f.CandidateWithdrew: "withdrawals",
    f.ExplanationIssued: "explanations",
    f.LoopClosed: "closings",
    f.LoopReopened: "reopenings",
    f.OutcomeRecorded: "outcomes",
}
