"""Traces that cannot hold a personal value, and the one call that sets up logs and traces.

Every span leaves with the attributes in `ATTRIBUTES` and nothing else: no event, no link, no
message, no statement, no caller's trace state. That holds for spans of other rooms and libraries
too, because it is done where spans leave the process. For log lines see `api.logs`.
"""

import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TextIO, TypedDict

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import Unpack, override

from api.asgi import App, Message, Receive, Scope, Send
from api.headers import request_id
from api.logs import configure_lines, is_plain, is_word, log

DRAIN_SECONDS_MAX: Final = 2.0
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class SpanAttributes(TypedDict, total=False):
    """What a span may say: words of the code and numbers, never an id or a word of a caller's."""

    command: str
    step: str
    position: int
    positions: Sequence[int]
    count: int
    policy: str
    policies: Sequence[str]
    verdict: str
    projection: str
    attempt: int
    status: int
    route: str


ATTRIBUTES: Final = frozenset(SpanAttributes.__annotations__) | {
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "error.type",
    "db.system",
    "db.system.name",
    "db.operation.name",
}


class Redacting(SpanExporter):
    """Passes spans on, each rebuilt from nothing but what may leave."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner = inner
        self._open = True

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._inner.export([_redacted(span) for span in spans])

    @override
    def shutdown(self) -> None:
        if self._open:
            self._open = False
            self._inner.shutdown()

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def _redacted(span: ReadableSpan) -> ReadableSpan:
    given = (span.attributes or {}).items()
    attributes = {name: v for name, v in given if name in ATTRIBUTES and is_plain(v)}
    for event in span.events:
        kind = (event.attributes or {}).get("exception.type")
        if isinstance(kind, str):
            attributes.setdefault("error.type", kind.rpartition(".")[2])
    return ReadableSpan(
        name=span.name if all(map(is_word, span.name.split(" "))) else "unnamed",
        context=_without_state(span.get_span_context()),
        parent=_without_state(span.parent),
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _without_state(context: SpanContext | None) -> SpanContext | None:
    """A caller's `tracestate` is free text, so it ends here."""
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


class _Outlet(SpanProcessor):
    """Where finished spans go; can be changed, unlike the process's tracer provider."""

    def __init__(self) -> None:
        self._target: SpanProcessor | None = None
        self._exporter: SpanExporter | None = None

    def change(self, target: SpanProcessor | None, exporter: SpanExporter | None) -> None:
        """Send what waits to the old target, close it, and go on with the new one."""
        old, self._target = self._target, target
        old_exporter, self._exporter = self._exporter, exporter
        if old is None or old_exporter is None:
            return
        # A collector that is away would be tried again and again; closing it ends the waiting.
        patience = threading.Timer(DRAIN_SECONDS_MAX, old_exporter.shutdown)
        patience.daemon = True
        patience.start()
        old.shutdown()
        patience.cancel()

    @property
    def is_open(self) -> bool:
        """Whether anyone gets the spans."""
        return self._target is not None

    @override
    def on_end(self, span: ReadableSpan) -> None:
        if self._target is not None:
            self._target.on_end(span)

    @override
    def shutdown(self) -> None:
        self.change(None, None)

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._target is None or self._target.force_flush(timeout_millis)


_outlet: Final = _Outlet()
# Until `configure` has given the process a provider, its spans are empty ones.
_tracer: Final = trace.get_tracer("hireledger")


def configure(
    endpoint: str | None,
    log_stream: TextIO | None = None,
    *,
    version: str = "0",
    exporter: SpanExporter | None = None,
) -> None:
    """Set up logs and traces for this process; may be called again, the last call holds.

    `endpoint` is the base URL of an OTLP collector over HTTP (spans go to `/v1/traces` below it);
    for None nothing is sent anywhere, but lines still carry trace ids. `log_stream` defaults to
    standard error. `exporter`, for tests, gets each span as it ends, after the same redaction.
    Connections to the database made before the call are not traced.
    """
    configure_lines(log_stream)
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        resource = Resource.create({"service.name": "hireledger", "service.version": version})
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(_outlet)
        trace.set_tracer_provider(provider)
    if exporter is not None:
        listed = Redacting(exporter)
        _outlet.change(SimpleSpanProcessor(listed), listed)
    elif endpoint:
        # Here, as in `_instrument_database`, because importing it takes a quarter of a second.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        listed = Redacting(OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces"))
        _outlet.change(BatchSpanProcessor(listed), listed)
    else:
        _outlet.change(None, None)
    _instrument_database(wanted=_outlet.is_open)


def close() -> None:
    """Send what still waits, for two seconds at most, and stop; for the end of the process."""
    _outlet.change(None, None)
    _instrument_database(wanted=False)


def flush() -> None:
    """Send what waits now."""
    _outlet.force_flush()


def _instrument_database(*, wanted: bool) -> None:
    """A span per statement, but only where someone collects them: each costs some microseconds."""
    if not wanted and "opentelemetry.instrumentation.psycopg" not in sys.modules:
        return
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor

    instrumentor = PsycopgInstrumentor()
    if wanted and not instrumentor.is_instrumented_by_opentelemetry:
        # Statements and parameters are on no list and never leave; not to capture them saves work.
        instrumentor.instrument(capture_parameters=False, enable_commenter=False)
    elif not wanted and instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


@contextmanager
def span(name: str, **attributes: Unpack[SpanAttributes]) -> Generator[Span]:
    """One step of the work; `name` is a constant of the code. Of an exception it keeps the type."""
    given: dict[str, Any] = dict(attributes)
    with _tracer.start_as_current_span(
        name, attributes=given, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            _mark(current, error)
            raise


def _mark(current: Span, error: BaseException) -> None:
    current.set_attribute("error.type", type(error).__name__)
    current.set_status(Status(StatusCode.ERROR))


class Trace:
    """ASGI: one span and one log line a request, named by method and route, never by path."""

    def __init__(self, app: App, *, quiet: frozenset[str] = frozenset()) -> None:
        """`quiet` holds route templates that get a span but no log line (health checks)."""
        self._app = app
        self._quiet = quiet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        # Before the call: HEAD is served by way of GET, and a method is the caller's word.
        method: str = scope["method"] if scope["method"] in METHODS else "_OTHER"
        status = 0

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id(scope))
        with _tracer.start_as_current_span(
            method,
            context=TraceContextTextMapPropagator().extract(_traceparent(scope)),
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as current:
            try:
                await self._app(scope, receive, send_noting)
            except BaseException as error:
                _mark(current, error)
                raise
            finally:
                route = str(scope.get("path_template") or "unmatched")
                _finish(current, method, route, status)
                if route not in self._quiet:
                    spent = round((time.perf_counter() - started) * 1000, 3)
                    fields = {"method": method, "route": route, "status": status}
                    log.info("request", **fields, duration_ms=spent)


def _finish(current: Span, method: str, route: str, status: int) -> None:
    current.update_name(f"{method} {route}")
    current.set_attributes(
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        }
    )
    if status >= 500:
        current.set_status(Status(StatusCode.ERROR))


def _traceparent(scope: Scope) -> dict[str, str]:
    """The caller's place in a trace (two random numbers), without baggage or trace state."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return {"traceparent": value.decode("latin-1")}
    return {}
