"""Everything refused or failed leaves in one shape: RFC 9457 problem details, codes in one table.

A detail says what was refused, why, where, and what to do next. Nothing here ever copies the text
of an exception or a value of the caller's into an answer, a log line or a span.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
import psycopg
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.routes import HTTPRoute
from msgspec import Meta, Struct

from api.asgi import Scope, Send
from api.headers import request_id
from api.logs import log, where
from domain.findings import Finding
from domain.values import Position
from ledger.errors import LogDamaged
from ledger.export_dossier import CannotExport
from ledger.restore_guard import RecordBehind

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:hireledger:problem:"
RETRY_AFTER_SECONDS: Final = 1

Code = Literal[
    "malformed",
    "idempotency-key-missing",
    "unauthenticated",
    "forbidden",
    "feedback-owed",
    "not-found",
    "method-not-allowed",
    "refused",
    "exists",
    "too-large",
    "unsupported-media-type",
    "meaningless",
    "idempotency-key-reused",
    "too-many-requests",
    "internal",
    "unavailable",
]
CODES: Final[Mapping[Code, tuple[int, str]]] = {
    "malformed": (400, "The request is malformed"),
    "idempotency-key-missing": (400, "A write needs an Idempotency-Key"),
    "unauthenticated": (401, "A valid key is needed"),
    "forbidden": (403, "This caller may not do that"),
    "feedback-owed": (403, "Own feedback comes first"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This method is not served here"),
    "refused": (409, "The ledger refuses this"),
    "exists": (409, "This id is taken"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "This content type is not read here"),
    "meaningless": (422, "The request is well formed but has no meaning here"),
    "idempotency-key-reused": (422, "This Idempotency-Key was used for another body"),
    "too-many-requests": (429, "Too many requests"),
    "internal": (500, "The server failed"),
    "unavailable": (503, "Not available now"),
}
# What the ledger found to be wrong with the store itself: a fault that only its keeper can mend.
_FOUND: Final[Mapping[type[Exception], str]] = {
    CannotExport: (
        "No dossier can be made of this decision. To ask again does not help. Whoever runs this"
        " server finds out with `hireledger export dossier LOOP` why, and what to do."
    ),
    LogDamaged: (
        "The log in the store is damaged: facts, or parts of the tree over them, are missing. To"
        " ask again does not help. Whoever runs this server finds out with `hireledger fsck` what"
        " is missing, and restores the newest backup."
    ),
    RecordBehind: (
        "The store holds less than was signed, as after an old backup, so nothing was recorded."
        " To ask again does not help. Whoever runs this server restores the newest backup;"
        " /health/ready says what was found."
    ),
}
_CODE_OF_STATUS: Final[Mapping[int, Code]] = {
    400: "malformed",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "refused",
    413: "too-large",
    415: "unsupported-media-type",
    422: "meaningless",
    429: "too-many-requests",
    503: "unavailable",
}
# A server that only reads, such as one just demoted, is as good as away.
_AWAY: Final = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
_DETAILS: Final[Mapping[Code, str]] = {
    "malformed": "The request could not be read; /openapi.json says what this route takes.",
    "unauthenticated": "Send `Authorization: Bearer <api key>` with a key that is not revoked.",
    "forbidden": "This route needs a role that the caller does not have here.",
    "not-found": (
        "No such route or record, or not for this caller; /docs lists the routes for people, and"
        " /openapi.json for programs."
    ),
    "method-not-allowed": "The Allow header names the methods that this path serves.",
    "refused": "The state of the record does not permit this.",
    "too-large": "Send less in one request.",
    "unsupported-media-type": "Send `Content-Type: application/json`, in UTF-8 and not compressed.",
    "meaningless": "The request contradicts itself or the record.",
    "too-many-requests": "Wait as long as Retry-After says, then send the same request again.",
    "internal": (
        "This is a fault of the server, not of the request; its log has it under `instance`."
        " Whether a write was recorded, a retry with the same Idempotency-Key tells."
    ),
    "unavailable": (
        "The store could not be reached or did not answer. A write was not recorded, or its outcome"
        " is unknown: sent again with the same Idempotency-Key it tells. Reads may be repeated."
    ),
}


class FieldError(Struct, frozen=True):
    """One field at fault: where it is and what is wrong with it."""

    pointer: Annotated[str, Meta(description="RFC 6901 JSON pointer; empty for the whole body.")]
    message: str


class ProblemBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an answer with an error status holds (RFC 9457); it repeats no value that was sent."""

    type: Annotated[str, Meta(description="`urn:hireledger:problem:` and the code.")]
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: Annotated[str, Meta(description="What was refused, why, and what to do next.")]
    instance: Annotated[str, Meta(description="The id of this request, as in the server's log.")]
    errors: tuple[FieldError, ...] = ()
    findings: tuple[Finding, ...] = ()
    position: Annotated[
        Position | None, Meta(description="Where the refusal itself was recorded, if it was.")
    ] = None


class Problem(Exception):
    """A request is refused or cannot be served; becomes the answer.

    `code` is a key of `CODES`; `detail` is one or two sentences without any value of the caller's;
    `errors` name the fields at fault; `extra` holds further members (`findings`, `position`).
    """

    def __init__(
        self,
        code: Code,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code: Code = code
        self.status, self.title = CODES[code]
        self.detail = _DETAILS.get(code, self.title + ".") if detail is None else detail
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = {**_standing_headers(self.status), **(headers or {})}

    def body(self, instance: str) -> dict[str, object]:
        """The members of the problem document; `instance` is the request id."""
        members: dict[str, object] = {
            "type": TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            members["errors"] = self.errors
        return {**self.extra, **members}

    def told(self, instance: str) -> ProblemBody:
        """`body` as the struct, for a problem inside another answer."""
        return msgspec.convert(msgspec.to_builtins(self.body(instance)), ProblemBody)


def _standing_headers(status: int) -> dict[str, str]:
    """What HTTP asks of an answer with this status (RFC 9110)."""
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="hireledger"'}
    if status in {429, 503}:
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return {}


def malformed(detail: str, pointer: str | None = None, message: str | None = None) -> Problem:
    """A 400; with a `pointer`, the field at fault and what is wrong (`message` or `detail`)."""
    errors = () if pointer is None else (FieldError(pointer, message or detail),)
    return Problem("malformed", detail, errors=errors)


def problem_of(error: BaseException) -> Problem:
    """The problem that stands for any exception; of the exception's own text nothing is used."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException) and 400 <= error.status_code < 500:
        return Problem(_CODE_OF_STATUS.get(error.status_code, "malformed"))
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _AWAY):
            return Problem("unavailable")
        for kind, detail in _FOUND.items():
            if isinstance(cause, kind):
                return Problem("unavailable", detail)
        cause = cause.__cause__
    return Problem("internal")


def report(error: BaseException, problem: Problem, scope: Any) -> None:
    """A log line for what is no fault of the caller's: types and places, never a message."""
    if problem.status >= 500:
        fields = {"code": problem.code, "error": type(error).__name__, "where": where(error)}
        log.error("failed", **fields, request_id=request_id(scope))


def encode(problem: Problem, instance: str) -> bytes:
    """The bytes of the answer."""
    return msgspec.json.encode(problem.body(instance))


def problem_response(problem: Problem, scope: Any) -> Response[bytes]:
    """The answer as Litestar wants it."""
    return Response(
        encode(problem, request_id(scope)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=problem.headers,
    )


async def send_problem(problem: Problem, scope: Scope, send: Send) -> None:
    """The answer as plain ASGI, for what stands around Litestar; the first thing to be sent."""
    body = encode(problem, request_id(scope))
    headers = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **problem.headers}
    raw_headers = [(k.lower().encode("ascii"), v.encode("latin-1")) for k, v in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw_headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]


def handlers(
    more: Mapping[type[Exception], Callable[[Any], Problem]] | None = None,
) -> dict[int | type[Exception], Handler]:
    """Litestar's table of exception handlers: everything becomes a problem, `more` before the rest.

    `more` maps the application's own exceptions (refusals, say) to problems.
    """

    def by(translate: Callable[[Any], Problem]) -> Handler:
        def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
            problem = translate(error)
            if isinstance(error, MethodNotAllowedException):
                problem.headers["Allow"] = ", ".join(_allowed(request))
            report(error, problem, request.scope)
            return problem_response(problem, request.scope)

        return answer

    table: dict[int | type[Exception], Handler] = {
        HTTPException: by(problem_of),
        Exception: by(problem_of),
    }
    table.update({kind: by(translate) for kind, translate in (more or {}).items()})
    return table


def _allowed(request: Request[Any, Any, Any]) -> list[str]:
    """The methods that the path of a request serves (RFC 9110, 15.5.6 wants them in a 405)."""
    parts = [part for part in request.scope["path"].split("/") if part]
    methods: set[str] = set()
    for route in request.app.routes:
        if not isinstance(route, HTTPRoute) or len(route.path_components) != len(parts):
            continue
        pairs = zip(route.path_components, parts, strict=True)
        if all(not isinstance(mine, str) or mine == theirs for mine, theirs in pairs):
            methods |= route.methods
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)
