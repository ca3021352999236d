"""What each command depends on: one table, command to items.

An item is facts of these types that carry all of these tags. A command is decided on exactly these
facts; if one more appears before it commits, it is decided again. What is not here cannot matter:
others' views and audit reads are left out, so that reading never delays deciding. What was refused
and corrected before, and what interviewers had read, decides nothing either, but belongs to the
record that a gate or decision commits to: so only what rests on a basis reads it.
"""

from collections.abc import Callable

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.codec import Recorded, types_of
from domain.decide.entitled import interviewers_of
from domain.evolve import LOOP_FIELDS
from domain.findings import Item
from domain.state import At, Loop, World
from domain.values import is_case

LOOP_TYPES = types_of(
    f.LoopOpened,
    f.LoopPlanned,
    f.ProcessNoticeGiven,
    f.RelationshipDisclosed,
    f.PortfolioItemLinked,
    f.SessionCompleted,
    f.SessionCancelled,
    f.InterviewerReplaced,
    f.CandidateNoShow,
    f.TakeHomeAssigned,
    f.TakeHomeReceived,
    f.TakeHomeAnonymised,
    f.FeedbackSubmitted,
    f.FeedbackAmended,
    f.ReferenceRecorded,
    f.StageDecided,
    f.DebriefOpened,
    f.DebriefStatementRecorded,
    f.DissentRecorded,
    f.DebriefClosed,
    f.EvidenceGatePassed,
    f.RecommendationRecorded,
    f.ExceptionGranted,
    f.DecisionMade,
    f.DecisionObserved,
    f.DecisionReversed,
    f.OfferRecorded,
    f.CandidateWithdrew,
    f.ExplanationIssued,
    f.LoopClosed,
    f.LoopReopened,
    f.OutcomeRecorded,
    f.SubjectErased,
)
_RECORD_TYPES = types_of(
    f.StageDecisionRefused, f.EvidenceGateRefused, f.DecisionRefused, f.FactCorrected
)
_REQUISITION_TYPES = types_of(
    f.RequisitionOpened, f.RequisitionChanged, f.RequisitionStandardSet, f.ExceptionGranted
)
_SCORECARD_TYPES = types_of(f.ScorecardVersioned, f.ScorecardApproved, f.ScorecardRetired)


def loop_items(handle: str) -> tuple[Item, ...]:
    """A loop's own evidence."""
    return (Item(types=LOOP_TYPES, tags=(tags.loop(handle),)),)


def requisition_items(slug: str) -> tuple[Item, ...]:
    """A requisition's team, status, standard and exceptions."""
    return (Item(types=_REQUISITION_TYPES, tags=(tags.requisition(slug),)),)


def scorecard_items(slug: str) -> tuple[Item, ...]:
    """A scorecard's versions, approvals and retirements."""
    return (Item(types=_SCORECARD_TYPES, tags=(tags.scorecard(slug),)),)


def prompt_items(slugs: set[str]) -> tuple[Item, ...]:
    """The versions of these prompts."""
    versioned = types_of(f.PromptVersioned)
    return tuple(Item(types=versioned, tags=(tags.prompt(slug),)) for slug in sorted(slugs))


def posting_items(slug: str) -> tuple[Item, ...]:
    """The versions of a posting."""
    return (Item(types=types_of(f.PostingVersioned), tags=(tags.posting(slug),)),)


def policy_set_items() -> tuple[Item, ...]:
    """Every policy set adopted."""
    return (Item(types=types_of(f.PolicySetAdopted), tags=(tags.policy_sets(),)),)


def person_items(*handles: str) -> tuple[Item, ...]:
    """The registration and roles of these people: their entitlements."""
    registered = types_of(f.PersonRegistered)
    people = sorted({h for h in handles if h.startswith("p_")})
    return tuple(Item(types=registered, tags=(tags.person(h),)) for h in people)


def key_items(key_id: str) -> tuple[Item, ...]:
    """One API key from issue to revocation."""
    return (Item(types=types_of(f.KeyIssued, f.KeyRevoked), tags=(tags.key(key_id),)),)


def erasure_items(candidate: str) -> tuple[Item, ...]:
    """Whether a person was erased; of an imported case also that it is one."""
    if is_case(candidate):
        return candidate_items(candidate)
    return (Item(types=types_of(f.SubjectErased), tags=(tags.candidate(candidate),)),)


def hold_items(*words: str) -> tuple[Item, ...]:
    """The holds, and their releases, that carry one of these tags."""
    held = types_of(f.HoldPlaced, f.HoldReleased)
    return tuple(Item(types=held, tags=(word,)) for word in words)


def case_items(handle: str) -> tuple[Item, ...]:
    """The events of an imported case, whose handle no loop may have."""
    return (Item(types=types_of(f.RecordImported), tags=(tags.loop(handle),)),)


def candidate_items(candidate: str) -> tuple[Item, ...]:
    """The openings of a person's loops, and whether the person was erased.

    An imported case stands for a person: its events, and whether it is a loop instead.
    """
    if is_case(candidate):
        copied = types_of(f.LoopOpened, f.RecordImported, f.SubjectErased)
        return (Item(types=copied, tags=(tags.loop(candidate),)),)
    about = types_of(f.LoopOpened, f.SubjectErased)
    return (Item(types=about, tags=(tags.candidate(candidate),)),)


def settle(
    command: c.AnyCommand, actor: str, read: Callable[[tuple[Item, ...]], World]
) -> tuple[Item, ...]:
    """The boundary of a command, found by reading: each reading names what else must be read.

    A loop names its rubric, and the rubric the people who wrote it, who name nothing more. The last
    call of `read` is with the items that are returned.
    """
    items = first_items(command)
    while (more := boundary(command, read(items), actor)) != items:
        items = more
    return items


def first_items(command: c.AnyCommand) -> tuple[Item, ...]:
    """What must be read before `boundary` can name the rest: the loop, or the person's loops."""
    if isinstance(command, c.EraseSubject):
        return candidate_items(command.candidate)
    handle = getattr(command, "loop", None)
    return loop_items(handle) if isinstance(handle, str) else ()


def boundary(command: c.AnyCommand, world: World, actor: str) -> tuple[Item, ...]:
    """Every fact that deciding this command depends on, as far as `world` can name them.

    It can name all once it was folded from a boundary, which `settle` sees to.
    """
    if isinstance(command, c.NoteFeedbackViewed | c.NoteRecordViewed):
        return ()
    own = person_items(actor)
    if isinstance(command, c.CorrectFact):
        return _openings_behind(world.cited.get(command.position)) + own
    handle = getattr(command, "loop", None)
    if isinstance(handle, str):
        loop = world.loops.get(handle)
        return loop_items(handle) + (_around(command, loop, actor, world) if loop else ()) + own
    if isinstance(command, c.EraseSubject):
        return _to_erase(command.candidate, world) + own
    return _outside_loops(command) + own


def _to_erase(candidate: str, world: World) -> tuple[Item, ...]:
    """A person's loops, and every hold over them or over a requisition of one of the loops."""
    theirs = [loop.opened.fact for loop in world.loops.values()]
    slugs = sorted({opened.requisition for opened in theirs if opened.candidate == candidate})
    over = (tags.candidate(candidate), *(tags.requisition(slug) for slug in slugs))
    return candidate_items(candidate) + hold_items(*over)


def _to_hold(command: c.PlaceHold) -> tuple[Item, ...]:
    """The hold's own id, the requisitions it is over, and whether its people were erased."""
    own_id = hold_items(tags.hold(command.id)) if command.id else ()
    slugs, people = dict.fromkeys(command.requisitions), dict.fromkeys(command.candidates)
    return (
        own_id
        + tuple(item for slug in slugs for item in requisition_items(slug))
        + tuple(item for handle in people for item in erasure_items(handle))
    )


def _openings_behind(cited: Recorded | None) -> tuple[Item, ...]:
    """The opening of the loop that a cited fact belongs to: it says whose words a correction is.

    And whether whoever it is about was erased, also where the fact is of no loop.
    """
    opened = types_of(f.LoopOpened, f.SubjectErased)
    about = cited.fact.stamp.tags if cited else ()
    loops = tuple(Item(types=opened, tags=(tag,)) for tag in about if tag.startswith("loop:"))
    subjects = (tag.partition(":") for tag in about)
    whose = (handle for kind, _, handle in subjects if kind in {"candidate", "self-identification"})
    erasures = (Item(types=types_of(f.SubjectErased), tags=(tags.candidate(h),)) for h in whose)
    return loops + tuple(dict.fromkeys(erasures))


def _around(command: c.AnyCommand, loop: Loop, actor: str, world: World) -> tuple[Item, ...]:
    """Outside a loop, what its commands depend on: the pinned rubric and the requisition."""
    pins = loop.opened.fact
    items = requisition_items(pins.requisition)
    match command:
        case c.SubmitFeedback() | c.AmendFeedback():
            return (
                *items,
                _viewed(loop, actor),
                *scorecard_items(pins.scorecard.id),
                *policy_set_items(),
            )
        case c.PlanLoop():
            asked = {ref.id for session in command.sessions for ref in session.prompts}
            rubric = (*scorecard_items(pins.scorecard.id), *prompt_items(asked))
            return (*items, *rubric, *policy_set_items())
        case (
            c.DecideStage()
            | c.PassEvidenceGate()
            | c.MakeRecommendation()
            | c.MakeDecision()
            | c.MakeStatement()
        ):
            rubric = (*scorecard_items(pins.scorecard.id), *posting_items(pins.posting.id))
            items += (*rubric, *prompt_items(_prompts(loop)), *policy_set_items())
            if not isinstance(command, c.DecideStage | c.PassEvidenceGate | c.MakeDecision):
                return items
            # What has a basis also says what was tried and corrected, who had read what before
            # they wrote, and who is who: the dossier must be able to tell it.
            record = Item(types=_RECORD_TYPES, tags=(tags.loop(loop.handle),))
            people = _people(loop, world) | _behind(pins, loop, world)
            return (record, *_views(loop), *items, *person_items(*people - {actor}))
        case c.RecordReference():
            return (*items, *scorecard_items(pins.scorecard.id))
        case c.CompleteSession():
            return (*items, *prompt_items({ref.id for ref in command.prompts}))
        case _:
            return items


def _viewed(loop: Loop, person: str) -> Item:
    """What this person read of others' feedback in the loop."""
    by = (tags.loop(loop.handle), tags.viewer(person))
    return Item(types=types_of(f.FeedbackViewed), tags=by)


def _views(loop: Loop) -> tuple[Item, ...]:
    """What whoever interviews or wrote here had read: it makes their evidence independent or not.

    Others' reading is left out: it changes nothing, and nobody who reads should delay a decision.
    """
    return tuple(_viewed(loop, person) for person in sorted(interviewers_of(loop)))


def _people(loop: Loop, world: World) -> set[str]:
    """Whoever interviewed, was named, or did something in the loop on which a decision rests."""
    recorded: list[f.Fact] = [loop.opened.fact]
    for name in LOOP_FIELDS.values():
        kept: tuple[At[f.Fact], ...] = getattr(loop, name)
        recorded += [one.fact for one in kept]
    recorded += [one.fact for one in world.others if isinstance(one.fact, f.FactCorrected)]
    return {fact.stamp.by for fact in recorded} | interviewers_of(loop)


def _behind(pins: f.LoopOpened, loop: Loop, world: World) -> set[str]:
    """The hiring team, and whoever wrote, approved or adopted what the loop was judged by.

    Only of the versions in force in the loop: others are many, and a basis has to fit into a leaf.
    """
    requisition = world.requisitions.get(pins.requisition)
    card = world.scorecards.get(pins.scorecard.id)
    approvals = card.approvals if card else ()
    approved = (pins.requisition, pins.scorecard.version)
    wrote = (
        world.scorecard(pins.scorecard),
        world.posting(pins.posting),
        world.policy_set(pins.policy_set),
        requisition.standard if requisition else None,
        *(world.prompt(ref) for ref in _given(loop)),
        *(one for one in approvals if (one.fact.requisition, one.fact.version) == approved),
        *(requisition.exceptions if requisition else ()),
    )
    team = requisition.content.team.people() if requisition else ()
    return {*team, *(one.fact.stamp.by for one in wrote if one is not None)}


def _given(loop: Loop) -> set[f.Ref]:
    planned = {ref for session in loop.planned for ref in session.prompts}
    return planned | {ref for session in loop.sessions for ref in session.fact.prompts}


def _prompts(loop: Loop) -> set[str]:
    return {ref.id for ref in _given(loop)}


def _outside_loops(command: c.AnyCommand) -> tuple[Item, ...]:
    match command:
        case c.OpenRequisition():
            return requisition_items(command.id)
        case c.ChangeRequisition():
            return requisition_items(command.requisition)
        case c.VersionScorecard():
            derived = command.derived_from
            return (
                scorecard_items(command.scorecard)
                + policy_set_items()
                + (scorecard_items(derived.id) if derived else ())
            )
        case c.ApproveScorecard():
            return scorecard_items(command.scorecard) + requisition_items(command.requisition)
        case c.RetireScorecard():
            return scorecard_items(command.scorecard)
        case c.VersionPrompt():
            slugs = {command.prompt} | (
                {command.equivalent_to.id} if command.equivalent_to else set[str]()
            )
            return prompt_items(slugs) + policy_set_items()
        case c.VersionPosting():
            return (
                posting_items(command.posting)
                + requisition_items(command.requisition)
                + policy_set_items()
            )
        case c.AdoptPolicySet():
            return policy_set_items()
        case c.OpenLoop():
            return (
                loop_items(command.id)
                + case_items(command.id)
                + erasure_items(command.candidate.id)
                + requisition_items(command.requisition)
                + scorecard_items(command.scorecard.id)
                + posting_items(command.posting.id)
                + policy_set_items()
            )
        case c.GrantRequisitionException():
            return requisition_items(command.requisition)
        case c.RegisterPerson():
            return person_items(command.id)
        case c.ChangeRoles():
            return person_items(command.person)
        case c.IssueKey():
            return person_items(command.person or "")
        case c.RevokeKey():
            return key_items(command.key)
        case c.PlaceHold():
            return _to_hold(command)
        case c.ReleaseHold():
            return hold_items(tags.hold(command.hold))
        case c.ImportRecord():
            return candidate_items(command.case)
        case _:
            return ()
