"""Everyone who wrote feedback said how they know the candidate, if at all."""

from collections.abc import Collection, Iterator
from typing import get_args

from msgspec.structs import replace

from domain import facts as f
from domain.case import Case, Found
from domain.state import Loop
from policies._examples import evidenced, planned
from policies._independence import relationship
from policies._policy import ARTICLE, Param, Params, Policy, accepted, refused, words
from policies._sample import DECIDER, IRIS, JUNO, SCREEN


def check(case: Case, params: Params) -> Iterator[Found]:
    """What someone disclosed last holds, and that it was another before is told."""
    loop = case.loop
    refused_ones = words(params, "disqualifying")
    silent: list[int] = []
    conflicted: list[int] = []
    for written in loop.feedback:
        known = relationship(loop, written.fact.author)
        if known is None:
            silent.append(written.position)
        elif known.fact.relationship in refused_ones:
            conflicted += (known.position, written.position)
    if silent:
        yield Found(
            message="the authors of this feedback have not said how they know the candidate",
            cure="each of them discloses a relationship, or that there is none",
            positions=tuple(silent),
        )
    taken_back = _taken_back(loop, refused_ones)
    if taken_back:
        yield Found(
            message="an author of feedback first disclosed a relationship that disqualifies, and"
            " then took it back",
            cure="look at what was disclosed, and when; have someone else interview where in doubt",
            positions=taken_back,
        )
    if conflicted:
        yield Found(
            message="feedback comes from someone whose relationship to the candidate disqualifies"
            " it: it does not count towards the two",
            cure="have someone else interview and write",
            positions=tuple(conflicted),
        )


def _taken_back(loop: Loop, refused_ones: Collection[str]) -> tuple[int, ...]:
    found: list[int] = []
    for author in dict.fromkeys(written.fact.author for written in loop.feedback):
        said = [r for r in loop.relationships if r.fact.person == author]
        before = [r.position for r in said if r.fact.relationship in refused_ones]
        if before and said[-1].position not in before:
            found += (*before, said[-1].position)
    return tuple(found)


POLICY = Policy(
    id="relationships-disclosed",
    version=1,
    title="Interviewers disclose relationships",
    rationale="Who knows a candidate rates the acquaintance too, so the record says who does.",
    source=f"{ARTICLE}, section A (halo from shared alumni networks)",
    practices=("P10",),
    moments=frozenset({"gate", "decide"}),
    enforcement="warn",
    params={
        "disqualifying": Param(
            default=("family", "referrer", "current_manager"),
            meaning="relationships with which feedback does not count towards the two",
            allowed=tuple(name for name in get_args(f.Relationship) if name != "none"),
        )
    },
    check=check,
    examples=(
        accepted("all three know nobody", lambda: evidenced().asks_gate()),
        accepted(
            "they went to the same university, and said so",
            lambda: evidenced().disclosed(JUNO, "alumni").asks_gate(),
        ),
        refused(
            "one who wrote has said nothing",
            lambda: (
                planned(replace(SCREEN, interviewers=(DECIDER,)))
                .wrote(DECIDER, "screen")
                .asks_gate()
            ),
        ),
        refused(
            "one of them referred the candidate",
            lambda: evidenced().disclosed(IRIS, "referrer").asks_gate(),
        ),
        refused(
            "one of them took back that they had referred the candidate",
            lambda: evidenced().disclosed(IRIS, "referrer").disclosed(IRIS, "none").asks_gate(),
        ),
    ),
)
