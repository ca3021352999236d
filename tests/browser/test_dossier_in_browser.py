"""A dossier's page in a real browser: it asks for nothing, and what is hostile in it stays text."""

from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from api.pages.dossier_file import html_of
from dossiers import valid_dossier
from golden import every_fact
from told_pages import page_about, verified_page

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = (
    "<script>document.title='broken into'</script>"
    "<img src=http://127.0.0.1:9/x onerror=\"document.title='broken into'\">"
    "<style>body{display:none}</style>\u202eesrever\u202c"
)
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A browser, started once for these tests."""
    if not CHROMIUM.exists():
        pytest.skip("no browser is installed: apt-get install chromium")
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()


class Opened:
    """A page in the browser, what it asked for and what the browser complained about."""

    def __init__(self, browser: Browser, html: str, file: Path, width: int = 1280) -> None:
        file.write_text(html, encoding="utf-8")
        self.address = file.as_uri()
        self.asked: list[str] = []
        self.failed: list[str] = []
        self.complaints: list[str] = []
        self.page: Page = browser.new_page(viewport={"width": width, "height": 800})
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(self.address)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_asks_for_nothing_and_fits_the_screen(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    """On a desk and on a telephone the page is styled, and never wider than the screen."""
    opened = Opened(browser, html_of(verified_page(valid_dossier())), tmp_path / "p.html", width)
    assert opened.asked == [opened.address]
    assert opened.complaints == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    border = "getComputedStyle(document.querySelector('.verdict')).borderLeftStyle"
    assert opened.page.evaluate(border) == "solid"


def test_hostile_words_run_nothing_and_ask_for_nothing(browser: Browser, tmp_path: Path) -> None:
    """Scripts, pictures, styles and overrides in what people wrote are read, not obeyed."""
    html = html_of(page_about(every_fact(), lambda _: HOSTILE))
    opened = Opened(browser, html, tmp_path / "p.html")
    assert opened.asked == [opened.address]
    assert opened.complaints == []
    assert "broken into" not in opened.page.title().partition("<script>")[0]
    shown = opened.page.locator("#dissent ~ .box blockquote").first.inner_text()
    assert shown == HOSTILE.replace("\u202e", "⟨U+202E⟩").replace("\u202c", "⟨U+202C⟩")
    assert opened.page.locator("body").is_visible()


def test_what_was_smuggled_into_a_page_is_not_run(browser: Browser, tmp_path: Path) -> None:
    """Were a value ever to become markup, the page's own policy would still not run it."""
    html = html_of(verified_page(valid_dossier()))
    smuggled = html.replace("</main>", f"{HOSTILE}</main>")
    opened = Opened(browser, smuggled, tmp_path / "p.html")
    assert set(opened.asked) - set(opened.failed) == {opened.address}
    assert opened.page.title().startswith("How a hiring decision was made")
    assert any("Content Security Policy" in one for one in opened.complaints)
