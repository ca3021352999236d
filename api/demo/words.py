"""What invented people write: evidence, reasons and remarks, drawn from a seeded source."""

from functools import cache
from pathlib import Path
from random import Random
from typing import Literal

import msgspec

Level = Literal["high", "middle", "low"]
HIGH_FROM = 4
MIDDLE = 3


class _Phrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The sentences of `words.json`; `{project}` and `{n}` are filled in when one is said."""

    projects: tuple[str, ...]
    evidence: dict[str, dict[Level, tuple[str, ...]]]
    remarks: dict[str, tuple[str, ...]]


class Words:
    """A source of sentences for one loop; the same seed says the same."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)  # noqa: S311 (a story, not a secret)
        self._phrases = _phrases()
        self._project = self.random.choice(self._phrases.projects)

    def evidence(self, competency: str, rating: int) -> str:
        """What an interviewer saw, fitting a rating from 1 to 5."""
        level: Level = "high" if rating >= HIGH_FROM else "middle" if rating == MIDDLE else "low"
        return self._fill(self.random.choice(self._phrases.evidence[competency][level]))

    def remark(self, occasion: str) -> str:
        """Something said on an occasion, one of those that `words.json` has remarks for."""
        return self._fill(self.random.choice(self._phrases.remarks[occasion]))

    def _fill(self, text: str) -> str:
        return text.format(project=self._project, n=self.random.randint(6, 90))


@cache
def _phrases() -> _Phrases:
    return msgspec.json.decode(Path(__file__).with_name("words.json").read_bytes(), type=_Phrases)
