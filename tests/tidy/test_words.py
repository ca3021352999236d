"""What must not stand in any file: work without an issue, package indexes, paths of a machine."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest

# Written so that no pattern matches itself.
OPEN_WORK = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b(?!\(#\d+\))")
INDEX = re.compile(
    r"py[p]i\.|pythonhoste[d]|npmj[s]|https?://[^ \"]*(/simpl[e]([/ \"]|$)|registr[y]\.|/debia[n]/)"
    r"|--(extra-)?index-ur[l]|--find-link[s]",
    re.IGNORECASE | re.MULTILINE,
)
MACHINE = re.compile(r"(?<![\w.-])/(wor[k]|far[m]|hom[e]/\w+|User[s]/\w+|op[t]/(wheels|py))\b")


def matches(texts: Mapping[str, str], pattern: re.Pattern[str]) -> Iterator[str]:
    """Places where the pattern is found, as `path:line: the match`."""
    for path, text in texts.items():
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {match.group(0)}"


def test_no_work_is_left_open_without_an_issue(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """What is not done stands in an issue, where someone looks."""
    none_left(
        list(matches(texts, OPEN_WORK)),
        "Do it, drop it, or file an issue and write its number right behind the word, as in (#12):",
    )


def test_no_file_names_a_package_index(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """Whoever installs chooses the source of packages; hashes say that they are the right ones."""
    none_left(
        list(matches(texts, INDEX)),
        "Locks carry hashes, not addresses. Remove it; pip's own settings name the index:",
    )


def test_no_file_names_a_path_of_somebodys_machine(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A checkout works wherever it lies."""
    none_left(
        list(matches(texts, MACHINE)),
        "Write paths relative to the checkout, or take them from a setting:",
    )


@pytest.mark.parametrize(
    ("pattern", "bad"),
    [
        (OPEN_WORK, "# TO" + "DO later"),
        (OPEN_WORK, "x = 1  # FIX" + "ME"),
        (INDEX, "https://py" + "pi.org"),
        (INDEX, "--index" + "-url https://example.org"),
        (INDEX, "http://mirror.example.org/" + "simple/"),
        (INDEX, "https://registry" + ".example.org/a"),
        (MACHINE, "see /wo" + "rk/notes"),
        (MACHINE, "'/ho" + "me/ana/project'"),
    ],
)
def test_a_bad_word_is_found(pattern: re.Pattern[str], bad: str) -> None:
    """Each pattern finds what it is made for, and says where."""
    assert [hit.split(":")[:2] for hit in matches({"a.md": f"\n{bad}"}, pattern)] == [["a.md", "2"]]


@pytest.mark.parametrize(
    ("pattern", "good"),
    [
        (OPEN_WORK, "# TO" + "DO(#12): the second page"),
        (INDEX, "the registry of people; a simple https://example.org/"),
        (MACHINE, "docs/work/notes and ./home"),
    ],
)
def test_a_good_word_is_left_alone(pattern: re.Pattern[str], good: str) -> None:
    """No pattern fires on what is allowed."""
    assert list(matches({"a.md": good}, pattern)) == []
