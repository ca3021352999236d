"""Importing event logs: counted once however often and however rudely it is done, then exported."""

import base64
import gzip
import hashlib
import json
import re
import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from api.settings import read_settings
from api.store import open_ledger
from command_line import Shell
from domain import facts as f
from domain.codec import decode
from ledger.embedded.server import Embedded
from ledger.ledger import Ledger
from ledger.proof.tree import leaf_hash, root

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "hiring_log_high.xes.gz"
PEOPLE = ("Front Desk of Brightwater", "Panel Ostrander")


def trace(number: int, events: int, *, age: int = 30) -> str:
    """One case in XES."""
    told = "".join(
        f"<event><string key='concept:name' value='Step {place}'/>"
        f"<string key='org:resource' value='{PEOPLE[place % 2]}'/>"
        f"<date key='time:timestamp' value='2015-01-05T00:00:{place:02}+00:00'/></event>"
        for place in range(events)
    )
    return (
        f"<trace><string key='concept:name' value='case {number}/a'/>"
        f"<int key='age' value='{age}'/><boolean key='german speaking' value='true'/>"
        f"<int key='@@index' value='1'/><int key='case' value='{number}'/>{told}</trace>"
    )


def written(path: Path, traces: Sequence[str], *, name: str = "Hiring 2015") -> Path:
    """A log of these traces."""
    body = f"<log><string key='concept:name' value='{name}'/>{''.join(traces)}</log>"
    path.write_bytes(gzip.compress(body.encode()) if path.suffix == ".gz" else body.encode())
    return path


@pytest.fixture
def shell(server: Embedded, tmp_path: Path) -> Shell:
    """Commands over a ledger of their own on the tests' server."""
    schema = f"t_{secrets.token_hex(6)}"
    options = ("--data", str(tmp_path), "--database", server.superuser_url(), "--json")
    return Shell(options, {"HIRELEDGER_SCHEMA": schema})


def imported(shell: Shell) -> Iterator[tuple[int, f.RecordImported]]:
    """What was imported, by position."""
    _, data, _, database, _ = shell.options
    settings = read_settings(shell.variables, data=data, database=database)
    with open_ledger(settings) as ledger:
        yield from _imported(ledger)


def _imported(ledger: Ledger) -> Iterator[tuple[int, f.RecordImported]]:
    with ledger.database.connect("runtime", autocommit=True) as connection:
        for rows in ledger.store.recorder.stream(connection, after=0):
            for row in rows:
                fact = decode(row.leaf)
                if isinstance(fact, f.RecordImported):
                    yield row.position, fact


def test_every_event_becomes_one_record_with_its_attributes_on_the_first(
    shell: Shell, tmp_path: Path
) -> None:
    """Names are codes, technical keys are left out, and nothing personal stands in a leaf."""
    log = written(tmp_path / "log.xes.gz", [trace(1, 3), trace(2, 2)])
    told = shell.run("import", "xes", str(log)).json
    assert (told["system"], told["log"]) == ("xes", "Hiring-2015")
    assert (told["traces"], told["recorded"], told["known_before"]) == (2, 5, 0)
    facts = [fact for _, fact in imported(shell)]
    assert [(fact.place, fact.activity) for fact in facts] == [
        (0, "Step 0"),
        (1, "Step 1"),
        (2, "Step 2"),
        (0, "Step 0"),
        (1, "Step 1"),
    ]
    assert [[a.name for a in fact.attributes] for fact in facts] == [
        ["age", "german-speaking"],
        [],
        [],
        ["age", "german-speaking"],
        [],
    ]
    assert len({fact.case for fact in facts}) == 2
    assert facts[1].claimed_at.isoformat() == "2015-01-05T00:00:01+00:00"
    assert "Brightwater" not in repr(facts)


def test_whoever_imports_is_told_that_activities_stay_as_they_are() -> None:
    """Before they do it: what an event was called stands in its leaf, erased or not."""
    told = " ".join(Shell().run("import", "xes", "--help").out.split())
    assert "activity (concept:name) stands in the log as it is, and outlasts an erasure" in told


def test_importing_again_records_nothing_from_whichever_file(shell: Shell, tmp_path: Path) -> None:
    """An event is known by system, log, case and place; a longer log goes on after it."""
    first = written(tmp_path / "log.xes", [trace(1, 3)])
    longer = written(tmp_path / "other-name.xes.gz", [trace(1, 3), trace(2, 4)])
    assert shell.run("import", "xes", str(first)).json["recorded"] == 3
    assert shell.run("import", "xes", str(first)).json["known_before"] == 3
    told = shell.run("import", "xes", str(longer)).json
    assert (told["recorded"], told["known_before"]) == (4, 3)
    other = shell.run("import", "xes", str(first), "--log", "another").json
    assert (other["recorded"], other["log"]) == (3, "another")
    assert len({fact.case for _, fact in imported(shell)}) == 3


def test_a_log_without_a_name_is_known_by_its_content_and_never_by_its_path(
    shell: Shell, tmp_path: Path
) -> None:
    """A path may name a person, and a file that is moved is the same log."""
    log = written(tmp_path / "of-ms-brightwater.xes", [trace(1, 1)], name="")
    told = shell.run("import", "xes", str(log), "--system", "legacy").json
    assert told["system"] == "legacy"
    assert told["log"] == f"xes-{hashlib.sha256(log.read_bytes()).hexdigest()[:16]}"
    moved = log.rename(tmp_path / "moved.xes")
    assert shell.run("import", "xes", str(moved), "--system", "legacy").json["recorded"] == 0


def test_an_event_that_was_changed_since_is_refused_by_place(shell: Shell, tmp_path: Path) -> None:
    """What was recorded of it stays, and the message repeats no value."""
    shell.run("import", "xes", str(written(tmp_path / "a.xes", [trace(1, 2), trace(2, 2)])))
    changed = written(tmp_path / "b.xes", [trace(1, 2), trace(2, 2, age=31), trace(3, 2)])
    ended = shell.run("import", "xes", str(changed), code=2)
    assert "Trace 2 (line 1), event 1" in ended.err
    assert "--log" in ended.err
    assert "31" not in ended.err
    assert len(list(imported(shell))) == 4


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (trace(3, 2).replace("time:timestamp", "date"), "trace 3, event 1: the event has no"),
        (trace(3, 2).replace("'Step 1'", f"'{'x' * 201}'"), "Trace 3 (line 1), event 2"),
        ("<trace>", "not well-formed XML"),
    ],
)
def test_a_fault_keeps_what_came_before_it_and_a_mended_file_goes_on(
    shell: Shell, tmp_path: Path, bad: str, told: str
) -> None:
    """Exit code 2 with the place; nothing is imported twice."""
    good = [trace(1, 3), trace(2, 3)]
    ended = shell.run("import", "xes", str(written(tmp_path / "a.xes", [*good, bad])), code=2)
    assert told in ended.err
    before = len(list(imported(shell)))
    assert before >= 6
    mended = written(tmp_path / "a.xes", [*good, trace(3, 2)])
    assert shell.run("import", "xes", str(mended)).json["recorded"] == 8 - before


def test_a_file_that_is_no_log_is_refused_before_anything_is_recorded(
    shell: Shell, tmp_path: Path
) -> None:
    """Exit code 2; also where the file is cut short or full of entities."""
    log = written(tmp_path / "a.xes.gz", [trace(n, 3) for n in range(50)]).read_bytes()
    bomb = b'<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><log>&b;</log>'
    for content, told in ((b"case;step", "Line 1"), (log[:200], "cut short"), (bomb, "DOCTYPE")):
        path = tmp_path / "bad.xes"
        path.write_bytes(content)
        assert told in shell.run("import", "xes", str(path), code=2).err
    assert list(imported(shell)) == []


def test_an_import_that_was_killed_goes_on_where_it_stopped(
    server: Embedded, shell: Shell, tmp_path: Path
) -> None:
    """Kill -9 in the middle: every event is in once, in the order of the log."""
    log = written(tmp_path / "log.xes", [trace(number, 20) for number in range(100)])
    shell.run("import", "xes", str(written(tmp_path / "none.xes", [])))
    facts = sql.Identifier(shell.variables["HIRELEDGER_SCHEMA"], "facts")
    count = sql.SQL("SELECT count(*) FROM {} WHERE type = 'record-imported.v1'").format(facts)
    with (
        psycopg.connect(server.superuser_url(), autocommit=True) as watching,
        shell.start("import", "xes", str(log)) as process,
    ):
        while process.poll() is None and watching.execute(count).fetchone() == (0,):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    before = len(list(imported(shell)))
    assert 0 < before < 2000, "it was killed too late to show anything"
    told = shell.run("import", "xes", str(log)).json
    assert (told["known_before"], told["recorded"]) == (before, 2000 - before)
    found = [(fact.case, fact.place) for _, fact in imported(shell)]
    assert len(set(found)) == 2000
    assert [place for _, place in found] == list(range(20)) * 100


def test_exported_facts_are_bound_by_their_manifest(shell: Shell, tmp_path: Path) -> None:
    """One line a fact, the exact stored text; root and digest can be computed again by anyone."""
    shell.run("import", "xes", str(written(tmp_path / "log.xes", [trace(1, 5)])))
    out = tmp_path / "facts.ndjson"
    told = shell.run("export", "facts", "--out", str(out)).json
    assert told == json.loads((tmp_path / "facts.ndjson.manifest.json").read_text())
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["position"] for line in lines] == list(range(1, told["facts"] + 1))
    leaves = [line["leaf"].encode() for line in lines]
    assert base64.b64decode(told["root"]) == root(map(leaf_hash, leaves))
    assert told["file_sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert told["query"] == {"after": 0, "upto": told["facts"]}
    assert sum(isinstance(decode(leaf), f.RecordImported) for leaf in leaves) == 5
    assert not [person for person in PEOPLE if person in out.read_text()]
    again = shell.run("export", "facts", "--out", str(out)).json
    noted = json.loads(out.read_text().splitlines()[-1])["leaf"]
    assert again["facts"] == told["facts"] + 1
    assert isinstance(decode(noted.encode()), f.RecordViewed), "that it was read is on record"


def test_an_export_that_cannot_be_written_leaves_nothing_behind(
    shell: Shell, tmp_path: Path
) -> None:
    """Wrong use, told with the path."""
    shell.run("import", "xes", str(written(tmp_path / "log.xes", [trace(1, 1)])))
    nowhere = tmp_path / "nowhere" / "facts.ndjson"
    said = shell.run("export", "facts", "--out", str(nowhere), code=2).err
    # A box is drawn around it, over as many lines as the path needs.
    assert str(nowhere.parent) in re.sub(r"[\s│]+", "", said)
    assert not nowhere.parent.exists()


def test_read_models_are_built_anew_by_command(shell: Shell, tmp_path: Path) -> None:
    """Up to the last fact, and told by name."""
    shell.run("import", "xes", str(written(tmp_path / "log.xes", [trace(1, 5)])))
    (built,) = shell.run("rebuild").json["rebuilt"]
    assert built["position"] == 7
    assert shell.run("rebuild", built["projection"]).json["rebuilt"] == [built]


@pytest.mark.skipif(not SHARED.exists(), reason="the published log is not beside this checkout")
def test_the_first_cases_of_the_published_log_are_imported(shell: Shell, tmp_path: Path) -> None:
    """The events of its first 80 cases, told with the log's own origin."""
    text = gzip.decompress(SHARED.read_bytes()).decode()
    some = tmp_path / "some.xes"
    some.write_text("</trace>".join(text.split("</trace>")[:80]) + "</trace></log>")
    told = shell.run("import", "xes", str(some)).json
    assert told["system"] == "csv"
    assert (told["traces"], told["recorded"]) == (80, some.read_text().count("</event>"))
    names = {a.name for _, fact in imported(shell) for a in fact.attributes}
    assert names == {
        "age",
        "citizen",
        "gender",
        "german-speaking",
        "protected",
        "religious",
        "yearsOfEducation",
    }
