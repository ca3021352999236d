"""The sample season before it is sent: its rubric, its cast, and what in it is secret."""

import re
from collections import Counter
from pathlib import Path

import api.demo
from api.demo.jobs import ASSISTANT, RISK
from api.demo.people import STAFF
from api.demo.rubric import scorecard, starter
from api.demo.season import CAST, outline, secrets

CODES = {
    *(f"B1.{code}" for code in ("S1", "S2", "S3", "S4", "S5", "W1", "W2", "W3")),
    *(f"B2.E{number}" for number in range(1, 7)),
    *(f"B2.S{number}" for number in range(1, 8)),
    *(f"B3.S{number}" for number in range(1, 10)),
    *(f"B4.{slot}" for slot in ("who", "data", "compromise", "I1", "I2", "I3")),
    "B2.W1",
    "B3.W1",
}


def test_the_season_is_told_the_same_way_every_time() -> None:
    """Which calls, in which order, with which words and times: no clock and no chance is in it."""
    assert outline() == outline()


def test_the_calls_come_in_the_order_of_the_story_and_are_known_by_name() -> None:
    """A name stands for one request, so that a season that was interrupted can go on."""
    told = outline()
    names = [name for name, _ in told]
    assert len(set(names)) == len(names)
    times = [calls[0].at for _, calls in told]
    assert times == sorted(times)


def test_at_least_sixty_people_apply_for_two_requisitions_under_two_versions() -> None:
    """Some of them in a batch, most of them one by one."""
    opened = [c.body for _, calls in outline() for c in calls if c.path == "/v1/loops"]
    loops = {str(body["id"]): body for body in opened}
    assert len(loops) >= 60
    pinned = Counter((str(body["requisition"]), str(body["scorecard"])) for body in loops.values())
    assert {requisition for requisition, _ in pinned} == {ASSISTANT.requisition, RISK.requisition}
    assert len(pinned) == 4
    assert min(pinned.values()) >= 5
    assert any(len(calls) > 1 for _, calls in outline())


def test_every_story_is_documented_and_told() -> None:
    """A story that nobody tells is no story."""
    folder = Path(api.demo.__file__).parent
    written = {
        name
        for file in ("stories.py", "mishaps.py", "refusals.py")
        for name in re.findall(r"^def ([a-z]\w*)\(", (folder / file).read_text(), re.MULTILINE)
    }
    told = {part.tell for parts in CAST.values() for part in parts}
    assert {tell.__name__ for tell in told} == written
    assert all(tell.__doc__ for tell in told)


def test_the_starter_rubric_has_every_code_and_an_anchor_for_every_rating() -> None:
    """Four competencies, one of them inclusive, with strong, weak and element readings."""
    file = starter()
    observed = {
        one["code"]: one["reading"] for each in file.competencies for one in each["observations"]
    }
    assert set(observed) == CODES
    assert set(observed.values()) == {"strong", "weak", "element"}
    buckets = [bucket for one in file.competencies for bucket in one["buckets"]]
    assert sorted(buckets) == ["collaboration", "design", "framing", "safety"]
    for one in file.competencies:
        assert set(one["anchors"]) == {"1", "2", "3", "4", "5"}
    assert sum(one.get("inclusive", False) for one in file.competencies) == 1


def test_the_second_version_differs_and_each_family_asks_its_own() -> None:
    """What changes is weight and words; what differs by family are probes."""
    first, second = scorecard("llm", "a"), scorecard("llm", "a", second=True)
    assert first != second
    assert first["competencies"][0]["weight"] < second["competencies"][0]["weight"]

    def asked(family: str) -> set[str]:
        body = first if family == "llm" else scorecard("ml", "a")
        return {probe["id"] for one in body["competencies"] for probe in one["probes"]}

    assert {"B1.F1", "B3.P1", "B4.P1"} <= asked("llm") & asked("ml")
    assert asked("llm") - asked("ml") == {"B1.L1", "B1.L2"}
    assert asked("ml") - asked("llm") == {"B3.M1", "B3.M2"}


def test_secrets_are_everyones_names_ids_and_words() -> None:
    """And none of them is so short or so common that to look for it would say nothing."""
    hidden = secrets()
    assert {member.name for member in STAFF} <= set(hidden)
    assert {member.id for member in STAFF} <= set(hidden)
    for part in ("@mail.example", "cand-", "application-cand-", "labelled cases", "has published"):
        assert any(part in text for text in hidden), part
    assert min(map(len, hidden)) >= 10
    own_words = Path(api.demo.__file__).with_name("starter.json").read_text()
    assert not [text for text in hidden if text in own_words]
