"""The life of a decision, steps 2 to 5: from a request to the facts that will be appended.

Step 1, parsing, is the API's; step 6, the append under the lock, is the writer's (`append.py`).
Everything here reads the log up to one position and changes nothing: it can be done again.
"""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from msgspec.structs import replace
from opentelemetry import trace

from domain import commands as c
from domain import facts as f
from domain.boundary import boundary, first_items
from domain.case import Case, Draft, Intent, Report
from domain.codec import LeafTooLarge
from domain.decide import Context, claimed_at, conclude, draft
from domain.evolve import fold
from domain.findings import Basis, Item, Judged
from domain.refusals import Forbidden, Meaningless
from domain.state import World
from domain.values import SYSTEM
from ledger.asked import Asked, Caller, Done, KeyReused, Rehearsed
from ledger.group import Group
from ledger.proof.tree import basis_root
from ledger.recorder import Row
from ledger.requests import Request, Scope
from ledger.resolve import named_in, resolve
from policies import Catalogue

_log = structlog.get_logger()
_tracer = trace.get_tracer("hireledger")
# The ledger's own notes of who read what: they depend on nothing and need no role.
_NOTES = c.NoteFeedbackViewed | c.NoteRecordViewed
_RESTS_ON_A_BASIS = ("stage", "gate", "decide")


def accept(asked: Asked, group: Group, rules: Catalogue) -> Done:
    """One command, decided on the group's log and taken into the group; or a `Refusal`.

    Sent again with the same key, it gives the facts that the first one recorded. Raises
    `Unavailable` while the clock cannot be right.
    """
    request = request_of(asked)
    known = group.known(request)
    if known is not None:
        if not known.same_body:
            raise KeyReused("this Idempotency-Key came before with another body; use a new one")
        return Done(tuple(group.at(known.positions)), known.cause, replayed=True)
    group.require_believable(datetime.now(UTC))

    # Step 2. Names become handles, and the boundary names every fact the command depends on.
    command, aliases = resolve(asked.command, group.names(named_in(asked.command)))
    with _tracer.start_as_current_span("fold"):
        reading = read_boundary(command, asked.caller.actor, group)

    # Step 3. The command is worked out against the state, and every rule judges what it would make.
    context = _context(asked, command, reading.world, group, request)
    with _tracer.start_as_current_span("judge"):
        drafted = work_out(command, reading.world, context, rules)
        judged = judge(drafted, reading, context, rules)

    # Step 4. Facts, or a refusal; of a gate, a stage or a decision the refusal is a fact too.
    facts = conclude(
        drafted,
        judged,
        reading.basis() if drafted.moment in _RESTS_ON_A_BASIS else None,
        rules.witnesses(_case(drafted, reading, context)) if drafted.moment == "gate" else (),
    )

    # Step 5. Personal values are replaced by salted digests. From here the facts are final.
    try:
        recorded = group.add(request, context.cause, facts, aliases)
    except LeafTooLarge as error:
        raise Meaningless(f"{error}; shorten what is not a personal text, or cite less") from None
    return Done(recorded, context.cause)


def look_ahead(asked: Sequence[Asked], group: Group) -> None:
    """What deciding these commands will ask of the store one by one, asked for at once."""
    named = [one for each in asked for one in named_in(each.command)]
    group.look_ahead([request_of(each) for each in asked], named)


def rehearse(asked: Asked, group: Group, rules: Catalogue) -> Rehearsed:
    """What the rules would say to this command now; nothing is recorded."""
    command, _ = resolve(asked.command, group.names(named_in(asked.command)))
    reading = read_boundary(command, asked.caller.actor, group)
    context = _context(asked, command, reading.world, group, request_of(asked))
    drafted = work_out(command, reading.world, context, rules)
    return Rehearsed(judge(drafted, reading, context, rules), group.head)


class Reading:
    """What one command was decided on: the boundary's items, the facts they select, the state."""

    def __init__(self, items: tuple[Item, ...], rows: Sequence[Row], group: Group) -> None:
        self.items = items
        self.rows = rows
        self.upto = group.head
        self.facts = tuple(group.facts(rows))
        self.world = fold(self.facts)

    def basis(self) -> Basis:
        """The commitment to exactly these facts: items, position read up to, count and root."""
        root = basis_root(row.leaf for row in self.rows)
        return Basis(
            items=self.items,
            upto=self.upto,
            count=len(self.rows),
            root=base64.b64encode(root).decode(),
        )


def read_boundary(command: c.AnyCommand, actor: str, group: Group) -> Reading:
    """The facts that a command of this person depends on, folded."""
    first = fold(group.facts(group.select(first_items(command))))
    # Facts never change, so what is cited by position needs no place in the boundary.
    cited = group.at((command.position,)) if isinstance(command, c.CorrectFact) else []
    known = {one.position: one for one in cited}
    items = boundary(command, replace(first, cited=known), actor)
    reading = Reading(items, group.select(items), group)
    reading.world = replace(reading.world, cited=known)
    return reading


def request_of(asked: Asked) -> Request:
    """How a request is recognised when it comes again."""
    return Request(Scope(asked.caller.key_id, asked.caller.actor), asked.key, asked.body)


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
    case = _case(drafted, reading, context)
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


def _case(drafted: Draft, reading: Reading, context: Context) -> Case:
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


def _context(
    asked: Asked, command: c.AnyCommand, world: World, group: Group, request: Request
) -> Context:
    caller = asked.caller
    now = group.now(datetime.now(UTC))
    return Context(
        now=now,
        at=claimed_at(command, now),
        actor=caller.actor,
        via=caller.key_id,
        assurance=caller.assurance,
        cause=group.store.requests.cause(request),
        roles=frozenset() if isinstance(command, _NOTES) else roles_of(caller, world),
        source=_source(command, group),
        new_key=asked.new_key,
    )


def roles_of(caller: Caller, world: World) -> frozenset[f.Role]:
    """The roles that count: the person's own, no more than the key allows."""
    limit = caller.limit or frozenset()
    if caller.actor == SYSTEM:
        return limit
    person = world.people.get(caller.actor)
    if person is None:
        raise Forbidden("the acting person is not registered; an administrator can register them")
    roles = frozenset(person.roles)
    return roles if caller.limit is None else roles & limit


def _source(command: c.AnyCommand, group: Group) -> f.Source | None:
    ref = command.source
    if ref is None:
        return None
    parts = (ref.system.encode(), ref.object.encode(), ref.id.encode())
    mac = group.store.keyring.mac("source", *parts)
    return f.Source(
        system=ref.system,
        object=ref.object,
        id_mac=base64.urlsafe_b64encode(mac).decode().rstrip("="),
        revision=ref.revision,
    )
