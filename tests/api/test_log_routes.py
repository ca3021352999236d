"""The log for machines: what a client that trusts nobody fetches, and puts together by itself."""

import base64
import random
import secrets
from collections.abc import Generator
from typing import Any

import pytest

from hall import Hall
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.proof.checkpoint import parse_checkpoint
from ledger.proof.log_proof import parse_log_proof
from ledger.proof.note import Verifier, open_note
from ledger.proof.proofs import verify_consistency, verify_inclusion
from ledger.proof.tiles import Tile, read_entry_bundle, tile_path, tiles_at
from ledger.proof.tree import leaf_hash
from naive_proofs import root_of
from office import Office, open_office

SEED = 11


@pytest.fixture(scope="module")
def shared(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    """One published log of more than 300 facts for all who only read it."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    with open_office(database, tmp_path_factory.mktemp("log")) as office:
        office.furnish()
        grown(office)
        yield office


def grown(office: Office, facts: int = 300) -> None:
    """So many facts more."""
    hall = Hall(office.ledger)
    waiting = [office.ledger.submit(hall.a_stranger()) for _ in range(facts)]
    for one in waiting:
        one.result(60)


def published(office: Office) -> int:
    """How many facts are published, which is now all of them."""
    return office.ledger.publisher.checkpoint_at_least(office.ledger_head()).size


def public(office: Office, path: str) -> Any:
    """A request without any key."""
    return office.client.get(path)


def hashes(office: Office, path: str) -> tuple[bytes, ...]:
    """The hashes of a tile."""
    answer = public(office, path)
    assert answer.status_code == 200, answer.text
    raw = answer.content
    return tuple(raw[at : at + 32] for at in range(0, len(raw), 32))


def test_a_client_with_the_key_rebuilds_the_tree_from_public_tiles(shared: Office) -> None:
    """Checkpoint, key and tiles need no role; the leaves below them give the signed root."""
    size = published(shared)
    vkeys = public(shared, "/v1/log/vkey")
    answer = public(shared, "/checkpoint")
    assert vkeys.headers["content-type"] == answer.headers["content-type"]
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=5"
    keys = [Verifier.from_vkey(line) for line in vkeys.text.splitlines()]
    note, _ = open_note(answer.content, keys)
    said = parse_checkpoint(note.text)
    assert (said.origin, said.size) == (keys[0].name, size)
    tiles = {one: hashes(shared, f"/{tile_path(one)}") for one in tiles_at(size)}
    leaves = tuple(h for one, found in sorted(tiles.items()) if one.level == 0 for h in found)
    assert root_of(leaves) == said.root
    assert tiles[Tile(1, 0, 1)] == (root_of(leaves[:256]),)
    full = public(shared, "/tile/0/000")
    assert full.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert full.headers["content-type"] == "application/octet-stream"


NO_TILES = (
    "0/001.p/255",
    "0/002",
    "1/000",
    "1/001.p/1",
    "2/000.p/1",
    "63/000",
    "63/x999/x999/x999/x999/x999/999",
    "64/000",
    "00/000",
    "0/0",
    "0/0000",
    "0/x000/001.p/1",
    "0/000.p/256",
    "0/000.p/0",
    "0/000.p/01",
    "0/nothing",
    "-1/000",
    "data/000",
)


def test_a_tile_that_no_checkpoint_has_is_not_served(shared: Office) -> None:
    """Neither beyond the published tree nor of another width or spelling: 404, as a problem."""
    published(shared)
    for path in NO_TILES:
        answer = public(shared, f"/tile/{path}")
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"


def test_partial_tiles_are_those_of_checkpoints_alone(office: Office) -> None:
    """Of a size that was never signed there is none, however long the log."""
    publisher = office.ledger.publisher
    hall = Hall(office.ledger)
    for _ in range(3):
        done = [office.ledger.submit(hall.a_stranger()) for _ in range(40)]
        publisher.checkpoint_at_least(max(one.result(60).recorded[0].position for one in done))
    with office.ledger.database.connect("runtime") as connection:
        signed = {size for (size,) in connection.execute("select size from checkpoints")}
    head = max(signed)
    assert 0 < head < 256
    assert set(range(1, head)) - signed, "every size was signed"
    for width in range(1, head + 1):
        status = public(office, f"/tile/0/000.p/{width}").status_code
        assert status == (200 if width in signed else 404), width


def test_an_entry_bundle_holds_the_bytes_under_a_tile(shared: Office) -> None:
    """For auditors, noted before a byte is sent, and cached by nobody but them."""
    size = published(shared)
    head = shared.ledger_head()
    for path, first in (("000", 1), (f"001.p/{size - 256}", 257)):
        answer = shared.call("GET", f"/tile/entries/{path}", actor="udo")
        assert answer.status == 200, answer.text
        assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
        raw = shared.client.get(
            f"/tile/entries/{path}",
            headers={"Authorization": f"Bearer {shared.service}", "Hireledger-Actor": "udo"},
        ).content
        entries = read_entry_bundle(raw)
        assert tuple(map(leaf_hash, entries)) == hashes(shared, f"/tile/0/{path}")
        with shared.ledger.reading() as group:
            rows = group.store.recorder.fetch(group.cur, range(first, first + len(entries)))
        assert [row.leaf for row in rows] == entries
    noted = shared.get("udo", f"/facts?after={head}&limit=9")["items"]
    assert [one["type"] for one in noted] == ["record-viewed.v1"] * 4
    assert shared.call("GET", "/tile/entries/000", actor="hana").status == 403
    assert public(shared, "/tile/entries/000").status_code == 401
    for path in ("002", "0", "000.p/5", "nothing"):
        assert shared.call("GET", f"/tile/entries/{path}", actor="udo").status == 404


def test_an_auditor_who_owes_feedback_gets_no_bundle_with_others_opinions(office: Office) -> None:
    """The blind rule holds for bytes as for everything else; afterwards the look is noted."""
    office.call("POST", "/v1/people/ivan/roles", {"roles": ["auditor", "interviewer"]},
                token=office.admin)  # fmt: skip
    office.open("one")
    (position,) = office.write_feedback("one", ["inga"])
    checkpoint = office.ledger.publisher.checkpoint_at_least(position)
    path = f"/tile/entries/000.p/{checkpoint.size}"
    head = office.ledger_head()
    owing = office.call("GET", path, actor="ivan")
    assert (owing.status, owing["type"]) == (403, "urn:hireledger:problem:feedback-owed")
    assert office.get("ivan", f"/facts/{position}/proof").status == 403
    assert office.ledger_head() == head
    office.write_feedback("one", ["ivan"])
    head = office.ledger_head()
    assert office.call("GET", path, actor="ivan").status == 200
    assert office.ledger_head() == head + 2
    noted = office.get("udo", f"/facts?after={head}&limit=2")["items"]
    assert {one["type"] for one in noted} == {"feedback-viewed.v1", "record-viewed.v1"}


def test_a_proof_of_a_fact_verifies_with_nothing_but_the_key(shared: Office) -> None:
    """For whoever may read the fact; over the newest checkpoint, made at once if need be."""
    shared.open("one", plan=False)
    position = shared.ledger_head()
    answer = shared.get("hana", f"/facts/{position}/proof")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
    leaf = shared.get("hana", f"/facts/{position}")["leaf"]
    key = Verifier.from_vkey(public(shared, "/v1/log/vkey").text.splitlines()[0])
    proof = parse_log_proof(answer.text.encode())
    said = parse_checkpoint(open_note(proof.checkpoint, [key])[0].text)
    assert proof.index == position - 1
    verify_inclusion(leaf_hash(leaf.encode()), proof.index, said.size, proof.hashes, said.root)
    for reader in ("olga", "frida"):
        fact = shared.get(reader, f"/facts/{position}")
        of_it = shared.get(reader, f"/facts/{position}/proof")
        assert (of_it.status, of_it["detail"]) == (fact.status, fact["detail"])
        assert fact.status == 404
    assert shared.get("udo", "/facts/99999/proof").status == 404


def test_an_auditors_proof_is_noted_as_a_look_at_the_fact(shared: Office) -> None:
    """It tells that the fact is there, and who wrote it down is known."""
    head = shared.ledger_head()
    assert shared.get("udo", "/facts/3/proof").status == 200
    noted = shared.get("udo", f"/facts?after={head}&limit=1")["items"]
    assert [one["type"] for one in noted] == ["record-viewed.v1"]


def test_any_proof_between_published_sizes_is_public(shared: Office) -> None:
    """Any leaf in any tree, any tree in any larger one, each with the roots it leads to."""
    size, chance = published(shared), random.Random(SEED)
    leaves = hashes(shared, "/tile/0/000") + hashes(shared, f"/tile/0/001.p/{size - 256}")

    def decoded(told: list[str]) -> tuple[bytes, ...]:
        return tuple(base64.b64decode(one, validate=True) for one in told)

    print(f"seed {SEED}")
    for _ in range(40):
        new = chance.randint(1, size)
        old, index = chance.randint(0, new), chance.randrange(new)
        told = public(shared, f"/v1/log/inclusion?index={index}&size={new}").json()
        (root,) = decoded([told["root"]])
        assert root == root_of(leaves[:new])
        verify_inclusion(leaves[index], index, new, decoded(told["hashes"]), root)
        told = public(shared, f"/v1/log/consistency?old={old}&new={new}").json()
        roots = decoded([told["old_root"], told["new_root"]])
        assert roots == (root_of(leaves[:old]), root)
        verify_consistency(old, new, decoded(told["hashes"]), *roots)


NO_PROOFS = {
    "inclusion?index=5&size=5": 422,
    "inclusion?index=0&size=0": 422,
    "inclusion?index=0&size=99999": 404,
    "inclusion?index=0": 400,
    "inclusion?index=-1&size=5": 400,
    "inclusion?index=0&size=5&more=1": 400,
    "consistency?old=6&new=5": 422,
    "consistency?old=0&new=99999": 404,
    "consistency?old=5": 400,
    "consistency?old=05&new=7": 400,
}


def test_a_proof_that_there_cannot_be_is_refused(shared: Office) -> None:
    """Each with its own status, and what to ask for instead."""
    published(shared)
    for query, status in NO_PROOFS.items():
        assert public(shared, f"/v1/log/{query}").status_code == status, query


def test_readiness_tells_how_far_the_log_is_published(shared: Office) -> None:
    """By position and by facts that are recorded and not published yet."""
    head = shared.ledger_head()
    published(shared)
    told = shared.call("GET", "/health/ready").body["published"]
    assert told == {"position": head, "lag_facts": 0, "problem": None}
