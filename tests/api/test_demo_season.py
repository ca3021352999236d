"""The sample season, recorded: the same every time, and all of what a season can hold."""

import re
import secrets
import shutil
import signal
import stat
import subprocess
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.demo.founding import RULES
from api.demo.run import FILES, KEYS
from api.demo.summary import Summary, summarise
from api.dossiers import export
from api.settings import Settings
from command_line import Shell, ready
from domain import facts as f
from domain.codec import FACT_BY_TYPE, types_of
from ledger.checkpoints import checkpoint_in
from ledger.embedded.server import Embedded
from ledger.proof.verify import verify
from recorded_season import Season, golden_season, served_season, settings_for
from verifiers import by_script

# Their commands come later; the facts are in the vocabulary already.
NOT_YET = {
    "portfolio-item-linked",
    "explanation-issued",
    "retro-opened",
    "finding-recorded",
    "retro-closed",
    "rubric-change-proposed",
    "rubric-change-adopted",
    "rubric-change-rejected",
    "peer-comparison-recorded",
    "fairness-report-recorded",
    "self-identification-recorded",
    "hold-placed",
    "hold-released",
    "subject-erased",
    "external-edit-detected",
    "external-deletion-detected",
}
NOT_IN_A_SEASON = {"record-imported", "key-revoked"}
# These refuse without leaving a fact, or are turned off; the stories show that they refuse.
LEAVE_NO_FINDING = {
    "scorecard-approved-by-three",
    "three-to-five-competencies",
    "anchor-for-every-rating",
    "recorded-when-it-happened",
}


@pytest.fixture(scope="module")
def settings(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A ledger of its own."""
    return settings_for(server, tmp_path_factory.mktemp("season"))


@pytest.fixture(scope="module")
def shell(settings: Settings) -> Shell:
    """Commands over it."""
    store = ("--data", str(settings.data), "--database", str(settings.database))
    return Shell(store, {"HIRELEDGER_SCHEMA": settings.schema})


@pytest.fixture(scope="module")
def told(shell: Shell) -> dict[str, Any]:
    """What the command says that records the season in it."""
    options = (*shell.options, "--json")
    ended: dict[str, Any] = Shell(options, shell.variables).run("demo", "--exit").json
    return ended


@pytest.fixture(scope="module")
def season(settings: Settings, told: dict[str, Any]) -> Generator[Season]:
    """The ledger with the season in it, served."""
    assert not told["recorded_before"]
    with served_season(settings) as served:
        yield served


@pytest.fixture(scope="module")
def summary(season: Season) -> Summary:
    """What it came to."""
    return summarise(season.ledger)


def without_looks(told: dict[str, Any]) -> dict[str, Any]:
    """A summary without what other tests have looked at, which is recorded too."""
    facts = {name: n for name, n in told["facts"].items() if "viewed" not in name}
    return {**told, "facts": facts}


def test_the_season_comes_out_the_same_on_every_machine(
    told: dict[str, Any], summary: Summary
) -> None:
    """Facts, verdicts, findings and refusals: every count is as it was when it was written down."""
    assert told["summary"] == golden_season()
    assert msgspec.to_builtins(summary) == golden_season()


def test_the_season_holds_every_fact_that_can_be_recorded(summary: Summary) -> None:
    """But imports, and what later issues bring."""
    missing = {name.partition(".")[0] for name in set(FACT_BY_TYPE) - set(summary.facts)}
    assert missing == NOT_YET | NOT_IN_A_SEASON
    assert summary.facts["loop-opened.v1"] >= 60
    assert set(summary.dispositions) == {
        "hired", "rejected", "withdrawn", "filled", "cancelled", "knock_out",
    }  # fmt: skip


def test_every_rule_found_something_and_every_kind_of_intent_was_refused(
    season: Season, summary: Summary
) -> None:
    """A season in which a rule is silent would not show it."""
    assert set(season.ledger.rules.current) - set(summary.findings) == LEAVE_NO_FINDING
    assert all(each["accepted"] and each["refused"] for each in summary.asked.values())
    assert summary.excepted_by == {"every-competency-evidenced": 2, "same-prompts-for-all": 2}
    assert {one["id"] for one in RULES} == {"recorded-when-it-happened"}


def test_the_season_is_not_recorded_twice_in_one_ledger(
    season: Season, shell: Shell, summary: Summary
) -> None:
    """The demo started again serves what is there."""
    options = (*shell.options, "--json")
    told = Shell(options, shell.variables).run("demo", "--exit").json
    assert told["recorded_before"]
    assert without_looks(told["summary"]) == without_looks(msgspec.to_builtins(summary))
    assert told["address"] != season.address


def test_the_demo_serves_on_and_its_lines_to_look_work(shell: Shell, season: Season) -> None:
    """Each `curl` line that it prints answers, with JSON or a checkpoint; a signal ends it."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed: apt-get install curl")
    with shell.start("demo", "--port", "0") as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(process.stdout.readline())
            assert lines[-1], "it ended before it said how to look"
        looks = [line for line in lines if line.startswith("  curl ")]
        assert len(looks) >= 5
        *looks, last = looks
        signed = subprocess.run(["bash", "-c", last], capture_output=True, timeout=60).stdout
        assert checkpoint_in(signed).size > 1000
        for line in looks:
            shown = subprocess.run(["bash", "-c", line], capture_output=True, timeout=60)
            document = msgspec.json.decode(shown.stdout, type=dict[str, Any])
            assert "status" not in document, line
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert (season.settings.data / "demo.log").exists()


def test_the_keys_of_the_season_are_readable_by_their_owner_only(season: Season) -> None:
    """One for the recording service, one for the auditor, one for an interviewer."""
    directory = season.settings.data / KEYS
    for file in FILES.values():
        assert stat.S_IMODE((directory / file).stat().st_mode) == 0o600
    key = (directory / "auditor.key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.get(f"{season.address}/v1/loops?limit=1", headers=headers)
    assert answer.status_code == 200


def test_the_demo_tells_counts_in_words_too(shell: Shell, summary: Summary) -> None:
    """Facts, refusals by rule, findings by rule, and how loops were closed."""
    shown = shell.run("demo", "--exit").out
    total = re.match(r"(\d+) facts", shown)
    assert total
    assert int(total[1]) >= sum(summary.facts.values())
    for policy, refused in summary.refused_by.items():
        assert re.search(rf"{policy[:30]}.*\b{max(refused.values())}\b", shown)
    for title in ("Asked for", "Refused, by the rules", "Findings, by rule", "Closed as"):
        assert title in shown


def test_a_demo_without_the_first_key_says_what_is_missing(
    server: Embedded, tmp_path: Path
) -> None:
    """Exit code 1, with the file's path."""
    options = ("--data", str(tmp_path), "--database", server.superuser_url(), "--json")
    variables = {"HIRELEDGER_SCHEMA": f"t_{secrets.token_hex(6)}"}
    with Shell(options, variables).start("serve", "--port", "0") as process:
        ready(process)
    (tmp_path / "admin.key").unlink()
    ended = Shell(options, variables).run("demo", "--exit", code=1)
    assert "admin.key" in ended.err


def decided_loops(season: Season) -> dict[str, list[int]]:
    """Every loop of the season in which something was decided, with the decisions' positions."""
    found: dict[str, list[int]] = {}
    made = types_of(f.DecisionMade)
    with season.ledger.reading() as group:
        rows = group.store.recorder.fetch(group.cur, range(1, group.head + 1))
    for row in rows:
        if row.type in made:
            found.setdefault(row.tags[0].removeprefix("loop:"), []).append(row.position)
    return found


def test_every_decision_of_the_season_has_a_dossier_that_verifies(season: Season) -> None:
    """Each by itself, with nothing of any other loop or candidate in it, and small enough."""
    decided = decided_loops(season)
    assert len(decided) > 20
    vkeys = season.ledger.publisher.keys.vkeys
    for handle, positions in decided.items():
        for position in positions:
            made = export(season.ledger, handle, decision=position)
            now = datetime.now(UTC)
            verdict = verify(made.raw, vkeys, None, season.ledger.rules, now=now)
            assert verdict.accepted, (handle, position, verdict.failed)
            assert by_script(made.raw, vkeys[0]) == 0, (handle, position)
            handles = set(re.findall(rb"\b[lc]_[a-z2-7]{26}\b", made.raw))
            assert len(handles) == 2, "one loop and one candidate"
            assert handle.encode() in handles
            assert len(made.raw) < 200_000


def test_a_dossier_is_exported_and_verified_by_command(shell: Shell, season: Season) -> None:
    """The command names the key and what to type; the file is its owner's alone."""
    handle, (position, *_) = next(iter(decided_loops(season).items()))
    out = season.settings.data / "made.json"
    told = Shell((*shell.options, "--json"), shell.variables).run(
        "export",
        "dossier",
        handle,
        "--withhold",
        "name,evidence",
        "--disclose",
        "legal",
        "--out",
        str(out),
    )
    assert told.json["loop"] == handle
    assert told.json["decision"] >= position
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    (vkey,) = told.json["vkeys"]
    verified = Shell().run("verify", str(out), "--vkey", vkey, "--json")
    assert verified.json["accepted"]
    page = season.settings.data / "made.html"
    shell.run("export", "dossier", handle, "--html", str(page), "--out", str(out))
    assert "9 of 10 steps passed" in page.read_text()
    for words in (
        ("no-such-loop",),
        (handle, "--decision", "1"),
        (handle, "--withhold", "age"),
        (handle, "--disclose", "age"),
    ):
        assert shell.run("export", "dossier", *words, "--out", str(out), code=2).err


def test_the_season_is_sound(season: Season, shell: Shell) -> None:
    """Every fact, value, id, basis and signature recomputes, while the ledger is served."""
    told = shell.run("fsck", "--json").json
    assert told["sound"], told["problems"]
    with season.ledger.reading() as group:
        assert told["facts"] == group.head
    assert told["rows"]["bases"] > 60
