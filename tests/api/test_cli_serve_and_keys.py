"""The command line beside a running server: one data directory, one ledger, several processes."""

import secrets
import signal
import socket
import stat
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from command_line import Shell, ready
from ledger.embedded.server import Embedded, StoreUnusable


@pytest.fixture(scope="module")
def data(passable_dir: Path) -> Path:
    """A data directory that is not there yet."""
    return passable_dir / f"cli-{secrets.token_hex(4)}"


@pytest.fixture(scope="module")
def shell(data: Path) -> Shell:
    """Commands over that data directory."""
    return Shell(("--data", str(data), "--json"))


@pytest.fixture(scope="module")
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
    made = shell.run("keys", "create", "--service", "calendar", "--role", "recorder,auditor").json
    tokens = (made["key"], (data / "admin.key").read_text().strip())
    hidden = [token.partition(".")[2] for token in tokens]
    listed = shell.run("keys", "list")
    found = {key["service"]: key for key in listed.json["keys"]}
    assert found["administrator"]["status"] == "valid"
    assert found["calendar"]["roles"] == ["recorder", "auditor"]
    plain = Shell(("--data", str(data))).run("keys", "list")
    assert "calendar" in plain.out
    assert not [s for s in hidden if s in listed.out + listed.err + plain.out + plain.err]


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


def test_signals_end_the_server_cleanly_and_the_next_start_finds_the_same_ledger(
    passable_dir: Path,
) -> None:
    """Exit code 0, the socket is free, and the first key is made once."""
    data = passable_dir / f"cli-{secrets.token_hex(4)}"
    keys: set[str] = set()
    for number in (signal.SIGTERM, signal.SIGINT):
        with Shell(("--data", str(data), "--json")).start("serve", "--port", "0") as process:
            address = ready(process)["address"]
            keys.add((data / "admin.key").read_text().strip())
            answer = httpx.get(f"{address}/v1/keys", headers=bearer(next(iter(keys))))
            assert len(answer.json()["items"]) == 1
            process.send_signal(number)
            assert process.wait(timeout=60) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/health/live")
    assert len(keys) == 1


def test_a_command_that_is_told_to_end_stops_the_store_that_it_started(passable_dir: Path) -> None:
    """SIGTERM ends an import as Ctrl-C does: what is recorded stays, and no server is left."""
    data = passable_dir / f"cli-{secrets.token_hex(4)}"
    log = passable_dir / f"{data.name}.xes"
    event = (
        "<event><string key='concept:name' value='Step'/>"
        "<date key='time:timestamp' value='2015-01-05T00:00:00Z'/></event>"
    )
    cases = (
        f"<trace><string key='concept:name' value='{number}'/>{event * 50}</trace>"
        for number in range(1000)
    )
    log.write_text(f"<log>{''.join(cases)}</log>")
    with Shell(("--data", str(data))).start("import", "xes", str(log)) as process:
        while process.poll() is None and not (data / "admin.key").exists():
            time.sleep(0.02)
        process.terminate()
        assert process.wait(timeout=60) == 128 + signal.SIGTERM
    with pytest.raises(StoreUnusable, match="No server runs"):
        Embedded.attach(data)


@pytest.fixture
def elsewhere(server: Embedded, tmp_path: Path) -> Shell:
    """Commands over a ledger on a server that runs already."""
    options = ("--data", str(tmp_path), "--database", server.superuser_url())
    return Shell(options, {"HIRELEDGER_SCHEMA": f"t_{secrets.token_hex(6)}"})


def test_a_port_that_is_taken_is_wrong_use_and_says_what_to_do(elsewhere: Shell) -> None:
    """The ledger is not served, and another port can be named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = elsewhere.run("serve", "--port", port, code=2)
    assert "--port" in ended.err
    assert ended.out == ""


def test_the_ready_line_is_one_line_with_the_address(elsewhere: Shell) -> None:
    """Whoever waits for the server reads one line, with the first key's place; people read on."""
    with elsewhere.start("serve", "--port", "0") as process:
        assert process.stdout is not None
        line, more = process.stdout.readline(), process.stdout.readline()
    assert line.startswith("hireledger is ready at http://127.0.0.1:")
    assert line.rstrip().endswith(f"{elsewhere.options[1]}/admin.key)")
    address = line.split()[4]
    assert more == f"Every route, in a browser: {address}/docs\n"
