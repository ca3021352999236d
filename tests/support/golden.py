"""Writes one golden line for each fact type that has none yet, and never touches one that stands.

    PYTHONPATH=. python tests/support/golden.py

`tests/golden/facts.jsonl` holds the exact stored bytes of one fact of every type, every field said.
A ledger keeps its facts for years: what was written once must be read for ever, and a line that
needs to change shows a change that old ledgers would not survive. Give the fact a new version
instead, move the old shape to `domain/history.py`, and run this to add the new version's line.
"""

import sys
from pathlib import Path

from msgspec.structs import replace

import story
import story_later
from domain.codec import ALL_FACTS, encode, type_of
from domain.facts import AnyFact

GOLDEN = Path(__file__).parents[1] / "golden" / "facts.jsonl"


class Changed(Exception):
    """A golden line that stands would have to change."""


class Untold(Exception):
    """A fact type has no example."""


# A key is for one of two, and so is an exception; the bytes of either are to be frozen.
WITH_BOTH: list[AnyFact] = [
    replace(story.KEY_ISSUED, service="ats"),
    replace(story_later.EXCEPTION_GRANTED, requisition=story.REQUISITION),
    # Frozen while who did it was the organisation's word; now it goes with the case.
    replace(story_later.RECORD_IMPORTED, resource=story.said("Recruiter 4", "organisation")),
]


def every_fact() -> list[AnyFact]:
    """A fact of every type, every field said, in the order of the vocabulary; raises `Untold`."""
    told = [*WITH_BOTH, *vars(story).values(), *vars(story_later).values()]
    facts = [one for one in told if isinstance(one, ALL_FACTS)]
    examples = {type(one): one for one in reversed(facts)}
    untold = [kind.__name__ for kind in ALL_FACTS if kind not in examples]
    if untold:
        raise Untold(
            f"{', '.join(untold)}: no example. Give each a constant in tests/support/story_later.py"
            " that says every field, and run PYTHONPATH=. python tests/support/golden.py"
        )
    return [examples[kind] for kind in ALL_FACTS]


def type_in(line: bytes) -> str:
    """The fact type of a stored leaf."""
    return line.removeprefix(b'{"type":"').partition(b'"')[0].decode()


def lines_of(path: Path = GOLDEN) -> dict[str, bytes]:
    """The lines that stand, by fact type."""
    stored = path.read_bytes().splitlines() if path.exists() else []
    lines = {type_in(line): line for line in stored}
    if len(lines) != len(stored):
        raise Changed(f"{path.name} has two lines of one type; keep the older one")
    return lines


def grown(lines: dict[str, bytes], facts: list[AnyFact]) -> dict[str, bytes]:
    """The lines with one for each type that had none; raises `Changed` where one would differ."""
    told = {type_of(fact): encode(fact) for fact in facts}
    differing = [name for name, line in lines.items() if told.get(name, line) != line]
    if differing:
        raise Changed(
            f"{', '.join(differing)}: the line that stands is another than the fact's bytes now."
            " Old ledgers hold such bytes: give the fact a new version instead"
        )
    return {**lines, **{name: leaf for name, leaf in told.items() if name not in lines}}


def main() -> None:
    """Adds what is missing, and says what."""
    lines = lines_of()
    every = grown(lines, every_fact())
    with GOLDEN.open("ab") as file:
        for name, leaf in every.items():
            if name not in lines:
                file.write(leaf + b"\n")
                print("added", name)


if __name__ == "__main__":
    try:
        main()
    except Changed as changed:
        sys.exit(str(changed))
