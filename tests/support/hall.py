"""A furnished ledger without HTTP: staff, rubric and requisitions, asked through `Ledger.submit`.

hall = Hall(ledger)
hall.furnish()
hall.open_requisition("r-1")
done = hall.ask("hana", c.OpenLoop(...)).result()
"""

import secrets
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec

import office
from domain import commands as c
from domain import facts as f
from domain.codec import Recorded
from domain.values import make_handle
from ledger.asked import Asked, Caller, Done, as_system
from ledger.database import Database
from ledger.first_start import first_start
from ledger.ledger import Ledger
from ledger.personal.keyring import KeyRing
from ledger.publish import Publishing

SCORECARD: Final = "llm"
PARTY: Final[Mapping[str, tuple[f.Role, ...]]] = {
    "hana": ("hiring_manager", "interviewer", "approver"),
    "theo": ("approver", "interviewer"),
    "petra": ("approver", "interviewer"),
    "dora": ("decision_maker", "interviewer"),
    "ivan": ("interviewer",),
    "inga": ("interviewer",),
    "olga": ("interviewer",),
    "mallory": ("hiring_manager", "decision_maker", "approver"),
    "udo": ("auditor",),
    "paul": ("privacy_officer",),
}
"""Staff; mallory has every role of a hiring team, and no team names her."""
GHOST: Final = "ghost"
"""Somebody with a handle whom nobody has registered."""

_KEY: Final = make_handle("k", bytes(16))
_ADMINISTRATOR: Final = as_system("administrator")

C = TypeVar("C", bound=c.AnyCommand)


@dataclass
class Hall:
    """A ledger and those who ask it for something."""

    ledger: Ledger
    people: dict[str, str] = field(default_factory=dict[str, str])
    number: int = 0
    digests: list[str] = field(default_factory=list[str])

    def caller(self, who: str) -> Caller:
        """A member of staff, named by a service that records for them."""
        handle = make_handle("p", bytes(16)) if who == GHOST else self.people[who]
        return Caller(_KEY, handle, "asserted", None)

    def asked(self, who: str, command: c.AnyCommand, key: str | None = None) -> Asked:
        """A request by a member of staff; with a fresh request key unless `key` gives one."""
        self.number += 1
        body = type(command).__name__.encode() + b" " + msgspec.json.encode(command)
        return Asked(command, self.caller(who), key or f"hall-{self.number}", body)

    def ask(self, who: str, command: c.AnyCommand, key: str | None = None) -> "Future[Done]":
        """What comes of it."""
        return self.ledger.submit(self.asked(who, command, key))

    def did(self, who: str, kind: type[C], body: Mapping[str, Any]) -> tuple[Recorded, ...]:
        """What a command that must be accepted recorded."""
        return self.ask(who, made(kind, body)).result(60).recorded

    def furnish(self) -> None:
        """Staff, two versions of a scorecard, and prompts."""
        for person, roles in PARTY.items():
            self.number += 1
            command = c.RegisterPerson(id=person, name=f"{person.title()} Invented", roles=roles)
            asked = Asked(command, _ADMINISTRATOR, f"register-{person}", b"")
            (recorded,) = self.ledger.submit(asked).result(60).recorded
            self.people[person] = cast("f.PersonRegistered", recorded.fact).person
        for title in ("Engineer", "Engineer, and more"):
            content = {"scorecard": SCORECARD, **office.scorecard(), "title": title}
            (recorded,) = self.did("hana", c.VersionScorecard, content)
            self.digests.append(cast("f.ScorecardVersioned", recorded.fact).content_digest)
        for competency, bucket in office.COMPETENCIES:
            asked_for = {"prompt": f"{competency}-talk", **office.prompt(competency, bucket)}
            self.did("hana", c.VersionPrompt, asked_for)

    def open_requisition(self, slug: str) -> None:
        """A requisition whose team approved version 1 of the scorecard, and its posting."""
        self.did("hana", c.OpenRequisition, {"id": slug, **office.requisition()})
        for person, capacity in (
            ("hana", "hiring_manager"),
            ("theo", "tech_lead"),
            ("petra", "partner"),
        ):
            approval = {
                "scorecard": SCORECARD,
                "version": 1,
                "requisition": slug,
                "capacity": capacity,
                "content_digest": self.digests[0],
            }
            self.did(person, c.ApproveScorecard, approval)
        posting = {"posting": slug, **office.posting(), "requisition": slug}
        self.did("hana", c.VersionPosting, posting)

    def open_loop(self, slug: str, requisition: str) -> f.LoopOpened:
        """A loop for a candidate of its own, called after it."""
        candidate = {"id": f"candidate-of-{slug}", "name": f"Nobody {slug}", "email": f"{slug}@x.y"}
        body = {
            "id": slug,
            "requisition": requisition,
            "candidate": candidate,
            "scorecard": {"id": SCORECARD, "version": 1},
            "posting": {"id": requisition, "version": 1},
        }
        (recorded,) = self.did("hana", c.OpenLoop, body)
        return cast("f.LoopOpened", recorded.fact)

    def a_stranger(self) -> Asked:
        """A request by the administrator to register somebody nobody has met."""
        name = secrets.token_hex(8)
        command = c.RegisterPerson(id=name, name="Nobody Inparticular", roles=("interviewer",))
        return Asked(command, _ADMINISTRATOR, name, name.encode())

    def head(self) -> int:
        """How many facts the log has."""
        with self.ledger.reading() as group:
            return group.head


def made(kind: type[C], body: Mapping[str, Any]) -> C:
    """A command from a body as callers write it, path fields included."""
    return msgspec.convert(body, kind)


def open_ledger(database: Database, directory: Path) -> Ledger:
    """The ledger in a directory, as any number of processes may open it; close it."""
    ring = KeyRing.open(directory / "keys")
    return Ledger(database, ring, office.rules(), Publishing.of(directory))


@contextmanager
def open_hall(database: Database, directory: Path, *, furnished: bool = True) -> Generator[Hall]:
    """A ledger of its own after its first start, until the block ends."""
    with open_ledger(database, directory) as ledger:
        first_start(ledger, directory / "admin.key")
        hall = Hall(ledger)
        if furnished:
            hall.furnish()
        yield hall


def record(hall: Hall) -> int:
    """One more fact; its position."""
    return hall.ledger.submit(hall.a_stranger()).result(30).recorded[0].position


def until(holds: Callable[[], bool]) -> None:
    """Waits for what a thread is about to do."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
