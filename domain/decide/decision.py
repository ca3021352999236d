"""From debrief to decision: intents that rules judge, and refusals that are facts themselves."""

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Draft, Found
from domain.decide.context import AHEAD_MAX, Context
from domain.decide.entitled import check_loop, check_requisition, interviewers_of
from domain.decide.opening import known_loop
from domain.decide.rubric import known_requisition
from domain.findings import Basis, Judged
from domain.refusals import Forbidden, Meaningless, wrong_state
from domain.state import Loop, World
from domain.values import ORGANISATION, count_words, private, private_or_none

NO_BASIS = Basis(items=(), upto=0, count=0, root="")


def check_cites(cites: tuple[int, ...], loop: Loop) -> None:
    """Refuses a citation of a fact outside the loop's evidence."""
    known = set(loop.positions)
    for number, position in enumerate(cites):
        if position not in known:
            raise Meaningless(
                "a citation must name a fact of this loop", pointer=f"/cites/{number}"
            )


def _over(loop: Loop) -> tuple[Found, ...]:
    """Why nothing is left to decide here, if so."""
    found: list[Found] = []
    if loop.closed is not None:
        found.append(
            Found(
                message="the loop is closed",
                cure="reopen the loop, if it is to be decided again",
                positions=(loop.closed.position,),
            )
        )
    if loop.withdrawn:
        found.append(
            Found(
                message="the candidate withdrew",
                cure="close the loop as withdrawn",
                positions=(loop.withdrawals[-1].position,),
            )
        )
    if loop.decision is not None:
        found.append(
            Found(
                message="the loop is decided",
                cure="reverse the decision first, if it is to be decided again",
                positions=(loop.decision.position,),
            )
        )
    return tuple(found)


def _reasons(reasons: tuple[c.ReasonSpec, ...], subject: str) -> tuple[f.Reason, ...]:
    return tuple(f.Reason(kind=r.kind, ref=r.ref, text=private(r.text, subject)) for r in reasons)


def decide_stage(command: c.DecideStage, world: World, context: Context) -> Draft:
    """Advance or reject at a stage."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    check_cites(command.cites, loop)
    subject = loop.opened.fact.candidate
    return Draft(
        fact=f.StageDecided(
            stamp=context.stamp(tags.loop(loop.handle), tags.candidate(subject)),
            loop=loop.handle,
            stage=command.stage,
            outcome=command.outcome,
            reasons=_reasons(command.reasons, subject),
            cites=command.cites,
            judged=Judged(now=context.now),
            basis=NO_BASIS,
        ),
        moment="stage",
        state_findings=_over(loop),
    )


DebriefCommand = c.OpenDebrief | c.MakeStatement | c.RecordDissent | c.CloseDebrief


def debrief(command: DebriefCommand, world: World, context: Context) -> Draft:
    """The debate: its beginning, statements, dissent and end."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    subject = loop.opened.fact.candidate
    stamp = context.stamp(tags.loop(loop.handle))
    match command:
        case c.OpenDebrief():
            return Draft(fact=f.DebriefOpened(stamp=stamp, loop=loop.handle))
        case c.MakeStatement():
            check_cites(command.cites, loop)
            statement = f.DebriefStatementRecorded(
                stamp=stamp,
                loop=loop.handle,
                author=context.actor,
                text=private(command.text, subject),
                words=count_words(command.text),
                cites=command.cites,
            )
            return Draft(fact=statement, moment="statement")
        case c.RecordDissent():
            check_cites(command.cites, loop)
            return Draft(
                fact=f.DissentRecorded(
                    stamp=stamp,
                    loop=loop.handle,
                    author=context.actor,
                    text=private(command.text, subject),
                    cites=command.cites,
                )
            )
        case c.CloseDebrief():
            since = loop.debriefs[-1].position if loop.debriefs else 0
            heard = [d for d in loop.dissents if d.position > since]
            if command.dissent == "none" and heard:
                raise wrong_state(
                    "dissent was recorded in this debrief",
                    "close it with dissent: recorded",
                    *(d.position for d in heard),
                )
            return Draft(
                fact=f.DebriefClosed(stamp=stamp, loop=loop.handle, dissent=command.dissent)
            )


def pass_evidence_gate(command: c.PassEvidenceGate, world: World, context: Context) -> Draft:
    """Ask whether the evidence suffices; `conclude` adds the witnesses that the rules counted."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    return Draft(
        fact=f.EvidenceGatePassed(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            witnesses=(),
            judged=Judged(now=context.now),
            basis=NO_BASIS,
        ),
        moment="gate",
        state_findings=_over(loop),
    )


def make_recommendation(command: c.MakeRecommendation, world: World, context: Context) -> Draft:
    """Hire or no hire, as a step of its own."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    check_cites(command.cites, loop)
    return Draft(
        fact=f.RecommendationRecorded(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            recommend=command.recommend,
            reason=private(command.reason, loop.opened.fact.candidate),
            cites=command.cites,
            gate=loop.gate.position if loop.gate else 0,
            judged=Judged(now=context.now),
        ),
        moment="recommend",
        state_findings=_over(loop),
    )


def current_recommendations(loop: Loop) -> tuple[int, ...]:
    """Positions of the recommendations made after the latest passed gate."""
    since = loop.gate.position if loop.gate else 0
    return tuple(r.position for r in loop.recommendations if loop.gate and r.position > since)


def make_decision(command: c.MakeDecision, world: World, context: Context) -> Draft:
    """The decision itself, with everything it rests on."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    check_cites(command.cites, loop)
    if loop.gate is not None and context.at + AHEAD_MAX < loop.gate.fact.stamp.at:
        raise Meaningless(
            "a decision rests on the evidence gate and cannot have been made before it; report one "
            "that was made elsewhere as observed",
            pointer="/at",
        )
    subject = loop.opened.fact.candidate
    return Draft(
        fact=f.DecisionMade(
            stamp=context.stamp(tags.loop(loop.handle), tags.candidate(subject)),
            loop=loop.handle,
            decision=command.decision,
            reasons=_reasons(command.reasons, subject),
            cites=command.cites,
            gate=loop.gate.position if loop.gate else 0,
            recommendations=current_recommendations(loop),
            judged=Judged(now=context.now),
            basis=NO_BASIS,
        ),
        moment="decide",
        state_findings=_over(loop),
    )


def reverse_decision(command: c.ReverseDecision, world: World, context: Context) -> Draft:
    """Take the decision in force back."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    check_cites(command.cites, loop)
    if loop.decision is None:
        raise wrong_state("no decision is in force", "there is nothing to reverse")
    return Draft(
        fact=f.DecisionReversed(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            reverses=loop.decision.position,
            reason=private(command.reason, loop.opened.fact.candidate),
            cites=command.cites,
        )
    )


def observe_decision(command: c.ObserveDecision, world: World, context: Context) -> Draft:
    """A decision made elsewhere; it never counts as conforming."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    if command.source is None:
        raise Meaningless("name the system in which it was decided", pointer="/source")
    return Draft(
        fact=f.DecisionObserved(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            decision=command.decision,
        )
    )


def _check_second(
    command: c.GrantLoopException, loop: Loop, world: World, context: Context
) -> None:
    """An exception is a second person's: not of who wrote evidence here, and for someone here."""
    if any(written.fact.author == context.actor for written in loop.feedback):
        raise Forbidden(
            "whoever wrote evidence in this loop cannot excuse what is wrong with it; "
            "ask an approver who did not interview"
        )
    team = world.requisitions[loop.opened.fact.requisition].content.team
    here = interviewers_of(loop) | set(team.people())
    if command.subject is not None and command.subject not in here:
        raise Meaningless("this person has no part in the loop", pointer="/subject")


GrantException = c.GrantLoopException | c.GrantRequisitionException


def grant_exception(command: GrantException, world: World, context: Context) -> Draft:
    """Let one rule be broken; never for oneself."""
    if isinstance(command, c.GrantLoopException):
        loop = known_loop(world, command.loop)
        check_loop(command, loop, world, context)
        about, subject = tags.loop(loop.handle), loop.opened.fact.candidate
        _check_second(command, loop, world, context)
    else:
        requisition = known_requisition(world, command.requisition)
        check_requisition(command, requisition, context)
        about, subject = tags.requisition(requisition.id), ORGANISATION
    if command.subject == context.actor:
        raise Forbidden("nobody grants an exception to themselves; ask a second person")
    if command.expires_at <= context.now:
        raise Meaningless("the exception would have expired already", pointer="/expires_at")
    return Draft(
        fact=f.ExceptionGranted(
            stamp=context.stamp(about),
            loop=command.loop if isinstance(command, c.GrantLoopException) else None,
            requisition=None if isinstance(command, c.GrantLoopException) else command.requisition,
            policy=command.policy,
            subject=command.subject,
            reason=private(command.reason, subject),
            expires_at=command.expires_at,
            compensating_control=private_or_none(command.compensating_control, subject),
        )
    )
