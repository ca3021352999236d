"""Several serving processes over one store: each decision is made once, and none waits for ever."""

import secrets
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import ledger.append
import ledger.publish
from domain import commands as c
from domain.refusals import RefusedByRule
from hall import Hall, open_hall
from ledger.asked import Done
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.group import Group
from ledger.ledger import Ledger
from ledger.personal.keyring import KeyRing
from ledger.publish import Publishing
from office import Answer, Office, decision, rules
from served import Serve
from set_back import set_back

LOOPS = 4
ATTEMPTS = 8


@pytest.fixture
def offices(server: Embedded, serve: Serve, tmp_path: Path) -> Generator[list[Office]]:
    """Two serving processes on one ledger, as two offices with the same staff and service."""
    schema, url = f"t_{secrets.token_hex(6)}", server.superuser_url()
    data = tmp_path / "data"
    processes = [serve(data=data, database=url, schema=schema) for _ in range(2)]
    database = Database.external(url, schema)
    with Ledger(database, KeyRing.open(data / "keys"), rules(), Publishing.of(data)) as own:
        made: list[Office] = []
        for process in processes:
            client = httpx.Client(base_url=process.address, timeout=60, trust_env=False)
            made.append(Office(own, client, process.admin, number=1000 * len(made)))
        made[0].furnish()
        made[1].service, made[1].people = made[0].service, made[0].people
        yield made
        for office in made:
            office.client.close()


def types(office: Office) -> list[str]:
    """The type of every fact, in order, after a look at the positions."""
    with office.ledger.database.connect("runtime") as connection:
        rows = connection.execute("SELECT position, type FROM facts ORDER BY position").fetchall()
    assert [position for position, _ in rows] == list(range(1, len(rows) + 1))
    return [type_ for _, type_ in rows]


def at_once(calls: list[Any]) -> list[Answer]:
    """Every call from a thread of its own, let go together."""
    gate = threading.Barrier(len(calls))

    def go(call: Any) -> Answer:
        gate.wait()
        answer: Answer = call()
        return answer

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(go, calls))


def test_two_servers_that_race_to_decide_make_one_decision(offices: list[Office]) -> None:
    """Of attempts through both at one instant one is made and each other recorded as refused."""
    cites = {f"app-{n}": offices[n % 2].ready(f"app-{n}") for n in range(LOOPS)}
    for loop, cited in cites.items():

        def attempt(n: int, loop: str = loop, cited: list[int] = cited) -> Answer:
            key = f"race-{loop}-{n}"
            return offices[n % 2].post("dora", f"/loops/{loop}/decision", decision(cited), key=key)

        answers = at_once([lambda n=n: attempt(n) for n in range(ATTEMPTS)])
        assert sorted(a.status for a in answers) == [201] + [409] * (ATTEMPTS - 1)
    recorded = types(offices[0])
    assert recorded.count("decision-made.v1") == LOOPS
    assert recorded.count("decision-refused.v1") == LOOPS * (ATTEMPTS - 1)
    for number, office in enumerate(offices):
        office.open(f"after-{number}")


def test_one_request_sent_to_both_servers_at_once_is_recorded_once(offices: list[Office]) -> None:
    """Both answer 201 with the same positions, whichever of them was first."""
    offices[0].open("app-1")
    before = len(types(offices[0]))
    for n in range(20):
        body = {"code": "other-offer", "reason": f"Time number {n}."}

        def send(which: int, n: int = n, body: dict[str, str] = body) -> Answer:
            return offices[which].post("hana", "/loops/app-1/withdrawal", body, key=f"both-{n}")

        one, other = at_once([lambda which=which: send(which) for which in (0, 1)])
        assert (one.status, other.status) == (201, 201), (one.text, other.text)
        assert one.body == other.body
        replays = [a.headers.get("idempotent-replay") for a in (one, other)]
        assert replays.count("true") == 1
    assert len(types(offices[0])) == before + 20


def test_a_process_that_freezes_while_it_records_holds_up_nobody_for_long(
    server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its session ends, others go on, and what it was about to record is not there."""
    monkeypatch.setattr(
        ledger.append, "_FROZEN", "SET idle_in_transaction_session_timeout = '500ms'"
    )
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    thawed = threading.Event()
    write = Group.write

    def freeze(group: Group) -> None:
        """Holds the lock, and does not come back."""
        if threading.current_thread() is frozen_thread:
            assert thawed.wait(30)
        write(group)

    others = set(_writers())
    with open_hall(database, tmp_path) as frozen:
        (frozen_thread,) = set(_writers()) - others
        monkeypatch.setattr(Group, "write", freeze)
        stuck = frozen.ledger.submit(frozen.a_stranger())
        with Ledger(
            database, KeyRing.open(tmp_path / "keys"), rules(), Publishing.of(tmp_path)
        ) as other:
            time.sleep(0.2)
            began = time.monotonic()
            done = other.submit(Hall(other).a_stranger()).result(30)
            print(f"went on after {time.monotonic() - began:.2f} s")
            assert isinstance(done, Done)
        thawed.set()
        after = stuck.result(30).recorded[0].position
        assert after == done.recorded[0].position + 1


def _writers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "hireledger-writer"]


def test_a_store_that_lost_its_last_facts_is_read_as_it_is_now(
    server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fail-over to a replica that lagged behind nothing is decided on what it never had."""
    # What was lost must not be signed yet: had it been, nothing would be decided at all.
    monkeypatch.setattr(ledger.publish, "PAUSE_SECONDS", 60.0)
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    with open_hall(database, tmp_path) as hall:
        hall.open_requisition("r-1")
        hall.did(
            "hana",
            c.OpenLoop,
            {
                "id": "app-1",
                "requisition": "r-1",
                "candidate": {"id": "someone"},
                "scorecard": {"id": "llm", "version": 1},
                "posting": {"id": "r-1", "version": 1},
            },
        )
        kept = hall.head()
        hall.did("hana", c.ReportWithdrawal, {"loop": "app-1", "code": "no-time"})
        hall.did("hana", c.OpenDebrief, {"loop": "app-1"})
        set_back(server, database.schema, kept)
        (recorded,) = hall.did("hana", c.OpenDebrief, {"loop": "app-1"})
        assert recorded.position == kept + 1
        with pytest.raises(RefusedByRule, match="needs the candidate's withdrawal"):
            hall.did("hana", c.CloseLoop, {"loop": "app-1", "disposition": "withdrawn"})
