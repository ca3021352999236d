"""Holds and erasure, as a privacy officer calls them."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from ledger.database import Database
from ledger.embedded.server import Embedded
from office import Office, decision, open_office
from privacy import BASIS, erase, hold, record


@pytest.fixture(scope="module")
def shared(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    """One served ledger for all tests of this file; each opens loops of its own."""
    database = Database.embedded(server, schema="t_privacy")
    database.prepare()
    directory: Path = tmp_path_factory.mktemp("privacy")
    with open_office(database, directory) as office:
        office.furnish()
        yield office


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
