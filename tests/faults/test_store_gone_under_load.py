"""PostgreSQL stopped, killed and restarted under load: 201 or 503, nothing half, back by itself.

`HIRELEDGER_TEST_OUTAGE_SECONDS=30` makes the long outage longer.
"""

import os
import secrets
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from crowd import Crowd, one_set_of_facts_each
from ledger.embedded.server import Embedded
from served import Serve, Served

FAST = {"fsync": "off", "full_page_writes": "off"}
SHORT_SECONDS = 0.5
LONG_SECONDS = float(os.environ.get("HIRELEDGER_TEST_OUTAGE_SECONDS", "4"))
BACK_SECONDS_MAX = 5.0
"""Generous: on a quiet machine it is a fraction of a second."""


def stopped(server: Embedded) -> None:
    """In order, as an upgrade does it."""
    os.kill(server.pid, signal.SIGINT)


def killed(server: Embedded) -> None:
    """As kill -9 does it."""
    os.kill(server.pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("end", "seconds"),
    [(stopped, SHORT_SECONDS), (killed, SHORT_SECONDS), (stopped, LONG_SECONDS)],
    ids=["stopped", "killed", "away for long"],
)
def test_the_store_goes_and_comes_back_and_nothing_is_half_recorded(
    serve: Serve,
    passable_dir: Path,
    tmp_path: Path,
    end: Callable[[Embedded], None],
    seconds: float,
) -> None:
    """Each request gets 201 or 503; a 503 sent again is recorded once; recovery needs nobody."""
    data, schema = passable_dir / secrets.token_hex(4), f"t_{secrets.token_hex(6)}"
    store = Embedded.start(data, settings=FAST, watch=False)
    url = store.superuser_url()
    process = serve(data=tmp_path / "data", database=url, schema=schema)
    crowd = Crowd(lambda: process.address, process.admin)
    with crowd.recording():
        time.sleep(0.5)
        end(store)
        gone = time.monotonic()
        store.stop()
        time.sleep(seconds)
        if seconds == LONG_SECONDS:
            _answers_soon(process)
        with Embedded.start(data, settings=FAST, watch=False):
            back = time.monotonic()
            while not any(one.answered > back for one in list(crowd.asked)):
                assert time.monotonic() < back + 60, "it does not recover"
                time.sleep(0.01)
            time.sleep(0.3)
            crowd.stopping.set()
            _settled(crowd, url, schema)
    took = crowd.first_after(back)
    slowest = max(two.answered for two in crowd.asked if two.answered > back) - back
    print(f"away {back - gone:.1f} s, first 201 {took:.2f} s after, last {slowest:.2f} s after")
    statuses = {status for one in crowd.asked for status in one.statuses}
    # Whoever comes while it is away for a moment only is served when it is back.
    assert statuses == {201, 503} or (statuses == {201} and seconds == SHORT_SECONDS)
    assert took < BACK_SECONDS_MAX


def _answers_soon(process: Served) -> None:
    """Far more callers than threads hear within seconds that the store is away; so does a check."""
    began = time.monotonic()
    with ThreadPoolExecutor(40) as callers:
        body = {"id": "in-vain", "roles": ["interviewer"]}
        vain = [callers.submit(process.post, "/people", body, f"vain-{n}") for n in range(40)]
        url = f"{process.address}/health/ready"
        ready = httpx.get(url, timeout=60, trust_env=False)
        assert ready.status_code == 503
        checked = time.monotonic() - began
        assert {one.result().status_code for one in vain} == {503}
    took = time.monotonic() - began
    print(f"while away: health after {checked:.1f} s, the last of 40 after {took:.1f} s")
    assert took < 15


def _settled(crowd: Crowd, url: str, schema: str) -> None:
    """While the store is there: everything asked again, and the rows looked at."""
    deadline = time.monotonic() + 60
    while any(one.position is None for one in crowd.asked):
        crowd.ask_again()
        assert time.monotonic() < deadline
    one_set_of_facts_each(url, schema, {one.key for one in crowd.asked})


def test_an_embedded_store_that_is_killed_is_started_again(
    serve: Serve, passable_dir: Path
) -> None:
    """The serving process watches its own store: a kill costs some 503, and nobody has to act."""
    data = passable_dir / secrets.token_hex(4)
    process = serve(data=data)
    crowd = Crowd(lambda: process.address, process.admin)
    with crowd.recording():
        time.sleep(0.5)
        pid = int((data / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        time.sleep(2)
    pause = crowd.longest_pause()
    print(f"nothing was recorded for {pause:.2f} s")
    crowd.ask_again()
    assert {s for one in crowd.asked for s in one.statuses} <= {201, 503}
    assert pause < BACK_SECONDS_MAX
    with Embedded.attach(data) as store:
        one_set_of_facts_each(store.superuser_url(), "hireledger", {one.key for one in crowd.asked})
    process.stop()
