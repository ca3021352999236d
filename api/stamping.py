"""From settings to timestamps: an authority outside says when checkpoints existed."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.x509 import Certificate
from psycopg import Cursor
from psycopg.rows import TupleRow

from api.settings import Settings, SettingWrong, variable_of
from ledger.ledger import Ledger
from ledger.proof.timestamp import TimestampError, read_roots

PEM_BYTES_MAX: Final = 1_000_000


def roots_of(settings: Settings) -> Sequence[Certificate]:
    """The roots that the settings name, none where they name none; raises `SettingWrong`."""
    return () if settings.tsa_roots is None else roots_in(settings.tsa_roots)


@contextmanager
def stamping(settings: Settings, roots: Sequence[Certificate], ledger: Ledger) -> Generator[None]:
    """Has published checkpoints stamped while the block runs, where the settings name who by."""
    if settings.tsa is None:
        yield
        return
    from api.outbound import Outbound
    from ledger.vouching.timestamps import Stamper, ask

    url = settings.tsa

    def published(cur: Cursor[TupleRow]) -> tuple[int, bytes] | None:
        newest = ledger.publisher.published(cur)
        return None if newest is None else (newest.size, newest.note)

    with Outbound() as send:
        stamper = Stamper(
            ledger.database,
            published,
            lambda note: ask(send, url, note, roots, now=datetime.now(UTC)),
        )
        stamper.start()
        try:
            yield
        finally:
            send.close()  # first, so that nobody waits for an authority any more
            stamper.stop()


def roots_in(path: Path) -> Sequence[Certificate]:
    """The root certificates in a file that a setting or an option names."""
    try:
        with path.open("rb") as file:
            return read_roots(file.read(PEM_BYTES_MAX))
    except OSError as error:
        raise SettingWrong(
            f"The root certificates cannot be read from {path} ({error.strerror}). Correct the "
            f"path: {variable_of('tsa_roots')}, or --timestamp-roots."
        ) from None
    except TimestampError as error:
        raise SettingWrong(str(error)) from None
