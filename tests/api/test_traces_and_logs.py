"""Traces and lines of real requests: one span a request, one a command, its steps below it."""

import io
import json
import secrets
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from api import telemetry
from collector import collecting
from domain.case import Case, Found
from ledger.database import Database
from ledger.embedded.server import Embedded
from office import Office, decision, open_office

SECRETS = ("Zdenka Quux", "zdenka-quux-4711", "quux@example.org", "Saw her mend the quux herself")


class Traced:
    """What a collector would have got, sorted into traces, and the lines beside it."""

    def __init__(self, kept: InMemorySpanExporter, lines: io.StringIO) -> None:
        self._kept = kept
        self._lines = lines

    def clear(self) -> None:
        """Forget what came until now."""
        self._kept.clear()
        self._lines.truncate(self._lines.seek(0))

    def traces(self) -> list[list[ReadableSpan]]:
        """Every request's trace as its spans in the order in which they began, the root first."""
        self.settle()
        found: dict[int, list[ReadableSpan]] = {}
        for span in self._kept.get_finished_spans():
            found.setdefault(context(span).trace_id, []).append(span)
        traces = [sorted(spans, key=_began) for spans in found.values()]
        # A pool that opens one more connection does so for nobody in particular.
        return [spans for spans in traces if spans[0].kind is SpanKind.SERVER]

    def settle(self) -> None:
        """A caller has the answer a moment before the request's own span ends."""
        before = -1
        while (now := len(self._kept.get_finished_spans())) != before:
            before = now
            time.sleep(0.25)

    def lines(self) -> list[dict[str, Any]]:
        """Every line, as JSON."""
        return [json.loads(line) for line in self._lines.getvalue().splitlines()]

    def text(self) -> str:
        """Everything, to be searched."""
        spans = "".join(one.to_json() for one in self._kept.get_finished_spans())
        return spans + self._lines.getvalue()


def _began(span: ReadableSpan) -> tuple[bool, int]:
    return span.parent is not None, span.start_time or 0


def context(span: ReadableSpan) -> trace.SpanContext:
    """A span's own ids."""
    found = span.get_span_context()
    assert found is not None
    return found


def children(spans: list[ReadableSpan], parent: ReadableSpan) -> list[ReadableSpan]:
    """The spans right below one."""
    mine = context(parent).span_id
    return [one for one in spans if one.parent is not None and one.parent.span_id == mine]


def names(spans: list[ReadableSpan]) -> list[str]:
    """Their names, in order."""
    return [one.name for one in spans]


@pytest.fixture
def traced(office: Office) -> Generator[Traced]:
    """The office's ledger with one loop, from now on traced."""
    office.open("one")
    kept, lines = InMemorySpanExporter(), io.StringIO()
    telemetry.configure(None, lines, exporter=kept)
    told = Traced(kept, lines)
    told.settle()  # what furnished the office may still be ending
    told.clear()
    yield told
    telemetry.close()
    telemetry.configure(None)


def test_a_write_is_one_trace_from_the_request_to_its_append(
    office: Office, traced: Traced
) -> None:
    """A server span by template, below it the command, below that fold, judge and append."""
    done = office.did("hana", "/loops/one/debrief")
    (spans,) = traced.traces()
    server, command, *steps = spans
    assert (server.kind, server.parent) == (SpanKind.SERVER, None)
    assert server.name == "POST /v1/loops/{loop}/debrief"
    assert children(spans, server) == [command]
    assert command.name == "command OpenDebrief"
    assert dict(command.attributes or {}) == {
        "command": "OpenDebrief",
        "verdict": "recorded",
        "positions": (done.position,),
    }
    assert names(steps) == ["fold", "judge", "append"]
    assert children(spans, command) == steps
    for inner, outer in [(command, server), *((step, command) for step in steps)]:
        assert (outer.start_time or 0) <= (inner.start_time or 0)
        assert (inner.end_time or 0) <= (outer.end_time or 0)


def test_a_refusal_shows_its_kind_and_no_append(office: Office, traced: Traced) -> None:
    """A refused command is no fault: it names the kind of refusal, and nothing was appended."""
    assert office.post("hana", "/loops/one/closing", {"disposition": "hired"}).status == 409
    (spans,) = traced.traces()
    assert names(spans) == [
        "POST /v1/loops/{loop}/closing",
        "command CloseLoop",
        "fold",
        "judge",
    ]
    told = dict(spans[1].attributes or {})
    assert (told["verdict"], told["error.type"]) == ("refused", "RefusedByRule")


def test_a_recorded_refusal_has_all_its_steps(office: Office, traced: Traced) -> None:
    """A decision that the rules refuse is appended like any other fact."""
    assert office.post("dora", "/loops/one/decision", decision()).status == 409
    (spans,) = traced.traces()
    assert names(spans[1:]) == ["command MakeDecision", "fold", "judge", "append"]


def test_a_repeated_request_shows_that_it_recorded_nothing(office: Office, traced: Traced) -> None:
    """A replay neither folds nor judges nor appends."""
    office.did("hana", "/loops/one/debrief", key="same")
    traced.clear()
    office.did("hana", "/loops/one/debrief", key="same")
    (spans,) = traced.traces()
    assert names(spans[1:]) == ["command OpenDebrief"]
    assert dict(spans[1].attributes or {})["verdict"] == "replayed"


def test_each_line_of_a_batch_is_a_command_in_one_trace(office: Office, traced: Traced) -> None:
    """One server span, and below it a command with its steps for each line."""
    lines = [
        {"key": f"k{n}", "actor": "hana", "path": "/v1/loops/one/withdrawal", "body": {"code": "x"}}
        for n in range(5)
    ]
    sent = "\n".join(json.dumps(line) for line in lines).encode()
    ndjson = {"Content-Type": "application/x-ndjson"}
    office.call("POST", "/v1/batch", headers=ndjson, content=sent)
    (spans,) = traced.traces()
    commands = children(spans, spans[0])
    assert names(commands) == ["command ReportWithdrawal"] * 5
    for command in commands:
        assert names(children(spans, command)) == ["fold", "judge", "append"]


def test_commands_committed_together_stay_in_their_own_traces(
    office: Office, traced: Traced
) -> None:
    """Whatever they share, each trace has one request, one command and one append of its own."""
    with ThreadPoolExecutor(8) as callers:
        going = [callers.submit(office.did, "hana", "/loops/one/debrief") for _ in range(24)]
        assert len({one.result().position for one in going}) == 24
    found = traced.traces()
    assert len(found) == 24
    for spans in found:
        ours = [n for n in names(spans) if n.startswith(("POST", "command", "append"))]
        assert ours == ["POST /v1/loops/{loop}/debrief", "command OpenDebrief", "append"]


def test_what_a_read_notes_belongs_to_the_read(office: Office, traced: Traced) -> None:
    """The note that someone saw feedback is a command in the trace of the GET."""
    (position,) = office.write_feedback("one", ["ivan"])
    traced.clear()
    assert office.get("hana", f"/loops/one/feedback/{position}").status == 200
    (spans,) = traced.traces()
    assert names(spans)[:2] == [
        "GET /v1/loops/{loop}/feedback/{position}",
        "command NoteFeedbackViewed",
    ]


def test_every_line_leads_to_its_trace(
    office: Office, traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request's line and what the writer alerts of carry the ids of that request's trace."""
    rules = office.ledger.rules
    broken = rules.current["dissent-answered"]

    def raises(case: Case, _: object) -> Iterator[Found]:
        raise ZeroDivisionError(case.loop.handle)

    monkeypatch.setitem(rules.rules, (broken.id, broken.version), replace(broken, check=raises))
    answer = office.post("hana", "/loops/one/gates/evidence")
    (spans,) = traced.traces()
    ours = [line for line in traced.lines() if not line["event"].startswith("library")]
    assert [(line["event"], line["level"]) for line in ours] == [
        ("rule failed", "error"),
        ("request", "info"),
    ]
    alert, request = ours
    assert alert["policy"] == "dissent-answered"
    for line in ours:
        assert line["trace_id"] == trace.format_trace_id(context(spans[0]).trace_id)
    assert request["span_id"] == trace.format_span_id(context(spans[0]).span_id)
    assert request["request_id"] == answer.headers["request-id"]
    wanted = {"method": "POST", "route": "/v1/loops/{loop}/gates/evidence", "status": 409}
    assert {name: request[name] for name in wanted} == wanted


def speak_of_secrets(office: Office) -> None:
    """A loop whose candidate, evidence and reasons are like nobody else's, refusals included."""
    name, ident, email, words = SECRETS
    office.call(
        "POST", "/v1/people", {"id": ident, "name": name, "roles": ["interviewer"]},
        token=office.admin,
    )  # fmt: skip
    body = {
        "id": f"loop-{ident}",
        "requisition": "llm-engineer",
        "candidate": {"id": f"c-{ident}", "name": name, "email": email},
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "llm-engineer", "version": 1},
    }
    office.did("hana", "/loops", body)
    at = f"/loops/loop-{ident}"
    office.did("hana", f"{at}/withdrawal", {"code": "x", "reason": words})
    office.post("hana", f"{at}/withdrawal", {"code": words, "reason": name})
    office.post(ident, f"{at}/debrief/dissents", {"text": words})
    office.post("dora", f"{at}/decision", decision())
    office.post("hana", f"{at}/nowhere-{ident}?q={email}", {ident: words})
    office.get("udo", f"{at}/timeline")
    office.get("udo", f"/loops?requisition={ident}")
    office.get(ident, at, headers={"tracestate": f"a={ident}", "baggage": f"name={ident}"})


def test_neither_spans_nor_lines_hold_a_personal_value(office: Office, traced: Traced) -> None:
    """Ids, names, addresses and words of a loop are in neither, however the request ended."""
    speak_of_secrets(office)
    text = traced.text()
    assert text.count("command OpenLoop") == 1
    for secret in SECRETS:
        assert secret not in text


def test_a_collector_gets_the_spans_over_http_and_nothing_personal(
    server: Embedded, tmp_path: Path
) -> None:
    """With an endpoint set, the bytes on the wire are those of every request and statement."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    lines = io.StringIO()
    with collecting() as collector:
        telemetry.configure(collector.address, lines, version="1.2")
        try:
            with open_office(database, tmp_path) as office:
                office.furnish()
                speak_of_secrets(office)
            telemetry.flush()
        finally:
            telemetry.close()
            telemetry.configure(None)
    spans = {span.span_id: span for span in collector.spans()}
    (opened,) = (one for one in spans.values() if one.name == "command OpenLoop")
    assert spans[opened.parent_span_id].name == "POST /v1/loops"
    below = {one.name for one in spans.values() if one.parent_span_id == opened.span_id}
    assert {"fold", "judge", "append"} <= below
    statements = [one for one in spans.values() if "db.system" in {a.key for a in one.attributes}]
    assert statements, "the store's statements are not traced"
    sent = b"".join(collector.bodies)
    for secret in SECRETS:
        assert secret.encode() not in sent
        assert secret not in lines.getvalue()
