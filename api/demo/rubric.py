"""The starter rubric of `starter.json`, as the bodies of requests."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

Family = Literal["llm", "ml"]
Body = dict[str, Any]


class Starter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file: competencies, what each role family adds, what the second version changes."""

    scale: Body
    competencies: tuple[Body, ...]
    families: dict[Family, dict[str, list[Body]]]
    second: dict[str, Body]
    prompts: dict[str, Body]
    expectations: dict[str, str]
    knock_outs: tuple[Body, ...]


@cache
def starter() -> Starter:
    """The file's content; to be copied, not changed."""
    path = Path(__file__).with_name("starter.json")
    return msgspec.json.decode(path.read_bytes(), type=Starter)


def scorecard(family: Family, title: str, *, second: bool = False) -> Body:
    """A scorecard of the four competencies, with the family's own probes.

    The second version weighs evaluation more and says two anchors more exactly.
    """
    file = starter()
    competencies: list[Body] = []
    for one in file.competencies:
        own = file.families[family].get(one["id"], [])
        change = file.second.get(one["id"], {}) if second else {}
        anchors = {**one["anchors"], **change.get("anchors", {})}
        probes = [*one["probes"], *own]
        competencies.append({**one, **change, "anchors": anchors, "probes": probes})
    return {
        "title": title,
        "role_family": family,
        "seniority": "senior",
        "scale": file.scale,
        "competencies": competencies,
    }


def without_inclusive(body: Body) -> Body:
    """The scorecard with no competency that looks for inclusive behaviour."""
    return {**body, "competencies": [{**one, "inclusive": False} for one in body["competencies"]]}


def posting(requisition: str, title: str) -> Body:
    """A listing that says what every competency is evaluated by, with its knock-outs."""
    file = starter()
    return {
        "requisition": requisition,
        "title": title,
        "expectations": [{"competency": id_, "text": t} for id_, t in file.expectations.items()],
        "knock_outs": list(file.knock_outs),
    }


def probes(family: Family, competency: str) -> list[str]:
    """The ids of the probes that a session on a competency asks."""
    file = starter()
    own = file.families[family].get(competency, [])
    found = next(one for one in file.competencies if one["id"] == competency)
    return [probe["id"] for probe in (*found["probes"], *own)]


def readings(competency: str) -> Mapping[str, str]:
    """The observation codes of a competency, each with how it reads."""
    found = next(one for one in starter().competencies if one["id"] == competency)
    return {one["code"]: one["reading"] for one in found["observations"]}
