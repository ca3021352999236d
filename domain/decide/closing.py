"""Offers, withdrawals, closing, reopening and outcomes."""

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Draft
from domain.decide.context import Context
from domain.decide.entitled import check_loop
from domain.decide.opening import known_loop
from domain.refusals import wrong_state
from domain.state import Loop, World
from domain.summary import decision_of
from domain.values import private, private_or_none


def record_offer(command: c.RecordOffer, world: World, context: Context) -> Draft:
    """Where the offer stands."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    stamp = context.stamp(tags.loop(loop.handle))
    return Draft(fact=f.OfferRecorded(stamp=stamp, loop=loop.handle, status=command.status))


def report_withdrawal(command: c.ReportWithdrawal, world: World, context: Context) -> Draft:
    """The candidate left."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    return Draft(
        fact=f.CandidateWithdrew(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            code=command.code,
            reason=private_or_none(command.reason, loop.opened.fact.candidate),
        )
    )


def close_loop(command: c.CloseLoop, world: World, context: Context) -> Draft:
    """Close with a disposition that the record bears out."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    if loop.closed is not None:
        raise wrong_state("the loop is closed already", "nothing to do", loop.closed.position)
    _check_disposition(command.disposition, loop, world)
    return Draft(
        fact=f.LoopClosed(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            disposition=command.disposition,
            reason=private_or_none(command.reason, loop.opened.fact.candidate),
        )
    )


def _decided(loop: Loop, decision: f.Recommend) -> bool:
    """Whether this is the decision in force, made here or observed elsewhere since."""
    in_force = decision_of(loop)
    return in_force is not None and in_force.fact.decision == decision


def _rejected_at_stage(loop: Loop, *, knock_out: bool) -> bool:
    if not loop.stage_decisions or loop.stage_decisions[-1].fact.outcome != "reject":
        return False
    reasons = loop.stage_decisions[-1].fact.reasons
    return not knock_out or any(r.kind == "knock_out" for r in reasons)


def _check_disposition(disposition: f.Disposition, loop: Loop, world: World) -> None:
    status = world.requisitions[loop.opened.fact.requisition].status
    borne_out, wanted = {
        "hired": (_decided(loop, "hire"), "a decision to hire"),
        "rejected": (
            _decided(loop, "no_hire") or _rejected_at_stage(loop, knock_out=False),
            "a decision not to hire, or an accepted rejection at a stage",
        ),
        "knock_out": (
            _rejected_at_stage(loop, knock_out=True),
            "an accepted rejection at a stage for a posted knock-out",
        ),
        "withdrawn": (loop.withdrawn, "the candidate's withdrawal"),
        "filled": (status == "filled", "a requisition that is filled"),
        "cancelled": (status == "cancelled", "a requisition that is cancelled"),
    }[disposition]
    if not borne_out:
        raise wrong_state(
            f"nothing in the record bears out the disposition: it needs {wanted}",
            f"record {wanted} first, or close with the disposition that is true",
        )


def reopen_loop(command: c.ReopenLoop, world: World, context: Context) -> Draft:
    """Take a closed loop up again."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    if loop.closed is None:
        raise wrong_state("the loop is not closed", "nothing to do")
    return Draft(
        fact=f.LoopReopened(
            stamp=context.stamp(tags.loop(loop.handle)),
            loop=loop.handle,
            reason=private(command.reason, loop.opened.fact.candidate),
        )
    )


def record_outcome(command: c.RecordOutcome, world: World, context: Context) -> Draft:
    """How the decision turned out."""
    loop = known_loop(world, command.loop)
    check_loop(command, loop, world, context)
    return Draft(
        fact=f.OutcomeRecorded(
            stamp=context.stamp(tags.loop(loop.handle), tags.candidate(loop.opened.fact.candidate)),
            loop=loop.handle,
            dimension=command.dimension,
            value=command.value,
            horizon_months=command.horizon_months,
            observed_from=command.observed_from,
            lawful_basis=command.lawful_basis,
            coverage=command.coverage,
            rater_saw_scores=command.rater_saw_scores,
        )
    )
