"""The composition root: the table of routes, what stands around them, and the ledger behind."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final, cast

import msgspec
from litestar import Litestar, Response
from litestar.config.app import AppConfig
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from msgspec import Struct

from api.asgi import App
from api.batch import Line, Result, serve_batch
from api.desk import Desk, admitted
from api.edge import guard
from api.headers import etag, is_fresh, next_link
from api.openapi import Route, check_routes, document
from api.problems import handlers
from api.reading import Read
from api.reads.admin import ADMIN
from api.reads.base import Readable
from api.reads.catalogue import catalogue
from api.reads.facts import FACTS
from api.reads.judging import judging
from api.reads.loops import LOOPS
from api.reads.rubric import RUBRIC
from api.reads.timeline import TIMELINE
from api.refusals import problem_of_outage, problem_of_refusal
from api.routes import WRITES
from api.strict import decode_query, query_pairs
from api.writes import AnyRequest, NoQuery, json_response, path_of, route_roles, write_handler
from domain.facts import ROLES
from domain.refusals import Refusal
from ledger.asked import Unavailable
from ledger.ledger import Ledger

TITLE: Final = "hireledger"
NDJSON: Final = "application/x-ndjson"
BATCH: Final = Route(
    method="POST",
    path="/v1/batch",
    summary="Many writes in one request, each line its own, answered in order",
    tags=("batch",),
    roles=tuple(sorted(ROLES)),
    command=Line,
    answer=Result,
    media=(NDJSON,),
    takes=NDJSON,
    keyed=False,
    statuses=(200,),
)


def reads(ledger: Ledger) -> tuple[Readable, ...]:
    """Every GET that needs a role."""
    return (
        *LOOPS,
        *TIMELINE,
        *judging(ledger.rules),
        *FACTS,
        *RUBRIC,
        *catalogue(ledger.rules),
        *ADMIN,
    )


def routes(ledger: Ledger) -> tuple[Route, ...]:
    """The whole table: what the document tells and default deny is checked on."""
    return (*WRITES, BATCH, *(readable.route for readable in reads(ledger)), *_PUBLIC)


def create_app(ledger: Ledger, *, https_only: bool = False) -> App:
    """The application over an open ledger; raises at once for a route without roles."""
    desk = Desk(ledger)
    table = routes(ledger)
    check_routes(table)
    said = msgspec.json.encode(document(table, title=TITLE, version=version("hireledger")))
    served = [
        *(write_handler(route, desk) for route in WRITES),
        *(_read_handler(readable, desk) for readable in reads(ledger)),
        _batch_handler(desk),
        *_public_handlers(desk, said),
    ]

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            desk.close()

    config = AppConfig(
        route_handlers=[*served],
        exception_handlers=handlers(
            {
                Refusal: problem_of_refusal,
                Unavailable: problem_of_outage,
            }
        ),
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,  # the edge has counted already
    )
    return guard(cast("App", Litestar.from_config(config)), https_only=https_only)


def _read_handler(readable: Readable, desk: Desk) -> HTTPRouteHandler:
    route, query_type = readable.route, readable.route.query or NoQuery

    async def handle(request: AnyRequest) -> Response[bytes]:
        pairs = query_pairs(request.scope["query_string"])
        path = path_of(request)

        def work() -> tuple[Struct, int]:
            with desk.ledger.reading() as group:
                reader = admitted(request.headers, route_roles(route), group)
                query = decode_query(pairs, query_type)
                read = Read(group, reader)
                told = readable.answer(read, path, query)
            # Before a byte is sent, the log knows who is about to see it.
            desk.note(read.reader, read.notes)
            return told, group.head

        told, _ = await desk.in_thread(work)
        return _told(request, told, pairs)

    return _handler(route, handle)


def _told(request: AnyRequest, told: Struct, pairs: list[tuple[str, str]]) -> Response[bytes]:
    """200 with an entity tag and the next page's link, or 304 for who has it."""
    response = json_response(told)
    tag = etag(response.content.decode())
    response.set_header("etag", tag)
    if is_fresh(request.headers.get("if-none-match"), tag):
        return Response(b"", status_code=304, headers={"etag": tag})
    following = getattr(told, "next", None)
    if isinstance(following, int):
        kept = [(name, value) for name, value in pairs if name != "after"]
        path = request.scope["path"]
        response.set_header("link", next_link(path, [*kept, ("after", following)]))
    return response


def _batch_handler(desk: Desk) -> HTTPRouteHandler:
    async def handle(request: AnyRequest) -> Stream:
        decode_query(query_pairs(request.scope["query_string"]), NoQuery)
        results = serve_batch(request, desk)
        # The first line is worked out before the status is sent, so that a bad key is a 401.
        first = await anext(results, b"")

        async def lines() -> AsyncIterator[bytes]:
            yield first
            async for line in results:
                yield line

        return Stream(lines(), media_type=NDJSON, status_code=200)

    return _handler(BATCH, handle)


def _handler(route: Route, handle: Callable[..., Awaitable[Any]]) -> HTTPRouteHandler:
    return HTTPRouteHandler(
        route.litestar_path,
        http_method=[route.method],
        status_code=route.statuses[0],
        name=route.operation_id,
    )(handle)


class Health(Struct, frozen=True, kw_only=True):
    """Whether the server runs and, for ready, whether it can record and how far readers lag."""

    status: str
    position: int | None = None


def _public(path: str, summary: str, answer: Any) -> Route:
    return Route(
        method="GET", path=path, summary=summary, tags=("server",), public=True, answer=answer
    )


_PUBLIC: Final = (
    _public("/health/live", "Whether the process runs", Health),
    _public("/health/ready", "Whether it can record and read", Health),
    _public("/openapi.json", "This document", dict[str, Any]),
)


def _public_handlers(desk: Desk, said: bytes) -> list[HTTPRouteHandler]:
    async def live() -> Response[bytes]:
        return json_response(Health(status="live"))

    async def ready() -> Response[bytes]:
        def work() -> int:
            with desk.ledger.reading() as group:
                return group.head

        return json_response(Health(status="ready", position=await desk.in_thread(work)))

    async def openapi() -> Response[bytes]:
        return Response(said, media_type="application/json")

    answers = (live, ready, openapi)
    return [_handler(route, answer) for route, answer in zip(_PUBLIC, answers, strict=True)]
