"""A dossier's page as a file: one HTML document that asks for nothing, or the same on paper.

No script, no font, no image, no address: what the page needs stands in it, and its own policy
forbids anything else. The same page gives the same bytes.
"""

import base64
import hashlib
import importlib
import logging
from functools import cache
from pathlib import Path
from typing import Any, Final, NoReturn

from api.pages.dossier_page import Page
from api.pages.page import templates
from api.settings import SettingWrong

SECTIONS: Final = (
    ("answer", "The answer in short"),
    ("people", "Who is who, and the words used"),
    ("timeline", "What happened, in order"),
    ("rubric", "By what the candidate was judged"),
    ("seen", "What was seen"),
    ("dissent", "Dissent"),
    ("exceptions", "Exceptions from the rules"),
    ("found", "What the rules found"),
    ("rules", "The rules that judged"),
    ("reasons", "The reasons of the decision"),
    ("unsaid", "What this record does not say"),
    ("verify", "How to check this yourself"),
    ("checked", "How this file was checked"),
)
PANGO: Final = (
    "Printing a dossier needs WeasyPrint and Pango, and this system lacks {lacks}. Install both:\n"
    "    apt-get install libpangoft2-1.0-0 libharfbuzz-subset0\n"
    "    pip install 'hireledger[pdf]'\n"
    "or write --html FILE and print that from a browser."
)


class CannotPrint(SettingWrong):
    """PDF files cannot be made on this system; the message says what to install."""


@cache
def stylesheet() -> str:
    """The page's style; no value of a dossier is ever in it."""
    return (Path(__file__).parent / "templates" / "dossier.css").read_text()


def html_of(page: Page) -> str:
    """The page as one HTML document."""
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    story = page.story
    recorded = (
        {entry.position for chapter in story.chapters for entry in chapter.entries}
        if story
        else set[int]()
    )
    return (
        templates()
        .get_template("dossier.html.j2")
        .render(
            page=page,
            policy=policy,
            style=style,
            positions=recorded,
            sections=SECTIONS,
        )
    )


def pdf_of(html: str) -> bytes:
    """The page on A4 paper, tagged for screen readers (PDF/UA-1).

    Raises:
        CannotPrint: WeasyPrint or Pango is not installed.
    """
    document: Any = printer().HTML(string=html, base_url=None, url_fetcher=_nothing)
    printed: bytes = document.write_pdf(pdf_variant="pdf/ua-1", pdf_tags=True)
    return printed


def printer() -> Any:
    """WeasyPrint, which has no types; raises `CannotPrint` where it or Pango is not installed."""
    try:
        weasyprint = importlib.import_module("weasyprint")
    except ImportError:
        raise CannotPrint(PANGO.format(lacks="WeasyPrint")) from None
    except OSError:
        raise CannotPrint(PANGO.format(lacks="Pango")) from None
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    return weasyprint


def _nothing(*_: object, **__: object) -> NoReturn:
    raise ValueError("a dossier's page asks for nothing")
