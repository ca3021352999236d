"""The two requisitions of the season: teams, sessions, and who interviews."""

from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from api.demo.people import ASSISTANT_TEAM, INTERVIEWERS, RISK_TEAM, Team
from api.demo.rubric import Family

Kind = Literal["interview", "take_home", "reference"]
SCREENING: Final = "screening"
SEASON_OVER: Final = datetime(2024, 7, 23, 14, tzinfo=UTC)
"""By then one requisition is filled and the other one cancelled."""

COMPETENCIES: Final = (
    "evaluates-before-tuning",
    "ships-under-uncertainty",
    "documents-failure-modes",
    "negotiates-trade-offs",
)
EVALUATES, SHIPS, DOCUMENTS, NEGOTIATES = COMPETENCIES


class Prompt(NamedTuple):
    """A version of a prompt."""

    id: str
    version: int = 1


class Session(NamedTuple):
    """A session as every candidate of the requisition has it."""

    id: str
    stage: str
    kind: Kind
    competencies: tuple[str, ...]
    prompts: tuple[Prompt, ...]
    minutes: int


class Job(NamedTuple):
    """A requisition and what comes with it."""

    requisition: str
    title: str
    team: Team
    jurisdictions: tuple[str, ...]
    time_zone: str
    openings: int
    ends: Literal["filled", "cancelled"]
    scorecard: str
    family: Family
    posting: str
    sessions: tuple[Session, ...]
    interviewers: tuple[str, ...]

    def session(self, id_: str) -> Session:
        """One session of the plan."""
        return next(session for session in self.sessions if session.id == id_)


_SCREEN: Final = Session(
    "screen", SCREENING, "interview", (EVALUATES,), (Prompt("metric-that-misled"),), 30
)
_FRAMING: Final = Session(
    "framing", "onsite", "interview", (EVALUATES,), (Prompt("loan-threshold", 2),), 45
)
_COLLABORATION: Final = Session(
    "collaboration",
    "onsite",
    "interview",
    (NEGOTIATES, DOCUMENTS),
    (Prompt("shipping-disagreement"), Prompt("injected-instruction")),
    60,
)
_REFERENCES: Final = Session(
    "references", "references", "reference", (NEGOTIATES,), (Prompt("incident-reference"),), 30
)

ASSISTANT: Final = Job(
    requisition="assistant-engineer-2024",
    title="Senior engineer, assistants",
    team=ASSISTANT_TEAM,
    jurisdictions=("US-NY",),
    time_zone="America/New_York",
    openings=12,
    ends="filled",
    scorecard="llm-engineer",
    family="llm",
    posting="assistant-engineer",
    sessions=(
        _SCREEN,
        _FRAMING,
        Session(
            "design",
            "onsite",
            "interview",
            (SHIPS, DOCUMENTS),
            (Prompt("stale-docs-assistant", 2),),
            60,
        ),
        _COLLABORATION,
        Session(
            "take-home", "take-home", "take_home", (SHIPS,), (Prompt("evaluation-harness"),), 120
        ),
        _REFERENCES,
    ),
    interviewers=INTERVIEWERS[:5],
)
RISK: Final = Job(
    requisition="risk-engineer-2024",
    title="Senior engineer, risk models",
    team=RISK_TEAM,
    jurisdictions=("DE",),
    time_zone="Europe/Berlin",
    openings=8,
    ends="cancelled",
    scorecard="ml-engineer",
    family="ml",
    posting="risk-engineer",
    sessions=(
        _SCREEN,
        _FRAMING,
        Session(
            "design",
            "onsite",
            "interview",
            (SHIPS, DOCUMENTS),
            (Prompt("risk-score-service"),),
            60,
        ),
        Session("coding", "onsite", "interview", (SHIPS,), (Prompt("tool-call-queue"),), 60),
        _COLLABORATION,
        _REFERENCES,
    ),
    interviewers=INTERVIEWERS[3:],
)
