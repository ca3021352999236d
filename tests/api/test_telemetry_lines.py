"""Log lines: one JSON object each, of listed fields and plain values, whoever writes them."""

import ast
import io
import logging
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from api import logs, telemetry
from api.logs import FIELDS, log

SECRET = "Zdenka Quux <zdenka@example.org>"
ROOMS = ("domain", "policies", "ledger", "projections", "api")
ROOT = Path(__file__).parents[2]

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Generator[Lines]:
    """Catch the lines written; gives a function that reads them so far."""
    stream = io.StringIO()
    telemetry.configure(None, stream)
    yield lambda: [msgspec.json.decode(line) for line in stream.getvalue().splitlines()]
    telemetry.configure(None)


def test_a_line_has_what_it_is_given_when_and_how_bad(lines: Lines) -> None:
    """Listed fields pass, in their types."""
    log.info("folded", command="submit-feedback", positions=[3, 4], duration_ms=0.25, count=2)
    log.warning("lagging", lag=9)
    first, second = lines()
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "folded",
        "level": "info",
        "command": "submit-feedback",
        "positions": [3, 4],
        "duration_ms": 0.25,
        "count": 2,
    }
    assert (second["level"], second["lag"]) == ("warning", 9)


def test_a_field_that_is_not_listed_is_dropped_and_counted(lines: Lines) -> None:
    """Whoever wrote the call sees that something is missing, nobody sees what."""
    log.info("posted", body={"name": SECRET}, candidate="c-1", path="/v1/loops/zdenka", status=201)
    (line,) = lines()
    assert set(line) == {"event", "level", "timestamp", "status", "dropped"}
    assert line["dropped"] == 3


@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        "two words",
        "zdenka@example.org",
        "",
        "x" * 201,
        {"a": 1},
        [SECRET],
        [[1]],
        b"x",
        "é",
    ],
)
def test_a_listed_field_with_more_than_a_word_is_dropped(lines: Lines, value: object) -> None:
    """Prose, addresses and structures do not pass under a good name."""
    log.info("done", step=value)
    (line,) = lines()
    assert "step" not in line
    assert line["dropped"] == 1


def test_an_event_made_of_values_loses_its_name(lines: Lines) -> None:
    """Events are constants of the code."""
    log.info(f"Loop of {SECRET} opened")
    (line,) = lines()
    assert line["event"] == "unnamed"
    assert "dropped" not in line


def test_an_exception_is_its_type_and_places(lines: Lines) -> None:
    """Neither its message, nor its notes, causes or local variables."""
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise ValueError(SECRET) from cause
    except ValueError:
        log.exception("failed")
        log.error("failed", exc_info=sys.exc_info())
    for line in lines():
        assert line["error"] == "ValueError"
        assert "test_telemetry_lines:" in line["where"][-1]
        assert SECRET not in str(line)


def test_other_rooms_write_through_the_same_list(lines: Lines) -> None:
    """Whatever gets a logger from structlog is configured here."""
    structlog.get_logger().bind(candidate=SECRET).info("sealed", position=7)
    (line,) = lines()
    assert line["position"] == 7
    assert SECRET not in str(line)


def test_libraries_are_heard_without_their_words(lines: Lines) -> None:
    """Only who, where and how bad; unfilled templates only of loggers known to use constants."""
    logging.getLogger("some.library").error("Failing row contains %s", SECRET)
    logging.getLogger("some.library").error(f"Failing row contains {SECRET}")  # noqa: G004
    logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", "pool-1", SECRET)
    logging.getLogger("psycopg.pool").warning(SECRET)
    try:
        raise RuntimeError(SECRET)
    except RuntimeError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    told = lines()
    assert [line["event"] for line in told] == [
        "library",
        "library",
        "error connecting in r s",
        "library",
        "library",
    ]
    assert told[0]["logger"].startswith("some.library:")
    assert told[-1]["error"] == "RuntimeError"
    assert "uux" not in str(told)


def test_access_lines_of_the_server_are_off(lines: Lines) -> None:
    """They hold paths and queries."""
    logging.getLogger("uvicorn.access").info('%s - "%s"', "127.0.0.1", "GET /v1/loops/zdenka")
    assert lines() == []


def test_lines_go_to_standard_error_before_anything_is_configured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Through the same list."""
    logs.configure_lines()
    log.info("started", candidate=SECRET, port=8080)
    line = msgspec.json.decode(capsys.readouterr().err)
    assert line["port"] == 8080
    assert SECRET not in str(line)


@given(st.dictionaries(st.sampled_from(sorted(FIELDS - {"event"})), st.text(), max_size=6))
def test_no_text_breaks_a_line_or_brings_a_sentence(fields: dict[str, Any]) -> None:
    """Every call makes one line of JSON, in which every value is a word."""
    stream = io.StringIO()
    logs.configure_lines(stream)
    log.info("tried", **fields)
    logs.configure_lines()
    (line,) = stream.getvalue().splitlines()
    told = msgspec.json.decode(line)
    texts = [v for k, v in told.items() if isinstance(v, str) and k != "event"]
    assert all(logs.is_word(text) for text in texts)


def test_events_in_the_code_are_constants() -> None:
    """A value in an event's name would pass the list, so no call may have one."""
    wrong: list[str] = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            wrong += [f"{path.relative_to(ROOT)}:{n}" for n in _computed(path.read_text())]
    assert wrong == [], "Write the event as a constant and the values as fields"
    assert list(_computed('log.info(f"opened {x}")\nself._log.error(e)\nlog.info("x")')) == [1, 2]


def _computed(source: str) -> list[int]:
    """The lines of log calls whose event is not a literal."""
    found: list[int] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id=name) | ast.Attribute(attr=name),
                    attr="debug" | "info" | "warning" | "error" | "exception" | "critical",
                ),
                args=[first, *_],
            ) if name.strip("_") in {"log", "logger"} and not isinstance(first, ast.Constant):
                found.append(node.lineno)
            case _:
                continue
    return found
