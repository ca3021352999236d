"""The store commits and its answer is lost on the way: a 503 that a retry with the key resolves."""

import json
import secrets
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

import api.desk
import ledger.append
from fault_proxy import Fault, FaultProxy, socket_directory
from ledger.database import Database
from ledger.embedded.server import Embedded
from office import EVIDENCE, Office, open_office


class Wired(NamedTuple):
    """A served ledger whose store is reached through a proxy, and the way around it."""

    office: Office
    proxy: FaultProxy
    url: str
    schema: str

    def person(self, name: str, **more: Any) -> Any:
        """Registers somebody."""
        body = {"id": name, "name": f"{name.title()} Invented", "roles": ["interviewer"]}
        return self.office.call("POST", "/v1/people", body, key=f"register-{name}", **more)

    def recorded(self, kind: str) -> int:
        """How many facts of a type the log has, asked of the store itself."""
        with psycopg.connect(self.url) as connection:
            query = f"SELECT count(*) FROM {self.schema}.facts WHERE type = %s"
            return int(connection.execute(query.encode(), [kind]).fetchall()[0][0])


@pytest.fixture
def wired(server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Wired]:
    """A ledger that loses patience with a silent store after a second."""
    monkeypatch.setattr(ledger.append, "SILENT_SECONDS_MAX", 1.0)
    url, schema = server.superuser_url(), f"t_{secrets.token_hex(6)}"
    with FaultProxy(socket_directory(url)) as proxy:
        database = Database.external(proxy.url(url), schema)
        database.prepare()
        with open_office(database, tmp_path) as office:
            yield Wired(office, proxy, url, schema)


@pytest.mark.parametrize("fault", ["cut before", "cut answer", "swallow answer"])
def test_a_retry_tells_what_became_of_a_commit_whose_answer_was_lost(
    wired: Wired, fault: Fault
) -> None:
    """503 says that the outcome is unknown; the same key then gives the one set of facts."""
    assert wired.person("ada").status == 201
    wired.proxy.fault = fault
    began = time.monotonic()
    lost = wired.person("bea")
    print(f"503 after {time.monotonic() - began:.2f} s")
    assert wired.proxy.met == 1
    assert (lost.status, lost["type"]) == (503, "urn:hireledger:problem:unavailable")
    assert "unknown" in lost["detail"]
    took_place = fault != "cut before"
    assert wired.recorded("person-registered.v1") == 1 + took_place
    told = wired.person("bea")
    assert told.status == 201
    assert (told.headers.get("idempotent-replay") == "true") is took_place
    assert wired.recorded("person-registered.v1") == 2
    assert wired.person("cy").position == told.position + 1


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_everybody_in_the_group_is_told_that_it_is_unknown(wired: Wired) -> None:
    """A batch committed at once: each line is 503, and each retry finds its own facts."""
    lines: list[dict[str, Any]] = [
        {"key": f"line-{n}", "path": "/v1/people", "body": {"id": f"p-{n}", "roles": []}}
        for n in range(20)
    ]
    sent = "\n".join(json.dumps(line) for line in lines).encode()
    ndjson = {"Content-Type": "application/x-ndjson"}

    def batch() -> list[dict[str, Any]]:
        answer = wired.office.call("POST", "/v1/batch", headers=ndjson, content=sent)
        assert answer.status == 200
        return [json.loads(line) for line in answer.text.splitlines()]

    wired.proxy.fault = "cut answer"
    first = batch()
    assert len(first) == len(lines)
    assert {one["status"] for one in first} <= {201, 503}
    assert 503 in {one["status"] for one in first}
    again = batch()
    assert [one["status"] for one in again] == [201] * len(lines)
    assert wired.recorded("person-registered.v1") == len(lines)
    positions = [one["positions"][0] for one in again]
    assert sorted(positions) == list(range(min(positions), min(positions) + len(lines)))


def test_a_batch_outlives_a_store_that_goes_away_in_its_midst(wired: Wired) -> None:
    """Every line still gets its result: what is recorded 201, the rest 503, none missing."""
    assert wired.person("ada", token=wired.office.admin).status == 201
    service = {"service": "ats", "roles": ["recorder"]}
    token = wired.office.call("POST", "/v1/keys", service, key="service")["key"]

    def lines() -> Generator[bytes]:
        for n in range(40):
            if n == 20:
                # Ada, her roles, and twenty lines. The one writer has answered them all once it
                # answers whoever comes after them.
                _wait_until(lambda: wired.recorded("person-registered.v1") >= 22)
                assert wired.person("between").status == 201
                wired.proxy.refusing = True
                wired.proxy.cut()
            body = {"id": f"p-{n}", "roles": ["interviewer"]}
            line = {"key": f"line-{n}", "actor": "ada", "path": "/v1/people", "body": body}
            yield json.dumps(line).encode() + b"\n"

    roles = {"roles": ["administrator"]}
    assert wired.office.call("POST", "/v1/people/ada/roles", roles, key="roles").status == 201
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    url = f"{wired.office.client.base_url}/v1/batch"
    answer = wired.office.client.post(url, headers=headers, content=lines())
    wired.proxy.refusing = False
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["key"] for one in results] == [f"line-{n}" for n in range(40)]
    assert {one["status"] for one in results} <= {201, 503}
    assert [one["status"] for one in results[:20]] == [201] * 20
    assert results[-1]["status"] == 503
    _wait_until(lambda: wired.person("last").status == 201)


def _patiently(*_: object) -> None:
    """In place of what loses patience."""


def test_a_store_that_makes_everybody_wait_is_a_503_and_a_retry_tells(
    wired: Wired, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waited too long for the log's lock hears that it is unknown; it is recorded later."""
    monkeypatch.setattr(api.desk, "OUTCOME_SECONDS_MAX", 0.3)
    monkeypatch.setattr("ledger._patience.Patience.begin", _patiently)
    assert wired.person("ada").status == 201
    log = wired.office.ledger
    with log.database.connect("runtime") as connection, connection.cursor() as cur:
        log.store.recorder.lock(cur)
        began = time.monotonic()
        late = wired.person("bea")
        assert (late.status, "unknown" in late["detail"]) == (503, True)
        assert time.monotonic() - began < 10
    _wait_until(lambda: wired.recorded("person-registered.v1") == 2)
    assert wired.person("bea").headers["idempotent-replay"] == "true"


def test_a_reader_is_not_answered_before_the_note_of_it_is_recorded(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing can be recorded, nobody is shown what must be noted: 503, and no words."""
    monkeypatch.setattr(api.desk, "OUTCOME_SECONDS_MAX", 0.3)
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    log = office.ledger
    with log.database.connect("runtime") as connection, connection.cursor() as cur:
        log.store.recorder.lock(cur)
        shown = office.get("hana", f"/loops/one/feedback/{position}")
        assert shown.status == 503
        assert EVIDENCE not in shown.text
    assert office.get("hana", f"/loops/one/feedback/{position}").status == 200
