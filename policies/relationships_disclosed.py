"""Everyone who wrote feedback said how they know the candidate, if at all."""

from collections.abc import Iterator
from typing import get_args

from msgspec.structs import replace

from domain import facts as f
from domain.case import Case, Found
from policies._examples import evidenced, planned
from policies._independence import relationship
from policies._policy import ARTICLE, Param, Params, Policy, accepted, refused, words
from policies._sample import DECIDER, IRIS, JUNO, SCREEN


def check(case: Case, params: Params) -> Iterator[Found]:
    """What someone disclosed last holds; what does not go with rating is the parameter."""
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
    if conflicted:
        yield Found(
            message="feedback comes from someone whose relationship to the candidate disqualifies"
            " it: it does not count towards the two",
            cure="have someone else interview and write",
            positions=tuple(conflicted),
        )


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
    ),
)
