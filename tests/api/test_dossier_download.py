"""The dossier over HTTP: what it holds, for whom, and what is noted before it is sent."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.proof.verdict import Verdict
from ledger.proof.verify import verify
from office import EVIDENCE, Answer, Office, decision, rules

PATH = "/loops/one/dossier"


@pytest.fixture
def decided(office: Office) -> Office:
    """A loop that was decided, and another of the same requisition beside it."""
    office.ready("another")
    positions = office.ready("one")
    office.did("dora", "/loops/one/decision", decision(positions))
    return office


def verdict_on(office: Office, answer: Answer) -> Verdict:
    """What somebody says who was given the log's key."""
    assert answer.status == 200, answer.text
    vkeys = office.ledger.publisher.keys.vkeys
    return verify(answer.text.encode(), vkeys, None, rules(), now=datetime.now(UTC))


def words_in(answer: Answer) -> set[str]:
    """Every personal value that the file discloses."""
    found: set[str] = set()
    for text in answer["disclosures"]:
        found.add(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))[2])
    return found


def views(office: Office) -> list[dict[str, Any]]:
    """Every note that somebody saw feedback."""
    page = office.get("udo", "/facts?type=feedback-viewed.v1&limit=1000")
    return [json.loads(one["leaf"]) for one in page["items"]]


def test_it_verifies_and_names_nobody(decided: Office) -> None:
    """A file to save, in which every step holds."""
    answer = decided.get("hana", PATH)
    verdict = verdict_on(decided, answer)
    assert verdict.accepted, verdict.failed
    assert [step.outcome for step in verdict.steps] == ["passed"] * 9 + ["not applicable"]
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == 'attachment; filename="dossier.json"'
    assert answer.headers["cache-control"] == "no-store"


def test_it_holds_no_other_candidates_facts(decided: Office) -> None:
    """Of two loops that ran beside each other, only one's handles are in it."""
    answer = decided.get("hana", PATH)
    other = decided.get("hana", "/loops/another")["loop"]["handle"]
    assert answer["loop"] in answer.text
    assert other not in answer.text
    candidates = {w for one in answer["facts"] for w in one["leaf"].split('"') if w[:2] == "c_"}
    assert len(candidates) == 1


@pytest.mark.parametrize(
    ("withhold", "gone"),
    [
        ("name", {"Nobody Inparticular", "nobody@example.org"}),
        ("evidence", {EVIDENCE, "Both saw it."}),
        ("reasons", {"Both saw it done."}),
        ("name,evidence,reasons", {"Nobody Inparticular", EVIDENCE, "Both saw it done."}),
    ],
)
def test_what_is_withheld_is_not_in_it_and_it_verifies(
    decided: Office, withhold: str, gone: set[str]
) -> None:
    """A kind that is left out is gone, the others are there, and the verdict is the same."""
    whole, less = decided.get("hana", PATH), decided.get("hana", f"{PATH}?withhold={withhold}")
    assert verdict_on(decided, less).accepted
    assert gone <= words_in(whole)
    assert not gone & words_in(less)
    assert less["facts"] == whole["facts"]
    assert bool(words_in(less)) == ("," not in withhold)


ADVICE = "Counsel advises to keep it short."
ANOTHER = "Clearer than Nobody Else in the same week."


def given_for_guarded_reasons(office: Office) -> None:
    """A decision for three reasons, of which two say what others said, or about others."""
    body = decision(office.ready("one"))
    body["reasons"] += [
        {"kind": "legal", "text": ADVICE},
        {"kind": "comparative", "text": ANOTHER},
    ]
    office.did("dora", "/loops/one/decision", body)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", set[str]()),
        ("?withhold=name", set[str]()),
        ("?disclose=legal", {ADVICE}),
        ("?disclose=comparative", {ANOTHER}),
        ("?disclose=legal,comparative", {ADVICE, ANOTHER}),
        ("?disclose=legal,comparative&withhold=reasons", set[str]()),
    ],
)
def test_legal_advice_and_comparisons_leave_only_when_an_auditor_asks(
    office: Office, query: str, told: set[str]
) -> None:
    """Two kinds of reasons are withheld of themselves; the file verifies with and without them."""
    given_for_guarded_reasons(office)
    answer = office.get("udo", PATH + query)
    assert verdict_on(office, answer).accepted
    assert words_in(answer) & {ADVICE, ANOTHER} == told
    assert ("Both saw it done." in words_in(answer)) == ("reasons" not in query)


def test_guarded_reasons_are_disclosed_to_nobody_but_auditors(office: Office) -> None:
    """Whoever decided has a file without them, and is refused one with them."""
    given_for_guarded_reasons(office)
    for person in ("hana", "dora"):
        assert not {ADVICE, ANOTHER} & words_in(office.get(person, PATH))
        for kind in ("legal", "comparative", "legal,comparative"):
            refused = office.get(person, f"{PATH}?disclose={kind}")
            assert (refused.status, refused["type"][-9:]) == (403, "forbidden")
    assert office.get("udo", f"{PATH}?disclose=competency").status == 400


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", False),
        ("?disclose=legal", False),
        ("?disclose=comparative", False),
        ("?disclose=legal,comparative", True),
        ("?disclose=legal,comparative&withhold=reasons", False),
        ("?disclose=legal,comparative&withhold=evidence", False),
    ],
)
def test_a_correction_of_a_guarded_reason_leaves_no_sooner_than_the_reason(
    office: Office, query: str, told: bool
) -> None:
    """Nothing says which reason it is about, nor which one the correction of it is."""
    positions = office.ready("one")
    body = decision(positions)
    body["reasons"] += [{"kind": "legal", "text": ADVICE}, {"kind": "comparative", "text": ANOTHER}]
    made = office.did("dora", "/loops/one/decision", body).position
    noted = office.did("udo", f"/facts/{made}/correction", {"text": f"Not so: {ADVICE}"}).position
    office.did("udo", f"/facts/{noted}/correction", {"text": f"Rather so: {ANOTHER}"})
    office.did("udo", f"/facts/{positions[0]}/correction", {"text": "It was a Tuesday."})
    office.did("dora", "/loops/one/decision/reversal", {"reason": "The budget is gone."})
    office.did("dora", "/loops/one/decision", decision(positions))
    answer = office.get("udo", PATH + query)
    assert verdict_on(office, answer).accepted
    corrections = {f"Not so: {ADVICE}", f"Rather so: {ANOTHER}"}
    assert words_in(answer) & corrections == (corrections if told else set())
    assert ("It was a Tuesday." in words_in(answer)) == ("withhold=evidence" not in query)


def test_a_correction_of_a_name_is_withheld_with_the_name(decided: Office) -> None:
    """It is of every kind that it may say again; the file verifies all the same."""
    opened = decided.get("udo", "/facts?loop=one&type=loop-opened.v1")["items"][0]["position"]
    decided.did("udo", f"/facts/{opened}/correction", {"text": "Her name is Other Inparticular."})
    decided.did("dora", "/loops/one/decision/reversal", {"reason": "The budget is gone."})
    decided.did("dora", "/loops/one/decision", decision())
    for query, told in (("", True), ("?withhold=name", False), ("?withhold=evidence", False)):
        answer = decided.get("hana", PATH + query)
        assert verdict_on(decided, answer).accepted
        assert ("Her name is Other Inparticular." in words_in(answer)) == told


def test_names_of_staff_are_for_auditors(decided: Office) -> None:
    """Handles say who decided; what they are called, an auditor's file says."""
    assert "Hana Invented" not in words_in(decided.get("hana", PATH))
    assert "Hana Invented" in words_in(decided.get("udo", PATH))


def test_whoever_owes_feedback_gets_none_and_no_view_is_noted(office: Office) -> None:
    """The blind rule holds for this file as for any other reading, decided or not."""
    office.ready("one")
    office.did("dora", "/loops/one/decision", decision())
    office.did(
        "hana",
        "/loops/one/sessions/first/replacement",
        {"from": "ivan", "to": "olga", "reason": "ill"},
    )
    answer = office.get("olga", PATH)
    assert answer.status == 403
    assert answer["type"] == "urn:hireledger:problem:feedback-owed"
    assert EVIDENCE not in answer.text
    assert views(office) == []


def test_seeing_it_is_noted_first(decided: Office) -> None:
    """A person's look at others' feedback stands in the log, an auditor's as an audit read too."""
    positions = [
        one["position"]
        for one in decided.get("udo", "/facts?loop=one&type=feedback-submitted.v1")["items"]
    ]
    decided.get("dora", f"{PATH}?withhold=evidence")
    (seen,) = (one for one in views(decided) if one["viewer"] == decided.people["dora"])
    assert seen["viewed"] == positions
    decided.get("udo", PATH)
    noted = decided.get("udo", "/facts?type=record-viewed.v1&limit=1000")["items"]
    leaves = [json.loads(one["leaf"]) for one in noted]
    assert any(one["what"] == "export" and one.get("loop") for one in leaves)


def test_every_download_is_noted_and_the_person_is_told_of_it(decided: Office) -> None:
    """Also by whom has seen the feedback before: what becomes of a file nobody here can see."""
    decided.get("hana", "/loops/one/timeline")
    before = decided.ledger_head()
    for _ in range(2):
        assert decided.get("hana", f"{PATH}?withhold=name,evidence,reasons").status == 200
    noted = decided.get("udo", f"/facts?after={before}&type=record-viewed.v1")["items"]
    leaves = [json.loads(one["leaf"]) for one in noted]
    assert [(one["what"], one["viewer"]) for one in leaves] == [
        ("export", decided.people["hana"])
    ] * 2
    told = decided.get("paul", "/candidates/candidate-of-one/record")["viewed"]
    exports = [one for one in told if one["position"] in {n["position"] for n in noted}]
    assert [(one["by"], one["what"]) for one in exports] == [
        ("the hiring manager", "The hiring manager read an export.")
    ] * 2


def test_without_a_decision_there_is_none(office: Office) -> None:
    """404 for a loop that is not decided, for a position that is no decision, and for strangers."""
    positions = office.ready("one")
    assert office.get("hana", PATH).status == 404
    made = office.did("dora", "/loops/one/decision", decision(positions)).position
    assert office.get("hana", f"{PATH}?decision={made}").status == 200
    assert office.get("hana", f"{PATH}?decision={made - 1}").status == 404
    assert office.get("olga", PATH).status == 404
    assert office.get("hana", "/loops/none/dossier").status == 404
    for query in ("decision=0", "withhold=everything", "withhold=", "format=pdf"):
        assert office.get("hana", f"{PATH}?{query}").status == 400


def test_a_reversed_decision_still_has_its_file(decided: Office) -> None:
    """The one in force unless a position is given; each verifies by itself."""
    first = decided.get("hana", PATH)["decision"]
    decided.did("dora", "/loops/one/decision/reversal", {"reason": "The budget is gone."})
    assert decided.get("hana", PATH)["decision"] == first
    second = decided.did("dora", "/loops/one/decision", decision()).position
    for query, position in (("", second), (f"?decision={first}", first)):
        answer = decided.get("hana", PATH + query)
        assert answer["decision"] == position
        assert verdict_on(decided, answer).accepted


def test_it_verifies_after_the_candidate_was_erased(decided: Office) -> None:
    """The words are gone, and with them nothing else."""
    before = decided.get("udo", PATH)
    basis = {"legal_basis": "GDPR Art. 17(1)(a)"}
    decided.did("paul", "/candidates/candidate-of-one/erasure", basis)
    after = decided.get("udo", f"/loops/{before['loop']}/dossier")
    assert verdict_on(decided, after).accepted
    assert verdict_on(decided, before).accepted
    assert EVIDENCE not in words_in(after)
    assert "Nobody Inparticular" not in words_in(after)
    assert after["facts"][0]["leaf"] == before["facts"][0]["leaf"]


def test_a_hostile_export_is_found_out(decided: Office) -> None:
    """Whoever has the file and a key of their own cannot make it say something else."""
    answer = decided.get("hana", PATH)
    raw = answer.text
    for old, new in (
        ('\\"decision\\":\\"hire\\"', '\\"decision\\":\\"no_hire\\"'),
        (f'"decision": {answer["decision"]}', f'"decision": {answer["decision"] - 1}'),
        (answer["facts"][4]["proof"][0], answer["facts"][5]["proof"][0]),
        (answer["disclosures"][0], answer["disclosures"][1]),
    ):
        assert old in raw
        vkeys = decided.ledger.publisher.keys.vkeys
        spoilt = raw.replace(old, new, 1).encode()
        assert not verify(spoilt, vkeys, None, rules(), now=datetime.now(UTC)).accepted
