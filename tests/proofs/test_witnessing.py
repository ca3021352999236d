"""Asking witnesses: honest ones, those that are away, and those that lie."""

import base64
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.proof.add_checkpoint import SIZE_TYPE, parse_request
from ledger.proof.cosignature import Cosignature, ed25519_message, join_cosignature
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signature, Signer, format_signature, open_note
from ledger.proof.witness_policy import parse_policy
from ledger.vouching.sending import Answer, Unanswered
from ledger.vouching.witness_state import KnownLogs, WitnessState
from ledger.vouching.witnessing import ASKS_MAX, Witness, Witnesses
from shown_log import ShownLog

PATIENCE = 0.3
LONG = 60.0
NOW = 1_800_000_000

Peer = Callable[[bytes], Answer]


class Network:
    """Witnesses by name: what is sent to one is answered by what stands for it."""

    def __init__(self, **peers: Peer) -> None:
        self.peers = peers
        self.bodies: dict[str, list[bytes]] = {name: [] for name in peers}
        self.seconds: list[float] = []

    def __call__(self, url: str, content_type: str, body: bytes, seconds_max: float, /) -> Answer:
        """As the product sends."""
        name = url.removeprefix("http://").removesuffix("/add-checkpoint")
        assert content_type == "text/plain; charset=utf-8"
        self.bodies[name].append(body)
        self.seconds.append(seconds_max)
        return self.peers[name](body)

    def olds(self, name: str) -> list[int]:
        """The sizes from which one was asked."""
        return [parse_request(body).old for body in self.bodies[name]]


def witness_key(name: str) -> Signer:
    """A witness's key."""
    return Signer.generate(f"{name}.example", Kind.ED25519_COSIGNATURE)


KEYS = {name: witness_key(name) for name in ("one", "two", "three")}


def honest(
    directory: Path, log: ShownLog, name: str = "one", clock: Callable[[], float] = lambda: NOW
) -> Peer:
    """A witness as ours are."""
    known = KnownLogs([log.signer.verifier])
    state = WitnessState(directory / name, known, [KEYS[name]], clock)

    def answered(body: bytes) -> Answer:
        said = state.add_checkpoint(body)
        return Answer(said.status, said.content_type, said.body)

    return answered


def witnesses(network: Network, patience: float = LONG, quorum: str = "all") -> Witnesses:
    """All of a network's, by a policy with this quorum."""
    lines = [f"witness {n} {KEYS[n].vkey} http://{n}/" for n in network.peers]
    lines += [f"group g {quorum} {' '.join(network.peers)}", "quorum g", ""]
    policy = parse_policy("\n".join(lines).encode())
    asked = [Witness(one.name, one.verifier, one.url or "") for one in policy.witnesses]
    enough = policy.satisfied
    return Witnesses(asked, network, enough=enough, patience_seconds=patience, clock=lambda: NOW)


def collect(asked: Witnesses, log: ShownLog, size: int) -> list[bytes]:
    """The lines of a checkpoint."""
    return asked.collect(log.note(size), lambda old: log.proof(old, size))


@pytest.fixture
def log() -> ShownLog:
    """The log that asks."""
    return ShownLog()


def test_each_checkpoint_is_cosigned_from_where_the_last_one_was(
    tmp_path: Path, log: ShownLog
) -> None:
    """Once a witness was heard, one request a checkpoint is enough."""
    network = Network(one=honest(tmp_path, log), two=honest(tmp_path, log, "two"))
    asked = witnesses(network)
    for size in (3, 4, 7, 20):
        lines = collect(asked, log, size)
        note = log.note(size) + b"".join(lines)
        open_note(note, [KEYS["one"].verifier])
        open_note(note, [KEYS["two"].verifier])
        assert len(lines) == 2
    assert network.olds("one") == network.olds("two") == [0, 3, 4, 7]
    assert [(known.size, known.missed) for known in asked.known] == [(20, None), (20, None)]


def test_who_has_signed_is_not_asked_again_while_others_are_missing(
    tmp_path: Path, log: ShownLog
) -> None:
    """While a quorum is missed the same checkpoint is shown again; one line a witness is enough."""
    held = [True]
    second = honest(tmp_path, log, "two")
    network = Network(one=honest(tmp_path, log), two=lambda b: away(b) if held[0] else second(b))
    asked = witnesses(network)
    first = collect(asked, log, 5)
    assert collect(asked, log, 5) == first
    held[0] = False
    assert len(collect(asked, log, 5)) == 2
    assert [len(network.bodies[name]) for name in ("one", "two")] == [1, 3]
    assert [known.missed for known in asked.known] == [None, None]


def test_a_witness_that_knows_the_log_already_says_from_where(
    tmp_path: Path, log: ShownLog
) -> None:
    """After our restart its 409 tells the size, and it is asked again."""
    network = Network(one=honest(tmp_path, log))
    collect(witnesses(network), log, 5)
    restarted = witnesses(network)
    assert len(collect(restarted, log, 9)) == 1
    assert network.olds("one") == [0, 0, 5]


def test_no_proof_is_asked_for_that_is_empty(tmp_path: Path, log: ShownLog) -> None:
    """From nothing, and to the same size."""
    asked_of = Network(one=honest(tmp_path, log))
    asked = witnesses(asked_of)

    def never(_: int) -> tuple[bytes, ...]:
        raise AssertionError("no such proof is needed")

    assert len(asked.collect(log.note(5), never)) == 1
    again = witnesses(asked_of)
    (one,) = again.collect(log.note(5), never)  # its 409 says 5, which is where we are
    open_note(log.note(5) + one, [KEYS["one"].verifier])


def test_only_witnesses_with_an_address_are_asked(tmp_path: Path, log: ShownLog) -> None:
    """A policy may name others, whose lines come from elsewhere."""
    network = Network(one=honest(tmp_path, log, clock=time.time))
    lines = [f"witness one {KEYS['one'].vkey} http://one", f"witness two {KEYS['two'].vkey}"]
    policy = parse_policy("\n".join([*lines, "quorum one", ""]).encode())
    asked = Witnesses.of(policy, network)
    assert [known.name for known in asked.known] == ["one"]
    assert len(collect(asked, log, 5)) == 1


# ---------------------------------------------------------------- what does not come


def away(_: bytes) -> Answer:
    """Nobody is there."""
    raise Unanswered("no answer (ConnectError)")


def broken(_: bytes) -> Answer:
    """Even what should never happen."""
    raise RuntimeError("a bug")


def answering(status: int, body: bytes = b"", kind: str = "text/plain") -> Peer:
    """Always the same."""
    return lambda _: Answer(status, kind, body)


def line(signer: Signer, text: str, timestamp: int = NOW) -> bytes:
    """What a witness answers."""
    return format_signature(signer.signature(text, timestamp)).encode()


def timeless(signer: Signer, text: str) -> bytes:
    """A genuine signature that states no time, which our own keys would not make."""
    seed = base64.b64decode(signer.private_text.split("+", 4)[4])[1:]
    raw = Ed25519PrivateKey.from_private_bytes(seed).sign(ed25519_message(text, 0))
    named = Signature(signer.name, signer.key_id, join_cosignature(Cosignature(0, raw)))
    return format_signature(named).encode()


LOG = ShownLog()
TEXT = LOG.text(5)
GOOD = line(KEYS["one"], TEXT)
UNUSABLE: dict[str, tuple[Peer, str]] = {
    "away": (away, "Unanswered"),
    "broken": (broken, "RuntimeError"),
    "malformed for it": (answering(400, b"no\n"), "refused"),
    "not trusted by it": (answering(403, b"no\n"), "refused"),
    "not known to it": (answering(404, b"no\n"), "refused"),
    "not consistent for it": (answering(422, b"no\n"), "refused"),
    "failing": (answering(500, GOOD), "refused"),
    "redirecting": (answering(302, GOOD), "refused"),
    "partly": (answering(206, GOOD), "refused"),
    "silent": (answering(200), "malformed_answer"),
    "a page": (answering(200, b"<html>\n"), "malformed_answer"),
    "noise": (answering(200, b"\xff\x00"), "malformed_answer"),
    "no line feed": (answering(200, GOOD[:-1]), "malformed_answer"),
    "its line twice": (answering(200, GOOD + GOOD), "malformed_answer"),
    "101 lines": (answering(200, GOOD * 101), "malformed_answer"),
    "another's key": (answering(200, line(KEYS["two"], TEXT)), "other_key"),
    "its name, another key": (answering(200, line(witness_key("one"), TEXT)), "other_key"),
    "a log's signature": (answering(200, line(LOG.signer, TEXT, 0)), "other_key"),
    "another size": (answering(200, line(KEYS["one"], LOG.text(4))), "wrong_signature"),
    "another root": (answering(200, line(KEYS["one"], LOG.forked(1).text(5))), "wrong_signature"),
    "another log": (answering(200, line(KEYS["one"], ShownLog(witness_key("x")).text(5))),
                    "wrong_signature"),
    "with extensions": (answering(200, line(KEYS["one"], LOG.text(5, "more"))), "wrong_signature"),
    "no time": (answering(200, timeless(KEYS["one"], TEXT)), "states_no_time"),
    "next year": (answering(200, line(KEYS["one"], TEXT, NOW + 31_536_000)), "time_in_the_future"),
    "the end of time": (answering(200, line(KEYS["one"], TEXT, 2**63 - 1)), "time_in_the_future"),
    "a size without its type": (answering(409, b"3\n"), "refused"),
    "no size": (answering(409, b"three\n", SIZE_TYPE), "malformed_size"),
    "a size with a zero": (answering(409, b"03\n", SIZE_TYPE), "malformed_size"),
    "a size without end": (answering(409, b"3", SIZE_TYPE), "malformed_size"),
    "a size beyond": (answering(409, b"99999999999999999999\n", SIZE_TYPE), "malformed_size"),
    "a larger tree": (answering(409, b"6\n", SIZE_TYPE), "has_a_larger_tree"),
    "another tree": (answering(409, b"5\n", SIZE_TYPE), "has_another_tree"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNUSABLE)
def test_what_is_no_cosignature_of_this_checkpoint_is_dropped(tmp_path: Path, what: str) -> None:
    """Nothing is raised, the reason is kept, and the other witnesses' lines are there."""
    peer, why = UNUSABLE[what]
    asked = witnesses(Network(one=peer, two=honest(tmp_path, LOG, "two")))
    lines = collect(asked, LOG, 5)
    _, verified = open_note(LOG.note(5) + b"".join(lines), [KEYS["two"].verifier])
    assert len(lines) == len(verified) == 1
    assert [known.missed for known in asked.known] == [why, None]


def test_a_good_line_among_lines_of_others_is_found() -> None:
    """A witness may have keys that our policy does not name."""
    other = Signer.generate("one.example", Kind.MLDSA44_COSIGNATURE)
    both = line(other, TEXT) + line(KEYS["two"], TEXT) + GOOD
    assert collect(witnesses(Network(one=answering(200, both))), LOG, 5) == [GOOD]


def test_a_clock_a_little_ahead_is_none_that_lies() -> None:
    """Clocks differ by minutes."""
    body = line(KEYS["one"], TEXT, NOW + 120)
    assert collect(witnesses(Network(one=answering(200, body))), LOG, 5) == [body]


def test_who_always_names_another_size_is_not_asked_for_ever() -> None:
    """A witness cannot keep us busy."""
    sizes = iter([1, 2, 3, 4, 1, 2, 3, 4])
    network = Network(one=lambda _: Answer(409, SIZE_TYPE, f"{next(sizes)}\n".encode()))
    asked = witnesses(network)
    assert collect(asked, LOG, 5) == []
    assert network.olds("one") == [0, 1, 2][:ASKS_MAX]
    assert asked.known[0].missed == "changes_its_size"


def test_a_proof_that_cannot_be_made_costs_only_lines(tmp_path: Path, log: ShownLog) -> None:
    """The store may go away in the middle."""
    network = Network(one=honest(tmp_path, log), two=honest(tmp_path, log, "two"))
    asked = witnesses(network)
    collect(asked, log, 3)

    def gone(_: int) -> tuple[bytes, ...]:
        raise ConnectionError("the store is away")

    assert asked.collect(log.note(5), gone) == []
    assert len(collect(asked, log, 5)) == 2


def test_every_reason_is_explained_to_who_runs_a_log() -> None:
    """What stands in a log line stands in deploy/README.md as well, with what to do."""
    root = Path(__file__).resolve().parents[2]
    source = (root / "ledger" / "vouching" / "witnessing.py").read_text()
    codes = set(re.findall(r'Missed\("(\w+)"|missed = "(\w+)"', source))
    told = (root / "deploy" / "README.md").read_text()
    named = {one or other for one, other in codes}
    assert len(named) >= 10
    assert {code for code in named if f"`{code}`" not in told} == set()


# ---------------------------------------------------------------- time


def test_who_is_slow_is_not_waited_for(tmp_path: Path, log: ShownLog) -> None:
    """Whether or not the sending keeps its limit of time."""
    held = threading.Event()

    def slow(_: bytes) -> Answer:
        held.wait(LONG)
        return Answer(200, "text/plain", b"")

    network = Network(one=slow, two=honest(tmp_path, log, "two"))
    asked = witnesses(network, patience=PATIENCE)
    started = time.monotonic()
    assert len(collect(asked, log, 5)) == 1
    assert time.monotonic() - started < LONG
    assert all(0 < seconds <= PATIENCE for seconds in network.seconds)
    # It is still busy with the first checkpoint, and gets no second thread.
    assert len(collect(asked, log, 6)) == 1
    assert len(network.bodies["one"]) == 1
    assert asked.known[0].missed == "busy"
    held.set()


def test_enough_of_them_are_enough(tmp_path: Path, log: ShownLog) -> None:
    """Once the quorum has signed, the others have only a moment more."""
    held = threading.Event()

    def slow(_: bytes) -> Answer:
        held.wait(LONG)
        return Answer(200, "text/plain", b"")

    peers = {name: honest(tmp_path, log, name) for name in ("one", "two")}
    asked = witnesses(Network(three=slow, **peers), patience=LONG, quorum="2")
    started = time.monotonic()
    assert len(collect(asked, log, 5)) == 2
    assert time.monotonic() - started < LONG / 2
    held.set()


def test_all_are_asked_at_once(tmp_path: Path, log: ShownLog) -> None:
    """The slowest sets the time, not the sum."""
    together = threading.Barrier(3, timeout=LONG)

    def gathered(name: str) -> Peer:
        peer = honest(tmp_path, log, name)

        def answered(body: bytes) -> Answer:
            together.wait()
            return peer(body)

        return answered

    network = Network(**{name: gathered(name) for name in KEYS})
    assert len(collect(witnesses(network), log, 5)) == 3


def test_proofs_are_asked_for_one_at_a_time_and_never_too_late(
    tmp_path: Path, log: ShownLog
) -> None:
    """The transaction behind them is one cursor, and over when the collecting is."""
    honest_ones = {name: honest(tmp_path, log, name) for name in KEYS}
    first = witnesses(Network(**honest_ones))
    collect(first, log, 3)
    inside, worst, called = [0], [0], list[int]()

    def proof(old: int) -> tuple[bytes, ...]:
        inside[0] += 1
        worst[0] = max(worst[0], inside[0])
        time.sleep(0.01)
        inside[0] -= 1
        called.append(old)
        return log.proof(old, 6)

    assert len(first.collect(log.note(6), proof)) == 3
    assert (worst, called) == ([1], [3]), "one proof serves all who stand at the same size"

    held = threading.Event()

    def late(_: bytes) -> Answer:
        held.wait(LONG)
        return Answer(409, SIZE_TYPE, b"2\n")

    one = Witness("one", KEYS["one"].verifier, "http://one")
    asked = Witnesses([one], Network(one=late), patience_seconds=PATIENCE)
    assert asked.collect(log.note(6), proof) == []
    held.set()
    with one.turn:
        assert (called, one.missed) == ([3], "late")
