"""Sentences about what lies around a loop: its outcome, retrospectives, people, the outside."""

from typing import assert_never

from msgspec.structs import replace

from api.pages.telling.teller import Teller
from api.pages.telling.terms import (
    DIMENSION,
    KEPT,
    LAWFUL_BASIS,
    OBSERVED_FROM,
    OUTCOME,
    READ,
    ROLE,
    counted,
    listed,
    spaced,
)
from api.pages.telling.told import Told
from domain import facts as f
from ledger.personal.withholding import GUARDED, guarded

Retros = f.RetroOpened | f.FindingRecorded | f.RetroClosed
Changes = f.RubricChangeProposed | f.RubricChangeAdopted | f.RubricChangeRejected


def say_afterwards(fact: f.AfterwardsFact, t: Teller) -> Told:
    """How a decision turned out and what was learnt from it, in plain words."""
    by = t.by(fact.stamp)
    match fact:
        case f.OutcomeRecorded():
            return _outcome(fact, t)
        case f.RetroOpened() | f.FindingRecorded() | f.RetroClosed():
            return _retro(fact, t)
        case f.RubricChangeProposed() | f.RubricChangeAdopted() | f.RubricChangeRejected():
            return _change(fact, by)
        case f.PeerComparisonRecorded():
            return Told(
                sentence=f"{by} looked how peers describe similar work, for the scorecard"
                f" “{spaced(fact.scorecard)}”.",
                points=(f"Asked: {fact.query}", f"Digest of the results: {fact.results_digest}"),
            )
        case f.FairnessReportRecorded():
            return Told(
                sentence=f"{by} recorded the fairness report “{spaced(fact.report)}” over the log"
                f" up to No. {fact.position}.",
                points=(f"Digest of the report: {fact.content_digest}",),
            )
        case _:
            assert_never(fact)


def _outcome(fact: f.OutcomeRecorded, t: Teller) -> Told:
    saw = "had" if fact.rater_saw_scores else "had not"
    of = fact.coverage
    coverage = (f"This is known of {of.known} of {of.of} looked up.",) if of else ()
    return Told(
        sentence=f"{t.by(fact.stamp)} recorded how it turned out after"
        f" {counted(fact.horizon_months, 'month')}: {DIMENSION[fact.dimension]},"
        f" {OUTCOME[fact.value]}. Known from {OBSERVED_FROM[fact.observed_from]}, on the legal"
        f" basis of {LAWFUL_BASIS[fact.lawful_basis]}; whoever judged it {saw} seen the ratings.",
        points=coverage,
    )


def _retro(fact: Retros, t: Teller) -> Told:
    named = f"the retrospective “{spaced(fact.retro)}”"
    match fact:
        case f.RetroOpened():
            return Told(sentence=f"{t.by(fact.stamp)} began {named} of {fact.quarter}.")
        case f.FindingRecorded():
            kind = {
                "false_positive": "someone hired who should not have been",
                "false_negative": "someone turned down who should not have been",
                "other": "something else",
            }[fact.kind]
            return Told(
                sentence=f"{named} found {kind}, over {counted(fact.n, 'loop')} with a base rate"
                f" of {fact.base_rate:g}.",
                said=(t.said("Finding", fact.text),),
            )
        case f.RetroClosed():
            return Told(
                sentence=f"{t.by(fact.stamp)} closed {named}.",
                said=(
                    t.said("Hired in error", fact.false_positives),
                    t.said("Turned down in error", fact.false_negatives),
                ),
            )
        case _:
            assert_never(fact)


def _change(fact: Changes, by: str) -> Told:
    named = f"the change “{spaced(fact.change)}” to the scorecard “{spaced(fact.scorecard)}”"
    match fact:
        case f.RubricChangeProposed():
            sentence = f"{by} proposed {named}."
            return Told(sentence=sentence, points=(fact.text,), cites=fact.findings)
        case f.RubricChangeAdopted():
            return Told(sentence=f"{by} adopted {named} as version {fact.version}.")
        case f.RubricChangeRejected():
            return Told(sentence=f"{by} turned down {named}.", points=(fact.reason,))
        case _:
            assert_never(fact)


def say_people(fact: f.PeopleFact, t: Teller) -> Told:
    """Staff, what candidates said of themselves, holds and erasure, in plain words."""
    by = t.by(fact.stamp)
    match fact:
        case f.PersonRegistered():
            roles = listed([ROLE[role] for role in fact.roles]) or "nothing"
            name = fact.name
            return Told(
                sentence=f"{by} registered {t.who(fact.person)} as {roles}.",
                said=(t.said("Name", name),) if name else (),
            )
        case f.SelfIdentificationRecorded():
            return Told(
                sentence="A candidate told the company who they are. What they said is only ever"
                " counted, and stands in no dossier."
            )
        case f.HoldPlaced():
            covered = counted(len(fact.candidates), "candidate")
            return Told(
                sentence=f"{by} placed the legal hold “{spaced(fact.hold)}” over {covered} and"
                f" {counted(len(fact.requisitions), 'requisition')}: nothing about them may be"
                " erased.",
                said=(t.said("Matter", fact.matter),),
            )
        case f.HoldReleased():
            return Told(
                sentence=f"{by} released the legal hold “{spaced(fact.hold)}”.",
                said=(t.said("Reason", fact.reason),),
            )
        case f.SubjectErased():
            return Told(
                sentence="The words about a candidate were erased: their key and values were"
                " destroyed. What was recorded stays provable without them.",
                said=(t.said("Legal basis", fact.legal_basis),),
                weight="exception",
            )
        case _:
            assert_never(fact)


def say_outside(fact: f.OutsideFact, t: Teller) -> Told:
    """What came from other systems, who read, corrections and keys, in plain words."""
    by = t.by(fact.stamp)
    match fact:
        case f.RecordImported():
            return Told(
                sentence=f"From {spaced(fact.system)} (log {spaced(fact.log)}, entry"
                f" {fact.place}) the event “{fact.activity}” was copied, which that system says"
                f" happened {t.when(fact.claimed_at).local}.",
                said=(
                    *((t.said("Done by", fact.resource),) if fact.resource else ()),
                    *(t.said(spaced(one.name), one.value) for one in fact.attributes),
                ),
            )
        case f.ExternalEditDetected() | f.ExternalDeletionDetected():
            done = "changed" if isinstance(fact, f.ExternalEditDetected) else "deleted"
            return Told(
                sentence=f"What had been copied as No. {fact.of} was found {done} at its source.",
                cites=(fact.of,),
                weight="refusal",
            )
        case f.RecordViewed():
            viewer = t.who(fact.viewer) if fact.viewer else "a service"
            span = f", No. {fact.first} to {fact.last}" if fact.first and fact.last else ""
            return Told(sentence=f"{viewer} read {READ[fact.what]}{span}.")
        case f.FactCorrected():
            return Told(
                sentence=f"{by} noted what a reader of No. {fact.of} must know; that fact stays.",
                said=(replace(t.said("Correction", fact.text), kept=_kept(fact, t)),),
                cites=(fact.of,),
                weight="key",
            )
        case f.KeyIssued():
            holder = t.who(fact.person) if fact.person else f"the service “{fact.service}”"
            return Told(sentence=f"{by} issued an access key to {holder}.")
        case f.KeyRevoked():
            return Told(sentence=f"{by} revoked an access key.")
        case _:
            assert_never(fact)


def _kept(fact: f.FactCorrected, t: Teller) -> str | None:
    """Why a correction is kept back: as whatever it corrects is, whichever reason it is about."""
    kinds = guarded(fact, "/text", t.at)
    return " ".join(KEPT[kind] for kind in GUARDED if kind in kinds) or None
