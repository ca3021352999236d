"""The reader of event logs: what it takes from a log, and a museum of what it refuses."""

import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.importing import as_code
from api.xes import ELEMENT_BYTES_MAX, Event, Trace, XesError, read_traces

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "hiring_log_high.xes.gz"
NAME = "<string key='concept:name' value='a'/>"
TIME = "<date key='time:timestamp' value='2015-01-05T00:00:08+01:00'/>"
EVENT = f"<event>{NAME}{TIME}</event>"
TRACE = f"<trace><string key='concept:name' value='1'/>{EVENT}</trace>"
ENTITIES = (
    '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">'
    f"]><log>{TRACE}</log>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<log><trace><string key='concept:name' value='1'/><event>&x;</event></trace></log>"
)


def read(document: str | bytes) -> tuple[dict[str, str], list[Trace]]:
    """The log's own attributes and its traces."""
    header: dict[str, str] = {}
    raw = document if isinstance(document, bytes) else document.encode()
    return header, list(read_traces(io.BytesIO(raw), header.update))


def before_the_fault(document: bytes) -> list[str]:
    """The names of the traces that are given out before the reader raises, which it must."""
    given: list[str] = []
    traces = read_traces(io.BytesIO(document), lambda _: None)
    with pytest.raises(XesError):
        given.extend(trace.name for trace in traces)
    return given


def test_names_times_resources_and_case_attributes_are_read() -> None:
    """A trace's own attributes stand apart from those of its events, defaults and nested ones."""
    header, (trace,) = read(
        "<log><string key='concept:name' value='Hiring'/>"
        "<global scope='event'><string key='concept:name' value='default'/></global>"
        "<classifier name='x' keys='concept:name'/>"
        "<trace><string key='concept:name' value='17'/><int key='age' value='30'>"
        "<string key='unit' value='years'/></int>"
        "<event><string key='concept:name' value='Screen'/>"
        "<string key='org:resource' value='Desk'/><list key='more'><values>"
        "<string key='concept:name' value='nested'/></values></list>"
        "<date key='time:timestamp' value='2015-01-05T00:00:08.250Z'/></event></trace></log>"
    )
    at = datetime(2015, 1, 5, 0, 0, 8, 250_000, tzinfo=UTC)
    assert header == {"concept:name": "Hiring"}
    assert trace == Trace("17", 1, {"age": "30"}, (Event(0, "Screen", at, "Desk"),))


def test_a_gzipped_log_reads_like_the_plain_one() -> None:
    """It is the content that says so, not the file's name."""
    document = f"<log>{TRACE}</log>"
    assert read(gzip.compress(document.encode())) == read(document)


def test_a_long_log_is_read_a_piece_at_a_time() -> None:
    """The first trace is there before the last byte was read."""
    traces = "".join(TRACE.replace("'1'", f"'{number}'") for number in range(5000))
    file = io.BytesIO(f"<log>{traces}</log>".encode())
    first = next(read_traces(file, lambda _: None))
    assert first.name == "0"
    assert file.tell() < len(file.getvalue()) / 2


MUSEUM = {
    "nothing": ("", "not well-formed XML"),
    "no_xml": ("case,activity\n1,Screen\n", "Line 1"),
    "other_xml": ("<html/>", "not `log`"),
    "cut_short": (f"<log>{TRACE}<trace>", "not well-formed"),
    "entities_that_grow": (ENTITIES, "document type"),
    "an_entity_from_outside": (OUTSIDE, "document type"),
    "trace_without_a_name": ("<log><trace></trace></log>", "trace 1: the trace has no"),
    "two_traces_of_one_name": (f"<log>{TRACE}{TRACE}</log>", "trace 2: an earlier trace"),
    "event_without_an_activity": (
        f"<log>{TRACE.replace(NAME, '')}</log>",
        "trace 1, event 1: the event has no `concept:name`",
    ),
    "event_without_a_time": (
        f"<log>\n\n{TRACE.replace(TIME, '')}</log>",
        "Line 3, trace 1, event 1: the event has no `time:timestamp`",
    ),
    "time_that_is_none": (f"<log>{TRACE.replace('2015-01-05T', 'noon ')}</log>", "no ISO 8601"),
    "time_without_a_zone": (f"<log>{TRACE.replace('+01:00', '')}</log>", "has no zone"),
    "an_endless_element": (
        f"<log><string key='a' value='{'x' * (2 * ELEMENT_BYTES_MAX)}",
        "one element has more than",
    ),
    "an_unknown_encoding": ("<?xml version='1.0' encoding='klingon'?><log/>", "Line 1"),
}


@pytest.mark.parametrize("name", MUSEUM)
def test_a_log_that_is_none_is_refused_by_place(name: str) -> None:
    """Each says where and why, and repeats no value."""
    document, told = MUSEUM[name]
    with pytest.raises(XesError, match=told):
        read(document)


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_gzip_is_refused_after_what_could_be_read(damage: str) -> None:
    """The traces before the fault are given out, so that an import can keep them."""
    traces = "".join(TRACE.replace("'1'", f"'{number * 7919}'") for number in range(60_000))
    packed = bytearray(gzip.compress(f"<log>{traces}</log>".encode()))
    if damage == "cut":
        del packed[len(packed) // 2 :]
    else:
        packed[len(packed) // 2] ^= 0xFF
    assert before_the_fault(bytes(packed))[:2] == ["0", "7919"]


def test_a_fault_comes_after_every_trace_that_was_complete() -> None:
    """Also when both stand in the same piece of the file."""
    bad = TRACE.replace("'1'", "'2'").replace(TIME, "")
    assert before_the_fault(f"<log>{TRACE}{bad}</log>".encode()) == ["1"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("german speaking", "german-speaking"),
        ("yearsOfEducation", "yearsOfEducation"),
        ("cost:total", "cost-total"),
        (" § 5 ", "5"),
        ("", ""),
    ],
)
def test_names_become_codes_that_can_stand_in_leaves(text: str, code: str) -> None:
    """Whatever a log calls its attributes."""
    assert as_code(text) == code


@pytest.mark.skipif(not SHARED.exists(), reason="the published log is not beside this checkout")
def test_the_published_hiring_log_is_read_whole() -> None:
    """As many cases and events as its publication says."""
    with SHARED.open("rb") as file:
        traces = list(read_traces(file, lambda _: None))
    assert len(traces) == 10_000
    assert sum(len(trace.events) for trace in traces) == 63_869
    assert {"age", "german speaking", "religious"} <= set(traces[0].attributes)
