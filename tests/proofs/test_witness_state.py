"""A witness and its files: what it answers, and what it remembers."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.durable import UNFINISHED
from ledger.proof.add_checkpoint import SIZE_TYPE, format_request
from ledger.proof.checkpoint import parse_checkpoint
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, Verifier, format_note, open_note, parse_note, parse_signatures
from ledger.vouching.witness_keys import open_witness_keys
from ledger.vouching.witness_state import (
    LOGS,
    SPLIT_VIEW,
    KnownLogs,
    LogsUnreadable,
    WitnessState,
    WitnessStateError,
)
from shown_log import ShownLog

NAME = "witness.example/one"
NOW = 1_800_000_000


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now: float = NOW

    def __call__(self) -> float:
        """POSIX seconds."""
        return self.now


@pytest.fixture
def log() -> ShownLog:
    """The log that is known."""
    return ShownLog()


@pytest.fixture
def clock() -> Clock:
    """The witness's clock."""
    return Clock()


Begin = Callable[..., WitnessState]


@pytest.fixture
def begin(tmp_path: Path, log: ShownLog, clock: Clock) -> Begin:
    """A process of the witness, as often as it is called."""

    def begun(*more: ShownLog, ml_dsa: bool = False) -> WitnessState:
        signers = open_witness_keys(tmp_path, name=NAME, ml_dsa=ml_dsa)
        known = KnownLogs(one.signer.verifier for one in (log, *more))
        return WitnessState(tmp_path, known, signers, clock)

    return begun


def keys(directory: Path) -> list[Verifier]:
    """The witness's public keys."""
    return [signer.verifier for signer in open_witness_keys(directory)]


def test_a_log_that_grows_is_cosigned_step_by_step(
    begin: Begin, log: ShownLog, tmp_path: Path
) -> None:
    """Each answer is a cosignature of that very checkpoint, and the next begins at its size."""
    witness, old = begin(), 0
    for new in (0, 1, 2, 3, 7, 7, 8, 40):
        answer = witness.add_checkpoint(log.request(old, new))
        assert (answer.status, answer.content_type) == (200, "text/plain; charset=utf-8")
        open_note(log.note(new) + answer.body, keys(tmp_path))
        (line,) = parse_signatures(answer.body.decode())
        assert keys(tmp_path)[0].signed_at(line.signature) == NOW
        old = new


def test_both_kinds_of_keys_sign_when_both_are_there(
    begin: Begin, log: ShownLog, tmp_path: Path
) -> None:
    """A verifier needs only the kind that it knows."""
    begin()
    witness = begin(ml_dsa=True)
    answer = witness.add_checkpoint(log.request(0, 5))
    both = keys(tmp_path)
    assert [one.kind for one in both] == [Kind.ED25519_COSIGNATURE, Kind.MLDSA44_COSIGNATURE]
    for one in both:
        open_note(log.note(5) + answer.body, [one])
    assert len(parse_signatures(answer.body.decode())) == 2


def bad(old: int, new: int, proof: tuple[bytes, ...] | None = None) -> Callable[[ShownLog], bytes]:
    """A request from a size that may be wrong, with a proof that may be."""
    return lambda log: format_request(
        old, log.proof(old, new) if proof is None else proof, log.note(new)
    )


STRANGER = ShownLog(Signer.generate("stranger.example/log"))
IMPOSTOR = ShownLog()
REFUSED: dict[str, tuple[int, Callable[[ShownLog], bytes]]] = {
    "nothing": (400, lambda _: b""),
    "noise": (400, lambda _: b"\xff\x00"),
    "no note": (400, lambda _: b"old 4\n\n"),
    "a leading zero": (400, lambda log: log.request(4, 7).replace(b"old 4", b"old 04")),
    "a negative size": (400, lambda log: log.request(4, 7).replace(b"old 4", b"old -4")),
    "carriage returns": (400, lambda log: log.request(4, 7).replace(b"\n", b"\r\n")),
    "64 hashes": (
        400,
        lambda log: b"old 4\n" + f"{'A' * 43}=\n".encode() * 64 + b"\n" + log.note(7),
    ),
    "a short hash": (400, lambda log: b"old 4\nAAAA\n\n" + log.note(7)),
    "no signature": (400, lambda log: b"old 4\n\n" + log.text(7).encode()),
    "old above new": (400, bad(9, 7)),
    "a stranger": (404, lambda _: STRANGER.request(0, 7)),
    "an impostor": (403, lambda _: IMPOSTOR.request(4, 7)),
    "a changed root": (403, lambda log: log.request(4, 7).replace(b"\n7\n", b"\n6\n")),
    "from another size": (409, bad(3, 7)),
    "from the beginning": (409, bad(0, 7)),
    "from where it is going": (409, bad(7, 7)),
    "no proof": (422, bad(4, 7, proof=())),
    "another proof": (422, lambda log: bad(4, 7, proof=log.proof(4, 8))(log)),
    "a proof too long": (422, lambda log: bad(4, 7, proof=(*log.proof(4, 7), bytes(32)))(log)),
    "another history": (422, lambda log: log.forked(2).request(4, 7)),
    "another root of one size": (422, lambda log: log.forked(2).request(4, 4)),
    "a proof for one size": (422, bad(4, 4, proof=(bytes(32),))),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_changes_nothing(
    begin: Begin, log: ShownLog, tmp_path: Path, what: str
) -> None:
    """Status and body are those of the specification, and the witness stands where it stood."""
    witness = begin()
    assert witness.add_checkpoint(log.request(0, 4)).status == 200
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    status, made = REFUSED[what]
    answer = witness.add_checkpoint(made(log))
    assert answer.status == status, answer.body
    if status == 409:
        assert (answer.body, answer.content_type) == (b"4\n", SIZE_TYPE)
    else:
        assert answer.body.endswith(b"\n")
        assert "—" not in answer.body.decode()
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: raw for path, raw in after.items() if path.suffix != SPLIT_VIEW} == before
    assert witness.add_checkpoint(log.request(4, 7)).status == 200


@pytest.mark.parametrize(
    ("old", "proof", "size", "status"),
    [(0, (), 3, 200), (0, (bytes(32),), 3, 422), (3, (), 3, 409), (0, (), 0, 200)],
)
def test_a_log_that_is_new_begins_at_zero(
    begin: Begin, log: ShownLog, old: int, proof: tuple[bytes, ...], size: int, status: int
) -> None:
    """The first checkpoint of a log needs no proof and may have none."""
    answer = begin().add_checkpoint(format_request(old, proof, log.note(size)))
    assert answer.status == status
    if status == 409:
        assert answer.body == b"0\n"


def test_an_empty_log_has_the_root_of_nothing(begin: Begin, log: ShownLog) -> None:
    """Any other root of size 0 is refused."""
    text = log.text(0).replace("47DEQ", "57DEQ")
    line = log.signer.signature(text)
    body = format_request(0, (), format_note(text, [line]))
    assert begin().add_checkpoint(body).status == 422


def test_logs_do_not_touch_each_other(begin: Begin, log: ShownLog, tmp_path: Path) -> None:
    """Each has its own file, named by what cannot be a path."""
    other = ShownLog(Signer.generate("../../etc/log"))
    witness = begin(other)
    assert witness.add_checkpoint(log.request(0, 9)).status == 200
    assert witness.add_checkpoint(other.request(0, 3)).status == 200
    assert witness.add_checkpoint(log.request(9, 10)).status == 200
    names = {path.name for path in (tmp_path / LOGS).glob("*.checkpoint")}
    assert names == {
        hashlib.sha256(one.origin.encode()).hexdigest() + ".checkpoint" for one in (log, other)
    }


def test_a_log_that_changes_its_key_goes_on(tmp_path: Path, log: ShownLog, clock: Clock) -> None:
    """During a rotation either key, or both, sign for the one origin."""
    later = ShownLog(Signer.generate(log.origin))
    known = KnownLogs([log.signer.verifier, later.signer.verifier])
    witness = WitnessState(tmp_path, known, open_witness_keys(tmp_path, name=NAME), clock)
    both = (log.signer, later.signer)
    assert witness.add_checkpoint(log.request(0, 2)).status == 200
    assert (
        witness.add_checkpoint(format_request(2, log.proof(2, 3), log.note(3, both))).status == 200
    )
    assert witness.add_checkpoint(later.request(3, 4)).status == 200


def test_what_is_kept_is_the_cosigned_checkpoint_without_lines_of_strangers(
    begin: Begin, log: ShownLog, tmp_path: Path
) -> None:
    """The file is evidence: what the log signed, and that we saw it."""
    witness = begin()
    note = log.note(5, (STRANGER.signer, log.signer))
    assert witness.add_checkpoint(format_request(0, (), note)).status == 200
    kept = witness.last(log.origin)
    assert kept is not None
    parsed, verified = open_note(kept, [log.signer.verifier, *keys(tmp_path)])
    assert len(parsed.signatures) == len(verified) == 2
    assert parse_checkpoint(parsed.text).size == 5


def test_another_process_goes_on_where_the_first_was(begin: Begin, log: ShownLog) -> None:
    """Nothing is kept in memory."""
    first, second = begin(), begin()
    assert first.add_checkpoint(log.request(0, 4)).status == 200
    assert second.add_checkpoint(log.request(0, 5)).body == b"4\n"
    assert second.add_checkpoint(log.request(4, 5)).status == 200
    assert first.add_checkpoint(log.request(4, 6)).body == b"5\n"
    assert begin().add_checkpoint(log.request(5, 6)).status == 200


@pytest.mark.parametrize(("set_back", "told"), [(60, 0), (86_400, -86_400)])
def test_times_go_forward_unless_the_clock_was_far_off(
    begin: Begin, log: ShownLog, clock: Clock, tmp_path: Path, set_back: int, told: int
) -> None:
    """Each cosignature says that there was no larger tree at its time."""
    witness = begin()
    witness.add_checkpoint(log.request(0, 4))
    clock.now -= set_back
    (line,) = parse_signatures(witness.add_checkpoint(log.request(4, 5)).body.decode())
    assert keys(tmp_path)[0].signed_at(line.signature) == NOW + told


@pytest.mark.parametrize("change", ["emptied", "cut", "of another log", "noise"])
def test_a_changed_file_stops_the_witness_of_that_log(
    begin: Begin, log: ShownLog, change: str, tmp_path: Path
) -> None:
    """Rather no cosignature than one that forgets; the message says what to do."""
    witness = begin()
    witness.add_checkpoint(log.request(0, 4))
    (path,) = (tmp_path / LOGS).glob("*.checkpoint")
    raw = path.read_bytes()
    path.write_bytes(
        {
            "emptied": b"",
            "cut": raw[:-1],
            "of another log": STRANGER.note(3),
            "noise": b"\xff" + raw,
        }[change]
    )
    with pytest.raises(WitnessStateError, match="retire this witness"):
        witness.add_checkpoint(log.request(4, 5))
    with pytest.raises(WitnessStateError, match=log.origin):
        begin()


def test_a_write_that_fails_keeps_the_old_state(
    begin: Begin, log: ShownLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer is given, and the next one is decided as if nothing had been asked."""
    witness = begin()
    witness.add_checkpoint(log.request(0, 4))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            witness.add_checkpoint(log.request(4, 5))
    answer = witness.add_checkpoint(log.request(4, 6))
    assert answer.status == 200


def test_what_a_crash_left_half_written_is_never_read(
    begin: Begin, log: ShownLog, tmp_path: Path
) -> None:
    """Only the rename puts a state into force."""
    witness = begin()
    witness.add_checkpoint(log.request(0, 4))
    (path,) = (tmp_path / LOGS).glob("*.checkpoint")
    path.with_name(path.name + UNFINISHED).write_bytes(b"half of someth")
    assert begin().add_checkpoint(log.request(4, 5)).status == 200


def test_two_histories_that_a_log_signed_are_kept_as_evidence(
    begin: Begin, log: ShownLog, tmp_path: Path
) -> None:
    """Nobody else may ever hold both; the first such pair stays."""
    witness = begin()
    witness.add_checkpoint(log.request(0, 4))
    assert witness.add_checkpoint(log.forked(2).request(4, 4)).status == 422
    assert witness.add_checkpoint(log.request(4, 5)).status == 200
    assert witness.add_checkpoint(log.forked(3).request(5, 5)).status == 422
    (path,) = (tmp_path / LOGS).glob(f"*{SPLIT_VIEW}")
    signed = [log.signer.verifier]
    ours, _, theirs = path.read_bytes().partition(b"\n\n" + log.origin.encode())
    first, _ = open_note(ours + b"\n", signed)
    second, _ = open_note(log.origin.encode() + theirs, signed)
    assert first.text == log.text(4)
    assert second.text == log.forked(2).text(4)


def test_a_stranger_makes_no_evidence_against_a_log(
    begin: Begin, log: ShownLog, tmp_path: Path
) -> None:
    """Only what the log signed shows what the log did."""
    witness = begin()
    witness.add_checkpoint(log.request(0, 4))
    assert witness.add_checkpoint(IMPOSTOR.forked(2).request(4, 4)).status == 403
    assert not list((tmp_path / LOGS).glob(f"*{SPLIT_VIEW}"))


def test_the_kept_note_is_one_that_the_log_s_own_reader_takes(begin: Begin, log: ShownLog) -> None:
    """The file can be handed on as it is."""
    witness = begin()
    assert witness.last(log.origin) is None
    witness.add_checkpoint(log.request(0, 4))
    kept = witness.last(log.origin)
    assert kept is not None
    assert parse_note(kept).text == log.text(4)


@pytest.mark.parametrize("word", ["witness", "group", "quorum", "log"])
def test_a_log_may_be_called_like_a_word_of_a_policy(word: str) -> None:
    """Its bare key begins with its name; only a line of that very word is one of a policy."""
    names = [f"{word}s.example/log", f"{word}-log.example", word]
    vkeys = [Signer.generate(name).vkey for name in names]
    assert KnownLogs.read("\n".join(vkeys).encode()).origins == sorted(names)
    witness = Signer.generate("w.example", Kind.ED25519_COSIGNATURE).vkey
    policy = f"# all\n #\nlog {vkeys[0]}\nwitness w {witness}\ngroup g any w\nquorum g\n"
    assert KnownLogs.read(policy.encode()).origins == [names[0]]


@pytest.mark.parametrize("line", ["witnesses w", "groups", "quorum:", "Witness w"])
def test_a_line_of_no_word_and_no_key_is_refused(line: str) -> None:
    """A slip in a word hides no log: the message names the line."""
    with pytest.raises(LogsUnreadable, match="Line 2"):
        KnownLogs.read(f"{ShownLog().signer.vkey}\n{line}\n".encode())
