"""Ledgers that nobody touched: fsck finds nothing, whatever was recorded and whoever records."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checked import fscked, said_of
from domain.values import make_handle
from ledger.database import Database
from ledger.requests import Request, Requests
from office import Office, decision, open_office


def test_an_empty_ledger_is_sound(database: Database, tmp_path: Path) -> None:
    """Nothing recorded but what every ledger begins with."""
    with open_office(database, tmp_path) as office:
        report = fscked(office.ledger)
    assert report.sound, said_of(report)
    assert report.facts == 2


def test_a_loop_from_opening_to_decision_is_sound(office: Office) -> None:
    """Evidence, a gate, a recommendation, a refused and an accepted decision, and a correction."""
    office.open("refused")
    assert office.post("dora", "/loops/refused/decision", decision()).status == 409
    cites = office.ready("a")
    office.did("dora", "/loops/a/decision", decision(cites))
    office.did("udo", f"/facts/{cites[0]}/correction", {"text": "It was the other one."})
    report = fscked(office.ledger)
    assert report.sound, said_of(report)
    assert report.facts == office.ledger_head()
    assert report.rows["bases"] == 3


def test_a_ledger_with_an_erased_person_is_sound(office: Office) -> None:
    """Their digests have no rows any more, as it must be; those of others are all there."""
    cites = office.ready("a")
    office.open("b")
    office.did("dora", "/loops/a/decision", decision(cites))
    before = fscked(office.ledger).rows["disclosures"]
    erasure = {"legal_basis": "They asked."}
    erased = office.did("paul", "/candidates/candidate-of-a/erasure", erasure).position
    report = fscked(office.ledger)
    assert report.sound, said_of(report)
    assert report.rows["disclosures"] < before
    # What was held and why somebody was erased are the organisation's words, corrections too.
    matter = {"id": "m-7", "matter": "A claim.", "candidates": ["candidate-of-b"]}
    held = office.did("paul", "/holds", matter).position
    office.did("paul", "/holds/m-7/release", {"reason": "It was settled."})
    office.did("paul", "/candidates/candidate-of-b/erasure", erasure)
    for position in (erased, held):
        office.did("udo", f"/facts/{position}/correction", {"text": "It was another day."})
    report = fscked(office.ledger)
    assert report.sound, said_of(report)


def test_a_ledger_that_is_being_written_is_sound_whenever_it_is_asked(office: Office) -> None:
    """Each run looks at what was committed when it began, facts and side rows together."""
    stop, seen = threading.Event(), list[int]()

    def write() -> None:
        number = 0
        while not stop.is_set():
            office.open(f"loop-{(number := number + 1)}")

    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(write)
        try:
            for _ in range(6):
                report = fscked(office.ledger)
                assert report.sound, said_of(report)
                seen.append(report.facts)
        finally:
            stop.set()
        writing.result()
    assert seen == sorted(seen)
    assert seen[0] < seen[-1]


def test_a_ledger_from_before_ids_of_requests_said_anything_is_sound(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their random ids are counted in a note, and what came later is checked."""
    with monkeypatch.context() as before:
        before.setattr(Requests, "cause", _random_cause)
        with open_office(database, tmp_path) as office:
            office.furnish()
    with open_office(database, tmp_path) as office:
        office.service = office.admin
        first = fscked(office.ledger)
        (note,) = first.notes
        assert f"{first.rows['requests']} requests" in note
        for name in ("noor", "nils"):
            body = {"id": name, "name": name, "roles": ["interviewer"]}
            assert office.call("POST", "/v1/people", body, key=name).status == 201
        last = fscked(office.ledger)
        assert last.notes == first.notes
        with office.ledger.database.connect("owner") as connection:
            connection.execute("alter table requests disable trigger all")
            connection.execute(
                "update requests set body_hmac = sha256(body_hmac) where %s = any(positions)",
                [last.facts],
            )
            connection.execute("alter table requests enable trigger all")
            connection.execute("alter table requests enable always trigger requests_stay")
        found = fscked(office.ledger)
        assert [(one.check, one.position) for one in found.problems] == [("requests", last.facts)]


def _random_cause(_: Requests, __: Request) -> str:
    return make_handle("r", os.urandom(16))
