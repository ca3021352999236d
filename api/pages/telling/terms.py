"""The record's fixed choices in the words of someone who has never seen the software."""

from collections.abc import Mapping
from typing import Final

from domain import facts as f
from domain.facts.afterwards import LawfulBasis, ObservedFrom, OutcomeDimension, OutcomeValue
from domain.facts.base import Assurance
from domain.facts.decision import Disposition, OfferStatus
from domain.facts.evidence import Independence, ObservationState, ReasonKind, Recommend
from domain.facts.opening import PortfolioKind, Relationship
from domain.facts.outside import ReadingOf
from domain.facts.rubric import Bucket, Capacity, PromptKind, RequisitionStatus, SessionKind
from domain.findings import Enforcement, Verdict

ASSURANCE: Final[Mapping[Assurance, str]] = {
    "own_key": "signed in with a key of their own",
    "identity_provider": "signed in through the company's sign-on",
    "asserted": "named by a connected service, which vouches for it",
    "system": "recorded by the ledger itself",
}
DECISION: Final[Mapping[Recommend, str]] = {"hire": "to hire", "no_hire": "not to hire"}
CAPACITY: Final[Mapping[Capacity, str]] = {
    "hiring_manager": "hiring manager",
    "tech_lead": "tech lead",
    "partner": "partner function",
}
BUCKET: Final[Mapping[Bucket, str]] = {
    "framing": "framing the problem",
    "design": "designing the system",
    "safety": "safety",
    "collaboration": "working with others",
}
READING: Final[Mapping[str, str]] = {
    "strong": "Strong sign",
    "weak": "Weak sign",
    "element": "Checklist",
}
OBSERVED: Final[Mapping[ObservationState, str]] = {
    "seen": "seen",
    "not_seen": "not seen",
    "not_asked": "not asked about",
    "not_applicable": "did not apply",
}
INDEPENDENCE: Final[Mapping[Independence, str]] = {
    "blind": "written before its author could read anyone else's feedback",
    "read_before_writing": "written after its author had read others' feedback",
    "amended_after_reading": "changed after its author had read others' feedback",
    "attested_by_source": "independent according to the system it was copied from",
}
RELATIONSHIP: Final[Mapping[Relationship, str]] = {
    "none": "does not know the candidate",
    "alumni": "went to the same school or firm as the candidate",
    "colleague": "is or was a colleague of the candidate",
    "current_manager": "is the candidate's current manager",
    "family": "is family of the candidate",
    "referrer": "referred the candidate",
    "other": "knows the candidate in another way",
}
REASON: Final[Mapping[ReasonKind, str]] = {
    "competency": "a competency of the scorecard",
    "knock_out": "a requirement stated in the posting",
    "comparative": "a comparison with other candidates",
    "requisition": "the requisition itself",
    "legal": "a legal ground",
    "override": "going against the recommendation",
}
KEPT: Final[Mapping[ReasonKind, str]] = {
    "legal": "Legal advice is privileged: it is left out unless an auditor asks for it.",
    "comparative": "A comparison says something about other candidates too: it is left out unless"
    " an auditor asks for it.",
}
"""Why words of reasons of these kinds are not there."""
ENFORCEMENT: Final[Mapping[Enforcement, str]] = {
    "block": "stops what breaks it",
    "warn": "warns only",
    "off": "off",
}
VERDICT: Final[Mapping[Verdict, str]] = {
    "passed": "passed",
    "warned": "warned",
    "refused": "refused",
    "excepted": "let pass by exception",
}
SESSION: Final[Mapping[SessionKind, str]] = {
    "interview": "interview",
    "panel": "panel interview",
    "take_home": "take-home task",
    "reference": "reference check",
}
PROMPT: Final[Mapping[PromptKind, str]] = {
    "design": "design question",
    "coding": "coding exercise",
    "hypothetical": "hypothetical question",
    "behavioural": "question about past behaviour",
    "reference": "question to a referee",
    "take_home": "take-home task",
}
REQUISITION: Final[Mapping[RequisitionStatus, str]] = {
    "open": "open",
    "filled": "filled",
    "cancelled": "cancelled",
}
PORTFOLIO: Final[Mapping[PortfolioKind, str]] = {
    "project": "a project",
    "tool": "a tool",
    "use_case": "a use case",
    "written_artifact": "a written piece of work",
}
OFFER: Final[Mapping[OfferStatus, str]] = {
    "made": "An offer was made.",
    "accepted": "The candidate accepted the offer.",
    "declined": "The candidate declined the offer.",
    "rescinded": "The offer was taken back.",
}
DISPOSITION: Final[Mapping[Disposition, str]] = {
    "hired": "the candidate was hired",
    "rejected": "the candidate was rejected",
    "withdrawn": "the candidate withdrew",
    "filled": "the position was filled",
    "cancelled": "the position was cancelled",
    "knock_out": "a requirement stated in the posting was not met",
}
RELATION: Final[Mapping[str, str]] = {
    "peer": "a former peer",
    "manager": "a former manager",
    "direct_report": "someone who reported to the candidate",
}
DIMENSION: Final[Mapping[OutcomeDimension, str]] = {
    "throughput": "what the person got done",
    "team_health": "how the team fared",
    "retention": "whether the person stayed",
    "external_success": "how the person did elsewhere",
}
OUTCOME: Final[Mapping[OutcomeValue, str]] = {
    "below": "below expectation",
    "met": "as expected",
    "exceeded": "above expectation",
    "left": "the person left",
}
OBSERVED_FROM: Final[Mapping[ObservedFrom, str]] = {
    "manager_review": "a manager's review",
    "hris": "the personnel system",
    "public": "public sources",
    "candidate_supplied": "what the candidate said",
    "rehire": "a later hiring",
    "survey": "a survey",
}
LAWFUL_BASIS: Final[Mapping[LawfulBasis, str]] = {
    "consent": "consent",
    "contract": "a contract",
    "legal_obligation": "a legal obligation",
    "vital_interests": "vital interests",
    "public_task": "a public task",
    "legitimate_interests": "legitimate interests",
}
READ: Final[Mapping[ReadingOf, str]] = {
    "loop": "the state of the loop",
    "timeline": "the timeline",
    "facts": "facts",
    "feedback": "feedback",
    "replay": "a judging again of the rules",
    "export": "an export",
    "search": "a search",
    "candidate": "the candidate's record",
    "holds": "legal holds",
}
ROLE: Final[Mapping[f.Role, str]] = {
    "recorder": "recording service",
    "interviewer": "interviewer",
    "hiring_manager": "hiring manager",
    "decision_maker": "decision maker",
    "approver": "approver",
    "auditor": "auditor",
    "fairness_analyst": "fairness analyst",
    "privacy_officer": "privacy officer",
    "administrator": "administrator",
}
WHY_NOT: Final[Mapping[str, str]] = {
    "read-before-writing": "had read others' feedback before writing",
    "amended-after-reading": "changed feedback after reading others'",
    "no-written-evidence": "rated nothing with enough written evidence",
    "reference-only": "wrote down a reference, which only corroborates",
    "disqualifying-relationship": "disclosed a relationship that the rules do not accept",
}
TIMES: Final[Mapping[int, str]] = {1: "once", 2: "twice"}


def spaced(code: str) -> str:
    """A code or slug as words, where the record has none of its own: `safety first`."""
    return code.replace("-", " ").replace("_", " ")


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 session`, `2 sessions`, `no session`."""
    if number == 0:
        return f"no {one}"
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
