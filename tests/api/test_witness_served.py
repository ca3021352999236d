"""`hireledger witness`, asked over HTTP by honest logs, by strangers, and by many at once."""

import contextlib
import random
import socket
import stat
import threading
from collections.abc import Generator
from functools import partial
from pathlib import Path

import httpx
import pytest

from api.outbound import Outbound
from command_line import Shell
from ledger.proof.add_checkpoint import REQUEST_BYTES_MAX, SIZE_TYPE
from ledger.proof.note import NoteError, Signer, Verifier, open_note
from ledger.vouching.witness_keys import open_witness_keys
from ledger.vouching.witness_state import LOGS, KnownLogs, WitnessState
from ledger.vouching.witnessing import Witness, Witnesses
from shown_log import ShownLog
from witness_served import NAME, ServedWitness, calling, served_witness

TEXT = "text/plain; charset=utf-8"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SIZE_MAX = 24
RACERS = 6
ROUNDS = 20


@pytest.fixture(scope="module")
def logs() -> list[ShownLog]:
    """A log for each test that needs one of its own."""
    return [ShownLog(Signer.generate(f"log.example/{number}")) for number in range(8)]


@pytest.fixture(scope="module")
def witness(
    tmp_path_factory: pytest.TempPathFactory, logs: list[ShownLog]
) -> Generator[ServedWitness]:
    """One witness for all of it."""
    with served_witness(tmp_path_factory.mktemp("witness"), *logs) as served:
        yield served


@pytest.fixture
def vkey(witness: ServedWitness) -> Verifier:
    """Its public key."""
    return Verifier.from_vkey(witness.told["vkeys"][0])


def test_each_status_has_the_body_and_type_of_the_specification(
    witness: ServedWitness, logs: list[ShownLog], vkey: Verifier
) -> None:
    """200 with a cosignature, and each of the refusals."""
    log = logs[0]
    said = witness.add(log.request(0, 4))
    assert (said.status_code, said.headers["content-type"]) == (200, TEXT)
    open_note(log.note(4) + said.content, [vkey])
    conflict = witness.add(log.request(0, 7))
    assert (conflict.status_code, conflict.content) == (409, b"4\n")
    assert conflict.headers["content-type"] == SIZE_TYPE
    refused = {
        400: b"old 4\n",
        403: ShownLog(Signer.generate(log.origin)).request(4, 7),
        404: ShownLog(Signer.generate("stranger.example")).request(0, 7),
        422: log.forked(2).request(4, 7),
    }
    for status, body in refused.items():
        answer = witness.add(body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, TEXT)
        assert answer.text.endswith("\n")
    assert witness.add(log.request(4, 7)).status_code == 200


def test_it_says_who_it_is(witness: ServedWitness) -> None:
    """Whoever opens its address sees its name and key, and nothing else is there."""
    said = witness.client.get("/")
    assert (said.status_code, said.headers["content-type"]) == (200, TEXT)
    assert NAME in said.text
    assert witness.told["vkeys"][0] in said.text
    head = witness.client.head("/")
    assert (head.status_code, head.content) == (200, b"")
    assert witness.client.get("/add-checkpoint").headers["allow"] == "POST"
    assert witness.client.post("/").status_code == 405
    assert witness.client.get("/witness.key").status_code == 404
    assert witness.client.get("/../witness.key").status_code == 404


def test_a_body_over_the_limit_is_not_read_on(witness: ServedWitness) -> None:
    """Announced or not, and the witness goes on answering."""
    assert witness.add(bytes(REQUEST_BYTES_MAX + 1)).status_code == 413

    def chunks() -> Generator[bytes]:
        for _ in range(REQUEST_BYTES_MAX // 65_536 + 2):
            yield bytes(65_536)

    with contextlib.suppress(httpx.TransportError):  # it may hang up while we are still sending
        assert witness.client.post("/add-checkpoint", content=chunks()).status_code == 413
    assert witness.add(b"").status_code == 400


def test_requests_that_are_none_do_no_harm(witness: ServedWitness, logs: list[ShownLog]) -> None:
    """Noise, half requests and websockets."""
    host, _, port = witness.url.removeprefix("http://").partition(":")
    for raw in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nold",
        b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 9e9\r\n\r\n",
        UPGRADE,
    ):
        with socket.create_connection((host, int(port))) as caller:
            caller.sendall(raw)
            caller.shutdown(socket.SHUT_WR)
            said = caller.recv(4096)
            assert b" 5" not in said.partition(b"\r\n")[0]
    assert witness.add(logs[1].request(0, 3)).status_code == 200


def test_our_own_side_collects_from_it(
    witness: ServedWitness, logs: list[ShownLog], vkey: Verifier
) -> None:
    """Both ends of the protocol, over a real connection."""
    log = logs[2]
    with Outbound() as send:
        asked = Witnesses([Witness("w", vkey, f"{witness.url}/")], send)
        for size in (3, 8, 8, 21):
            (line,) = asked.collect(log.note(size), partial(log.proof, new=size))
            open_note(log.note(size) + line, [vkey])
        assert asked.known[0].missed is None


def test_racing_logs_never_get_two_histories_cosigned(tmp_path: Path, logs: list[ShownLog]) -> None:
    """Two processes, many threads: one root for each size, and after a size no smaller one."""
    log = logs[3]
    histories = [log, log.forked(3), log.forked(9)]
    signed: list[tuple[int, int, int]] = []  # size, history, in the order of the answers
    turn = threading.Lock()

    def race(seed: int, served: ServedWitness) -> None:
        chance = random.Random(seed)
        with calling(served.url) as client:
            at = 0
            for _ in range(ROUNDS):
                # What the witness has grows as we look: everybody asks from where it seems to be.
                which = chance.randrange(len(histories))
                new = min(at + chance.randrange(3), SIZE_MAX)
                with turn:
                    floor = max((size for size, *_ in signed), default=0)
                said = client.post("/add-checkpoint", content=histories[which].request(at, new))
                if said.status_code == 409:
                    at = min(int(said.text), SIZE_MAX)
                    continue
                assert said.status_code in (200, 422), said.text
                if said.status_code == 200:
                    open_note(histories[which].note(new) + said.content, [key])
                    with turn:
                        signed.append((new, which, floor))
                    at = new

    with served_witness(tmp_path, log) as one, served_witness(tmp_path, log) as two:
        key = Verifier.from_vkey(one.told["vkeys"][0])
        assert two.told["vkeys"] == one.told["vkeys"]
        racing = [
            threading.Thread(target=race, args=(seed, (one, two)[seed % 2]))
            for seed in range(RACERS)
        ]
        for thread in racing:
            thread.start()
        for thread in racing:
            thread.join(120)
    largest = max(size for size, *_ in signed)
    assert len({size for size, *_ in signed}) > RACERS, "the race had several winners"
    roots: dict[int, set[bytes]] = {}
    for size, which, floor in signed:
        roots.setdefault(size, set()).add(histories[which].root(size))
        # What was answered before this was asked for is no larger than it.
        assert size >= floor
    assert all(len(found) == 1 for found in roots.values())
    # All of one history: whoever has the largest can prove each of the others.
    (last,) = roots[largest]
    (story, *_) = [one for one in histories if one.root(largest) == last]
    assert all(found == {story.root(size)} for size, found in roots.items())


# ---------------------------------------------------------------- the command


def test_show_prints_the_keys_that_it_signs_with(tmp_path: Path) -> None:
    """They can be sent to a log before the witness ever ran."""
    shell = Shell(("--data", str(tmp_path / "w")))
    shown = shell.run("witness", "--show", "--name", NAME).out.splitlines()
    assert [Verifier.from_vkey(line).name for line in shown] == [NAME]
    assert shell.run("witness", "--show", "--json").json == {"name": NAME, "vkeys": shown}
    both = shell.run("witness", "--show", "--ml-dsa").out.splitlines()
    assert both[0] == shown[0]
    assert len(both) == 2
    assert stat.S_IMODE((tmp_path / "w" / "witness.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--show",), 3, "--name"),
        (("--name", NAME), 2, "--logs"),
        (("--name", NAME, "--logs", "absent.txt"), 2, "absent.txt"),
        (("--name", NAME, "--logs", "bad.txt"), 2, "Line 1"),
        (("--name", NAME, "--logs", "good.txt", "--host", "192.0.2.1"), 2, "--host"),
        (("--name", "a b", "--show"), 2, "called"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    """And nothing listens."""
    monkeypatch.chdir(tmp_path)
    Path("bad.txt").write_text("no key\n")
    Path("good.txt").write_text(f"{ShownLog().signer.vkey}\n")
    ended = Shell(("--data", str(tmp_path / "w"))).run("witness", *words, code=code)
    assert said in ended.err


def test_another_name_than_the_witness_has_is_wrong_use(tmp_path: Path) -> None:
    """Exit code 2, with the name that it keeps: nothing is broken."""
    shell = Shell(("--data", str(tmp_path / "w")))
    shell.run("witness", "--show", "--name", NAME)
    assert NAME in shell.run("witness", "--show", "--name", "witness.example/other", code=2).err


def test_a_broken_state_stops_the_start(tmp_path: Path) -> None:
    """The operator learns of it before any log does."""
    log, data = ShownLog(), tmp_path / "w"
    (tmp_path / "logs.txt").write_text(f"{log.signer.vkey}\n")
    known = KnownLogs([log.signer.verifier])
    state = WitnessState(data, known, open_witness_keys(data, name=NAME))
    assert state.add_checkpoint(log.request(0, 4)).status == 200
    (path,) = (data / LOGS).glob("*.checkpoint")
    path.write_bytes(b"")
    shell = Shell(("--data", str(data), "--logs", str(tmp_path / "logs.txt")))
    assert "retire this witness" in shell.run("witness", code=3).err


def test_a_key_of_another_witness_is_told_apart(vkey: Verifier, logs: list[ShownLog]) -> None:
    """The checks above can fail."""
    text = logs[0].text(4)
    other = Signer.generate(vkey.name, vkey.kind)
    note = logs[0].note(4, (logs[0].signer,))
    with pytest.raises(NoteError):
        open_note(note, [vkey])
    assert not vkey.verifies(text, other.sign(text, 1))
