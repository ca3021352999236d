"""While proofs cannot be had, for missing witnesses or a damaged tree, the rest is answered."""

import secrets
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import ledger.publish
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.ledger import READERS
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, format_signature, parse_note
from ledger.proof.witness_policy import parse_policy
from ledger.publish import Publishing
from office import Answer, Office, decision, open_office
from set_back import run_as_superuser

CALLERS = 2 * READERS


class Silent:
    """A witness that does not answer while it is held up, then refuses, then signs."""

    def __init__(self) -> None:
        self.signer = Signer.generate("witness.example/w1", Kind.ED25519_COSIGNATURE)
        self.asked = threading.Event()
        self.let_go = threading.Event()
        self.let_go.set()
        self.signs = True

    def collect(self, note: bytes, _: Callable[[int], tuple[bytes, ...]], /) -> list[bytes]:
        """Its line, if it signs."""
        self.asked.set()
        self.let_go.wait(60)
        if not self.signs:
            return []
        text = parse_note(note).text
        return [format_signature(self.signer.signature(text, int(time.time()))).encode()]


@pytest.fixture
def witness() -> Generator[Silent]:
    """A witness, which is let go at the end."""
    made = Silent()
    yield made
    made.let_go.set()


@pytest.fixture
def decided(server: Embedded, tmp_path: Path, witness: Silent) -> Generator[Office]:
    """A loop whose decision is recorded; from before it on, the witness hears nothing."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    plain = Publishing.of(tmp_path)
    line = f"witness w1 {witness.signer.vkey}\nquorum w1\n"
    how = Publishing(plain.keys, plain.copy, parse_policy(line.encode()), witness)
    with open_office(database, tmp_path, how) as office:
        office.furnish()
        cites = office.ready("one")
        office.ledger.publisher.checkpoint_at_least(office.ledger_head())
        witness.signs = False
        witness.let_go.clear()
        witness.asked.clear()
        office.did("dora", "/loops/one/decision", decision(cites))
        yield office
        witness.let_go.set()


def dossier(office: Office) -> Answer:
    """The file that cannot be made yet."""
    return office.get("udo", "/loops/one/dossier")


def test_who_waits_for_witnesses_keeps_nobody_else_waiting(
    decided: Office, witness: Silent
) -> None:
    """Twice as many wait as there are threads: readiness and other reads do not."""
    assert witness.asked.wait(30)
    with ThreadPoolExecutor(CALLERS) as callers:
        waiting = [callers.submit(dossier, decided) for _ in range(CALLERS)]
        proof = f"/facts/{decided.ledger_head()}/proof"
        waiting += [callers.submit(decided.get, "udo", proof)]
        time.sleep(0.5)
        assert not any(one.done() for one in waiting)
        assert decided.call("GET", "/health/ready").status == 200
        assert decided.get("udo", "/loops/one").status == 200
        assert not any(one.done() for one in waiting)
        witness.let_go.set()
        answers = [one.result(60) for one in waiting]
    assert {one.status for one in answers} == {503}
    assert {one["title"] for one in answers} == {"Not available now"}
    assert {one.headers["retry-after"] for one in answers} == {"1"}
    assert all("witnesses have not cosigned" in one["detail"] for one in answers)


def test_a_quorum_known_to_be_missing_is_told_at_once(
    decided: Office, witness: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits until witnesses are asked again; once one signs, the file is made."""
    monkeypatch.setattr(ledger.publish, "COSIGN_RETRY_SECONDS", 600)
    witness.let_go.set()
    deadline = time.monotonic() + 30
    while decided.ledger.publisher.standing().problem is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    witness.asked.clear()
    with ThreadPoolExecutor(CALLERS) as callers:
        waiting = [callers.submit(dossier, decided) for _ in range(CALLERS)]
        answer = decided.call("GET", "/health/ready")
        assert {one.result(9).status for one in waiting} == {503}
    assert not witness.asked.is_set()
    assert "witnesses" in answer["published"]["problem"]
    witness.signs = True
    monkeypatch.setattr(ledger.publish, "COSIGN_RETRY_SECONDS", 0.05)
    decided.ledger.publisher.recorded()
    while dossier(decided).status == 503:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert dossier(decided).status == 200


def test_a_damaged_tree_is_told_as_what_it_is(office: Office, server: Embedded) -> None:
    """503 with what whoever runs the server has to do, and not a fault of the server's program."""
    size = office.ledger.publisher.checkpoint_at_least(office.ledger_head()).size
    proof = f"/v1/log/inclusion?index=0&size={size}"
    assert office.call("GET", proof).status == 200
    run_as_superuser(server, office.ledger.database.schema, "DELETE FROM tree_nodes")
    answer = office.call("GET", proof)
    assert (answer.status, answer["title"]) == (503, "Not available now")
    assert "hireledger fsck" in answer["detail"]
