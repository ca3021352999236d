"""How a case is judged: every rule in turn, findings completed, exceptions honoured.

Nothing here knows any rule. Rules yield what they found; what that means for the intent (refused,
warned, excepted) follows from how strictly the rule is enforced, and is said here only.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from domain import facts as f
from domain.case import INTENTS, Case, Found
from domain.findings import (
    POSITIONS_IN_FINDING_MAX,
    Enforcement,
    Finding,
    Judged,
    ParamValue,
    Receipt,
    Verdict,
)
from domain.refusals import LOOP_STATE
from domain.state import At
from policies._policy import Params, Policy

FINDINGS_PER_RULE_MAX = 10
TEXT_LETTERS_MAX = 600

# Told the rule's id and the name of what it raised: the caller alerts.
OnError = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A rule as it applies: its version, how strictly, with which parameters.

    `policy` is None where no such version is installed.
    """

    id: str
    version: int
    policy: Policy | None
    enforcement: Enforcement
    params: Params


def judge(
    case: Case,
    rules: Sequence[Applied],
    state_findings: Iterable[Found] = (),
    on_error: OnError | None = None,
) -> Judged:
    """A receipt of every rule that has a say, in the order of their ids."""
    known = {rule.id: rule.params for rule in rules}
    receipts = [
        _receipt(case, rule, known, on_error)
        for rule in rules
        if rule.enforcement != "off" and _has_a_say(rule, case)
    ]
    state = tuple(state_findings)
    if state:
        receipts.append(_loop_state(state))
    return Judged(now=case.now, receipts=tuple(sorted(receipts, key=lambda r: r.policy)))


def visible(uses: Iterable[str], known: Mapping[str, Params]) -> dict[str, dict[str, ParamValue]]:
    """The parameters named as `rule.parameter`, by rule."""
    seen: dict[str, dict[str, ParamValue]] = {}
    for name in uses:
        other, _, param = name.partition(".")
        seen.setdefault(other, {})[param] = known[other][param]
    return seen


def _has_a_say(rule: Applied, case: Case) -> bool:
    """What stands in the way at the gate stands in the way of the decision too.

    A gate says how things were. Since then a session may have been reported otherwise, or an
    exception have expired: what blocked there is judged again, on all that came meanwhile.
    """
    if rule.policy is None:
        return case.moment in INTENTS
    again = (
        case.moment == "decide" and rule.enforcement == "block" and "gate" in rule.policy.moments
    )
    return again or rule.policy.judges(case)


def _receipt(
    case: Case, rule: Applied, known: Mapping[str, Params], on_error: OnError | None
) -> Receipt:
    if rule.policy is None:
        return _unable(rule, "this version of the rule is not installed", rule.enforcement)
    try:
        # A rule sees its own parameters and those it says it uses: they stand in its receipt.
        used = visible(rule.policy.uses, known)
        params = {**used, rule.id: dict(rule.params)}
        found = tuple(rule.policy.check(replace(case, params=params), rule.params))
    except Exception as error:  # noqa: BLE001 (whatever a rule raises must not let a decision pass)
        if on_error is not None:
            on_error(rule.id, type(error).__name__)
        blocks: Enforcement = "block" if case.moment in INTENTS else "warn"
        return _unable(rule, "this rule failed and could not judge", blocks)
    others = {f"{o}.{p}": v for o, seen in used.items() for p, v in seen.items()}
    counts = [one for one in found if not one.advice]
    exception = _exception(case, rule.policy, counts) if counts else None
    return Receipt(
        policy=rule.id,
        version=rule.version,
        enforcement=rule.enforcement,
        params=dict(sorted({**rule.params, **others}.items())),
        verdict=_verdict(case, rule.enforcement, found, excepted=exception is not None),
        # What an exception lets pass no longer stands in the way: its findings only warn.
        findings=_findings(
            rule, found, "warn" if exception else _strictest(case, rule.enforcement)
        ),
        exception=exception,
    )


def _strictest(case: Case, enforcement: Enforcement) -> Enforcement:
    """A report of what happened is never refused: there, whatever blocks later only warns."""
    return enforcement if case.moment in INTENTS else "warn"


def _verdict(
    case: Case, enforcement: Enforcement, found: Sequence[Found], *, excepted: bool
) -> Verdict:
    if not found:
        return "passed"
    if excepted:
        return "excepted"
    counts = any(not one.advice for one in found)
    return "refused" if counts and _strictest(case, enforcement) == "block" else "warned"


def _findings(
    rule: Applied, found: Sequence[Found], enforcement: Enforcement
) -> tuple[Finding, ...]:
    kept = list(found[:FINDINGS_PER_RULE_MAX])
    if len(found) > FINDINGS_PER_RULE_MAX:
        left = found[FINDINGS_PER_RULE_MAX - 1 :]
        kept[-1] = Found(
            message=f"and {len(left)} more findings of this rule",
            cure="settle those named here, then ask again",
            positions=tuple(p for one in left for p in one.positions),
            advice=all(one.advice for one in left),
        )
    return tuple(
        Finding(
            policy=rule.id,
            version=rule.version,
            enforcement="warn" if one.advice else enforcement,
            message=_clip(one.message),
            cure=_clip(one.cure),
            positions=tuple(sorted(set(one.positions)))[:POSITIONS_IN_FINDING_MAX],
        )
        for one in kept
    )


def _clip(text: str) -> str:
    return text if len(text) <= TEXT_LETTERS_MAX else text[: TEXT_LETTERS_MAX - 1] + "…"


def _unable(rule: Applied, message: str, enforcement: Enforcement) -> Receipt:
    cure = "tell the administrator: nothing can be decided on it until the rule judges again"
    found = (Found(message=message, cure=cure),)
    return Receipt(
        policy=rule.id,
        version=rule.version,
        enforcement=enforcement,
        params=dict(sorted(rule.params.items())),
        verdict="refused" if enforcement == "block" else "warned",
        findings=_findings(rule, found, enforcement),
    )


def _loop_state(found: tuple[Found, ...]) -> Receipt:
    rule = Applied(id=LOOP_STATE, version=1, policy=None, enforcement="block", params={})
    return Receipt(
        policy=rule.id,
        version=rule.version,
        enforcement=rule.enforcement,
        verdict="refused",
        findings=_findings(rule, found, rule.enforcement),
    )


# Intents that rest on what interviewers wrote.
_OF_EVIDENCE = f.StageDecided | f.EvidenceGatePassed | f.RecommendationRecorded | f.DecisionMade


def _exception(case: Case, policy: Policy, found: Sequence[Found]) -> int | None:
    """Position of the latest exception to this rule that holds now, if the rule takes any.

    It must be granted by someone other than who asks and than who wrote evidence in the loop, and
    must not have expired. One for one person excuses nothing in which they have no part.
    """
    if policy.core or case.moment not in INTENTS:
        return None
    needing = {case.draft.stamp.by}
    if isinstance(case.draft, _OF_EVIDENCE):
        needing |= {written.fact.author for written in case.loop.feedback}
    for granted in reversed(_exceptions(case)):
        fact = granted.fact
        holds = fact.expires_at > case.now and fact.stamp.by not in needing
        if fact.policy == policy.id and holds and _covers(fact, case, found):
            return granted.position
    return None


def _covers(exception: f.ExceptionGranted, case: Case, found: Sequence[Found]) -> bool:
    """Whether whom it is for has a part in everything that was found in somebody's evidence."""
    if exception.subject is None or not isinstance(case.draft, _OF_EVIDENCE):
        return True
    authors = {one.position: one.fact.author for one in case.loop.feedback}
    authors |= {one.position: one.fact.author for one in case.loop.amendments}
    wrote = ({authors[at] for at in one.positions if at in authors} for one in found)
    return all(exception.subject in people for people in wrote if people)


def _exceptions(case: Case) -> tuple[At[f.ExceptionGranted], ...]:
    match case.draft:
        case f.ScorecardVersioned() | f.PromptVersioned():
            return ()
        case f.PostingVersioned() | f.LoopOpened():
            granted = case.requisition.exceptions
        case _:
            granted = (*case.requisition.exceptions, *case.loop.exceptions)
    return tuple(sorted(granted, key=lambda one: one.position))
