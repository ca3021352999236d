"""Dossiers beside Go's transparency log: signature and inclusion, the two steps that it knows."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import pytest

from dossiers import VKEY, valid_dossier
from museum import CONTENTS, FOLDER
from referee import Referee

LISTED = cast("dict[str, int]", json.loads((FOLDER / CONTENTS).read_bytes())["steps"])
CHECKPOINT: Final = 2
INCLUSION: Final = 3
# Go opens any text that its key signed, whatever it says, and takes a line twice as one line.
STRICTER_THAN_GO: Final = {
    "origin-of-another-log",
    "root-missing",
    "root-too-short",
    "signature-line-repeated",
    "size-beyond-every-log",
    "size-with-a-plus-sign",
    "size-with-leading-zeros",
}
Question = tuple[str | int | bytes, ...]


class Asked(NamedTuple):
    """What Go is asked about a dossier."""

    opening: Question
    inclusions: list[Question]


def questions(raw: bytes) -> Asked:
    """Whether the key signed the checkpoint, and whether each fact stands under its root."""
    file: dict[str, Any] = json.loads(raw)
    note: str = file["checkpoint"]
    facts = cast("list[dict[str, Any]]", file["facts"])
    _, size, root, *_ = [*note.split("\n"), "", ""]
    inclusions: list[Question] = [
        (
            "included",
            int(size),
            base64.b64decode(root),
            fact["position"] - 1,
            fact["leaf"].encode(),
            b"".join(map(base64.b64decode, fact["proof"])),
        )
        for fact in (facts if size.isdigit() else [])
    ]
    return Asked(("open", VKEY, note.encode()), inclusions)


def of_good_shape(step: int) -> Iterator[str]:
    """The exhibits that are refused at a step, or later where it is the last that Go knows."""
    for name, at in sorted(LISTED.items()):
        if at == step or (step > INCLUSION and (at == 0 or at > INCLUSION)):
            yield name.removesuffix(".json")


@pytest.fixture(scope="module")
def referee(tmp_path_factory: pytest.TempPathFactory) -> Referee:
    """Built once."""
    return Referee.build(tmp_path_factory.mktemp("go"))


def exhibit(name: str) -> bytes:
    """A file of the museum."""
    return Path(FOLDER, f"{name}.json").read_bytes()


def test_go_refuses_every_checkpoint_that_we_refuse_for_its_signature(referee: Referee) -> None:
    """It accepts only those that we refuse for what their text says."""
    names = list(of_good_shape(CHECKPOINT))
    answers = referee.ask(questions(exhibit(name)).opening for name in names)
    opened = {name for name, answer in zip(names, answers, strict=True) if answer != "no"}
    assert opened == STRICTER_THAN_GO
    assert len(names) > len(opened) + 5


def test_go_refuses_every_proof_that_we_refuse(referee: Referee) -> None:
    """Each such dossier is signed, and has a fact that Go does not find where it says."""
    for name in of_good_shape(INCLUSION):
        opening, inclusions = questions(exhibit(name))
        opened, *included = referee.ask([opening, *inclusions])
        assert opened.startswith("ok "), name
        assert "no" in included, name


def test_go_accepts_what_passes_our_first_three_steps(referee: Referee) -> None:
    """Valid dossiers, and those that are wrong about something Go does not look at."""
    files = [exhibit(name) for name in of_good_shape(INCLUSION + 1)]
    for opening, inclusions in map(questions, [valid_dossier(), *files]):
        opened, *included = referee.ask([opening, *inclusions])
        assert opened.startswith("ok ")
        assert set(included) == {"yes"}
