"""The table of what blocks and what warns, as it was agreed."""

import pytest

from domain.case import Moment
from domain.findings import Enforcement, ParamValue
from policies import Catalogue

Row = tuple[tuple[str, ...], set[Moment], Enforcement, bool, dict[str, ParamValue]]

# id: practices, moments, default, core, parameters. Feedback and statements are reports: what is
# found there is attached to them and never refuses them.
TABLE: dict[str, Row] = {
    "adjectives-only": (("P45",), {"statement", "gate"}, "warn", False, {}),
    "anchor-for-every-rating": (
        ("P4",),
        {"adopt", "open"},
        "block",
        False,
        {"anchor_words_min": 3},
    ),
    "asymmetric-costs": (("P17",), {"adopt"}, "warn", False, {}),
    "buckets-covered": (("P6", "P32"), {"plan", "gate"}, "warn", False, {}),
    "candidate-informed-first": (("P48",), {"gate"}, "warn", False, {}),
    "debate-cites-evidence": (("P45",), {"statement", "gate"}, "warn", False, {}),
    "decider-is-not-the-only-evidence": (("P43",), {"decide"}, "block", False, {}),
    "design-prompt-constraints": (("P18",), {"adopt"}, "warn", False, {}),
    "dissent-answered": (("P37",), {"gate"}, "warn", False, {}),
    "every-competency-evidenced": (
        ("P9", "P42"),
        {"feedback", "gate"},
        "block",
        False,
        {"words_min": 8},
    ),
    "feedback-on-time": (("P8",), {"feedback", "gate"}, "warn", False, {"due": "24h"}),
    "gate-passed-and-fresh": (("P43",), {"recommend", "decide"}, "block", True, {}),
    "inclusive-anchor": (("P36",), {"adopt"}, "warn", False, {}),
    "open-scope-guided": (("P23",), {"adopt"}, "warn", False, {}),
    "own-feedback-first": (("P44",), {"feedback", "gate", "decide"}, "warn", True, {}),
    "reasons-for-going-against": (("P50",), {"decide"}, "block", False, {}),
    "reasons-within-scorecard-and-posting": (
        ("P60", "P61"),
        {"stage", "decide"},
        "warn",
        False,
        {},
    ),
    "recommendation-first": (("P50",), {"decide"}, "block", False, {}),
    "recorded-when-it-happened": (
        ("P8",),
        {"feedback", "gate"},
        "warn",
        False,
        {"recorded_hours_max": 72},
    ),
    "relationships-disclosed": (
        ("P10",),
        {"gate", "decide"},
        "warn",
        False,
        {"disqualifying": ("family", "referrer", "current_manager")},
    ),
    "safety-never-skipped": (("P6", "P32"), {"plan", "gate"}, "block", True, {}),
    "same-prompts-for-all": (("P24",), {"gate"}, "warn", False, {}),
    "scorecard-approved-by-three": (
        ("P1", "P2"),
        {"open"},
        "block",
        True,
        {"distinct_approvers_min": 3},
    ),
    "screening-by-posted-criteria": (
        ("P43", "P59"),
        {"stage"},
        "block",
        False,
        {"screen_no_hire": "second_reader"},
    ),
    "take-home-anonymised-first": (("P47",), {"gate"}, "warn", False, {}),
    "take-home-same-time": (("P46",), {"gate"}, "warn", False, {}),
    "three-to-five-competencies": (
        ("P3",),
        {"adopt", "open"},
        "block",
        False,
        {"competencies_min": 3, "competencies_max": 5},
    ),
    "two-independent-interviewers": (
        ("P43",),
        {"gate", "stage", "recommend", "decide"},
        "block",
        True,
        {},
    ),
}


def test_the_rules_of_the_table_are_installed_and_no_others(catalogue: Catalogue) -> None:
    """Nobody is refused by a rule that was not agreed, and no agreed rule is missing."""
    new = sorted(set(catalogue.current) - set(TABLE))
    gone = sorted(set(TABLE) - set(catalogue.current))
    assert not new, (
        f"{', '.join(new)}: installed, and nobody agreed to it yet. Give it a row in TABLE: its"
        " practices, its moments, how strict it is, whether it is core, its parameters"
    )
    assert not gone, (
        f"{', '.join(gone)}: agreed, and not installed. A rule that has judged is never taken away;"
        " to turn it off is for an organisation's policy set"
    )


@pytest.mark.parametrize("id_", TABLE)
def test_a_rule_is_as_the_table_says(catalogue: Catalogue, id_: str) -> None:
    """When a rule judges, how strictly, whether it is core, and its parameters are agreed."""
    rule = catalogue.current[id_]
    found = (rule.practices, set(rule.moments), rule.enforcement, rule.core, rule.defaults())
    assert found == TABLE[id_], (
        f"{id_} is not what was agreed (practices, moments, strictness, core, parameters). Where"
        " the change is agreed, change its row in TABLE with it"
    )
