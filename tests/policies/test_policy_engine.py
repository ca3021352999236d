"""How findings become verdicts: enforcement, advice, reports, rules that fail or are missing."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case, Found, Moment
from domain.findings import POSITIONS_IN_FINDING_MAX, Enforcement, Judged, ParamValue, Receipt
from policies import Catalogue, Policy
from policies._examples import MONDAY, decidable, evidenced, planned, rubric
from policies._judge import FINDINGS_PER_RULE_MAX, TEXT_LETTERS_MAX
from policies._policy import Check, Param, Params
from policies._sample import IRIS, LOOP, TECH_LEAD, scorecard

Adopt = Callable[..., f.PolicySetAdopted]
FOUND = Found(message="something is wrong here", cure="put it right", positions=(2, 1, 2))


def yielding(*found: Found) -> Check:
    """A check that finds just this, whatever the case."""

    def check(_case: Case, _params: Params) -> Iterator[Found]:
        yield from found

    return check


def raising(_case: Case, _params: Params) -> Iterator[Found]:
    """A check with a bug."""
    raise ZeroDivisionError("the candidate's name")


def rule(
    check: Check,
    enforcement: Enforcement = "block",
    *,
    id_: str = "made-up",
    moments: frozenset[Moment] = frozenset({"gate", "statement"}),
    core: bool = False,
    uses: tuple[str, ...] = (),
    params: dict[str, Param] | None = None,
) -> Policy:
    """A rule for one test."""
    return Policy(
        id=id_,
        version=1,
        title="Made up",
        rationale="A test needs it.",
        source="this test",
        practices=("P1",),
        moments=moments,
        enforcement=enforcement,
        core=core,
        check=check,
        examples=(),
        uses=uses,
        params=params or {},
    )


def receipt(policy: Policy, case: Case, pinned: f.PolicySetAdopted | None = None) -> Receipt:
    """What one rule alone says."""
    (one,) = Catalogue([policy], (), {}).judge(case, pinned).receipts
    return one


@pytest.fixture(scope="module")
def gate() -> Case:
    """A gate at which nothing is wrong."""
    return evidenced().asks_gate().case


@pytest.mark.parametrize(
    ("enforcement", "found", "verdict"),
    [
        ("block", (), "passed"),
        ("warn", (), "passed"),
        ("block", (FOUND,), "refused"),
        ("warn", (FOUND,), "warned"),
        ("block", (replace(FOUND, advice=True),), "warned"),
        ("block", (replace(FOUND, advice=True), FOUND), "refused"),
    ],
)
def test_only_a_rule_that_blocks_and_a_finding_that_counts_refuse(
    gate: Case, enforcement: Enforcement, found: tuple[Found, ...], verdict: str
) -> None:
    """Warnings and advice never stand in the way."""
    one = receipt(rule(yielding(*found), enforcement), gate)
    assert one.verdict == verdict
    assert [x.enforcement for x in one.findings] == [
        "warn" if x.advice else enforcement for x in found
    ]


def test_a_finding_is_completed_by_the_engine(gate: Case) -> None:
    """Rule, version and strictness come from the rule, positions are sorted and stand once."""
    (finding,) = receipt(rule(yielding(FOUND)), gate).findings
    assert (finding.policy, finding.version, finding.enforcement) == ("made-up", 1, "block")
    assert (finding.message, finding.cure) == (FOUND.message, FOUND.cure)
    assert finding.positions == (1, 2)


def test_a_report_is_never_refused() -> None:
    """Whatever blocks at the gate only warns while someone reports what happened."""
    case = evidenced().asks_statement("a great person").case
    one = receipt(rule(yielding(FOUND)), case)
    assert (one.verdict, one.enforcement) == ("warned", "block")
    assert one.findings[0].enforcement == "warn"


def test_a_rule_that_is_off_leaves_no_receipt(gate: Case, adopted: Adopt) -> None:
    """What was not judged does not look as if it had passed."""
    judged = Catalogue([rule(yielding(FOUND))], (), {}).judge(gate, adopted("made-up", "off"))
    assert judged == Judged(now=gate.now)


def test_a_core_rule_cannot_be_turned_down_by_a_set(gate: Case, adopted: Adopt) -> None:
    """Even a set from before the rule was core does not weaken it."""
    core = rule(yielding(FOUND), "warn", core=True)
    assert receipt(core, gate, adopted("made-up", "off")).verdict == "warned"
    assert receipt(core, gate, adopted("made-up", "block")).verdict == "refused"
    strict = rule(yielding(FOUND), "block", core=True)
    assert receipt(strict, gate, adopted("made-up", "warn")).verdict == "refused"


@pytest.mark.parametrize("enforcement", ["block", "warn"])
def test_a_rule_that_raises_refuses_and_the_caller_is_told(
    gate: Case, enforcement: Enforcement
) -> None:
    """A bug lets nobody through, and nothing of what was raised is recorded."""
    alerts: list[tuple[str, str]] = []
    catalogue = Catalogue([rule(raising, enforcement)], (), {})
    judged = catalogue.judge(gate, None, on_error=lambda id_, name: alerts.append((id_, name)))
    assert judged.refused
    assert alerts == [("made-up", "ZeroDivisionError")]
    assert [(x.message, x.cure) for x in judged.findings] == [
        (
            "this rule failed and could not judge",
            "tell the administrator: nothing can be decided on it until the rule judges again",
        )
    ]


def test_a_rule_that_raises_on_a_report_only_warns() -> None:
    """What happened is recorded, whatever is wrong with a rule."""
    one = receipt(rule(raising), evidenced().asks_statement("a great person").case)
    assert one.verdict == "warned"
    assert one.findings[0].enforcement == "warn"


def test_a_rule_raises_lazily_and_is_caught_all_the_same(gate: Case) -> None:
    """A finding before the bug does not hide it."""

    def check(case: Case, params: Params) -> Iterator[Found]:
        yield FOUND
        yield from raising(case, params)

    assert receipt(rule(check, "warn"), gate).findings[0].message == (
        "this rule failed and could not judge"
    )


def test_a_version_that_is_not_installed_refuses(
    gate: Case, catalogue: Catalogue, adopted: Adopt
) -> None:
    """A loop that pinned a rule is not judged by another one in silence."""
    pinned = adopted("every-competency-evidenced", "block", 7)
    judged = catalogue.judge(gate, pinned)
    missing = [r for r in judged.receipts if r.policy == "every-competency-evidenced"]
    assert [(r.version, r.verdict, r.findings[0].message) for r in missing] == [
        (7, "refused", "this version of the rule is not installed")
    ]
    assert catalogue.judge(gate, adopted("no-such-rule", "block")).refused
    assert not catalogue.judge(gate, adopted("no-such-rule", "off")).refused


def test_an_older_version_judges_for_those_who_pinned_it(gate: Case, adopted: Adopt) -> None:
    """A new version of a rule changes nothing for loops that are under way."""
    old = rule(yielding(FOUND))
    new = dataclasses.replace(old, version=2, check=yielding())
    catalogue = Catalogue([new], [old], {})
    assert catalogue.judge(gate, adopted("made-up", "block", 1)).receipts[0].verdict == "refused"
    assert catalogue.judge(gate, adopted("made-up", "block", 2)).receipts[0].verdict == "passed"
    assert catalogue.judge(gate, adopted("made-up", "block")).receipts[0].version == 2
    assert catalogue.judge(gate, None).receipts[0].version == 2


def test_a_set_gives_parameters_and_the_receipt_shows_all_of_them(
    catalogue: Catalogue, adopted: Adopt
) -> None:
    """A verdict can be understood from its receipt alone."""
    case = evidenced().asks_gate().case
    judged = catalogue.judge(case, adopted("every-competency-evidenced", "warn", words_min=100))
    receipts = {r.policy: r for r in judged.receipts}
    assert receipts["every-competency-evidenced"].params == {"words_min": 100}
    assert receipts["every-competency-evidenced"].verdict == "warned"
    assert receipts["two-independent-interviewers"].params == {
        "every-competency-evidenced.words_min": 100,
        "relationships-disclosed.disqualifying": ("family", "referrer", "current_manager"),
    }
    assert receipts["two-independent-interviewers"].verdict == "refused"


def test_a_rule_sees_only_parameters_that_stand_in_its_receipt(gate: Case) -> None:
    """A rule that reads another's parameter without saying so fails, and so refuses."""
    seen: list[dict[str, dict[str, object]]] = []

    def check(case: Case, _params: Params) -> Iterator[Found]:
        seen.append({rule: dict(params) for rule, params in case.params.items()})
        yield from ()

    number = {"n": Param(default=1, meaning="a number", least=0, most=9)}
    other = rule(yielding(), id_="other", params={**number, "m": number["n"]})
    asking = rule(check, uses=("other.n",), params=number)
    Catalogue([asking, other], (), {}).judge(gate, None)
    assert seen == [{"other": {"n": 1}, "made-up": {"n": 1}}]


def test_what_the_state_forbids_is_a_receipt_among_the_others(
    catalogue: Catalogue, gate: Case
) -> None:
    """A closed loop refuses in the same shape as a rule does."""
    state = Found(message="the loop is closed", cure="reopen it", positions=(3,))
    judged = catalogue.judge(gate, None, (state,))
    (one,) = [r for r in judged.receipts if r.policy == "loop-state"]
    assert (one.version, one.enforcement, one.verdict) == (1, "block", "refused")
    assert [(x.message, x.cure, x.positions) for x in one.findings] == [
        ("the loop is closed", "reopen it", (3,))
    ]
    assert judged.refused


def test_receipts_stand_in_the_order_of_their_ids(catalogue: Catalogue, gate: Case) -> None:
    """The same judging is the same bytes."""
    state = Found(message="the loop is closed", cure="reopen it")
    ids = [r.policy for r in catalogue.judge(gate, None, (state,)).receipts]
    assert ids == sorted(ids)
    assert "loop-state" in ids
    backwards = Catalogue(reversed(list(catalogue.current.values())), (), {})
    assert backwards.judge(gate, None) == catalogue.judge(gate, None)


def test_a_rule_is_silent_about_what_it_is_not_about(catalogue: Catalogue) -> None:
    """A rule on scorecards leaves no receipt on a prompt."""
    case = rubric().asks(TECH_LEAD, scorecard()).case
    assert [r.policy for r in catalogue.judge(case, None).receipts] == [
        "anchor-for-every-rating",
        "inclusive-anchor",
        "three-to-five-competencies",
    ]


def test_findings_are_capped_so_that_they_fit_into_a_leaf(gate: Case) -> None:
    """Too many findings, positions or letters are cut, and it is said that they were."""
    long = Found(message="m" * 2000, cure="c" * 2000, positions=tuple(range(1, 200)))
    one = receipt(rule(yielding(*[long] * 50)), gate)
    assert len(one.findings) == FINDINGS_PER_RULE_MAX
    assert one.findings[-1].message == "and 41 more findings of this rule"
    assert one.findings[-1].enforcement == "block"
    assert len(one.findings[0].message) == len(one.findings[0].cure) == TEXT_LETTERS_MAX
    assert len(one.findings[0].positions) == POSITIONS_IN_FINDING_MAX


def test_a_loop_in_which_nothing_is_wrong_meets_no_finding(catalogue: Catalogue) -> None:
    """The rules can all be met at once, at every moment of a loop."""
    story = decidable()
    for asked in (
        rubric().approved("hiring_manager", "tech_lead", "partner").asks_open(),
        planned().asks_plan(),
        evidenced().asks_gate(),
        story.asks_recommend(),
        story.asks_decide(),
        planned().held("screen").asks(IRIS, planned().feedback("screen")),
    ):
        judged = catalogue.judge(asked.case, None)
        assert judged.receipts
        assert judged.findings == ()


def test_a_gate_without_anything_meets_every_rule_at_once(catalogue: Catalogue) -> None:
    """All findings are given, never only the first."""
    case = planned().asks_gate().case
    refused = {r.policy for r in catalogue.judge(case, None).receipts if r.verdict == "refused"}
    assert refused == {
        "every-competency-evidenced",
        "safety-never-skipped",
        "two-independent-interviewers",
    }


def test_now_is_the_moment_of_the_case(catalogue: Catalogue, gate: Case) -> None:
    """The judging carries the time at which it was made, never the clock."""
    assert catalogue.judge(replace(gate, now=MONDAY), None).now == MONDAY


def test_a_rule_that_is_shown_another_draft_fails_and_so_refuses(catalogue: Catalogue) -> None:
    """A rule never passes what it cannot judge."""
    decides = dataclasses.replace(
        catalogue.current["recommendation-first"],
        moments=frozenset({"gate"}),
        check=catalogue.current["reasons-for-going-against"].check,
    )
    one = receipt(decides, evidenced().asks_gate().case)
    assert one.findings[0].message == "this rule failed and could not judge"


@pytest.mark.parametrize(
    ("id_", "params"),
    [
        ("every-competency-evidenced", {"words_min": "eight"}),
        ("every-competency-evidenced", {"words_min": True}),
        ("feedback-on-time", {"due": 24}),
        ("relationships-disclosed", {"disqualifying": "family"}),
    ],
)
def test_a_parameter_of_the_wrong_type_makes_its_rule_fail(
    catalogue: Catalogue, gate: Case, adopted: Adopt, id_: str, params: dict[str, ParamValue]
) -> None:
    """A set from before settings were checked lets nobody through."""
    enforcement = catalogue.current[id_].enforcement
    failed = catalogue.judge(gate, adopted(id_, enforcement, **params)).receipts
    (one,) = [r for r in failed if r.policy == id_]
    assert (one.verdict, one.findings[0].message) == (
        "refused",
        "this rule failed and could not judge",
    )


def test_a_command_that_no_rule_judges_makes_no_case() -> None:
    """A story that asks for one is wrong, and says so."""
    with pytest.raises(ValueError, match="no rule judges this command"):
        evidenced().asks(TECH_LEAD, c.OpenDebrief(loop=LOOP))


@pytest.mark.parametrize("number", [FINDINGS_PER_RULE_MAX, FINDINGS_PER_RULE_MAX - 1])
def test_as_many_findings_as_fit_are_all_given(gate: Case, number: int) -> None:
    """Nothing is summed up as long as there is room."""
    found = [replace(FOUND, message=f"something is wrong: {n}") for n in range(number)]
    one = receipt(rule(yielding(*found)), gate)
    assert [x.message for x in one.findings] == [x.message for x in found]
