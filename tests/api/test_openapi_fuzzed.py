"""What the document says is what is read: an independent fuzzer makes requests from it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from litestar import Litestar, Request, Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta, Struct
from schemathesis.checks import not_a_server_error
from schemathesis.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)

from api.edge import guard, request_key
from api.openapi import Route, document
from api.problems import handlers
from api.strict import decode_command, decode_query, query_pairs

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


DOCUMENT = document([WRITE, READ], title="tiny", version="1")
SCHEMA: Any = schemathesis.openapi.from_dict(DOCUMENT)
SCHEMA.app = _application()


@SCHEMA.parametrize()
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_requests_made_from_the_document_are_answered_as_it_says(case: Any) -> None:
    """Valid ones are accepted, invalid ones refused, nothing fails, every answer is documented."""
    case.call_and_validate(
        checks=[
            not_a_server_error,
            status_code_conformance,
            response_schema_conformance,
            positive_data_acceptance,
            negative_data_rejection,
        ]
    )


def test_the_fuzzer_can_fail() -> None:
    """A document that promises less than is asked for is found out."""
    assert "400" in DOCUMENT["paths"]["/loops/{loop}"]["get"]["responses"]
    assert pytest is not None
