"""Historical event logs into the ledger: one `record-imported` an event, resumable, idempotent.

An event is known by its system, log, case and place in the trace. From these comes its request key:
an event that is in already is found by it and left alone, however the last import ended (kill -9
included), and whichever file it now comes from.

An event's activity stands in the leaf as it is and outlasts an erasure; resource and attributes are
sealed.
"""

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from pathlib import Path
from typing import IO, Final, NamedTuple
from urllib.parse import quote

import msgspec

from api.xes import Event, Trace, XesError, read_traces
from domain import commands as c
from domain.refusals import Exists
from ledger.accept import request_of
from ledger.asked import Asked, Done, KeyReused, as_system
from ledger.ledger import Ledger

GROUP_EVENTS: Final = 256
IN_FLIGHT_MAX: Final = 4 * GROUP_EVENTS
"""More than the writer takes into one commit, so that it never waits for us."""

_CALLER: Final = as_system("administrator")
_TECHNICAL: Final = frozenset({"case", "concept:name"})
_NOT_IN_CODE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_VISIBLE: Final = "!\"#$&'()*+,;<=>?@[]^`{|}\\"
_CODE_LENGTH_MAX: Final = 64
_DIGEST_DIGITS: Final = 16


class Origin(NamedTuple):
    """Where the events come from, in words that stand in leaves: never a path."""

    system: str
    log: str


class Progress(NamedTuple):
    """How far an import is."""

    traces: int
    recorded: int
    """Events that this run recorded."""
    known: int
    """Events that were in before."""
    bytes_read: int
    """Of the file as it lies on disk."""


def import_xes(
    ledger: Ledger,
    path: Path,
    *,
    system: str | None = None,
    log: str | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[Origin, Progress]:
    """Record every event of an XES file (gzipped or not) that is not in yet.

    Args:
        ledger: into which.
        path: of the file; neither it nor its name is kept.
        system: where the log comes from; default what the log says of its origin, else `xes`.
        log: its name; default what the log calls itself, else a digest of the file.
        progress: called every few hundred events.

    Raises:
        XesError: where the file is no XES, or an event no longer says what was recorded of it. What
            came before is recorded; a file put right goes on from there.
        Unavailable: the store went away; the next run goes on.
    """
    with path.open("rb") as file:
        header: dict[str, str] = {}
        digest = None if log else hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        traces = read_traces(file, header.update)
        first = list(islice(traces, 1))
        origin = Origin(
            system or as_code(header.get("source") or header.get("origin") or "") or "xes",
            log or as_code(header.get("concept:name", "")) or f"xes-{(digest or '')[:16]}",
        )
        return origin, _Import(ledger, origin, file, progress).run(_chain(first, traces))


def as_code(text: str) -> str:
    """The text as a `Code` that can stand in leaves ("german speaking": "german-speaking")."""
    return _NOT_IN_CODE.sub("-", text).strip("-._")[:_CODE_LENGTH_MAX]


def _chain(first: list[Trace], rest: Iterator[Trace]) -> Iterator[Trace]:
    yield from first
    yield from rest


class _Sent(NamedTuple):
    """An event on its way, and where in the file it stands."""

    where: str
    asked: Asked


class _Import:
    """One run: reads ahead of the writer, which commits what waits in groups."""

    def __init__(
        self, ledger: Ledger, origin: Origin, file: IO[bytes], progress: Callable[[Progress], None]
    ) -> None:
        self._ledger = ledger
        self._origin = origin
        self._file = file
        self._tell = progress
        self._traces = 0
        self._recorded = 0
        self._known = 0
        self._in_flight: deque[tuple[_Sent, Future[Done]]] = deque()

    def run(self, traces: Iterator[Trace]) -> Progress:
        try:
            for group in _groups(self._events(traces)):
                for one in self._unknown(group):
                    self._in_flight.append((one, self._ledger.submit(one.asked)))
                self._settle(IN_FLIGHT_MAX - GROUP_EVENTS)
                self._tell(self._progress())
        finally:
            # What was sent is recorded whatever ended the reading; a fault of its own comes first.
            self._settle(0)
        self._tell(self._progress())
        return self._progress()

    def _progress(self) -> Progress:
        return Progress(self._traces, self._recorded, self._known, self._file.tell())

    def _events(self, traces: Iterator[Trace]) -> Iterator[_Sent]:
        for trace in traces:
            self._traces += 1
            case = _case(trace, self._origin)
            for event in trace.events:
                where = f"Trace {self._traces} (line {trace.line}), event {event.place + 1}"
                yield _Sent(where, _asked(self._origin, case, trace, event, where))

    def _unknown(self, group: Sequence[_Sent]) -> list[_Sent]:
        """Those of a group that are not in yet, found in one question to the store."""
        with self._ledger.reading() as log:
            requests = [request_of(one.asked) for one in group]
            found = self._ledger.store.requests.find_many(log.cur, requests)
        for one, known in zip(group, found, strict=True):
            if known is not None and not known.same_body:
                raise _changed(one.where)
        self._known += sum(known is not None for known in found)
        return [one for one, known in zip(group, found, strict=True) if known is None]

    def _settle(self, left: int) -> None:
        """Wait until no more than so many are under way."""
        while len(self._in_flight) > left:
            sent, answer = self._in_flight.popleft()
            try:
                replayed = answer.result().replayed
            except (KeyReused, Exists):
                raise _changed(sent.where) from None
            self._known += replayed
            self._recorded += not replayed


def _groups(events: Iterator[_Sent]) -> Iterator[list[_Sent]]:
    """The events some at a time; those before a fault are given out before it is raised."""
    group: list[_Sent] = []
    try:
        for event in events:
            group.append(event)
            if len(group) == GROUP_EVENTS:
                yield group
                group = []
    except XesError:
        yield group
        raise
    yield group


def _case(trace: Trace, origin: Origin) -> str:
    """The case's id: with its log, so that two logs may count their cases alike."""
    case = f"{origin.system}:{origin.log}:{quote(trace.name, safe=_VISIBLE)}"
    if len(case) <= 128:
        return case
    digest = hashlib.sha256(trace.name.encode()).hexdigest()
    return f"{origin.system}:{origin.log}:{digest}"[:128]


def _asked(origin: Origin, case: str, trace: Trace, event: Event, where: str) -> Asked:
    record = {
        "system": origin.system,
        "log": origin.log,
        "case": case,
        "place": event.place,
        "activity": event.activity,
        "claimed_at": event.claimed_at,
        "resource": event.resource,
        "attributes": _attributes(trace) if event.place == 0 else [],
    }
    try:
        command = msgspec.convert(record, c.ImportRecord)
    except msgspec.ValidationError as error:
        raise XesError(f"{where}: {_fault(error)}") from None
    identity = "\0".join((origin.system, origin.log, case, str(event.place)))
    key = f"xes-{hashlib.sha256(identity.encode()).hexdigest()}"
    return Asked(command, _CALLER, key, msgspec.json.encode(command, order="deterministic"))


def _attributes(trace: Trace) -> list[dict[str, str]]:
    """The case's own attributes, named as codes; a name that is taken gets a number."""
    named: dict[str, str] = {}
    for key, value in trace.attributes.items():
        name = as_code(key)
        if not name or key in _TECHNICAL or key.startswith("@@"):
            continue
        free = (f"{name[:60]}-{number}" for number in range(2, len(named) + 3))
        named[name if name not in named else next(f for f in free if f not in named)] = value
    return [{"name": name, "value": value} for name, value in named.items()]


def _fault(error: msgspec.ValidationError) -> str:
    """Which field does not fit, and why; msgspec quotes no value for lengths and patterns."""
    said, _, field = str(error).partition(" - at `$")
    return f"{said.rstrip()} in {field.strip('.`') or 'the event'}."


def _changed(where: str) -> XesError:
    return XesError(
        f"{where}: the ledger has another event at this place of this case. The log was changed "
        "since it was imported; import it under another name (--log NAME)."
    )
