"""What a fact holds beside its sentence: the page of a dossier tells it in sections of its own.

Whoever tells a fact by itself, as the record of a person does, adds these lines to it.
"""

from collections.abc import Iterator

from api.pages.telling.teller import Teller
from api.pages.telling.terms import OBSERVED, READING, counted, spaced
from api.pages.telling.told import opened_with_capital
from domain import facts as f
from domain.findings import Finding, Judged, Receipt

Form = f.FeedbackSubmitted | f.FeedbackAmended


def also(fact: f.AnyFact, t: Teller) -> tuple[str, ...]:
    """What the sentence and its points leave out, in lines: nothing of it is a personal value."""
    return tuple(opened_with_capital(line) for line in (*_of(fact, t), *_copied(fact.stamp.source)))


def receipts_of(fact: f.AnyFact) -> tuple[Receipt, ...]:
    """Every rule that judged what the fact says, and what it found."""
    judged = getattr(fact, "judged", None)
    return judged.receipts if isinstance(judged, Judged) else ()


def found_on_arrival(fact: f.AnyFact) -> tuple[Finding, ...]:
    """What rules found in the words of a report, which only then they read."""
    findings: tuple[Finding, ...] = getattr(fact, "findings", ())
    return findings if isinstance(fact, Form | f.DebriefStatementRecorded) else ()


def _of(fact: f.AnyFact, t: Teller) -> Iterator[str]:
    match fact:
        case f.SessionCompleted():
            yield f"Stage: {spaced(fact.stage)}"
        case f.FeedbackSubmitted() | f.FeedbackAmended():
            yield from _written(fact, t)
        case f.DebriefStatementRecorded():
            yield f"Length: {counted(fact.words, 'word')}"
        case _:
            pass


def _written(fact: Form, t: Teller) -> Iterator[str]:
    """By competency: how much was written, and what of the scorecard was seen or not."""
    for one in fact.ratings:
        named = t.competency(one.competency)
        if one.evidence is not None or one.words:
            yield f"{named}: {counted(one.words, 'word')} of evidence"
        for observed in one.observations:
            yield f"{named}: {_observed(observed, one.competency, t)}"
    if isinstance(fact, f.FeedbackSubmitted) and fact.language is not None:
        yield f"Language: {fact.language}"


def _observed(one: f.ObservationMade, competency: str, t: Teller) -> str:
    meant = t.observation(competency, one.code)
    what = f"{READING[meant.reading]} “{meant.text}”" if meant else "not on this scorecard"
    return f"{one.code} ({what}): {OBSERVED[one.state]}"


def _copied(source: f.Source | None) -> Iterator[str]:
    if source is not None:
        revision = f", revision {source.revision}" if source.revision else ""
        yield (
            f"Copied from {spaced(source.system)} ({spaced(source.object)}{revision}); of its id"
            " there only a keyed digest is kept"
        )
