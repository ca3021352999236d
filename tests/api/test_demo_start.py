"""Where the demo records its season, and where it refuses to."""

from pathlib import Path

import pytest

from api.demo.run import FIRST_FACTS, record, refuse_other_facts
from api.options import demo_settings_of, settings_of
from api.settings import Settings
from api.store import admin_key
from command_line import Shell
from ledger.embedded.server import Embedded
from ledger.ledger import Ledger
from recorded_season import served_season, settings_for


class Stopped(Exception):
    """The demo ends here, as if somebody had stopped it."""


def stop(_: int) -> None:
    """End the demo after its first calls."""
    raise Stopped


def head(ledger: Ledger) -> int:
    """How many facts the log has."""
    with ledger.reading() as group:
        return group.head


def shell_over(settings: Settings) -> Shell:
    """Commands over the ledger of these settings."""
    store = ("--data", str(settings.data), "--database", str(settings.database))
    return Shell(store, {"HIRELEDGER_SCHEMA": settings.schema})


def test_the_demo_has_a_data_directory_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger served beside it stays empty of its season; option and variable still win."""
    monkeypatch.delenv("HIRELEDGER_DATA", raising=False)
    assert demo_settings_of(data=None).data == Path(".hireledger-demo")
    assert settings_of(data=None).data == Path(".hireledger")
    assert demo_settings_of(data=Path("given")).data == Path("given")
    monkeypatch.setenv("HIRELEDGER_DATA", "named")
    assert demo_settings_of(data=None).data == Path("named")
    assert demo_settings_of(data=Path("given")).data == Path("given")
    assert "Default .hireledger-demo." in Shell().run("demo", "--help").out


def test_a_ledger_with_facts_of_its_own_gets_no_season(server: Embedded, tmp_path: Path) -> None:
    """Exit code 2 before the first write: what was recorded is all that is there."""
    settings = settings_for(server, tmp_path)
    shell = shell_over(settings)
    xes = tmp_path / "empty.xes"
    xes.write_text("<log/>")
    shell.run("import", "xes", str(xes))
    shell.run("keys", "create", "--service", "ats", "--role", "auditor")
    ended = shell.run("demo", "--exit", code=2)
    assert "This ledger has facts of its own" in ended.err
    assert "--data DIR" in ended.err
    with served_season(settings) as served:
        assert head(served.ledger) == FIRST_FACTS + 1
    assert not (tmp_path / "demo").exists()


def test_a_season_that_was_interrupted_goes_on(server: Embedded, tmp_path: Path) -> None:
    """An empty ledger is taken, and so is one in which the season has begun."""
    settings = settings_for(server, tmp_path)
    with served_season(settings) as served:
        assert head(served.ledger) == FIRST_FACTS
        refuse_other_facts(served.ledger)
        with pytest.raises(Stopped):
            record(served.address, tmp_path, admin_key(settings), stop)
        assert head(served.ledger) > FIRST_FACTS
        refuse_other_facts(served.ledger)
