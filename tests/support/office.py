"""A served ledger to test against: the real application on a real socket and a real store."""

import contextlib
import functools
import json
import socket
import threading
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import uvicorn

from api.app import create_app
from ledger.database import Database
from ledger.first_start import first_start
from ledger.ledger import Ledger
from ledger.personal.keyring import KeyRing
from ledger.publish import Publishing
from policies import Catalogue, load

EVIDENCE = "Told how the first metric misled, replaced it by a proxy and checked it against losses."
STAFF: dict[str, tuple[str, ...]] = {
    "hana": ("hiring_manager", "interviewer", "approver"),
    "theo": ("approver", "interviewer"),
    "petra": ("approver", "interviewer"),
    "dora": ("decision_maker",),
    "ivan": ("interviewer",),
    "inga": ("interviewer",),
    "olga": ("interviewer",),
    "udo": ("auditor",),
    "frida": ("fairness_analyst",),
    "paul": ("privacy_officer",),
    "adam": ("administrator",),
}
COMPETENCIES = (
    ("evals", "framing"),
    ("failures", "safety"),
    ("tradeoffs", "collaboration"),
    ("shipping", "design"),
)


class Answer:
    """An HTTP answer as tests look at it."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text
        kind = response.headers.get("content-type", "")
        whole = kind in {"application/json", "application/problem+json"}
        self.body: Any = json.loads(response.text) if whole and response.text else None

    def __getitem__(self, name: str) -> Any:
        return self.body[name]

    @property
    def position(self) -> int:
        """The first position that a write recorded."""
        return cast("int", self.body["positions"][0])

    def policies(self) -> set[str]:
        """The rules that found something."""
        return {one["policy"] for one in self.body.get("findings", ())}


@dataclass
class Office:
    """A served ledger, the administrator's key, and a service that records for everyone."""

    ledger: Ledger
    client: httpx.Client
    admin: str
    service: str = ""
    number: int = 0
    digest: str = ""
    people: dict[str, str] = field(default_factory=dict[str, str])

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        actor: str | None = None,
        key: str | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """One request; a write gets a fresh request key unless `key` gives one."""
        sent = {"Authorization": f"Bearer {token or self.service or self.admin}"}
        if actor is not None:
            sent["Hireledger-Actor"] = actor
        if method not in {"GET", "HEAD"}:
            self.number += 1
            sent["Idempotency-Key"] = key or f"test-{self.number}"
            sent["Content-Type"] = "application/json"
            if content is None:
                content = json.dumps({} if body is None else body).encode()
        sent |= headers or {}
        return Answer(self.client.request(method, path, headers=sent, content=content))

    def post(self, actor: str, path: str, body: object = None, **more: Any) -> Answer:
        """A write by a person, through the service."""
        return self.call("POST", f"/v1{path}", body, actor=actor, **more)

    def did(self, actor: str, path: str, body: object = None, **more: Any) -> Answer:
        """A write that has to be accepted."""
        answer = self.post(actor, path, body, **more)
        assert answer.status == 201, (path, answer.text)
        return answer

    def get(self, actor: str, path: str, **more: Any) -> Answer:
        """A read by a person, through the service."""
        return self.call("GET", f"/v1{path}", actor=actor, **more)

    def ledger_head(self) -> int:
        """How many facts the log has."""
        with self.ledger.reading() as group:
            return group.head

    def furnish(self) -> None:
        """Staff, a service, a requisition, an approved scorecard, prompts and a posting."""
        for person, roles in STAFF.items():
            body = {"id": person, "name": f"{person.title()} Invented", "roles": roles}
            answer = self.call("POST", "/v1/people", body, token=self.admin)
            assert answer.status == 201, answer.text
            self.people[person] = answer["id"]
        made = self.call(
            "POST", "/v1/keys", {"service": "ats", "roles": ["recorder"]}, token=self.admin
        )
        self.service = made["key"]
        self.did("hana", "/requisitions", {"id": "llm-engineer", **requisition()})
        self.digest = self.did("hana", "/scorecards/llm/versions", scorecard())["content_digest"]
        for person, capacity in (
            ("hana", "hiring_manager"),
            ("theo", "tech_lead"),
            ("petra", "partner"),
        ):
            approval = {
                "requisition": "llm-engineer",
                "capacity": capacity,
                "content_digest": self.digest,
            }
            self.did(person, "/scorecards/llm/versions/1/approvals", approval)
        for competency, bucket in COMPETENCIES:
            self.did("hana", f"/prompts/{competency}-talk/versions", prompt(competency, bucket))
        self.did("hana", "/postings/llm-engineer/versions", posting())

    def open(self, loop: str, *, plan: bool = True) -> str:
        """A loop of two interviews, planned unless told otherwise; its handle."""
        handle = cast("str", self.did("hana", "/loops", opening(loop))["id"])
        if plan:
            self.did("hana", f"/loops/{loop}/plan", {"sessions": sessions()})
        return handle

    def write_feedback(self, loop: str, people: Iterable[str] = ("ivan", "inga")) -> list[int]:
        """Each of them reports their session and hands in feedback; the positions."""
        positions: list[int] = []
        for person in people:
            session = {"ivan": "first", "inga": "second"}[person]
            self.did(person, f"/loops/{loop}/relationships", {"relationship": "none"})
            self.did(person, f"/loops/{loop}/sessions/{session}/completed", completed(person))
            path = f"/loops/{loop}/sessions/{session}/feedback"
            answer = self.did(person, path, feedback(session))
            positions.append(answer.position)
        return positions

    def ready(self, loop: str, *, opened: bool = False) -> list[int]:
        """A loop of which only the decision is missing; the positions of its feedback."""
        if not opened:
            self.open(loop)
        notice = {"rounds": 2, "attendees": ["ivan", "inga"], "decide_by": hours_ago(-200)}
        self.did("hana", f"/loops/{loop}/process-notice", notice | {"at": hours_ago(30)})
        positions = self.write_feedback(loop)
        self.did("hana", f"/loops/{loop}/debrief")
        self.did("hana", f"/loops/{loop}/debrief/closing", {"dissent": "none"})
        self.did("hana", f"/loops/{loop}/gates/evidence")
        reason = {"recommend": "hire", "reason": "Both saw it.", "cites": positions}
        self.did("hana", f"/loops/{loop}/recommendations", reason)
        return positions


@functools.cache
def rules() -> Catalogue:
    """The rules as installed, loaded once a process."""
    return load()


def hours_ago(hours: float) -> str:
    """A time of the story, as callers write it."""
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()


def opening(loop: str) -> dict[str, Any]:
    """To open a loop for a candidate of its own."""
    return {
        "id": loop,
        "requisition": "llm-engineer",
        "candidate": {
            "id": f"candidate-of-{loop}",
            "name": "Nobody Inparticular",
            "email": "nobody@example.org",
        },
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "llm-engineer", "version": 1},
    }


def requisition() -> dict[str, Any]:
    """The requisition that most tests hire for."""
    return {
        "title": "Engineer for language models",
        "team": {
            "hiring_manager": "hana",
            "tech_lead": "theo",
            "partner": {"person": "petra", "function": "security"},
            "decision_maker": "dora",
        },
        "jurisdictions": ["DE"],
        "time_zone": "Europe/Berlin",
    }


def scorecard() -> dict[str, Any]:
    """Four competencies, one a bucket, every rating anchored."""
    return {
        "title": "Engineer for language models",
        "role_family": "llm",
        "seniority": "senior",
        "scale": {"min": 1, "max": 5},
        "competencies": [
            {
                "id": competency,
                "name": competency,
                "buckets": [bucket],
                "weight": 1,
                "anchors": {
                    str(n): f"Level {n}: does so in {n} of five situations, unprompted and checked."
                    for n in range(1, 6)
                },
                "inclusive": competency == "tradeoffs",
                "probes": [{"id": "P1", "text": "Tell of a case."}],
                "observations": [{"code": "S1", "reading": "strong", "text": "Checks a proxy."}],
            }
            for competency, bucket in COMPETENCIES
        ],
    }


def prompt(competency: str, bucket: str) -> dict[str, Any]:
    """A question about the past."""
    text = "Tell of a project in which this mattered."
    return {"kind": "behavioural", "text": text, "competency": competency, "buckets": [bucket]}


def posting() -> dict[str, Any]:
    """A listing that says how every competency is looked at, with one knock-out."""
    expectations = [{"competency": c, "text": "We talk about your work."} for c, _ in COMPETENCIES]
    return {
        "requisition": "llm-engineer",
        "title": "Engineer for language models",
        "expectations": expectations,
        "knock_outs": [{"id": "permit", "text": "A permit to work here."}],
    }


def sessions() -> list[dict[str, Any]]:
    """Two interviews that cover every competency."""
    return [
        {
            "id": name,
            "stage": "onsite",
            "kind": "interview",
            "competencies": list(competencies),
            "prompts": [{"id": f"{c}-talk", "version": 1} for c in competencies],
            "interviewers": [person],
            "minutes": 60,
        }
        for name, person, competencies in (
            ("first", "ivan", ("evals", "failures")),
            ("second", "inga", ("tradeoffs", "shipping")),
        )
    ]


def completed(person: str) -> dict[str, Any]:
    """A report that the person's session took place this morning."""
    (planned,) = (s for s in sessions() if s["interviewers"] == [person])
    return {
        "started_at": hours_ago(4),
        "ended_at": hours_ago(3),
        "attendees": [person],
        "prompts": planned["prompts"],
        "probes": [],
    }


def feedback(session: str, rating: int = 4) -> dict[str, Any]:
    """Feedback on one of the two sessions, every competency with evidence."""
    (planned,) = (s for s in sessions() if s["id"] == session)
    return {
        "ratings": [
            {
                "competency": competency,
                "rating": rating,
                "evidence": EVIDENCE,
                "observations": [{"code": "S1", "state": "seen"}],
            }
            for competency in planned["competencies"]
        ]
    }


def decision(cites: Iterable[int] = ()) -> dict[str, Any]:
    """A decision to hire for a posted competency."""
    reason = {"kind": "competency", "ref": "evals", "text": "Both saw it done."}
    return {"decision": "hire", "reasons": [reason], "cites": list(cites)}


def free_port() -> int:
    """A port on loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast("int", probe.getsockname()[1])


@contextlib.contextmanager
def open_office(
    database: Database, directory: Path, publishing: Publishing | None = None
) -> Generator[Office]:
    """Serves a ledger until the block ends; nothing is recorded yet but the first start."""
    how = publishing or Publishing.of(directory)
    with Ledger(database, KeyRing.open(directory / "keys"), rules(), how) as ledger:
        first_start(ledger, directory / "admin.key")
        port = free_port()
        config = uvicorn.Config(
            create_app(ledger), host="127.0.0.1", port=port, log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.01)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                yield Office(ledger, client, (directory / "admin.key").read_text().strip())
        finally:
            server.should_exit = True
            thread.join(30)
