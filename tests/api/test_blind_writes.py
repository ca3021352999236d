"""Who still owes feedback goes by nobody else's: no request of theirs is answered by it."""

from typing import Any

import pytest

from office import Office, completed, decision

WRITES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("hana", "debrief/closing", {"dissent": "none"}),
    ("hana", "gates/evidence", {}),
    ("hana", "recommendations", {"recommend": "hire", "reason": "So.", "cites": []}),
    ("hana", "closing", {"disposition": "hired"}),
    ("hana", "closing", {"disposition": "rejected"}),
    ("dora", "decision", decision()),
    ("dora", "decision?dry_run=true", decision()),
    ("dora", "decision/reversal", {"reason": "So."}),
)


def attended(office: Office, *people: str) -> None:
    """They sat in a session beside its interviewer, and so owe feedback on it."""
    report = completed("ivan") | {"attendees": ["ivan", *people]}
    office.did("ivan", "/loops/one/sessions/first/completed", report)


@pytest.mark.parametrize(
    ("who", "path", "body"), WRITES, ids=[f"{p} {len(str(b))}" for _, p, b in WRITES]
)
def test_who_owes_feedback_is_told_nothing_by_asking(
    office: Office, who: str, path: str, body: dict[str, Any]
) -> None:
    """The same answer whatever others wrote, recommended or decided; and nothing is recorded."""
    office.ready("one")
    attended(office, who)
    before = office.ledger_head()
    told = [office.post(who, f"/loops/one/{path}", body)]
    assert told[0].status == 403, told[0].text
    assert told[0]["type"] == "urn:hireledger:problem:feedback-owed"
    assert office.ledger_head() == before
    if who != "dora":
        office.did("dora", "/loops/one/decision", decision())
        told.append(office.post(who, f"/loops/one/{path}", body))
    assert len({(one.status, one["detail"]) for one in told}) == 1


def test_what_takes_no_opinion_is_not_held_up(office: Office) -> None:
    """A withdrawal is reported, and the loop closed for it, whoever has not written yet."""
    office.ready("one")
    attended(office, "hana")
    office.did("hana", "/loops/one/withdrawal", {"code": "other-offer"})
    office.did("hana", "/loops/one/closing", {"disposition": "withdrawn"})
