"""The season, recorded through the ledger's own interface, with the keys that this takes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from api.demo.calls import RECORDER, Answer, Call
from api.demo.client import Client, StoryBroken
from api.demo.founding import ADMINISTRATOR, keys_issued
from api.demo.people import AUDITOR, OWN_KEY
from api.demo.season import outline, play, season, tell
from api.settings import SettingWrong
from domain.facts import KeyIssued
from domain.values import SYSTEM
from ledger.ledger import Ledger
from ledger.requests import Scope

KEYS: Final = "demo"
"""Directory in the data directory for the keys that the season uses."""

FILES: Final = {RECORDER: "recorder.key", AUDITOR: "auditor.key", OWN_KEY: "interviewer.key"}


FIRST_FACTS: Final = 2
"""Every ledger begins with them: its rules, and its first key."""

FIRST_REQUEST: Final = "founding-000-00"
"""The request key with which the season begins: the first line of the first batch."""


class Outcome(NamedTuple):
    """What a run did."""

    calls: int
    """Of the whole season."""
    before: bool
    """Whether an earlier run had recorded all of it."""


def calls_in_all() -> int:
    """How many calls the season takes: the length of a progress bar."""
    return sum(len(calls) for _, calls in outline())


def refuse_other_facts(ledger: Ledger) -> None:
    """Look before the first write whether the ledger is the season's, or has nothing recorded yet.

    A ledger begins with its rules and its first key. The season's are those in which what follows
    is the season's own first request; what was looked at or added since does no harm.

    Raises `SettingWrong` where something else follows.
    """
    with ledger.reading() as group:
        if group.head <= FIRST_FACTS:
            return
        first_key = group.at((FIRST_FACTS,))[0].fact
        if isinstance(first_key, KeyIssued):
            scope = Scope(first_key.key, SYSTEM)
            begun = group.store.requests.locate(group.cur, scope, FIRST_REQUEST)
            if begun is not None and begun.positions == (FIRST_FACTS + 1,):
                return
    raise SettingWrong(
        "This ledger has facts of its own; the demo wants an empty one: give --data DIR. With "
        "--database, give another database, or another schema by HIRELEDGER_SCHEMA, too. Nothing "
        "was recorded."
    )


def record(
    address: str, data: Path, admin_key: Path, progress: Callable[[int], object] = lambda _: None
) -> Outcome:
    """Record the season in the ledger at an address; what is recorded already stays as it is.

    Args:
        address: of the server.
        data: the data directory, below which the keys that the season uses are kept.
        admin_key: file with the ledger's first key.
        progress: called with the number of calls sent since the last time.

    Raises:
        StoryBroken: the ledger answers otherwise than the stories need, or a key is missing.
    """
    sent = outline()
    total = sum(len(calls) for _, calls in sent)
    with Client(address, _keys(address, data / KEYS, admin_key)) as client:

        def send(name: str, calls: tuple[Call, ...]) -> list[Answer]:
            answers = client.send(name, calls)
            progress(len(calls))
            return answers

        name, calls = sent[-1]
        if client.knows(name, calls[0]):
            return Outcome(total, before=True)
        for _ in play(season(), send):
            pass
    return Outcome(total, before=False)


def _keys(address: str, directory: Path, admin_key: Path) -> dict[str, str]:
    """The keys by name: from their files, or issued now and written to them."""
    if all((directory / file).exists() for file in FILES.values()):
        return {name: (directory / file).read_text().strip() for name, file in FILES.items()}
    try:
        first = admin_key.read_text().strip()
    except OSError:
        raise StoryBroken(
            f"The ledger's first key is not in {admin_key}, so nobody can be registered. Put it "
            "back, or give the demo a data directory of its own (--data DIR)."
        ) from None
    with Client(address, {ADMINISTRATOR: first}) as client:
        keys = tell(keys_issued(), client.send, "founding")
    if keys.keys() != FILES.keys():
        raise StoryBroken(
            "A season was begun in this ledger with keys that are gone, and they are shown only "
            "once. Give the demo an empty data directory (--data DIR)."
        )
    directory.mkdir(mode=0o700, exist_ok=True)
    for name, file in FILES.items():
        descriptor = os.open(directory / file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(keys[name] + "\n")
    return keys
