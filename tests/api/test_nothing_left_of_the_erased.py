"""After somebody was erased, no word of them is to be had, and everything proven stays proven.

A whole loop is recorded, with something personal wherever something personal may stand, beside one
of somebody who stays. What is looked through then: every row, decrypted with all keys that are left
too, log lines, spans, and every answer about the loop that the interface gives.
"""

import base64
import io
import json
import secrets
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

import psycopg
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api import telemetry
from domain.codec import decode
from domain.findings import Basis
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.fsck.values import cipher_of
from ledger.group import Group
from ledger.personal.subject_keys import NONCE_BYTES
from ledger.proof.disclosure import read_disclosure
from ledger.proof.tree import basis_root, leaf_hash
from ledger.proof.verify import verify
from ledger.recorder import Row
from office import (
    Answer,
    Office,
    completed,
    decision,
    feedback,
    hours_ago,
    open_office,
    rules,
    sessions,
)
from projections import rebuild
from secrecy import found_in, tables_of

NAME, EMAIL = "Zdeňka Quuxová", "zdenka.quuxova@example.org"
CANDIDATE, LOOP, SOURCE = "cand+zdenka", "loop~zdenka", "ats-77-zdenka"
SAID = {
    n: f"Mended the quuxmeter’s drift before lunch, and told how and why. No. {n}."
    for n in range(12)
}
SECRETS = [NAME, EMAIL, CANDIDATE, LOOP, SOURCE, *SAID.values()]
STAYS = "nobody@example.org"
READS = (
    "/loops/{loop}",
    "/loops/{loop}/timeline",
    "/loops/{loop}/readiness",
    "/loops/{loop}/replay",
    "/loops/{loop}/dossier",
    "/facts?limit=1000",
    "/facts?limit=1000&loop={loop}",
    "/loops?limit=1000",
    "/loops?position={head}&limit=1000",
    "/holds",
)


class Before(NamedTuple):
    """What was there before the erasure, to compare with."""

    loop: str
    rows: list[Row]
    replay: Any
    readable: bytes
    dossier: bytes


class Walk(NamedTuple):
    """A ledger in which somebody was erased."""

    office: Office
    database: Database
    url: str
    before: Before
    erased: Answer
    lines: io.StringIO
    spans: InMemorySpanExporter


def tell_all(office: Office) -> None:
    """A loop to its decision, with words of ours wherever words may stand."""
    pins = {
        "requisition": "llm-engineer",
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "llm-engineer", "version": 1},
        "source": {"system": "ats", "object": "loop", "id": SOURCE},
    }
    person = {"id": CANDIDATE, "name": NAME, "email": EMAIL}
    office.did("hana", "/loops", {"id": LOOP, "candidate": person, **pins})
    where = f"/loops/{LOOP}"
    office.did("hana", f"{where}/plan", {"sessions": sessions()})
    notice = {"rounds": 2, "attendees": ["ivan", "inga"], "decide_by": hours_ago(-200)}
    office.did("hana", f"{where}/process-notice", notice | {"at": hours_ago(30)})
    at: list[int] = []
    for who, session in (("ivan", "first"), ("inga", "second")):
        office.did(who, f"{where}/relationships", {"relationship": "none"})
        office.did(who, f"{where}/sessions/{session}/completed", completed(who))
        written: dict[str, Any] = feedback(session) | {"summary": SAID[0]}
        for rated in written["ratings"]:
            rated["evidence"] = SAID[1]
        at.append(office.did(who, f"{where}/sessions/{session}/feedback", written).position)
        change = {"ratings": written["ratings"], "reason": SAID[2]}
        office.did(who, f"{where}/feedback/{at[-1]}/amendments", change)
    themes = [{"competency": "evals", "text": SAID[3]}]
    office.did("hana", f"{where}/references", {"relation": "peer", "themes": themes})
    office.did("hana", f"{where}/debrief")
    office.did("ivan", f"{where}/debrief/statements", {"text": SAID[4], "cites": at})
    office.did("inga", f"{where}/debrief/dissents", {"text": SAID[5], "cites": at})
    office.did("hana", f"{where}/debrief/closing", {"dissent": "recorded"})
    office.did("hana", f"{where}/gates/evidence")
    wanted = {"recommend": "hire", "reason": SAID[6], "cites": at}
    office.did("hana", f"{where}/recommendations", wanted)
    reasons = [{"kind": "competency", "ref": "evals", "text": SAID[7]}]
    made = office.did("dora", f"{where}/decision", decision(at) | {"reasons": reasons}).position
    office.did("udo", f"/facts/{made}/correction", {"text": SAID[8]})
    office.did("hana", f"{where}/withdrawal", {"code": "x", "reason": SAID[9]})
    matter = {"id": "m-1", "matter": f"{NAME} against us. {SAID[10]}", "candidates": [CANDIDATE]}
    office.did("paul", "/holds", matter)
    office.did("paul", "/holds/m-1/release", {"reason": f"{NAME} settled. {SAID[11]}"})


@pytest.fixture(scope="module")
def walk(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Walk]:
    """One loop told and its person erased, beside another one."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    with open_office(database, tmp_path_factory.mktemp("erased")) as office:
        office.furnish()
        office.ready("other")
        tell_all(office)
        url = server.superuser_url()
        loop = office.get("udo", f"/loops/{LOOP}")["loop"]["handle"]
        with office.ledger.reading() as group:
            rows = group.store.recorder.fetch(group.cur, range(1, group.head + 1))
        replay = office.get("udo", f"/loops/{LOOP}/replay").body
        dossier = office.get("udo", f"/loops/{LOOP}/dossier").text.encode()
        before = Before(loop, rows, replay, readable(office, database), dossier)
        lines, spans = io.StringIO(), InMemorySpanExporter()
        telemetry.configure(None, lines, exporter=spans)
        try:
            basis = {"legal_basis": "Art. 17"}
            erased = office.did("paul", f"/candidates/{CANDIDATE}/erasure", basis)
            yield Walk(office, database, url, before, erased, lines, spans)
        finally:
            telemetry.close()
            telemetry.configure(None)


def readable(office: Office, database: Database) -> bytes:
    """Every value and every id that the keys of this ledger open, whatever it is about."""
    ring = office.ledger.store.keyring
    with database.connect("owner") as connection:
        keys = connection.execute("select subject, ring, wrapped from subject_keys").fetchall()
        values = connection.execute("select subject, digest, sealed from disclosures").fetchall()
        ids = connection.execute("select subject, kind, handle, sealed from aliases").fetchall()
    opened: list[str] = []
    ciphers = {subject: cipher_of(ring, subject, kind, wrapped) for subject, kind, wrapped in keys}
    for subject, digest, sealed in values:
        if (cipher := ciphers.get(subject)) is not None:
            plain = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], digest.encode())
            opened.append(read_disclosure(plain.decode()).value)
    for subject, kind, handle, sealed in ids:
        if (cipher := ciphers.get(subject)) is not None:
            bound = f"alias:{kind}:{handle}".encode()
            plain = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
            opened.append(plain.decode())
    return "\n".join(opened).encode()


def test_everything_was_there_to_be_erased(walk: Walk, tmp_path: Path) -> None:
    """The control: before the erasure the same look finds every secret but the source's id."""
    found = {secret for _, secret in found_in({"b": walk.before.readable}, SECRETS, tmp_path)}
    assert found == set(SECRETS) - {SOURCE}


def test_no_row_holds_a_word_of_the_erased_or_a_key_to_one(walk: Walk, tmp_path: Path) -> None:
    """Neither as it is nor decrypted with all keys that are left; the other person's all open."""
    left = readable(walk.office, walk.database)
    schema = walk.database.schema
    tables = tables_of(walk.url, [schema, f"{schema}_views"])
    assert found_in({**tables, "decrypted": left}, SECRETS, tmp_path) == set()
    assert STAYS.encode() in left
    gone = walk.erased["candidate"]
    with psycopg.connect(walk.url) as connection:
        for table in ("subject_keys", "disclosures", "aliases"):
            asked = f"select count(*) from {schema}.{table} where subject like %s"
            assert connection.execute(asked.encode(), [f"%{gone}"]).fetchone() == (0,)


def test_no_answer_holds_a_word_of_the_erased(walk: Walk, tmp_path: Path) -> None:
    """Whoever asks, wherever: the loop is there with what happened, and no words."""
    office, loop = walk.office, walk.before.loop
    answers: dict[str, bytes] = {}
    for who in ("udo", "hana", "dora", "paul"):
        for read in READS:
            path = read.format(loop=loop, head=walk.before.rows[-1].position)
            answer = office.get(who, path)
            answers[f"{who} {read}"] = answer.text.encode()
            if who == "udo":
                assert answer.status == 200, (path, answer.text)
    record = office.get("paul", f"/candidates/{walk.erased['candidate']}/record")
    assert record["status"] == "erased"
    answers["record"] = record.text.encode()
    for row in walk.before.rows[-40:]:
        answers[f"fact {row.position}"] = office.get("udo", f"/facts/{row.position}").text.encode()
    for path in (f"/loops/{LOOP}", f"/candidates/{CANDIDATE}/record"):
        answer = office.get("udo" if "loops" in path else "paul", path)
        assert answer.status == 404
        answers[path] = answer.text.encode()
    # A problem names the path that was asked for nowhere.
    assert found_in(answers, SECRETS, tmp_path) == set()


def test_what_asking_and_erasing_left_in_lines_and_spans_names_nobody(
    walk: Walk, tmp_path: Path
) -> None:
    """The erasure was asked for by the caller's id, which stands in no line and no span."""
    told = "\n".join(one.to_json() for one in walk.spans.get_finished_spans())
    sources = {"lines": walk.lines.getvalue().encode(), "spans": told.encode()}
    assert "EraseSubject" in told
    assert found_in(sources, SECRETS, tmp_path) == set()


def facts_now(walk: Walk) -> tuple[list[Row], list[bytes]]:
    """The log as it is now, and its leaf hashes as they are stored."""
    with walk.office.ledger.reading() as group:
        rows = group.store.recorder.fetch(group.cur, range(1, group.head + 1))
        table = f"select leaf_hash from {walk.database.schema}.facts order by position"
        hashes = [h for (h,) in group.cur.execute(table.encode()).fetchall()]
    return rows, hashes


def test_the_record_is_the_same_to_the_byte(walk: Walk) -> None:
    """No fact changed, every hash is that of its bytes, every basis has the root it had."""
    rows, hashes = facts_now(walk)
    assert rows[: len(walk.before.rows)] == walk.before.rows
    assert hashes == [leaf_hash(row.leaf) for row in rows]
    checked = 0
    for row in rows:
        basis = getattr(decode(row.leaf), "basis", None)
        if isinstance(basis, Basis):
            behind = [
                one.leaf
                for one in rows[: basis.upto]
                if any(item.matches(one.type, one.tags) for item in basis.items)
            ]
            root = base64.b64encode(basis_root(behind)).decode()
            assert (basis.count, basis.root) == (len(behind), root), row.position
            checked += 1
    assert checked > 2


def test_every_verdict_is_replayed_as_it_was(walk: Walk) -> None:
    """The rules rest on what stays of the words; which of these are gone is said."""
    now = walk.office.get("udo", f"/loops/{walk.before.loop}/replay").body
    assert now["identical"]
    assert now["intents"] == walk.before.replay["intents"]
    assert (walk.before.replay["gone"], len(now["gone"]) > 10) == ([], True)


def test_dossiers_of_before_and_after_verify(walk: Walk, tmp_path: Path) -> None:
    """One made before stays proven; one made now is proven too, and holds none of the words."""
    after = walk.office.get("udo", f"/loops/{walk.before.loop}/dossier").text.encode()
    vkeys = walk.office.client.get("/v1/log/vkey").text.split()
    for raw in (walk.before.dossier, after):
        verdict = verify(raw, vkeys, None, rules(), now=datetime.now(UTC))
        assert verdict.accepted, verdict
    told = [json.loads(raw)["disclosures"] for raw in (walk.before.dossier, after)]
    words = ["\n".join(read_disclosure(one).value for one in each).encode() for each in told]
    found = {secret for _, secret in found_in({"before": words[0]}, SECRETS, tmp_path)}
    assert {SAID[1], SAID[7]} <= found
    assert found_in({"after": words[1]}, SECRETS, tmp_path) == set()


def test_the_read_models_are_built_again_the_same(walk: Walk) -> None:
    """And the loop's row says that its candidate is erased."""

    def loops() -> Any:
        position = walk.erased.position
        listed = walk.office.get("udo", f"/loops?min_position={position}&limit=1000")
        assert listed.status == 200, listed.text
        return listed["items"]

    before = loops()
    (row,) = (one for one in before if one["loop"]["handle"] == walk.before.loop)
    assert row["erased"] == walk.erased.position
    assert "id" not in row["candidate"]
    rebuild(walk.database)
    assert json.dumps(loops()) == json.dumps(before)


def test_somebody_who_applies_again_is_somebody_new(walk: Walk) -> None:
    """Under the same ids, with a key of their own that opens nothing of before."""
    office = walk.office
    body = {
        "id": LOOP,
        "requisition": "llm-engineer",
        "candidate": {"id": CANDIDATE, "name": "Another Person"},
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "llm-engineer", "version": 1},
    }
    again = office.did("hana", "/loops", body)
    assert again["candidate"] != walk.erased["candidate"]
    record = office.get("paul", f"/candidates/{CANDIDATE}/record").body
    assert [one["loop"]["handle"] for one in record["loops"]] == [again["id"]]
    old = office.get("udo", f"/loops/{walk.before.loop}").body
    assert old["erased"] == walk.erased.position
    with office.ledger.reading() as group:
        assert names(group, walk) == [None]


def names(group: Group, walk: Walk) -> list[str | None]:
    """The caller's id of the erased, if anything knew it."""
    handle = cast("str", walk.erased["candidate"])
    return list(group.store.aliases.names(group.cur, [handle]).values())
