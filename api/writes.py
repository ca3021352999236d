"""The handlers of all writes: one function, told by the table of routes."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta, Struct

from api.answers import Written
from api.desk import Answered, Desk
from api.edge import request_key
from api.headers import etag
from api.openapi import Route
from api.strict import decode_query, query_pairs
from domain import commands as c
from domain.findings import Finding
from domain.values import Position

AnyRequest = Request[Any, Any, Any]
JSON = "application/json"


class NoQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No query parameters."""


class DryRun(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether only to ask what the rules would say."""

    dry_run: bool = False


class Rehearsal(Struct, frozen=True, kw_only=True):
    """What the rules would say to this decision now; nothing was recorded."""

    would_be: Literal["accepted", "refused"]
    findings: tuple[Finding, ...]
    position: Annotated[Position | Literal[0], Meta(description="How far the log was read.")]


def json_response(value: object, status: int = 200, **headers: str) -> Response[bytes]:
    """A JSON answer; header names are given with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = msgspec.json.encode(value)
    return Response(body, status_code=status, media_type=JSON, headers=named)


def written_response(answered: Answered) -> Response[bytes]:
    """201 with Location and ETag, and a mark on a replay."""
    written: Written = answered.written
    headers = {"location": answered.location, "etag": etag("written", *written.positions)}
    if answered.replayed:
        headers["idempotent_replay"] = "true"
    return json_response(written, 201, **headers)


def write_handler(route: Route, desk: Desk) -> HTTPRouteHandler:
    """The handler of one write."""
    rehearsable = route.command is c.MakeDecision

    async def handle(request: AnyRequest) -> Response[bytes]:
        reader = await desk.admit(request.headers, route_roles(route))
        pairs = query_pairs(request.scope["query_string"])
        key = request_key(request.headers)
        raw = await request.body()
        path = path_of(request)
        if rehearsable and decode_query(pairs, DryRun).dry_run:
            rehearsed = await desk.rehearse(reader, route, path, raw)
            judged = rehearsed.judged
            return json_response(
                Rehearsal(
                    would_be="refused" if judged.refused else "accepted",
                    findings=judged.findings,
                    position=rehearsed.position,
                )
            )
        if not rehearsable:
            decode_query(pairs, NoQuery)
        return written_response(await desk.record(reader, route, path, key, raw))

    return HTTPRouteHandler(
        route.litestar_path,
        http_method=[route.method],
        status_code=route.statuses[0],
        name=route.operation_id,
    )(handle)


def route_roles(route: Route) -> frozenset[Any]:
    """The roles that open a route."""
    return frozenset(route.roles)


def path_of(request: AnyRequest) -> dict[str, str]:
    """The path's parameters, as text."""
    return {name: str(value) for name, value in request.path_params.items()}
