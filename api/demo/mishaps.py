"""Loops in which something is late, unequal or unsaid: recorded as it was, with its findings."""

from api.demo.calls import Call, Story, send
from api.demo.candidacy import Candidacy
from api.demo.endings import (
    concluded,
    debriefed,
    ended,
    joined,
    rejected,
    settled,
)
from api.demo.jobs import (
    Prompt,
)
from api.demo.people import AUDITOR
from api.demo.steps import (
    disclosed,
    gathered,
    held,
    interviewed,
    noticed,
    onsite,
    opened,
    planned,
    prepared,
    screened,
    took_home,
    wrote,
)

# ---------------------------------------------------------------- untidy, and recorded as it was


def told_late(c: Candidacy) -> Story[None]:
    """The candidate heard of rounds and attendees only after the first interview."""
    yield from opened(c)
    yield from planned(c)
    yield from disclosed(c)
    yield from screened(c)
    yield from noticed(c)
    yield from onsite(c)
    yield from took_home(c)
    yield from concluded(c, "hire")
    yield from joined(c, {3: "met", 6: "met"})


def written_late(c: Candidacy) -> Story[None]:
    """Two interviewers wrote days after their sessions."""
    yield from prepared(c)
    yield from screened(c)
    for late in ("framing", "design"):
        yield from held(c, late)
        yield from wrote(c, late, hours=71)
    yield from interviewed(c, "collaboration")
    yield from took_home(c)
    yield from concluded(c, c.outlook)
    yield from ended(c)


def kept_quiet(c: Candidacy) -> Story[None]:
    """One interviewer never said how they know the candidate."""
    yield from opened(c)
    yield from planned(c)
    yield from noticed(c)
    yield from disclosed(c, silent=[c.panel["design"]])
    yield from screened(c)
    yield from onsite(c)
    yield from took_home(c)
    yield from concluded(c, "no_hire")
    yield from rejected(c)


def argued_loosely(c: Candidacy) -> Story[None]:
    """The debrief is about what someone is like, and points to nothing."""
    yield from gathered(c)
    yield from debriefed(c, cite=False, adjectives=True)
    yield from settled(c, "hire")
    yield from joined(c, {3: "below"})


def dissented(c: Candidacy) -> Story[None]:
    """Someone disagreed, and was answered."""
    yield from gathered(c)
    yield from debriefed(c, dissent="answered")
    yield from settled(c, "hire")
    yield from joined(c, {3: "met", 6: "below"})


def dissented_unheard(c: Candidacy) -> Story[None]:
    """Someone disagreed, and nobody answered."""
    yield from gathered(c)
    yield from debriefed(c, dissent="open")
    yield from settled(c, "no_hire")
    yield from rejected(c)


def asked_something_else(c: Candidacy) -> Story[None]:
    """The interviewer asked a prompt that no other candidate got."""
    yield from prepared(c)
    yield from screened(c)
    yield from held(c, "framing", prompts=[Prompt("metric-that-misled")])
    yield from wrote(c, "framing")
    yield from onsite(c, without=["framing"])
    yield from took_home(c)
    yield from concluded(c, "no_hire")
    yield from rejected(c)


def asked_the_equivalent(c: Candidacy) -> Story[None]:
    """The candidate knew the prompt, and got the one declared equivalent."""
    yield from prepared(c)
    yield from screened(c)
    yield from held(c, "framing", prompts=[Prompt("fraud-threshold")])
    yield from wrote(c, "framing")
    yield from onsite(c, without=["framing"])
    yield from took_home(c)
    yield from concluded(c, "hire")
    yield from joined(c)


def read_with_the_name_on(c: Candidacy) -> Story[None]:
    """The take-home was reviewed before it was anonymised, and had more time than others."""
    yield from prepared(c)
    yield from screened(c)
    yield from onsite(c)
    yield from took_home(c, minutes=240, anonymised="late")
    yield from concluded(c, "hire")
    yield from joined(c, {3: "met"})


def given_more_time(c: Candidacy) -> Story[None]:
    """The take-home's time was adjusted; why is nobody's business."""
    yield from prepared(c)
    yield from screened(c)
    yield from onsite(c)
    yield from took_home(c, minutes=180, adjusted=True)
    yield from concluded(c, "hire")
    yield from joined(c, {3: "exceeded", 6: "exceeded"})


def known_by_their_work(c: Candidacy) -> Story[None]:
    """The take-home could not be anonymised: the work is public."""
    yield from prepared(c)
    yield from screened(c)
    yield from onsite(c)
    yield from took_home(c, anonymised="not_feasible")
    yield from concluded(c, "no_hire")
    yield from rejected(c)


def changed_plans(c: Candidacy) -> Story[None]:
    """An interviewer is called away and replaced, a session is cancelled and held later."""
    yield from prepared(c)
    yield from screened(c)
    away, instead = c.panel["design"], c.job.team.tech_lead
    body = {"from": away, "to": instead, "reason": c.words.remark("change")}
    yield from send(c.call("/sessions/design/replacement", c.job.team.manager, body))
    c.panel["design"] = instead
    yield from send(c.call("/relationships", instead, {"relationship": "none"}))
    yield from interviewed(c, "design")
    body = {"reason": c.words.remark("change")}
    yield from send(c.call("/sessions/framing/cancelled", c.job.team.manager, body))
    c.clock.workday(2)
    yield from onsite(c, without=["design"])
    yield from took_home(c)
    yield from concluded(c, "hire")
    yield from joined(c, {3: "met", 6: "met", 12: "met"})


def corrected(c: Candidacy) -> Story[None]:
    """An audit finds that a feedback names the wrong project; it stays, and a note joins it."""
    yield from gathered(c)
    yield from concluded(c, "no_hire")
    yield from rejected(c)
    c.clock.workday(10)
    timeline = f"/v1/loops/{c.loop}/timeline"
    call = Call(path=timeline, at=c.clock.now, key=AUDITOR, method="GET", expect=200)
    yield from send(call)
    path, body = f"/v1/facts/{c.cites[0]}/correction", {"text": c.words.remark("correction")}
    yield from send(Call(path=path, body=body, at=c.clock.after(hours=2), key=AUDITOR))
