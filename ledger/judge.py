"""The life of a decision, step 3: every rule judges what a command would make.

Rules see the fact that was drafted for the command, as it would be recorded, so that
a replay can judge again from the log alone.
"""

import structlog

from domain import commands as c
from domain import facts as f
from domain.case import Case, Draft, Intent, Report
from domain.decide import Context, draft
from domain.findings import Judged
from domain.state import World
from ledger.read import Reading
from policies import Catalogue

_log = structlog.get_logger()


def work_out(command: c.AnyCommand, world: World, context: Context, rules: Catalogue) -> Draft:
    """The draft of a command; what only the rules' catalogue can know is checked here."""
    if isinstance(command, c.AdoptPolicySet):
        rules.check_settings(command.policies)
    if isinstance(command, c.GrantLoopException | c.GrantRequisitionException):
        rules.check_exception(command.policy)
    return draft(command, world, context)


def judge(drafted: Draft, reading: Reading, context: Context, rules: Catalogue) -> Judged:
    """What every rule that applies finds; nothing for a command that no rule judges."""
    if drafted.moment is None:
        return Judged(now=context.now)
    case = case_of(drafted, reading, context)
    return rules.judge(case, pinned_set(drafted, reading.world), drafted.state_findings, _alert)


def _alert(policy: str, error: str) -> None:
    """A rule that cannot judge stands in the way of everyone: somebody has to mend it."""
    _log.error("rule failed", policy=policy, error=error)


def pinned_set(drafted: Draft, world: World) -> f.PolicySetAdopted | None:
    """The rules in force: those the loop pinned, else the latest adopted."""
    handle = getattr(drafted.fact, "loop", None)
    loop = world.loops.get(handle) if isinstance(handle, str) else None
    if loop is not None:
        pinned = world.policy_set(loop.opened.fact.policy_set)
        return pinned.fact if pinned else None
    return world.policy_sets[-1].fact if world.policy_sets else None


def case_of(drafted: Draft, reading: Reading, context: Context) -> Case:
    """What every rule is shown: the draft, and the state and facts it was drafted on."""
    fact = drafted.fact
    if drafted.moment is None or not isinstance(fact, Intent | Report):
        raise TypeError("only intents and reports with findings are judged")
    return Case(
        moment=drafted.moment,
        draft=fact,
        world=reading.world,
        now=context.now,
        facts=reading.facts,
    )
