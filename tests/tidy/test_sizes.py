"""What a reader can hold: functions under 60 lines, modules under 400, lines up to 100."""

import ast
from collections.abc import Callable, Iterator, Mapping

FUNCTION_LINES = 60
MODULE_LINES = 400
LINE_LETTERS = 100
READ_BY_PEOPLE = (".py", ".sql", ".md", ".toml", ".yaml", ".css", ".js", ".html", ".sh", "Makefile")

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def long_functions(sources: Mapping[str, str]) -> Iterator[str]:
    """Functions of 60 lines and more, from `def` to the last line, as `path:line name (n)`."""
    for path, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, FUNCTIONS):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines >= FUNCTION_LINES:
                    yield f"{path}:{node.lineno} {node.name} ({lines} lines)"


def long_modules(sources: Mapping[str, str]) -> Iterator[str]:
    """Modules of 400 lines and more."""
    for path, text in sources.items():
        lines = len(text.splitlines())
        if lines >= MODULE_LINES:
            yield f"{path} ({lines} lines)"


def long_lines(texts: Mapping[str, str]) -> Iterator[str]:
    """Lines over 100 letters in files that people write; a Markdown table's row may be longer."""
    for path, text in texts.items():
        if not path.endswith(READ_BY_PEOPLE):
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            row = path.endswith(".md") and line.lstrip().startswith("|")
            if len(line) > LINE_LETTERS and not row and "://" not in line:
                yield f"{path}:{number} ({len(line)} letters)"


def test_every_function_is_under_60_lines(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A function fits on a screen."""
    none_left(
        list(long_functions(sources)),
        f"A function has fewer than {FUNCTION_LINES} lines, so that it is read as one thought."
        " Give a part of it a name and a docstring of its own:",
    )


def test_every_module_is_under_400_lines(
    sources: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """A module is read in one go."""
    none_left(
        list(long_modules(sources)),
        f"A module has fewer than {MODULE_LINES} lines (aim at 80 to 180). Split it by what its"
        " parts are about, keeping the import path where others use it:",
    )


def test_every_line_is_at_most_100_letters(
    texts: dict[str, str], none_left: Callable[[list[str], str], None]
) -> None:
    """Two files fit beside each other on a screen."""
    none_left(
        list(long_lines(texts)),
        f"A line has at most {LINE_LETTERS} letters; `make format` breaks code, you break prose:",
    )


def test_a_long_function_is_found_also_when_it_is_nested_or_async() -> None:
    """The function check can fail, and the last length it lets pass is 59 lines."""

    def function(lines: int) -> str:
        return "async def inner():\n" + "    await x\n" * (lines - 1)

    nested = "class A:\n    def m(self):\n" + "        x = 1\n" * 59
    assert list(long_functions({"a.py": function(59)})) == []
    assert list(long_functions({"a.py": function(60)})) == ["a.py:1 inner (60 lines)"]
    assert list(long_functions({"a.py": nested})) == ["a.py:2 m (60 lines)"]


def test_a_long_module_is_found() -> None:
    """The module check can fail, and the last length it lets pass is 399 lines."""
    assert list(long_modules({"a.py": "x = 1\n" * 399})) == []
    assert list(long_modules({"a.py": "x = 1\n" * 400})) == ["a.py (400 lines)"]


def test_a_long_line_is_found_but_not_in_a_table_or_a_lock() -> None:
    """The line check can fail, and leaves alone what cannot be broken."""
    bad = {"a.sql": "x" * 101, "b.py": "x" * 100, "c.txt": "x" * 200, "d.md": "| " + "x" * 200}
    assert list(long_lines(bad)) == ["a.sql:1 (101 letters)"]
