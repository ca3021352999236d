"""The log for machines: checkpoint, tiles, keys and proofs, in the formats of C2SP.

Hashes say nothing about anyone, so whatever is made of them alone is public. What holds facts
(entry bundles), or says that a fact exists (its proof), needs a role and is noted.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, NamedTuple, TypeVar

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta, Struct

from api.desk import Desk, admitted
from api.openapi import Route
from api.problems import Problem
from api.reading import Known, Read
from api.reads.base import EVERYONE
from api.reads.facts import blind_to, note_opinions, one_fact
from api.strict import decode_query, query_pairs
from api.writes import AnyRequest, NoQuery, json_response, path_of, route_roles
from domain import commands as c
from domain.codec import decode
from domain.refusals import FeedbackOwed
from domain.values import POSITION_MAX
from ledger.checkpoints import PublishedCheckpoint
from ledger.ledger import Ledger
from ledger.proof.log_proof import format_log_proof
from ledger.proof.tiles import (
    TILE_WIDTH,
    Bundle,
    Tile,
    TileError,
    entry_bundle,
    parse_bundle_path,
    parse_tile_path,
)
from ledger.proof.wire import base64_of

S = TypeVar("S", bound=Struct)

TEXT: Final = "text/plain"
OCTETS: Final = "application/octet-stream"
CHECKPOINT_SECONDS: Final = 5
_FOR_GOOD: Final = "max-age=31536000, immutable"

Octets = Annotated[str, Meta(extra_json_schema={"format": "binary"})]
Hash = Annotated[str, Meta(description="32 bytes in base64.")]
Size = Annotated[int, Meta(ge=0, le=POSITION_MAX, description="A number of facts.")]
TilePath = Annotated[
    str,
    Meta(
        pattern=r"^(?:x[0-9]{3}/){0,6}[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?(?!\n)$",
        description="Index and, of a partial one, width: `x001/234`, `000.p/5` (tlog-tiles).",
    ),
]


class TileAt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tile."""

    level: Annotated[int, Meta(ge=0, le=63)]
    tile: TilePath


class BundleAt(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which entry bundle."""

    tile: TilePath


class InclusionQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which leaf, in the tree over how many facts."""

    index: Annotated[int, Meta(ge=0, le=POSITION_MAX, description="Position less 1.")]
    size: Size


class ConsistencyQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Between which two trees."""

    old: Size
    new: Size


class InclusionProof(Struct, frozen=True, kw_only=True):
    """That a leaf is in the tree over so many facts (RFC 6962, 2.1.1)."""

    index: int
    size: int
    root: Hash
    hashes: Annotated[tuple[Hash, ...], Meta(description="The leaf's sibling first.")]


class ConsistencyProof(Struct, frozen=True, kw_only=True):
    """That one tree begins with the other (RFC 6962, 2.1.2)."""

    old: int
    new: int
    old_root: Hash
    new_root: Hash
    hashes: tuple[Hash, ...]


class _Served(NamedTuple):
    """A route, and what makes its answer, in a thread."""

    route: Route
    answer: Callable[[Desk, AnyRequest, Route], Response[bytes]]
    first: Callable[[Desk, AnyRequest, Route], int] | None = None
    """Says, in a thread too, which position must be published before the answer is made."""


def _route(
    path: str,
    summary: str,
    answer: Any,
    media: str = "application/json",
    *,
    roles: tuple[str, ...] = (),
    query: type[Struct] | None = None,
    statuses: tuple[int, ...] = (200, 404),
) -> Route:
    return Route(
        method="GET",
        path=path,
        summary=summary,
        tags=("log",),
        roles=tuple(sorted(roles)),
        public=not roles,
        query=query,
        answer=answer,
        media=(media,),
        statuses=statuses,
    )


# ---------------------------------------------------------------- public: hashes and signatures


def _checkpoint(desk: Desk, request: AnyRequest, _: Route) -> Response[bytes]:
    _no_query(request)
    return _sent(_published(desk.ledger).note, TEXT, f"public, max-age={CHECKPOINT_SECONDS}")


def _vkey(desk: Desk, request: AnyRequest, _: Route) -> Response[bytes]:
    _no_query(request)
    lines = "".join(f"{vkey}\n" for vkey in desk.ledger.publisher.keys.vkeys)
    return _sent(lines.encode(), TEXT, f"public, max-age={CHECKPOINT_SECONDS}")


def _tile(desk: Desk, request: AnyRequest, _: Route) -> Response[bytes]:
    _no_query(request)
    path = path_of(request)
    try:
        tile = parse_tile_path(f"tile/{path['level']}{path['tile']}")
    except TileError:
        raise _no_tile() from None
    with desk.ledger.reading() as group:
        if not desk.ledger.publisher.has_tile(group.cur, tile):
            raise _no_tile()
        return _sent(desk.ledger.store.nodes.tile(group.cur, tile), OCTETS, f"public, {_FOR_GOOD}")


def _inclusion(desk: Desk, request: AnyRequest, _: Route) -> Response[bytes]:
    asked = _query(request, InclusionQuery)
    if asked.index >= asked.size:
        raise Problem("meaningless", "The first leaf has index 0: give an index below the size.")
    _require_published(desk.ledger, asked.size)
    nodes = desk.ledger.store.nodes
    with desk.ledger.reading() as group:
        proof = InclusionProof(
            index=asked.index,
            size=asked.size,
            root=base64_of(nodes.root_at(group.cur, asked.size)),
            hashes=_in_base64(nodes.inclusion(group.cur, asked.index, asked.size)),
        )
    return json_response(proof, cache_control=f"public, {_FOR_GOOD}")


def _consistency(desk: Desk, request: AnyRequest, _: Route) -> Response[bytes]:
    asked = _query(request, ConsistencyQuery)
    if asked.old > asked.new:
        raise Problem("meaningless", "A tree begins with smaller ones only: give old up to new.")
    _require_published(desk.ledger, asked.new)
    nodes = desk.ledger.store.nodes
    with desk.ledger.reading() as group:
        proof = ConsistencyProof(
            old=asked.old,
            new=asked.new,
            old_root=base64_of(nodes.root_at(group.cur, asked.old)),
            new_root=base64_of(nodes.root_at(group.cur, asked.new)),
            hashes=_in_base64(nodes.consistency(group.cur, asked.old, asked.new)),
        )
    return json_response(proof, cache_control=f"public, {_FOR_GOOD}")


# ---------------------------------------------------------------- with a role: facts


def _bundle(desk: Desk, request: AnyRequest, route: Route) -> Response[bytes]:
    with desk.ledger.reading() as group:
        read = Read(group, admitted(request.headers, route_roles(route), group))
        _no_query(request)
        try:
            bundle = parse_bundle_path(f"tile/entries{path_of(request)['tile']}")
        except TileError:
            raise _no_tile() from None
        if not desk.ledger.publisher.has_tile(group.cur, Tile(0, bundle.index, bundle.width)):
            raise _no_tile()
        raw = _entries(read, bundle)
    # Before a byte is sent, the log knows who is about to see it.
    desk.note(read.reader, read.notes)
    return _sent(raw, OCTETS, f"private, {_FOR_GOOD}")


def _entries(read: Read, bundle: Bundle) -> bytes:
    first = bundle.index * TILE_WIDTH + 1
    last = first + bundle.width - 1
    rows = read.group.store.recorder.fetch(read.group.cur, range(first, last + 1))
    known = [Known(row, decode(row.leaf)) for row in rows]
    # A bundle is told whole or not at all, so any fact of such a loop closes it, also a harmless
    # one: a bundle that opened and shut with what others do in the loop would tell of it.
    if blind_to(known, read):
        raise FeedbackOwed(
            "you still owe feedback in a loop of which there are facts here: submit it first, then "
            "read on"
        )
    note_opinions(known, read)
    read.notes.append(c.NoteRecordViewed(what="facts", first=first, last=last))
    return entry_bundle([row.leaf for row in rows])


def _provable(desk: Desk, request: AnyRequest, route: Route) -> int:
    path = path_of(request)
    with desk.ledger.reading() as group:
        read = Read(group, admitted(request.headers, route_roles(route), group))
        _no_query(request)
        # Who may read the fact may prove it, and is noted as its reader. Its hashes say nothing to
        # others; but who knows that a fact stands here might guess which, so there is no exception.
        one_fact(read, path, None)
    desk.note(read.reader, read.notes)
    return int(path["position"])


def _proof(desk: Desk, request: AnyRequest, _: Route) -> Response[bytes]:
    position = int(path_of(request)["position"])
    checkpoint = desk.ledger.publisher.checkpoint_at_least(position)
    with desk.ledger.reading() as group:
        nodes = desk.ledger.store.nodes
        hashes = nodes.inclusion(group.cur, position - 1, checkpoint.size)
    return _sent(format_log_proof(position - 1, hashes, checkpoint.note), TEXT, "no-store")


# ---------------------------------------------------------------- the table


_SERVED: Final = (
    _Served(
        _route("/checkpoint", "The newest published checkpoint, signed", str, TEXT), _checkpoint
    ),
    _Served(_route("/v1/log/vkey", "The log's keys, newest first", str, TEXT), _vkey),
    _Served(
        _route("/tile/{level}/{tile:path}", "Hashes of the tree", Octets, OCTETS, query=TileAt),
        _tile,
    ),
    _Served(
        _route(
            "/v1/log/inclusion",
            "That a leaf is in the tree of a size",
            InclusionProof,
            query=InclusionQuery,
            statuses=(200, 404, 422),
        ),
        _inclusion,
    ),
    _Served(
        _route(
            "/v1/log/consistency",
            "That a tree begins with a smaller one",
            ConsistencyProof,
            query=ConsistencyQuery,
            statuses=(200, 404, 422),
        ),
        _consistency,
    ),
    _Served(
        _route(
            "/tile/entries/{tile:path}",
            "Facts in bulk, in the bytes that were hashed",
            Octets,
            OCTETS,
            roles=("auditor",),
            query=BundleAt,
        ),
        _bundle,
    ),
    _Served(
        _route(
            "/v1/facts/{position:int}/proof",
            "That a fact is in the log, to keep beside it (tlog-proof)",
            str,
            TEXT,
            roles=EVERYONE,
        ),
        _proof,
        first=_provable,
    ),
)

LOG_ROUTES: Final = tuple(one.route for one in _SERVED)


def log_handlers(desk: Desk) -> list[HTTPRouteHandler]:
    """The handlers of these routes."""
    return [_handler(one, desk) for one in _SERVED]


def _handler(one: _Served, desk: Desk) -> HTTPRouteHandler:
    async def handle(request: AnyRequest) -> Response[bytes]:
        if one.first is not None:
            # Neither thread nor connection is held while it is signed, and cosigned.
            await desk.published(await desk.in_thread(one.first, desk, request, one.route))
        return await desk.in_thread(one.answer, desk, request, one.route)

    return HTTPRouteHandler(
        one.route.litestar_path,
        http_method=[one.route.method],
        status_code=one.route.statuses[0],
        name=one.route.operation_id,
    )(handle)


def _sent(raw: bytes, media: str, cache: str) -> Response[bytes]:
    return Response(raw, media_type=media, headers={"cache-control": cache})


def _query(request: AnyRequest, type_: type[S]) -> S:
    return decode_query(query_pairs(request.scope["query_string"]), type_)


def _no_query(request: AnyRequest) -> None:
    _query(request, NoQuery)


def _published(ledger: Ledger) -> PublishedCheckpoint:
    found = ledger.publisher.latest()
    if found is None:
        raise Problem("not-found", "No checkpoint is published yet; /health/ready says why.")
    return found


def _require_published(ledger: Ledger, size: int) -> None:
    if size > _published(ledger).size:
        raise Problem(
            "not-found",
            "No checkpoint over so many facts is published; /checkpoint says how many there are.",
        )


def _no_tile() -> Problem:
    return Problem(
        "not-found",
        "No such tile. Full tiles are served up to the published checkpoint, partial ones as they "
        "were at the size of a checkpoint.",
    )


def _in_base64(hashes: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(base64_of(one) for one in hashes)
