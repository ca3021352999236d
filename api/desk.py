"""The desk: where requests meet the ledger. Blocking work runs in threads, as many as readers.

A write is decoded, its caller admitted, the command handed to the ledger's writer, and answered
when its facts are on disk. A read runs on one pooled connection; what it must note about the
reader is recorded before a byte of its answer is sent.
"""

import asyncio
import contextvars
import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import Final, ParamSpec, TypeVar

from api.answers import Written, answer
from api.auth import admit, authenticate, identify
from api.openapi import Route
from api.strict import decode_command, same_body_digest
from domain import commands as c
from domain.facts import Role
from domain.values import make_handle
from ledger.api_keys import issue_secret
from ledger.asked import Asked, Done, Rehearsed, Unavailable
from ledger.blind_rule import Reader
from ledger.group import Group
from ledger.ledger import READERS, Ledger
from ledger.publish import ANSWER_SECONDS_MAX

P = ParamSpec("P")
T = TypeVar("T")
OUTCOME_SECONDS_MAX: Final = 30.0
_POLL_SECONDS: Final = 0.02
_SILENT: Final = (
    "the store does not answer; whether it recorded this is unknown: send the same request again "
    "with the same key"
)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a write, and what its headers say."""

    written: Written
    location: str
    replayed: bool


class Desk:
    """One per application; `close` it after the last request."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="hireledger-read")

    def close(self) -> None:
        """Lets running work end."""
        self._threads.shutdown(wait=True)

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Blocking work off the event loop, in the request's own context."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: context.run(work, *args, **kwargs))

    async def published(self, position: int) -> None:
        """Waits for a published checkpoint over a recorded position; raises `Unavailable`.

        No thread and no connection is held meanwhile: however many wait for witnesses, whoever
        comes to read or to look after the server is answered.
        """
        deadline = monotonic() + ANSWER_SECONDS_MAX
        while not self.ledger.publisher.asked(position):
            if monotonic() > deadline:
                self.ledger.publisher.checkpoint_at_least(position, timeout=0.0)
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def admit(self, headers: Mapping[str, str], roles: Collection[Role]) -> Reader:
        """The caller, if a role of theirs opens the route; or `Problem` 401 or 403."""

        def work() -> Reader:
            with self.ledger.reading() as group:
                return admitted(headers, roles, group)

        return await self.in_thread(work)

    async def record(
        self, reader: Reader, route: Route, path: Mapping[str, str], key: str, raw: bytes
    ) -> Answered:
        """Step 1 here, 2 to 7 by the ledger; raises problems and refusals."""
        asked, token = ask(reader, route, path, key, raw)
        done = await outcome(asyncio.wrap_future(self.ledger.submit(asked)))
        written, location = answer(done, token)
        return Answered(written, location, done.replayed)

    async def rehearse(
        self, reader: Reader, route: Route, path: Mapping[str, str], raw: bytes
    ) -> Rehearsed:
        """What the rules would say; nothing is recorded."""
        asked, _ = ask(reader, route, path, "rehearsal", raw)
        return await self.in_thread(self.ledger.rehearse, asked)

    def note(self, reader: Reader, notes: list[c.AnyCommand]) -> None:
        """Records what must be known of a reading before anything of it is shown. Blocks."""
        waiting = [
            self.ledger.submit(
                Asked(note, reader.caller, f"note-{make_handle('r', os.urandom(16))}", b"")
            )
            for note in notes
        ]
        try:
            for one in waiting:
                one.result(timeout=OUTCOME_SECONDS_MAX)
        except TimeoutError:
            raise Unavailable(_SILENT, recorded=None) from None


async def outcome(waiting: "asyncio.Future[Done]") -> Done:
    """What a command recorded, once it is on disk; raises what it was refused with.

    If the caller hangs up meanwhile, the command is recorded all the same: the key will tell.
    """
    try:
        return await asyncio.wait_for(asyncio.shield(waiting), OUTCOME_SECONDS_MAX)
    except TimeoutError:
        raise Unavailable(_SILENT, recorded=None) from None


def admitted(headers: Mapping[str, str], roles: Collection[Role], group: Group) -> Reader:
    """The caller, if a role of theirs opens the route; or `Problem` 401 or 403."""
    key = authenticate(headers, group)
    reader = identify(key, headers.get("hireledger-actor"), group)
    admit(reader, roles)
    return reader


def ask(
    reader: Reader, route: Route, path: Mapping[str, str], key: str, raw: bytes, *, at: str = ""
) -> tuple[Asked, str | None]:
    """Step 1: the bytes of a request as one command; with a fresh API key's token where it is one.

    `at` is the pointer of the body within what was sent. Raises `Problem` 400 or 413.
    """
    if route.command is None:
        raise TypeError("only writes are asked of the ledger")
    command = decode_command(raw, route.command, path, at=at)
    if not isinstance(command, c.AnyCommand):
        raise TypeError("the routes name commands only")
    token, new_key = issue_secret() if isinstance(command, c.IssueKey) else (None, None)
    # Where a request went is part of what it was: the same key elsewhere is another request.
    where = "\0".join([route.method, route.path, *(path[name] for name in sorted(path))])
    body = where.encode() + b"\0" + same_body_digest(raw)
    return Asked(command, reader.caller, key, body, new_key=new_key), token
