"""Commands that wait together are committed together; what is wrong with one is its own affair."""

import io
import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from api.logs import configure_lines
from domain import commands as c
from domain.case import Case, Found
from domain.refusals import Refusal, RefusedByRule
from hall import Hall, made
from ledger.accept import accept
from ledger.asked import Done, Unavailable
from ledger.embedded.server import Embedded
from ledger.errors import SubjectKeyError
from ledger.ledger import Ledger
from office import Office

Held = Callable[[Ledger], AbstractContextManager[None]]


def opening(loop: str, **more: Any) -> c.OpenLoop:
    """A loop to open."""
    body = {
        "id": loop,
        "requisition": "r-1",
        "candidate": {"id": f"candidate-of-{loop}", "name": "Nobody Inparticular"},
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "r-1", "version": 1},
    }
    return made(c.OpenLoop, body | more)


def withdrawal(loop: str) -> c.ReportWithdrawal:
    """The candidate of a loop leaves, and says something."""
    return c.ReportWithdrawal(loop=loop, code="other-offer", reason="A nicer team elsewhere.")


def groups_of(hall: Hall, server: Embedded, first: int) -> int:
    """How many transactions recorded the facts from a position on."""
    with psycopg.connect(server.superuser_url()) as connection:
        schema = hall.ledger.database.schema
        query = f"SELECT count(DISTINCT xmin::text) FROM {schema}.facts WHERE position >= %s"
        return int(connection.execute(query.encode(), [first]).fetchall()[0][0])


def test_what_waits_together_is_committed_together(
    hall: Hall, held: Held, server: Embedded
) -> None:
    """Twenty commands that waited for the lock are one transaction, at dense positions."""
    with held(hall.ledger):
        waiting = [hall.ask("hana", opening(f"app-{n}")) for n in range(20)]
    positions = [one.result(30).recorded[0].position for one in waiting]
    assert positions == list(range(positions[0], positions[0] + 20))
    assert groups_of(hall, server, positions[0]) == 1


def test_a_caller_who_gives_up_spoils_no_neighbour(hall: Hall, held: Held) -> None:
    """A future that its owner cancels leaves the others their answers, and is recorded itself."""
    with held(hall.ledger):
        first = hall.ask("hana", opening("app-1"))
        given_up = hall.ask("hana", opening("app-2"))
        last = hall.ask("hana", opening("app-3"))
        given_up.cancel()
    assert isinstance(first.result(30), Done)
    assert isinstance(last.result(30), Done)
    with pytest.raises(Refusal):
        hall.ask("hana", opening("app-2")).result(30)


def test_a_subject_whose_key_was_damaged_spoils_no_neighbour(
    hall: Hall, held: Held, server: Embedded
) -> None:
    """The command whose words cannot be sealed fails with its reason; the others are recorded."""
    for loop in ("app-1", "app-2"):
        hall.ask("hana", opening(loop)).result(30)
    with hall.ledger.reading() as group:
        damaged = group.store.aliases.find(group.cur, "candidate", "candidate-of-app-2")
    with psycopg.connect(server.superuser_url()) as connection:
        query = "UPDATE {}.subject_keys SET wrapped = '\\x00' || wrapped WHERE subject = %s"
        connection.execute(query.format(hall.ledger.database.schema).encode(), [damaged])
    with held(hall.ledger):
        waiting = [hall.ask("hana", withdrawal(loop)) for loop in ("app-1", "app-2")]
        waiting.append(hall.ask("hana", opening("app-3")))
    assert isinstance(waiting[0].result(30), Done)
    with pytest.raises(SubjectKeyError):
        waiting[1].result(30)
    assert isinstance(waiting[2].result(30), Done)


@pytest.mark.parametrize("state", ["XX001", "42501", "23514", "0A000", "54000"])
def test_a_row_that_the_store_will_not_take_spoils_no_neighbour(
    hall: Hall, held: Held, server: Embedded, state: str
) -> None:
    """Whatever the store has against one command's row, it is told of that command alone."""
    hall.ask("hana", opening("app-1")).result(30)
    schema = hall.ledger.database.schema
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(
            f"""CREATE FUNCTION {schema}.picky() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF NEW.type = 'candidate-withdrew.v1' THEN
            RAISE EXCEPTION 'not this one' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER picky BEFORE INSERT ON {schema}.facts
            FOR EACH ROW EXECUTE FUNCTION {schema}.picky()""".encode()
        )
    with held(hall.ledger):
        before = hall.ask("hana", opening("app-2"))
        refused = hall.ask("hana", withdrawal("app-1"))
        after = hall.ask("hana", opening("app-3"))
    assert isinstance(before.result(30), Done)
    with pytest.raises((psycopg.Error, Unavailable)):
        refused.result(30)
    assert isinstance(after.result(30), Done)


def test_a_rule_that_raises_refuses_with_its_id_and_alerts(
    hall: Hall, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate is refused by the broken rule, a line says which, and a neighbour is recorded."""
    lines = io.StringIO()
    broken = hall.ledger.rules.current["dissent-answered"]

    def raises(case: Case, _: object) -> Iterator[Found]:
        raise ZeroDivisionError(f"about {case.loop.handle}")

    rules = hall.ledger.rules
    monkeypatch.setitem(rules.rules, (broken.id, broken.version), replace(broken, check=raises))
    hall.ask("hana", opening("app-1")).result(30)
    configure_lines(lines)
    with held(hall.ledger):
        gate = hall.ask("hana", c.PassEvidenceGate(loop="app-1"))
        other = hall.ask("hana", opening("app-2"))
    (refusal,) = gate.result(30).recorded
    configure_lines()
    found: Any = refusal.fact
    (failed,) = (one for one in found.judged.receipts if one.policy == "dissent-answered")
    assert (failed.verdict, failed.findings[0].enforcement) == ("refused", "block")
    assert isinstance(other.result(30), Done)
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    alerts = [one for one in told if one.get("policy") == "dissent-answered"]
    assert {(one["level"], one["error"]) for one in alerts} == {("error", "ZeroDivisionError")}


def test_a_retry_that_arrives_while_its_first_is_committed_is_told_what_it_recorded(
    hall: Hall,
) -> None:
    """A key spent after the log's head was read still finds its facts, not nothing or others'."""
    command = opening("app-1")
    with hall.ledger.reading() as group:
        done = hall.ask("hana", command, key="same").result(30)
        again = accept(hall.asked("hana", command, key="same"), group, hall.ledger.rules)
    assert again.replayed
    assert again.recorded == done.recorded


def test_a_command_sent_while_the_ledger_closes_is_answered(hall: Hall) -> None:
    """Recorded or refused as not recorded, but never left without an answer."""
    waiting = [hall.ask("hana", opening(f"app-{n}")) for n in range(5)]
    hall.ledger.close()
    late = hall.ask("hana", opening("late"))
    with pytest.raises(Unavailable) as refused:
        late.result(5)
    assert refused.value.recorded is False
    assert all(isinstance(one.result(5), Done) for one in waiting)


def test_a_refused_command_among_others_is_refused_alone(hall: Hall, held: Held) -> None:
    """A group decides in order: of two that take one id the second is refused, the rest stand."""
    with held(hall.ledger):
        first = hall.ask("hana", opening("app-1"))
        second = hall.ask("hana", opening("app-1"))
        unapproved = {"id": "llm", "version": 2}
        third = hall.ask("hana", opening("app-2", scorecard=unapproved))
        fourth = hall.ask("hana", withdrawal("app-1"))
    assert first.result(30).recorded[0].position + 1 == fourth.result(30).recorded[0].position
    with pytest.raises(Refusal) as taken:
        second.result(30)
    assert taken.value.code == "exists"
    with pytest.raises(RefusedByRule):
        third.result(30)


def test_a_batch_whose_caller_hangs_up_spoils_no_neighbour(office: Office) -> None:
    """Others are answered as if nothing had happened, and what was sent can be asked for again."""
    office.open("one")
    lines: list[dict[str, Any]] = [
        {"key": f"gone-{n}", "actor": "hana", "path": "/v1/loops/one/debrief", "body": {}}
        for n in range(50)
    ]
    sent = "\n".join(json.dumps(line) for line in lines).encode() + b"\n"
    url = office.client.base_url
    head = (
        f"POST /v1/batch HTTP/1.1\r\nHost: {url.host}\r\nAuthorization: Bearer {office.service}\r\n"
        f"Content-Type: application/x-ndjson\r\nContent-Length: {len(sent)}\r\n\r\n"
    ).encode()
    with ThreadPoolExecutor(8) as callers:
        others = [callers.submit(office.did, "hana", "/loops/one/debrief") for _ in range(20)]
        for _ in range(5):
            with socket.create_connection((url.host, url.port or 80)) as caller:
                caller.sendall(head + sent)
        others += [callers.submit(office.did, "hana", "/loops/one/debrief") for _ in range(20)]
        positions = {one.result().position for one in others}
    assert len(positions) == 40
    ndjson = {"Content-Type": "application/x-ndjson"}
    again = office.call("POST", "/v1/batch", headers=ndjson, content=sent)
    results = [json.loads(line) for line in again.text.splitlines()]
    assert [one["status"] for one in results] == [201] * 50
    recorded = {one["positions"][0] for one in results}
    assert len(recorded) == 50
    assert not recorded & positions
    types = [f["type"] for f in office.get("udo", "/facts?loop=one&limit=1000")["items"]]
    assert types.count("debrief-opened.v1") == 90
