"""The demo's season in a ledger of its own, recorded through its interface like any other."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from api.demo.run import record
from api.serve import serving
from api.settings import Settings
from api.store import admin_key, open_ledger
from ledger.embedded.server import Embedded
from ledger.ledger import Ledger

GOLDEN = Path(__file__).parents[1] / "golden" / "season.json"
"""What the season comes to on every machine: the `summary` of `hireledger demo --exit --json`."""


class Season(NamedTuple):
    """A served ledger in which the season is recorded."""

    ledger: Ledger
    settings: Settings
    address: str


def golden_season() -> dict[str, Any]:
    """Every count of the season, as it has to come out."""
    return msgspec.json.decode(GOLDEN.read_bytes(), type=dict[str, Any])


def settings_for(server: Embedded, data: Path) -> Settings:
    """A fresh schema of this server."""
    schema = f"t_{secrets.token_hex(6)}"
    return Settings(data=data, database=server.superuser_url(), schema=schema)


@contextmanager
def served_season(settings: Settings) -> Generator[Season]:
    """Serve the ledger of these settings, with whatever is in it."""
    with open_ledger(settings, make=True) as ledger, serving(settings, ledger, port=0) as served:
        yield Season(ledger, settings, served.address)


@contextmanager
def recorded_season(server: Embedded, data: Path) -> Generator[Season]:
    """Record the season in a fresh schema of this server, and go on serving it."""
    settings = settings_for(server, data)
    with served_season(settings) as season:
        record(season.address, data, admin_key(settings))
        yield season
