"""What the document says is what is read: an independent fuzzer makes requests from it."""

import importlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from litestar import Litestar, Request, Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta, Struct
from schemathesis.generation import GenerationMode

from api.edge import guard, request_key
from api.openapi import Route, document
from api.problems import Problem, handlers
from api.strict import decode_command, decode_query, query_pairs

# Through the import system: their types are incomplete.
server_checks: Any = importlib.import_module("schemathesis.checks")
checks: Any = importlib.import_module("schemathesis.specs.openapi.checks")
KEY = "Bearer one-key"
SLOW = [HealthCheck.filter_too_much, HealthCheck.too_slow]
Position = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}(?!\n)$")]


class Seen(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="seen"):
    """Something was seen."""

    code: Slug
    weight: float = 1.0


class Missed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="missed"):
    """Something was not."""

    reason: Annotated[str, Meta(min_length=1, max_length=50)]


class Report(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body with every kind of field."""

    loop: Slug
    number: Position
    what: Annotated[tuple[Seen | Missed, ...], Meta(min_length=1, max_length=3)]
    cites: tuple[Position, ...] = ()
    anchors: Annotated[dict[Slug, str], Meta(max_length=3)] = {}
    choice: Literal["hire", "no_hire"] | None = None
    sure: bool = False
    count: int = 0
    at: Annotated[datetime, Meta(tz=True)] | None = None


class Asking(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Query parameters of every kind."""

    after: Annotated[int, Meta(ge=0)] | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    withhold: tuple[Literal["name", "evidence"], ...] = ()
    at: Annotated[datetime, Meta(tz=True)] | None = None
    full: bool = False


class Told(Struct, frozen=True, kw_only=True):
    """An answer."""

    positions: tuple[Position, ...]


WRITE = Route(
    method="POST",
    path="/loops/{loop}/sessions/{number}/report",
    summary="Report",
    tags=("tiny",),
    roles=("recorder",),
    command=Report,
    answer=Told,
    statuses=(201,),
)
READ = Route(
    method="GET",
    path="/loops/{loop}",
    summary="Read",
    tags=("tiny",),
    public=True,
    query=Asking,
    answer=Told,
)


async def take(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Read a write as every write is read."""
    if request.headers.get("authorization") != KEY:
        raise Problem("unauthenticated")
    request_key(request.headers)
    decode_query(query_pairs(request.scope["query_string"]), Nothing)
    decode_command(await request.body(), Report, dict(request.path_params))
    return Response(msgspec.json.encode(Told(positions=(1,))), media_type="application/json")


async def tell(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Read a question as every question is read."""
    decode_query(query_pairs(request.scope["query_string"]), Asking)
    return Response(msgspec.json.encode(Told(positions=())), media_type="application/json")


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


def _application() -> Any:
    routes: list[tuple[Route, Callable[..., Any]]] = [(WRITE, take), (READ, tell)]
    made = [
        HTTPRouteHandler(r.litestar_path, http_method=r.method, status_code=r.statuses[0])(f)
        for r, f in routes
    ]
    inner: Any = Litestar(made, exception_handlers=handlers(), openapi_config=None)
    return guard(inner)


SCHEMA: Any = schemathesis.openapi.from_dict(document([WRITE, READ], title="tiny", version="1"))
SCHEMA.app = _application()
OPERATIONS: list[Any] = [SCHEMA[route.template][route.method] for route in (WRITE, READ)]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
CHECKS: list[Any] = [
    server_checks.not_a_server_error,
    checks.status_code_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
# Three things JSON Schema cannot say: that 3.0 is not read as a whole number, that times in the
# first and the last year are refused, because told in another zone they may not exist, and that a
# text shows something, which a table of Unicode tells (Python's own shows the rest by number).
UNSAYABLE = re.compile(
    r"\d\.0\b|\de[+-]?\d|(0001|9999)-\d\d-\d\dT"
    r"|'(?: |\\[nrt]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8})+'"
)


@pytest.mark.parametrize("mode", MODES, ids=["valid", "invalid"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=["write", "read"])
def test_requests_made_from_the_document_are_answered_as_it_says(
    operation: Any, mode: GenerationMode
) -> None:
    """Valid ones are accepted, invalid ones refused, nothing fails, every answer is documented."""
    seen: set[int] = set()

    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=SLOW)
    @given(operation.as_strategy(generation_mode=mode))
    def fuzz(case: Any) -> None:
        sayable = UNSAYABLE.search(f"{case.body!r} {case.query!r}") is None
        accepted = [checks.positive_data_acceptance] if sayable else []
        answer = case.call_and_validate(headers={"Authorization": KEY}, checks=CHECKS + accepted)
        seen.add(answer.status_code)

    fuzz()
    assert seen & ({200, 201} if mode is GenerationMode.POSITIVE else {400})
