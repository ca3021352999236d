"""The dossier of a decision as a download: the offline file, under the rules of any other reading.

It is answered by a handler of its own: its bytes are the file's, and between finding the decision
and proving its facts a checkpoint may have to be signed.
"""

from typing import Annotated, Final, NamedTuple

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta, Struct

from api.desk import Desk, admitted
from api.openapi import Route
from api.problems import Problem
from api.reading import Read
from api.reads.base import LOOP_READERS
from api.strict import decode_query, query_pairs
from api.writes import JSON, AnyRequest, path_of, route_roles
from domain.state import Loop
from domain.values import POSITION_MAX
from ledger.blind_rule import Reader, check_not_owing, notes_of_reading
from ledger.export_dossier import Audience, Chosen, assemble, choose, published_over
from ledger.personal.withholding import GUARDED, KINDS, Guarded, Kind
from ledger.proof.dossier import Dossier, encode_dossier

FILE_NAME: Final = "dossier.json"
"""What the download is called: it names nobody, and no loop."""


class DossierQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which decision, and which kinds of personal values to leave out or to tell."""

    withhold: Annotated[
        tuple[Kind, ...],
        Meta(
            max_length=len(KINDS),
            description="Leave out names and addresses, what was written about the candidate, or "
            "the reasons of decisions. The file verifies all the same.",
        ),
    ] = ()
    disclose: Annotated[
        tuple[Guarded, ...],
        Meta(
            max_length=len(GUARDED),
            description="Tell the reasons of these kinds too, for which the role auditor is "
            "needed. Without it they are withheld: legal advice is privileged, and a comparison "
            "says something about other candidates. `withhold=reasons` goes before it.",
        ),
    ] = ()
    decision: (
        Annotated[
            int,
            Meta(
                ge=1,
                le=POSITION_MAX,
                description="The position of the decision, or of a rejection at a stage. Default: "
                "the decision in force, else the latest that was made, else the latest rejection "
                "at a stage. That a candidate was advanced is no subject of a dossier.",
            ),
        ]
        | None
    ) = None


DOSSIER: Final = Route(
    method="GET",
    path="/v1/loops/{loop}/dossier",
    summary="The offline file of a loop's decision, which anyone can verify without this ledger",
    description="Of a candidate who was rejected at a stage, it is of that rejection. While there "
    "is neither a decision nor a rejection, there is no dossier: 404.",
    tags=("loops",),
    roles=tuple(sorted(LOOP_READERS)),
    query=DossierQuery,
    answer=Dossier,
    statuses=(200,),
    headers=("Content-Disposition",),
)


def dossier_handler(desk: Desk) -> HTTPRouteHandler:
    """The handler of the download."""

    async def handle(request: AnyRequest) -> Response[bytes]:
        wanted = await desk.in_thread(_wanted, desk, request)
        await desk.published(wanted.chosen.decision.position)
        raw = await desk.in_thread(_made, desk, wanted)
        named = {"content-disposition": f'attachment; filename="{FILE_NAME}"'}
        return Response(raw, media_type=JSON, headers=named)

    return HTTPRouteHandler(
        DOSSIER.litestar_path,
        http_method=[DOSSIER.method],
        status_code=DOSSIER.statuses[0],
        name=DOSSIER.operation_id,
    )(handle)


class _Wanted(NamedTuple):
    """A decision that the reader may have the file of."""

    reader: Reader
    query: DossierQuery
    loop: Loop
    chosen: Chosen


def _wanted(desk: Desk, request: AnyRequest) -> _Wanted:
    """What the file is to be of, once the reader was found to be entitled to it."""
    with desk.ledger.reading() as group:
        reader = admitted(request.headers, route_roles(DOSSIER), group)
        query = decode_query(query_pairs(request.scope["query_string"]), DossierQuery)
        if query.disclose and "auditor" not in reader.roles:
            raise Problem("forbidden", "Legal and comparative reasons are disclosed to auditors.")
        loop = Read(group, reader).loop(path_of(request)["loop"]).now
        check_not_owing(reader, loop)
        return _Wanted(reader, query, loop, choose(group, loop, query.decision))


def _made(desk: Desk, wanted: _Wanted) -> bytes:
    """The file's bytes, once the log knows who is about to have them."""
    reader, query, loop, chosen = wanted
    published = published_over(desk.ledger, chosen.decision.position)
    audience = Audience(
        reader.person,
        "auditor" in reader.roles,
        frozenset(query.withhold),
        frozenset(query.disclose),
    )
    with desk.ledger.reading() as group:
        dossier = assemble(group, chosen, published, desk.ledger.rules, audience)
    raw = encode_dossier(dossier)
    # Ratings stand in the leaves: whoever has the file has seen the feedback, whatever is withheld.
    desk.note(reader, notes_of_reading(reader, loop, chosen.facts, "export"))
    return raw
