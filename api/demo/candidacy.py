"""One candidate's loop while its story is told: who is in it, what was written, what time it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from api.demo.calls import Call, Clock
from api.demo.jobs import Job, Prompt, Session
from api.demo.people import OWN_KEY, Candidate
from api.demo.words import Words

Outlook = Literal["hire", "no_hire"]
# What a candidate who will be hired, or not, is rated: most often the first ones.
_RATINGS: Mapping[Outlook, tuple[int, ...]] = {
    "hire": (4, 4, 4, 5, 5, 3),
    "no_hire": (2, 2, 3, 3, 1, 4),
}


@dataclass(slots=True, kw_only=True)
class Candidacy:
    """A loop and everything that its story needs to go on.

    Attributes:
        loop: the caller's id of the loop.
        version: of the scorecard that the loop pins.
        outlook: how good the evidence is going to be.
        panel: who interviews in a session, by the session's id.
        sessions: as they are planned for this loop.
        written: position of each feedback, by session and author.
        cites: positions that a debate or decision can cite: feedback, then statements.
    """

    loop: str
    candidate: Candidate
    job: Job
    version: int
    outlook: Outlook
    clock: Clock
    words: Words
    panel: dict[str, str]
    sessions: list[Session]
    written: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def call(
        self,
        path: str,
        by: str,
        body: Mapping[str, object] | None = None,
        *,
        at: datetime | None = None,
        expect: int = 201,
    ) -> Call:
        """A write about this loop, now unless said otherwise."""
        return Call(
            path=f"/v1/loops/{self.loop}{path}",
            body=body or {},
            by=by,
            at=at or self.clock.now,
            expect=expect,
        )

    def own_call(self, path: str, by: str, body: Mapping[str, object]) -> Call:
        """A write by someone who may have an API key of their own."""
        sent = self.call(path, by, body)
        if by != OWN_KEY:
            return sent
        return Call(path=sent.path, body=sent.body, at=sent.at, key=OWN_KEY)

    def read(self, path: str, by: str, *, expect: int = 200) -> Call:
        """A look at something of this loop."""
        where = f"/v1/loops/{self.loop}{path}"
        return Call(path=where, at=self.clock.now, by=by, method="GET", expect=expect)

    def session(self, id_: str) -> Session:
        """A session of this loop's plan."""
        return next(session for session in self.sessions if session.id == id_)

    def rating(self) -> int:
        """The next rating that someone gives."""
        return self.words.random.choice(_RATINGS[self.outlook])

    @property
    def cites(self) -> list[int]:
        """Every feedback so far."""
        return sorted(self.written.values())

    @property
    def interviewers(self) -> list[str]:
        """Everyone on the panel, each once."""
        return list(dict.fromkeys(self.panel.values()))


def reference_to(prompt: Prompt) -> dict[str, object]:
    """A version of something, as the interface names it."""
    return {"id": prompt.id, "version": prompt.version}


def stamp(moment: datetime) -> str:
    """A time as the interface takes it."""
    return moment.isoformat().replace("+00:00", "Z")
