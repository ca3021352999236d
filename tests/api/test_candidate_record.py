"""A person's own record, as a privacy officer hands it out."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from ledger.database import Database
from ledger.embedded.server import Embedded
from office import EVIDENCE, Office, decision, open_office
from privacy import BASIS, hold, record


@pytest.fixture(scope="module")
def shared(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    """One served ledger for all tests of this file; each opens loops of its own."""
    database = Database.embedded(server, schema="t_record")
    database.prepare()
    directory: Path = tmp_path_factory.mktemp("record")
    with open_office(database, directory) as office:
        office.furnish()
        yield office


@pytest.fixture(scope="module")
def told(shared: Office) -> dict[str, Any]:
    """A record of somebody with a whole loop behind them, and readers of it."""
    positions = shared.ready("own")
    themes = [{"competency": "evals", "text": "Always asked what it costs."}]
    shared.did("hana", "/loops/own/references", {"relation": "peer", "themes": themes})
    swap = {"from": "ivan", "to": "olga", "reason": "Ivan is on leave."}
    shared.did("hana", "/loops/own/sessions/first/replacement", swap)
    reasons = [
        *decision()["reasons"],
        {"kind": "comparative", "text": "Stronger than the others."},
        {"kind": "legal", "text": "Counsel agreed."},
    ]
    body = {"decision": "hire", "reasons": reasons}
    made = shared.did("dora", "/loops/own/decision", body).position
    shared.did("udo", f"/facts/{positions[0]}/correction", {"text": "The date was wrong."})
    text = "Counsel disagreed, and Other Applicant was stronger."
    again = shared.did("udo", f"/facts/{made}/correction", {"text": text}).position
    shared.did("udo", f"/facts/{again}/correction", {"text": f"Not so: {text}"})
    shared.get("udo", "/loops/own/timeline")
    hold(shared, "m-own", requisitions=["llm-engineer"])
    try:
        return record(shared, "candidate-of-own")
    finally:
        shared.did("paul", "/holds/m-own/release", {"reason": "Settled"})


def entries(told: dict[str, Any], type_: str) -> list[dict[str, Any]]:
    """The entries of one kind."""
    found = [one for loop in told["loops"] for one in loop["entries"]]
    return [one for one in (*found, *told["further"]) if one["type"] == type_]


def test_a_record_tells_every_fact_of_the_persons_loops_in_order(
    shared: Office, told: dict[str, Any]
) -> None:
    """Nothing that the log has under their loop is missing, but for who read it, told apart."""
    (loop,) = told["loops"]
    facts = shared.get("udo", "/facts?loop=own&limit=1000")["items"]
    views = {one["position"] for one in told["viewed"]}
    assert [one["position"] for one in loop["entries"]] == [
        one["position"]
        for one in facts
        if one["position"] <= told["position"] and one["position"] not in views
    ]
    assert all(one["what"].endswith(".") for one in loop["entries"])


def test_a_record_shows_what_was_said_of_the_person(told: dict[str, Any]) -> None:
    """Names, evidence with its competency, reasons and corrections, in the clear."""
    (opened,) = entries(told, "loop-opened.v1")
    assert {v["label"]: v["words"] for v in opened["values"]} == {
        "name": "Nobody Inparticular",
        "email": "nobody@example.org",
    }
    first, _ = entries(told, "feedback-submitted.v1")
    assert {v["label"]: v["words"] for v in first["values"]} == {
        "evals: evidence": EVIDENCE,
        "failures: evidence": EVIDENCE,
    }
    corrected, *_ = entries(told, "fact-corrected.v1")
    assert corrected["values"][0]["words"] == "The date was wrong."


def test_a_record_tells_what_was_seen_and_how_the_rules_judged(
    shared: Office, told: dict[str, Any]
) -> None:
    """Codes by the scorecard's words, reasons by their kind, receipts and citations as recorded."""
    first, _ = entries(told, "feedback-submitted.v1")
    assert "“evals”: S1 (Strong sign “Checks a proxy.”): seen" in first["details"]
    (made,) = entries(told, "decision-made.v1")
    assert [value["label"] for value in made["values"]] == [
        "reason: a competency of the scorecard, “evals”",
        "reason: a comparison with other candidates",
        "reason: a legal ground",
    ]
    leaf = json.loads(shared.get("udo", f"/facts/{made['position']}")["leaf"])
    assert [one["policy"] for one in made["judged"]] == [
        one["policy"] for one in leaf["judged"]["receipts"]
    ]
    assert {leaf["gate"], *leaf["recommendations"]} <= set(made["cites"])
    viewed = [one for one in told["viewed"] if one.get("cites")]
    assert {one["loop"] for one in viewed} == {told["loops"][0]["loop"]["handle"]}
    placed = [one for hold in told["holds"] if hold["id"] == "m-own" for one in hold["entries"]]
    assert [(one["by"], one["values"][0]["why"]) for one in placed] == [
        ("the privacy officer", "matter")
    ]


def test_a_correction_of_what_is_withheld_is_withheld(told: dict[str, Any]) -> None:
    """It says again what lawyers advised, and what is the other applicants'; so does the next."""
    _, *later = entries(told, "fact-corrected.v1")
    assert [(v["state"], v["why"]) for one in later for v in one["values"]] == [
        ("withheld", "legal"),
        ("withheld", "legal"),
    ]
    assert "Other Applicant" not in json.dumps(told)
    said = {one["what"]: one["positions"] for one in told["withheld"]}
    legal = said["Reasons that tell what lawyers advised."]
    assert {one["position"] for one in later} <= set(legal)


def test_a_record_names_nobody_of_the_staff(shared: Office, told: dict[str, Any]) -> None:
    """People are told by what they did; neither names, ids nor handles of theirs stand there."""
    (opened,) = entries(told, "loop-opened.v1")
    assert opened["by"] == "the hiring manager"
    (made,) = entries(told, "decision-made.v1")
    assert made["by"] == "the decision maker"
    assert {one["by"] for one in entries(told, "feedback-submitted.v1")} == {
        "interviewer 1",
        "interviewer 2",
    }
    text = json.dumps(told)
    for person, handle in shared.people.items():
        assert handle not in text
        assert f"{person.title()} Invented" not in text


def test_a_record_says_what_it_withholds_and_why(told: dict[str, Any]) -> None:
    """Words about others, comparisons, advice, the referee, the matter of a hold."""
    (swap,) = entries(told, "interviewer-replaced.v1")
    assert swap["values"] == [
        {"label": "reason", "words": None, "state": "withheld", "why": "others"}
    ]
    (made,) = entries(told, "decision-made.v1")
    assert [(v["state"], v["why"]) for v in made["values"]] == [
        ("shown", None),
        ("withheld", "comparison"),
        ("withheld", "legal"),
    ]
    (reference,) = entries(told, "reference-recorded.v1")
    assert reference["what"] == "A reference was recorded."
    assert reference["values"][0]["words"] == "Always asked what it costs."
    said = {one["what"]: one["positions"] for one in told["withheld"]}
    assert said["Words about somebody else."] == [swap["position"]]
    assert said["Who gave a reference, and how they know you."] == [reference["position"]]
    assert "What a legal hold is about, and why it was released." in said
    assert any(what.startswith("How the log keeps each entry") for what in said)
    for secret in ("Ivan is on leave", "Stronger than", "Counsel agreed", "Quuxová"):
        assert secret not in json.dumps(told)


def test_a_record_says_who_read_it_and_is_itself_noted(
    shared: Office, told: dict[str, Any]
) -> None:
    """An auditor's look stands there; ours stands in the next one."""
    assert any("timeline" in one["what"] and one["by"] == "the auditor" for one in told["viewed"])
    mine = [one for one in told["viewed"] if "privacy officer" in one["by"]]
    assert mine == []
    later = record(shared, "candidate-of-own")
    mine = [one for one in later["viewed"] if one["by"] == "the privacy officer"]
    assert any("record" in one["what"] for one in mine)


def test_a_record_says_how_long_it_is_kept(shared: Office, told: dict[str, Any]) -> None:
    """A hold over the requisition is a hold over the person; after its release nothing stands."""
    assert (told["status"], told["erased"]) == ("on_hold", None)
    (standing,) = (one for one in told["holds"] if one["status"] == "standing")
    assert (standing["id"], standing["over"]) == ("m-own", "requisition")
    assert record(shared, "candidate-of-own")["status"] == "held"


def test_the_record_of_the_erased_says_what_happened_without_words(shared: Office) -> None:
    """Every fact stays with its time and role; every word reads as erased."""
    shared.ready("forgotten")
    before = record(shared, "candidate-of-forgotten")
    gone = shared.did("paul", "/candidates/candidate-of-forgotten/erasure", BASIS)
    assert shared.get("paul", "/candidates/candidate-of-forgotten/record").status == 404
    after = record(shared, gone["candidate"])
    assert (after["status"], after["erased"]) == ("erased", gone.position)
    assert after["candidate"] == {"handle": gone["candidate"]}
    (was,), (now,) = before["loops"], after["loops"]
    old = {one["position"]: one for one in was["entries"]}
    assert old.keys() < {one["position"] for one in now["entries"]}
    words = [v for one in now["entries"] for v in one["values"] if one["position"] in old]
    assert words
    assert {(v["state"], v["words"]) for v in words} == {("erased", None)}
    assert "Nobody Inparticular" not in json.dumps(after)


def test_who_owes_feedback_reads_no_record(shared: Office) -> None:
    """The blind rule holds for a privacy officer who interviews."""
    shared.call("POST", "/v1/people/paul/roles", {"roles": BOTH}, token=shared.admin)
    shared.open("paul-interviews", plan=False)
    sessions = [
        {
            "id": "first",
            "stage": "onsite",
            "kind": "interview",
            "competencies": ["evals", "failures"],
            "prompts": [{"id": "evals-talk", "version": 1}, {"id": "failures-talk", "version": 1}],
            "interviewers": ["paul"],
            "minutes": 60,
        }
    ]
    shared.did("hana", "/loops/paul-interviews/plan", {"sessions": sessions})
    refused = shared.get("paul", "/candidates/candidate-of-paul-interviews/record")
    assert (refused.status, refused["type"]) == (403, "urn:hireledger:problem:feedback-owed")


BOTH = ["privacy_officer", "interviewer"]
