"""`hireledger demo` itself: serve, record, tell what came of it and how to look, serve on."""

import logging
import sys
import time
from typing import Any, Final

import msgspec
from rich.console import Console

from api.demo.run import KEYS, calls_in_all, record, refuse_other_facts
from api.demo.summary import Summary, show, summarise
from api.progress import Bar
from api.running import running
from api.serve import stopped_by_signal
from api.settings import Settings
from api.store import admin_key

LOOP: Final = "assistant-engineer-2024-001"
"""The loop that is shown first: it ends with a decision."""

LOG: Final = "demo.log"
"""In the data directory; on standard error the lines would run into the progress bar."""


def run_demo(settings: Settings, *, as_json: bool, leave: bool) -> None:
    """Serve a ledger and record the season in it; with `leave`, end after that.

    Raises:
        StoryBroken: the ledger answered otherwise than the season needs.
        SettingWrong: the ledger has facts that are not of the season; none was added.
        LedgerError, SettingWrong, ServerFailed: the ledger could not be served.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a call says nothing here
    with running(settings, log=LOG) as (ledger, serving):
        refuse_other_facts(ledger)
        started = time.monotonic()
        with Bar("Recording a season", calls_in_all()) as bar:
            done = record(serving.address, settings.data, admin_key(settings), bar.on)
        told: dict[str, Any] = {
            "address": serving.address,
            "calls": done.calls,
            "recorded_before": done.before,
            "seconds": round(time.monotonic() - started, 3),
        }
        summary = summarise(ledger)
        if as_json:
            sys.stdout.write(msgspec.json.encode({**told, "summary": summary}).decode() + "\n")
        else:
            _tell(summary, told, settings, leave=leave)
        sys.stdout.flush()
        if not leave:
            with stopped_by_signal() as stop:
                serving.wait(stop)


def _tell(summary: Summary, told: dict[str, Any], settings: Settings, *, leave: bool) -> None:
    console = Console(soft_wrap=True)
    show(summary, console)
    console.print()
    if told["recorded_before"]:
        console.print("The season was recorded by an earlier run; nothing was added.")
    else:
        console.print(f"{told['calls']} calls in {told['seconds']} s.")
    console.print("One decision as a file that verifies offline, and as a page to read:")
    export = f"hireledger export dossier {LOOP} --data {settings.data} --html decision.html"
    console.print(f"  {export}", highlight=False, markup=False)
    if leave:
        serve = f"`hireledger serve --data {settings.data}` serves it"
        console.print(f"The ledger stays in {settings.data}: {serve}.", highlight=False)
        console.print("Served, it shows every route in a browser at /docs.", highlight=False)
        return
    auditor = f"$(cat {settings.data / KEYS / 'auditor.key'})"
    address = told["address"]
    console.print(f"hireledger is ready at {address}", highlight=False)
    console.print("How to look (the last one needs no key: what the ledger signed last):")
    for path in (
        "/v1/loops?limit=5",
        f"/v1/loops/{LOOP}/timeline",
        "/v1/facts?type=decision-refused.v1",
        "/v1/policies",
    ):
        call = f"  curl -s -H \"Authorization: Bearer {auditor}\" '{address}{path}'"
        console.print(call, highlight=False, markup=False)
    console.print(f"  curl -s {address}/checkpoint", highlight=False, markup=False)
    console.print(f"Every route, in a browser: {address}/docs", highlight=False)
    console.print(f"The server's log is {settings.data / LOG}. Ctrl-C ends it.", highlight=False)
