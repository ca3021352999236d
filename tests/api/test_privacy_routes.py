"""Holds, erasure and the person's own record, as a privacy officer calls them."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from ledger.database import Database
from ledger.embedded.server import Embedded
from office import EVIDENCE, Answer, Office, decision, open_office

BASIS = {"legal_basis": "Asked for it, Art. 17 (1) (b)"}


@pytest.fixture(scope="module")
def shared(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    """One served ledger for all tests of this file; each opens loops of its own."""
    database = Database.embedded(server, schema="t_privacy")
    database.prepare()
    directory: Path = tmp_path_factory.mktemp("privacy")
    with open_office(database, directory) as office:
        office.furnish()
        yield office


def hold(office: Office, slug: str, **over: list[str]) -> Answer:
    """A hold over candidates or requisitions."""
    return office.did("paul", "/holds", {"id": slug, "matter": "Quuxová against us", **over})


def erase(office: Office, candidate: str) -> Answer:
    """An erasure, refused or not."""
    return office.post("paul", f"/candidates/{candidate}/erasure", BASIS)


def record(office: Office, candidate: str) -> dict[str, Any]:
    """A candidate's record."""
    answer = office.get("paul", f"/candidates/{candidate}/record")
    assert answer.status == 200, answer.text
    told: dict[str, Any] = answer.body
    return told


# ---------------------------------------------------------------- holds


def test_a_hold_is_placed_listed_and_released(shared: Office) -> None:
    """The answer carries its id; the list tells the matter to who may see it."""
    shared.open("held")
    placed = hold(shared, "m-listed", candidates=["candidate-of-held"])
    assert (placed["id"], placed["facts"]) == ("m-listed", ["hold-placed.v1"])
    made = shared.did("paul", "/holds", {"matter": "Another", "requisitions": ["llm-engineer"]})
    assert made["id"].startswith("hold-")
    shared.did("paul", f"/holds/{made['id']}/release", {"reason": "Settled"})
    for who in ("paul", "udo"):
        listed = {one["id"]: one for one in shared.get(who, "/holds?limit=1000")["items"]}
        ours = listed["m-listed"]
        assert (ours["status"], ours["matter"]) == ("standing", "Quuxová against us")
        assert [one["id"] for one in ours["candidates"]] == ["candidate-of-held"]
        assert ours["placed_by"]["id"] == "paul"
        other = listed[made["id"]]
        assert (other["status"], other["reason"]) == ("released", "Settled")
        assert other["released_by"]["id"] == "paul"
    shared.did("paul", "/holds/m-listed/release", {"reason": "Settled too"})
    again = shared.post("paul", "/holds/m-listed/release", {"reason": "Once more"})
    assert (again.status, again["type"]) == (409, "urn:hireledger:problem:exists")


def test_holds_are_listed_page_by_page(shared: Office) -> None:
    """Like every list, by `after` and `limit`."""
    for number in range(2):
        shared.open(f"paged-{number}")
        hold(shared, f"m-paged-{number}", candidates=[f"candidate-of-paged-{number}"])
    first = shared.get("paul", "/holds?limit=1")
    assert len(first["items"]) == 1
    second = shared.get("paul", f"/holds?limit=1&after={first['next']}")
    assert second["items"][0]["position"] > first["items"][0]["position"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"matter": "x"}, 422),
        ({"matter": "x", "candidates": ["nobody-known"]}, 422),
        ({"matter": "x", "requisitions": ["nothing-known"]}, 404),
        ({"matter": "", "requisitions": ["llm-engineer"]}, 400),
        ({"id": "Not A Slug", "matter": "x", "requisitions": ["llm-engineer"]}, 400),
    ],
)
def test_a_hold_that_would_hold_nobody_is_refused(
    shared: Office, body: dict[str, Any], status: int
) -> None:
    """Whoever is misspelt would not be held."""
    assert shared.post("paul", "/holds", body).status == status


# ---------------------------------------------------------------- erasure


def test_erasure_is_refused_under_a_hold_and_the_answer_names_it(shared: Office) -> None:
    """By its id and position, without the matter."""
    shared.open("under-hold")
    placed = hold(shared, "m-over", candidates=["candidate-of-under-hold"])
    refused = erase(shared, "candidate-of-under-hold")
    assert (refused.status, refused["type"]) == (409, "urn:hireledger:problem:refused")
    (finding,) = refused["findings"]
    assert (finding["policy"], finding["positions"]) == ("legal-hold", [placed.position])
    assert "m-over" in finding["message"]
    assert "Quuxová" not in refused.text
    assert record(shared, "candidate-of-under-hold")["status"] == "on_hold"
    shared.did("paul", "/holds/m-over/release", {"reason": "Settled"})
    assert erase(shared, "candidate-of-under-hold").status == 201


def test_the_matter_of_a_hold_over_one_person_goes_with_them(shared: Office) -> None:
    """Its words and those of its release; a hold over more stays the organisation's own."""
    for loop in ("sued", "beside"):
        shared.open(loop)
    placed = hold(shared, "m-sued", candidates=["candidate-of-sued"])
    hold(shared, "m-both", candidates=["candidate-of-sued", "candidate-of-beside"])
    told = json.dumps(record(shared, "candidate-of-sued"))
    assert "Quuxová" not in told
    assert "about no person" not in told
    for slug in ("m-sued", "m-both"):
        shared.did("paul", f"/holds/{slug}/release", {"reason": "Quuxová withdrew"})
    done = erase(shared, "candidate-of-sued")
    assert (placed.status, done.status) == (201, 201)
    listed = {one["id"]: one for one in shared.get("paul", "/holds?limit=1000")["items"]}
    assert listed["m-sued"].get("matter") is None
    assert listed["m-sued"].get("reason") is None
    both = listed["m-both"]
    assert (both["matter"], both["reason"]) == ("Quuxová against us", "Quuxová withdrew")
    (whys,) = (
        one["why"]
        for one in record(shared, done["candidate"])["withheld"]
        if one["what"].startswith("What the organisation noted")
    )
    assert "an erasure does not reach it" in whys


def test_the_erased_are_found_by_handle_and_their_ids_mean_nobody(shared: Office) -> None:
    """Twice is refused, unknown is not found, and the same request gets the same answer."""
    handle = shared.open("twice")
    key = "erase-twice"
    done = shared.did("paul", "/candidates/candidate-of-twice/erasure", BASIS, key=key)
    assert done["facts"] == ["subject-erased.v1"]
    again = shared.did("paul", "/candidates/candidate-of-twice/erasure", BASIS, key=key)
    assert again.headers["idempotent-replay"] == "true"
    assert again["positions"] == done["positions"]
    assert erase(shared, "candidate-of-twice").status == 404
    by_handle = erase(shared, done["candidate"])
    assert (by_handle.status, by_handle["type"]) == (409, "urn:hireledger:problem:exists")
    assert erase(shared, "c_" + "a" * 26).status == 404
    assert shared.get("udo", "/loops/twice").status == 404
    assert shared.get("udo", f"/loops/{handle}")["erased"] == done.position


def test_nothing_personal_is_recorded_of_the_erased_and_the_rest_is(shared: Office) -> None:
    """Words are refused with the reason; what needs none is taken, and so is a new application."""
    shared.open("applies-again")
    gone = shared.did("paul", "/candidates/candidate-of-applies-again/erasure", BASIS)
    state = shared.get("paul", f"/candidates/{gone['candidate']}/record")
    (loop,) = (one["loop"]["handle"] for one in state["loops"])
    refused = shared.post("hana", f"/loops/{loop}/withdrawal", {"code": "x", "reason": "So."})
    assert refused.status == 409
    assert "was erased" in refused["detail"]
    shared.did("hana", f"/loops/{loop}/withdrawal", {"code": "x"})
    shared.did("hana", f"/loops/{loop}/closing", {"disposition": "withdrawn"})
    again = shared.open("applies-again")
    assert again != loop
    new = shared.get("udo", "/loops/applies-again")
    assert new["candidate"]["handle"] != gone["candidate"]
    assert new["candidate"]["name"] == "Nobody Inparticular"


def test_reads_say_erased_and_replays_say_what_is_gone(shared: Office) -> None:
    """State, list, timeline and single facts; every verdict is recomputed as it was."""
    positions = shared.ready("erased-loop")
    made = shared.did("dora", "/loops/erased-loop/decision", decision(positions)).position
    before = shared.get("udo", "/loops/erased-loop/replay")
    assert (before["identical"], before["gone"]) == (True, [])
    loop = before["loop"]
    at = shared.did("paul", "/candidates/candidate-of-erased-loop/erasure", BASIS).position
    state = shared.get("udo", f"/loops/{loop}")
    assert (state["erased"], state["stage"]) == (at, "decided")
    assert "name" not in state["candidate"]
    assert "id" not in state["candidate"]
    listed = shared.get("udo", f"/loops?min_position={at}&limit=1000")["items"]
    (row,) = (one for one in listed if one["loop"]["handle"] == loop)
    assert row["erased"] == at
    steps = shared.get("udo", f"/loops/{loop}/timeline")["steps"]
    (last,) = (step for step in steps if step["fact"]["position"] == at)
    assert last["changed"]["candidate"] == {"before": None, "after": "erased"}
    told = [
        v for s in steps if s["fact"]["position"] < at for v in s["fact"].get("values", {}).values()
    ]
    assert told
    assert set(told) == {None}
    assert shared.get("udo", f"/facts/{made}")["values"] == {"/reasons/0/text": None}
    after = shared.get("udo", f"/loops/{loop}/replay")
    assert after["identical"]
    assert set(positions) <= set(after["gone"])
    assert json.dumps(after["intents"]) == json.dumps(before["intents"])


# ---------------------------------------------------------------- the person's own record


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
    shared.did("dora", "/loops/own/decision", {"decision": "hire", "reasons": reasons})
    shared.did("udo", f"/facts/{positions[0]}/correction", {"text": "The date was wrong."})
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
    (corrected,) = entries(told, "fact-corrected.v1")
    assert corrected["values"][0]["words"] == "The date was wrong."


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


def test_nobody_without_the_role_erases_holds_or_reads_records(shared: Office) -> None:
    """Neither an administrator, nor an auditor, nor who hires."""
    shared.open("asked-by-others")
    path = "/candidates/candidate-of-asked-by-others"
    for who in ("hana", "udo", "adam", "dora", "frida"):
        assert shared.post(who, f"{path}/erasure", BASIS).status == 403
        assert shared.get(who, f"{path}/record").status == 403
        held = {"matter": "x", "requisitions": ["llm-engineer"]}
        assert shared.post(who, "/holds", held).status == 403
    assert shared.get("hana", "/holds").status == 403
