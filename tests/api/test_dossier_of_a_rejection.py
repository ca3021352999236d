"""Who was rejected at a stage has a dossier as well: the file, its check, its page, over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest

from api.dossiers import export, kinds
from api.pages.dossier_file import html_of
from api.pages.dossier_page import page_of
from domain.refusals import Missing
from dossiers import rejected_dossier
from ledger.proof.verify import verify
from office import Answer, Office, decision, rules
from page_reader import Read
from told_pages import verified_page

PATH = "/loops/one/dossier"
EVALS = {"kind": "competency", "ref": "evals", "text": "She guessed every cost."}


def rejected(office: Office, loop: str = "one", **more: Any) -> Answer:
    """After two interviews the hiring manager ends the stage, and with it the candidate's way."""
    office.open(loop)
    cites = office.write_feedback(loop)
    return at_stage(office, loop, "reject", cites=cites, **more)


def at_stage(office: Office, loop: str, outcome: str, **more: Any) -> Answer:
    """A decision at the stage of the two interviews."""
    body = {"outcome": outcome, "reasons": [EVALS], **more}
    return office.did("hana", f"/loops/{loop}/stages/onsite/decision", body)


def test_it_is_of_the_rejection_and_verifies(office: Office) -> None:
    """Without `decision=`, as nobody decided to hire or not to hire; all ten steps."""
    position = rejected(office).position
    office.did("hana", "/loops/one/closing", {"disposition": "rejected"})
    answer = office.get("hana", PATH)
    assert answer.status == 200, answer.text
    assert answer["decision"] == position
    assert answer["facts"][-1]["position"] == position
    vkeys = office.ledger.publisher.keys.vkeys
    verdict = verify(answer.text.encode(), vkeys, None, rules(), now=datetime.now(UTC))
    assert verdict.accepted, verdict.failed
    assert verdict.steps[3].reason == f"reject at stage onsite at position {position}"
    assert office.get("hana", f"{PATH}?decision={position}")["decision"] == position
    assert export(office.ledger, "one").dossier.decision == position


def test_who_was_screened_out_before_any_interview_has_one_too(office: Office) -> None:
    """A requirement of the posting is not met: there is no plan, no session and no feedback."""
    office.open("one", plan=False)
    missing = {"kind": "knock_out", "ref": "permit", "text": "She has no permit."}
    body = {"outcome": "reject", "reasons": [missing]}
    office.did("hana", "/loops/one/stages/screening/decision", body)
    made = export(office.ledger, "one")
    vkeys = office.ledger.publisher.keys.vkeys
    verdict = verify(made.raw, vkeys, None, rules(), now=datetime.now(UTC))
    assert verdict.accepted, verdict.failed
    page = page_of(made.raw, verdict, rules())
    assert page.story is not None
    assert "By then nobody had written feedback" in " ".join(page.story.answer)
    assert "No feedback is recorded." in html_of(page)


def test_its_reasons_are_told_or_withheld_as_those_of_a_decision(office: Office) -> None:
    """By right, and on request."""
    rejected(office)
    told = export(office.ledger, "one").dossier.disclosures
    less = export(office.ledger, "one", withheld=kinds("reasons")).dossier.disclosures
    assert len(told) == len(less) + 1


def test_a_decision_goes_before_a_rejection(office: Office) -> None:
    """Rejected at a stage, and hired all the same: the decision is what holds."""
    positions = office.ready("one")
    at_rejection = at_stage(office, "one", "reject").position
    made = office.did("dora", "/loops/one/decision", decision(positions)).position
    assert office.get("hana", PATH)["decision"] == made
    assert office.get("hana", f"{PATH}?decision={at_rejection}")["decision"] == at_rejection


def test_that_somebody_was_advanced_is_no_subject(office: Office) -> None:
    """Nothing has been decided against them: 404, which says what a dossier can be of."""
    office.open("one")
    office.write_feedback("one")
    advanced = at_stage(office, "one", "advance").position
    for path, why in (
        (PATH, "Nothing was decided in this loop yet"),
        (f"{PATH}?decision={advanced}", "of one to hire or not to hire, or of a rejection"),
    ):
        answer = office.get("hana", path)
        assert answer.status == 404
        assert why in answer["detail"]
    with pytest.raises(Missing, match="nothing was decided in this loop yet"):
        export(office.ledger, "one")


def test_its_page_tells_the_rejection() -> None:
    """Who rejected whom, at which stage, on whose words, and that it rests on no gate."""
    page = verified_page(rejected_dossier())
    assert page.story is not None
    answer = " ".join(page.story.answer)
    for wanted in (
        "the hiring manager rejected Nobody Inparticular at the stage “screening”.",
        "By then 1 person had written feedback",
        "A rejection at a stage rests on no evidence gate.",
        "The decision passed",
    ):
        assert wanted in answer
    assert "recommend" not in answer
    assert ("Decision", "To reject at the stage “screening”") in page.story.key_facts
    assert "rejection No." in page.running_head
    assert {one.counted for one in page.story.seen.interviewers} == {
        "a rejection at a stage rests on no gate"
    }
    text = " ".join(Read(html_of(page)).text.split())
    assert "as the evidence shows" in text
    assert "None" not in text
