"""The demo's season in a ledger of its own, recorded through its interface like any other."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from api.demo.run import Outcome, record
from api.serve import serving
from api.settings import Settings
from api.store import admin_key, open_ledger
from ledger.embedded.server import Embedded
from ledger.ledger import Ledger


class Season(NamedTuple):
    """A served ledger in which the season is recorded."""

    ledger: Ledger
    settings: Settings
    address: str
    outcome: Outcome


@contextmanager
def recorded_season(server: Embedded, data: Path) -> Generator[Season]:
    """Record the season in a fresh schema of this server, and go on serving it."""
    settings = Settings(
        data=data,
        database=server.superuser_url(),
        schema=f"t_{secrets.token_hex(6)}",
    )
    with open_ledger(settings, make=True) as ledger, serving(settings, ledger, port=0) as served:
        outcome = record(served.address, data, admin_key(settings))
        yield Season(ledger, settings, served.address, outcome)
