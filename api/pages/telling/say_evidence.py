"""Sentences about evidence: what happened in sessions and who wrote what about it."""

from typing import assert_never

from msgspec.structs import replace

from api.pages.telling.say_rubric import refs
from api.pages.telling.teller import Said, Teller
from api.pages.telling.terms import (
    DECISION,
    INDEPENDENCE,
    KEPT,
    REASON,
    RELATION,
    counted,
    listed,
    spaced,
)
from api.pages.telling.told import Told
from domain import facts as f

Sessions = f.SessionCompleted | f.SessionCancelled | f.InterviewerReplaced | f.CandidateNoShow
TakeHomes = f.TakeHomeAssigned | f.TakeHomeReceived | f.TakeHomeAnonymised
Stages = f.StageDecided | f.StageDecisionRefused


def say_evidence(fact: f.EvidenceFact, t: Teller) -> Told:
    """A fact of the evidence in plain words."""
    match fact:
        case (
            f.SessionCompleted()
            | f.SessionCancelled()
            | f.InterviewerReplaced()
            | f.CandidateNoShow()
        ):
            return _session(fact, t)
        case f.TakeHomeAssigned() | f.TakeHomeReceived() | f.TakeHomeAnonymised():
            return _take_home(fact, t)
        case f.FeedbackSubmitted():
            return _feedback(fact, t)
        case f.FeedbackAmended():
            return Told(
                sentence=f"{t.who(fact.author)} amended their feedback No. {fact.amends} on the"
                f" session “{spaced(fact.session)}”: {_ratings(fact.ratings, t)}. It was"
                f" {INDEPENDENCE[fact.independence]}. The original stays.",
                said=(t.said("Reason", fact.reason),),
                cites=(fact.amends,),
                findings=fact.findings,
            )
        case f.FeedbackViewed():
            return Told(sentence=f"{t.who(fact.viewer)} read feedback.", cites=fact.viewed)
        case f.ReferenceRecorded():
            return Told(
                sentence=f"{t.by(fact.stamp)} recorded a reference by {RELATION[fact.relation]}"
                f" on {counted(len(fact.themes), 'theme')}. A reference corroborates; it does not"
                " count as evidence of its own."
            )
        case f.StageDecided() | f.StageDecisionRefused():
            return _stage(fact, t)
        case _:
            assert_never(fact)


def _session(fact: Sessions, t: Teller) -> Told:
    session = f"“{spaced(fact.session)}”"
    match fact:
        case f.SessionCompleted():
            return Told(
                sentence=f"The session {session} took place,"
                f" {t.span(fact.started_at, fact.ended_at)}, with {t.all_of(fact.attendees)} and"
                f" {refs(fact.prompts)}.",
                points=_probes(fact),
                said=tuple(
                    t.said(f"Why {probe.id} was skipped", probe.skipped_because)
                    for probe in fact.probes
                    if probe.skipped_because is not None
                ),
            )
        case f.SessionCancelled():
            return Told(
                sentence=f"{t.by(fact.stamp)} called off the session {session}.",
                said=(t.said("Reason", fact.reason),),
            )
        case f.InterviewerReplaced():
            return Told(
                sentence=f"{t.who(fact.replacement)} took the place of {t.who(fact.replaced)} in"
                f" the session {session}.",
                said=(t.said("Reason", fact.reason),),
            )
        case f.CandidateNoShow():
            return Told(
                sentence=f"The session {session} did not take place: the {fact.who} did not come."
            )
        case _:
            assert_never(fact)


def _probes(fact: f.SessionCompleted) -> tuple[str, ...]:
    asked = [probe.id for probe in fact.probes if probe.asked]
    skipped = [probe.id for probe in fact.probes if not probe.asked]
    lines = [f"Questions of the scorecard that were asked: {listed(asked)}"] if asked else []
    return tuple([*lines, f"Questions skipped: {listed(skipped)}"] if skipped else lines)


def _take_home(fact: TakeHomes, t: Teller) -> Told:
    task = f"the take-home task “{spaced(fact.session)}”"
    match fact:
        case f.TakeHomeAssigned():
            adjusted = ", adjusted for this candidate for a reason that is not kept"
            return Told(
                sentence=f"The candidate was given {task}, with {fact.minutes} minutes to spend"
                f"{adjusted if fact.adjusted else ''}, due {t.when(fact.due).local}."
            )
        case f.TakeHomeReceived():
            return Told(
                sentence=f"The candidate handed in {task}.",
                points=(f"Digest of what was handed in: {fact.content_digest}",),
            )
        case f.TakeHomeAnonymised():
            digest = fact.content_digest
            return Told(
                sentence=f"What was handed in for {task} was stripped of who wrote it."
                if fact.feasible
                else f"What was handed in for {task} could not be stripped of who wrote it.",
                points=(f"Digest of what was then reviewed: {digest}",) if digest else (),
                said=(*t.maybe("How", fact.method), *t.maybe("Why not", fact.reason)),
            )
        case _:
            assert_never(fact)


def _feedback(fact: f.FeedbackSubmitted, t: Teller) -> Told:
    advice = f" Its author would decide {DECISION[fact.recommend]}." if fact.recommend else ""
    return Told(
        sentence=f"{t.who(fact.author)} submitted feedback on the session"
        f" “{spaced(fact.session)}”: {_ratings(fact.ratings, t)}. It was"
        f" {INDEPENDENCE[fact.independence]}.{advice}",
        points=(
            *(f"Tool used: {one.name} {one.version}, for {one.use}" for one in fact.tools),
            *(f"Attached: {one.media_type}, digest {one.digest}" for one in fact.attachments),
        ),
        said=t.maybe("Summary", fact.summary),
        findings=fact.findings,
    )


def _ratings(ratings: tuple[f.Rated, ...], t: Teller) -> str:
    return listed(
        [
            f"{t.competency(one.competency)}"
            f" {'not observed' if one.rating is None else f'rated {one.rating}'}"
            for one in ratings
        ]
    )


def _stage(fact: Stages, t: Teller) -> Told:
    what = "advance" if fact.outcome == "advance" else "reject"
    who, stage = t.by(fact.stamp), f"“{spaced(fact.stage)}”"
    refused = isinstance(fact, f.StageDecisionRefused)
    sentence = (
        f"{who} tried to {what} the candidate at the stage {stage}, and the rules refused it."
        if refused
        else f"{who} {what}{'d' if what == 'advance' else 'ed'} the candidate at the stage {stage}."
    )
    return Told(
        sentence=sentence,
        said=reasons(fact.reasons, t),
        cites=fact.cites,
        findings=fact.judged.findings,
        weight="refusal" if refused else "key",
    )


def reasons(given: tuple[f.Reason, ...], t: Teller) -> tuple[Said, ...]:
    """Reasons as labelled values: what each refers to, and its words."""
    return tuple(
        replace(t.said(f"Reason: {reason(one, t)}", one.text), kept=KEPT.get(one.kind))
        for one in given
    )


def reason(one: f.Reason, t: Teller) -> str:
    """What a reason refers to: `a competency of the scorecard, “Documents failure modes”`."""
    if one.ref is None:
        return REASON[one.kind]
    named = t.competency(one.ref) if one.kind == "competency" else f"“{spaced(one.ref)}”"
    return f"{REASON[one.kind]}, {named}"
