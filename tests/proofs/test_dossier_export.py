"""What is put into a dossier from the store, and when none is made at all."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from api.dossiers import Made, export
from checked import fscked, said_of
from domain import facts as f
from domain.codec import decode, encode, type_of
from dossiers import OTHER_KEY
from facts_in_log import record
from ledger.embedded.server import Embedded
from ledger.errors import LogDamaged
from ledger.export_dossier import (
    Audience,
    CannotExport,
    assemble,
    choose,
    loop_of,
    published_over,
)
from ledger.ledger import Ledger
from ledger.proof.verdict import Verdict
from ledger.proof.verify import verify
from ledger.recorder import NewRow
from ledger.vouching.timestamps import Stamped, Timestamps
from office import Office, decision, opening, rules
from policies import Catalogue
from tsa import Authority, make_authority, needs_openssl


def verdict_on(made: Made, ledger: Ledger, tsa: Authority | None = None) -> Verdict:
    """What somebody says who has the log's key, and the authority's root where there is one."""
    roots = tsa.roots if tsa else None
    now = datetime.now(UTC)
    return verify(made.raw, ledger.publisher.keys.vkeys, None, rules(), now=now, roots=roots)


def decide(office: Office) -> str:
    """A loop is decided; its handle."""
    positions = office.ready("one")
    office.did("dora", "/loops/one/decision", decision(positions))
    handle: str = office.get("hana", "/loops/one")["loop"]["handle"]
    return handle


def test_that_it_was_made_is_recorded_before_it_is_handed_out(office: Office) -> None:
    """An audit read of the loop, by the system itself."""
    handle = decide(office)
    before = office.ledger_head()
    export(office.ledger, "one")
    with office.ledger.reading() as group:
        (noted,) = group.at(range(before + 1, group.head + 1))
    assert isinstance(noted.fact, f.RecordViewed)
    assert (noted.fact.what, noted.fact.loop) == ("export", handle)
    assert (noted.fact.viewer, noted.fact.stamp.by) == (None, "system")


def test_what_came_after_the_decision_is_not_in_it(office: Office) -> None:
    """An offer, and looks at the loop, change nothing but perhaps the checkpoint."""
    handle = decide(office)
    first = export(office.ledger, handle).dossier
    office.did("hana", "/loops/one/offer", {"status": "made"})
    second = export(office.ledger, handle).dossier
    assert [one.leaf for one in second.facts] == [one.leaf for one in first.facts]
    assert second.disclosures == first.disclosures
    assert second.facts[-1].position == second.decision


def test_what_was_refused_and_corrected_before_is_in_it(office: Office) -> None:
    """A gate tried too early is evidence, and so is what a reader must know of it."""
    office.open("one")
    early = office.post("hana", "/loops/one/gates/evidence")
    assert early.status == 409, early.text
    corrected = {"text": "The rooms were swapped."}
    office.did("udo", f"/facts/{early['position']}/correction", corrected)
    positions = office.ready("one", opened=True)
    office.did("dora", "/loops/one/decision", decision(positions))
    made = export(office.ledger, "one")
    told = {one.position: decode(one.leaf.encode()) for one in made.dossier.facts}
    assert isinstance(told[early["position"]], f.EvidenceGateRefused)
    assert [type(one).__name__ for one in told.values()].count("FactCorrected") == 1
    assert verdict_on(made, office.ledger).accepted


def test_whoever_made_what_it_was_judged_by_is_in_it(office: Office) -> None:
    """Their registrations say who wrote the rubric, and that they had the role for it."""
    made = export(office.ledger, decide(office))
    facts = [decode(one.leaf.encode()) for one in made.dossier.facts]
    known = {one.person for one in facts if isinstance(one, f.PersonRegistered)}
    rubric = f.ScorecardVersioned | f.PromptVersioned | f.PostingVersioned | f.ScorecardApproved
    authors = {one.stamp.by for one in facts if isinstance(one, rubric)}
    assert authors
    assert authors <= known
    assert verdict_on(made, office.ledger).as_recorded == ()


def test_a_log_that_was_changed_gives_no_dossier(office: Office, server: Embedded) -> None:
    """The facts are held against the basis first: nobody gets a file that says less."""
    handle = decide(office)
    schema = office.ledger.database.schema
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"alter table {schema}.facts disable trigger all".encode())
        connection.execute(
            f"update {schema}.facts set leaf = convert_to(replace(convert_from(leaf, 'UTF8'),"
            " '\"rating\":4', '\"rating\":2'), 'UTF8')"
            " where type = 'feedback-submitted.v1'".encode()
        )
    with pytest.raises(LogDamaged, match="rests on other facts than the log now has"):
        export(office.ledger, handle)


def test_a_rule_that_is_not_installed_gives_no_dossier(office: Office) -> None:
    """Without it nobody here can say what it was: the message names it."""
    handle = decide(office)
    ledger = office.ledger
    less = Catalogue(
        [rule for rule in rules().current.values() if rule.id != "dissent-answered"],
        (),
        rules().digests,
    )
    with ledger.reading() as group:
        chosen = choose(group, loop_of(group, handle))
    published = published_over(ledger, chosen.decision.position)
    with ledger.reading() as group, pytest.raises(CannotExport, match="dissent-answered"):
        assemble(group, chosen, published, less, Audience(person=None, knows_names=True))


def test_a_fact_that_is_of_another_loop_too_gives_no_dossier(office: Office) -> None:
    """What no rule of ours records, a mistake could: then nothing leaves the house."""
    with office.ledger.reading() as group:
        rows = group.store.recorder.fetch(group.cur, range(1, group.head + 1))
    opened = next(row for row in rows if row.type == "requisition-opened.v1")
    fact = json.loads(opened.leaf)
    fact["stamp"]["tags"].append("loop:l_" + "x" * 26)
    now = datetime.now(UTC)
    fact["stamp"]["recorded"] = now.isoformat()
    mixed = decode(json.dumps(fact).encode())
    with office.ledger.database.connect("runtime") as connection:
        row = NewRow(type_of(mixed), mixed.stamp.tags, encode(mixed), now)
        record(office.ledger.store.recorder, connection, [row])
    handle = decide(office)
    with pytest.raises(CannotExport, match="is of another loop too"):
        export(office.ledger, handle)


def test_a_correction_of_what_is_of_two_loops_is_in_neither(office: Office) -> None:
    """A look at a person's record carries all their loops; what is noted of it is the person's."""
    office.open("one")
    one = office.get("hana", "/loops/one")["candidate"]["id"]
    office.did("hana", "/loops", {**opening("two"), "candidate": {"id": "candidate-of-one"}})
    office.get("paul", f"/candidates/{one}/record")
    said = {"text": "It was read out to the candidate."}
    office.did("udo", f"/facts/{office.ledger_head()}/correction", said)
    positions = office.ready("one", opened=True)
    office.did("dora", "/loops/one/decision", decision(positions))
    assert verdict_on(export(office.ledger, "one"), office.ledger).accepted
    assert said["text"] in office.get("paul", f"/candidates/{one}/record").text
    office.did("paul", f"/candidates/{one}/erasure", {"legal_basis": "They asked for it."})
    assert said["text"] not in office.get("paul", f"/candidates/{one}/record").text
    report = fscked(office.ledger)
    assert report.sound, said_of(report)


def test_a_rejection_after_an_erasure_has_a_dossier(office: Office) -> None:
    """That a person was erased is of all their loops, and of no other candidate."""
    handle = office.open("one")
    office.did("hana", "/loops", {**opening("two"), "candidate": {"id": "candidate-of-one"}})
    office.write_feedback("one")
    person = office.get("hana", "/loops/one")["candidate"]["id"]
    office.did("paul", f"/candidates/{person}/erasure", {"legal_basis": "They asked for it."})
    office.did("hana", f"/loops/{handle}/stages/onsite/decision", {"outcome": "reject"})
    assert verdict_on(export(office.ledger, handle), office.ledger).accepted


@needs_openssl
def test_the_earliest_timestamp_over_the_decision_is_in_it(office: Office, tmp_path: Path) -> None:
    """With the checkpoint that was stamped, and not a later one; the tenth step passes."""
    tsa = make_authority(tmp_path / "tsa")
    handle = decide(office)
    ledger = office.ledger
    stamped = ledger.publisher.checkpoint_at_least(office.ledger_head())
    _keep(ledger, stamped.size, stamped.note, tsa.token(stamped.note))
    office.did("hana", "/loops/one/offer", {"status": "made"})
    made = export(ledger, handle)
    assert made.dossier.checkpoint.encode() == stamped.note
    verdict = verdict_on(made, ledger, tsa)
    assert [step.outcome for step in verdict.steps] == ["passed"] * 10
    assert verdict_on(made, ledger).steps[9].outcome == "not checked"


def test_a_timestamp_from_before_the_decision_is_passed_over(office: Office) -> None:
    """The ledger's clock ran ahead when it was made; a later token says what that one cannot."""
    handle = decide(office)
    ledger = office.ledger
    stamped = ledger.publisher.checkpoint_at_least(office.ledger_head())
    _keep(ledger, stamped.size, stamped.note, b"early", datetime.now(UTC) - timedelta(hours=2))
    assert export(ledger, handle).dossier.timestamps == ()
    _keep(ledger, stamped.size, stamped.note, b"later")
    assert export(ledger, handle).dossier.timestamps == (b"later",)


def test_a_decision_on_more_facts_than_a_file_holds_is_told_of(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the command line with the cause, by the route with where to find it."""
    handle = decide(office)
    monkeypatch.setattr("ledger.export_dossier.FACTS_MAX", 10)
    with pytest.raises(CannotExport, match="and a dossier holds at most 10"):
        export(office.ledger, handle)
    answer = office.call("GET", f"/v1/loops/{handle}/dossier", actor="udo", token=office.service)
    assert answer.status == 503, "as where the store is found to be damaged"
    assert "No dossier can be made of this decision" in answer["detail"]


def test_a_timestamp_over_a_note_of_older_keys_is_left_out(office: Office) -> None:
    """Whoever is given today's key could not verify the note that it is about."""
    handle = decide(office)
    ledger = office.ledger
    published = ledger.publisher.checkpoint_at_least(office.ledger_head())
    text = published.note.decode().partition("\n\n")[0] + "\n"
    _keep(ledger, published.size, OTHER_KEY.note(text).encode(), b"a token")
    made = export(ledger, handle)
    assert made.dossier.timestamps == ()
    assert verdict_on(made, ledger).accepted


def _keep(ledger: Ledger, size: int, note: bytes, token: bytes, at: datetime | None = None) -> None:
    with ledger.database.connect("runtime") as connection, connection.cursor() as cur:
        rows = Timestamps(ledger.database.schema)
        rows.insert(cur, Stamped(size, at or datetime.now(UTC), note, token))
