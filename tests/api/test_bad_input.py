"""The table of bad input, row by row: status, code and pointer; nothing recorded, nothing echoed.

Every row carries a word that nobody else uses. It must be in no answer and in no line of the log.
"""

import gzip
import io
import json
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from api.logs import configure_lines
from followed import wait_until
from ledger.database import Database
from ledger.embedded.server import Embedded
from office import (
    COMPETENCIES,
    STAFF,
    Answer,
    Office,
    completed,
    decision,
    feedback,
    hours_ago,
    open_office,
    posting,
    prompt,
    requisition,
    scorecard,
    sessions,
)

WORD = "Zdenka-Quux"
SLUG = "zdenka-quux"
LONG_PROMPT = "zdenka-quux-" + "x" * 52
NOTICE = {"rounds": 2, "attendees": ["ivan"], "decide_by": "2999-01-01T00:00:00Z"}
LEAVES = "/loops/app-1/withdrawal"


class Row(NamedTuple):
    """One bad request, and how it has to be answered."""

    name: str
    path: str
    body: Any
    status: int
    code: str
    pointer: str | None = None
    who: str = "hana"
    headers: Mapping[str, str] = MappingProxyType({})


@pytest.fixture(scope="module")
def desk(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    """One served ledger for all rows, with a loop in the midst of its interviews."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    directory: Path = tmp_path_factory.mktemp("desk")
    with open_office(database, directory) as opened:
        opened.furnish()
        opened.did("hana", f"/prompts/{LONG_PROMPT}/versions", prompt("evals", "framing"))
        opened.open("app-1")
        opened.open("app-2")
        opened.write_feedback("app-1", ["ivan"])
        yield opened


@contextmanager
def lines_of_the_log() -> Generator[io.StringIO]:
    """What is logged meanwhile."""
    lines = io.StringIO()
    configure_lines(lines)
    yield lines
    configure_lines()


def send(desk: Office, row: Row) -> Answer:
    """The request of a row; bytes are sent as they are."""
    if isinstance(row.body, bytes):
        return desk.post(row.who, row.path, content=row.body, headers=dict(row.headers))
    return desk.post(row.who, row.path, row.body, headers=dict(row.headers))


def check_refused(desk: Office, row: Row) -> None:
    """Refused as the row says, with the log as long as before, and the word nowhere."""
    head = desk.ledger_head()
    with lines_of_the_log() as lines:
        answer = send(desk, row)
        # A request's own line comes after its answer.
        wait_until(lambda: '"event":"request"' in lines.getvalue())
    assert answer.status == row.status, answer.text
    assert answer["type"] == f"urn:hireledger:problem:{row.code}"
    assert answer.headers["content-type"] == "application/problem+json"
    pointers = [one["pointer"] for one in answer.body.get("errors", ())]
    if row.pointer is not None:
        assert pointers == [row.pointer]
    assert desk.ledger_head() == head
    told = answer.text + str(answer.headers) + lines.getvalue()
    assert WORD.lower() not in told.lower()


def _text(**body: Any) -> dict[str, Any]:
    return {"code": "other-offer", "reason": WORD, **body}


WIRE = (
    Row("cut off", LEAVES, b'{"code": "Zdenka-Quux', 400, "malformed"),
    Row("nothing but a word", LEAVES, b"Zdenka-Quux", 400, "malformed"),
    Row("two documents", LEAVES, b'{"code": "a"} {"code": "Zdenka-Quux"}', 400, "malformed"),
    Row("no object", LEAVES, b'["Zdenka-Quux"]', 400, "malformed", ""),
    Row("invalid UTF-8", LEAVES, b'{"code": "Zdenka-Quux\xff"}', 400, "malformed"),
    Row("UTF-16", LEAVES, '{"code": "Zdenka-Quux"}'.encode("utf-16"), 400, "malformed"),
    Row("100,000 brackets", LEAVES, b"[" * 100_000, 400, "malformed"),
    Row("100,000 braces", LEAVES, b'{"a":' * 40_000 + b"1" + b"}" * 40_000, 400, "malformed"),
    Row("NUL", LEAVES, b'{"code": "a", "reason": "Zdenka-Quux\\u0000"}', 400, "malformed"),
    Row("raw NUL", LEAVES, b'{"code": "a", "reason": "Zdenka-Quux\0"}', 400, "malformed"),
    Row("surrogate", LEAVES, b'{"code": "a", "reason": "Zdenka-Quux\\ud800"}', 400, "malformed"),
    Row("key twice", LEAVES, b'{"code": "a", "code": "Zdenka-Quux"}', 400, "malformed", "/code"),
    Row("unknown field", LEAVES, {"code": "a", SLUG: WORD}, 400, "malformed", ""),
    Row("missing field", LEAVES, {"reason": WORD}, 400, "malformed", "/code"),
    Row("a field of the path", LEAVES, _text(loop=WORD), 400, "malformed", ""),
    Row("wrong type", LEAVES, _text(reason=[WORD]), 400, "malformed", "/reason"),
    Row("null", LEAVES, _text(code=None), 400, "malformed", "/code"),
    Row("off its form", LEAVES, _text(code=f"{WORD} {WORD}"), 400, "malformed", "/code"),
    Row("a line break", LEAVES, _text(code=f"{WORD}\n"), 400, "malformed", "/code"),
    Row("a choice that is none", "/loops/app-1/offer", {"status": WORD}, 400, "malformed"),
    Row("too long a text", LEAVES, _text(reason=WORD * 2000), 400, "malformed", "/reason"),
    Row("over the limit", LEAVES, _text(reason=WORD * 40_000), 413, "too-large"),
    Row("a text", LEAVES, _text(), 415, "unsupported-media-type", None, "hana",
        {"Content-Type": "text/plain"}),
    Row("a form", LEAVES, b"code=Zdenka-Quux", 415, "unsupported-media-type", None, "hana",
        {"Content-Type": "application/x-www-form-urlencoded"}),
    Row("compressed", LEAVES, gzip.compress(b"{}"), 415, "unsupported-media-type", None, "hana",
        {"Content-Encoding": "gzip"}),
    Row("latin", LEAVES, _text(), 415, "unsupported-media-type", None, "hana",
        {"Content-Type": "application/json; charset=latin-1"}),
    Row("a batch as JSON", "/batch", [_text()], 415, "unsupported-media-type"),
    Row("a key of blanks", LEAVES, _text(), 400, "malformed", None, "hana",
        {"Idempotency-Key": f"{WORD} {WORD}"}),
)  # fmt: skip
VALUES = tuple(
    Row(f"{name}: {value!r}", "/loops/app-1/process-notice", NOTICE | {name: value}, 400,
        "malformed", f"/{name}")
    for name, values in (
        ("rounds", ("2", 2.5, True, None, 0, 101, -1, 10**30)),
        ("decide_by", ("2030-01-01T00:00:00", "2030-01-01", 1900000000, "0001-01-01T00:00:00Z",
                       "2030-02-30T00:00:00Z", f"{WORD}T00:00:00Z")),
        ("at", ("2020-01-01T00:00:00", 0, "9999-12-31T23:59:59Z")),
        ("attendees", ("ivan", {"0": "ivan"}, 7)),
    )
    for value in values
)  # fmt: skip


@pytest.mark.parametrize("row", WIRE + VALUES, ids=lambda row: row.name)
def test_what_cannot_be_read_is_refused_before_anything_looks_at_it(desk: Office, row: Row) -> None:
    """400, 413 or 415 with a pointer where there is one."""
    check_refused(desk, row)


def _approval(digest: str) -> dict[str, Any]:
    return {"requisition": "llm-engineer", "capacity": "tech_lead", "content_digest": digest}


def _rated(**change: Any) -> dict[str, Any]:
    body = feedback("second")
    body["ratings"][0] |= change
    return body


def _long(name: str) -> dict[str, Any]:
    """A scorecard whose every word is allowed and that is too long for a leaf."""
    body = scorecard()
    for competency in body["competencies"]:
        if name == "anchors":
            competency["anchors"] = {str(n): f"{WORD} " + "does so " * 480 for n in range(1, 6)}
        else:
            competency["probes"] = [
                {"id": f"P{n}", "text": f"{WORD} " + "tell of a case " * 150} for n in range(10)
            ]
    return body


def _crowded_plan() -> dict[str, Any]:
    one = sessions()[0]
    one["stage"] = "x" * 60
    one["prompts"] = [{"id": LONG_PROMPT, "version": 1}] * 20
    one["competencies"] = ["tradeoffs"] * 20
    one["interviewers"] = list(STAFF)
    return {"sessions": [*sessions(), *(one | {"id": f"s-{n}"} for n in range(28))]}


FEEDBACK = "/loops/app-2/sessions/second/feedback"
SET = "/policy-sets/default/versions"
HANDLE = "p_" + "a" * 26
ELSEWHERE = {"cites": [1]}
STATEMENT = {"text": WORD, "cites": [10**15]}
MEANINGLESS = (
    Row("another digest", "/scorecards/llm/versions/1/approvals", _approval("0" * 64), 422,
        "meaningless", "/content_digest", "theo"),
    Row("off the scale", FEEDBACK, _rated(rating=6, evidence=WORD), 422, "meaningless",
        "/ratings/0/rating", "inga"),
    Row("below the scale", FEEDBACK, _rated(rating=0, evidence=WORD), 422, "meaningless",
        "/ratings/0/rating", "inga"),
    Row("unknown competency", FEEDBACK, _rated(competency=SLUG), 422, "meaningless",
        "/ratings/0/competency", "inga"),
    Row("competency left out", FEEDBACK, {"ratings": feedback("second")["ratings"][:1]}, 422,
        "meaningless", "/ratings", "inga"),
    Row("neither rated nor not", FEEDBACK, _rated(rating=None), 422, "meaningless", "/ratings/0",
        "inga"),
    Row("unknown code", FEEDBACK, _rated(observations=[{"code": WORD, "state": "seen"}]), 422,
        "meaningless", "/ratings/0/observations/0/code", "inga"),
    Row("attested by nobody", FEEDBACK, _rated() | {"independence": "attested_by_source"}, 422,
        "meaningless", "/source", "inga"),
    Row("cites beyond", "/loops/app-1/debrief/statements", STATEMENT, 422, "meaningless",
        "/cites/0", "ivan"),
    Row("dissent cites elsewhere", "/loops/app-1/debrief/dissents", ELSEWHERE | {"text": WORD},
        422, "meaningless", "/cites/0", "ivan"),
    Row("stage cites elsewhere", "/loops/app-1/stages/onsite/decision",
        ELSEWHERE | {"outcome": "advance"}, 422, "meaningless", "/cites/0"),
    Row("advice cites elsewhere", "/loops/app-1/recommendations",
        ELSEWHERE | {"recommend": "hire", "reason": WORD}, 422, "meaningless", "/cites/0"),
    Row("decision cites elsewhere", "/loops/app-1/decision", decision([1]), 422, "meaningless",
        "/cites/0", "dora"),
    Row("ahead", LEAVES, _text(at=hours_ago(-0.2)), 422, "meaningless", "/at"),
    Row("ends ahead", "/loops/app-2/sessions/first/completed",
        completed("ivan") | {"ended_at": hours_ago(-0.2)}, 422, "meaningless", "/ended_at", "ivan"),
    Row("ends before it starts", "/loops/app-2/sessions/first/completed",
        completed("ivan") | {"ended_at": hours_ago(9)}, 422, "meaningless", "/ended_at", "ivan"),
    Row("long anchors", f"/scorecards/{SLUG}/versions", _long("anchors"), 422, "meaningless"),
    Row("long probes", f"/scorecards/{SLUG}/versions", _long("probes"), 422, "meaningless"),
    Row("crowded plan", "/loops/app-2/plan", _crowded_plan(), 422, "meaningless"),
    Row("core rule off", SET, {"policies": [{"id": "two-independent-interviewers",
        "enforcement": "off"}]}, 422, "meaningless", "/policies/0/enforcement", "adam"),
    Row("core rule down", SET, {"policies": [{"id": "safety-never-skipped",
        "enforcement": "warn"}]}, 422, "meaningless", "/policies/0/enforcement", "adam"),
    Row("no such rule", SET, {"policies": [{"id": SLUG, "enforcement": "warn"}]}, 422,
        "meaningless", "/policies/0/id", "adam"),
    Row("parameter out of range", SET, {"policies": [{"id": "every-competency-evidenced",
        "enforcement": "block", "params": {"words_min": 0}}]}, 422, "meaningless",
        "/policies/0/params/words_min", "adam"),
    Row("metrics without agreement", SET, {"policies": [], "person_metrics": "named"}, 422,
        "meaningless", "/agreement", "adam"),
    Row("nobody known attends", "/loops/app-1/process-notice", NOTICE | {"attendees": [WORD]}, 422,
        "meaningless", "/attendees/0"),
    Row("a handle of nobody", "/loops/app-1/process-notice", NOTICE | {"attendees": [HANDLE]}, 422,
        "meaningless", "/attendees/0"),
    Row("an id like a handle", "/people", {"id": HANDLE, "roles": ["auditor"]}, 422, "meaningless",
        "/id", "adam"),
    Row("an exception in the past", "/loops/app-1/exceptions", {"policy": "recommendation-first",
        "reason": WORD, "expires_at": hours_ago(1)}, 422, "meaningless", "/expires_at", "theo"),
    Row("another's posting", "/postings/llm-engineer/versions",
        posting() | {"requisition": SLUG}, 404, "not-found", "/requisition"),
    Row("a decision observed nowhere", "/loops/app-1/decision/observed", {"decision": "hire"}, 422,
        "meaningless", "/source", "dora"),
)  # fmt: skip
BARRED = (
    Row("approval by another", "/scorecards/llm/versions/1/approvals", _approval("1" * 64), 403,
        "forbidden", None, "petra"),
    Row("requisition taken", "/requisitions", {"id": "llm-engineer", **requisition()}, 409,
        "exists"),
    Row("loop that is not there", f"/loops/{WORD}/debrief", {}, 404, "not-found"),
    Row("session that is not there", f"/loops/app-1/sessions/{SLUG}/cancelled", {"reason": WORD},
        404, "not-found"),
    Row("somebody unknown acts", LEAVES, _text(), 403, "forbidden", None, WORD),
    Row("no role for it", LEAVES, _text(), 403, "forbidden", None, "ivan"),
    Row("an exception for oneself", "/loops/app-1/exceptions", {"policy": "recommendation-first",
        "subject": "theo", "reason": WORD, "expires_at": hours_ago(-9)}, 403, "forbidden", None,
        "theo"),
    Row("an exception for a core rule", "/loops/app-1/exceptions",
        {"policy": "two-independent-interviewers", "reason": WORD, "expires_at": hours_ago(-9)},
        409, "refused", None, "theo"),
)  # fmt: skip


@pytest.mark.parametrize("row", MEANINGLESS + BARRED, ids=lambda row: row.name)
def test_what_cannot_be_meant_is_refused_with_the_exact_reason(desk: Office, row: Row) -> None:
    """422, 403, 404 or 409, at the field that is at fault."""
    check_refused(desk, row)


@pytest.mark.parametrize("kind", ["candidate", "person", "loop"])
def test_a_handle_stands_for_its_own_kind_only(desk: Office, kind: str) -> None:
    """A candidate is no attendee, a member of staff no candidate, and neither is a loop."""
    state = desk.get("hana", "/loops/app-1").body
    candidate = state["candidate"]["handle"]
    body = {
        "id": "app-9",
        "requisition": "llm-engineer",
        "candidate": {"id": desk.people["ivan"]},
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "llm-engineer", "version": 1},
    }
    attend = NOTICE | {"attendees": [candidate]}
    rows = {
        "candidate": Row("", "/loops", body, 422, "meaningless", "/candidate/id"),
        "person": Row(
            "", "/loops/app-1/process-notice", attend, 422, "meaningless", "/attendees/0"
        ),
        "loop": Row("", f"/loops/{candidate}/debrief", {}, 404, "not-found"),
    }
    check_refused(desk, rows[kind])


def test_a_core_rule_refuses_the_exception_in_its_own_name(desk: Office) -> None:
    """The finding names the rule and says what to do instead."""
    answer = send(desk, BARRED[-1])
    (finding,) = answer["findings"]
    assert (finding["policy"], finding["enforcement"]) == ("two-independent-interviewers", "block")
    assert finding["cure"]


def test_a_clock_that_is_a_little_fast_is_believed(desk: Office) -> None:
    """Up to five minutes ahead a time is taken as it is claimed."""
    head = desk.ledger_head()
    made = desk.did("hana", "/loops/app-2/debrief", {"at": hours_ago(-0.07)})
    assert made.position == head + 1


def test_a_decision_without_evidence_is_refused_with_everything_at_once(desk: Office) -> None:
    """409 with all findings, the attempt recorded and nothing else, the loop as it was."""
    before = desk.get("hana", "/loops/app-2").body
    head = desk.ledger_head()
    body = {"decision": "hire", "reasons": [{"kind": "competency", "ref": "evals", "text": WORD}]}
    refused = desk.post("dora", "/loops/app-2/decision", body)
    assert refused.status == 409
    blocking = {f["policy"] for f in refused["findings"] if f["enforcement"] == "block"}
    assert blocking == {
        "two-independent-interviewers",
        "gate-passed-and-fresh",
        "recommendation-first",
        "decider-is-not-the-only-evidence",
        "every-competency-evidenced",
        "safety-never-skipped",
    }
    assert refused["position"] == desk.ledger_head() == head + 1
    assert WORD not in refused.text
    after = desk.get("hana", "/loops/app-2").body
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"position"}, changed
    assert after["decision_refusals"] == [head + 1]


def test_every_competency_of_the_furniture_is_looked_at() -> None:
    """The rows rest on it: the second session looks at the last two competencies."""
    assert [c for c, _ in COMPETENCIES][2:] == sessions()[1]["competencies"]
    assert json.dumps(feedback("second")).count("competency") == 2
