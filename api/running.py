"""Everything that runs while a ledger is served: traces, the store, the server with its reads."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.metadata import version

from api import telemetry
from api.serve import Serving, serving
from api.settings import Settings
from api.store import open_ledger
from ledger.ledger import Ledger


@contextmanager
def running(settings: Settings) -> Generator[tuple[Ledger, Serving]]:
    """A served ledger, begun where there is none; all of it ends with the block."""
    telemetry.configure(settings.otlp_endpoint, version=version("hireledger"))
    try:
        with (
            open_ledger(settings, make=True, watch=True) as ledger,
            serving(settings, ledger) as served,
        ):
            yield ledger, served
    finally:
        telemetry.close()
