"""What came of a loop, and whatever tells of it, is withheld from those who owe feedback in it."""

import json
from typing import Any

import pytest

from office import Office, feedback

OPINIONS = {
    "decision-observed.v1",
    "offer-recorded.v1",
    "debrief-closed.v1",
    "feedback-submitted.v1",
    "loop-closed.v1",
}
TELLS = ("gate", "recommendations", "decision", "offer", "disposition", "exceptions")


@pytest.fixture
def ended(office: Office) -> Office:
    """A loop that ended with a hire elsewhere; Inga owes, and is an auditor besides."""
    roles = {"roles": ["interviewer", "auditor"]}
    office.call("POST", "/v1/people/inga/roles", roles, token=office.admin)
    office.open("one")
    office.write_feedback("one", ["ivan"])
    office.did("inga", "/loops/one/relationships", {"relationship": "none"})
    office.did("hana", "/loops/one/debrief")
    office.did("hana", "/loops/one/debrief/closing", {"dissent": "none"})
    source = {"system": "ats", "object": "offer", "id": "1"}
    observed = {"decision": "hire", "source": source}
    office.did("dora", "/loops/one/decision/observed", observed)
    office.did("hana", "/loops/one/offer", {"status": "made"})
    office.did("dora", "/loops/one/closing", {"disposition": "hired"})
    return office


def no_auditor(office: Office) -> None:
    """Inga interviews, and that is all."""
    roles = {"roles": ["interviewer"]}
    office.call("POST", "/v1/people/inga/roles", roles, token=office.admin)


def writes(office: Office) -> None:
    """Inga hands in what she owes."""
    office.did("inga", "/loops/one/sessions/second/feedback", feedback("second"))


def listed(office: Office, query: str = "") -> list[dict[str, Any]]:
    """What Inga finds in the list."""
    answer = office.get("inga", f"/loops?min_position={office.ledger_head()}{query}")
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer["items"]
    return items


@pytest.mark.parametrize("auditor", [True, False], ids=["auditor", "interviewer"])
def test_the_loop_tells_its_state_without_the_outcome(ended: Office, auditor: bool) -> None:
    """Also as of a clock; once she has written it is all there."""
    if not auditor:
        no_auditor(ended)
    for clock in ("", f"?position={ended.ledger_head()}"):
        told = ended.get("inga", f"/loops/one{clock}").body
        assert told["withheld"] == "blind-rule"
        assert told["stage"] == "debrief"
        assert not [name for name in TELLS if name in told]
    told = ended.get("inga", "/loops/one").body
    assert [s["feedback_owed_by"][0]["id"] for s in told["sessions"][1:]] == ["inga"]
    writes(ended)
    told = ended.get("inga", "/loops/one").body
    assert "withheld" not in told
    assert (told["stage"], told["disposition"], told["offer"]) == ("closed", "hired", "made")
    assert told["decision"]["decision"] == "hire"


@pytest.mark.parametrize("auditor", [True, False], ids=["auditor", "interviewer"])
def test_the_list_neither_tells_nor_finds_it(ended: Office, auditor: bool) -> None:
    """No row says it, now or as of a clock, and no condition finds it out."""
    if not auditor:
        no_auditor(ended)
    for clock in ("", f"&position={ended.ledger_head()}"):
        (row,) = listed(ended, clock)
        assert (row["withheld"], row["stage"]) == ("blind-rule", "debrief")
        assert not [name for name in TELLS if name in row]
        assert listed(ended, f"{clock}&stage=closed,decided,withdrawn") == []
        assert len(listed(ended, f"{clock}&stage=debrief")) == 1
    writes(ended)
    (row,) = listed(ended, "&stage=closed")
    assert (row["disposition"], row["decision"]["decision"]) == ("hired", "hire")
    assert "withheld" not in row
    assert listed(ended, "&stage=debrief") == []


def test_others_of_the_loop_see_it_meanwhile(ended: Office) -> None:
    """The rule binds who owes, and nobody else."""
    told = ended.get("ivan", "/loops/one").body
    assert (told["stage"], told["disposition"]) == ("closed", "hired")
    (row,) = ended.get("udo", f"/loops?min_position={ended.ledger_head()}")["items"]
    assert row["stage"] == "closed"


@pytest.mark.parametrize("auditor", [True, False], ids=["auditor", "interviewer"])
def test_facts_that_tell_it_are_refused_and_so_are_their_proofs(
    ended: Office, auditor: bool
) -> None:
    """Each is a 403 until she has written; what is harmless she reads all the while."""
    page = ended.get("udo", "/facts?loop=one&limit=1000")
    tells = [one["position"] for one in page["items"] if one["type"] in OPINIONS]
    (plan,) = (one["position"] for one in page["items"] if one["type"] == "loop-planned.v1")
    assert len(tells) == len(OPINIONS)
    if not auditor:
        no_auditor(ended)
    for position in tells:
        for path in (f"/facts/{position}", f"/facts/{position}/proof"):
            answer = ended.get("inga", path)
            assert (answer.status, answer["type"][-13:]) == (403, "feedback-owed")
    assert ended.get("inga", f"/facts/{plan}/proof").status == 200
    writes(ended)
    for position in tells:
        assert ended.get("inga", f"/facts/{position}").status == 200
        assert ended.get("inga", f"/facts/{position}/proof").status == 200


@pytest.mark.parametrize("path", ["timeline", "readiness", "replay", "dossier"])
@pytest.mark.parametrize("auditor", [True, False], ids=["auditor", "interviewer"])
def test_what_tells_of_all_of_it_is_refused_whole(ended: Office, path: str, auditor: bool) -> None:
    """403 while she owes; afterwards no more."""
    if not auditor:
        no_auditor(ended)
    assert ended.get("inga", f"/loops/one/{path}").status == 403
    writes(ended)
    assert ended.get("inga", f"/loops/one/{path}").status != 403


def test_the_candidates_record_is_refused_to_an_officer_who_owes(ended: Office) -> None:
    """A privacy officer may interview as well."""
    roles = {"roles": ["interviewer", "privacy_officer"]}
    ended.call("POST", "/v1/people/inga/roles", roles, token=ended.admin)
    assert ended.get("inga", "/candidates/candidate-of-one/record").status == 403
    writes(ended)
    assert ended.get("inga", "/candidates/candidate-of-one/record").status == 200


def test_the_log_does_not_even_tell_of_which_type_they_are(ended: Office) -> None:
    """An offer says how it was decided, so the type is withheld, also from filters."""
    page = ended.get("inga", "/facts?loop=one&limit=1000")
    hidden = [one for one in page["items"] if one.get("withheld")]
    assert len(hidden) == len(OPINIONS)
    assert all(one["type"] is None and one["leaf"] is None for one in hidden)
    for type_ in OPINIONS:
        assert type_ not in page.text
        assert ended.get("inga", f"/facts?type={type_}")["items"] == []
    writes(ended)
    page = ended.get("inga", "/facts?loop=one&limit=1000")
    assert {one["type"] for one in page["items"]} >= OPINIONS
    for type_ in OPINIONS:
        assert ended.get("inga", f"/facts?type={type_}")["items"] != []


def test_no_filter_tells_which_types_there_are(ended: Office) -> None:
    """The page, where it ends, and what is noted of looking are the same for what is not there."""
    absent = "explanation-issued.v1"
    for query in ("limit=1&", "limit=1&loop=one&", ""):
        told: list[tuple[object, object]] = []
        for type_ in sorted({*OPINIONS, absent}):
            before = ended.ledger_head()
            page = ended.get("inga", f"/facts?{query}type={type_}")
            (noted,) = ended.get("udo", f"/facts?after={before}&limit=1")["items"]
            leaf = json.loads(noted["leaf"])
            assert (leaf["first"], leaf["last"]) == (1, before)
            told.append((page["items"], page["next"]))
        assert told == [([], None)] * len(told)


def test_what_is_withheld_names_nobody(ended: Office) -> None:
    """Who decides things tells what was done."""
    page = ended.get("inga", "/facts?loop=one&limit=1000")
    hidden = [one for one in page["items"] if one.get("withheld")]
    assert {(one["by"], one["at"]) for one in hidden} == {(None, None)}
    assert ended.people["dora"] not in json.dumps(hidden)


def test_the_list_does_not_move_with_what_is_withheld(ended: Office) -> None:
    """Neither where the last fact of a loop stands nor when it happened."""
    (before,) = listed(ended)
    ended.did("hana", "/loops/one/offer", {"status": "accepted"})
    (after,) = listed(ended)
    assert after == before
    writes(ended)
    (row,) = listed(ended)
    assert row["position"] > before["position"]


def test_no_bundle_with_a_fact_of_such_a_loop_is_handed_out(office: Office) -> None:
    """Also while the loop holds nobody's opinion yet; a bundle without one of its facts is."""
    roles = {"roles": ["interviewer", "auditor"]}
    office.call("POST", "/v1/people/inga/roles", roles, token=office.admin)
    before = office.ledger.publisher.checkpoint_at_least(office.ledger_head()).size
    office.open("one")
    after = office.ledger.publisher.checkpoint_at_least(office.ledger_head()).size
    assert before < after < 256

    def bundle(width: int) -> int:
        return office.call("GET", f"/tile/entries/000.p/{width}", actor="inga").status

    assert (bundle(before), bundle(after)) == (200, 403)
    office.write_feedback("one", ["inga"])
    assert bundle(after) == 200
