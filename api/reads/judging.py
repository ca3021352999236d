"""What the rules say: what a decision would meet now, and the replay of what they said before."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from api.reading import LoopRead, Read
from api.reads.base import LOOP_READERS, Path, Readable, get
from domain import facts as f
from domain.boundary import LOOP_TYPES
from domain.case import Case, Moment
from domain.codec import Recorded, type_of
from domain.decide.decision import NO_BASIS, current_recommendations
from domain.decide.intent import MOMENT_OF, RecordedIntent
from domain.evolve import fold
from domain.findings import Enforcement, Judged, Receipt
from domain.refusals import LOOP_STATE, Missing
from domain.state import Loop, World
from domain.values import Digest, Time
from ledger.blind_rule import check_not_owing, notes_of_reading
from ledger.proof.disclosure import places
from policies import Catalogue


class ReadinessFinding(Struct, frozen=True, kw_only=True):
    """What stands in the way, the practice and source behind it, and what would settle it."""

    policy: str
    version: int
    moment: Moment
    enforcement: Enforcement
    message: str
    cure: str
    positions: tuple[int, ...]
    practices: tuple[str, ...]
    source: str


class Readiness(Struct, frozen=True, kw_only=True):
    """The findings that a gate and a decision would meet now."""

    loop: str
    ready: Annotated[bool, Meta(description="Whether nothing that blocks was found.")]
    findings: tuple[ReadinessFinding, ...]
    position: int


def readiness(read: Read, path: Path, _: object, rules: Catalogue) -> Readiness:
    """What a decision would meet now, with the practice behind it and what would settle it."""
    found = read.loop(path["loop"])
    check_not_owing(read.reader, found.now)
    read.notes += notes_of_reading(read.reader, found.now, (), "loop")
    world, facts = _judged_on(found, read, found.now)
    now = read.group.now(found.rows[-1].fact.stamp.recorded)
    pinned = world.policy_set(found.now.opened.fact.policy_set)
    findings: list[ReadinessFinding] = []
    for moment, draft in _drafts(found.now, found, now):
        case = Case(moment=moment, draft=draft, world=world, now=now, facts=facts)
        judged = rules.judge(case, pinned.fact if pinned else None)
        findings += _explained(judged, moment, rules)
    return Readiness(
        loop=found.now.handle,
        ready=not any(one.enforcement == "block" for one in findings),
        findings=tuple(findings),
        position=read.group.head,
    )


def _drafts(
    loop: Loop, found: LoopRead, now: Time
) -> list[tuple[Moment, f.EvidenceGatePassed | f.DecisionMade]]:
    """A gate and a decision as the requisition's decision maker would ask for them now."""
    team = found.requisition.content.team
    stamp = msgspec.structs.replace(
        loop.opened.fact.stamp, at=now, recorded=now, by=team.decision_maker
    )
    recommended = current_recommendations(loop)
    latest = next((r for r in loop.recommendations if r.position in recommended[-1:]), None)
    gate = f.EvidenceGatePassed(
        stamp=stamp, loop=loop.handle, witnesses=(), judged=Judged(now=now), basis=NO_BASIS
    )
    decision = f.DecisionMade(
        stamp=stamp,
        loop=loop.handle,
        decision=latest.fact.recommend if latest else "no_hire",
        reasons=(f.Reason(kind="override", text=Digest(sd="")),),
        cites=(),
        gate=loop.gate.position if loop.gate else 0,
        recommendations=recommended,
        judged=Judged(now=now),
        basis=NO_BASIS,
    )
    return [("gate", gate), ("decide", decision)]


def _explained(judged: Judged, moment: Moment, rules: Catalogue) -> list[ReadinessFinding]:
    known = {(entry.id, entry.version): entry for entry in rules.entries()}
    explained: list[ReadinessFinding] = []
    for one in judged.findings:
        entry = known.get((one.policy, one.version))
        explained.append(
            ReadinessFinding(
                policy=one.policy,
                version=one.version,
                moment=moment,
                enforcement=one.enforcement,
                message=one.message,
                cure=one.cure,
                positions=one.positions,
                practices=entry.practices if entry else (),
                source=entry.source if entry else "the state of the loop",
            )
        )
    return explained


def _judged_on(
    found: LoopRead, read: Read, loop: Loop, before: int | None = None
) -> tuple[World, tuple[Recorded, ...]]:
    """The facts that rules look at, before a position: the loop's evidence and its rubric."""
    pins = loop.opened.fact
    evidence = [k.recorded for k in found.rows if type_of(k.fact) in LOOP_TYPES]
    around = read.around(pins, loop)
    facts = {one.position: one for one in (*evidence, *around)}
    ordered = tuple(facts[p] for p in sorted(facts) if before is None or p < before)
    return fold(ordered), ordered


class ReplayQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Under which rules to judge again: those recorded, today's, or another set's latest."""

    set: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}(?!\n)$")] = "recorded"


class Verdicts(Struct, frozen=True, kw_only=True):
    """One rule's receipt as recorded and as recomputed; null where it did not judge."""

    policy: str
    recorded: Receipt | None
    recomputed: Receipt | None
    identical: bool


class Replayed(Struct, frozen=True, kw_only=True):
    """One intent judged again."""

    position: int
    type: str
    moment: Moment
    verdicts: tuple[Verdicts, ...]
    identical: bool


class Replay(Struct, frozen=True, kw_only=True):
    """Every intent of a loop judged again, on the facts before it."""

    loop: str
    set: str
    intents: tuple[Replayed, ...]
    identical: bool
    gone: Annotated[
        tuple[int, ...],
        Meta(description="Facts whose words were erased; the rules rest on what stays of them."),
    ]
    position: int


def replay(read: Read, path: Path, query: ReplayQuery, rules: Catalogue) -> Replay:
    """Judge every intent of a loop again, on exactly the facts before it."""
    found = read.loop(path["loop"])
    check_not_owing(read.reader, found.now)
    read.notes += notes_of_reading(read.reader, found.now, (), "replay")
    intents = tuple(
        _again(known.row.position, known.fact, found, read, query.set, rules)
        for known in found.rows
        if isinstance(known.fact, RecordedIntent)
    )
    return Replay(
        loop=found.now.handle,
        set=query.set,
        intents=intents,
        identical=all(one.identical for one in intents),
        gone=_gone(found, read),
        position=read.group.head,
    )


def _gone(found: LoopRead, read: Read) -> tuple[int, ...]:
    """Where words stood that were erased."""
    if found.now.erased is None:
        return ()
    digests = {k.row.position: {p.digest for p in places(k.row.leaf)} for k in found.rows}
    wanted = {digest for them in digests.values() for digest in them}
    standing = read.group.store.vault.owners(read.group.cur, wanted)
    return tuple(position for position, them in digests.items() if them - standing.keys())


def _again(
    position: int,
    fact: RecordedIntent,
    found: LoopRead,
    read: Read,
    set_: str,
    rules: Catalogue,
) -> Replayed:
    world, facts = _judged_on(found, read, found.now, before=position)
    judged = rules.replay(fact, world, facts, _set(set_, read))
    mine = {r.policy: r for r in fact.judged.receipts if r.policy != LOOP_STATE}
    theirs = {r.policy: r for r in judged.receipts if r.policy != LOOP_STATE}
    verdicts = tuple(
        Verdicts(
            policy=policy,
            recorded=mine.get(policy),
            recomputed=theirs.get(policy),
            identical=_same(mine.get(policy), theirs.get(policy)),
        )
        for policy in sorted(mine.keys() | theirs.keys())
    )
    return Replayed(
        position=position,
        type=type_of(fact),
        moment=MOMENT_OF[type(fact)],
        verdicts=verdicts,
        identical=all(one.identical for one in verdicts),
    )


def _same(recorded: Receipt | None, recomputed: Receipt | None) -> bool:
    return msgspec.json.encode(recorded) == msgspec.json.encode(recomputed)


def _set(name: str, read: Read) -> f.PolicySetAdopted | Literal["recorded"]:
    """The policy set to judge by."""
    if name == "recorded":
        return "recorded"
    adopted = read.policy_sets()
    wanted = [s.fact for s in adopted if name in ("current", s.fact.policy_set)]
    if not wanted:
        raise Missing("no policy set with this id was adopted")
    return wanted[-1]


def judging(rules: Catalogue) -> tuple[Readable, ...]:
    """The routes that judge, with the rules they judge by."""

    def ready(read: Read, path: Path, query: object) -> Readiness:
        """What a decision would meet now, and what would settle it."""
        return readiness(read, path, query, rules)

    def again(read: Read, path: Path, query: ReplayQuery) -> Replay:
        """Judge every intent of a loop again, on exactly the facts before it."""
        return replay(read, path, query, rules)

    return (
        get("/v1/loops/{loop}/readiness", ready, Readiness, tag="loops", roles=LOOP_READERS),
        get(
            "/v1/loops/{loop}/replay",
            again,
            Replay,
            tag="loops",
            roles=LOOP_READERS,
            query=ReplayQuery,
        ),
    )
