"""Staff, keys and records from elsewhere."""

from domain import commands as c
from domain import facts as f
from domain import tags
from domain.case import Draft
from domain.decide.context import Context
from domain.decide.entitled import check_role
from domain.decide.privacy import erased_refusal
from domain.refusals import Exists, Forbidden, Meaningless, Missing
from domain.state import World
from domain.values import ORGANISATION, SELF_IDENTIFICATION, SYSTEM, private, private_or_none


def register_person(command: c.RegisterPerson, world: World, context: Context) -> Draft:
    """A new member of staff."""
    check_role(command, context)
    if command.id in world.people:
        raise Exists("this person is registered already; change their roles instead")
    return Draft(
        fact=f.PersonRegistered(
            stamp=context.stamp(tags.person(command.id), tags.people()),
            person=command.id,
            roles=_each_once(command.roles),
            name=private_or_none(command.name, command.id),
        )
    )


def change_roles(command: c.ChangeRoles, world: World, context: Context) -> Draft:
    """Other roles for someone known."""
    check_role(command, context)
    if command.person not in world.people:
        raise Missing("no such person; register them first")
    return Draft(
        fact=f.PersonRegistered(
            stamp=context.stamp(tags.person(command.person), tags.people()),
            person=command.person,
            roles=_each_once(command.roles),
        )
    )


def _each_once(roles: tuple[f.Role, ...]) -> tuple[f.Role, ...]:
    return tuple(dict.fromkeys(roles))


def issue_key(command: c.IssueKey, world: World, context: Context) -> Draft:
    """An API key; its secret was made outside and only its digest comes here."""
    check_role(command, context)
    if (command.service is None) == (command.person is None):
        raise Meaningless("a key is for a service or for a person: name exactly one", pointer="")
    if command.person is not None and command.person not in world.people:
        raise Missing("no such person; register them first", pointer="/person")
    if command.expires_at is not None and command.expires_at <= context.now:
        raise Meaningless("the key would have expired already", pointer="/expires_at")
    if not command.roles:
        raise Meaningless("a key without a role opens nothing: name at least one", pointer="/roles")
    if context.new_key is None:
        raise ValueError("a key is issued only with a fresh secret")
    about = (tags.person(command.person),) if command.person else ()
    return Draft(
        fact=f.KeyIssued(
            stamp=context.stamp(tags.key(context.new_key.id), tags.keys(), *about),
            key=context.new_key.id,
            service=command.service,
            person=command.person,
            roles=_each_once(command.roles),
            secret_sha256=context.new_key.secret_sha256,
            expires_at=command.expires_at,
        )
    )


def revoke_key(command: c.RevokeKey, world: World, context: Context) -> Draft:
    """A key that opens nothing any more."""
    check_role(command, context)
    key = world.keys.get(command.key)
    if key is None:
        raise Missing("no such key")
    if key.revoked is not None:
        raise Exists("this key is revoked already")
    stamp = context.stamp(tags.key(command.key), tags.keys())
    return Draft(fact=f.KeyRevoked(stamp=stamp, key=command.key))


def import_record(command: c.ImportRecord, world: World, context: Context) -> Draft:
    """One historical event; its identity is its case and its place in the trace."""
    check_role(command, context)
    if command.case in world.loops:
        raise Exists("a loop has this id; import the log under another name")
    if command.case in world.erased:
        raise erased_refusal(world.erased[command.case].position)
    known = (one.fact for one in world.imported)
    if any((one.case, one.place) == (command.case, command.place) for one in known):
        raise Exists("this event of this case was imported already")
    sealed_as = f"{SELF_IDENTIFICATION}{command.case}"
    return Draft(
        fact=f.RecordImported(
            stamp=context.stamp(tags.loop(command.case), tags.imported(command.system)),
            system=command.system,
            log=command.log,
            case=command.case,
            place=command.place,
            activity=command.activity,
            claimed_at=command.claimed_at,
            resource=private_or_none(command.resource, command.case),
            attributes=tuple(
                f.ImportedAttribute(name=a.name, value=private(a.value, sealed_as))
                for a in command.attributes
            ),
        )
    )


def correct_fact(command: c.CorrectFact, world: World, context: Context) -> Draft:
    """What a reader must know about an earlier fact."""
    check_role(command, context)
    recorded = world.cited.get(command.position)
    if recorded is None:
        raise Missing("no fact at this position")
    about = tuple(t for t in recorded.fact.stamp.tags if t.partition(":")[0] in _ABOUT_SOMEONE)
    if sum(tag.startswith(tags.loop("")) for tag in about) > 1:
        # Of a person, such as a look at their record: of none of their loops more than of another.
        about = tuple(tag for tag in about if not tag.startswith(tags.loop("")))
    return Draft(
        fact=f.FactCorrected(
            stamp=context.stamp(tags.fact(command.position), *about),
            of=command.position,
            text=private(command.text, _subject(recorded.fact, about, world)),
        )
    )


def note_reading(command: c.NoteFeedbackViewed | c.NoteRecordViewed, context: Context) -> Draft:
    """Who read what; the ledger notes it before a byte is sent."""
    reader = () if context.actor == SYSTEM else (tags.viewer(context.actor),)
    match command:
        case c.NoteFeedbackViewed():
            if not reader:
                raise Forbidden("feedback is read by a person; name the one who reads")
            return Draft(
                fact=f.FeedbackViewed(
                    stamp=context.stamp(tags.loop(command.loop), *reader),
                    loop=command.loop,
                    viewer=context.actor,
                    viewed=command.viewed,
                )
            )
        case c.NoteRecordViewed():
            loops = dict.fromkeys((*filter(None, (command.loop,)), *command.loops))
            whose = (tags.candidate(command.candidate),) if command.candidate else ()
            about = (*whose, *map(tags.loop, loops))
            return Draft(
                fact=f.RecordViewed(
                    stamp=context.stamp(*about, *reader),
                    viewer=None if context.actor == SYSTEM else context.actor,
                    what=command.what,
                    loop=command.loop,
                    first=command.first,
                    last=command.last,
                )
            )


_ABOUT_SOMEONE = ("loop", "candidate", "person", "self-identification")
_OF_THE_ORGANISATION = f.HoldPlaced | f.HoldReleased | f.SubjectErased


def _subject(of: f.AnyFact, about: tuple[str, ...], world: World) -> str:
    """Whose words a correction is: a candidate's, a member of staff's, or the organisation's.

    What was held or erased, and why, is the organisation's to answer for, long after the person.
    """
    if isinstance(of, _OF_THE_ORGANISATION):
        return ORGANISATION
    named = {kind: handle for kind, _, handle in (tag.partition(":") for tag in about)}
    if "self-identification" in named:
        return SELF_IDENTIFICATION + named["self-identification"]
    if "loop" in named and named["loop"] in world.loops:
        return world.loops[named["loop"]].opened.fact.candidate
    # A loop without an opening is an imported case: its handle stands for whom it is about.
    return named.get("candidate") or named.get("loop") or named.get("person") or ORGANISATION
