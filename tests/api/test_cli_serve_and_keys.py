"""The command line beside a running server: one data directory, one ledger, several processes."""

import signal
import socket
import stat
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from command_line import Shell, ready


@pytest.fixture
def data(passable_dir: Path, request: pytest.FixtureRequest) -> Path:
    """A data directory that is not there yet."""
    return passable_dir / f"cli-{abs(hash(request.node.nodeid))}"


@pytest.fixture
def shell(data: Path) -> Shell:
    """Commands over that data directory."""
    return Shell(("--data", str(data), "--json"))


@pytest.fixture
def address(shell: Shell) -> Generator[str]:
    """A server over that data directory."""
    with shell.start("serve", "--port", "0") as process:
        yield ready(process)["address"]


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


def test_keys_made_and_revoked_beside_the_server_open_and_close_it_at_once(
    shell: Shell, address: str, data: Path
) -> None:
    """What the command line records, the running server knows with the next request."""
    admin = data / "admin.key"
    assert stat.S_IMODE(admin.stat().st_mode) == 0o600
    made = shell.run("keys", "create", "--service", "payroll", "--role", "administrator").json
    assert made["service"] == "payroll"
    assert made["roles"] == ["administrator"]
    assert httpx.get(f"{address}/v1/keys", headers=bearer(made["key"])).status_code == 200
    shell.run("keys", "revoke", made["id"])
    assert httpx.get(f"{address}/v1/keys", headers=bearer(made["key"])).status_code == 401
    again = shell.run("keys", "revoke", made["id"], code=2)
    assert "revoked already" in again.err


def test_the_list_of_keys_never_shows_a_secret(shell: Shell, address: str, data: Path) -> None:
    """Neither for people nor for programs."""
    assert address
    made = shell.run("keys", "create", "--service", "payroll", "--role", "recorder,auditor").json
    secrets = [made["key"].partition(".")[2], (data / "admin.key").read_text().partition(".")[2]]
    listed = shell.run("keys", "list")
    assert [(k["service"], k["status"]) for k in listed.json["keys"]] == [
        ("administrator", "valid"),
        ("payroll", "valid"),
    ]
    plain = Shell(("--data", str(data))).run("keys", "list")
    assert "payroll" in plain.out
    assert not [s for s in secrets if s.strip() in listed.out + listed.err + plain.out + plain.err]


def test_a_key_of_a_person_expires_and_is_listed_under_the_callers_id(
    shell: Shell, address: str, data: Path
) -> None:
    """A person is named by the id that they were registered by, and must have been."""
    create = ("keys", "create", "--person", "u-ferrante", "--role", "interviewer")
    missing = shell.run(*create, code=2)
    assert "registered" in missing.err
    assert "ferrante" not in missing.err
    key = (data / "admin.key").read_text().strip()
    body = {"id": "u-ferrante", "name": "Livia Ferrante", "roles": ["interviewer"]}
    headers = {**bearer(key), "Idempotency-Key": "1"}
    httpx.post(f"{address}/v1/people", json=body, headers=headers).raise_for_status()
    shell.run(*create, "--expires", "2100-01-01T00:00:00Z")
    listed = shell.run("keys", "list").json["keys"][-1]
    assert listed["person"] == "u-ferrante"
    assert listed["expires_at"] == "2100-01-01T00:00:00Z"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly_and_the_next_start_finds_the_same_ledger(
    shell: Shell, data: Path, number: signal.Signals
) -> None:
    """Exit code 0, the socket is free, and the first key is made once."""
    with shell.start("serve", "--port", "0") as process:
        address = ready(process)["address"]
        key = (data / "admin.key").read_text()
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health/live")
    with shell.start("serve", "--port", "0") as process:
        address = ready(process)["address"]
        assert (data / "admin.key").read_text() == key
        answer = httpx.get(f"{address}/v1/keys", headers=bearer(key.strip()))
        assert len(answer.json()["items"]) == 1


def test_a_port_that_is_taken_is_wrong_use_and_says_what_to_do(shell: Shell) -> None:
    """The ledger is not served, and another port can be named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = shell.run("serve", "--port", port, code=2)
    assert "--port" in ended.err
    assert ended.out == ""


def test_the_ready_line_is_one_line_with_the_address(data: Path) -> None:
    """Whoever waits for the server reads one line."""
    with Shell(("--data", str(data))).start("serve", "--port", "0") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("hireledger is ready at http://127.0.0.1:")
        assert str(data / "admin.key") in line
