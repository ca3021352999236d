"""Interviewers write before they read what others wrote."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from policies._examples import evidenced, planned
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import IRIS, JUNO


def check(case: Case, _params: Params) -> Iterator[Found]:
    """What the author had read was frozen in the fact when it was made."""
    if isinstance(case.draft, f.FeedbackSubmitted | f.FeedbackAmended):
        if case.draft.independence == "read_before_writing":
            yield _read_first()
        elif case.draft.independence == "amended_after_reading":
            yield _amended()
        return
    loop = case.loop
    read = [w.position for w in loop.feedback if w.fact.independence == "read_before_writing"]
    amended = [a for a in loop.amendments if a.fact.independence == "amended_after_reading"]
    if read:
        yield _read_first(*read)
    if amended:
        yield _amended(*(p for a in amended for p in (a.fact.amends, a.position)))


def _read_first(*positions: int) -> Found:
    return Found(
        message="the author had read others' feedback before writing: this does not count towards"
        " the two",
        cure="have someone interview and write who has read nothing",
        positions=positions,
    )


def _amended(*positions: int) -> Found:
    return Found(
        message="the author amended this after reading others' feedback: it no longer counts"
        " towards the two",
        cure="have someone interview and write who has read nothing; the original stays readable",
        positions=positions,
    )


POLICY = Policy(
    id="own-feedback-first",
    version=1,
    title="Interviewers write their own feedback first",
    rationale="Two views are worth more than one only if neither has seen the other.",
    source=f"{ARTICLE}, section H (independent interviewers); Kahneman, Lovallo and Sibony 2019, A"
    " structured approach to strategic decisions, MIT Sloan Management Review 60",
    practices=("P44",),
    moments=frozenset({"feedback", "gate", "decide"}),
    enforcement="warn",
    core=True,
    check=check,
    examples=(
        accepted("everyone wrote, then read", lambda: evidenced().read(IRIS).asks_gate()),
        refused(
            "the second read the first before writing",
            lambda: planned().wrote(IRIS, "screen").read(JUNO).wrote(JUNO, "design").asks_gate(),
        ),
        refused(
            "a rating was changed after reading the others",
            lambda: evidenced().read(JUNO).amended(JUNO).asks_gate(),
        ),
    ),
)
