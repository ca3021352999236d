"""What was seen: each rating with its evidence, who gave it, and how independent they were."""

from collections.abc import Iterator

from msgspec import Struct

from api.pages.telling.moments import Moment
from api.pages.telling.say_decision import witness
from api.pages.telling.teller import Said, Teller
from api.pages.telling.terms import (
    INDEPENDENCE,
    OBSERVED,
    READING,
    RELATION,
    RELATIONSHIP,
    listed,
    spaced,
)
from domain import facts as f
from domain.state import At

Form = f.FeedbackSubmitted | f.FeedbackAmended


class Observed(Struct, frozen=True, kw_only=True):
    """One behaviour of the scorecard and whether it was seen."""

    code: str
    text: str
    state: str


class RatingShown(Struct, frozen=True, kw_only=True):
    """What one person wrote about one competency."""

    position: int
    who: str
    session: str
    amends: int | None
    rating: str
    anchor: str
    said: tuple[Said, ...]
    observations: tuple[Observed, ...]


class SeenOf(Struct, frozen=True, kw_only=True):
    """All that was written about one competency."""

    name: str
    ratings: tuple[RatingShown, ...]


class FormRow(Struct, frozen=True, kw_only=True):
    """One form in the table of ratings: a cell for each competency of the scorecard."""

    position: int
    who: str
    session: str
    note: str
    cells: tuple[str, ...]


class Interviewer(Struct, frozen=True, kw_only=True):
    """One form's author: how independent they were, and whether they counted at the gate."""

    position: int
    who: str
    session: str
    when: Moment
    independence: str
    relationship: str
    counted: str


class Reference(Struct, frozen=True, kw_only=True):
    """What a referee said, by theme."""

    position: int
    relation: str
    said: tuple[Said, ...]


class Seen(Struct, frozen=True, kw_only=True):
    """The evidence of the loop."""

    competencies: tuple[str, ...]
    forms: tuple[FormRow, ...]
    by_competency: tuple[SeenOf, ...]
    interviewers: tuple[Interviewer, ...]
    references: tuple[Reference, ...]


def seen_of(t: Teller, gate: int | None) -> Seen:
    """The evidence; `gate` is the position of the gate that the decision rests on, if on any."""
    forms = [
        At(one.position, one.fact)
        for one in t.facts
        if isinstance(one.fact, f.FeedbackSubmitted | f.FeedbackAmended)
    ]
    names = _competencies(t, forms)
    return Seen(
        competencies=tuple(names.values()),
        forms=tuple(_row(form, t, names) for form in forms),
        by_competency=tuple(_of(slug, name, forms, t) for slug, name in names.items()),
        interviewers=tuple(_interviewers(forms, t, gate)),
        references=tuple(_reference(one, t) for one in t.of(f.ReferenceRecorded)),
    )


def _competencies(t: Teller, forms: list[At[Form]]) -> dict[str, str]:
    """The scorecard's competencies by slug, and whatever else was rated."""
    names = {c.id: c.name for c in t.card.fact.content.competencies} if t.card else {}
    for form in forms:
        for rated in form.fact.ratings:
            names.setdefault(rated.competency, spaced(rated.competency))
    return names


def _row(form: At[Form], t: Teller, names: dict[str, str]) -> FormRow:
    given = {rated.competency: rated for rated in form.fact.ratings}
    return FormRow(
        position=form.position,
        who=t.who(form.fact.author),
        session=spaced(form.fact.session),
        note=f"amends No. {form.fact.amends}" if isinstance(form.fact, f.FeedbackAmended) else "",
        cells=tuple(_cell(given.get(slug)) for slug in names),
    )


def _cell(rated: f.Rated | None) -> str:
    if rated is None:
        return "–"
    return "not observed" if rated.rating is None else str(rated.rating)


def _of(slug: str, name: str, forms: list[At[Form]], t: Teller) -> SeenOf:
    known = t.card.fact.content.competencies if t.card else ()
    competency = next((one for one in known if one.id == slug), None)
    ratings = [
        _rating(form, rated, competency, t)
        for form in forms
        for rated in form.fact.ratings
        if rated.competency == slug
    ]
    return SeenOf(name=name, ratings=tuple(ratings))


def _rating(
    form: At[Form], rated: f.Rated, competency: f.Competency | None, t: Teller
) -> RatingShown:
    fact = form.fact
    lang = fact.language if isinstance(fact, f.FeedbackSubmitted) else None
    said: list[Said] = []
    if rated.evidence is not None:
        said.append(t.said(f"Evidence ({rated.words} words)", rated.evidence, lang=lang))
    if rated.not_observed is not None:
        said.append(t.said("Why it was not observed", rated.not_observed, lang=lang))
    anchor = competency.anchors.get(str(rated.rating), "") if competency else ""
    return RatingShown(
        position=form.position,
        who=t.who(fact.author),
        session=spaced(fact.session),
        amends=fact.amends if isinstance(fact, f.FeedbackAmended) else None,
        rating=_cell(rated),
        anchor=anchor if rated.rating is not None else "",
        said=tuple(said),
        observations=tuple(_observed(one, competency) for one in rated.observations),
    )


def _observed(one: f.ObservationMade, competency: f.Competency | None) -> Observed:
    known = competency.observations if competency else ()
    meant = next((each for each in known if each.code == one.code), None)
    return Observed(
        code=one.code,
        text=f"{READING[meant.reading]}: {meant.text}" if meant else "not on this scorecard",
        state=OBSERVED[one.state],
    )


def _interviewers(forms: list[At[Form]], t: Teller, gate: int | None) -> Iterator[Interviewer]:
    judged = t.at(gate) if gate is not None else None
    unseen = (
        "a rejection at a stage rests on no gate" if gate is None else "the gate did not look at it"
    )
    witnesses = {one.person: one for one in _witnesses(judged)}
    known = {
        one.fact.person: RELATIONSHIP[one.fact.relationship]
        for one in t.of(f.RelationshipDisclosed)
    }
    for form in forms:
        if not isinstance(form.fact, f.FeedbackSubmitted):
            continue
        author = form.fact.author
        amended = [
            INDEPENDENCE[other.fact.independence]
            for other in forms
            if isinstance(other.fact, f.FeedbackAmended)
            and other.fact.amends == form.position
            and other.fact.independence != "blind"
        ]
        told = witnesses.get(author)
        yield Interviewer(
            position=form.position,
            who=t.who(author),
            session=spaced(form.fact.session),
            when=t.when(form.fact.stamp.at),
            independence=listed(
                list(dict.fromkeys([INDEPENDENCE[form.fact.independence], *amended]))
            ),
            relationship=known.get(author, "not disclosed"),
            counted=witness(told) if told else unseen,
        )


def _witnesses(gate: f.AnyFact | None) -> tuple[f.Witness, ...]:
    if isinstance(gate, f.EvidenceGatePassed | f.EvidenceGateRefused):
        return gate.witnesses
    return ()


def _reference(one: At[f.ReferenceRecorded], t: Teller) -> Reference:
    fact = one.fact
    return Reference(
        position=one.position,
        relation=RELATION[fact.relation],
        said=(
            *(t.said(f"On {t.competency(theme.competency)}", theme.text) for theme in fact.themes),
            *t.maybe("Under pressure in an incident", fact.incident_pressure),
            *t.maybe("As a mentor", fact.mentorship),
        ),
    )
