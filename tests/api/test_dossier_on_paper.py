"""A dossier on paper: the same page as PDF, in order, tagged for screen readers, byte for byte."""

import contextlib
import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from api.pages.dossier_file import SECTIONS, CannotPrint, html_of, pdf_of
from story import LOOP_OPENED, POSTING_VERSIONED, REQUISITION_OPENED, SCORECARD_VERSIONED
from story_later import (
    DECISION_MADE,
    DISSENT_RECORDED,
    EXCEPTION_GRANTED,
    FEEDBACK_SUBMITTED,
    STATEMENT_RECORDED,
)
from told_pages import page_about

RECORDED = (
    REQUISITION_OPENED,
    SCORECARD_VERSIONED,
    POSTING_VERSIONED,
    LOOP_OPENED,
    FEEDBACK_SUBMITTED,
    STATEMENT_RECORDED,
    DISSENT_RECORDED,
    EXCEPTION_GRANTED,
    DECISION_MADE,
)
PRINTS = """
import hashlib, sys
from api.pages.dossier_file import pdf_of
print(hashlib.sha256(pdf_of(sys.stdin.read())).hexdigest())
"""


@pytest.fixture(scope="module")
def html() -> str:
    """A short page with something in every section; printing a long one takes seconds."""
    return html_of(page_about(RECORDED, lambda number: f"What was said, number {number}."))


@pytest.fixture(scope="module")
def pdf(html: str) -> bytes:
    """The same page on paper."""
    try:
        return pdf_of(html)
    except CannotPrint as error:
        pytest.skip(str(error))


def _plain(pdf: bytes) -> bytes:
    """The file with every compressed stream unpacked."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    unpacked: list[bytes] = []
    for stream in streams:
        with contextlib.suppress(zlib.error):
            unpacked.append(zlib.decompress(stream))
    return b"\n".join([pdf, *unpacked])


def test_the_paper_is_tagged_for_screen_readers_and_names_its_language(pdf: bytes) -> None:
    """Whoever hears the paper gets headings, tables and their headers, as on the page."""
    plain = _plain(pdf)
    assert pdf.startswith(b"%PDF-1.7")
    for wanted in (b"pdfuaid:part", b"/Marked true", b"/Lang (en)", b"/StructTreeRoot", b"/TH"):
        assert wanted in plain


def test_the_paper_holds_no_script_no_address_and_no_time_of_its_own(pdf: bytes) -> None:
    """Nothing on the paper leads outside, and only the page says when it was made."""
    for unwanted in (b"/JavaScript", b"/URI", b"/Launch", b"/CreationDate", b"/ModDate"):
        assert unwanted not in _plain(pdf)


def test_the_paper_has_the_same_bytes_in_another_process(html: str, pdf: bytes) -> None:
    """Two people who print one page with one version hold the same file."""
    printed = subprocess.run(
        [sys.executable, "-c", PRINTS],
        input=html,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )
    assert printed.stdout.strip() == hashlib.sha256(pdf).hexdigest()


def test_the_paper_tells_the_story_in_order_with_heads_and_page_numbers(
    pdf: bytes, tmp_path: Path
) -> None:
    """The text runs as on the page, and each leaf says which loop it is of and where it stands."""
    reader = shutil.which("pdftotext")
    if reader is None:
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils")
    file = tmp_path / "dossier.pdf"
    file.write_bytes(pdf)
    read = subprocess.run([reader, str(file), "-"], capture_output=True, text=True, check=True)
    leaves = read.stdout.rstrip("\f").split("\f")
    text = " ".join(read.stdout.split())
    places = [text.rindex(title) for _, title in SECTIONS]
    assert places == sorted(places)
    for number, leaf in enumerate(leaves, start=1):
        assert f"Page {number} of {len(leaves)}" in leaf
        assert re.search(r"Loop l_[a-z2-7]{26}, decision No. 9", leaf)


@pytest.mark.parametrize(
    ("error", "lacks"), [(ImportError(), "WeasyPrint"), (OSError("no such library"), "Pango")]
)
def test_what_is_missing_to_print_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, error: Exception, lacks: str
) -> None:
    """Where the printer is not installed the message has the one line that installs it."""

    def missing(_: str) -> object:
        raise error

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(CannotPrint) as refused:
        pdf_of("<p>")
    said = str(refused.value)
    assert f"lacks {lacks}" in said
    assert "apt-get install libpangoft2-1.0-0 libharfbuzz-subset0" in said
    assert "hireledger[pdf]" in said
