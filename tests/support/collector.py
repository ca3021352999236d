"""A collector of traces on loopback that keeps every byte it is sent (OTLP over HTTP)."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector:
    """Where it listens, and what came."""

    def __init__(self, address: str, bodies: list[bytes]) -> None:
        self.address = address
        self.bodies = bodies

    def spans(self) -> list[Span]:
        """Every span that came, as the protocol has it."""
        return [
            span
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collecting() -> Generator[Collector]:
    """A collector while the block runs."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        """Takes exports."""

        def do_POST(self) -> None:
            """One export."""
            assert self.path == "/v1/traces"
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's name)
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Collector(f"http://127.0.0.1:{server.server_port}", bodies)
        server.shutdown()
        thread.join()
