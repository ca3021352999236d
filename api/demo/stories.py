"""Loops in which all goes well, or that end at the first stage; told from opening to end.

Where a rule refuses, a story says so (`expect=REFUSED`) and goes on with the cure.
"""

from typing import Final

from api.demo.calls import Story, send
from api.demo.candidacy import Candidacy
from api.demo.endings import (
    closed,
    concluded,
    joined,
    offered,
    reason,
    rejected,
    withdrew,
)
from api.demo.jobs import (
    EVALUATES,
)
from api.demo.steps import (
    decided_at_screening,
    gathered,
    interviewed,
    looked_again,
    onsite,
    opened,
    prepared,
    screened,
    took_home,
)

REFUSED: Final = 409


# ---------------------------------------------------------------- as it should be


def hired(c: Candidacy) -> Story[None]:
    """Everything in order, and the months after say that it was right."""
    yield from gathered(c)
    yield from concluded(c, "hire")
    yield from joined(c, {3: "met", 6: "exceeded", 12: "exceeded"})


def struggled(c: Candidacy) -> Story[None]:
    """Everything in order, and yet the months after say that it was wrong."""
    yield from gathered(c)
    yield from concluded(c, "hire")
    yield from joined(c, {3: "met", 6: "below", 12: "below"})


def turned_down(c: Candidacy) -> Story[None]:
    """Enough evidence, and it says no."""
    yield from gathered(c)
    yield from concluded(c, "no_hire")
    yield from rejected(c)


def turned_down_and_did_well(c: Candidacy) -> Story[None]:
    """The evidence said no; a year later the public record says otherwise."""
    yield from gathered(c)
    yield from concluded(c, "no_hire")
    yield from rejected(c, seen_elsewhere=True)


def declined(c: Candidacy) -> Story[None]:
    """The candidate declines the offer."""
    yield from gathered(c)
    yield from concluded(c, "hire")
    yield from offered(c, "made")
    yield from offered(c, "declined")
    yield from withdrew(c, "declined-offer")
    yield from closed(c, "withdrawn")


# ---------------------------------------------------------------- at the first stage


def knocked_out(c: Candidacy) -> Story[None]:
    """The application lacks what the posting requires."""
    yield from opened(c)
    knock_out = c.words.random.choice(("production-python", "on-call"))
    yield from decided_at_screening(c, "reject", [reason(c, "knock_out", knock_out)])
    yield from closed(c, "knock_out")


def screened_out(c: Candidacy) -> Story[None]:
    """An interviewer wrote, the manager read it and rejected."""
    yield from prepared(c)
    yield from interviewed(c, "screen")
    yield from decided_at_screening(c, "reject", [reason(c, "competency", EVALUATES)])
    yield from closed(c, "rejected")


def screened_out_alone(c: Candidacy) -> Story[None]:
    """The manager interviewed and rejected alone: refused until a second person has read."""
    second, c.panel["screen"] = c.panel["screen"], c.job.team.manager
    yield from prepared(c)
    yield from interviewed(c, "screen")
    below = [reason(c, "competency", EVALUATES)]
    yield from decided_at_screening(c, "reject", below, expect=REFUSED)
    yield from looked_again(c, "screen", second)
    yield from decided_at_screening(c, "reject", below)
    yield from closed(c, "rejected")


def screened_out_for_something_unposted(c: Candidacy) -> Story[None]:
    """The manager named what no posting asks for: refused, and the candidate goes on."""
    c.panel["screen"] = c.job.team.manager
    yield from prepared(c)
    yield from interviewed(c, "screen")
    unposted = [reason(c, "knock_out", "doctorate")]
    yield from decided_at_screening(c, "reject", unposted, expect=REFUSED)
    yield from decided_at_screening(c, "advance")
    yield from onsite(c)
    yield from took_home(c)
    yield from concluded(c, "hire")
    yield from joined(c, {3: "exceeded", 6: "exceeded", 12: "met"})


def left_early(c: Candidacy) -> Story[None]:
    """Another offer came sooner."""
    yield from prepared(c)
    yield from screened(c)
    c.clock.workday(12)
    yield from withdrew(c, c.words.random.choice(("other-offer", "relocation", "salary")))
    yield from closed(c, "withdrawn")


def did_not_come(c: Candidacy) -> Story[None]:
    """The candidate came to none of the appointments."""
    yield from prepared(c)
    for _ in range(2):
        c.clock.workday()
        body = {"who": "candidate"}
        yield from send(c.call("/sessions/screen/no-show", c.job.team.manager, body))
    yield from withdrew(c, "no-response")
    yield from closed(c, "withdrawn")
