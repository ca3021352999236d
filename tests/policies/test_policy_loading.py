"""Loading fails closed, and the lock keeps rules that have judged as they were."""

import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from policies import PolicyLoadError, folder_of, load
from policies.__main__ import main

RULE = '''"""A rule for one test."""

from policies._examples import evidenced
from policies._policy import Policy, accepted, refused


def check(case, params):
    """Finds nothing."""
    yield from ()


POLICY = Policy(
    id="{id}",
    version={version},
    title="Made up",
    rationale="A test needs it.",
    source="this test",
    practices=("P1",),
    moments=frozenset({{"gate"}}),
    enforcement="warn",
    check=check,
    examples=({examples}),
)
'''
ONE = 'accepted("a", lambda: evidenced().asks_gate()),'
BOTH = ONE + ' refused("b", lambda: evidenced().asks_gate())'
Files = dict[str, str]
Make = Callable[[Files], str]


def rule(id_: str = "made-up", version: int = 1, examples: str = BOTH) -> str:
    """The source of a rule."""
    return RULE.format(id=id_, version=version, examples=examples)


def forget(package: str) -> None:
    """Lets the next import read the files again."""
    for name in [m for m in sys.modules if m == package or m.startswith(f"{package}.")]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Writes a package of rules beside the real one and gives its name."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(files: Files) -> str:
        folder = tmp_path / "rules_of_a_test"
        (folder / "history").mkdir(parents=True, exist_ok=True)
        for name in ("__init__.py", "history/__init__.py"):
            (folder / name).write_text('"""Rules of a test."""\n')
        for name, text in files.items():
            (folder / name).write_text(text)
        forget(folder.name)
        return folder.name

    return write


@pytest.fixture
def locked(make: Make, capsys: pytest.CaptureFixture[str]) -> Callable[[Files], Path]:
    """Writes a package, locks it, and gives its folder."""

    def write(files: Files) -> Path:
        package = make(files)
        assert main(["lock", "--package", package]) == 0
        assert "complete and as locked" in capsys.readouterr().out
        forget(package)
        return folder_of(package)

    return write


def problems(package: str) -> tuple[str, ...]:
    """What loading the package says is wrong."""
    with pytest.raises(PolicyLoadError) as refusal:
        load(package)
    return refusal.value.problems


def test_the_installed_rules_are_complete_and_as_locked() -> None:
    """The start does not fail, and says how many rules there are."""
    command = [sys.executable, "-m", "policies", "check"]
    root = folder_of("policies").parent
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{len(load().rules)} rules are complete and as locked\n"


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"made_up.py": '"""Nothing here."""\n'},
            ("made_up.py: has no POLICY; a file of this folder is a rule, a helper's name begins"
            " with _"),
        ),
        (
            {"made_up.py": "POLICY = 'a text'\n"},
            ("made_up.py: has no POLICY; a file of this folder is a rule, a helper's name begins"
            " with _"),
        ),
        ({"made_up.py": "def\n"}, "made_up.py: cannot be imported; correct it"),
        (
            {"made_up.py": rule("made-down")},
            "made_up.py: its POLICY says version 1 of made-down, so the file must be made_down.py",
        ),
        (
            {"made_up.py": rule(examples=ONE)},
            "made_up.py: has no example that is refused; give one of each",
        ),
        (
            {"made_up.py": rule(examples="")},
            "made_up.py: has no example that is accepted or refused; give one of each",
        ),
        (
            {"made_up.py": rule(), "history/made_up_v1.py": rule()},
            ("made_up_v1.py: version 1 of made-up stands in made_up.py too; one of them needs"
            " another version"),
        ),
        (
            {"made_up.py": rule(), "history/made_up.py": rule()},
            "made_up.py: its POLICY says version 1 of made-up, so the file must be made_up_v1.py",
        ),
        (
            {"made_up.py": rule(), "history/made_up_v2.py": rule(version=2)},
            "made_up_v2.py: history holds older versions only; made-up is at version 1",
        ),
        (
            {"made_up.py": rule()},
            "made_up.py is not locked: run `python -m policies lock`",
        ),
        (
            {"policies.lock": "{"},
            "policies.lock cannot be read: restore it",
        ),
    ],
    ids=[
        "no policy", "another policy", "no Python", "another name", "no refused example",
        "no example", "a repeated version", "a wrong name in history", "a newer version in history",
        "not locked", "a broken lock",
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_trusted_stops_the_start(
    make: Make, files: Files, problem: str
) -> None:
    """The message names the file and says what to do."""
    assert problems(make(files)) == (problem,)


def test_a_helper_is_no_rule_and_is_locked_with_the_rules(
    locked: Callable[[Files], Path],
) -> None:
    """A file whose name begins with _ holds what rules share, and verdicts rest on it."""
    folder = locked({"made_up.py": rule(), "_shared.py": '"""Shared."""\n'})
    assert list(load(folder.name).current) == ["made-up"]
    (folder / "_shared.py").write_text('"""Shared, but otherwise."""\n')
    (problem,) = problems(folder.name)
    assert problem == (
        "_shared.py: verdicts rest on this helper, and it is not what was locked. Put it back,"
        " write the change as a helper of another name, and let new versions of the rules import"
        " that one"
    )


def test_an_edited_rule_stops_the_start_and_says_what_to_do(
    locked: Callable[[Files], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """An edit of one letter is found, and locking again is refused."""
    folder = locked({"made_up.py": rule()})
    (folder / "made_up.py").write_text(rule().replace("nothing.", "nothing!"))
    told = (
        "made_up.py: version 1 of made-up was edited after it was locked. A rule that has judged"
        " is never edited: put the old text back as history/made_up_v1.py, give the edited one"
        " version 2, then run `python -m policies lock`"
    )
    assert problems(folder.name) == (told,)
    assert main(["check", "--package", folder.name]) == 1
    assert main(["lock", "--package", folder.name]) == 1
    assert capsys.readouterr().err == f"{told}\n{told}\n"


def test_what_it_says_to_do_works(locked: Callable[[Files], Path], make: Make) -> None:
    """The old version moves to history byte for byte, the new one is locked beside it."""
    folder = locked({"made_up.py": rule()})
    shutil.move(folder / "made_up.py", folder / "history" / "made_up_v1.py")
    package = make({"made_up.py": rule(version=2)})
    assert main(["lock", "--package", package]) == 0
    catalogue = load(package)
    assert sorted(catalogue.rules) == [("made-up", 1), ("made-up", 2)]
    assert catalogue.current["made-up"].version == 2
    assert [(e.version, e.versions) for e in catalogue.entries()] == [(2, (1, 2))]
    assert len(set(catalogue.digests.values())) == 2


def test_an_old_version_in_history_cannot_be_edited_or_taken_away(
    locked: Callable[[Files], Path],
) -> None:
    """A decision of years ago can still be replayed."""
    folder = locked({"made_up.py": rule(version=2), "history/made_up_v1.py": rule()})
    old = folder / "history" / "made_up_v1.py"
    old.write_text(rule() + "\n")
    assert problems(folder.name)[0].startswith("made_up_v1.py: version 1 of made-up was edited")
    old.unlink()
    forget(folder.name)
    assert problems(folder.name) == (
        (
            "version 1 of made-up is locked, but no file holds it: put its text back as"
            " history/made_up_v1.py"
        ),
    )


def test_a_retired_rule_judges_only_for_those_who_pinned_it(
    locked: Callable[[Files], Path],
) -> None:
    """A rule that is only in history is in no default set any more."""
    folder = locked({"history/made_up_v1.py": rule()})
    catalogue = load(folder.name)
    assert catalogue.current == {}
    assert catalogue.default_set() == ()
    assert list(catalogue.rules) == [("made-up", 1)]


def test_all_problems_of_the_lock_are_told_at_once(locked: Callable[[Files], Path]) -> None:
    """Whoever corrects need not start again and again."""
    folder = locked({"made_up.py": rule(), "made_down.py": rule("made-down")})
    for name in ("made_up.py", "made_down.py"):
        with (folder / name).open("a") as file:
            file.write("\n")
    (folder / "made_left.py").write_text(rule("made-left"))
    assert [problem.split()[0] for problem in problems(folder.name)] == [
        "made_down.py:",
        "made_up.py:",
        "made_left.py",
    ]


def test_rewriting_the_lock_takes_a_word_of_its_own(locked: Callable[[Files], Path]) -> None:
    """While nothing has judged yet, an edited rule may be locked again, by name of the option."""
    folder = locked({"made_up.py": rule()})
    (folder / "made_up.py").write_text(rule() + "\n")
    assert main(["lock", "--package", folder.name]) == 1
    assert main(["lock", "--rewrite", "--package", folder.name]) == 0
    assert list(load(folder.name).current) == ["made-up"]


def test_locking_twice_writes_the_same_bytes(locked: Callable[[Files], Path]) -> None:
    """The lock is a function of the files."""
    folder = locked({"made_up.py": rule(), "made_down.py": rule("made-down")})
    before = (folder / "policies.lock").read_bytes()
    assert main(["lock", "--package", folder.name]) == 0
    assert (folder / "policies.lock").read_bytes() == before
