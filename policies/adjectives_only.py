"""A statement in the debrief says what was seen, not only what someone is like."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from domain.values import plain_text
from policies._debrief import unsettled
from policies._examples import evidenced
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import KOFI
from policies._words import only_adjectives

ID = "adjectives-only"


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Reads the words once, when they arrive; the gate reads what was found then."""
    if isinstance(case.draft, f.DebriefStatementRecorded):
        text = plain_text(case.draft.text)
        if text is not None and only_adjectives(text):
            yield Found(
                message="the statement says what someone is like and nothing that was seen",
                cure="say what the candidate did or said, and cite where it is written down",
            )
        return
    flagged = unsettled(case.loop, ID)
    if flagged:
        yield Found(
            message="statements in the debrief consist of adjectives",
            cure="make the statement again with what the candidate did or said",
            positions=flagged,
        )


POLICY = Policy(
    id=ID,
    version=1,
    title="Debates describe behaviour, not character",
    rationale="Adjectives carry likings across the table; behaviour can be looked up.",
    source=f"{ARTICLE}, section H (behaviours observed, not adjectives)",
    practices=("P45",),
    moments=frozenset({"statement", "gate"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted(
            "the statement says what was done",
            lambda: evidenced().asks_statement("halved the false alarms and showed the curve"),
        ),
        refused(
            "the statement is three adjectives",
            lambda: evidenced().asks_statement("Really sharp, confident and a great person."),
        ),
        refused(
            "a statement of the debrief was adjectives only",
            lambda: evidenced().said(KOFI, flagged_by=ID).asks_gate(),
        ),
    ),
)
