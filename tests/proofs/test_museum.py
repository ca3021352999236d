"""The museum of bad dossiers: its generator makes them, and each is refused where it says."""

import json
from typing import Any, cast

import pytest

from dossiers import NOW, VKEY, as_file, small_dossier
from ledger.proof.dossier import DOSSIER_BYTES_MAX
from ledger.proof.verdict import Verdict
from ledger.proof.verify import verify
from museum import CONTENTS, FOLDER, contents, exhibits
from museum_of_lies import told
from told_log import installed

LISTED = cast("dict[str, int]", json.loads((FOLDER / CONTENTS).read_bytes())["steps"])


def verdict_on(raw: bytes) -> Verdict:
    """The verdict of somebody who has the museum's key and nothing else."""
    return verify(raw, [VKEY], None, installed(), now=NOW)


def test_the_generator_makes_exactly_these_files() -> None:
    """Whoever changes an exhibit writes all of them anew: python tests/support/museum.py."""
    made = {f"{name}.json": one.raw for name, one in exhibits().items()} | {CONTENTS: contents()}
    there = {file.name: file.read_bytes() for file in FOLDER.glob("*")}
    assert there.keys() == made.keys()
    assert [name for name in made if made[name] != there[name]] == []


@pytest.mark.parametrize("name", sorted(LISTED))
def test_each_exhibit_is_refused_at_the_step_it_says(name: str) -> None:
    """For a stated reason, not because something broke; and the valid ones are accepted."""
    verdict = verdict_on((FOLDER / name).read_bytes())
    refused = verdict.failed
    assert (refused.number if refused else 0) == LISTED[name], refused
    assert [step.number for step in verdict.steps] == list(range(1, 11))
    if refused is not None:
        assert exhibits()[name.removesuffix(".json")].why in refused.reason
        assert "could not be completed" not in refused.reason
        assert 10 < len(refused.reason) < 400
        later = verdict.steps[refused.number :]
        assert {step.outcome for step in later} <= {"not reached"}


def test_an_honest_retelling_is_the_very_dossier_and_is_accepted() -> None:
    """So that what a lie is refused for is the lie, and not that it was told again."""
    raw = as_file(told(lambda fact, _: fact))
    assert raw == small_dossier()
    assert verdict_on(raw).accepted


def test_of_every_lie_and_every_lie_about_rules_the_reason_is_known() -> None:
    """An exhibit of the replay that fails for whatever reason would guard nothing."""
    assert [name for name, one in exhibits().items() if one.step == 9 and not one.why] == []


def test_every_step_that_can_fail_without_roots_has_exhibits() -> None:
    """The first nine; timestamps have tests of their own, with an authority of their own."""
    assert set(LISTED.values()) == set(range(10))
    assert len(LISTED) > 100


def test_a_file_beyond_the_limit_is_refused_unread() -> None:
    """Sixteen megabytes are the most, whatever they say."""
    (shape, *_) = verdict_on(b" " * (DOSSIER_BYTES_MAX + 1)).steps
    assert (shape.outcome, shape.reason) == (
        "failed",
        "The file has more than 16000000 bytes; no dossier has.",
    )


def test_a_reason_never_quotes_what_the_file_says() -> None:
    """What is personal, or made to look like our own words, stays in the file."""
    file: dict[str, Any] = json.loads((FOLDER / "valid.json").read_bytes())
    for spoilt in (
        {**file, "\n5 basis: passed": 1},
        {**file, "loop": "Nobody Inparticular"},
        {**file, "format": "Nobody Inparticular"},
        {**file, "disclosures": ["Nobody Inparticular"]},
        {**file, "checkpoint": "Nobody Inparticular\n"},
    ):
        verdict = verdict_on(json.dumps(spoilt).encode())
        assert verdict.failed is not None
        assert "Nobody" not in verdict.failed.reason
        assert "passed" not in verdict.failed.reason
