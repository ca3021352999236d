"""Whoever argues in the debrief cites what was seen."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._debrief import unsettled
from policies._examples import Story, evidenced
from policies._policy import ARTICLE, Asked, Params, Policy, accepted, refused
from policies._sample import KOFI, LOOP

ID = "debate-cites-evidence"


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Judges a statement when it is made; the gate reads what was found then."""
    loop = case.loop
    if isinstance(case.draft, f.DebriefStatementRecorded):
        groups = (loop.feedback, loop.amendments, loop.sessions, loop.references)
        evidence = {one.position for group in groups for one in group}
        if not evidence & set(case.draft.cites):
            yield Found(
                message="the statement cites no feedback, session or reference of this loop",
                cure="cite the positions of the evidence it rests on",
            )
        return
    flagged = unsettled(loop, ID)
    if flagged:
        yield Found(
            message="statements in the debrief cite no evidence",
            cure="make the statement again with the evidence it rests on",
            positions=flagged,
        )


POLICY = Policy(
    id=ID,
    version=1,
    title="Debates cite evidence",
    rationale="An argument that points to what was seen can be checked, and answered.",
    source=f"{ARTICLE}, section H (debates cite behaviours observed, not adjectives)",
    practices=("P45",),
    moments=frozenset({"statement", "gate"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted(
            "the statement cites the screener's feedback",
            lambda: _argued("the replacement metric was checked against the refunds", cites=True),
        ),
        refused(
            "the statement cites nothing",
            lambda: _argued("the replacement metric was checked against the refunds", cites=False),
        ),
        refused(
            "a statement of the debrief had cited nothing",
            lambda: evidenced().said(KOFI, flagged_by=ID).asks_gate(),
        ),
        accepted(
            "its author made it again, with the evidence",
            lambda: _said_again(evidenced().said(KOFI, flagged_by=ID)).asks_gate(),
        ),
    ),
)


def _said_again(story: Story) -> Story:
    first = story.world.loops[LOOP].feedback[0].position
    return story.said(KOFI, "the replacement metric was checked", first)


def _argued(text: str, *, cites: bool) -> Asked:
    story = evidenced()
    first = story.world.loops[LOOP].feedback[0].position
    return story.asks_statement(text, *((first,) if cites else ()))
