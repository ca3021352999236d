"""A loop over HTTP, from opening to outcome, as the services that record it see it."""

from typing import Any

from office import Answer, Office, completed, decision, feedback, hours_ago, sessions


def test_a_loop_is_decided_only_once_its_evidence_is_in(office: Office) -> None:
    """The gate and the decision are refused until two people wrote independently."""
    office.open("one")
    first = office.write_feedback("one", ["ivan"])

    gate = office.post("hana", "/loops/one/gates/evidence")
    assert gate.status == 409
    assert {"two-independent-interviewers", "every-competency-evidenced"} <= gate.policies()

    refused = office.post("dora", "/loops/one/decision", decision(first))
    assert refused.status == 409
    assert {
        "gate-passed-and-fresh",
        "recommendation-first",
        "two-independent-interviewers",
    } <= refused.policies()
    assert office.get("udo", f"/facts/{refused['position']}")["type"] == "decision-refused.v1"
    assert office.get("hana", "/loops/one")["stage"] == "interviewing"

    both = first + office.write_feedback("one", ["inga"])
    passed = office.did("hana", "/loops/one/gates/evidence")
    advice = {"recommend": "hire", "reason": "Both saw it.", "cites": both}
    recommended = office.did("hana", "/loops/one/recommendations", advice)
    made = office.did("dora", "/loops/one/decision", decision(both))
    assert made["gate"] == passed.position
    assert made["recommendations"] == [recommended.position]
    assert office.get("hana", "/loops/one")["stage"] == "decided"


def test_all_findings_come_at_once_and_each_says_what_cures_it(office: Office) -> None:
    """A refusal names every rule that blocks, with a message and a cure, never only the first."""
    office.open("one")
    refused = office.post("dora", "/loops/one/decision", decision())
    assert len(refused["findings"]) >= 3
    assert all(one["message"] and one["cure"] for one in refused["findings"])


def test_a_dry_run_tells_what_a_decision_would_meet_and_records_nothing(office: Office) -> None:
    """`dry_run` gives the findings of the real thing and leaves the log as it was."""
    cites = office.ready("one")
    head = office.ledger_head()
    told = office.post("dora", "/loops/one/decision?dry_run=true", decision(cites))
    assert (told.status, told["would_be"]) == (200, "accepted")
    early = office.open("two")
    before = office.ledger_head()
    told = office.post("dora", f"/loops/{early}/decision?dry_run=true", decision())
    assert (told.status, told["would_be"]) == (200, "refused")
    assert office.ledger_head() == before > head


def test_what_happened_is_recorded_also_when_it_is_not_as_it_should_be(office: Office) -> None:
    """Late, unannounced, undisclosed, but true: recorded, and the findings meet the gate."""
    office.open("one")
    for person, session in (("ivan", "first"), ("inga", "second")):
        report = completed(person) | {"started_at": hours_ago(60), "ended_at": hours_ago(59)}
        office.did(person, f"/loops/one/sessions/{session}/completed", report)
        late = office.did(person, f"/loops/one/sessions/{session}/feedback", feedback(session))
        assert "feedback-on-time" in late.policies()
    gate = office.did("hana", "/loops/one/gates/evidence")
    assert {
        "feedback-on-time",
        "candidate-informed-first",
        "relationships-disclosed",
    } <= gate.policies()


def test_a_decision_can_be_reversed_and_made_again(office: Office) -> None:
    """After a reversal the loop is open for a new decision, and both stand in the log."""
    cites = office.ready("one")
    first = office.did("dora", "/loops/one/decision", decision(cites))
    again = office.post("dora", "/loops/one/decision", decision(cites))
    assert (again.status, again.policies()) == (409, {"loop-state"})
    office.did("dora", "/loops/one/decision/reversal", {"reason": "A mix-up.", "cites": cites})
    second = office.did("dora", "/loops/one/decision", decision(cites))
    assert second.position > first.position


def test_a_hire_is_closed_and_its_outcome_recorded(office: Office) -> None:
    """Offer, closing and outcome follow a decision; a disposition must be borne out."""
    cites = office.ready("one")
    unborne = office.post("hana", "/loops/one/closing", {"disposition": "hired"})
    assert (unborne.status, unborne.policies()) == (409, {"loop-state"})
    office.did("dora", "/loops/one/decision", decision(cites))
    office.did("hana", "/loops/one/offer", {"status": "accepted"})
    office.did("hana", "/loops/one/closing", {"disposition": "hired"})
    outcome = {
        "dimension": "throughput",
        "value": "met",
        "horizon_months": 6,
        "observed_from": "manager_review",
        "lawful_basis": "contract",
        "rater_saw_scores": False,
    }
    office.did("hana", "/loops/one/outcomes", outcome)
    state = office.get("hana", "/loops/one")
    assert (state["stage"], state["disposition"]) == ("closed", "hired")


def test_every_verdict_replays_to_the_same_bytes(office: Office) -> None:
    """A replay under the recorded rules is identical for accepted and refused intents alike."""
    office.open("early")
    office.post("hana", "/loops/early/gates/evidence")
    office.post("dora", "/loops/early/decision", decision())
    cites = office.ready("one")
    office.did("dora", "/loops/one/decision", decision(cites))
    for loop in ("early", "one"):
        replay = office.get("udo", f"/loops/{loop}/replay")
        assert replay["identical"], replay.text
        assert {"decide", "gate", "open", "plan"} <= {i["moment"] for i in replay["intents"]}


def test_readiness_names_what_stands_in_the_way_and_its_source(office: Office) -> None:
    """Readiness tells the findings of a gate and a decision, each with practice and source."""
    office.open("one")
    told = office.get("hana", "/loops/one/readiness")
    assert not told["ready"]
    rule = next(o for o in told["findings"] if o["policy"] == "two-independent-interviewers")
    assert "P43" in rule["practices"]
    assert rule["source"]
    office.ready("two")
    assert office.get("hana", "/loops/two/readiness")["ready"]


def test_a_state_can_be_asked_for_at_a_position_and_at_a_time(office: Office) -> None:
    """`position` and `recorded` say what was known, `at` what had happened."""
    office.open("one", plan=False)
    head = office.ledger_head()
    office.did("hana", "/loops/one/plan", {"sessions": sessions()})
    assert office.get("hana", "/loops/one")["stage"] == "planned"
    assert office.get("hana", f"/loops/one?position={head}")["stage"] == "opened"
    assert office.get("hana", "/loops/one?position=1").status == 404
    both = office.get("hana", f"/loops/one?position={head}&recorded=2026-01-01T00:00:00Z")
    assert both.status == 400


def test_whoever_wrote_the_evidence_cannot_excuse_it(office: Office) -> None:
    """An exception is a second person's; its subject is someone who has a part in the loop."""
    office.open("one")
    thin = feedback("first")
    for rated in thin["ratings"]:
        rated["evidence"] = "Fine."
    office.did("hana", "/loops/one/plan", {"sessions": by_theo()})
    office.did("theo", "/loops/one/sessions/first/feedback", thin)
    office.did("inga", "/loops/one/sessions/second/feedback", feedback("second"))
    terms = {
        "policy": "every-competency-evidenced",
        "reason": "Short notes.",
        "expires_at": hours_ago(-48),
    }
    assert office.post("theo", "/loops/one/exceptions", terms).status == 403
    stranger = office.post("petra", "/loops/one/exceptions", terms | {"subject": "frida"})
    assert (stranger.status, stranger["errors"][0]["pointer"]) == (422, "/subject")
    office.did("theo", "/requisitions/llm-engineer/exceptions", terms)
    assert "every-competency-evidenced" in blocking(office.post("hana", GATE))
    office.did("petra", "/loops/one/exceptions", terms | {"subject": "theo"})
    assert "every-competency-evidenced" not in blocking(office.post("hana", GATE))


GATE = "/loops/one/gates/evidence"


def by_theo() -> list[dict[str, Any]]:
    """The usual plan, with an approver as the first interviewer."""
    first, second = sessions()
    return [first | {"interviewers": ["theo"]}, second]


def blocking(answer: Answer) -> set[str]:
    """The rules whose findings stand in the way."""
    return {one["policy"] for one in answer["findings"] if one["enforcement"] == "block"}
