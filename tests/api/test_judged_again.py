"""What blocked at the gate is judged again when it is decided, on all that came meanwhile."""

import time
from datetime import UTC, datetime, timedelta

from office import Answer, Office, completed, decision, feedback, hours_ago


def gated(office: Office, loop: str, thin: tuple[str, ...] = ()) -> list[int]:
    """A loop with feedback by two, a passed gate and a recommendation; no session was reported."""
    office.open(loop)
    positions: list[int] = []
    for person, session in (("ivan", "first"), ("inga", "second")):
        office.did(person, f"/loops/{loop}/relationships", {"relationship": "none"})
        written = feedback(session)
        if person in thin:
            written["ratings"][0]["evidence"] = "Good."
        path = f"/loops/{loop}/sessions/{session}/feedback"
        positions.append(office.did(person, path, written).position)
    return positions


def passed(office: Office, loop: str, positions: list[int]) -> None:
    """The gate, and what is recommended on it."""
    office.did("hana", f"/loops/{loop}/gates/evidence")
    reason = {"recommend": "hire", "reason": "Both saw it.", "cites": positions}
    office.did("hana", f"/loops/{loop}/recommendations", reason)


def decided(office: Office, loop: str, positions: list[int]) -> Answer:
    """What comes of asking for a decision."""
    return office.post("dora", f"/loops/{loop}/decision", decision(positions))


def test_safety_that_was_not_asked_about_blocks_a_decision_after_the_gate(office: Office) -> None:
    """The gate took the planned prompts as given; then it was reported which really were."""
    positions = gated(office, "one")
    passed(office, "one", positions)
    report = completed("ivan")
    report["prompts"] = [ref for ref in report["prompts"] if not ref["id"].startswith("failures")]
    office.did("ivan", "/loops/one/sessions/first/completed", report)
    refused = decided(office, "one", positions)
    assert (refused.status, refused.policies()) == (409, {"safety-never-skipped"})
    found = office.get("dora", "/loops/one/readiness")
    assert {one["moment"] for one in found["findings"] if one["enforcement"] == "block"} == {
        "gate",
        "decide",
    }


def test_an_exception_that_expired_after_the_gate_excuses_no_decision(office: Office) -> None:
    """It was granted until a time; the gate that it opened does not carry it further."""
    positions = gated(office, "one", ("ivan",))
    until = datetime.now(UTC) + timedelta(seconds=2)
    terms = {
        "reason": "So.",
        "expires_at": until.isoformat(),
        "policy": "every-competency-evidenced",
    }
    office.did("theo", "/loops/one/exceptions", terms)
    passed(office, "one", positions)
    while datetime.now(UTC) <= until:
        time.sleep(0.05)
    refused = decided(office, "one", positions)
    assert (refused.status, refused.policies()) == (409, {"every-competency-evidenced"})
    office.did("theo", "/loops/one/exceptions", terms | {"expires_at": hours_ago(-9)})
    assert decided(office, "one", positions).status == 201


def test_no_decision_was_made_before_the_gate_that_it_rests_on(office: Office) -> None:
    """That would be one without evidence: it was made elsewhere, and can be reported as such."""
    positions = gated(office, "one")
    passed(office, "one", positions)
    early = decision(positions) | {"at": hours_ago(1)}
    refused = office.post("dora", "/loops/one/decision", early)
    assert (refused.status, refused["errors"][0]["pointer"]) == (422, "/at")
    assert decided(office, "one", positions).status == 201


def test_who_takes_a_disqualifying_relationship_back_is_told_of(office: Office) -> None:
    """What was disclosed last holds, and the gate says that it was another before."""
    gated(office, "one")
    office.did("ivan", "/loops/one/relationships", {"relationship": "family"})
    refused = office.post("hana", "/loops/one/gates/evidence")
    assert (refused.status, refused.policies()) == (
        409,
        {
            "two-independent-interviewers",
            "relationships-disclosed",
            "recorded-when-it-happened",  # no session was reported: told, and no reason to refuse
        },
    )
    office.did("ivan", "/loops/one/relationships", {"relationship": "none"})
    accepted = office.did("hana", "/loops/one/gates/evidence")
    assert "relationships-disclosed" in accepted.policies()


def test_an_exception_for_one_person_excuses_nobody_else(office: Office) -> None:
    """Ivan's evidence is thin: what excuses Inga does not help him."""
    gated(office, "one", ("ivan",))
    terms = {"policy": "every-competency-evidenced", "reason": "So.", "expires_at": hours_ago(-9)}
    for subject, status in (("inga", 409), ("ivan", 201)):
        office.did("theo", "/loops/one/exceptions", terms | {"subject": subject})
        answer = office.post("hana", "/loops/one/gates/evidence")
        assert answer.status == status, answer.text
