"""Log lines that cannot hold a personal value: whatever is not on a list is dropped.

Every line is one JSON object of the fields in `FIELDS`, each a number, a word or a list of such. An
exception is its type's name and the places it passed through. That holds for what other rooms and
libraries log as well, because it is done where lines leave the process.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO, cast

import msgspec
import structlog
from opentelemetry import trace
from typing_extensions import override

FIELDS: Final = frozenset({
    "event", "level", "timestamp", "trace_id", "span_id", "request_id", "logger", "error", "where",
    "method", "route", "status", "code", "duration_ms", "command", "step", "position", "positions",
    "count", "facts", "lag", "policy", "policies", "verdict", "projection", "migration", "version",
    "schema", "port", "pid", "signal", "attempt", "seconds", "witness",
})  # fmt: skip
_ROOMS: Final = frozenset({"domain", "policies", "ledger", "projections", "api"})
_PLACES_MAX: Final = 8

# A second net under the list of fields: no value is a sentence or an address.
_WORD: Final = re.compile(r"[\w./:{}*+<>,()=-]{1,200}", re.ASCII)
_EVENT: Final = re.compile(r"[a-z][a-z0-9 _.-]{0,79}")
_ITEMS_MAX: Final = 200
# Loggers whose unfilled templates are constants of their source and help whoever runs the server.
_TEMPLATES_FROM: Final = ("psycopg.pool", "uvicorn.error", "opentelemetry.")
_NOT_IN_EVENT: Final = re.compile(r"[^a-z0-9 _.-]+")

log: Final[structlog.typing.FilteringBoundLogger] = structlog.get_logger()


def is_word(text: str) -> bool:
    """Whether a text is one word of code (a name, a route template, a place), not prose."""
    return _WORD.fullmatch(text) is not None


def is_plain(value: object) -> bool:
    """Whether a value is a number, a word, or a list of such."""
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        return len(items) <= _ITEMS_MAX and all(map(_is_scalar, items))
    return _is_scalar(value)


def _is_scalar(value: object) -> bool:
    if isinstance(value, str):
        return is_word(value)
    return value is None or isinstance(value, bool | int | float)


def where(error: BaseException) -> list[str]:
    """The places of our code that an exception passed through, outermost first, and its origin."""
    frames = [
        (str(frame.f_globals.get("__name__", "?")), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    ours = [place for place in frames[:-1] if place[0].partition(".")[0] in _ROOMS]
    return [f"{module}:{line}" for module, line in (ours + frames[-1:])[-_PLACES_MAX:]]


def configure_lines(stream: TextIO | None = None) -> None:
    """Write lines to `stream`; None means whatever is standard error when a line is written."""
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=stream or cast("TextIO", _Stderr())),
        cache_logger_on_first_use=False,
    )
    if _bridge not in logging.root.handlers:
        logging.root.addHandler(_bridge)
    # Its access lines hold paths and queries; ours hold the route.
    logging.getLogger("uvicorn.access").disabled = True


def _name_exception(_: object, __: str, entry: structlog.typing.EventDict) -> Mapping[str, Any]:
    given: object = entry.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    if isinstance(given, tuple):
        _, error, _ = cast("structlog.typing.ExcInfo", given)
    if isinstance(error, BaseException):
        entry.setdefault("error", type(error).__name__)
        entry.setdefault("where", where(error))
    return entry


def _add_trace(_: object, __: str, entry: structlog.typing.EventDict) -> Mapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        entry["trace_id"] = trace.format_trace_id(context.trace_id)
        entry["span_id"] = trace.format_span_id(context.span_id)
    return entry


def _keep_listed(_: object, __: str, entry: structlog.typing.EventDict) -> Mapping[str, Any]:
    """Drop every field that is not listed or not plain, and say how many."""
    event = entry.pop("event", None)
    named = isinstance(event, str) and _EVENT.fullmatch(event) is not None
    kept = {name: value for name, value in entry.items() if name in FIELDS and is_plain(value)}
    dropped = {"dropped": len(entry) - len(kept)} if len(kept) < len(entry) else {}
    return {"event": event if named else "unnamed", **kept, **dropped}


def _as_json(entry: object, **_: object) -> str:
    return msgspec.json.encode(entry).decode()


_PROCESSORS: Final[list[Any]] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _add_trace,
    _name_exception,
    _keep_listed,
    structlog.processors.JSONRenderer(serializer=_as_json),
]


class _Stderr:
    """Whatever is standard error at the moment of writing."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _Bridge(logging.Handler):
    """Takes in what libraries log: who, where, how bad; words only where known to be constant."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        event = ""
        if record.args and record.name.startswith(_TEMPLATES_FROM):
            words = _NOT_IN_EVENT.sub(" ", str(record.msg).lower()).split()
            event = " ".join(words)[:80].lstrip(" _.-0123456789")
        log.log(
            record.levelno,
            event or "library",
            logger=f"{record.name}:{record.lineno}",
            exc_info=record.exc_info or None,
        )


_bridge: Final = _Bridge(logging.INFO)
# From the first import on: a line written before anyone configured anything is no exception.
configure_lines()
