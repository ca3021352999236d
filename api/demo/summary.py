"""What a season came to: counted from the facts themselves, and told as tables."""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.table import Table

from domain import facts as f
from domain.codec import decode, type_of
from domain.findings import Judged
from ledger.ledger import Ledger

_Refused = f.DecisionRefused | f.EvidenceGateRefused | f.StageDecisionRefused
_Judged = (
    f.ScorecardVersioned
    | f.PromptVersioned
    | f.PostingVersioned
    | f.LoopOpened
    | f.LoopPlanned
    | f.RecommendationRecorded
    | f.StageDecided
    | f.EvidenceGatePassed
    | f.DecisionMade
    | _Refused
)
_ASKED: Mapping[type[f.Fact], tuple[str, str]] = {
    f.StageDecided: ("stage decisions", "accepted"),
    f.StageDecisionRefused: ("stage decisions", "refused"),
    f.EvidenceGatePassed: ("gates", "accepted"),
    f.EvidenceGateRefused: ("gates", "refused"),
    f.DecisionMade: ("decisions", "accepted"),
    f.DecisionRefused: ("decisions", "refused"),
}


class Summary(Struct, frozen=True, kw_only=True):
    """How many of what; the same for every run of the season on an empty ledger.

    Attributes:
        facts: by type.
        asked: of stage decisions, gates and decisions how many were accepted and refused.
        refused_by: refused stage decisions, gates and decisions, by each rule that refused.
        excepted_by: accepted ones that a rule would have refused but for an exception.
        findings: all findings, by rule and by what they were found in.
        dispositions: how loops were closed.
    """

    facts: dict[str, int]
    asked: dict[str, dict[str, int]]
    refused_by: dict[str, dict[str, int]]
    excepted_by: dict[str, int]
    findings: dict[str, dict[str, int]]
    dispositions: dict[str, int]


def summarise(ledger: Ledger) -> Summary:
    """Read the whole log once, and count."""
    facts: Counter[str] = Counter()
    dispositions: Counter[str] = Counter()
    excepted: Counter[str] = Counter()
    asked = {name: {"accepted": 0, "refused": 0} for name, _ in _ASKED.values()}
    refused: dict[str, Counter[str]] = {}
    findings: dict[str, Counter[str]] = {}
    for fact in _all(ledger):
        facts[type_of(fact)] += 1
        for policy in _found(fact):
            findings.setdefault(policy, Counter())[type_of(fact).partition(".")[0]] += 1
        if isinstance(fact, f.LoopClosed):
            dispositions[fact.disposition] += 1
        if type(fact) in _ASKED and isinstance(fact, _Judged):
            name, outcome = _ASKED[type(fact)]
            asked[name][outcome] += 1
            for receipt in fact.judged.receipts:
                if receipt.verdict == "refused":
                    refused.setdefault(receipt.policy, Counter())[name] += 1
                excepted[receipt.policy] += receipt.verdict == "excepted"
    return Summary(
        facts=dict(sorted(facts.items())),
        asked=asked,
        refused_by=_sorted(refused),
        excepted_by={policy: n for policy, n in sorted(excepted.items()) if n},
        findings=_sorted(findings),
        dispositions=dict(sorted(dispositions.items())),
    )


def show(summary: Summary, console: Console) -> None:
    """The summary as tables."""
    console.print(Group(*_tables(summary)))


def _tables(summary: Summary) -> Iterable[RenderableType]:
    total = sum(summary.facts.values())
    yield _table(f"{total} facts", ("type", "how many"), summary.facts.items())
    yield _table(
        "Asked for",
        ("", "accepted", "refused"),
        ((name, each["accepted"], each["refused"]) for name, each in summary.asked.items()),
    )
    columns = tuple(summary.asked)
    yield _table(
        "Refused, by the rules that refused",
        ("rule", *columns),
        (
            (policy, *(each.get(name, 0) for name in columns))
            for policy, each in summary.refused_by.items()
        ),
    )
    yield _table("Accepted by exception", ("rule", "how many"), sorted(summary.excepted_by.items()))
    yield _table(
        "Findings, by rule, and what they were found in",
        ("rule", "how many", "in"),
        (
            (policy, sum(each.values()), ", ".join(f"{kind} {n}" for kind, n in each.items()))
            for policy, each in summary.findings.items()
        ),
    )
    yield _table("Closed as", ("disposition", "loops"), summary.dispositions.items())


def _table(
    title: str, columns: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]
) -> RenderableType:
    table = Table(*columns, title=title, title_justify="left", title_style="bold", box=None)
    for row in rows:
        table.add_row(*map(str, row))
    return table


def _all(ledger: Ledger) -> Iterable[f.AnyFact]:
    with ledger.database.connect("runtime", autocommit=True) as connection:
        for rows in ledger.store.recorder.stream(connection, after=0):
            for row in rows:
                yield decode(row.leaf)


def _found(fact: f.AnyFact) -> Iterable[str]:
    """The rules that found something in this fact, once for each finding."""
    judged: Judged | None = fact.judged if isinstance(fact, _Judged) else None
    if judged is not None:
        return [finding.policy for finding in judged.findings]
    if isinstance(fact, f.FeedbackSubmitted | f.FeedbackAmended | f.DebriefStatementRecorded):
        return [finding.policy for finding in fact.findings]
    return []


def _sorted(counted: Mapping[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {name: dict(sorted(each.items())) for name, each in sorted(counted.items())}
