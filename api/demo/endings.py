"""The steps of a loop from its debrief on: how it is argued, decided, closed and looked back at."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Literal

from api.demo.calls import Story, send
from api.demo.candidacy import Candidacy, Outlook
from api.demo.jobs import EVALUATES

EXPIRES: Final = "2036-01-01T00:00:00Z"
"""An exception must not have expired when it is recorded, which is after the story."""

_MONTH: Final = timedelta(days=30)
Dissent = Literal["none", "answered", "open"]


def debriefed(
    c: Candidacy, *, dissent: Dissent = "none", cite: bool = True, adjectives: bool = False
) -> Story[None]:
    """The panel argues: two statements, perhaps dissent and an answer to it, and an end."""
    manager = c.job.team.manager
    c.clock.workday(2)
    yield from send(c.read("/timeline", manager))
    yield from send(c.call("/debrief", manager))
    for speaker in (manager, c.interviewers[-1]):
        yield from _said(c, speaker, "adjectives" if adjectives else "statement", cite=cite)
    if dissent != "none":
        yield from _dissented(c, answered=dissent == "answered")
    c.clock.after(minutes=10)
    body = {"dissent": "none" if dissent == "none" else "recorded"}
    yield from send(c.call("/debrief/closing", manager, body))


def _said(c: Candidacy, speaker: str, occasion: str, *, cite: bool) -> Story[None]:
    c.clock.after(minutes=5)
    body = {"text": c.words.remark(occasion), "cites": c.cites[:2] if cite else []}
    yield from send(c.call("/debrief/statements", speaker, body))


def _dissented(c: Candidacy, *, answered: bool) -> Story[None]:
    c.clock.after(minutes=5)
    body: dict[str, object] = {"text": c.words.remark("dissent"), "cites": c.cites[:1]}
    dissent = yield from send(c.call("/debrief/dissents", c.interviewers[0], body))
    if answered:
        c.clock.after(minutes=5)
        body = {"text": c.words.remark("answer"), "cites": [dissent.position, *c.cites[:1]]}
        yield from send(c.call("/debrief/statements", c.job.team.manager, body))


def gated(c: Candidacy, *, expect: int = 201) -> Story[None]:
    """The manager asks whether there is enough independent written evidence."""
    c.clock.after(minutes=30)
    yield from send(c.call("/gates/evidence", c.job.team.manager, expect=expect))


def recommended(c: Candidacy, what: Outlook, *, expect: int = 201) -> Story[None]:
    """The panel recommends."""
    c.clock.after(minutes=15)
    body = {"recommend": what, "reason": c.words.remark(what), "cites": c.cites}
    yield from send(c.call("/recommendations", c.job.team.manager, body, expect=expect))


def decided(
    c: Candidacy,
    what: Outlook,
    *,
    override: bool = False,
    cites: Sequence[int] | None = None,
    criterion: str = EVALUATES,
    expect: int = 201,
) -> Story[None]:
    """The decision maker decides."""
    c.clock.after(hours=2)
    reasons = [{"kind": "competency", "ref": criterion, "text": c.words.remark(what)}]
    if override:
        reasons.append({"kind": "override", "text": c.words.remark("override")})
    cited = c.cites if cites is None else list(cites)
    body = {"decision": what, "reasons": reasons, "cites": cited}
    yield from send(c.call("/decision", c.job.team.decider, body, expect=expect))


def concluded(c: Candidacy, what: Outlook) -> Story[None]:
    """Debrief, gate, recommendation and decision, as they should be."""
    yield from debriefed(c)
    yield from settled(c, what)


def settled(c: Candidacy, what: Outlook) -> Story[None]:
    """Gate, recommendation and decision, as they should be."""
    yield from gated(c)
    yield from recommended(c, what)
    yield from decided(c, what)


def reversed_(c: Candidacy) -> Story[None]:
    """The decision is taken back."""
    c.clock.workday(3)
    body = {"reason": c.words.remark("reversal"), "cites": c.cites[:1]}
    yield from send(c.call("/decision/reversal", c.job.team.decider, body))


def observed(c: Candidacy, what: Outlook) -> Story[None]:
    """The decision was made in another system, and is only reported here."""
    c.clock.workday()
    source = {
        "system": "ats",
        "object": "application",
        "id": f"application-{c.candidate.id}",
        "revision": "7",
    }
    body = {"decision": what, "source": source}
    yield from send(c.call("/decision/observed", c.job.team.decider, body))


def offered(c: Candidacy, status: str) -> Story[None]:
    """An offer is made, accepted, declined or rescinded."""
    c.clock.workday(2)
    yield from send(c.call("/offer", c.job.team.manager, {"status": status}))


def withdrew(c: Candidacy, code: str) -> Story[None]:
    """The candidate leaves the process."""
    c.clock.workday()
    body = {"code": code, "reason": c.words.remark("withdrew")}
    yield from send(c.call("/withdrawal", c.job.team.manager, body))


def closed(c: Candidacy, disposition: str, *, expect: int = 201) -> Story[None]:
    """The loop ends."""
    c.clock.after(hours=1)
    body = {"disposition": disposition}
    yield from send(c.call("/closing", c.job.team.manager, body, expect=expect))


def reopened(c: Candidacy) -> Story[None]:
    """A closed loop is taken up again."""
    c.clock.workday(4)
    body = {"reason": c.words.remark("reopening")}
    yield from send(c.call("/reopening", c.job.team.decider, body))


def joined(c: Candidacy, values: Mapping[int, str] | None = None) -> Story[None]:
    """An offer is made and accepted; the manager looks back at the months given."""
    yield from offered(c, "made")
    yield from offered(c, "accepted")
    yield from closed(c, "hired")
    start = c.clock.now
    for months, value in (values or {}).items():
        c.clock.now = start + months * _MONTH
        dimension = "throughput" if months == 3 else "team_health"
        yield from _outcome(c, dimension, value, months, "manager_review", "contract")
        if months == 12:
            stays = "met" if value != "below" else "left"
            yield from _outcome(c, "retention", stays, months, "hris", "contract")


def rejected(c: Candidacy, *, seen_elsewhere: bool = False) -> Story[None]:
    """The loop closes without a hire; of some we hear later how they did elsewhere."""
    yield from closed(c, "rejected")
    if seen_elsewhere:
        c.clock.now += 12 * _MONTH
        yield from _outcome(
            c, "external_success", "exceeded", 12, "public", "legitimate_interests", (6, 24)
        )


def _outcome(
    c: Candidacy,
    dimension: str,
    value: str,
    months: int,
    observed_from: str,
    lawful_basis: str,
    coverage: tuple[int, int] | None = None,
) -> Story[None]:
    body: dict[str, object] = {
        "dimension": dimension,
        "value": value,
        "horizon_months": months,
        "observed_from": observed_from,
        "lawful_basis": lawful_basis,
        "rater_saw_scores": False,
    }
    if coverage is not None:
        body["coverage"] = {"known": coverage[0], "of": coverage[1]}
    yield from send(c.call("/outcomes", c.job.team.manager, body))


def excepted(c: Candidacy, policy: str) -> Story[None]:
    """The partner lets one rule be broken in this loop."""
    c.clock.after(hours=5)
    body = {
        "policy": policy,
        "reason": c.words.remark("exception"),
        "expires_at": EXPIRES,
        "compensating_control": c.words.remark("control"),
    }
    yield from send(c.call("/exceptions", c.job.team.partner, body))


def reason(c: Candidacy, kind: str, ref: str) -> dict[str, object]:
    """One reason for turning someone down."""
    occasion = "knock_out" if kind == "knock_out" else "no_hire"
    return {"kind": kind, "ref": ref, "text": c.words.remark(occasion)}


def ended(c: Candidacy) -> Story[None]:
    """Whatever follows from how the loop was decided."""
    if c.outlook == "hire":
        yield from joined(c, {3: "met", 6: "met"})
    else:
        yield from rejected(c)
