"""Opening and preparing a loop."""

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Draft, Found
from domain.decide.context import Context
from domain.decide.entitled import check_loop, check_requisition
from domain.decide.privacy import erased_refusal
from domain.decide.rubric import known_requisition
from domain.findings import Judged
from domain.refusals import Exists, Meaningless, Missing, wrong_state
from domain.state import Loop, Requisition, World
from domain.values import private_or_none


def known_loop(world: World, handle: str) -> Loop:
    """The loop, or `Missing`."""
    if handle not in world.loops:
        raise Missing("no such loop")
    return world.loops[handle]


def open_loop(command: c.OpenLoop, world: World, context: Context) -> Draft:
    """A loop that pins scorecard, posting and the latest policy set."""
    requisition = known_requisition(world, command.requisition, "/requisition")
    check_requisition(command, requisition, context)
    if command.id in world.loops:
        raise Exists("a loop has this id already")
    if world.imported_case(command.id):
        raise Exists("a case was imported under this id; give the loop another")
    if command.candidate.id in world.erased:
        raise erased_refusal(world.erased[command.candidate.id].position)
    card = world.scorecard(command.scorecard)
    if card is None:
        raise Missing("no such version of this scorecard", pointer="/scorecard")
    posting = world.posting(command.posting)
    if posting is None:
        raise Missing("no such version of this posting", pointer="/posting")
    if posting.fact.content.requisition != command.requisition:
        raise Meaningless("this posting is for another requisition", pointer="/posting")
    if not world.policy_sets:
        raise wrong_state("no policy set is adopted", "adopt one first")
    adopted = world.policy_sets[-1].fact
    candidate = command.candidate.id
    return Draft(
        fact=f.LoopOpened(
            stamp=context.stamp(
                tags.loop(command.id),
                tags.candidate(candidate),
                tags.requisition(command.requisition),
            ),
            loop=command.id,
            candidate=candidate,
            requisition=command.requisition,
            scorecard=command.scorecard,
            posting=command.posting,
            policy_set=f.Ref(id=adopted.policy_set, version=adopted.version),
            name=private_or_none(command.candidate.name, candidate),
            email=private_or_none(command.candidate.email, candidate),
            judged=Judged(now=context.now),
        ),
        moment="open",
        state_findings=_not_to_open(command, requisition, world),
    )


def _not_to_open(command: c.OpenLoop, requisition: Requisition, world: World) -> tuple[Found, ...]:
    """Why no loop can be opened on this requisition and scorecard, if so."""
    found: list[Found] = []
    if requisition.status != "open":
        found.append(
            Found(
                message="the requisition is not open",
                cure="reopen the requisition first",
                positions=(requisition.latest,),
            )
        )
    retirements = world.scorecards[command.scorecard.id].retirements
    retired = [r.position for r in retirements if r.fact.version == command.scorecard.version]
    if retired:
        found.append(
            Found(
                message="this scorecard version is retired",
                cure="pin a version in use",
                positions=tuple(retired),
            )
        )
    return tuple(found)


def plan_loop(command: c.PlanLoop, world: World, context: Context) -> Draft:
    """A plan; the first one of a requisition becomes its standard."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    _check_plan(command, loop, world)
    sessions = tuple(
        f.PlannedSession(
            id=s.id,
            stage=s.stage,
            kind=s.kind,
            competencies=s.competencies,
            prompts=s.prompts,
            interviewers=tuple(dict.fromkeys(s.interviewers)),
            minutes=s.minutes,
        )
        for s in command.sessions
    )
    requisition = world.requisitions[loop.opened.fact.requisition]
    standard: tuple[f.AnyFact, ...] = ()
    if requisition.standard is None:
        standard = (
            f.RequisitionStandardSet(
                stamp=context.stamp(tags.requisition(requisition.id)),
                requisition=requisition.id,
                sessions=tuple(
                    f.StandardSession(
                        stage=s.stage, kind=s.kind, prompts=s.prompts, minutes=s.minutes
                    )
                    for s in sessions
                ),
            ),
        )
    return Draft(
        fact=f.LoopPlanned(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            sessions=sessions,
            judged=Judged(now=context.now),
        ),
        moment="plan",
        also=standard,
        state_findings=_not_to_plan(loop),
    )


def _not_to_plan(loop: Loop) -> tuple[Found, ...]:
    """Why nothing is left to plan here, if so."""
    if loop.closed is None:
        return ()
    at = loop.closed.position
    return (Found(message="the loop is closed", cure="reopen it first", positions=(at,)),)


def _check_plan(command: c.PlanLoop, loop: Loop, world: World) -> None:
    card = world.scorecard(loop.opened.fact.scorecard)
    known = {x.id for x in card.fact.content.competencies} if card else set[str]()
    ids: set[str] = set()
    for number, session in enumerate(command.sessions):
        where = f"/sessions/{number}"
        if session.id in ids:
            raise Meaningless("two sessions have one id", pointer=f"{where}/id")
        ids.add(session.id)
        for at, competency in enumerate(session.competencies):
            if competency not in known:
                raise Meaningless(
                    "the pinned scorecard has no such competency",
                    pointer=f"{where}/competencies/{at}",
                )
        for at, ref in enumerate(session.prompts):
            if world.prompt(ref) is None:
                raise Missing("no such version of this prompt", pointer=f"{where}/prompts/{at}")


def give_process_notice(command: c.GiveProcessNotice, world: World, context: Context) -> Draft:
    """What the candidate was told."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    return Draft(
        fact=f.ProcessNoticeGiven(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            rounds=command.rounds,
            attendees=command.attendees,
            decide_by=command.decide_by,
        )
    )


def disclose_relationship(command: c.DiscloseRelationship, world: World, context: Context) -> Draft:
    """How the person asking knows the candidate."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    return Draft(
        fact=f.RelationshipDisclosed(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            person=context.actor,
            relationship=command.relationship,
        )
    )
