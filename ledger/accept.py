"""The life of a decision, steps 2 to 5: from a request to the facts that will be appended.

Each step has its file: `read.py`, `judge.py`, `conclude.py`, `seal.py`; `append.py` has step 6,
`publish.py` step 7. Parsing, step 1, is `api/`'s, and projecting, step 8, `projections/`'.
Everything here reads the log up to one position and changes nothing: it can be done again.
"""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from opentelemetry import trace

from domain import commands as c
from domain import facts as f
from domain.codec import LeafTooLarge
from domain.decide import Context, claimed_at
from domain.refusals import Forbidden, Meaningless
from domain.state import World
from domain.values import SYSTEM
from ledger.asked import Asked, Caller, Done, KeyReused, Rehearsed
from ledger.conclude import conclude
from ledger.group import Group
from ledger.judge import judge, work_out
from ledger.read import read_boundary
from ledger.requests import Request, Scope
from ledger.resolve import named_in, resolve
from policies import Catalogue

_tracer = trace.get_tracer("hireledger")
# The ledger's own notes of who read what: they depend on nothing and need no role.
_NOTES = c.NoteFeedbackViewed | c.NoteRecordViewed


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
    facts = conclude(drafted, judged, reading, context, rules)

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


def request_of(asked: Asked) -> Request:
    """How a request is recognised when it comes again."""
    return Request(Scope(asked.caller.key_id, asked.caller.actor), asked.key, asked.body)


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
