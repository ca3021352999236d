"""Policy sets: what an organisation may set, and what it is told when it may not."""

import msgspec
import pytest

from domain import facts as f
from domain.findings import Enforcement, ParamValue
from domain.refusals import Meaningless
from policies import Catalogue
from policies._examples import decidable, planned
from policies._policy import Param

EVIDENCED = "every-competency-evidenced"


def setting(
    id_: str,
    enforcement: Enforcement = "block",
    version: int | None = None,
    **params: ParamValue,
) -> f.PolicySetting:
    """One line of a policy set."""
    return f.PolicySetting(id=id_, version=version, enforcement=enforcement, params=params)


def test_the_default_set_spells_out_every_rule(catalogue: Catalogue) -> None:
    """The first set says of each rule its version, strictness and parameters."""
    default = catalogue.default_set()
    assert [one.id for one in default] == sorted(catalogue.current)
    assert all(one.version is not None for one in default)
    by_id = {one.id: one for one in default}
    assert by_id[EVIDENCED].params == {"words_min": 8}
    catalogue.check_settings(default)


def test_the_default_set_judges_as_no_set_does(catalogue: Catalogue) -> None:
    """To adopt the defaults changes nothing."""
    for case in (decidable().asks_decide().case, planned().asks_gate().case):
        adopted = f.PolicySetAdopted(
            stamp=case.draft.stamp,
            policy_set="default",
            version=1,
            policies=catalogue.default_set(),
        )
        assert catalogue.judge(case, adopted) == catalogue.judge(case, None)


@pytest.mark.parametrize(
    ("wrong", "pointer", "detail"),
    [
        (setting("no-such-rule"), "/policies/1/id", "no such rule; the catalogue lists them"),
        (setting(EVIDENCED, version=9), "/policies/1/version", "the rule has no such version"),
        (
            setting("two-independent-interviewers", "warn"),
            "/policies/1/enforcement",
            "a core rule cannot be turned down below block",
        ),
        (
            setting("own-feedback-first", "off"),
            "/policies/1/enforcement",
            "a core rule cannot be turned down below warn",
        ),
        (
            setting(EVIDENCED, sentences=3),
            "/policies/1/params",
            "the rule has no such parameter; it has: words_min",
        ),
        (
            setting("recommendation-first", days=3),
            "/policies/1/params",
            "the rule has no such parameter; it has: none",
        ),
        (
            setting(EVIDENCED, words_min="8"),
            "/policies/1/params/words_min",
            "give a whole number from 1 to 200",
        ),
        (
            setting(EVIDENCED, words_min=True),
            "/policies/1/params/words_min",
            "give a whole number from 1 to 200",
        ),
        (
            setting(EVIDENCED, words_min=8.0),
            "/policies/1/params/words_min",
            "give a whole number from 1 to 200",
        ),
        (
            setting(EVIDENCED, words_min=0),
            "/policies/1/params/words_min",
            "give a whole number from 1 to 200",
        ),
        (
            setting("scorecard-approved-by-three", distinct_approvers_min=1),
            "/policies/1/params/distinct_approvers_min",
            "give a whole number from 2 to 3",
        ),
        (
            setting("feedback-on-time", due="48h"),
            "/policies/1/params/due",
            "give one of 24h, next_business_day",
        ),
        (
            setting("relationships-disclosed", disqualifying=("none",)),
            "/policies/1/params/disqualifying",
            (
                "give a list, each at most once, of alumni, colleague, current_manager, family,"
                " referrer, other"
            ),
        ),
        (
            setting("relationships-disclosed", disqualifying=("family", "family")),
            "/policies/1/params/disqualifying",
            (
                "give a list, each at most once, of alumni, colleague, current_manager, family,"
                " referrer, other"
            ),
        ),
    ],
)
def test_a_setting_that_no_rule_can_follow_is_told_where_and_why(
    catalogue: Catalogue, wrong: f.PolicySetting, pointer: str, detail: str
) -> None:
    """The pointer names the field, the detail what may stand there, and no input is repeated."""
    with pytest.raises(Meaningless) as refusal:
        catalogue.check_settings((setting("feedback-on-time", "warn"), wrong))
    assert (refusal.value.pointer, refusal.value.detail) == (pointer, detail)


@pytest.mark.parametrize(
    "right",
    [
        setting(EVIDENCED, "off"),
        setting(EVIDENCED, "warn", 1, words_min=200),
        setting("own-feedback-first", "block"),
        setting("scorecard-approved-by-three", distinct_approvers_min=2),
        setting("feedback-on-time", "block", due="next_business_day"),
        setting("relationships-disclosed", disqualifying=()),
        setting(
            "relationships-disclosed",
            disqualifying=(
                "alumni",
                "colleague",
                "current_manager",
                "family",
                "referrer",
                "other",
            ),
        ),
        setting("screening-by-posted-criteria", "warn", screen_no_hire="warn"),
    ],
)
def test_what_an_organisation_may_choose_is_accepted(
    catalogue: Catalogue, right: f.PolicySetting
) -> None:
    """Rules that are not core may be turned either way, core rules up."""
    catalogue.check_settings((right,))


@pytest.mark.parametrize(
    ("param", "wanted"),
    [
        (Param(default=True, meaning="m"), "true or false"),
        (Param(default=2, meaning="m", least=1, most=3), "a whole number from 1 to 3"),
    ],
)
def test_a_parameter_says_what_it_wants(param: Param, wanted: str) -> None:
    """The catalogue and the refusal say it in the same words."""
    assert param.wanted() == wanted
    assert param.accepts(param.default)
    assert not param.accepts("x")


def test_a_parameter_is_never_a_fraction() -> None:
    """Fractions are not the same bytes everywhere, so no rule has one."""
    assert not Param(default=1.5, meaning="m", least=1, most=2).accepts(1.5)


def test_a_set_from_json_is_checked_as_it_was_sent(catalogue: Catalogue) -> None:
    """A list becomes a tuple and a number stays a number on the way from JSON."""
    sent = (
        b'[{"id":"relationships-disclosed","enforcement":"warn",'
        b'"params":{"disqualifying":["family"]}},'
        b'{"id":"every-competency-evidenced","enforcement":"block","params":{"words_min":20}}]'
    )
    catalogue.check_settings(msgspec.json.decode(sent, type=tuple[f.PolicySetting, ...]))


def test_the_catalogue_describes_every_rule(catalogue: Catalogue) -> None:
    """Whoever asks sees rationale, source, parameters, versions, digest and examples, as JSON."""
    entries = {entry.id: entry for entry in catalogue.entries()}
    assert list(entries) == sorted(catalogue.current)
    one = entries["feedback-on-time"]
    assert (one.version, one.versions, one.core) == (1, (1,), False)
    assert one.moments == ("feedback", "gate")
    assert one.params["due"].wanted == "one of 24h, next_business_day"
    assert one.source_digest == catalogue.digests[("feedback-on-time", 1)]
    assert {example.verdict for example in one.examples} == {"accepted", "refused"}
    assert msgspec.json.decode(msgspec.json.encode(list(entries.values())))
