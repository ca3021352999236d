"""Everything refused or failed has one shape, and none of it is the exception's own text."""

import io
from typing import get_args

import msgspec
import psycopg
import psycopg_pool
import pytest
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotAuthorizedException,
    NotFoundException,
    TooManyRequestsException,
    ValidationException,
)

from api import problems, telemetry
from api.problems import CODES, Code, FieldError, Problem, ProblemBody, problem_of
from domain.findings import Finding
from ledger.errors import LogDamaged
from ledger.restore_guard import RecordBehind

SECRET = "Zdenka-Quux"


def test_every_code_has_a_status_a_title_and_words() -> None:
    """The table is complete and holds client and server errors only."""
    assert set(CODES) == set(get_args(Code))
    for code, (status, title) in CODES.items():
        assert 400 <= status < 600
        assert title
        assert Problem(code).detail


@pytest.mark.parametrize("code", CODES)
def test_a_problem_is_what_the_document_says(code: Code) -> None:
    """Every problem, with all its members, decodes as the type that OpenAPI shows."""
    finding = Finding(policy="own", version=1, enforcement="block", message="m", cure="c")
    problem = Problem(
        code,
        errors=[FieldError("/a", "Wrong.")],
        extra={"findings": (finding,), "position": 7, "status": 999},
    )
    body = msgspec.json.decode(problems.encode(problem, "r_x"), type=ProblemBody, strict=True)
    assert body == ProblemBody(
        type=f"urn:hireledger:problem:{code}",
        title=CODES[code][1],
        status=CODES[code][0],
        detail=problem.detail,
        instance="r_x",
        errors=(FieldError("/a", "Wrong."),),
        findings=(finding,),
        position=7,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValidationException(SECRET, extra=[{"message": SECRET}]), "malformed"),
        (NotAuthorizedException(SECRET), "unauthenticated"),
        (NotFoundException(SECRET), "not-found"),
        (MethodNotAllowedException(SECRET), "method-not-allowed"),
        (TooManyRequestsException(SECRET), "too-many-requests"),
        (HTTPException(SECRET, status_code=418), "malformed"),
        (HTTPException(SECRET, status_code=500), "internal"),
        (HTTPException(SECRET, status_code=302), "internal"),
        (psycopg.OperationalError(SECRET), "unavailable"),
        (psycopg.errors.DiskFull(SECRET), "unavailable"),
        (psycopg.errors.AdminShutdown(SECRET), "unavailable"),
        (psycopg.errors.ReadOnlySqlTransaction(SECRET), "unavailable"),
        (psycopg_pool.PoolTimeout(SECRET), "unavailable"),
        (psycopg_pool.TooManyRequests(SECRET), "unavailable"),
        (LogDamaged(SECRET), "unavailable"),
        (RecordBehind(SECRET), "unavailable"),
        (psycopg.errors.UniqueViolation(SECRET), "internal"),
        (psycopg.DataError(SECRET), "internal"),
        (RecursionError(SECRET), "internal"),
        (KeyError(SECRET), "internal"),
    ],
)
def test_every_exception_becomes_a_problem_without_its_words(error: Exception, code: str) -> None:
    """Also those with extras, notes and causes."""
    error.add_note(SECRET)
    problem = problem_of(error)
    assert problem.code == code
    assert SECRET not in problems.encode(problem, "r_x").decode()


@pytest.mark.parametrize("kind", [LogDamaged, RecordBehind])
def test_a_store_that_is_damaged_or_behind_says_what_to_do(kind: type[Exception]) -> None:
    """Whoever runs the server hears of it in the answer, also where it is another's cause."""
    error = RuntimeError(SECRET)
    error.__cause__ = kind(SECRET)
    problem = problem_of(error)
    assert (problem.status, problem.title) == (503, "Not available now")
    assert "restores the newest backup" in problem.detail


def test_what_http_asks_of_an_answer_is_in_its_headers() -> None:
    """A challenge with 401, a time to wait with 429 and 503; what the caller adds wins."""
    assert Problem("unauthenticated").headers["WWW-Authenticate"].startswith("Bearer")
    assert Problem("unavailable").headers["Retry-After"] == "1"
    assert Problem("too-many-requests", headers={"Retry-After": "9"}).headers["Retry-After"] == "9"
    assert Problem("forbidden").headers == {}


def test_a_fault_of_the_server_is_logged_by_type_and_place() -> None:
    """And a fault of the caller's is not logged at all."""
    lines = io.StringIO()
    telemetry.configure(None, lines)
    try:
        scope: dict[str, object] = {}
        for error in (ValueError(SECRET), Problem("refused")):
            try:
                raise error
            except Exception as caught:  # noqa: BLE001 (as the edge does)
                problems.report(caught, problem_of(caught), scope)
    finally:
        telemetry.configure(None)
    (line,) = map(msgspec.json.decode, lines.getvalue().splitlines())
    assert line["event"] == "failed"
    assert line["error"] == "ValueError"
    assert line["code"] == "internal"
    assert line["request_id"] == scope["hireledger.request_id"]
    assert "test_problems_shape:" in line["where"][-1]
    assert SECRET not in lines.getvalue()
