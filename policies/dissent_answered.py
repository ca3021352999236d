"""Whoever disagreed in the debrief was answered, and everyone was asked."""

from collections.abc import Iterator

from domain import commands as c
from domain.case import Case, Found
from policies._examples import Story, evidenced
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import HIRING_MANAGER, JUNO, KOFI, LOOP


def check(case: Case, _params: Params) -> Iterator[Found]:
    """An answer is a statement by someone else that cites the dissent."""
    loop = case.loop
    answers = [(s.fact.author, cited) for s in loop.statements for cited in s.fact.cites]
    open_ones = [
        d.position
        for d in loop.dissents
        if not any(at == d.position and by != d.fact.author for by, at in answers)
    ]
    if open_ones:
        yield Found(
            message="dissent stands unanswered",
            cure="someone else answers it in a statement that cites it",
            positions=tuple(open_ones),
        )
    if not loop.debriefs:
        return
    opened = loop.debriefs[-1].position
    closed = [d for d in loop.debriefs_closed if d.position > opened]
    if not closed:
        yield Found(
            message="the debrief is not closed: nobody has said whether anyone dissents",
            cure="ask everyone, then close the debrief with or without dissent",
            positions=(opened,),
        )
    elif closed[-1].fact.dissent == "recorded" and not any(
        d.position > opened for d in loop.dissents
    ):
        yield Found(
            message="the debrief was closed with dissent, but none is recorded",
            cure="have it recorded by whoever disagreed",
            positions=(opened, closed[-1].position),
        )


POLICY = Policy(
    id="dissent-answered",
    version=1,
    title="Dissent is recorded and answered",
    rationale="A panel that answers its dissenters decides better, also when it does not follow"
    " them.",
    source=f"{ARTICLE}, section B4 (documenting dissent); Nemeth 1986, Differential contributions"
    " of majority and minority influence, Psychological Review 93",
    practices=("P37",),
    moments=frozenset({"gate"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted("the debrief was closed without dissent", lambda: _debated().asks_gate()),
        accepted(
            "the dissent was answered by someone else",
            lambda: _answered(_debated(dissent=True)).asks_gate(),
        ),
        refused("nobody answered the dissent", lambda: _debated(dissent=True).asks_gate()),
        refused(
            "the debrief was never closed",
            lambda: evidenced().does(HIRING_MANAGER, c.OpenDebrief(loop=LOOP)).asks_gate(),
        ),
    ),
)


def _debated(*, dissent: bool = False) -> Story:
    story = evidenced().does(HIRING_MANAGER, c.OpenDebrief(loop=LOOP))
    if dissent:
        story.does(JUNO, c.RecordDissent(loop=LOOP, text="the failure modes were read out"))
    outcome = c.CloseDebrief(loop=LOOP, dissent="recorded" if dissent else "none")
    return story.does(HIRING_MANAGER, outcome)


def _answered(story: Story) -> Story:
    dissent = story.world.loops[LOOP].dissents[-1].position
    return story.said(KOFI, "asked again, the candidate named two more", dissent)
