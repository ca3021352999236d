"""Who counts as an independent interviewer with written evidence.

People count, not forms. A form counts when its author wrote it before reading anyone else's, never
amended it after reading, and rated at least one competency with evidence of their own; its author
counts when one of their forms does and no disclosed relationship stands against it. What was read
before writing is frozen in the feedback, so views need not be read again. References corroborate
and never count.
"""

from domain import facts as f
from domain.case import Case
from domain.state import At, Loop
from policies._policy import whole, words

# Parameters of other rules that every verdict on independence rests on.
USES = ("every-competency-evidenced.words_min", "relationships-disclosed.disqualifying")

READ_FIRST = "read-before-writing"
AMENDED_AFTER_READING = "amended-after-reading"
NO_EVIDENCE = "no-written-evidence"
REFERENCE = "reference-only"
RELATIONSHIP = "disqualifying-relationship"
WHY_NOT = {
    READ_FIRST: "read others' feedback before writing",
    AMENDED_AFTER_READING: "amended feedback after reading others'",
    NO_EVIDENCE: "rated nothing with enough written evidence",
    REFERENCE: "wrote down a reference, which only corroborates",
    RELATIONSHIP: "disclosed a disqualifying relationship",
}

Written = At[f.FeedbackSubmitted]


def witnesses(case: Case) -> tuple[f.Witness, ...]:
    """Everyone who wrote feedback in the loop, in that order, and whether they count."""
    loop = case.loop
    people: dict[str, list[Written]] = {}
    for written in loop.feedback:
        people.setdefault(written.fact.author, []).append(written)
    return tuple(_witness(case, person, forms) for person, forms in people.items())


def counted_forms(case: Case) -> dict[str, tuple[Written, ...]]:
    """For each person who counts, the forms by which they do."""
    counting = {w.person for w in witnesses(case) if w.counts}
    found: dict[str, tuple[Written, ...]] = {}
    for written in case.loop.feedback:
        author = written.fact.author
        if author in counting and _form_why_not(case, written) is None:
            found[author] = (*found.get(author, ()), written)
    return found


def relationship(loop: Loop, person: str) -> At[f.RelationshipDisclosed] | None:
    """What this person last disclosed about how they know the candidate."""
    return next((r for r in reversed(loop.relationships) if r.fact.person == person), None)


def disqualified(case: Case, person: str) -> bool:
    """Whether this person last disclosed a relationship that the house rule does not accept."""
    known = relationship(case.loop, person)
    refused = words(case.params["relationships-disclosed"], "disqualifying")
    return known is not None and known.fact.relationship in refused


def tainted(loop: Loop, written: Written) -> str | None:
    """Why this form is not its author's own view, or None: a code of `WHY_NOT`."""
    if written.fact.independence == "read_before_writing":
        return READ_FIRST
    for amendment in loop.amendments:
        after_reading = amendment.fact.independence == "amended_after_reading"
        if after_reading and amendment.fact.amends == written.position:
            return AMENDED_AFTER_READING
    return None


def _witness(case: Case, person: str, forms: list[Written]) -> f.Witness:
    whys = [_form_why_not(case, written) for written in forms]
    why = None if None in whys else whys[0]
    if disqualified(case, person):
        why = RELATIONSHIP
    positions = tuple(written.position for written in forms)
    return f.Witness(person=person, feedback=positions, counts=why is None, why_not=why)


def _form_why_not(case: Case, written: Written) -> str | None:
    loop = case.loop
    session = loop.session(written.fact.session)
    if session is not None and session.kind == "reference":
        return REFERENCE
    why = tainted(loop, written)
    if why is not None:
        return why
    enough = whole(case.params["every-competency-evidenced"], "words_min")
    ratings = loop.ratings(written)
    evidenced = any(r.rating is not None and r.words >= enough for r in ratings)
    return None if evidenced else NO_EVIDENCE
