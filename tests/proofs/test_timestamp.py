"""Timestamps over a checkpoint: what shows a time, and everything that does not."""

import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rfc3161_client import HashAlgorithm

from ledger.proof.timestamp import TOKEN_BYTES_MAX, TimestampError, check_token, read_roots
from tsa import OPENSSL, Authority, make_authority, needs_openssl

pytestmark = needs_openssl

NOTE = f"hireledger.example/log\n7\n{'A' * 43}=\n\n— x AAAAAAA=\n".encode()


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One authority for all of it."""
    return make_authority(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture(scope="module")
def token(tsa: Authority) -> bytes:
    """A good token over `NOTE`."""
    return tsa.token(NOTE)


def test_a_token_tells_when_the_bytes_existed(tsa: Authority) -> None:
    """The time is that of the authority, in UTC."""
    before = datetime.now(UTC)
    found = check_token(tsa.token(NOTE), NOTE, tsa.roots)
    assert before - timedelta(seconds=2) <= found <= datetime.now(UTC) + timedelta(seconds=2)
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("algorithm", list(HashAlgorithm))
def test_every_hash_that_is_asked_for_is_read(tsa: Authority, algorithm: HashAlgorithm) -> None:
    """A token of another program's request is as good."""
    check_token(tsa.token(NOTE, algorithm), NOTE, tsa.roots)


def test_openssl_reads_the_same_token_as_we_do(
    tsa: Authority, token: bytes, tmp_path: Path
) -> None:
    """What stands in a dossier is what everybody's tools call a token."""
    (tmp_path / "token").write_bytes(token)
    (tmp_path / "note").write_bytes(NOTE)
    words = [str(OPENSSL), "ts", "-verify", "-token_in", "-in", "token", "-data", "note"]
    words += ["-CAfile", str(tsa.pem)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_token_over_other_bytes_is_refused(tsa: Authority, token: bytes) -> None:
    """A token of another checkpoint says nothing about this one."""
    with pytest.raises(TimestampError, match="other bytes"):
        check_token(token, NOTE.replace(b"7", b"8"), tsa.roots)


def test_a_token_of_another_authority_is_refused(token: bytes, tmp_path: Path) -> None:
    """Its own certificates vouch for nobody."""
    other = make_authority(tmp_path / "two")
    with pytest.raises(TimestampError, match="root"):
        check_token(token, NOTE, other.roots)
    with pytest.raises(TimestampError, match="root"):
        check_token(token, NOTE, [])


def test_one_of_several_roots_is_enough(tsa: Authority, token: bytes, tmp_path: Path) -> None:
    """A reader may trust several authorities, whichever was asked."""
    other = make_authority(tmp_path / "two")
    for roots in (other.roots + tsa.roots, tsa.roots + other.roots):
        check_token(token, NOTE, roots)


def test_a_key_that_is_for_something_else_tells_no_time(tsa: Authority) -> None:
    """A root that is trusted for time does not make its other certificates clocks."""
    tsa.certify("clock", "authority")
    tsa.certify("mailer", "mailer")
    token = tsa.token(NOTE)  # only now: a certificate must have been valid at the token's time
    genuine = check_token(token, NOTE, tsa.roots)
    assert check_token(tsa.signed_again(token, "clock"), NOTE, tsa.roots) == genuine
    with pytest.raises(TimestampError):
        check_token(tsa.signed_again(token, "mailer"), NOTE, tsa.roots)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_token_is_refused_or_says_the_same(
    tsa: Authority, token: bytes, seed: int
) -> None:
    """Whatever happens to a token's bytes, no other time comes out of it, and no other error."""
    chance = random.Random(seed)
    roots, genuine = tsa.roots, check_token(token, NOTE, tsa.roots)
    for _ in range(300):
        changed = bytearray(token)
        match chance.randrange(4):
            case 0:
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            case 1:
                del changed[chance.randrange(len(changed)) :]
            case 2:
                place = chance.randrange(len(changed))
                del changed[place : place + chance.randrange(1, 9)]
            case _:
                place = chance.randrange(len(changed))
                changed[place:place] = chance.randbytes(chance.randrange(1, 9))
        try:
            assert check_token(bytes(changed), NOTE, roots) == genuine
        except TimestampError:
            continue


def test_every_truncation_is_refused(tsa: Authority, token: bytes) -> None:
    """Half a token is none, nor is one with something behind it."""
    roots = tsa.roots
    for length in range(len(token)):
        with pytest.raises(TimestampError):
            check_token(token[:length], NOTE, roots)
    with pytest.raises(TimestampError):
        check_token(token + b"\0", NOTE, roots)
    with pytest.raises(TimestampError, match=str(TOKEN_BYTES_MAX)):
        check_token(token + bytes(TOKEN_BYTES_MAX), NOTE, roots)


@pytest.mark.parametrize("pem", [b"", b"no certificate", b"\xff\x00"])
def test_a_file_without_roots_is_refused(pem: bytes) -> None:
    """Nothing is trusted by mistake."""
    with pytest.raises(TimestampError, match="PEM"):
        read_roots(pem)


def test_a_file_of_roots_gives_all_of_them(tsa: Authority, tmp_path: Path) -> None:
    """One file names every authority that a reader trusts."""
    other = make_authority(tmp_path / "two")
    both = tsa.pem.read_bytes() + other.pem.read_bytes()
    assert list(read_roots(both)) == tsa.roots + other.roots
