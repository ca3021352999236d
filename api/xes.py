"""XES event logs (IEEE 1849) read as a stream: one trace in memory at a time, gzipped or not.

Read are of a trace its name and its own attributes, of an event its activity (`concept:name`), its
time (`time:timestamp`) and its resource (`org:resource`); older names stand in where these are
missing. Anything nested deeper, global defaults and classifiers are passed over.

The parser is the standard library's expat. A document type is refused whole, so there is no entity
to expand, no external file to fetch, and nothing to make up for in limits.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from typing import IO, Final, NamedTuple
from xml.parsers import expat

CHUNK_BYTES: Final = 64 * 1024
ELEMENT_BYTES_MAX: Final = 1024 * 1024
EVENTS_IN_TRACE_MAX: Final = 100_000
ATTRIBUTES_MAX: Final = 1_000

_GZIP: Final = b"\x1f\x8b"
_VALUES: Final = frozenset({"string", "date", "int", "float", "boolean", "id"})
_ACTIVITY: Final = ("concept:name", "activity", "Activity")
_TIME: Final = ("time:timestamp", "time", "timestamp")
_RESOURCE: Final = ("org:resource", "resource", "Resource")
_NAME: Final = "concept:name"


class XesError(Exception):
    """The file is no XES log that can be read; the message says where, and repeats no value."""


class Event(NamedTuple):
    """One event of a trace; `place` counts from 0 within the trace."""

    place: int
    activity: str
    claimed_at: datetime
    """With a zone."""
    resource: str | None


class Trace(NamedTuple):
    """One case: its name, its own attributes as written in the file, its events in their order."""

    name: str
    line: int
    """Of the file, 1-based, where the trace begins."""
    attributes: dict[str, str]
    events: tuple[Event, ...]


def read_traces(file: IO[bytes], header: Callable[[dict[str, str]], None]) -> Iterator[Trace]:
    """The traces of a log in their order; `header` gets the log's own attributes before the first.

    Raises `XesError`; every trace that was complete before the fault was given out.
    """
    collector = _Collector(header)
    try:
        for chunk in _chunks(file):
            collector.feed(chunk)
            yield from collector.take()
        collector.end()
    except XesError:
        yield from collector.take()
        raise
    yield from collector.take()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The document's bytes, unpacked where the file is gzipped."""
    first = file.read(2)
    file.seek(-len(first), 1)
    if first != _GZIP:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
        return
    with closing(gzip.GzipFile(fileobj=file)) as unpacked:
        while True:
            try:
                chunk = unpacked.read(CHUNK_BYTES)
            except EOFError:
                raise XesError(
                    "The gzipped file ends before its end: it was cut short. Get it again."
                ) from None
            except (gzip.BadGzipFile, zlib.error):
                raise XesError("The gzipped file is damaged. Get it again.") from None
            if not chunk:
                return
            yield chunk


class _Collector:
    """What expat calls: gathers attributes by the element that they stand in."""

    def __init__(self, header: Callable[[dict[str, str]], None]) -> None:
        self._header: Callable[[dict[str, str]], None] | None = header
        self._path: list[str] = []
        self._log: dict[str, str] = {}
        self._trace: dict[str, str] = {}
        self._event: dict[str, str] = {}
        self._events: list[Event] = []
        self._traces: list[Trace] = []
        self._number = 0
        self._line = 0
        self._fed = 0
        self._names: set[str] = set()
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._finish
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def feed(self, chunk: bytes) -> None:
        """Parse some more of the document."""
        self._parse(chunk, last=False)
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > ELEMENT_BYTES_MAX + CHUNK_BYTES:
            raise XesError(f"{self._where()}: one element has more than {ELEMENT_BYTES_MAX} bytes.")

    def end(self) -> None:
        """The document is over."""
        self._parse(b"", last=True)
        self._tell_header()

    def take(self) -> list[Trace]:
        """The traces that are complete since the last call."""
        taken, self._traces = self._traces, []
        return taken

    def _parse(self, chunk: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            said = expat.errors.messages[error.code]
            raise XesError(
                f"Line {error.lineno}, column {error.offset}: this is not well-formed XML ({said})."
            ) from None
        except (LookupError, ValueError):
            raise XesError(
                "Line 1: the file is in an encoding that is not known here. Convert it to UTF-8."
            ) from None

    # ---------------------------------------------------------------- what stands where

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        path = self._path
        path.append(name)
        match len(path):
            case 1 if name != "log":
                raise XesError("The document's element is not `log`: this is no XES.")
            case 2 if name == "trace":
                self._tell_header()
                self._begin_trace()
            case 3 if name == "event" and path[1] == "trace":
                self._event = {}
            case _ if name in _VALUES:
                self._keep(attributes)
            case _:
                return

    def _keep(self, attributes: dict[str, str]) -> None:
        """One attribute, if it stands right in the log, a trace or an event."""
        match self._path[1:-1]:
            case []:
                kept = self._log
            case ["trace"]:
                kept = self._trace
            case ["trace", "event"]:
                kept = self._event
            case _:
                return
        if "key" in attributes and "value" in attributes:
            kept[attributes["key"]] = attributes["value"]
        if len(kept) > ATTRIBUTES_MAX:
            raise XesError(f"{self._where()}: there are more than {ATTRIBUTES_MAX} attributes.")

    def _finish(self, name: str) -> None:
        path = self._path
        if name == "event" and path[1:] == ["trace", "event"]:
            self._finish_event()
        elif name == "trace" and path[1:] == ["trace"]:
            self._finish_trace()
        path.pop()

    def _tell_header(self) -> None:
        if self._header is not None:
            told, self._header = self._header, None
            told(self._log)

    # ---------------------------------------------------------------- traces and events

    def _begin_trace(self) -> None:
        self._number += 1
        self._line = self._parser.CurrentLineNumber
        self._trace, self._events = {}, []

    def _finish_event(self) -> None:
        place = len(self._events)
        if place >= EVENTS_IN_TRACE_MAX:
            raise XesError(f"{self._where()}: a trace has more than {EVENTS_IN_TRACE_MAX} events.")
        activity = _first(self._event, _ACTIVITY)
        if not activity:
            raise XesError(f"{self._where()}: the event has no `concept:name`.")
        self._events.append(
            Event(place, activity, self._time(), _first(self._event, _RESOURCE) or None)
        )

    def _time(self) -> datetime:
        text = _first(self._event, _TIME)
        if text is None:
            raise XesError(f"{self._where()}: the event has no `time:timestamp`.")
        try:
            claimed = datetime.fromisoformat(text)
        except ValueError:
            raise XesError(f"{self._where()}: `time:timestamp` is no ISO 8601 time.") from None
        if claimed.tzinfo is None:
            raise XesError(f"{self._where()}: `time:timestamp` has no zone.")
        return claimed

    def _finish_trace(self) -> None:
        name = self._trace.pop(_NAME, None)
        if not name:
            raise XesError(f"{self._where()}: the trace has no `concept:name`.")
        if name in self._names:
            raise XesError(
                f"{self._where()}: an earlier trace has the same `concept:name`, so that their "
                "events could not be told apart."
            )
        self._names.add(name)
        self._traces.append(Trace(name, self._line, self._trace, tuple(self._events)))

    def _where(self) -> str:
        """The place being read: line, trace and, within one, event; all 1-based."""
        where = f"Line {self._parser.CurrentLineNumber}"
        if len(self._path) > 1 and self._path[1] == "trace":
            where += f", trace {self._number}"
            if self._path[2:3] == ["event"]:
                where += f", event {len(self._events) + 1}"
        return where


def _first(attributes: dict[str, str], names: tuple[str, ...]) -> str | None:
    """The value of the first of these names that is there."""
    return next((attributes[name] for name in names if name in attributes), None)


def _refuse_doctype(*_: object) -> None:
    raise XesError(
        "The file declares a document type, which no XES log needs and which can hide an attack. "
        "Remove the DOCTYPE if you trust the rest."
    )
