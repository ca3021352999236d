"""An imported case over HTTP: it stands for whom it is about, held, told and erased by itself."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.commands import AttributeSpec, ImportRecord
from ledger.asked import Asked, as_system
from ledger.embedded.server import Embedded
from office import Office
from secrecy import found_in, tables_of

CASE = "old:archive:cand+ines@quux"
NAME = "Ines Imported-Quux"
CLERK = "Clemens Clerk-Quux"
SECRETS = [CASE, NAME, CLERK]
_SYSTEM = as_system("administrator")


def copied(office: Office, place: int) -> int:
    """An event of the case, as an import records it; its position."""
    command = ImportRecord(
        system="old",
        log="archive",
        case=CASE,
        place=place,
        activity="Screening",
        claimed_at=datetime(2015, 1, 5, tzinfo=UTC),
        resource=CLERK,
        attributes=(AttributeSpec(name="age", value=NAME),) if place == 0 else (),
    )
    asked = Asked(command, _SYSTEM, f"import-{place}", b"")
    return office.ledger.submit(asked).result(30).recorded[0].position


@pytest.fixture
def events(office: Office) -> list[int]:
    """The positions of a case of two events."""
    return [copied(office, place) for place in (0, 1)]


def test_a_case_has_a_record_of_what_is_held(office: Office, events: list[int]) -> None:
    """By the id that it was imported under: its events, with what is withheld and why."""
    record = office.get("paul", f"/candidates/{CASE}/record")
    assert record["candidate"]["id"] == CASE
    assert (record["status"], record["loops"]) == ("held", [])
    assert [entry["position"] for entry in record["further"]] == events
    age, clerk = record["further"][0]["values"][::-1]
    assert {(v["state"], v["why"]) for v in (age, clerk)} == {
        ("withheld", "self_identification"),
        ("withheld", "others"),
    }
    assert CLERK not in record.text
    handle = record["candidate"]["handle"]
    again = office.get("paul", f"/candidates/{handle}/record")
    assert [one["what"] for one in again["viewed"]]
    assert office.get("udo", f"/candidates/{CASE}/record").status == 403
    loop = office.open("one")
    for nobody in (loop, "one", "l_" + "a" * 26):
        assert office.get("paul", f"/candidates/{nobody}/record").status == 404


def test_a_case_is_erased_once_no_hold_stands(
    office: Office, events: list[int], server: Embedded, tmp_path: Path
) -> None:
    """What was copied stays provable; of the words nothing is left in any table."""
    office.did("paul", "/holds", {"id": "m-1", "matter": "x", "candidates": [CASE]})
    wanted = {"legal_basis": "Art. 17"}
    refused = office.post("paul", f"/candidates/{CASE}/erasure", wanted)
    assert (refused.status, refused.policies()) == (409, {"legal-hold"})
    assert office.get("paul", f"/candidates/{CASE}/record")["status"] == "on_hold"
    before = office.get("udo", f"/facts/{events[0]}")
    office.did("paul", "/holds/m-1/release", {"reason": "over"})
    erased = office.did("paul", f"/candidates/{CASE}/erasure", wanted)

    schema = office.ledger.database.schema
    tables = tables_of(server.superuser_url(), [schema, f"{schema}_views"])
    assert found_in(tables, SECRETS, tmp_path) == set()
    with office.ledger.reading() as group:
        subject = [erased["candidate"], f"self-identification:{erased['candidate']}"]
        for table in ("subject_keys", "disclosures", "aliases"):
            asked = f"select count(*) from {schema}.{table} where subject = any(%s)"
            assert group.cur.execute(asked.encode(), [subject]).fetchone() == (0,), table
    after = office.get("udo", f"/facts/{events[0]}")
    assert after["leaf"] == before["leaf"]
    assert CLERK in before.text
    assert not any(words in after.text for words in SECRETS)
    assert office.get("paul", f"/candidates/{CASE}/record").status == 404
    record = office.get("paul", f"/candidates/{erased['candidate']}/record")
    assert (record["status"], record["erased"]) == ("erased", erased.position)
    assert {v["state"] for v in record["further"][0]["values"]} == {"erased"}
    again = office.post("paul", f"/candidates/{erased['candidate']}/erasure", wanted)
    assert again.status == 409


def test_a_correction_of_a_case_goes_with_it(office: Office, events: list[int]) -> None:
    """It is about the same person; once they are erased, nothing more is noted of them."""
    path = f"/facts/{events[0]}/correction"
    corrected = office.did("udo", path, {"text": f"{NAME} was not there."}).position
    assert NAME in office.get("udo", f"/facts/{corrected}").text
    office.did("paul", f"/candidates/{CASE}/erasure", {"legal_basis": "Art. 17"})
    assert NAME not in office.get("udo", f"/facts/{corrected}").text
    assert office.post("udo", path, {"text": "More."}).status == 409


def test_a_read_of_a_case_is_not_a_place_for_words_once_it_is_erased(
    office: Office, events: list[int]
) -> None:
    """The note that somebody read is about them too, though it is of no loop."""
    assert events
    office.get("paul", f"/candidates/{CASE}/record")
    noted = office.ledger_head()
    erased = office.did("paul", f"/candidates/{CASE}/erasure", {"legal_basis": "Art. 17"})
    assert erased.position > noted
    refused = office.post("udo", f"/facts/{noted}/correction", {"text": NAME})
    assert refused.status == 409, refused.text


def test_a_loop_and_a_case_never_share_an_id(office: Office, events: list[int]) -> None:
    """Else the erasure of the one would take the ids of the other, whatever hold stands."""
    assert events
    handle = office.get("paul", f"/candidates/{CASE}/record")["candidate"]["handle"]
    office.open("one")
    opening = {
        "requisition": "llm-engineer",
        "candidate": {"id": "cand-2"},
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "llm-engineer", "version": 1},
    }
    for taken in (CASE, handle):
        refused = office.post("hana", "/loops", opening | {"id": taken})
        assert refused.status == 409, refused.text
        assert "imported under this id" in refused["detail"]
    office.did("paul", f"/candidates/{CASE}/erasure", {"legal_basis": "Art. 17"})
    refused = office.post("hana", "/loops", opening | {"id": handle})
    assert refused.status == 409, refused.text
    # The id itself leads to nobody any more, and is free.
    office.did("hana", "/loops", opening | {"id": CASE})


def test_who_could_be_meant_twice_is_nobody(office: Office, events: list[int]) -> None:
    """An id of a candidate and of a case: the handle says which."""
    assert events
    handle = office.get("paul", f"/candidates/{CASE}/record")["candidate"]["handle"]
    opening = {
        "id": "one",
        "requisition": "llm-engineer",
        "candidate": {"id": CASE},
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "llm-engineer", "version": 1},
    }
    office.did("hana", "/loops", opening)
    wanted = {"legal_basis": "Art. 17"}
    assert office.post("paul", f"/candidates/{CASE}/erasure", wanted).status == 422
    assert office.get("paul", f"/candidates/{CASE}/record").status == 400
    hold = {"matter": "x", "candidates": [CASE]}
    assert office.post("paul", "/holds", hold).status == 422
    assert office.did("paul", f"/candidates/{handle}/erasure", wanted)["candidate"] == handle


def test_the_list_of_loops_goes_on_after_a_case_was_erased(
    office: Office, events: list[int]
) -> None:
    """The erasure has the tag of a loop that nobody opened; no list is the worse for it."""
    assert events
    office.did("paul", f"/candidates/{CASE}/erasure", {"legal_basis": "Art. 17"})
    office.open("one")
    listed = office.get("udo", f"/loops?min_position={office.ledger_head()}")
    assert [one["loop"]["id"] for one in listed["items"]] == ["one"]
    ready = office.call("GET", "/health/ready")
    assert {one["lag_facts"] for one in ready["projections"]} == {0}
