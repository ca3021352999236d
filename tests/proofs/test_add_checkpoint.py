"""A witness's request and answer: every status, from the lowest step that fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_log
from edited import edited
from ledger.proof.add_checkpoint import (
    PROOF_LINES_MAX,
    REQUEST_BYTES_MAX,
    SIZE_TYPE,
    AddCheckpointError,
    Answer,
    Cosigned,
    cosign,
    decide,
    format_request,
    parse_conflict,
    parse_request,
)
from ledger.proof.checkpoint import Checkpoint, format_checkpoint
from ledger.proof.key_kinds import Kind
from ledger.proof.note import (
    NoteError,
    Signer,
    Verifier,
    format_note,
    open_note,
    parse_note,
    parse_signatures,
)
from ledger.proof.tree import EMPTY_ROOT, leaf_hash
from ledger.proof.wire import base64_of
from naive_proofs import proof_of, root_of

HOW = settings(max_examples=200, deadline=None, derandomize=True)
LEAVES = tuple(map(leaf_hash, golden_log.ENTRIES))
LOG = Signer.from_text(golden_log.PRIVATE_TEXT)
LOGS = {golden_log.ORIGIN: [Verifier.from_vkey(golden_log.VKEY)]}
OTHER = leaf_hash(b"other")


def proof(old: int, new: int) -> list[bytes]:
    """The proof between two sizes of the golden log."""
    return proof_of(old, LEAVES[:new]) if old else []


def at(size: int) -> Cosigned | None:
    """What a witness knows that has cosigned the golden log at a size; at 0, nothing."""
    return Cosigned(size, root_of(LEAVES[:size])) if size else None


def signed(size: int, root: bytes, origin: str = golden_log.ORIGIN, by: Signer = LOG) -> bytes:
    """A checkpoint of the golden log's key, also one that it never made."""
    text = format_checkpoint(Checkpoint(origin, size, root))
    return format_note(text, [by.signature(text)])


def ask(old: int, given_proof: list[bytes], note: bytes, last: Cosigned | None) -> Answer:
    """What a witness answers that knows the golden log."""
    return decide(parse_request(format_request(old, given_proof, note)), LOGS, last)


GOOD = format_request(5, proof(5, 12), golden_log.checkpoint(12))


def test_a_request_is_written_as_the_specification_says() -> None:
    """The old size, the hashes, an empty line, the checkpoint verbatim."""
    lines = ["old 5", *map(base64_of, proof(5, 12)), ""]
    assert "".join(f"{line}\n" for line in lines).encode() + golden_log.checkpoint(12) == GOOD
    request = parse_request(GOOD)
    assert (request.old, list(request.proof)) == (5, proof(5, 12))
    assert request.note == golden_log.checkpoint(12)
    assert (request.checkpoint.size, request.checkpoint.origin) == (12, golden_log.ORIGIN)


def test_every_step_of_the_golden_log_is_cosigned() -> None:
    """From every size to every size, and the state to store is the new one."""
    for new in range(16):
        for old in range(new + 1):
            answer = ask(old, proof(old, new), golden_log.checkpoint(new), at(old))
            assert answer.status == 200
            assert answer.store == Cosigned(new, root_of(LEAVES[:new]))


def test_an_unknown_origin_is_404() -> None:
    """Before anything else is looked at, though the key is a known one."""
    note = signed(3, OTHER, "example.com/other")
    assert ask(0, [], note, None).status == 404
    assert decide(parse_request(GOOD), {}, at(5)).status == 404


@pytest.mark.parametrize(
    "by",
    [
        Signer.generate(golden_log.ORIGIN),
        Signer("witness.example", Kind.ED25519, bytes(32)),
        Signer(golden_log.ORIGIN, Kind.MLDSA44_COSIGNATURE, bytes(32)),
    ],
    ids=["another key of the same name", "another name", "another kind"],
)
def test_a_checkpoint_without_a_trusted_signature_is_403(by: Signer) -> None:
    """Whoever knows the origin's name is not the log."""
    assert ask(0, [], signed(7, root_of(LEAVES[:7]), by=by), None).status == 403


def test_a_trusted_key_with_a_wrong_signature_is_403() -> None:
    """Also beside another trusted key whose signature is right."""
    note = parse_note(golden_log.checkpoint(7))
    forged = note.signatures[0]._replace(signature=bytes(64))
    assert ask(0, [], format_note(note.text, [forged]), None).status == 403
    second = Signer(golden_log.ORIGIN, Kind.ED25519, bytes(32))
    raw = format_note(note.text, [forged, second.signature(note.text)])
    logs = {golden_log.ORIGIN: [*LOGS[golden_log.ORIGIN], second.verifier]}
    assert decide(parse_request(format_request(0, [], raw)), logs, None).status == 403
    assert decide(parse_request(format_request(0, [], raw)), LOGS, None).status == 403
    alone = {golden_log.ORIGIN: [second.verifier]}
    assert decide(parse_request(format_request(0, [], raw)), alone, None).status == 200


def test_an_old_size_beyond_the_new_one_is_400() -> None:
    """Whatever the witness has cosigned."""
    for last in (None, at(5), at(13)):
        assert ask(13, [], golden_log.checkpoint(12), last).status == 400


@pytest.mark.parametrize(("old", "known"), [(0, 5), (4, 5), (6, 5), (5, 0), (12, 5), (5, 12)])
def test_another_size_than_the_one_cosigned_last_is_409_with_that_one(old: int, known: int) -> None:
    """The log learns from where to prove; the proof is not looked at."""
    for given_proof in (proof(old, 12), [], [OTHER]):
        answer = ask(old, given_proof, golden_log.checkpoint(12), at(known))
        assert answer == Answer(409, f"{known}\n".encode(), SIZE_TYPE)
        assert parse_conflict(answer.body) == known


UNPROVEN: dict[str, tuple[int, list[bytes], bytes]] = {
    "a hash changed": (5, [OTHER, *proof(5, 12)[1:]], golden_log.checkpoint(12)),
    "a hash missing": (5, proof(5, 12)[:-1], golden_log.checkpoint(12)),
    "a hash too many": (5, [*proof(5, 12), OTHER], golden_log.checkpoint(12)),
    "no proof": (5, [], golden_log.checkpoint(12)),
    "the proof of another size": (5, proof(5, 11), golden_log.checkpoint(12)),
    "a proof from nothing": (0, [OTHER], golden_log.checkpoint(12)),
    "another history": (5, proof(5, 12), signed(12, OTHER)),
    "the same size with another root": (5, [], signed(5, OTHER)),
    "the same size with a proof": (5, [OTHER], golden_log.checkpoint(5)),
    "nothing with another root": (0, [], signed(0, OTHER)),
    "nothing with a proof": (0, [EMPTY_ROOT], golden_log.checkpoint(0)),
}


@pytest.mark.parametrize(("old", "given_proof", "note"), UNPROVEN.values(), ids=UNPROVEN)
def test_what_is_not_proven_is_422(old: int, given_proof: list[bytes], note: bytes) -> None:
    """The witness cosigns no two histories, and stores nothing."""
    answer = ask(old, given_proof, note, at(old))
    assert (answer.status, answer.store) == (422, None)


MALFORMED = {
    "nothing": b"",
    "the checkpoint alone": golden_log.checkpoint(12),
    "no old size": GOOD.partition(b"\n")[2],
    "an empty line in front": b"\n" + GOOD,
    "another word": GOOD.replace(b"old 5", b"new 5"),
    "a word in capitals": GOOD.replace(b"old 5", b"Old 5"),
    "two spaces": GOOD.replace(b"old 5", b"old  5"),
    "a leading zero": GOOD.replace(b"old 5", b"old 05"),
    "a negative size": GOOD.replace(b"old 5", b"old -5"),
    "a size beyond the largest": GOOD.replace(b"old 5", b"old %d" % 2**63),
    "CRLF": GOOD.replace(b"\n", b"\r\n"),
    "no empty line": GOOD.replace(b"\n\n", b"\n", 1),
    "a hash of 31 bytes": GOOD.replace(b"old 5\n", b"old 5\n" + b"A" * 42 + b"==\n"),
    "a hash in hex": GOOD.replace(b"old 5\n", b"old 5\n" + EMPTY_ROOT.hex().encode() + b"\n"),
    "a hash with bits left over": GOOD.replace(b"old 5\n", b"old 5\n" + b"A" * 42 + b"B=\n"),
    "64 hashes": GOOD.replace(
        b"old 5\n", b"old 5\n" + f"{base64_of(OTHER)}\n".encode() * (PROOF_LINES_MAX + 1)
    ),
    "no checkpoint": GOOD.partition(b"\n\n")[0] + b"\n\n",
    "a checkpoint without signature": GOOD.rpartition(b"\n\n")[0] + b"\n",
    "a note that is no checkpoint": b"old 5\n\nhello\n\n"
    + golden_log.checkpoint(5).partition(b"\n\n")[2],
    "a checkpoint with a zero in front": GOOD.replace(b"\n12\n", b"\n012\n"),
    "two lines of one key": GOOD + golden_log.checkpoint(12).partition(b"\n\n")[2],
    "no line feed at the end": GOOD[:-1],
    "no UTF-8": GOOD.replace(b"old 5", b"old \xff"),
    "too large": GOOD.replace(b"data\n12", b"data" + b"a" * REQUEST_BYTES_MAX + b"\n12"),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_is_no_request_is_refused(raw: bytes) -> None:
    """All of them are answered 400."""
    with pytest.raises(AddCheckpointError):
        parse_request(raw)


@HOW
@given(edited(GOOD, format_request(0, [], golden_log.checkpoint(1))))
def test_any_bytes_are_refused_or_are_the_only_spelling_of_their_request(raw: bytes) -> None:
    """What is read is written again to the byte."""
    try:
        request = parse_request(raw)
    except AddCheckpointError:
        return
    assert format_request(request.old, request.proof, request.note) == raw


@HOW
@given(edited(GOOD), st.sampled_from([at(0), at(5), at(12), Cosigned(5, OTHER)]))
def test_no_edit_of_a_request_makes_a_witness_store_anything_else(
    raw: bytes, last: Cosigned | None
) -> None:
    """Every request is answered, and 200 only where the log's own tree grows."""
    try:
        answer = decide(parse_request(raw), LOGS, last)
    except AddCheckpointError:
        return
    assert answer.status in {200, 400, 403, 404, 409, 422}
    assert (answer.store is None) == (answer.status != 200)
    if answer.store is not None:
        assert (last, answer.store) == (at(5), at(12))


def test_the_lines_of_an_answer_cosign_the_checkpoint() -> None:
    """As many lines as the witness has keys; appended to the note, all verify."""
    keys = [
        Signer("witness.example", kind, bytes(32))
        for kind in (Kind.ED25519_COSIGNATURE, Kind.MLDSA44_COSIGNATURE)
    ]
    request = parse_request(GOOD)
    body = cosign(request.text, keys, 1_700_000_000)
    assert [one.name for one in parse_signatures(body.decode())] == ["witness.example"] * 2
    verifiers = [LOG.verifier, *(key.verifier for key in keys)]
    _, verified = open_note(request.note + body, verifiers)
    assert [
        key.verifier.signed_at(one.signature) for key, one in zip(keys, verified[1:], strict=True)
    ] == [1_700_000_000] * 2


def test_a_checkpoint_with_extension_lines_is_cosigned_with_the_keys_that_sign_them() -> None:
    """ML-DSA-44 would leave open who added them; a witness that has nothing else says so."""
    extended = f"{parse_request(GOOD).text}an extension\n"
    plain, pq = (
        Signer("witness.example", kind, bytes(32))
        for kind in (Kind.ED25519_COSIGNATURE, Kind.MLDSA44_COSIGNATURE)
    )
    lines = cosign(extended, [pq, plain], 1_700_000_000)
    assert parse_signatures(lines.decode()) == (plain.signature(extended, 1_700_000_000),)
    with pytest.raises(AddCheckpointError, match="extension lines"):
        cosign(extended, [pq], 1_700_000_000)


def test_a_witness_signs_with_no_key_that_states_no_time() -> None:
    """A log's key in the place of a witness's is found before anything is sent."""
    with pytest.raises(NoteError):
        cosign(parse_request(GOOD).text, [LOG], 1_700_000_000)


@pytest.mark.parametrize(
    ("old", "given_proof", "note"),
    [
        (-1, [], golden_log.checkpoint(1)),
        (2**63, [], golden_log.checkpoint(1)),
        (0, [b"x"], golden_log.checkpoint(1)),
        (0, [OTHER] * 64, golden_log.checkpoint(1)),
        (0, [], golden_log.checkpoint(1)[:-1]),
        (0, [], b"hello\n"),
    ],
)
def test_what_makes_no_request_is_not_written(
    old: int, given_proof: list[bytes], note: bytes
) -> None:
    """Nothing is sent that no witness would read."""
    with pytest.raises(AddCheckpointError):
        format_request(old, given_proof, note)


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"5", b"5\n\n", b"05\n", b"-1\n", b"5\r\n", b"\xff\n", b"9" * 40 + b"\n"]
)
def test_a_body_of_a_409_that_is_no_size_is_refused(body: bytes) -> None:
    """A size and a line feed."""
    with pytest.raises(AddCheckpointError):
        parse_conflict(body)
