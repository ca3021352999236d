"""A dossier as a page: what it proves, told in order for a judge who knows no software.

The page is made from the file alone, after the file was verified: what it tells is what the file
proves. Of a file that does not verify it tells that, and nothing else. Nothing here reads a clock
or a store, so that the same dossier gives the same page.
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct

from api.pages.dossier.answer import answer, key_facts
from api.pages.dossier.checks import Checks, Signed, checks_of, signed_of
from api.pages.dossier.evidence import Seen, seen_of
from api.pages.dossier.rubric import Rubric, rubric_of
from api.pages.dossier.rules import (
    ExceptionShown,
    FoundRow,
    RuleRow,
    Worded,
    Wordings,
    exceptions_of,
    found_in,
    found_on_arrival,
    rules_of,
)
from api.pages.telling.moments import Moment, moment
from api.pages.telling.say_evidence import reasons
from api.pages.telling.sentences import tell
from api.pages.telling.teller import CANDIDATE, Person, Said, Teller
from api.pages.telling.terms import ASSURANCE, counted, spaced
from api.pages.telling.told import Told, opened_with_capital
from domain import facts as f
from domain.codec import Recorded, decode
from domain.state import At
from domain.values import SYSTEM
from ledger.proof.checked import Decided
from ledger.proof.disclosure import digest_of, places, read_disclosure
from ledger.proof.dossier import Dossier, decode_dossier
from ledger.proof.verdict import Verdict
from policies import Catalogue

LATE: Final = timedelta(hours=1)
"""A fact recorded later than this after it is said to have happened says so on the page."""


class Entry(Struct, frozen=True, kw_only=True):
    """One fact in the timeline: its number in the log, when, who says so, and what it says."""

    position: int
    when: Moment
    recorded: Moment | None
    told: Told
    how: str


class Chapter(Struct, frozen=True, kw_only=True):
    """A part of the timeline."""

    title: str
    entries: tuple[Entry, ...]


class Dissent(Struct, frozen=True, kw_only=True):
    """Someone's disagreement, and who answered it."""

    position: int
    who: str
    when: Moment
    said: tuple[Said, ...]
    cites: tuple[int, ...]
    answers: tuple[tuple[int, str, tuple[Said, ...]], ...]


class Story(Struct, frozen=True, kw_only=True):
    """What a verified dossier tells."""

    zone: str
    answer: tuple[str, ...]
    key_facts: tuple[tuple[str, str], ...]
    people: tuple[Person, ...]
    chapters: tuple[Chapter, ...]
    rubric: Rubric
    seen: Seen
    dissents: tuple[Dissent, ...]
    debate: str
    exceptions: tuple[ExceptionShown, ...]
    found: tuple[FoundRow, ...]
    rules: tuple[RuleRow, ...]
    as_recorded: tuple[int, ...]
    reasons: tuple[Said, ...]
    cites: tuple[int, ...]
    unsaid: tuple[str, ...]
    basis_root: str
    signed: Signed


class Page(Struct, frozen=True, kw_only=True):
    """The page; `story` is None where the file does not verify."""

    title: str
    running_head: str
    checks: Checks
    printed: Moment | None
    story: Story | None


def page_of(
    raw: bytes,
    verdict: Verdict,
    rules: Catalogue,
    printed: datetime | None = None,
    erased: Collection[str] = (),
) -> Page:
    """The page of a dossier file.

    Args:
        raw: the file.
        verdict: over exactly these bytes.
        rules: as installed: the same that the verdict was found with.
        printed: the time that the page says it was made at; without it the page names none.
        erased: digests of values that the ledger no longer has. A file cannot tell them from
            those that were withheld; who exports it can.
    """
    checks = checks_of(raw, verdict)
    if not checks.holds:
        return Page(
            title="A dossier that does not verify",
            running_head="This file does not verify",
            checks=checks,
            printed=moment(printed, UTC) if printed else None,
            story=None,
        )
    dossier = decode_dossier(raw)
    t = teller_of(dossier, erased)
    made = next(
        At(one.position, one.fact)
        for one in t.facts
        if one.position == dossier.decision and isinstance(one.fact, Decided)
    )
    rejected = isinstance(made.fact, f.StageDecided)
    return Page(
        title="How a hiring decision was made"
        + (f": {t.candidate}" if t.candidate != CANDIDATE else ""),
        running_head=f"Loop {dossier.loop}, {'rejection' if rejected else 'decision'}"
        f" No. {dossier.decision}",
        checks=checks,
        printed=moment(printed, t.zone) if printed else None,
        story=_story(dossier, t, made, rules, verdict.as_recorded),
    )


def teller_of(dossier: Dossier, erased: Collection[str] = ()) -> Teller:
    """The facts of a dossier that verified, and the words that it discloses."""
    facts = [Recorded(one.position, decode(one.leaf.encode())) for one in dossier.facts]
    words = {digest_of(one): read_disclosure(one).value for one in dossier.disclosures}
    return Teller(facts, dossier.loop, words, erased)


def _story(
    dossier: Dossier,
    t: Teller,
    made: At[Decided],
    rules: Catalogue,
    unjudged: tuple[int, ...],
) -> Story:
    # The words of the rules are the installed ones: the file's are held to them by the replay,
    # and it has none for the rules that judged the opening and the plan.
    wordings: Wordings = {
        key: Worded(
            title=rule.title,
            rationale=rule.rationale,
            source_digest=rules.digests[key],
            meanings={name: param.meaning for name, param in rule.params.items()},
        )
        for key, rule in rules.rules.items()
    }
    return Story(
        zone=t.requisition.time_zone if t.requisition else "UTC",
        answer=answer(t, made),
        key_facts=tuple(key_facts(t, made)),
        people=tuple(t.people.values()),
        chapters=tuple(_chapters(t, made.position)),
        rubric=rubric_of(t),
        seen=seen_of(t, made.fact.gate if isinstance(made.fact, f.DecisionMade) else None),
        dissents=tuple(_dissents(t)),
        debate=_debate(t),
        exceptions=exceptions_of(t, made.position, wordings),
        found=found_in(t, made.position, wordings),
        rules=rules_of(t, made.position, wordings),
        as_recorded=tuple(sorted({*unjudged, *found_on_arrival(t)})),
        reasons=reasons(made.fact.reasons, t),
        cites=made.fact.cites,
        unsaid=tuple(_unsaid(dossier, t)),
        basis_root=made.fact.basis.root,
        signed=signed_of(dossier.checkpoint),
    )


# ---------------------------------------------------------------- the timeline


def _chapters(t: Teller, decision: int) -> Iterator[Chapter]:
    opened = t.opened.position if t.opened else 0
    bounds = (
        ("Before the loop: people, position, scorecard and rules", 0, opened - 1),
        ("The loop, from its opening to the decision", opened, decision),
        ("After the decision", decision + 1, t.facts[-1].position),
    )
    for title, first, last in bounds:
        entries = tuple(entry(one, t) for one in t.facts if first <= one.position <= last)
        if entries:
            yield Chapter(title=title, entries=entries)


def entry(one: Recorded, t: Teller) -> Entry:
    """A fact for the timeline."""
    stamp = one.fact.stamp
    late = abs(stamp.recorded - stamp.at) > LATE
    source = stamp.source
    revision = f", revision {source.revision}" if source and source.revision else ""
    copied = (
        f"; copied from {spaced(source.system)} ({spaced(source.object)}{revision})"
        if source
        else ""
    )
    how = "acting as itself" if stamp.by == SYSTEM else ASSURANCE[stamp.assurance]
    return Entry(
        position=one.position,
        when=t.when(stamp.at),
        recorded=t.when(stamp.recorded) if late else None,
        told=tell(one.fact, t),
        how=f"{t.by(stamp)}, {how}{copied}",
    )


# ---------------------------------------------------------------- dissent


def _dissents(t: Teller) -> Iterator[Dissent]:
    for one in t.of(f.DissentRecorded):
        answers = tuple(
            (
                other.position,
                opened_with_capital(t.who(other.fact.author)),
                (t.said("Answer", other.fact.text),),
            )
            for other in t.of(f.DebriefStatementRecorded)
            if one.position in other.fact.cites and other.fact.author != one.fact.author
        )
        yield Dissent(
            position=one.position,
            who=opened_with_capital(t.who(one.fact.author)),
            when=t.when(one.fact.stamp.at),
            said=(t.said("Dissent", one.fact.text),),
            cites=one.fact.cites,
            answers=answers,
        )


def _debate(t: Teller) -> str:
    """How the debate ended, for whoever asks whether anyone was asked."""
    closed = t.of(f.DebriefClosed)
    if not t.of(f.DebriefOpened):
        return "No debate of the panel is recorded."
    if not closed:
        return "A debate was opened; that it ended, and whether anyone dissented, is not recorded."
    outcome = "with" if closed[-1].fact.dissent == "recorded" else "without"
    return f"The debate was closed (No. {closed[-1].position}) {outcome} dissent."


# ---------------------------------------------------------------- what is not said


def _unsaid(dossier: Dossier, t: Teller) -> Iterator[str]:
    yield (
        f"Nothing after No. {dossier.decision} of the log: what happened later, such as an offer,"
        " a reversal or an outcome, is not in this file."
    )
    yield (
        "Nothing about other candidates, and nothing that the decision did not rest on, such as who"
        " read the record without interviewing: that is in the log but not in this file. What the"
        " rules refused in this loop before, what was corrected, and what interviewers had read"
        " before they wrote, is told above."
    )
    yield _missing(dossier, t)
    yield (
        "Whether what people wrote is true. The file proves who recorded which words, when, in"
        " which order, and that none of them was changed or left out since."
    )
    yield (
        "Who sat at the keyboard. Each fact says how the record knew the person: by a key of their"
        " own, by the company's sign-on, or by the word of a connected service."
    )
    yield (
        "Whether the company shows everyone the same log. Witnesses who countersign it stand for"
        " that; the second of the ten steps says whether any were asked for."
    )
    yield (
        "When something happened is what the person or system that recorded it claimed; when it"
        " was recorded is the ledger's own clock."
    )


def _missing(dossier: Dossier, t: Teller) -> str:
    sealed = [place.digest for one in dossier.facts for place in places(one.leaf.encode())]
    absent = [digest for digest in sealed if digest not in t.words]
    if not absent:
        return f"No personal value is withheld: all {len(sealed)} are shown."
    erased = sum(digest in t.erased for digest in absent)
    why = (
        f"{erased} of them had been erased when the page was made; whoever made the file withheld"
        " the others."
        if t.erased
        else "Whoever made the file withheld them, or they had been erased before."
    )
    return (
        f"The words of {counted(len(absent), 'personal value')} out of {len(sealed)}. {why} That"
        " they were recorded, and when, is proven all the same."
    )
