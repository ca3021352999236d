"""The composition root: the table of routes, what stands around them, and the ledger behind."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any, Final, cast

import msgspec
from litestar import Litestar, Response
from litestar.config.app import AppConfig
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from msgspec import Meta, Struct

from api.asgi import App
from api.batch import Line, Result, serve_batch
from api.desk import Desk
from api.edge import guard
from api.gets import NDJSON, read_handler
from api.log_routes import LOG_ROUTES, log_handlers
from api.openapi import Route, check_routes, document
from api.pages.reference import reference
from api.problems import handlers
from api.reads.admin import ADMIN
from api.reads.base import Readable
from api.reads.candidate_record import RECORDS
from api.reads.catalogue import catalogue
from api.reads.dossier import DOSSIER, dossier_handler
from api.reads.facts import FACTS
from api.reads.holds import HOLDS
from api.reads.judging import judging
from api.reads.listing import listing
from api.reads.loops import LOOPS
from api.reads.rubric import RUBRIC
from api.reads.rubric_changes import RUBRIC_CHANGES
from api.reads.timeline import TIMELINE
from api.refusals import problem_of_outage, problem_of_refusal
from api.routes import WRITES
from api.strict import decode_query, query_pairs
from api.writes import AnyRequest, NoQuery, json_response, write_handler
from domain.facts import ROLES
from domain.refusals import Refusal
from ledger.asked import Unavailable
from ledger.clocks import ahead, apart, store_time
from ledger.ledger import Ledger
from projections import ALL, Site, lags
from projections.follower import Follower

TITLE: Final = "hireledger"
SETTLE_SECONDS_MAX: Final = 2.0
"""How long the start waits for the read models; it goes on without them, also without a store."""

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
        *listing(ledger.database),
        *LOOPS,
        *TIMELINE,
        *judging(ledger.rules),
        *FACTS,
        *RUBRIC,
        *RUBRIC_CHANGES,
        *catalogue(ledger.rules),
        *ADMIN,
        *HOLDS,
        *RECORDS,
    )


def routes(ledger: Ledger) -> tuple[Route, ...]:
    """The whole table: what the document tells and default deny is checked on."""
    readable = (one.route for one in reads(ledger))
    return (*WRITES, BATCH, DOSSIER, *readable, *LOG_ROUTES, *_PUBLIC)


def create_app(ledger: Ledger, *, https_only: bool = False) -> App:
    """The application over an open ledger; raises at once for a route without roles."""
    desk = Desk(ledger)
    table = routes(ledger)
    check_routes(table)
    served = [
        *(write_handler(route, desk) for route in WRITES),
        *(read_handler(readable, desk) for readable in reads(ledger)),
        *log_handlers(desk),
        _batch_handler(desk),
        dossier_handler(desk),
        *_public_handlers(desk, table),
    ]

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        follower = Follower(ledger.database, ALL)
        follower.start()
        try:
            # The first start makes the read models: the first request should find them.
            await desk.in_thread(follower.settled, SETTLE_SECONDS_MAX)
            yield
        finally:
            await desk.in_thread(follower.stop)
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
    """Whether the server runs."""

    status: str


class Followed(Struct, frozen=True, kw_only=True):
    """How far a read model has followed the log, and how far and how long it is behind."""

    name: str
    position: int
    lag_facts: int
    lag_seconds: Annotated[float, Meta(description="Since the first fact it lacks was recorded.")]


class Publishing(Struct, frozen=True, kw_only=True):
    """How far the log is published, in signed checkpoints; the rest is recorded all the same."""

    position: int
    lag_facts: int
    problem: Annotated[str | None, Meta(description="Why the last attempt failed.")]


class Ready(Struct, frozen=True, kw_only=True):
    """That it can record and read: how long the log is, and how far the others have got.

    It is ready also while checkpoints or read models are behind: what decides and what is recorded
    never rests on them.
    """

    status: str
    position: int
    published: Publishing
    projections: tuple[Followed, ...]


def _public(path: str, summary: str, answer: Any, media: str = "application/json") -> Route:
    return Route(
        method="GET",
        path=path,
        summary=summary,
        tags=("server",),
        public=True,
        answer=answer,
        media=(media,),
    )


_PUBLIC: Final = (
    _public("/health/live", "Whether the process runs", Health),
    _public("/health/ready", "Whether it can record and read, and what lags behind", Ready),
    _public("/openapi.json", "This document", dict[str, Any]),
    _public("/docs", "This document as a page", str, "text/html"),
)


def _public_handlers(desk: Desk, table: tuple[Route, ...]) -> list[HTTPRouteHandler]:
    # Each is made when it is first asked for: a start waits for neither.
    said = cache(lambda: document(table, title=TITLE, version=version("hireledger")))
    encoded = cache(lambda: msgspec.json.encode(said()))
    page = cache(lambda: reference(said()))

    async def live() -> Response[bytes]:
        return json_response(Health(status="live"))

    async def ready() -> Response[bytes]:
        return json_response(await desk.in_thread(_readiness, desk.ledger))

    async def openapi() -> Response[bytes]:
        return Response(await desk.in_thread(encoded), media_type="application/json")

    async def docs() -> Response[str]:
        shown = await desk.in_thread(page)
        headers = {"content-security-policy": shown.policy}
        return Response(shown.html, media_type="text/html", headers=headers)

    answers = (live, ready, openapi, docs)
    return [_handler(route, answer) for route, answer in zip(_PUBLIC, answers, strict=True)]


def _readiness(ledger: Ledger) -> Ready:
    if ledger.guard.refused is not None:
        raise Unavailable(ledger.guard.refused.rstrip("."), recorded=False)
    standing = ledger.publisher.standing()
    with ledger.reading() as group:
        now = datetime.now(UTC)
        wrong = apart(store_time(group.cur), now) or ahead(group.tip.recorded, now)
        if wrong is not None:
            raise Unavailable(wrong, recorded=False)
        head, behind = lags(group.cur, Site.of(ledger.database), ALL)
    return Ready(
        status="ready",
        position=head,
        published=Publishing(
            position=standing.position,
            lag_facts=max(0, head - standing.position),
            problem=standing.problem,
        ),
        projections=tuple(
            Followed(
                name=one.projection,
                position=one.position,
                lag_facts=one.facts,
                lag_seconds=round(one.seconds, 3),
            )
            for one in behind
        ),
    )
