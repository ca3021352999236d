"""The rubric as the page shows it: the position, the scorecard, the posting and the prompts."""

from collections.abc import Iterator

from msgspec import Struct

from api.pages.telling.moments import Moment
from api.pages.telling.say_rubric import ref
from api.pages.telling.teller import Teller
from api.pages.telling.terms import BUCKET, CAPACITY, PROMPT, READING, counted, listed, spaced
from domain import facts as f

Pair = tuple[str, str]


class CompetencyShown(Struct, frozen=True, kw_only=True):
    """One competency: its weight, what each rating means, what to ask and to look for."""

    name: str
    about: str
    anchors: tuple[Pair, ...]
    probes: tuple[Pair, ...]
    observations: tuple[Pair, ...]


class Approval(Struct, frozen=True, kw_only=True):
    """Who approved the scorecard, in which capacity, and whether it was exactly this text."""

    position: int
    who: str
    capacity: str
    when: Moment
    same_text: bool


class PromptShown(Struct, frozen=True, kw_only=True):
    """A prompt that the loop planned or gave, with the constraints stated with it."""

    position: int
    name: str
    kind: str
    text: str
    constraints: tuple[Pair, ...]


class Rubric(Struct, frozen=True, kw_only=True):
    """All that a candidate of this loop is judged by, as it was pinned."""

    position: tuple[Pair, ...]
    card: str
    card_facts: tuple[Pair, ...]
    competencies: tuple[CompetencyShown, ...]
    approvals: tuple[Approval, ...]
    posting: str
    expectations: tuple[Pair, ...]
    knock_outs: tuple[str, ...]
    prompts: tuple[PromptShown, ...]


def rubric_of(t: Teller) -> Rubric:
    """The rubric that the told loop pinned."""
    posting = pinned_posting(t)
    content = posting.content if posting else None
    return Rubric(
        position=tuple(_requisition(t)),
        card=f"“{t.card.fact.content.title}”, version {t.card.fact.version}" if t.card else "",
        card_facts=tuple(_card(t)),
        competencies=tuple(_competencies(t)),
        approvals=tuple(_approvals(t)),
        posting=f"“{content.title}”, version {posting.version}" if content and posting else "",
        expectations=tuple((t.competency(e.competency), e.text) for e in content.expectations)
        if content
        else (),
        knock_outs=tuple(one.text for one in content.knock_outs) if content else (),
        prompts=tuple(_prompts(t)),
    )


def pinned_posting(t: Teller) -> f.PostingVersioned | None:
    """The public listing that the loop pinned."""
    pinned = t.opened.fact.posting if t.opened else None
    for one in t.of(f.PostingVersioned):
        if pinned and (one.fact.posting, one.fact.version) == (pinned.id, pinned.version):
            return one.fact
    return None


def _requisition(t: Teller) -> Iterator[Pair]:
    content = t.requisition
    if content is None:
        return
    yield "Position", content.title
    if content.legal_entity:
        yield "Employer", content.legal_entity
    yield "Under the law of", ", ".join(content.jurisdictions)
    yield "Time zone", content.time_zone
    yield "Openings", str(content.openings)
    yield "Hiring manager", t.who(content.team.hiring_manager)
    yield "Tech lead", t.who(content.team.tech_lead)
    partner = content.team.partner
    yield f"Partner for {spaced(partner.function)}", t.who(partner.person)
    yield "Decision maker", t.who(content.team.decision_maker)


def _card(t: Teller) -> Iterator[Pair]:
    if t.card is None:
        return
    fact, content = t.card.fact, t.card.fact.content
    yield (
        "Role family",
        {"llm": "language models", "ml": "machine learning", "other": "other"}[content.role_family],
    )
    yield "Seniority", content.seniority
    yield "Rated from", f"{content.scale.min} to {content.scale.max}"
    yield "Written by", f"{t.by(fact.stamp)}, {t.when(fact.stamp.at).local}"
    if fact.derived_from:
        yield "Derived from", ref(fact.derived_from)
    yield "Digest of the text", fact.content_digest


def _competencies(t: Teller) -> Iterator[CompetencyShown]:
    if t.card is None:
        return
    content = t.card.fact.content
    total = sum(one.weight for one in content.competencies)
    for one in content.competencies:
        buckets = listed([BUCKET[bucket] for bucket in one.buckets])
        share = f" ({one.weight / total:.0%} of all)" if total else ""
        inclusive = " It asks for inclusive behaviour." if one.inclusive else ""
        yield CompetencyShown(
            name=one.name,
            about=f"Weight {one.weight:g}{share}. It is about {buckets}.{inclusive}",
            anchors=tuple(sorted(one.anchors.items(), key=lambda anchor: int(anchor[0]))),
            probes=tuple((probe.id, probe.text) for probe in one.probes),
            observations=tuple(
                (seen.code, f"{READING[seen.reading]}: {seen.text}") for seen in one.observations
            ),
        )


def _approvals(t: Teller) -> Iterator[Approval]:
    if t.card is None or t.opened is None:
        return
    card = t.card.fact
    for one in t.of(f.ScorecardApproved):
        fact = one.fact
        if (fact.scorecard, fact.version) != (card.scorecard, card.version):
            continue
        if fact.requisition != t.opened.fact.requisition:
            continue
        yield Approval(
            position=one.position,
            who=t.by(fact.stamp),
            capacity=CAPACITY[fact.capacity],
            when=t.when(fact.stamp.at),
            same_text=fact.content_digest == card.content_digest,
        )


def _prompts(t: Teller) -> Iterator[PromptShown]:
    used = used_prompts(t)
    for one in t.of(f.PromptVersioned):
        if (one.fact.prompt, one.fact.version) in used:
            content = one.fact.content
            yield PromptShown(
                position=one.position,
                name=f"“{spaced(one.fact.prompt)}”, version {one.fact.version}",
                kind=f"{PROMPT[content.kind]} for {t.competency(content.competency)}",
                text=content.text,
                constraints=tuple(_constraints(content)),
            )


def used_prompts(t: Teller) -> set[tuple[str, int]]:
    """Prompts that were planned or given, by id and version."""
    return {(one.id, one.version) for fact in t.facts for one in _prompts_in(fact.fact)}


def _prompts_in(fact: f.AnyFact) -> tuple[f.Ref, ...]:
    match fact:
        case f.LoopPlanned(sessions=sessions):
            return tuple(ref for session in sessions for ref in session.prompts)
        case f.SessionCompleted(prompts=prompts):
            return prompts
        case _:
            return ()


def _constraints(content: f.PromptContent) -> Iterator[Pair]:
    for label, text in (
        ("Latency", content.latency),
        ("Budget", content.budget),
        ("Privacy", content.privacy),
        ("What fails", content.failure_mode),
    ):
        if text is not None:
            yield label, text
    for label, cost in (
        ("Cost of a false alarm", content.cost_false_positive),
        ("Cost of a miss", content.cost_false_negative),
    ):
        if cost is not None:
            yield label, f"{cost:g}"
    if content.scope == "open":
        guided = counted(content.guidance_minutes or 0, "minute")
        yield "Scope", f"open, with {guided} of guidance"
    if content.interfaces:
        yield "Interfaces", listed(list(content.interfaces))
    if content.vendor_followup_minutes:
        yield "On adapting to other vendors", counted(content.vendor_followup_minutes, "minute")
    if content.equivalent_to:
        yield "Counts as equivalent to", ref(content.equivalent_to)
