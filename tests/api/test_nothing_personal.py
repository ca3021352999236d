"""After everything a ledger is for, no name, id, address or word about anybody is to be found.

Looked through are all columns of all tables of both schemas, what the server's files hold, all log
lines, all spans, and all problems; in plain, escaped, percent-encoded, hexadecimal and base64 form.
"""

import base64
import io
import json
import secrets
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec
import psycopg
import pytest
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api import telemetry
from api.demo.season import secrets as secrets_of_the_season
from api.demo.summary import summarise
from api.problems import Problem
from domain import commands as c
from hall import made
from ledger.asked import Asked, as_system
from ledger.database import Database
from ledger.embedded.server import Embedded
from office import Office, completed, decision, feedback, hours_ago, open_office
from recorded_season import golden_season, recorded_season
from secrecy import forms_of, found_in, tables_of

NAME = 'Zdeňka "Zed" Quuxová-Łoś'
EMAIL = "zdenka.quuxova+jobs@example.org"
PERSON = "staff:quentin.quux"
CANDIDATE = "cand+zdenka@quux"
LOOP = "loop~zdenka~quux"
WORDS = "Mended the quuxmeter’s drift before lunch, said so, and showed the slices — \\o/"
CASE = "case#quux#889"
SOURCE = "ats/quux/77 & more"
KEY = "zdenka-quux-key"
ALL = (NAME, EMAIL, PERSON, CANDIDATE, LOOP, WORDS, CASE, SOURCE, KEY)
PLANTED = 'Žofie "Zo" Sazená-Řím'
SAID = {n: f"{WORDS} No. {n}, and quux." for n in range(12)}


class Left(NamedTuple):
    """What a ledger left behind, and the store that holds its rows."""

    sources: Mapping[str, bytes | Path]
    url: str
    schema: str
    secrets: list[str]
    summary: object = None


@contextmanager
def watched(*, statements: bool) -> Generator[Callable[[], dict[str, bytes]]]:
    """Keeps all lines, spans and problems while the block runs; a span a statement if wanted."""
    lines, spans = io.StringIO(), InMemorySpanExporter()
    problems: list[bytes] = []
    body = Problem.body

    def keep(problem: Problem, instance: str) -> dict[str, object]:
        """The problem's body as it leaves, with its headers."""
        made = body(problem, instance)
        problems.append(msgspec.json.encode([made, dict(problem.headers)]))
        return made

    def kept() -> dict[str, bytes]:
        told = "\n".join(one.to_json() for one in spans.get_finished_spans())
        return {
            "lines": lines.getvalue().encode(),
            "spans": told.encode(),
            "problems": b"\n".join(problems),
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Problem, "body", keep)
        telemetry.configure(None, lines, exporter=spans)
        if not statements:
            PsycopgInstrumentor().uninstrument()
        try:
            yield kept
        finally:
            telemetry.close()
            telemetry.configure(None)


def left_by(server: Embedded, schema: str, kept: dict[str, bytes], told: list[str]) -> Left:
    """Everything that there is to look through."""
    url = server.superuser_url()
    tables = tables_of(url, [schema, f"{schema}_views"])
    assert len(tables) > 6
    files = {"the server's files": server.home / "cluster", "its log": server.home / "log"}
    return Left({**tables, **kept, **files}, url, schema, told)


@pytest.fixture(scope="module")
def scenario(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Left]:
    """A ledger in which everything that can be said of somebody was said, well or badly."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    directory = tmp_path_factory.mktemp("scenario")
    with watched(statements=True) as kept, open_office(database, directory) as office:
        office.furnish()
        tell_all(office)
        tell_badly(office)
        import_one(office)
        tokens = [office.admin.partition(".")[2], office.service.partition(".")[2]]
        told = [*ALL, *SAID.values(), *tokens]
        yield left_by(server, database.schema, kept(), told)


def tell_all(office: Office) -> None:
    """A loop with something personal wherever something personal may stand."""
    people = {"id": PERSON, "name": NAME, "roles": ["interviewer"]}
    office.call("POST", "/v1/people", people, token=office.admin, key=KEY)
    candidate = {"id": CANDIDATE, "name": NAME, "email": EMAIL}
    posting = {"id": "llm-engineer", "version": 1}
    pins = {"scorecard": {"id": "llm", "version": 1}, "posting": posting}
    where = f"/loops/{quote(LOOP)}"
    source = {"system": "ats", "object": "loop", "id": SOURCE}
    body = {"id": LOOP, "requisition": "llm-engineer", "candidate": candidate, **pins}
    office.did("hana", "/loops", body | {"source": source}, key=f"{KEY}-1")
    office.did("hana", f"{where}/plan", {"sessions": plan()})
    at = 0
    for person, session, usual in ((PERSON, "first", "ivan"), ("inga", "second", "inga")):
        office.did(person, f"{where}/relationships", {"relationship": "none"})
        probe = {"id": "P1", "asked": False, "skipped_because": SAID[0]}
        report = completed(usual) | {"attendees": [person], "probes": [probe]}
        office.did(person, f"{where}/sessions/{session}/completed", report)
        written: dict[str, Any] = feedback(session) | {"summary": SAID[1]}
        for rated in written["ratings"]:
            rated["evidence"] = SAID[2]
        at = office.did(person, f"{where}/sessions/{session}/feedback", written).position
        change = {"ratings": written["ratings"], "reason": SAID[3]}
        office.did(person, f"{where}/feedback/{at}/amendments", change)
    cancelled = f"{where}/sessions/second/cancelled"
    office.did("hana", cancelled, {"reason": SAID[4]})
    swap = {"from": PERSON, "to": "olga", "reason": SAID[4]}
    office.did("hana", f"{where}/sessions/first/replacement", swap)
    themes = [{"competency": "evals", "text": SAID[5]}]
    office.did("hana", f"{where}/references", {"relation": "peer", "themes": themes})
    office.did("hana", f"{where}/debrief")
    office.did(PERSON, f"{where}/debrief/statements", {"text": SAID[6], "cites": [at]})
    office.did(PERSON, f"{where}/debrief/dissents", {"text": SAID[6], "cites": [at]})
    terms = {"policy": "recommendation-first", "reason": SAID[7], "expires_at": hours_ago(-99)}
    office.did("theo", f"{where}/exceptions", terms | {"compensating_control": SAID[7]})
    office.did("hana", f"{where}/gates/evidence")
    office.did("hana", f"{where}/recommendations", {"recommend": "hire", "reason": SAID[8]})
    reasons = [{"kind": "competency", "ref": "evals", "text": SAID[9]}]
    office.did("dora", f"{where}/decision", {"decision": "hire", "reasons": reasons})
    office.did("dora", f"{where}/decision/reversal", {"reason": SAID[10]})
    office.did("hana", f"{where}/withdrawal", {"code": "x", "reason": SAID[11]})
    office.did("hana", f"{where}/closing", {"disposition": "withdrawn", "reason": SAID[11]})
    office.did("udo", f"/facts/{at}/correction", {"text": SAID[0]})
    for path in (where, f"{where}/timeline", f"{where}/replay", f"/facts/{at}", f"/requests/{KEY}"):
        office.get("udo", path)


def plan() -> list[dict[str, Any]]:
    """The office's plan, with the person of this story in it."""
    first, second = (feedback(name)["ratings"] for name in ("first", "second"))
    return [
        {
            "id": name,
            "stage": "onsite",
            "kind": "interview",
            "competencies": [rated["competency"] for rated in ratings],
            "prompts": [{"id": f"{rated['competency']}-talk", "version": 1} for rated in ratings],
            "interviewers": [person],
            "minutes": 60,
        }
        for name, ratings, person in (("first", first, PERSON), ("second", second, "inga"))
    ]


def tell_badly(office: Office) -> None:
    """The same words where they are refused: by the edge, the decoder, the domain, the rules."""
    where = f"/loops/{quote(LOOP)}"
    for path, body in (
        ("/loops", {"id": NAME}),
        ("/loops", {"id": LOOP, WORDS: NAME}),
        (f"{where}/withdrawal", {"code": NAME, "reason": WORDS}),
        (f"{where}/withdrawal", {"code": ["x", {NAME: WORDS}]}),
        (f"{where}/offer", {"status": EMAIL}),
        (f"{where}/debrief/statements", {"text": WORDS, "cites": [1]}),
        (f"{where}/sessions/{quote(CANDIDATE)}/cancelled", {"reason": WORDS}),
        (f"{where}/process-notice", {"rounds": 1, "attendees": [EMAIL], "decide_by": WORDS}),
        (f"{where}/decision", decision()),
        (f"{where}/closing", {"disposition": "hired", "reason": WORDS}),
        (f"/{quote(NAME)}", {}),
    ):
        assert office.post("hana", path, body).status >= 400
    office.post("hana", f"{where}/withdrawal", content=f'{{"code": "{NAME}'.encode())
    office.post(quote(NAME), f"{where}/debrief")
    office.call("POST", f"/v1/loops?name={quote(NAME)}", {}, actor="hana")
    office.get("hana", f"{where}?{quote(EMAIL)}={quote(WORDS)}")
    office.get("hana", f"/loops/{quote(EMAIL)}", headers={"tracestate": f"a={PERSON}"})
    office.call("GET", "/v1/loops", token=EMAIL)
    lines: list[dict[str, Any]] = [
        {"key": KEY, "actor": quote(NAME), "path": f"/v1{where}/debrief", "body": {}},
        {"key": KEY, "path": f"/v1/{quote(NAME)}", "body": {"id": NAME}},
    ]
    sent = "\n".join(json.dumps(line) for line in lines).encode() + f"\n{NAME}\n".encode()
    ndjson = {"Content-Type": "application/x-ndjson"}
    office.call("POST", "/v1/batch", headers=ndjson, content=sent)


def import_one(office: Office) -> None:
    """A record of another system, with somebody's attributes."""
    command = made(
        c.ImportRecord,
        {
            "system": "elsewhere",
            "log": "history",
            "case": CASE,
            "place": 1,
            "activity": "Screening",
            "claimed_at": "2019-01-01T00:00:00Z",
            "resource": NAME,
            "attributes": [{"name": "citizen", "value": SAID[0]}],
        },
    )
    caller = as_system("administrator")
    office.ledger.submit(Asked(command, caller, KEY, WORDS.encode())).result(30)


@pytest.fixture(scope="module")
def season(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Left]:
    """A ledger in which the demo's season was recorded."""
    directory = tmp_path_factory.mktemp("season")
    with watched(statements=False) as kept, recorded_season(server, directory) as recorded:
        keys = [path.read_text().strip() for path in (directory / "demo").iterdir()]
        told = [*secrets_of_the_season(), *(key.partition(".")[2] for key in keys)]
        left = left_by(server, recorded.settings.schema, kept(), told)
        yield left._replace(summary=msgspec.to_builtins(summarise(recorded.ledger)))


def check_nothing_is_left(left: Left, tmp_path: Path) -> None:
    """There is much to look through, and nothing of it is a secret."""
    sizes = {name: len(s) for name, s in left.sources.items() if isinstance(s, bytes)}
    print(sizes)
    for name in ("lines", "spans", "problems", f"{left.schema}.facts", f"{left.schema}.requests"):
        assert sizes[name] > 1000, name
    assert found_in(left.sources, left.secrets, tmp_path) == set()


def test_nothing_personal_is_left_of_a_loop_full_of_it(scenario: Left, tmp_path: Path) -> None:
    """Neither in a row, nor in a file of the store, a line, a span or a problem."""
    check_nothing_is_left(scenario, tmp_path)


def test_nothing_personal_is_left_of_the_season(season: Left, tmp_path: Path) -> None:
    """No name, id, address or word of the demo's season is anywhere either."""
    check_nothing_is_left(season, tmp_path)


def test_the_season_comes_out_the_same_in_another_ledger(season: Left) -> None:
    """Recorded by this process, its counts are those that the command came to."""
    assert season.summary == golden_season()


@contextmanager
def planted(left: Left, written: bytes) -> Generator[str]:
    """A value in one cell of one table; the table's name."""
    name = f"{left.schema}.planted"
    with psycopg.connect(left.url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {name} (a bytea)".encode())
        connection.execute(f"INSERT INTO {name} VALUES (%s)".encode(), [written])
        connection.execute("CHECKPOINT")
        yield name
        connection.execute(f"DROP TABLE {name}".encode())


@pytest.mark.parametrize("form", range(len(forms_of(PLANTED))))
def test_the_scan_finds_a_planted_value_in_every_form(
    scenario: Left, tmp_path: Path, form: int
) -> None:
    """The control: one value in one cell of one table is found, however it is written."""
    written = b"before " + sorted(forms_of(PLANTED))[form] + b" after"
    with planted(scenario, written) as name:
        tables = tables_of(scenario.url, [scenario.schema])
    assert found_in(tables, [*scenario.secrets, PLANTED], tmp_path) == {(name, PLANTED)}


def test_the_scan_finds_a_planted_value_in_the_files_of_the_store(
    scenario: Left, tmp_path: Path
) -> None:
    """The control for the files: what a table held is found in them, too."""
    files = {"files": scenario.sources["the server's files"]}
    with planted(scenario, PLANTED.encode()):
        assert found_in(files, [*scenario.secrets, PLANTED], tmp_path) == {("files", PLANTED)}


def test_base64_is_found_at_every_alignment() -> None:
    """Whatever stands before it, its base64 has a part that the scan looks for."""
    for before in (b"", b"a", b"ab", b"abc", b"abcd"):
        for after in (b"", b"x", b"xy"):
            text = base64.b64encode(before + WORDS.encode() + after)
            assert any(form in text for form in forms_of(WORDS)), (before, after)
