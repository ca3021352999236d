"""Reads: pages and streams, clocks, diffs of the rubric, corrections, catalogue."""

import json
from datetime import UTC, datetime
from typing import Any

from domain.commands import ImportRecord
from ledger.asked import Asked, Caller
from office import Office, hours_ago, scorecard


def test_a_list_pages_by_link_and_streams_to_its_end(office: Office) -> None:
    """Following `rel=next` gives what the NDJSON stream gives, each fact once and in order."""
    head = office.ledger_head()
    pages: list[int] = []
    path = "/facts?limit=7"
    while path:
        page = office.get("udo", path)
        pages += [one["position"] for one in page["items"]]
        link = page.headers.get("link", "")
        path = link.partition(">")[0].removeprefix("</v1") if 'rel="next"' in link else ""
        if pages[-1] >= head:
            break
    assert pages[:head] == list(range(1, head + 1))
    told = office.get("udo", "/facts?limit=50", headers={"Accept": "application/x-ndjson"})
    assert told.headers["content-type"].startswith("application/x-ndjson")
    streamed = [json.loads(line)["position"] for line in told.text.splitlines()]
    assert streamed[:head] == list(range(1, head + 1))


def test_an_unchanged_answer_is_not_sent_again(office: Office) -> None:
    """A reader who has the entity tag gets 304 without a body."""
    first = office.get("hana", "/scorecards/llm")
    again = office.get("hana", "/scorecards/llm", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.text) == (304, "")


def test_versions_of_a_scorecard_are_told_apart(office: Office) -> None:
    """A diff names by pointer what changed, lineage where a version comes from."""
    changed: dict[str, Any] = scorecard()
    changed["derived_from"] = {"id": "llm", "version": 1}
    changed["competencies"][0] |= {"weight": 3}
    before = office.ledger_head()
    office.did("hana", "/scorecards/llm/versions", changed)
    diff = office.get("hana", "/scorecards/llm/diff?from=1&to=2")
    weight = {"before": 1.0, "after": 3.0}
    assert diff["changes"] == {"/competencies/evals/weight": weight}
    lineage = office.get("hana", "/scorecards/llm/lineage")["versions"]
    assert [one["derived_from"] for one in lineage] == [None, {"id": "llm", "version": 1}]
    assert lineage[0]["approved_for"] == ["llm-engineer"]
    then = office.get("hana", f"/scorecards/llm?position={before}")
    assert [v["version"] for v in then["versions"]] == [1]
    assert office.get("hana", "/scorecards/llm/versions/2").status == 200
    assert office.get("hana", f"/scorecards/llm/versions/2?position={before}").status == 404


def test_a_correction_stands_beside_the_fact_it_is_about(office: Office) -> None:
    """What a reader must know about an earlier fact is a fact; the earlier one stays."""
    office.open("one")
    (position,) = office.write_feedback("one", ["ivan"])
    before = office.get("udo", f"/facts/{position}")["leaf"]
    said = {"text": "The rating was meant for the other session."}
    made = office.did("udo", f"/facts/{position}/correction", said)
    assert office.get("udo", f"/facts/{position}")["leaf"] == before
    told = office.get("udo", f"/facts/{made.position}")
    assert list(told["values"].values()) == [said["text"]]
    assert office.post("udo", "/facts/999999/correction", said).status == 404


def test_the_catalogue_says_why_each_rule_is_there(office: Office) -> None:
    """Every rule names source, practices, moments and examples of both kinds."""
    rules = office.get("ivan", "/policies")["items"]
    assert len(rules) == 28
    for rule in rules:
        assert rule["rationale"], rule["id"]
        assert rule["source"], rule["id"]
        assert {e["verdict"] for e in rule["examples"]} == {"accepted", "refused"}
    one = office.get("ivan", "/policies/two-independent-interviewers")
    assert one["core"] is True
    assert office.get("ivan", "/policies/no-such-rule").status == 404


def test_another_set_of_rules_can_be_asked_what_it_would_have_said(office: Office) -> None:
    """A replay under today's rules differs where they do, and records nothing but the read."""
    office.ready("one")
    lenient = {"policies": [{"id": "feedback-on-time", "enforcement": "block"}]}
    office.call("POST", "/v1/policy-sets/strict/versions", lenient, token=office.admin)
    recorded = office.get("udo", "/loops/one/replay")
    current = office.get("udo", "/loops/one/replay?set=strict")
    assert recorded["identical"]
    assert not current["identical"]
    assert office.get("udo", "/loops/one/replay?set=unheard-of").status == 404


def test_an_audit_read_is_itself_on_record(office: Office) -> None:
    """Who read a loop's story with the audit role stands in the log before they see it."""
    office.open("one")
    office.get("udo", "/loops/one/timeline")
    (read,) = office.get("udo", "/facts?type=record-viewed.v1")["items"]
    assert json.loads(read["leaf"])["what"] == "timeline"
    assert read["by"] == office.people["udo"]


def test_a_stream_ends_where_the_log_ended_when_it_began(office: Office) -> None:
    """The notes of its own reading do not keep a stream going."""
    head = office.ledger_head()
    told = office.get("udo", "/facts?limit=1", headers={"Accept": "application/x-ndjson"})
    positions = [json.loads(line)["position"] for line in told.text.splitlines()]
    assert positions == list(range(1, head + 1))


def test_a_correction_is_sealed_for_the_candidate(office: Office) -> None:
    """Erasing the candidate takes the words of a correction along: they are under their key."""
    office.open("one")
    office.did("hana", "/loops/one/debrief")
    said = office.did("hana", "/loops/one/debrief/statements", {"text": "They saw it coming."})
    made = office.did("udo", f"/facts/{said.position}/correction", {"text": "Another candidate."})
    candidate = office.get("hana", "/loops/one")["candidate"]["handle"]
    with office.ledger.reading() as group:
        group.cur.execute("select subject from disclosures where position = %s", [made.position])
        assert group.cur.fetchall() == [(candidate,)]


def test_a_scorecard_can_be_asked_for_before_it_was_written_as_claimed(office: Office) -> None:
    """A retirement reported with an earlier time than the version itself is no fault."""
    retired = {"reason": "Replaced.", "at": hours_ago(5)}
    office.did("hana", "/scorecards/llm/versions/1/retirement", retired)
    assert office.get("hana", f"/scorecards/llm?at={hours_ago(2)[:19]}Z").status == 200


def test_who_reads_a_corrected_fact_hears_of_the_correction(office: Office) -> None:
    """A feedback is shown with what was said about it later, a fact names where that stands."""
    office.open("one")
    first, _ = office.write_feedback("one")
    said = {"text": "The rating was meant for the other session."}
    made = office.did("udo", f"/facts/{first}/correction", said)
    shown = office.get("hana", f"/loops/one/feedback/{first}")
    (correction,) = shown["corrections"]
    assert correction["position"] == made.position
    assert list(correction["values"].values()) == [said["text"]]
    assert office.get("dora", f"/facts/{first}")["corrected_by"] == [made.position]
    assert list(office.get("dora", f"/facts/{made.position}")["values"].values()) == [said["text"]]


def test_a_correction_of_an_imported_record_can_be_read(office: Office) -> None:
    """Nobody interviews in an imported case; reading what was said about it is no fault."""
    command = ImportRecord(
        system="old",
        log="archive",
        case="old:archive:1",
        place=0,
        activity="Interview",
        claimed_at=datetime(2015, 1, 5, tzinfo=UTC),
    )
    system = Caller("system", "system", "system", frozenset({"administrator"}))
    (one,) = office.ledger.submit(Asked(command, system, "import-1", b"")).result().recorded
    made = office.did("udo", f"/facts/{one.position}/correction", {"text": "By telephone."})
    assert office.get("udo", f"/facts/{made.position}").status == 200
    assert office.get("udo", "/facts?limit=1000").status == 200
    assert office.get("udo", f"/facts/{one.position}")["corrected_by"] == [made.position]
