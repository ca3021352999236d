"""Spans: named by templates and constants, with listed attributes, whoever makes them."""

import io
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import msgspec
import psycopg
import pytest
from litestar import Litestar, Request, Response, get
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from api import telemetry
from api.asgi import App
from api.edge import guard
from api.logs import log
from api.problems import handlers
from api.telemetry import ATTRIBUTES, SpanAttributes, span
from ledger.database import Database

SECRET: Final = "Zdenka-Quux"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"

Call = Callable[..., Any]


@get("/loops/{loop:str}")
async def read_loop(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Work in two steps, the second of which may fail."""
    with span("fold", step="fold", count=3):
        log.info("folded", count=3, candidate=SECRET)
    if request.path_params["loop"] == "bad":
        with span("judge", step="judge"):
            raise RuntimeError(SECRET)
    return Response(b"{}", media_type="application/json")


@get("/health/live")
async def live() -> Response[bytes]:
    """Say that the process lives."""
    return Response(b"", media_type="text/plain")


@pytest.fixture
def lines() -> io.StringIO:
    """The log lines."""
    return io.StringIO()


@pytest.fixture
def spans(lines: io.StringIO) -> Generator[InMemorySpanExporter]:
    """The spans as a collector would get them."""
    kept = InMemorySpanExporter()
    telemetry.configure(None, lines, exporter=kept)
    yield kept
    telemetry.close()
    telemetry.configure(None)


@pytest.fixture(scope="module")
def app() -> App:
    """Two routes behind the edge."""
    inner: Any = Litestar([read_loop, live], exception_handlers=handlers(), openapi_config=None)
    return guard(inner)


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """The spans that ended, by name."""
    return {one.name: one for one in spans.get_finished_spans()}


def attributes(of: ReadableSpan) -> dict[str, Any]:
    """What a span says."""
    return dict(of.attributes or {})


def test_a_request_is_one_span_named_by_its_template(
    app: App, call: Call, spans: InMemorySpanExporter
) -> None:
    """With method, route and status, and the steps below it."""
    call(app, "GET", f"/loops/{SECRET}?q={SECRET}")
    found = by_name(spans)
    assert set(found) == {"GET /loops/{loop}", "fold"}
    assert attributes(found["GET /loops/{loop}"]) == {
        "http.request.method": "GET",
        "http.route": "/loops/{loop}",
        "http.response.status_code": 200,
    }
    assert attributes(found["fold"]) == {"step": "fold", "count": 3}
    assert found["fold"].parent == found["GET /loops/{loop}"].context


def test_lines_carry_the_ids_of_trace_span_and_request(
    app: App, call: Call, spans: InMemorySpanExporter, lines: io.StringIO
) -> None:
    """So that a line leads to its trace and an answer to its lines."""
    answer = call(app, "GET", f"/loops/{SECRET}")
    folded, request = map(msgspec.json.decode, lines.getvalue().splitlines())
    found = by_name(spans)
    for line, name in ((folded, "fold"), (request, "GET /loops/{loop}")):
        context = found[name].get_span_context()
        assert context is not None
        assert line["trace_id"] == trace.format_trace_id(context.trace_id)
        assert line["span_id"] == trace.format_span_id(context.span_id)
        assert line["request_id"] == answer.header("request-id")
    assert request["event"] == "request"
    assert (request["method"], request["route"], request["status"]) == ("GET", "/loops/{loop}", 200)
    assert SECRET not in lines.getvalue()


def test_a_failure_is_marked_by_its_type(
    app: App, call: Call, spans: InMemorySpanExporter, lines: io.StringIO
) -> None:
    """Neither span nor line holds its message, and no span has an event."""
    assert call(app, "GET", "/loops/bad").status == 500
    found = by_name(spans)
    assert attributes(found["judge"])["error.type"] == "RuntimeError"
    assert found["GET /loops/{loop}"].status.status_code is StatusCode.ERROR
    for one in found.values():
        assert not one.events
        assert not one.status.description
    told = "".join(one.to_json() for one in found.values()) + lines.getvalue()
    assert SECRET not in told


def test_a_callers_trace_goes_on_but_not_its_words(
    app: App, call: Call, spans: InMemorySpanExporter
) -> None:
    """`traceparent` is two random numbers; `tracestate` and `baggage` are free text."""
    headers = [
        (b"traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01".encode()),
        (b"tracestate", b"vendor=zdenka"),
        (b"baggage", b"name=zdenka"),
    ]
    call(app, "GET", "/loops/a", [], headers)
    for one in spans.get_finished_spans():
        context = one.get_span_context()
        assert context is not None
        assert trace.format_trace_id(context.trace_id) == TRACE_ID
        assert "zdenka" not in one.to_json()


@pytest.mark.parametrize("parent", [b"", b"\xff", b"00-zz-zz-01", b"00-" + b"0" * 32, b"x" * 9999])
def test_a_broken_trace_parent_starts_a_new_trace(
    app: App, call: Call, spans: InMemorySpanExporter, parent: bytes
) -> None:
    """And fails nothing."""
    assert call(app, "GET", "/loops/a", [], [(b"traceparent", parent)]).status == 200
    assert len(spans.get_finished_spans()) == 2


def test_unknown_paths_and_methods_name_no_span(
    app: App, call: Call, spans: InMemorySpanExporter, lines: io.StringIO
) -> None:
    """Both are words of the caller's."""
    call(app, "GET", f"/{SECRET}")
    call(app, SECRET.upper(), "/loops/a")
    assert set(by_name(spans)) == {"GET unmatched", "_OTHER unmatched"}
    assert "QUUX" not in lines.getvalue().upper()


def test_health_checks_write_no_lines(
    app: App, call: Call, spans: InMemorySpanExporter, lines: io.StringIO
) -> None:
    """They come every second and say nothing."""
    call(app, "GET", "/health/live")
    assert set(by_name(spans)) == {"GET /health/live"}
    assert lines.getvalue() == ""


def test_what_others_put_into_spans_is_dropped(spans: InMemorySpanExporter) -> None:
    """A library's span leaves with listed attributes, no events, no links and no description."""
    tracer = trace.get_tracer("some.library")
    with tracer.start_as_current_span(
        f"read {SECRET}!",
        attributes={"url.full": SECRET, "http.route": "/a b"},
        links=[trace.Link(trace.INVALID_SPAN_CONTEXT, {"a": SECRET})],
    ) as current:
        current.add_event(SECRET, {"a": SECRET})
        current.record_exception(KeyError(SECRET))
        current.set_status(StatusCode.ERROR, SECRET)
    (one,) = spans.get_finished_spans()
    assert one.name == "unnamed"
    assert attributes(one) == {"error.type": "KeyError"}
    assert not one.events
    assert not one.links
    assert not one.status.description
    assert SECRET not in one.to_json()


def test_every_attribute_of_a_step_is_listed(spans: InMemorySpanExporter) -> None:
    """What `span` takes is what leaves."""
    with span("one", command="c", step="s", position=1, positions=[1, 2], count=3, policy="p"):
        pass
    with span("two", policies=["p"], verdict="v", projection="x", attempt=2, status=1, route="/r"):
        pass
    said = {name for one in spans.get_finished_spans() for name in attributes(one)}
    assert len(said) == len(SpanAttributes.__annotations__) == 12
    assert said <= ATTRIBUTES


def test_statements_and_parameters_stay_in_the_process(
    spans: InMemorySpanExporter, database: Database
) -> None:
    """A statement is a span with the name of its first word, also when it fails."""
    spans.clear()
    with psycopg.connect(database.conninfo("owner")) as connection:
        connection.execute("SELECT %s::text", (SECRET,))
        connection.execute(f"SELECT '{SECRET}'")
        with pytest.raises(psycopg.DataError):
            connection.execute("SELECT %s::text::integer", (SECRET,))
    found = spans.get_finished_spans()
    assert [one.name for one in found] == ["SELECT"] * 3
    assert attributes(found[2])["error.type"] == "InvalidTextRepresentation"
    for one in found:
        assert set(attributes(one)) <= {"db.system", "error.type"}
        assert SECRET not in one.to_json()


class _Collector(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    got: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        """Take one export."""
        self.got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


@pytest.fixture
def collector() -> Generator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector on the loopback: its address, and what it got."""
    got: list[tuple[str, bytes]] = []
    handler = type("Collector", (_Collector,), {"got": got})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_spans_reach_a_collector_over_http_and_hold_nothing_personal(
    app: App, call: Call, collector: tuple[str, list[tuple[str, bytes]]]
) -> None:
    """The bytes on the wire, of a real request and of a failing one, are read."""
    address, got = collector
    telemetry.configure(address, io.StringIO(), version="1.2")
    try:
        call(app, "GET", f"/loops/{SECRET}", [], [(b"tracestate", b"a=zdenka")])
        call(app, "GET", "/loops/bad")
        telemetry.flush()
    finally:
        telemetry.close()
        telemetry.configure(None)
    assert {path for path, _ in got} == {"/v1/traces"}
    names = [
        one.name
        for _, body in got
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for one in scope.spans
    ]
    assert sorted(names) == ["GET /loops/{loop}"] * 2 + ["fold"] * 2 + ["judge"]
    for _, body in got:
        assert b"hireledger" in body
        assert SECRET.encode() not in body
        assert b"zdenka" not in body.lower()


def test_without_an_endpoint_nothing_is_sent_and_nothing_is_traced() -> None:
    """But lines still have trace ids."""
    lines = io.StringIO()
    telemetry.configure(None, lines)
    with span("alone"):
        log.info("done")
    telemetry.configure(None)
    assert "trace_id" in msgspec.json.decode(lines.getvalue())
    assert "opentelemetry" not in str(psycopg.connect.__module__)
    assert not hasattr(psycopg.connect, "__wrapped__")


def test_a_collector_that_is_away_disturbs_nothing(app: App, call: Call) -> None:
    """Requests are served; what cannot be sent is dropped."""
    telemetry.configure("http://127.0.0.1:9", io.StringIO())
    try:
        assert call(app, "GET", "/loops/a").status == 200
    finally:
        telemetry.configure(None)
