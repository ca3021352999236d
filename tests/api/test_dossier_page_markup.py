"""A dossier's page as markup: it asks for nothing, stays text, and serves who hears it."""

import itertools
import re

import pytest
from msgspec.structs import replace

import story
import story_later
from api.pages.dossier_file import SECTIONS, html_of
from api.pages.dossier_page import Page
from api.pages.visible import in_one_line, shows_nothing, visible
from dossiers import valid_dossier
from golden import every_fact
from page_reader import Read
from told_pages import page_about, verified_page

HOSTILE = "</blockquote><script>alert(1)</script>\u202egnitarvelE\u202c\0 &amp; done"


@pytest.fixture(scope="module")
def page() -> Page:
    """The page of a dossier with which nothing is wrong."""
    return verified_page(valid_dossier())


def test_hostile_text_stays_text_wherever_it_stands() -> None:
    """Markup in evidence is quoted, and characters that nobody sees are shown by their number."""
    html = html_of(page_about(every_fact(), lambda _: HOSTILE))
    assert "<script" not in html
    assert "\u202e" not in html
    assert "\0" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩gnitarvelE⟨U+202C⟩⟨U+0000⟩" in html
    assert "script" not in Read(html).tags


def test_letters_of_any_script_are_left_as_they_are() -> None:
    """Only what nobody sees is marked: joiners, marks and letters from right to left are not."""
    words = "Ünïcode नमस्ते עברית \u06cc\u200c\u062e 👩\u200d🔬 ❤\ufe0f 葛\U000e0100 각\n\tnext"
    assert visible(words) == words
    assert visible("a\r\nb\u2028c") == "a\nb\nc"


@pytest.mark.parametrize(
    "letter", "\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0\U0001d159\U000e0fff"
)
def test_letters_without_ink_are_shown_by_their_number(letter: str) -> None:
    """They are letters to Unicode, and a blank to the eye: a name of them would be no name."""
    assert visible(f"a{letter}b") == in_one_line(f"a{letter}b") == f"a⟨U+{ord(letter):04X}⟩b"
    assert shows_nothing(f" {letter}\u200d\n\ufe0f\u00a0")
    assert not shows_nothing(f"{letter}.")


def test_the_page_asks_for_nothing_and_forbids_what_it_has_not(page: Page) -> None:
    """No script, no image, no font, no address but places in the page itself."""
    html = html_of(page)
    read = Read(html)
    assert {"script", "img", "link", "iframe", "object", "form"}.isdisjoint(read.tags)
    assert all(address.startswith("#") for address in read.addresses)
    assert {address[1:] for address in read.addresses} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))
    assert "url(" not in html
    assert "@import" not in html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; style-src &#39;sha256-")


def test_headings_tables_and_language_serve_who_hears_the_page(page: Page) -> None:
    """Headings descend one level at a time, and every table has a caption and scoped headers."""
    html = html_of(page)
    read = Read(html)
    levels = [int(tag[1]) for tag in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert read.tags.count("table") == read.tags.count("caption")
    assert html.count("<th ") == html.count('<th scope="')
    assert '<html lang="en">' in html
    assert [id_ for id_, _ in SECTIONS] == [
        one for one in read.ids if one in {id_ for id_, _ in SECTIONS}
    ]


def test_words_in_another_language_say_which_where_it_is_one() -> None:
    """A screen reader changes its voice for a real language, and for nothing else."""
    for language, marked in (("de-AT", ' lang="de-AT"'), ("de_AT", "")):
        feedback = replace(story_later.FEEDBACK_SUBMITTED, language=language)
        recorded = (story.LOOP_OPENED, feedback, story_later.DECISION_MADE)
        html = html_of(page_about(recorded, lambda _: "Gesagt."))
        assert f'<blockquote dir="auto"{marked}>Gesagt.</blockquote>' in html
        assert 'lang="de_AT"' not in html
