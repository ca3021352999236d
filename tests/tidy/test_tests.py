"""The tests themselves: found by name, said in a sentence, able to run."""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

KINDS = {
    "api", "bench", "browser", "faults", "golden", "policies", "projections", "proofs", "rules",
    "storage", "tidy",
}  # fmt: skip
SENTENCE_END = re.compile(r"[.?!]$")
SECOND_SENTENCE = re.compile(r"(?<!\.)(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)[.?!]\s+[A-Z]")
WORDS_MIN = 3


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _tests(sources: Mapping[str, str]) -> Iterator[tuple[str, Function]]:
    for path, text in sources.items():
        if PurePosixPath(path).name.startswith("test_"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, Function) and node.name.startswith("test_"):
                    yield f"{path}:{node.lineno} {node.name}", node


def packages_below_tests(texts: Mapping[str, str]) -> Iterator[str]:
    """Every `__init__.py` below tests/."""
    for path in texts:
        if path.startswith("tests/") and path.endswith("/__init__.py"):
            yield path


def repeated_names(texts: Mapping[str, str]) -> Iterator[str]:
    """Python files below tests/ that share a name; every folder may have its conftest.py."""
    paths = defaultdict[str, list[str]](list)
    for path in texts:
        if path.startswith("tests/") and path.endswith(".py"):
            paths[PurePosixPath(path).name].append(path)
    for name, same in paths.items():
        if len(same) > 1 and name != "conftest.py":
            yield " and ".join(sorted(same))


def unknown_kinds(texts: Mapping[str, str]) -> Iterator[str]:
    """Test files that do not lie in a folder that says their kind."""
    for path in texts:
        parts = PurePosixPath(path).parts
        if parts[0] == "tests" and parts[-1].startswith("test_") and parts[1] not in KINDS:
            yield path


def without_a_sentence(sources: Mapping[str, str]) -> Iterator[str]:
    """Tests whose docstring is missing, or is not one sentence."""
    for place, node in _tests(sources):
        said = " ".join((ast.get_docstring(node) or "").split())
        if not SENTENCE_END.search(said) or SECOND_SENTENCE.search(said):
            yield f"{place}: {said or 'no docstring'}"


def short_names(sources: Mapping[str, str]) -> Iterator[str]:
    """Tests whose name has fewer than three words."""
    for place, node in _tests(sources):
        if len(node.name.removeprefix("test_").split("_")) < WORDS_MIN:
            yield place


def skips_without_a_reason(sources: Mapping[str, str]) -> Iterator[str]:
    """Uses of skip, skipif, xfail and importorskip that give no reason."""
    for path, text in sources.items():
        if not path.startswith("tests/"):
            continue
        for node in ast.walk(ast.parse(text)):
            called = node.func if isinstance(node, ast.Call) else node
            if not isinstance(called, ast.Attribute) or ast.unparse(called) not in {
                "pytest.skip", "pytest.xfail", "pytest.importorskip", "pytest.mark.skip",
                "pytest.mark.skipif", "pytest.mark.xfail",
            }:  # fmt: skip
                continue
            reasons: list[ast.expr] = []
            if isinstance(node, ast.Call):
                reasons = [word.value for word in node.keywords if word.arg == "reason"]
                if called.attr in {"skip", "xfail"}:
                    reasons += node.args
            if isinstance(node, ast.Call) and not reasons:
                yield f"{path}:{node.lineno} {ast.unparse(node)}"


def test_no_package_lies_below_tests(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """The folders of tests do not hide the rooms of the same name."""
    none_left(
        list(packages_below_tests(texts)),
        "tests/policies with an __init__.py would hide the room `policies`. Remove it; pytest"
        " finds test files without:",
    )


def test_every_test_file_has_a_name_of_its_own(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A failure's file name says where to look."""
    none_left(
        list(repeated_names(texts)),
        "A file name stands once in all of tests/. Rename one by what it tests:",
    )


def test_every_test_lies_in_the_folder_of_its_kind(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """Tests are kept by kind, not by package."""
    none_left(
        list(unknown_kinds(texts)), f"A test lies in one of {', '.join(sorted(KINDS))} below tests/"
    )


def test_every_test_says_in_one_sentence_what_holds(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A test is understood without reading its code."""
    none_left(
        list(without_a_sentence(sources)),
        "A test's docstring is one sentence, with a full stop, that says what holds and for whom:",
    )


def test_every_test_name_is_a_sentence(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A failed test's name tells what no longer holds."""
    none_left(
        list(short_names(sources)),
        "A test's name is a sentence: test_a_late_feedback_is_recorded, not test_feedback:",
    )


def test_every_skip_gives_its_reason(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """Whoever reads the summary knows what was not tried."""
    none_left(
        list(skips_without_a_reason(sources)),
        "A skipped test says why, and what would let it run:",
    )


def test_untidy_tests_are_found() -> None:
    """Each check of the tests can fail."""
    texts = {"tests/rules/__init__.py": "", "tests/misc/test_a.py": "", "tests/api/test_a.py": ""}
    assert list(packages_below_tests(texts)) == ["tests/rules/__init__.py"]
    assert list(repeated_names(texts)) == ["tests/api/test_a.py and tests/misc/test_a.py"]
    assert list(unknown_kinds(texts)) == ["tests/misc/test_a.py"]
    sources = {
        "tests/api/test_a.py": "def test_none_at_all(): ...\n"
        "def test_two_are_many():\n    '''One. Two.'''\n"
        "async def test_open():\n    '''No stop'''\n"
        "def test_one_is_right():\n    '''It holds, e.g. Here, or SELECT ... FROM it.'''\n"
    }
    assert [finding.split()[1] for finding in without_a_sentence(sources)] == [
        "test_none_at_all:",
        "test_two_are_many:",
        "test_open:",
    ]
    assert list(short_names(sources)) == ["tests/api/test_a.py:4 test_open"]


def test_a_skip_without_a_reason_is_found() -> None:
    """Every way to skip is looked at."""
    skips = (
        "pytest.skip()",
        "pytest.mark.skipif(x)",
        "pytest.importorskip('a')",
        "pytest.skip('why')",
        "pytest.mark.skipif(x, reason='why')",
    )
    found = list(skips_without_a_reason({"tests/api/test_a.py": "\n".join(skips)}))
    assert [finding.split()[0] for finding in found] == [
        f"tests/api/test_a.py:{line}" for line in (1, 2, 3)
    ]
