"""Makes the dossier of one decision from the store: all that it rested on, proven, and no more.

A decision is one to hire or not to hire, or a rejection at a stage.

Three steps, because the checkpoint is signed between two readings of the log: `choose` finds the
decision and the facts of every basis it stands on, `published_over` waits for a checkpoint that has
it, and `assemble` proves the facts under that and adds the disclosures. Whoever calls records what
is about to be seen before a byte of the file is sent.
"""

import base64
from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from domain import facts as f
from domain.boundary import loop_items
from domain.codec import Recorded
from domain.evolve import fold
from domain.findings import Basis
from domain.refusals import LOOP_STATE, Missing
from domain.state import At, Loop
from domain.tags import loop as loop_tag
from ledger.errors import LedgerError, LogDamaged
from ledger.group import Group
from ledger.ledger import Ledger
from ledger.personal.withholding import Guarded, Kind, guarded, kinds_of
from ledger.proof.checked import CLOCK_SECONDS_MAX, Decided, RestsOnABasis
from ledger.proof.disclosure import places
from ledger.proof.dossier import FACTS_MAX, FORMAT, Dossier, GivenFact, GivenPolicy
from ledger.proof.tree import basis_root
from ledger.recorder import Row
from ledger.vouching.timestamps import Signers, Timestamps
from policies import Catalogue


class CannotExport(LedgerError):
    """A decision cannot be told in one file; the message says why, and what to do."""


class Chosen(NamedTuple):
    """A decision and the facts that its dossier holds, in the order of the log."""

    decision: At[Decided]
    rows: tuple[Row, ...]
    facts: tuple[Recorded, ...]


class Published(NamedTuple):
    """A checkpoint as it was published: over how many facts, the note, timestamps over the note."""

    size: int
    note: bytes
    timestamps: tuple[bytes, ...] = ()


class Audience(NamedTuple):
    """For whom a file is made, and what they are not to be told."""

    person: str | None
    """The reading person's handle; None for a service, and for the command line."""
    knows_names: bool
    """Whether they may read what members of staff are called."""
    withheld: frozenset[Kind] = frozenset()
    """Kinds of personal values that are left out."""
    disclosed: frozenset[Guarded] = frozenset()
    """Guarded kinds of reasons that are told all the same."""


def choose(group: Group, loop: Loop, position: int | None = None) -> Chosen:
    """The decision at `position`, and its facts.

    Without a position the decision in force, else the latest made, else the latest rejection at a
    stage.

    Raises:
        Missing: the loop has no such decision.
        LogDamaged: the facts of a basis are not those that it was made on.
    """
    decision = _decision(loop, position)
    bases = [(decision.position, decision.fact.basis)]
    chosen = {row.position: row for row in _rows(group, decision.fact.basis)}
    bases += [
        (one.position, one.fact.basis)
        for one in group.facts(list(chosen.values()))
        if isinstance(one.fact, RestsOnABasis)
    ]
    known = set(decision.fact.basis.items)
    for _, basis in bases:
        if not known.issuperset(basis.items):
            chosen |= {row.position: row for row in _rows(group, basis)}
    for at, basis in bases:
        _check(at, basis, chosen.values())
    (own,) = group.store.recorder.fetch(group.cur, [decision.position])
    rows = tuple(sorted((*chosen.values(), own)))
    if len(rows) > FACTS_MAX:
        raise CannotExport(
            f"This decision rests on {len(rows)} facts, and a dossier holds at most {FACTS_MAX}. "
            "The loop's timeline tells it all the same. Find out what records so much in one loop, "
            "such as a program that asks for the gate again and again."
        )
    _check_of_one_loop(rows, loop.handle)
    return Chosen(decision, rows, tuple(group.facts(rows)))


def _decision(loop: Loop, position: int | None) -> At[Decided]:
    made: list[At[Decided]] = [At(one.position, one.fact) for one in loop.decisions]
    rejected: list[At[Decided]] = [
        At(one.position, one.fact) for one in loop.stage_decisions if one.fact.outcome == "reject"
    ]
    if position is not None:
        found = next((one for one in (*made, *rejected) if one.position == position), None)
        if found is None:
            raise Missing(
                "no decision of this loop stands at this position: a dossier is of one to hire or "
                "not to hire, or of a rejection at a stage"
            )
        return found
    if not made and not rejected:
        raise Missing(
            "nothing was decided in this loop yet, neither to hire or not to hire, nor to reject "
            "at a stage: there is no dossier of it"
        )
    in_force = loop.decision.position if loop.decision else 0
    return next((one for one in made if one.position == in_force), (made or rejected)[-1])


def _rows(group: Group, basis: Basis) -> list[Row]:
    return [row for row in group.select(basis.items) if row.position <= basis.upto]


def _check(at: int, basis: Basis, chosen: Collection[Row]) -> None:
    """A file that no verifier would accept is not made: the log is not what it was."""
    mine = sorted(
        row
        for row in chosen
        if row.position <= basis.upto and any(i.matches(row.type, row.tags) for i in basis.items)
    )
    root = base64.b64encode(basis_root(row.leaf for row in mine)).decode()
    if (len(mine), root) != (basis.count, basis.root):
        raise LogDamaged(
            f"The fact at {at} rests on other facts than the log now has. Run `hireledger fsck`, "
            "which tells what was changed, and restore it from a backup."
        )


def _check_of_one_loop(rows: tuple[Row, ...], handle: str) -> None:
    mine = loop_tag(handle)
    for row in rows:
        if row.type == "subject-erased.v1":  # of all loops of one person
            continue
        if any(tag.startswith(loop_tag("")) and tag != mine for tag in row.tags):
            raise CannotExport(
                f"The fact at {row.position}, on which the decision rests, is of another loop too: "
                "a dossier would show one candidate's record to another. Report this."
            )


def published_over(ledger: Ledger, position: int) -> Published:
    """A published checkpoint with this position in it, with a timestamp where there is one.

    The stamped one is the earliest that has the decision: it says the most about when. It is taken
    only where whoever has today's keys and policy takes it, whichever of the keys they were given:
    one from before a key was changed or witnesses were asked is not. Raises `Unavailable` while
    nothing is published.
    """
    newest = ledger.publisher.checkpoint_at_least(position)
    publishing = ledger.publisher.publishing
    policy = publishing.policy
    wanted = policy.witnesses if policy is not None and policy.quorum is not None else ()
    by = Signers.of(publishing.keys.verifiers, [one.verifier for one in wanted])
    with ledger.reading() as group:
        (decision,) = group.at((position,))
        # A clock that ran ahead then: no verifier takes a token from before the decision.
        since = decision.fact.stamp.recorded - timedelta(seconds=CLOCK_SECONDS_MAX)
        for one in Timestamps(ledger.database.schema).covering(group.cur, position, by):
            if one.stamped >= since and publishing.still_stands(one.note):
                return Published(one.size, one.note, (one.token,))
    return Published(newest.size, newest.note)


def assemble(
    group: Group, chosen: Chosen, published: Published, rules: Catalogue, audience: Audience
) -> Dossier:
    """The file of what `choose` found, over a checkpoint that has the decision in it.

    Args:
        group: the log as it stands, at least as long as the checkpoint.
        chosen: the decision and its facts.
        published: the checkpoint.
        rules: the installed rules, for what the receipts name.
        audience: for whom.

    Raises:
        CannotExport: a rule that judged is not installed.
        LogDamaged: the tree is not that of the facts.
        VaultError: a value is not what was sealed.
    """
    proofs = group.store.nodes.inclusions(
        group.cur, [row.position - 1 for row in chosen.rows], published.size
    )
    return Dossier(
        format=FORMAT,
        loop=chosen.decision.fact.loop,
        decision=chosen.decision.position,
        checkpoint=published.note.decode(),
        facts=tuple(
            GivenFact(row.position, row.leaf.decode(), proofs[row.position - 1])
            for row in chosen.rows
        ),
        disclosures=_disclosures(group, chosen, audience),
        policies=_policies(chosen, rules),
        timestamps=published.timestamps,
    )


def _disclosures(group: Group, chosen: Chosen, audience: Audience) -> tuple[str, ...]:
    """In the order of the leaves, what is there and may be told; erased values are not there."""
    digests: list[str] = []
    known = {one.position: one.fact for one in chosen.facts}
    for row, one in zip(chosen.rows, chosen.facts, strict=True):
        by_reader = audience.person is not None and one.fact.stamp.by == audience.person
        about_staff = isinstance(one.fact, f.PersonRegistered)
        if about_staff and not (audience.knows_names or by_reader):
            continue
        for pointer, digest in places(row.leaf):
            kinds = kinds_of(one.fact, pointer, known.get)
            if not kinds or kinds & audience.withheld:
                continue
            if guarded(one.fact, pointer, known.get) <= audience.disclosed:
                digests.append(digest)
    found = group.store.vault.disclosures(group.cur, digests)
    return tuple(found[digest] for digest in dict.fromkeys(digests) if digest in found)


def _policies(chosen: Chosen, rules: Catalogue) -> tuple[GivenPolicy, ...]:
    """Every rule that the receipts name, as it is installed here."""
    named = {
        (receipt.policy, receipt.version)
        for one in chosen.facts
        if isinstance(one.fact, RestsOnABasis)
        for receipt in one.fact.judged.receipts
        if receipt.policy != LOOP_STATE
    }
    missing = sorted(named - rules.rules.keys())
    if missing:
        raise CannotExport(
            f"Rules that judged here are not installed: {missing}. Install the release that has "
            "them, then export again."
        )
    return tuple(
        GivenPolicy(
            id=id_,
            version=version,
            source_digest=rules.digests[(id_, version)],
            title=rules.rules[(id_, version)].title,
            rationale=rules.rules[(id_, version)].rationale,
        )
        for id_, version in sorted(named)
    )


def loop_of(group: Group, handle: str) -> Loop:
    """A loop with its evidence as it stands now; raises `Missing`."""
    found = fold(group.facts(group.select(loop_items(handle)))).loops.get(handle)
    if found is None:
        raise Missing("no such loop")
    return found
