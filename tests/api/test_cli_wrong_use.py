"""What the command line says when it is used wrongly, or the store is not there."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from api.cli import main
from api.settings import Settings, SettingWrong, read_settings, variable_of
from api.store import keys_given
from command_line import COMMAND, Shell
from ledger.counted import counted
from ledger.embedded.server import Embedded
from ledger.personal.key_files import KeyFileError
from ledger.personal.keyring import KeyRing


def test_help_lists_every_command_and_says_what_it_is_for() -> None:
    """Whoever types the name alone learns what there is."""
    words = [COMMAND, "--help"]
    shown = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    for command in ("serve", "demo", "keys", "rebuild", "import", "export"):
        assert command in shown
    assert "xes" in Shell().run("import", "--help").out
    assert "facts" in Shell().run("export", "--help").out


def every_command(group: click.Group, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of each command, those of groups too."""
    for name, command in group.commands.items():
        yield (*words, name)
        if isinstance(command, click.Group):
            yield from every_command(command, *words, name)


@pytest.mark.parametrize("words", list(every_command(main)), ids="-".join)
def test_every_command_explains_itself_in_the_same_way(words: tuple[str, ...]) -> None:
    """Boxes of options, and nothing of a plain list of them; -h is the short form."""
    shown = Shell().run(*words, "--help").out
    assert "─ Options ─" in shown
    assert shown == Shell().run(*words, "-h").out


@pytest.mark.parametrize(
    "words",
    [("keys", "list"), ("rebuild",), ("export", "facts"), ("keys", "revoke", "k_" + "a" * 26)],
)
def test_a_directory_without_a_ledger_is_left_as_it_is(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Only serving, the demo and importing begin a ledger; a wrong path begins none."""
    elsewhere = tmp_path / "elsewhere"
    ended = Shell(("--data", str(elsewhere))).run(*words, code=3)
    assert "hireledger serve" in ended.err
    assert not elsewhere.exists()


def test_a_data_directory_without_its_passwords_is_not_taken_for_an_empty_one(
    tmp_path: Path,
) -> None:
    """What `serve` says of it every command says; nobody is told to begin a ledger there."""
    (tmp_path / "postgres").mkdir()
    for words in (("keys", "list"), ("fsck",), ("serve", "--port", "0")):
        ended = Shell(("--data", str(tmp_path))).run(*words, code=3)
        assert f"{tmp_path / 'store.json'}, which holds its passwords, is not" in ended.err
        assert "begin" not in ended.err


def test_a_key_that_is_set_wrongly_is_named_by_its_variable(tmp_path: Path) -> None:
    """As it is typed, so that it can be found; what stands in it is not repeated."""
    for variable in ("KEY_HMAC", "KEY_KEK_SELF_IDENTIFICATION", "KEY_KEK_NEXT"):
        settings = read_settings({f"HIRELEDGER_{variable}": "no such key"}, data=tmp_path)
        given, coming = keys_given(settings), keys_given(settings, coming=True)
        with pytest.raises(KeyFileError) as raised:
            KeyRing.open(tmp_path / "keys", given=given, coming=coming)
        assert str(raised.value).startswith(f"HIRELEDGER_{variable} is neither 64 hex digits")
        assert "no such key" not in str(raised.value)
    assert not (tmp_path / "keys").exists()


def test_a_database_that_does_not_answer_is_told_by_exit_code_3(tmp_path: Path) -> None:
    """Also when its URL says more than should be repeated."""
    url = "postgresql://somebody:hidden@127.0.0.1:1/nowhere"
    ended = Shell(("--data", str(tmp_path), "--database", url)).run("keys", "list", code=3)
    assert "does not answer" in ended.err
    assert "hidden" not in ended.err


def test_a_text_that_is_no_url_is_wrong_use(tmp_path: Path) -> None:
    """And the text, which may be a password, is not repeated."""
    wrong = Shell(("--data", str(tmp_path), "--database", "not a url"))
    ended = wrong.run("keys", "list", code=2)
    assert "postgresql://" in ended.err
    assert "not a url" not in ended.err


def test_a_log_with_facts_is_not_opened_with_new_keys(server: Embedded, tmp_path: Path) -> None:
    """Keys made anew beside another ledger's log would open nothing of it."""
    schema = f"t_{secrets.token_hex(6)}"
    store = ("--database", server.superuser_url())
    variables = {"HIRELEDGER_SCHEMA": schema}
    first, second = tmp_path / "first", tmp_path / "second"
    xes = tmp_path / "empty.xes"
    xes.write_text("<log/>")
    Shell(("--data", str(first), *store), variables).run("import", "xes", str(xes))
    ended = Shell(("--data", str(second), *store), variables).run("keys", "list", code=3)
    assert str(second / "keys") in ended.err
    assert not second.exists()
    assert Shell(("--data", str(first), *store), variables).run("keys", "list").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("keys", "create", "--service", "a", "--role", "emperor"), "interviewer"),
        (("keys", "create", "--service", "A B", "--role", "auditor"), "hyphens"),
        (("keys", "create", "--role", "auditor"), "exactly one"),
        (("keys", "create", "--service", "a", "--role", "auditor", "--expires", "soon"), "zone"),
        (("keys", "revoke", "k1"), "keys list"),
        (("rebuild", "nonsense"), "There are"),
    ],
)
def test_wrong_words_are_answered_by_what_is_right(
    server: Embedded, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    """Exit code 2, and a sentence that helps."""
    schema = f"t_{secrets.token_hex(6)}"
    options = ("--data", str(tmp_path), "--database", server.superuser_url())
    shell = Shell(options, {"HIRELEDGER_SCHEMA": schema})
    xes = tmp_path / "empty.xes"
    xes.write_text("<log/>")
    shell.run("import", "xes", str(xes))
    ended = shell.run(*words, code=2)
    assert told in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("export", "facts", "--out"),
        ("export", "dossier", "one", "--out"),
        ("export", "dossier", "one", "--html"),
    ],
)
def test_a_file_in_a_directory_that_is_not_there_is_refused_at_once(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Before the ledger is opened; the message names the directory, and no file of our own."""
    nowhere = tmp_path / "nowhere"
    ended = Shell(("--data", str(tmp_path))).run(*words, str(nowhere / "x"), code=2)
    said = " ".join(ended.err.replace("│", " ").split())
    assert "There is no directory" in said
    assert str(nowhere) in said.replace(" ", "")
    assert ".part" not in said
    assert ".new" not in said


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 witnesses"), (1, "1 witness"), (2, "2 witnesses")]
)
def test_one_is_told_in_the_singular(number: int, told: str) -> None:
    """And anything else in the plural, with an s where no other form is given."""
    assert counted(number, "witness", "witnesses") == told
    assert counted(number, "fact") == told.replace("witnesses", "facts").replace("witness", "fact")


def test_settings_are_read_from_the_environment_and_options_win() -> None:
    """Each setting has one variable; an option that was not given changes nothing."""
    environment = {"HIRELEDGER_PORT": "81", "HIRELEDGER_HOST": "::1", "HIRELEDGER_SCHEMA": ""}
    settings = read_settings(environment, port=None, host="localhost")
    assert (settings.port, settings.host, settings.schema) == (81, "localhost", "hireledger")
    assert variable_of("key_kek") == "HIRELEDGER_KEY_KEK"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HIRELEDGER_PORT", "many"),
        ("HIRELEDGER_PORT", "70000"),
        ("HIRELEDGER_PROT", "80"),
        ("HIRELEDGER_port", "80"),
        ("HIRELEDGER_OTLP_ENDPOINT", "collector:4318"),
        ("HIRELEDGER_OTLP_ENDPOINT", "http://[::1"),
        ("HIRELEDGER_TSA", "ftp://tsa.example"),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_its_value_is_not(variable: str, text: str) -> None:
    """A typing error stops the start instead of being ignored."""
    with pytest.raises(SettingWrong) as raised:
        read_settings({variable: text})
    assert variable in str(raised.value)
    assert text not in str(raised.value)


def test_settings_print_nothing_of_themselves() -> None:
    """Secrets are among them."""
    assert "hidden" not in repr(Settings(database="postgresql://u:hidden@h/d"))
