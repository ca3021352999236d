"""The blind rule: who owes feedback in a loop reads nobody else's there, by any route."""

import json

import pytest

from office import EVIDENCE, Office, completed, decision, feedback


def _views(office: Office) -> list[dict[str, str]]:
    page = office.get("udo", "/facts?type=feedback-viewed.v1&limit=1000")
    items: list[dict[str, str]] = page["items"]
    return items


ROUTES = (
    "/loops/one/feedback/{position}",
    "/loops/one/timeline",
    "/loops/one/readiness",
    "/loops/one/replay",
    "/facts/{position}",
)


@pytest.mark.parametrize("path", ROUTES)
def test_who_owes_feedback_is_refused_and_no_view_is_noted(office: Office, path: str) -> None:
    """403 by each route, no `feedback-viewed`, and not a word of the evidence in the answer."""
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    answer = office.get("inga", path.format(position=position))
    assert answer.status == 403
    assert answer["type"] == "urn:hireledger:problem:feedback-owed"
    assert EVIDENCE not in answer.text
    assert _views(office) == []


def test_every_other_role_owes_as_well(office: Office) -> None:
    """An auditor who interviews is blind in that loop too: the log shows that it withholds."""
    roles = {"roles": ["interviewer", "auditor", "hiring_manager"]}
    office.call("POST", "/v1/people/inga/roles", roles, token=office.admin)
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    assert office.get("inga", "/loops/one/timeline").status == 403
    assert office.get("inga", f"/facts/{position}").status == 403
    page = office.get("inga", "/facts?limit=1000")
    (hidden,) = (one for one in page["items"] if one["position"] == position)
    assert (hidden["withheld"], hidden["leaf"]) == ("blind-rule", None)
    assert EVIDENCE not in page.text
    assert _views(office) == []


def test_a_batch_is_no_way_around_it(office: Office) -> None:
    """A batch takes writes only; its answers show nobody's words."""
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    lines = [
        {"key": "b1", "actor": "inga", "path": f"/v1/loops/one/feedback/{position}"},
        {"key": "b2", "actor": "inga", "path": "/v1/loops/one/timeline"},
    ]
    sent = "\n".join(json.dumps(line) for line in lines).encode()
    answer = office.call(
        "POST", "/v1/batch", headers={"Content-Type": "application/x-ndjson"}, content=sent
    )
    results = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["status"] for one in results] == [404, 404]
    assert EVIDENCE not in answer.text
    assert _views(office) == []


def test_once_written_the_others_may_be_read_and_that_is_noted_first(office: Office) -> None:
    """After one's own feedback the words are shown, and who saw whose stands in the log."""
    office.open("one")
    (theirs,) = office.write_feedback("one", ["ivan"])
    office.write_feedback("one", ["inga"])
    shown = office.get("inga", f"/loops/one/feedback/{theirs}")
    assert EVIDENCE in shown["feedback"]["values"].values()
    (view,) = _views(office)
    assert json.loads(view["leaf"])["viewed"] == [theirs]
    assert view["by"] == office.people["inga"]
    office.get("inga", f"/loops/one/feedback/{theirs}")
    assert len(_views(office)) == 1


def test_own_feedback_is_read_back_without_a_note(office: Office) -> None:
    """The author reads their own words, also while owing in another session."""
    office.open("one")
    (mine,) = office.write_feedback("one", ["ivan"])
    assert office.get("ivan", f"/loops/one/feedback/{mine}").status == 200
    assert office.get("ivan", f"/facts/{mine}").status == 200
    assert _views(office) == []


def test_who_read_before_writing_does_not_count_as_independent(office: Office) -> None:
    """A manager who read and is then put into a session is frozen as not independent."""
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    assert office.get("hana", f"/loops/one/feedback/{position}").status == 200
    swap = {"from": "inga", "to": "hana", "reason": "Inga is ill."}
    office.did("hana", "/loops/one/sessions/second/replacement", swap)
    written = office.did("hana", "/loops/one/sessions/second/feedback", feedback("second"))
    assert "own-feedback-first" in office.post("hana", "/loops/one/gates/evidence").policies()
    leaf = office.get("udo", f"/facts/{written.position}")["leaf"]
    assert json.loads(leaf)["independence"] == "read_before_writing"


def test_amending_after_reading_shows(office: Office) -> None:
    """An amendment by someone who has read others since is marked so for ever."""
    office.open("one")
    first, second = office.write_feedback("one")
    office.get("inga", f"/loops/one/feedback/{first}")
    change = {"ratings": feedback("second", 5)["ratings"], "reason": "On reflection."}
    amended = office.did("inga", f"/loops/one/feedback/{second}/amendments", change)
    leaf = office.get("udo", f"/facts/{amended.position}")["leaf"]
    assert json.loads(leaf)["independence"] == "amended_after_reading"
    gate = office.post("hana", "/loops/one/gates/evidence")
    assert "two-independent-interviewers" in gate.policies()


def test_nobody_lets_themselves_into_a_loop(office: Office) -> None:
    """An interviewer of other loops cannot report that they attended, and so read or write here."""
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    report = completed("ivan") | {"attendees": ["olga"]}
    assert office.post("olga", "/loops/one/sessions/first/completed", report).status == 403
    assert office.get("olga", f"/loops/one/feedback/{position}").status == 404
    assert (
        office.post("olga", "/loops/one/sessions/first/feedback", feedback("first")).status == 403
    )


def test_whoever_attended_owes_feedback_too(office: Office) -> None:
    """Someone whom the panel reports as attending is blind until they wrote."""
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    report = completed("inga") | {"attendees": ["inga", "olga"]}
    office.did("inga", "/loops/one/sessions/second/completed", report)
    assert office.get("olga", f"/loops/one/feedback/{position}").status == 403


def test_calling_off_ones_own_session_releases_nobody(office: Office) -> None:
    """An owing interviewer who reports their session as cancelled still reads nothing."""
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    office.did("inga", "/loops/one/sessions/second/cancelled", {"reason": "No time."})
    assert office.get("inga", f"/loops/one/feedback/{position}").status == 403


def test_the_reasons_of_a_refused_decision_are_opinions_too(office: Office) -> None:
    """Who owes feedback does not learn from a decision's reasons what others saw."""
    office.open("one")
    cites = office.write_feedback("one", ["ivan"])
    refused = office.post("dora", "/loops/one/decision", decision(cites))
    assert office.get("inga", f"/facts/{refused['position']}").status == 403


def test_a_stranger_cannot_make_a_gate_stale(office: Office) -> None:
    """What somebody discloses who wrote nothing in the loop does not move its gate."""
    cites = office.ready("one")
    office.did("olga", "/loops/one/relationships", {"relationship": "none"})
    office.did("dora", "/loops/one/decision", decision(cites))
