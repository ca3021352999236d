"""Loops in which a gate or a decision is refused and cured, and loops with more than one end."""

from typing import Final

from api.demo.calls import Story, send
from api.demo.candidacy import Candidacy
from api.demo.endings import (
    closed,
    concluded,
    debriefed,
    decided,
    ended,
    excepted,
    gated,
    joined,
    observed,
    offered,
    recommended,
    rejected,
    reopened,
    reversed_,
    settled,
    withdrew,
)
from api.demo.jobs import (
    SEASON_OVER,
)
from api.demo.steps import (
    amended,
    disclosed,
    gathered,
    held,
    looked_again,
    noticed,
    onsite,
    opened,
    planned,
    prepared,
    screened,
    someone_else,
    took_home,
    two_people,
    wrote,
)

REFUSED: Final = 409
FORBIDDEN: Final = 403


# ---------------------------------------------------------------- refused, then cured


def opened_too_early(c: Candidacy) -> Story[None]:
    """The manager opens a loop before all three have approved the scorecard."""
    yield from opened(c, expect=REFUSED)
    c.clock.workday(4)
    yield from gathered(c)
    yield from concluded(c, "hire")
    yield from joined(c, {3: "exceeded"})


def referred(c: Candidacy) -> Story[None]:
    """Of two interviewers one referred the candidate: the gate wants another person."""
    two_people(c)
    yield from opened(c)
    yield from planned(c)
    yield from noticed(c)
    yield from disclosed(c, {c.panel["design"]: "referrer"})
    yield from screened(c)
    yield from onsite(c)
    yield from debriefed(c)
    yield from gated(c, expect=REFUSED)
    yield from looked_again(c, "design", someone_else(c))
    yield from settled(c, c.outlook)
    yield from ended(c)


def peeked(c: Candidacy) -> Story[None]:
    """An interviewer amended after reading: the form no longer counts, and someone else must."""
    two_people(c)
    yield from prepared(c)
    yield from screened(c)
    first = c.cites[0]
    # Before writing, reading is refused; and nothing is noted of it.
    yield from send(c.read(f"/feedback/{first}", c.panel["design"], expect=FORBIDDEN))
    yield from onsite(c)
    yield from send(c.read(f"/feedback/{first}", c.panel["design"]))
    yield from amended(c, "design")
    yield from gated(c, expect=REFUSED)
    yield from looked_again(c, "design", someone_else(c))
    yield from debriefed(c)
    yield from settled(c, c.outlook)
    yield from ended(c)


def stepped_in_after_reading(c: Candidacy) -> Story[None]:
    """The manager had read the file, then took over a session: that does not count either."""
    two_people(c)
    yield from prepared(c)
    yield from screened(c)
    manager, away = c.job.team.manager, c.panel["design"]
    yield from send(c.read(f"/feedback/{c.cites[0]}", manager))
    body = {"from": away, "to": manager, "reason": c.words.remark("change")}
    yield from send(c.call("/sessions/design/replacement", manager, body))
    c.panel["design"] = manager
    yield from send(c.call("/relationships", manager, {"relationship": "none"}))
    yield from onsite(c)
    yield from gated(c, expect=REFUSED)
    yield from looked_again(c, "design", away)
    yield from concluded(c, "no_hire")
    yield from rejected(c)


def written_thinly(c: Candidacy) -> Story[None]:
    """A rating with a handful of words: the gate sends it back to its author."""
    yield from prepared(c)
    yield from screened(c)
    yield from onsite(c, without=["collaboration"])
    yield from held(c, "collaboration")
    yield from wrote(c, "collaboration", thin=True)
    yield from gated(c, expect=REFUSED)
    yield from amended(c, "collaboration")
    yield from took_home(c)
    yield from concluded(c, c.outlook)
    yield from ended(c)


def missed_a_session(c: Candidacy) -> Story[None]:
    """Nobody could rate one competency; the partner grants an exception, with a control."""
    yield from prepared(c)
    yield from screened(c)
    yield from onsite(c, without=["collaboration"])
    body = {"reason": c.words.remark("change")}
    yield from send(c.call("/sessions/collaboration/cancelled", c.job.team.manager, body))
    yield from took_home(c)
    yield from debriefed(c)
    yield from gated(c, expect=REFUSED)
    yield from excepted(c, "every-competency-evidenced")
    yield from settled(c, "hire")
    yield from joined(c, {3: "met", 6: "below"})


def decided_at_once(c: Candidacy) -> Story[None]:
    """Decided before gate and recommendation: refused with everything that is missing."""
    yield from prepared(c)
    yield from screened(c)
    yield from decided(c, c.outlook, expect=REFUSED)
    yield from onsite(c)
    yield from took_home(c)
    yield from debriefed(c)
    yield from gated(c)
    yield from decided(c, c.outlook, expect=REFUSED)
    yield from recommended(c, c.outlook)
    yield from decided(c, c.outlook)
    yield from ended(c)


def decided_against(c: Candidacy) -> Story[None]:
    """The panel said no, the decision maker says yes: not without saying why."""
    yield from gathered(c)
    yield from debriefed(c, dissent="answered")
    yield from gated(c)
    yield from recommended(c, "no_hire")
    yield from decided(c, "hire", expect=REFUSED)
    yield from decided(c, "hire", override=True)
    yield from joined(c, {3: "below", 6: "below"})


def decided_on_own_word(c: Candidacy) -> Story[None]:
    """The decision maker interviewed, and cites nobody else."""
    c.panel["framing"] = c.job.team.decider
    yield from gathered(c)
    yield from debriefed(c)
    yield from gated(c)
    yield from recommended(c, "hire")
    own = [c.written["framing", c.job.team.decider]]
    yield from decided(c, "hire", cites=own, expect=REFUSED)
    yield from decided(c, "hire")
    yield from joined(c, {3: "met"})


def decided_by_something_unsaid(c: Candidacy) -> Story[None]:
    """The reason given stands in neither scorecard nor posting: allowed, and shown."""
    yield from gathered(c)
    yield from debriefed(c)
    yield from gated(c)
    yield from recommended(c, "no_hire")
    yield from decided(c, "no_hire", criterion="culture-fit")
    yield from rejected(c)


def heard_something_new(c: Candidacy) -> Story[None]:
    """A feedback came after the gate, which is stale by that and has to be passed again."""
    yield from prepared(c)
    yield from screened(c)
    yield from onsite(c, without=["framing"])
    yield from held(c, "framing")
    yield from debriefed(c)
    yield from gated(c)
    yield from wrote(c, "framing", hours=30)
    yield from recommended(c, c.outlook, expect=REFUSED)
    yield from settled(c, c.outlook)
    yield from ended(c)


# ---------------------------------------------------------------- not the end of it


def decided_elsewhere(c: Candidacy) -> Story[None]:
    """Refused here, done there: another system reports the decision, and it is kept as such."""
    yield from prepared(c)
    yield from screened(c)
    yield from gated(c, expect=REFUSED)
    yield from observed(c, c.outlook)
    yield from ended(c)


def decided_twice(c: Candidacy) -> Story[None]:
    """A decision is reversed on new evidence, and another one made."""
    yield from gathered(c)
    yield from concluded(c, "hire")
    yield from offered(c, "made")
    yield from reversed_(c)
    yield from offered(c, "rescinded")
    yield from recommended(c, "no_hire")
    yield from decided(c, "no_hire")
    yield from rejected(c)


def came_back(c: Candidacy) -> Story[None]:
    """Withdrew, was closed, and came back."""
    yield from prepared(c)
    yield from screened(c)
    yield from withdrew(c, "other-offer")
    yield from closed(c, "withdrawn")
    yield from reopened(c)
    yield from onsite(c)
    yield from took_home(c)
    yield from concluded(c, c.outlook)
    yield from ended(c)


def ran_out(c: Candidacy) -> Story[None]:
    """The requisition came to an end before this loop did."""
    yield from prepared(c)
    yield from screened(c)
    yield from closed(c, c.job.ends, expect=REFUSED)
    c.clock.now = max(c.clock.now, SEASON_OVER)
    yield from closed(c, c.job.ends)
