"""`hireledger export dossier --html --pdf`: the page of a loop's decision, or of any file."""

import json
import os
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.dossiers import export, guarded_kinds
from api.pages.dossier_file import CannotPrint, printer
from api.printing import Trusted, Wanted, erased_of, write_pages
from api.settings import SettingWrong
from command_line import Shell
from dossiers import OTHER_KEY, VKEY, WITNESS, small_dossier
from museum import FOLDER
from office import EVIDENCE, Office, decision, rules

PRINTED = ("--printed", "2026-06-01T12:00:00Z")
EXPORT = ("export", "dossier")
# Whoever makes a page of a file needs no store, and nothing that could ask a server for anything.
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"psycopg", "psycopg_pool", "eventsourcing", "litestar", "httpx"}:
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Blocked())
from api.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A dossier with which nothing is wrong."""
    path = tmp_path / "dossier.json"
    path.write_bytes(small_dossier())
    return path


def of_file(file: Path, page: Path, *words: str) -> tuple[str, ...]:
    """The command that makes a page of a file."""
    return (*EXPORT, "--from", str(file), "--vkey", VKEY, "--html", str(page), *PRINTED, *words)


def test_a_file_alone_suffices_for_its_page(file: Path, tmp_path: Path) -> None:
    """No ledger, no data directory, no driver of a database: a file and a key."""
    page = tmp_path / "page.html"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HIRELEDGER_")}
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *of_file(file, page)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Its page is in {page}.\n"
    assert "decided to hire" in page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"dossier.json", "page.html"}


def test_the_name_of_a_page_writes_no_line_of_the_answer(file: Path, tmp_path: Path) -> None:
    """Nor does that of the file: a terminal shows what stands in them, and does not obey it."""
    page, bad = tmp_path / "p\x1b[2K\r.html", tmp_path / "f\n\x1b[2KAccepted.json"
    bad.write_bytes((FOLDER / "truncated.json").read_bytes())
    assert Shell().run(*of_file(file, page)).out.endswith("p⟨U+001B⟩[2K⟨U+000D⟩.html.\n")
    refused = Shell().run(*of_file(bad, page), code=1).err
    assert refused.startswith("Refused: f⟨U+000A⟩⟨U+001B⟩[2KAccepted.json fails step 1")
    assert refused.count("\n") == 1
    odd = tmp_path / os.fsdecode(b"p\xff.html")  # no text at all, which JSON cannot hold
    assert Shell().run(*of_file(file, odd)).out.endswith("p\ufffd.html.\n")
    told = Shell().run(*of_file(odd, tmp_path / "other.html", "--json"), code=1).json
    assert (told["file"], told["accepted"]) == (str(tmp_path / "p\ufffd.html"), False)
    lost = tmp_path / "no\x1b[2K\r" / "page.html"
    assert not {"\x1b", "\r"} & set(Shell().run(*of_file(file, lost), code=2).err)


def test_the_same_file_gives_the_same_page_twice(file: Path, tmp_path: Path) -> None:
    """With the time that is given, and no other."""
    first, second = tmp_path / "1.html", tmp_path / "2.html"
    Shell().run(*of_file(file, first))
    Shell().run(*of_file(file, second))
    assert first.read_bytes() == second.read_bytes()
    assert "Page made Mon 1 June 2026, 14:00 (UTC+02:00)" in " ".join(first.read_text().split())


def test_no_page_says_that_it_is_older_than_what_it_tells(file: Path, tmp_path: Path) -> None:
    """A time before the newest fact was recorded is refused, to the second, and writes nothing."""
    leaves = [json.loads(one["leaf"]) for one in json.loads(file.read_bytes())["facts"]]
    newest = max(datetime.fromisoformat(leaf["stamp"]["recorded"]) for leaf in leaves)
    page = tmp_path / "page.html"
    for printed in (datetime(2019, 1, 1, tzinfo=UTC), newest - timedelta(seconds=1)):
        told = Shell().run(*of_file(file, page, "--printed", printed.isoformat()), code=2).err
        assert f"was recorded, at {newest:%Y-%m-%dT%H:%M:%S}Z" in " ".join(told.split())
    assert not page.exists()
    Shell().run(*of_file(file, page, "--printed", newest.isoformat()))
    assert page.exists()


@pytest.mark.parametrize(
    ("bad", "key", "step"),
    [
        ("feedback-left-out.json", VKEY, "5 of 10 (basis)"),
        ("truncated.json", VKEY, "1 of 10 (shape and limits)"),
        (None, OTHER_KEY.vkey, "2 of 10 (checkpoint)"),
    ],
)
def test_a_file_that_does_not_verify_gets_a_page_that_says_only_that(
    file: Path, tmp_path: Path, bad: str | None, key: str, step: str
) -> None:
    """The page names the step in red, the command ends with 1, and no word of the file is told."""
    page = tmp_path / "page.html"
    given = FOLDER / bad if bad else file
    words = (*EXPORT, "--from", str(given), "--vkey", key, "--html", str(page))
    ended = Shell().run(*words, code=1)
    assert "Do not rely on it." in ended.err
    html = page.read_text()
    assert f"This file does not verify: step {step} failed." in html
    assert "verdict bad" in html
    assert "decided" not in html.partition("<body>")[2].partition('id="checked"')[0]


def test_a_quorum_is_asked_of_the_witness_policy(file: Path, tmp_path: Path) -> None:
    """A page of a file that too few witnesses cosigned says only that."""
    page, policy = tmp_path / "page.html", tmp_path / "policy"
    policy.write_text(f"witness w {WITNESS.cosigner_vkey}\nquorum w\n")
    Shell().run(*of_file(file, page, "--witness-policy", str(policy)), code=1)
    assert "step 2 of 10 (checkpoint) failed" in page.read_text()


def test_wrong_use_is_told_before_anything_is_written(file: Path, tmp_path: Path) -> None:
    """A loop or a file, a key with the file, a time with a zone: else exit 2 and no page."""
    page = str(tmp_path / "page.html")
    for words in (
        (),
        ("a-loop", "--from", str(file), "--vkey", VKEY, "--html", page),
        ("a-loop", "--vkey", VKEY, "--html", page),
        ("--from", str(file), "--html", page),
        ("--from", str(file), "--vkey", VKEY),
        ("--from", str(file), "--vkey", "not a key", "--html", page),
        ("--from", str(file), "--vkey", VKEY, "--html", page, "--witness-policy", str(file)),
        ("--from", str(file), "--vkey", VKEY, "--html", page, "--timestamp-roots", str(file)),
        ("--from", str(file), "--vkey", VKEY, "--html", page, "--printed", "yesterday"),
        ("--from", str(file), "--vkey", VKEY, "--html", page, "--printed", "2026-06-01T12:00:00"),
    ):
        assert Shell().run(*EXPORT, *words, code=2).err
    assert not Path(page).exists()


def test_paper_is_printed_by_the_same_command(tmp_path: Path) -> None:
    """Page and paper are made at once, also of a file that is refused, where they are short."""
    try:
        printer()
    except CannotPrint as error:
        pytest.skip(str(error))
    page, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    bad = FOLDER / "truncated.json"
    told = Shell().run(*of_file(bad, page, "--pdf", str(paper)), code=1)
    assert told.out == f"Its page is in {page} and {paper}.\n"
    assert paper.read_bytes().startswith(b"%PDF-1.7")


def test_without_a_printer_nothing_is_written_and_the_remedy_is_told(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 2 before the ledger is asked, with what to install."""
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    page, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    ended = Shell().run(*of_file(file, page, "--pdf", str(paper)), code=2)
    assert "apt-get install libpangoft2-1.0-0 libharfbuzz-subset0" in ended.err
    assert not page.exists()
    assert not paper.exists()


def test_a_page_says_why_legal_advice_and_comparisons_are_not_on_it(
    office: Office, tmp_path: Path
) -> None:
    """Left out unless asked for: the page tells that they are there, and why they are withheld."""
    body = decision(office.ready("one"))
    body["reasons"] += [
        {"kind": "legal", "text": "Counsel advises so."},
        {"kind": "comparative", "text": "Before Nobody Else."},
    ]
    office.did("dora", "/loops/one/decision", body)
    pages = Wanted(tmp_path / "page.html", None, None)
    vkeys = office.ledger.publisher.keys.vkeys

    def page(disclosed: str) -> str:
        made = export(office.ledger, "one", disclosed=guarded_kinds(disclosed))
        assert write_pages(made.raw, Trusted(vkeys), rules(), pages).accepted
        return (tmp_path / "page.html").read_text()

    why = ("Legal advice is privileged", "A comparison says something about other candidates too")
    words = ("Counsel advises so.", "Before Nobody Else.")
    for disclosed, kept in (
        ("", (True, True)),
        ("legal", (False, True)),
        ("legal, comparative", (False, False)),
    ):
        told = page(disclosed)
        assert tuple(one in told for one in why) == kept
        assert tuple(one not in told for one in words) == kept
    with pytest.raises(SettingWrong, match="--disclose takes legal, comparative"):
        guarded_kinds("competency")


def test_a_ledger_tells_which_words_were_erased_and_which_withheld(
    office: Office, tmp_path: Path
) -> None:
    """Who makes a page after an erasure sees that the candidate's words are gone for good."""
    made = office.did("dora", "/loops/one/decision", decision(office.ready("one")))
    (loop,) = re.findall(r"l_[a-z2-7]{26}", office.get("udo", "/loops/one").text)[:1]
    pages = Wanted(tmp_path / "page.html", None, None)

    def page() -> str:
        exported = export(office.ledger, loop, withheld={"name"})
        vkeys = office.ledger.publisher.keys.vkeys
        erased = erased_of(office.ledger, exported.dossier)
        assert write_pages(exported.raw, Trusted(vkeys), rules(), pages, erased).accepted
        return (tmp_path / "page.html").read_text()

    before = page()
    office.did("paul", "/candidates/candidate-of-one/erasure", {"legal_basis": "They asked."})
    after = page()
    assert made.status == 201
    assert ("Erased." in before, "Withheld." in before, EVIDENCE in before) == (False, True, True)
    assert ("Erased." in after, "Withheld." in after, EVIDENCE in after) == (True, True, False)
