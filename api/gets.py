"""The handlers of all reads: one function, told by the tables of readable routes.

A list answers page by page, or with `Accept: application/x-ndjson` line by line to its end; either
way the log knows who is about to see what before a byte of it is sent.
"""

from collections.abc import AsyncGenerator
from typing import Final, cast

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream
from msgspec import Struct, structs

from api.desk import Desk, admitted
from api.headers import etag, is_fresh, next_link
from api.reading import Read
from api.reads.base import Readable
from api.strict import decode_query, query_pairs
from api.writes import AnyRequest, NoQuery, json_response, path_of, route_roles

NDJSON: Final = "application/x-ndjson"


def read_handler(readable: Readable, desk: Desk) -> HTTPRouteHandler:
    """The handler of one read."""
    route = readable.route

    async def handle(request: AnyRequest) -> Response[bytes] | Stream:
        told = await desk.in_thread(_answer, readable, desk, request)
        if NDJSON in request.headers.get("accept", "") and hasattr(told, "next"):
            lines = _lines(told, readable, desk, request)
            return Stream(lines, media_type=NDJSON, status_code=200)
        return _page(request, told)

    return HTTPRouteHandler(
        route.litestar_path,
        http_method=[route.method],
        status_code=route.statuses[0],
        name=route.operation_id,
    )(handle)


def _answer(
    readable: Readable, desk: Desk, request: AnyRequest, after: int | None = None
) -> Struct:
    """The answer, from `after` on where that is given; the caller is admitted before all else."""
    route = readable.route
    with desk.ledger.reading() as group:
        reader = admitted(request.headers, route_roles(route), group)
        query = decode_query(query_pairs(request.scope["query_string"]), route.query or NoQuery)
        if after is not None:
            query = structs.replace(query, after=after)
        read = Read(group, reader)
        told = readable.answer(read, path_of(request), query)
    # Before a byte is sent, the log knows who is about to see it.
    desk.note(read.reader, read.notes)
    return told


def _page(request: AnyRequest, told: Struct) -> Response[bytes]:
    """200 with an entity tag and the next page's link, or 304 for who has it."""
    response = json_response(told)
    tag = etag(response.content.decode())
    response.set_header("etag", tag)
    if is_fresh(request.headers.get("if-none-match"), tag):
        return Response(b"", status_code=304, headers={"etag": tag})
    following = getattr(told, "next", None)
    if following is not None:
        pairs = query_pairs(request.scope["query_string"])
        kept = [(name, value) for name, value in pairs if name != "after"]
        path = request.scope["path"]
        response.set_header("link", next_link(path, [*kept, ("after", following)]))
    return response


async def _lines(
    first: Struct, readable: Readable, desk: Desk, request: AnyRequest
) -> AsyncGenerator[bytes]:
    """Every item from the first page to the end; the caller is admitted again for each page."""
    told = first
    # To the end as it was when the stream began: the notes of its own reading come after that.
    end = getattr(first, "position", 0)
    while True:
        for item in cast("tuple[Struct, ...]", getattr(told, "items", ())):
            yield msgspec.json.encode(item) + b"\n"
        following = getattr(told, "next", None)
        if following is None or following >= end:
            return
        told = await desk.in_thread(_answer, readable, desk, request, following)
