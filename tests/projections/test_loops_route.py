"""GET /v1/loops and the lag in /health/ready, over HTTP, as services and people see them."""

from typing import Any, LiteralString

import pytest

from api.reads import listing
from followed import wait_until
from office import Office, decision, hours_ago
from projections import LOOPS, Site, lags
from projections.follower import Follower


def _listed(office: Office, actor: str, query: str = "") -> list[dict[str, Any]]:
    """The list as of all that was recorded before."""
    answer = office.get(actor, f"/loops?min_position={office.ledger_head()}{query}")
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer["items"]
    return items


def _ids(office: Office, actor: str, query: str = "") -> list[str]:
    return [item["loop"]["id"] for item in _listed(office, actor, query)]


def test_the_list_tells_of_a_loop_what_its_own_page_tells(office: Office) -> None:
    """Stage, versions, gate, decision and debts are the same in both, under the callers' ids."""
    cites = office.ready("one")
    office.did("dora", "/loops/one/decision", decision(cites))
    office.open("two")
    office.write_feedback("two", ["ivan"])
    for item in _listed(office, "hana"):
        loop = office.get("hana", f"/loops/{item['loop']['id']}").body
        for name in ("loop", "requisition", "stage", "opened_at", "scorecard", "posting"):
            assert item[name] == loop[name]
        assert item["candidate"]["id"] == loop["candidate"]["id"]
        assert item.get("decide_by") == loop.get("decide_by")
        for name in ("position", "stale"):
            assert item.get("gate", {}).get(name) == loop.get("gate", {}).get(name)
        for name in ("position", "decision", "conforming"):
            assert item.get("decision", {}).get(name) == loop.get("decision", {}).get(name)
        owed = [(one["session"], one["by"]) for one in item["owed"]]
        assert owed == [(x["id"], by) for x in loop["sessions"] for by in x["feedback_owed_by"]]


def test_the_list_is_filtered_by_the_callers_own_ids(office: Office) -> None:
    """Stage, candidate, requisition, age and who owes feedback, each by what the caller knows."""
    office.open("one")
    office.open("two", plan=False)
    office.write_feedback("one", ["ivan"])
    assert _ids(office, "hana") == ["one", "two"]
    assert _ids(office, "hana", "&stage=opened") == ["two"]
    assert _ids(office, "hana", "&stage=interviewing,opened") == ["one", "two"]
    assert _ids(office, "hana", "&candidate=candidate-of-two") == ["two"]
    assert _ids(office, "hana", "&owed_by=inga") == ["one"]
    assert _ids(office, "hana", "&owed_by=ivan") == []
    assert _ids(office, "hana", f"&owed_by={office.people['inga']}") == ["one"]
    assert _ids(office, "hana", "&requisition=llm-engineer&owed_by=inga") == ["one"]
    assert _ids(office, "hana", "&requisition=another") == []
    assert _ids(office, "hana", "&candidate=somebody-unknown") == []
    hour_ago = hours_ago(1).replace("+", "%2B")
    assert _ids(office, "hana", f"&opened_after={hour_ago}") == ["one", "two"]
    assert _ids(office, "hana", f"&opened_before={hour_ago}") == []


def test_the_list_of_a_past_moment_is_what_it_said_then(office: Office) -> None:
    """At every position the list is the one that was answered when the log had that length."""
    answers: dict[int, list[dict[str, Any]]] = {}

    def remember() -> None:
        answers[office.ledger_head()] = _listed(office, "hana")

    remember()
    for step in (
        lambda: office.open("one"),
        lambda: office.open("two", plan=False),
        lambda: office.write_feedback("one", ["ivan"]),
        lambda: office.did("hana", "/loops/two/withdrawal", {"code": "other-offer"}),
        lambda: office.ready("three"),
    ):
        step()
        remember()
    assert len({str(listed) for listed in answers.values()}) == len(answers)
    for position, listed in answers.items():
        assert _listed(office, "hana", f"&position={position}") == listed
    now = {item["loop"]["id"]: item["stage"] for item in _listed(office, "hana")}
    assert now["two"] == "withdrawn"


def test_a_condition_on_the_past_list_is_about_the_past(office: Office) -> None:
    """Stage and debts are those of the clock, and pages lead on over loops that did not meet it."""
    office.open("one")
    office.open("two", plan=False)
    before = f"&position={office.ledger_head()}"
    office.write_feedback("one", ["ivan", "inga"])
    assert _ids(office, "hana", f"{before}&owed_by=ivan") == ["one"]
    assert _ids(office, "hana", "&owed_by=ivan") == []
    first = office.get("hana", f"/loops?limit=1{before}")
    assert [one["loop"]["id"] for one in first["items"]] == ["one"]
    rest = office.get("hana", f"/loops?limit=1{before}&after={first['next']}")
    assert ([one["loop"]["id"] for one in rest["items"]], rest["next"]) == (["two"], None)
    long_ago = hours_ago(400).replace("+", "%2B")
    assert _ids(office, "hana", f"&at={long_ago}") == []
    both = office.get("hana", f"/loops?position=1&recorded={long_ago}")
    assert both.status == 400


def test_everyone_sees_their_own_loops_and_an_auditor_all(office: Office) -> None:
    """The team sees its requisition's loops, an interviewer those they take part in."""
    office.open("one")
    office.open("two", plan=False)
    seen = {who: _ids(office, who) for who in ("hana", "petra", "dora", "ivan", "olga", "udo")}
    both = ["one", "two"]
    assert seen == {
        "hana": both, "petra": both, "dora": both, "ivan": ["one"], "olga": [], "udo": both,
    }  # fmt: skip
    assert office.get("frida", "/loops").status == 403


def test_a_change_of_the_team_changes_who_sees_its_loops(office: Office) -> None:
    """Whoever joins the team sees its loops from then on, whoever leaves sees them no more."""
    office.open("one", plan=False)
    roles = {"roles": ["approver", "interviewer"]}
    office.call("POST", "/v1/people/olga/roles", roles, token=office.admin)
    assert (_ids(office, "olga"), _ids(office, "petra")) == ([], ["one"])
    team = {
        "hiring_manager": "hana",
        "tech_lead": "theo",
        "partner": {"person": "olga", "function": "security"},
        "decision_maker": "dora",
    }
    office.did("hana", "/requisitions/llm-engineer/changes", {"team": team})
    assert (_ids(office, "olga"), _ids(office, "petra")) == (["one"], [])


def test_the_list_comes_in_pages_with_a_link_to_the_next(office: Office) -> None:
    """`after` and `limit` give every loop once, and the last page has no link."""
    names = [f"loop-{number}" for number in range(5)]
    for name in names:
        office.open(name, plan=False)
    _listed(office, "hana")
    found: list[str] = []
    path = "/loops?limit=2&stage=opened"
    while path:
        answer = office.get("hana", path)
        found += [item["loop"]["id"] for item in answer["items"]]
        link = answer.headers.get("link", "")
        assert ("next" in link) == (answer["next"] is not None)
        assert not link or "stage=opened" in link
        path = link.partition(">")[0].removeprefix("</v1")
    assert found == names


BAD_CONDITIONS = (
    "stage=nowhere",
    "limit=0",
    "limit=1001",
    "after=-1",
    "opened_after=2026-01-01",
    "min_position=x",
)


def test_a_condition_that_is_none_is_refused(office: Office) -> None:
    """An unknown stage, a page of no size, a time without a zone: 400, with a pointer."""
    for query in BAD_CONDITIONS:
        answer = office.get("hana", f"/loops?{query}")
        assert answer.status == 400, query
        assert answer["errors"][0]["pointer"].split("/")[1] == query.partition("=")[0]
    assert office.get("hana", "/loops?age=3").status == 400


def test_who_has_just_written_reads_it_with_min_position(office: Office) -> None:
    """A list that must know of a fact knows of it, again and again, right after it is recorded."""
    for number in range(8):
        office.open(f"loop-{number}", plan=False)
        answer = office.get("hana", f"/loops?min_position={office.ledger_head()}")
        assert (answer.status, len(answer["items"])) == (200, number + 1)
        assert answer["position"] >= answer["items"][-1]["position"]


def test_a_position_that_the_log_does_not_have_is_refused_at_once(office: Office) -> None:
    """Nobody waits for a fact that nobody recorded."""
    answer = office.get("hana", f"/loops?min_position={office.ledger_head() + 1}")
    assert (answer.status, answer["errors"][0]["pointer"]) == (400, "/min_position")


def test_a_list_that_cannot_keep_up_says_so_and_ready_tells_the_lag(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the follower held up: 503 with Retry-After where it matters, an older list elsewhere."""
    monkeypatch.setattr(listing, "WAIT_SECONDS_MAX", 0.2)
    office.open("one", plan=False)
    assert _ids(office, "hana") == ["one"]
    site = Site.of(office.ledger.database)
    with office.ledger.database.connect("projector") as held:
        held.execute(site.text("select from {followed} for update"))
        before = office.ledger_head()
        office.open("two", plan=False)
        head = office.ledger_head()
        late = office.get("hana", f"/loops?min_position={head}")
        assert (late.status, late["type"]) == (503, "urn:hireledger:problem:unavailable")
        assert late.headers["retry-after"]
        older = office.get("hana", "/loops")
        assert (older.status, older["position"], len(older["items"])) == (200, before, 1)
        ready = office.call("GET", "/health/ready")
        (one,) = ready["projections"]
        assert (ready.status, ready["status"], ready["position"]) == (200, "ready", head)
        assert (one["name"], one["position"]) == ("loops", before)
        assert one["lag_facts"] == head - before
        assert one["lag_seconds"] > 0
    wait_until(lambda: office.call("GET", "/health/ready")["projections"][0]["lag_facts"] == 0)
    (one,) = office.call("GET", "/health/ready")["projections"]
    assert (one["position"], one["lag_seconds"]) == (office.ledger_head(), 0)


@pytest.mark.parametrize("tables", ["{loops}", "{loops}, {loop_teams}, {followed}"])
def test_dropped_read_models_are_built_again_and_until_then_a_503(
    office: Office, tables: LiteralString
) -> None:
    """Read models are disposable: without them the list says so, and they come back."""
    office.open("one", plan=False)
    database = office.ledger.database
    with database.connect("projector") as connection, connection.cursor() as cur:
        site = Site.of(database)
        wait_until(lambda: lags(cur, site, [LOOPS])[1][0].facts == 0)
        cur.execute(site.text("drop table ") + site.text(tables))
        connection.commit()
    office.open("two", plan=False)
    answers = {office.get("hana", "/loops").status}
    wait_until(lambda: _ids_or_none(office) == ["one", "two"])
    assert answers <= {200, 503}


def _ids_or_none(office: Office) -> list[str] | None:
    answer = office.get("hana", "/loops")
    return [item["loop"]["id"] for item in answer["items"]] if answer.status == 200 else None


def test_a_second_process_beside_the_server_does_no_harm(office: Office) -> None:
    """A follower elsewhere stands by, and the list goes on."""
    with Follower(office.ledger.database, [LOOPS]) as beside:
        wait_until(lambda: beside.state == "standing_by")
        office.open("one", plan=False)
        assert _ids(office, "hana") == ["one"]
