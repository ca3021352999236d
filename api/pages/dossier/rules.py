"""The rules that judged, what they found, and the exceptions that let something pass."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from api.pages.dossier.rubric import pinned_posting, used_prompts
from api.pages.telling.moments import Moment
from api.pages.telling.say_decision import exception
from api.pages.telling.teller import Said, Teller
from api.pages.telling.terms import ENFORCEMENT, VERDICT, spaced
from api.pages.telling.told import opened_with_capital
from domain import facts as f
from domain.codec import Recorded
from domain.findings import Finding, Judged, ParamValue, Receipt, Verdict
from domain.state import At

LOOP_STATE = "loop-state"


class Worded(Struct, frozen=True, kw_only=True):
    """A rule in words, what its parameters mean, and the digest of the source that judged."""

    title: str
    rationale: str
    source_digest: str
    meanings: Mapping[str, str] = {}


class Verdicts(Struct, frozen=True, kw_only=True):
    """One verdict of a rule, and every moment at which it was that: name and position."""

    verdict: Verdict
    words: str
    moments: tuple[tuple[str, int], ...]


class ParamShown(Struct, frozen=True, kw_only=True):
    """How a rule was set: `words_min = 8` as the record has it, and what that means."""

    setting: str
    meaning: str


class RuleRow(Struct, frozen=True, kw_only=True):
    """One rule, how it was set, and its verdicts."""

    id: str
    version: int
    worded: Worded
    enforcement: str
    params: tuple[ParamShown, ...]
    verdicts: tuple[Verdicts, ...]


class FoundRow(Struct, frozen=True, kw_only=True):
    """One thing that rules found, wherever they found it."""

    title: str
    message: str
    cure: str
    strength: str
    places: tuple[tuple[str, int], ...]
    positions: tuple[int, ...]


class ExceptionShown(Struct, frozen=True, kw_only=True):
    """An exception: from which rule, by whom, why, until when, and what was done instead."""

    position: int
    title: str
    sentence: str
    approver: str
    granted: Moment
    expires: Moment
    said: tuple[Said, ...]
    controlled: bool
    used: tuple[tuple[str, int], ...]


Wordings = Mapping[tuple[str, int], Worded]


def worded(policy: str, version: int, wordings: Wordings) -> Worded:
    """A rule's words; the code of a rule that nobody gave words for."""
    if policy == LOOP_STATE:
        return Worded(
            title="What the state of the loop itself forbids",
            rationale="Some steps make no sense before others.",
            source_digest="",
        )
    nameless = Worded(title=spaced(policy), rationale="", source_digest="")
    return wordings.get((policy, version), nameless)


def judgements(t: Teller, decision: int) -> list[tuple[str, int, Judged]]:
    """When rules judged on the way to the decision: name of the moment, position, judgement."""
    found: list[tuple[str, int, Judged]] = []
    for one in t.facts:
        name = _moment(one, t)
        judged = _judged(one.fact)
        if name and judged and one.position <= decision:
            found.append((name, one.position, judged))
    plans = [position for name, position, _ in found if name == "Plan"]
    return [each for each in found if each[0] != "Plan" or each[1] == plans[-1]]


def _moment(one: Recorded, t: Teller) -> str | None:
    if t.opened is None or getattr(one.fact, "loop", None) != t.opened.fact.loop:
        return None
    match one.fact:
        case f.LoopOpened():
            return "Opening"
        case f.LoopPlanned():
            return "Plan"
        case f.StageDecided(stage=stage):
            return f"Stage “{spaced(stage)}”"
        case f.StageDecisionRefused(stage=stage):
            return f"Stage “{spaced(stage)}”, refused"
        case f.EvidenceGatePassed():
            return "Gate"
        case f.EvidenceGateRefused():
            return "Gate, refused"
        case f.RecommendationRecorded():
            return "Recommendation"
        case f.DecisionMade():
            return "Decision"
        case f.DecisionRefused():
            return "Decision, refused"
        case _:
            return None


def rules_of(t: Teller, decision: int, wordings: Wordings) -> tuple[RuleRow, ...]:
    """Every rule that judged on the way to the decision, and its verdict at each moment."""
    receipts: dict[tuple[str, int], list[tuple[str, int, Receipt]]] = {}
    for name, position, judged in judgements(t, decision):
        for receipt in judged.receipts:
            key = (receipt.policy, receipt.version)
            receipts.setdefault(key, []).append((name, position, receipt))
    return tuple(_row(*key, given, wordings) for key, given in sorted(receipts.items()))


def _row(
    id_: str, version: int, given: list[tuple[str, int, Receipt]], wordings: Wordings
) -> RuleRow:
    latest = given[-1][2]
    verdicts: dict[Verdict, list[tuple[str, int]]] = {}
    for name, position, receipt in given:
        verdicts.setdefault(receipt.verdict, []).append((name, position))
    return RuleRow(
        id=id_,
        version=version,
        worded=worded(id_, version, wordings),
        enforcement=ENFORCEMENT[latest.enforcement],
        params=tuple(_params(latest, wordings)),
        verdicts=tuple(
            Verdicts(verdict=verdict, words=VERDICT[verdict], moments=tuple(moments))
            for verdict, moments in verdicts.items()
        ),
    )


def _params(receipt: Receipt, wordings: Wordings) -> Iterator[ParamShown]:
    """A rule's parameters, also those of another rule that this one uses: `rule.param`."""
    for name, value in receipt.params.items():
        other, _, own = name.rpartition(".")
        meanings = {
            key: meaning
            for (id_, version), rule in sorted(wordings.items())
            if id_ == (other or receipt.policy) and (other or version == receipt.version)
            for key, meaning in rule.meanings.items()
        }
        yield ParamShown(setting=f"{name} = {_value(value)}", meaning=meanings.get(own, ""))


def _value(value: ParamValue) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(value) or "none"
        case str():
            return value
        case _:
            return f"{value:g}"


# ---------------------------------------------------------------- findings


def found_on_arrival(t: Teller) -> tuple[int, ...]:
    """Facts in whose words rules found something: only on arrival did a rule read these words."""
    reports = (
        f.FeedbackSubmitted,
        f.FeedbackAmended,
        f.DebriefStatementRecorded,
    )
    return tuple(
        one.position for one in t.facts if isinstance(one.fact, reports) and one.fact.findings
    )


def found_in(t: Teller, decision: int, wordings: Wordings) -> tuple[FoundRow, ...]:
    """Everything that rules found on the way, each once, with where it was found.

    Nothing is left out that the timeline remarks on, nor what was found in an earlier plan, or in
    a prompt that was written for the position and not used: a reader follows it there from here.
    """
    rows: dict[tuple[object, ...], tuple[Finding, list[tuple[str, int]], str]] = {}
    for name, position, finding, strength in _findings(t, decision):
        key = (finding.policy, finding.message, finding.cure, finding.positions, strength)
        rows.setdefault(key, (finding, [], strength))[1].append((name, position))
    return tuple(
        FoundRow(
            title=worded(finding.policy, finding.version, wordings).title,
            message=finding.message,
            cure=finding.cure,
            strength=strength,
            places=tuple(places),
            positions=finding.positions,
        )
        for finding, places, strength in rows.values()
    )


def _findings(t: Teller, decision: int) -> Iterator[tuple[str, int, Finding, str]]:
    """Whatever the timeline says that rules remarked on, in its order."""
    judged_then = {position: name for name, position, _ in judgements(t, decision)}
    for one in t.facts:
        match one.fact:
            case f.FeedbackSubmitted(findings=findings) | f.FeedbackAmended(findings=findings):
                yield from _told("Feedback", one.position, findings, "warned")
            case f.DebriefStatementRecorded(findings=findings):
                yield from _told("Statement", one.position, findings, "warned")
            case _:
                judged = _judged(one.fact)
                name = judged_then.get(one.position) or _elsewhere(one.fact, t)
                for receipt in judged.receipts if judged else ():
                    strength = VERDICT[receipt.verdict]
                    yield from _told(name, one.position, receipt.findings, strength)


def _judged(fact: f.AnyFact) -> Judged | None:
    judged = getattr(fact, "judged", None)
    return judged if isinstance(judged, Judged) else None


def _elsewhere(fact: f.AnyFact, t: Teller) -> str:
    """The name of a moment that is no step of this loop towards the decision."""
    match fact:
        case f.ScorecardVersioned():
            ours = t.card is not None and t.card.fact == fact
            return "Scorecard" if ours else "Scorecard, not this loop's"
        case f.PostingVersioned():
            return "Posting" if fact == pinned_posting(t) else "Posting, not this loop's"
        case f.PromptVersioned(prompt=prompt, version=version):
            used = (prompt, version) in used_prompts(t)
            return "Prompt" if used else "Prompt, not used in this loop"
        case f.LoopPlanned():
            return "Earlier plan"
        case _:
            return "Another step"


def _told(
    name: str, position: int, findings: Iterable[Finding], strength: str
) -> Iterator[tuple[str, int, Finding, str]]:
    for finding in findings:
        yield name, position, finding, strength


# ---------------------------------------------------------------- exceptions


def exceptions_of(t: Teller, decision: int, wordings: Wordings) -> tuple[ExceptionShown, ...]:
    """Every exception that the dossier holds, and where it was used."""
    return tuple(_exception(one, t, decision, wordings) for one in t.of(f.ExceptionGranted))


def _exception(
    one: At[f.ExceptionGranted], t: Teller, decision: int, wordings: Wordings
) -> ExceptionShown:
    fact = one.fact
    told = exception(fact, t)
    used = tuple(
        (name, position)
        for name, position, judged in judgements(t, decision)
        if any(receipt.exception == one.position for receipt in judged.receipts)
    )
    versions = sorted(version for id_, version in wordings if id_ == fact.policy)
    return ExceptionShown(
        position=one.position,
        title=worded(fact.policy, versions[-1] if versions else 0, wordings).title,
        sentence=opened_with_capital(told.sentence),
        approver=t.by(fact.stamp),
        granted=t.when(fact.stamp.at),
        expires=t.when(fact.expires_at),
        said=told.said,
        controlled=fact.compensating_control is not None,
        used=used,
    )
