"""Everything that runs while a ledger is served: traces, the store, the server with its reads."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from typing import TextIO

from api import telemetry
from api.serve import Serving, serving
from api.settings import Settings
from api.stamping import roots_of, stamping
from api.store import open_ledger
from ledger.ledger import Ledger


@contextmanager
def running(settings: Settings, *, log: str | None = None) -> Generator[tuple[Ledger, Serving]]:
    """A served ledger, begun where there is none; all of it ends with the block.

    `log` is the name of a file in the data directory for the log's lines; None: standard error.
    """
    roots = roots_of(settings)
    with ExitStack() as stack:
        stack.callback(telemetry.close)
        _configure(settings)
        ledger = stack.enter_context(open_ledger(settings, make=True, watch=True))
        if log is not None:
            # Only now there is a data directory, with the mode that the store needs.
            lines = stack.enter_context((settings.data / log).open("a", buffering=1))
            stack.callback(_configure, settings)
            _configure(settings, lines)
        stack.enter_context(stamping(settings, roots, ledger))
        yield ledger, stack.enter_context(serving(settings, ledger))


def _configure(settings: Settings, stream: TextIO | None = None) -> None:
    telemetry.configure(settings.otlp_endpoint, stream, version=version("hireledger"))
