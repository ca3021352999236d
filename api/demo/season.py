"""The season: which stories, for whom, from when on; played in the order in which they happen."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Final, NamedTuple, TypeVar, cast

from api.demo import founding, mishaps, refusals, stories
from api.demo.calls import Answer, Call, Clock, Story
from api.demo.candidacy import Candidacy, Outlook
from api.demo.founding import SECOND_VERSION, SECOND_VERSION_FROM
from api.demo.jobs import ASSISTANT, RISK, Job
from api.demo.people import STAFF, candidates
from api.demo.words import Words

SEED: Final = 20_240_304
OPENS: Final = datetime(2024, 3, 18, 9, tzinfo=UTC)

T = TypeVar("T")
Tell = Callable[[Candidacy], Story[None]]
Send = Callable[[str, tuple[Call, ...]], list[Answer]]
"""Sends calls under a name that is the same on every run."""


class Part(NamedTuple):
    """A story and how often it is told for a requisition."""

    tell: Tell
    times: int
    outlook: Outlook = "hire"


# The first of each requisition sets its standard, so that one is regular.
CAST: Final[Mapping[Job, tuple[Part, ...]]] = {
    ASSISTANT: (
        Part(stories.hired, 2),
        Part(stories.knocked_out, 4, "no_hire"),
        Part(stories.turned_down, 3, "no_hire"),
        Part(mishaps.written_late, 1),
        Part(refusals.referred, 1, "no_hire"),
        Part(refusals.peeked, 1, "no_hire"),
        Part(stories.screened_out, 2, "no_hire"),
        Part(refusals.opened_too_early, 1),
        Part(stories.left_early, 2),
        Part(refusals.written_thinly, 1, "no_hire"),
        Part(mishaps.read_with_the_name_on, 1),
        Part(mishaps.given_more_time, 1),
        Part(mishaps.known_by_their_work, 1, "no_hire"),
        Part(stories.screened_out_alone, 2, "no_hire"),
        Part(mishaps.dissented, 1),
        Part(stories.declined, 1),
        Part(refusals.decided_at_once, 1, "no_hire"),
        Part(refusals.decided_against, 1, "no_hire"),
        Part(refusals.missed_a_session, 1),
        Part(mishaps.asked_something_else, 1, "no_hire"),
        Part(mishaps.asked_the_equivalent, 1),
        Part(refusals.decided_elsewhere, 1, "no_hire"),
        Part(refusals.came_back, 1),
        Part(refusals.heard_something_new, 1, "no_hire"),
        Part(refusals.ran_out, 3),
    ),
    RISK: (
        Part(stories.struggled, 1),
        Part(stories.knocked_out, 4, "no_hire"),
        Part(stories.turned_down, 2, "no_hire"),
        Part(stories.turned_down_and_did_well, 1, "no_hire"),
        Part(stories.screened_out_for_something_unposted, 1),
        Part(mishaps.told_late, 1),
        Part(mishaps.kept_quiet, 1, "no_hire"),
        Part(stories.did_not_come, 1, "no_hire"),
        Part(mishaps.argued_loosely, 1),
        Part(mishaps.dissented_unheard, 1, "no_hire"),
        Part(refusals.stepped_in_after_reading, 1, "no_hire"),
        Part(refusals.decided_on_own_word, 1),
        Part(stories.screened_out, 2, "no_hire"),
        Part(stories.left_early, 2),
        Part(mishaps.changed_plans, 1),
        Part(mishaps.asked_something_else, 1, "no_hire"),
        Part(refusals.decided_by_something_unsaid, 1, "no_hire"),
        Part(refusals.decided_elsewhere, 1),
        Part(refusals.decided_twice, 1),
        Part(mishaps.corrected, 1, "no_hire"),
        Part(refusals.ran_out, 2),
    ),
}


class Told(NamedTuple):
    """A story with the name by which its requests are known, and how it begins."""

    name: str
    story: Story[None]


def season() -> list[Told]:
    """Every story of the season, founding first; the same on every call."""
    told = [
        Told("rules", founding.rules_adopted()),
        Told("prompts", founding.prompts_written(ASSISTANT.team.tech_lead)),
        *(Told(job.requisition, founding.opened_requisition(job)) for job in CAST),
        Told("exception", founding.excepted_for_all(RISK)),
    ]
    told += [Told(c.loop, tell_it(c)) for c, tell_it in _candidacies()]
    return told


def tell(story: Story[T], send: Send, name: str) -> T:
    """One story by itself; what it comes to."""
    try:
        calls = next(story)
        for number in count():
            calls = story.send(send(f"{name}-{number:03}", calls))
    except StopIteration as end:
        return cast("T", end.value)
    raise AssertionError("a story ends by itself")


def play(told: Iterable[Told], send: Send) -> Iterator[str]:
    """Tell all stories at once, each next call in the order of the story's time.

    `send` gets the name of the calls, which is the same on every run. Yields the name of a story
    when it has come to its end.
    """
    waiting: list[tuple[datetime, int, int, Told, tuple[Call, ...]]] = []

    def go_on(number: int, one: Told, done: int, answers: list[Answer] | None) -> bool:
        try:
            calls = next(one.story) if answers is None else one.story.send(answers)
        except StopIteration:
            return False
        heapq.heappush(waiting, (calls[0].at, number, done, one, calls))
        return True

    for number, one in enumerate(told):
        go_on(number, one, 0, None)
    while waiting:
        _, number, done, one, calls = heapq.heappop(waiting)
        answers = send(f"{one.name}-{done:03}", calls)
        if not go_on(number, one, done + 1, answers):
            yield one.name


def outline() -> list[tuple[str, tuple[Call, ...]]]:
    """All calls of the season with their names, in the order in which they will be sent.

    The stories are told with made-up answers: when and what they send depends on none.
    """
    sent: list[tuple[str, tuple[Call, ...]]] = []
    made_up = {"version": 1, "content_digest": ""}

    def note(name: str, calls: tuple[Call, ...]) -> list[Answer]:
        sent.append((name, calls))
        return [Answer(status=call.expect, positions=(1,), body=made_up) for call in calls]

    for _ in play(season(), note):
        pass
    return sent


def secrets() -> list[str]:
    """All that must never be found in a leaf, tag, row, log or span: names, ids, words."""
    found = {text for member in STAFF for text in (member.id, member.name)}
    for candidacy, _ in _candidacies():
        found.update((candidacy.loop, *candidacy.candidate))
    for _, calls in outline():
        for call in calls:
            if call.path.startswith(("/v1/loops", "/v1/facts")) or "exceptions" in call.path:
                found.update(_personal(call.body))
    return sorted(found)


_PERSONAL: Final = frozenset({
    "text", "reason", "evidence", "not_observed", "skipped_because", "method",
    "incident_pressure", "compensating_control",
})  # fmt: skip


def _personal(value: object) -> Iterator[str]:
    """The texts of a body that are about people."""
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, object]", value).items():
            if name in _PERSONAL and isinstance(inner, str):
                yield inner
            elif name == "source":
                yield str(cast("Mapping[str, object]", inner)["id"])
            else:
                yield from _personal(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("Iterable[object]", value):
            yield from _personal(inner)


def _candidacies() -> Iterator[tuple[Candidacy, Tell]]:
    """Everyone who applies, with what will happen to them."""
    total = sum(part.times for parts in CAST.values() for part in parts)
    people = iter(candidates(total, SEED))
    for job, parts in CAST.items():
        start = Clock(OPENS)
        order = [part for part in parts for _ in range(part.times)]
        for number, part in enumerate(order):
            early = part.tell is refusals.opened_too_early
            begins = SECOND_VERSION.replace(day=16) if early else start.now
            second = early or begins >= SECOND_VERSION_FROM
            loop = f"{job.requisition}-{number + 1:03}"
            words = Words(f"{SEED}/{loop}")
            yield (
                Candidacy(
                    loop=loop,
                    candidate=next(people),
                    job=job,
                    version=2 if second else 1,
                    outlook=part.outlook,
                    clock=Clock(begins),
                    words=words,
                    panel=_panel(job, words.random),
                    sessions=list(job.sessions),
                ),
                part.tell,
            )
            start.workday(1 + number % 2, hour=9)


def _panel(job: Job, random: Random) -> dict[str, str]:
    """A different interviewer for each session but the references."""
    sessions = [session.id for session in job.sessions if session.kind != "reference"]
    return dict(zip(sessions, random.sample(job.interviewers, len(sessions)), strict=True))
