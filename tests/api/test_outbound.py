"""What goes out: a POST to strangers, who may be away, slow, endless or somewhere else."""

import threading
import time
from collections.abc import Generator, Iterator

import pytest

from api.outbound import ANSWER_BYTES_MAX, Outbound
from ledger.vouching.sending import Answer, Unanswered
from strangers import Request, answer, stranger

SHORT = 0.3
LONG = 30.0


@pytest.fixture
def send() -> Generator[Outbound]:
    """What the product sends with."""
    with Outbound() as outbound:
        yield outbound


def test_body_and_type_go_out_and_the_answer_comes_back(send: Outbound) -> None:
    """Whatever its status, an answer is handed on as it is."""
    with stranger(lambda _: answer("409 Conflict", b"7\n", "text/x.tlog.size")) as met:
        said = send(f"{met.url}/add-checkpoint", "text/plain", b"old 0\n", LONG)
        (asked,) = met.requests
    assert said == Answer(409, "text/x.tlog.size", b"7\n")
    assert asked.line == "POST /add-checkpoint HTTP/1.1"
    assert (asked.headers["content-type"], asked.body) == ("text/plain", b"old 0\n")


def test_a_redirect_is_an_answer_and_nobody_else_is_asked(send: Outbound) -> None:
    """A witness cannot make the ledger call an address of its choice."""
    with (
        stranger(lambda _: answer("200 OK", b"no")) as other,
        stranger(lambda _: answer("307 Temporary Redirect", Location=other.url)) as met,
    ):
        assert send(met.url, "text/plain", b"x", LONG).status == 307
        assert other.requests == []


def test_nothing_of_the_environment_is_used(
    send: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a checkpoint goes is said by the settings alone."""
    with stranger(lambda _: answer("200 OK", b"proxy")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        with stranger(lambda _: answer("200 OK", b"itself")) as met, Outbound() as later:
            assert later(met.url, "text/plain", b"x", LONG).body == b"itself"
            assert send(met.url, "text/plain", b"x", LONG).body == b"itself"
        assert proxy.requests == []


@pytest.mark.parametrize("length", ["announced", "counted"])
def test_an_answer_over_the_limit_is_not_read_to_its_end(send: Outbound, length: str) -> None:
    """Nobody fills our memory by answering."""

    def endless(_: Request) -> Iterator[bytes]:
        said = f"Content-Length: {10**12}" if length == "announced" else "Connection: close"
        yield f"HTTP/1.1 200 OK\r\n{said}\r\n\r\n".encode()
        while True:
            yield bytes(65_536)

    with stranger(endless) as met, pytest.raises(Unanswered, match=str(ANSWER_BYTES_MAX)):
        send(met.url, "text/plain", b"x", LONG)


def test_an_answer_at_the_limit_is_whole(send: Outbound) -> None:
    """The limit is the last length that is read."""
    with stranger(lambda _: answer("200 OK", bytes(ANSWER_BYTES_MAX))) as met:
        assert len(send(met.url, "text/plain", b"x", LONG).body) == ANSWER_BYTES_MAX


@pytest.mark.parametrize("where", ["nowhere", "in the head", "in the body"])
def test_who_drips_is_hung_up_on_when_the_time_is_over(send: Outbound, where: str) -> None:
    """The limit is one for the whole answer, not for each byte of it."""
    ended = threading.Event()

    def drip(_: Request) -> Iterator[bytes]:
        if where == "in the body":
            yield b"HTTP/1.1 200 OK\r\n\r\n"
        elif where == "in the head":
            yield b"HTTP/1.1 200 OK\r\nX-Long: "
        while not ended.wait(0.02):
            yield b"" if where == "nowhere" else b"x"

    started = time.monotonic()
    with stranger(drip) as met:
        with pytest.raises(Unanswered):
            send(met.url, "text/plain", b"x", SHORT)
        ended.set()
    assert time.monotonic() - started < LONG


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\xff\xfe\x00" * 30,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"HTTP/1.1 999999 Odd\r\n\r\n",
    ],
    ids=[
        "hangs up",
        "half a body",
        "bad chunk",
        "another protocol",
        "noise",
        "huge head",
        "status",
    ],
)
def test_what_is_no_answer_is_told_as_one_kind_of_error(send: Outbound, said: bytes) -> None:
    """Whoever sends needs to know one error, whatever the other side did."""
    with stranger(lambda _: said) as met, pytest.raises(Unanswered):
        send(met.url, "text/plain", b"x", LONG)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "http://[::bad/",
        "ftp://127.0.0.1/",
        "no url",
        "http://127.0.0.1:99999/",
        "https://127.0.0.1:1/",
        "http://exa\x00mple/",
        f"http://{'a' * 300}.invalid/",
    ],
)
def test_a_place_where_nobody_can_answer_is_the_same_error(send: Outbound, url: str) -> None:
    """A wrong line in a policy file disturbs nobody else."""
    with pytest.raises(Unanswered):
        send(url, "text/plain", b"x", LONG)


def test_closing_hangs_up_on_whoever_is_waiting() -> None:
    """The end of a server does not wait for strangers."""
    asked, ended = threading.Event(), threading.Event()

    def silent(_: Request) -> Iterator[bytes]:
        asked.set()
        ended.wait(LONG)
        yield b""

    caught: list[BaseException] = []
    outbound = Outbound()

    def wait() -> None:
        try:
            outbound(met.url, "text/plain", b"x", LONG)
        except Unanswered as error:
            caught.append(error)

    with stranger(silent) as met:
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert asked.wait(LONG)
        outbound.close()
        waiting.join(LONG)
        ended.set()
    assert len(caught) == 1
    with pytest.raises(Unanswered):
        outbound("http://127.0.0.1:1/", "text/plain", b"x", LONG)
    outbound.close()
