"""A served ledger with a witness and a timestamp authority: there, frozen, silent and away."""

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from api.running import running
from api.settings import Settings, SettingWrong
from ledger.embedded.server import Embedded
from ledger.proof.checkpoint import parse_checkpoint
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, Verifier, open_note, parse_note
from ledger.proof.timestamp import check_token
from served import Serve, Served
from shown_log import ShownLog
from strangers import Request, stranger
from tsa import authority, needs_openssl
from witness_served import served_witness

SECONDS_MAX = 60


@pytest.fixture
def log() -> ShownLog:
    """The log's key; its name is that of the key."""
    return ShownLog(Signer.generate("log.example/served"))


def post(process: Served, name: str) -> httpx.Response:
    """One more fact."""
    body = {"id": name, "name": "Nobody Inparticular", "roles": ["interviewer"]}
    return process.post("/people", body, name)


def published(process: Served, *keys: Verifier) -> int:
    """The size of the checkpoint that is published, signed by each key; 0 while there is none."""
    said = httpx.get(f"{process.address}/checkpoint", timeout=60, trust_env=False)
    if said.status_code == 404:
        return 0
    return size_of(said.content, *keys)


def size_of(raw: bytes, *keys: Verifier) -> int:
    """The size of a checkpoint that each key signed."""
    for key in keys:
        open_note(raw, [key])
    return parse_checkpoint(parse_note(raw).text).size


def until(true: Callable[[], bool]) -> None:
    """Wait for what must come."""
    deadline = time.monotonic() + SECONDS_MAX
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def policy(directory: Path, vkey: str, url: str) -> Path:
    """A policy of one witness, which must sign."""
    path = directory / "policy.txt"
    path.write_text(f"witness w {vkey} {url}\nquorum w\n")
    return path


@needs_openssl
def test_what_is_published_is_cosigned_and_stamped(
    server: Embedded, serve: Serve, tmp_path: Path, log: ShownLog
) -> None:
    """From a commit to a checkpoint that a witness and a clock outside vouch for."""
    schema, url = f"t_{secrets.token_hex(6)}", server.superuser_url()
    with served_witness(tmp_path, log) as witness, authority(tmp_path / "tsa") as tsa:
        cosigner = Verifier.from_vkey(witness.told["vkeys"][0])
        process = serve(
            data=tmp_path / "data",
            database=url,
            schema=schema,
            key_log=log.signer.private_text,
            witness_policy=policy(tmp_path, cosigner.vkey, witness.url),
            tsa=tsa.url,
            tsa_roots=tsa.pem,
        )
        keys = (log.signer.verifier, cosigner)
        (position,) = post(process, "first").json()["positions"]
        until(lambda: published(process, *keys) >= position)

        # Frozen, the witness holds up publishing and nothing else.
        os.kill(witness.process.pid, signal.SIGSTOP)
        behind = published(process, *keys)
        answer = post(process, "second")
        assert answer.status_code == 201
        assert published(process, *keys) == behind
        os.kill(witness.process.pid, signal.SIGCONT)
        (position,) = answer.json()["positions"]
        until(lambda: published(process, *keys) >= position)

        with psycopg.connect(url, autocommit=True) as connection:
            query = f"SELECT size, note, token, stamped FROM {schema}.timestamps".encode()
            until(lambda: bool(connection.execute(query).fetchall()))
            size, note, token, stamped = connection.execute(query).fetchall()[0]
        assert check_token(token, note, tsa.roots) == stamped
        assert size_of(note, *keys) == size
        process.stop()


def test_silence_outside_holds_up_neither_recording_nor_the_end(
    server: Embedded, serve: Serve, tmp_path: Path, log: ShownLog
) -> None:
    """A witness that is away and an authority that never answers are waited for by nobody."""

    def silent(_: Request) -> Iterator[bytes]:
        time.sleep(SECONDS_MAX)
        yield b""

    # Nobody listens at port 1.
    with stranger(silent) as nobody:
        process = serve(
            data=tmp_path / "data",
            database=server.superuser_url(),
            schema=f"t_{secrets.token_hex(6)}",
            key_log=log.signer.private_text,
            witness_policy=policy(tmp_path, nobody_s_key(), "http://127.0.0.1:1"),
            tsa=nobody.url,
        )
        assert [post(process, name).status_code for name in ("a", "b", "c")] == [201] * 3
        assert published(process, log.signer.verifier) == 0
        began = time.monotonic()
        process.stop()
        assert time.monotonic() - began < SECONDS_MAX / 2


def nobody_s_key() -> str:
    """The key of a witness that is not there."""
    return Signer.generate("nobody.example", Kind.ED25519_COSIGNATURE).vkey


@pytest.mark.parametrize("content", [None, b"", b"neither\n"], ids=["absent", "empty", "other"])
def test_roots_that_cannot_be_read_stop_the_start(tmp_path: Path, content: bytes | None) -> None:
    """Before anything is begun, rather than that tokens are let in unchecked."""
    roots, data = tmp_path / "roots.pem", tmp_path / "data"
    if content is not None:
        roots.write_bytes(content)
    with (
        pytest.raises(SettingWrong, match="certificates"),
        running(Settings(data=data, tsa="http://127.0.0.1:1", tsa_roots=roots)),
    ):
        pass
    assert not data.exists()
