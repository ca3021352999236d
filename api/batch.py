"""POST /v1/batch: many writes in one request, each line its own, each answered in order.

A line is a write like any other: the same decoding, roles, keys and refusals. Lines are handed to
the ledger's writer as they arrive, in order, so that each sees those before it; a bad line spoils
no other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from api.answers import Written, answer
from api.auth import admit, authenticate, identify
from api.desk import Desk, ask, outcome
from api.edge import KEY_LENGTH_MAX, split_lines
from api.headers import request_id
from api.openapi import Route
from api.problems import Problem, ProblemBody, malformed, problem_of, report
from api.refusals import problem_of_outage, problem_of_refusal
from api.routes import match_post
from api.strict import decode_body
from api.writes import AnyRequest, route_roles
from domain.facts import KeyIssued
from domain.refusals import Refusal
from ledger.asked import Done, Unavailable
from ledger.blind_rule import Reader

IN_FLIGHT_MAX: Final = 256


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One write of a batch."""

    key: Annotated[str, Meta(pattern=rf"^[!-~]{{1,{KEY_LENGTH_MAX}}}(?!\n)$")]
    actor: Annotated[str, Meta(pattern=r"^[!-.0-~]{1,128}(?!\n)$")] | None = None
    path: Annotated[str, Meta(pattern=r"^/v1/[!-~]{1,500}(?!\n)$")]
    body: Annotated[dict[str, Any], Meta(description="As for the path on its own.")] = {}


class _Sent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line as decoded here: its body stays bytes, to be decoded as the path says."""

    key: str
    actor: str | None = None
    path: str
    body: Raw = Raw(b"{}")


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one line: its answer, or its problem."""

    key: str | None
    status: int
    positions: tuple[int, ...] = ()
    answer: Written | None = None
    problem: ProblemBody | None = None


class _Waiting(Struct, frozen=True):
    key: str | None
    outcome: "asyncio.Future[Done] | Exception"
    token: str | None = None


async def serve_batch(request: AnyRequest, desk: Desk) -> AsyncIterator[bytes]:
    """The result lines, in the order of the lines sent; memory stays within `IN_FLIGHT_MAX`."""
    await desk.in_thread(_authenticate, request, desk)
    readers: dict[str | None, Reader] = {}
    waiting: deque[_Waiting] = deque()
    async for line in split_lines(request.stream()):
        waiting.append(await _start(line, request, readers, waiting, desk))
        if len(waiting) >= IN_FLIGHT_MAX:
            yield await _finish(waiting.popleft(), request.scope)
    while waiting:
        yield await _finish(waiting.popleft(), request.scope)


def _authenticate(request: AnyRequest, desk: Desk) -> KeyIssued:
    with desk.ledger.reading() as group:
        return authenticate(request.headers, group)


async def _start(
    line: bytes | Problem,
    request: AnyRequest,
    readers: dict[str | None, Reader],
    before: deque[_Waiting],
    desk: Desk,
) -> _Waiting:
    if isinstance(line, Problem):
        return _Waiting(None, line)
    key: str | None = None
    try:
        sent = _decode(line)
        key = sent.key
        found = match_post(sent.path)
        if found is None:
            raise Problem("not-found", "This path takes no write in a batch.")
        # A key that is revoked while a batch runs opens nothing from then on.
        issued = await desk.in_thread(_authenticate, request, desk)
        try:
            reader = await _reader(sent.actor, found.route, issued, readers, desk)
        except Problem:
            # An earlier line may be about to register the person, or to give them the role.
            if not await _settle(before):
                raise
            readers.pop(sent.actor, None)
            reader = await _reader(sent.actor, found.route, issued, readers, desk)
        raw = bytes(sent.body)
        asked, token = ask(reader, found.route, found.path, sent.key, raw, at="/body")
        return _Waiting(key, asyncio.wrap_future(desk.ledger.submit(asked)), token)
    except Exception as error:  # noqa: BLE001  (such as a store that has just gone away)
        return _Waiting(key, error)


def _decode(line: bytes) -> _Sent:
    decode_body(line, Line)
    try:
        return msgspec.json.decode(line, type=_Sent)
    except msgspec.MsgspecError:
        raise malformed("This line is not a write.") from None


async def _reader(
    actor: str | None,
    route: Route,
    issued: KeyIssued,
    readers: dict[str | None, Reader],
    desk: Desk,
) -> Reader:
    """The acting person, admitted to the route; known people are looked up once a batch."""

    def work() -> Reader:
        with desk.ledger.reading() as group:
            return identify(issued, actor, group)

    if actor not in readers:
        readers[actor] = await desk.in_thread(work)
    admit(readers[actor], route_roles(route))
    return readers[actor]


async def _settle(before: deque[_Waiting]) -> bool:
    """Waits for the lines before to be done; whether there were any."""
    running = [w.outcome for w in before if isinstance(w.outcome, asyncio.Future)]
    if running:
        await asyncio.wait(running)
    return bool(running)


async def _finish(waiting: _Waiting, scope: Any) -> bytes:
    try:
        if isinstance(waiting.outcome, Exception):
            raise waiting.outcome
        done = await outcome(waiting.outcome)
        written, _ = answer(done, waiting.token)
        result = Result(key=waiting.key, status=201, positions=written.positions, answer=written)
    except Exception as error:  # noqa: BLE001  (one bad line never spoils the others)
        problem = _problem(error)
        report(error, problem, scope)
        told = problem.told(request_id(scope))
        result = Result(key=waiting.key, status=problem.status, problem=told)
    return msgspec.json.encode(result) + b"\n"


def _problem(error: Exception) -> Problem:
    if isinstance(error, Refusal):
        return problem_of_refusal(error)
    return problem_of_outage(error) if isinstance(error, Unavailable) else problem_of(error)
