"""`hireledger erase` and `hireledger kek`: what whoever has the keys does about people's data.

Who may read the data directory may act as administrator, and here as privacy officer: an erasure is
then recorded as by `system`. With `--by` it is recorded as by a person, whose own roles must allow
it.
"""

from pathlib import Path
from typing import Final

import click
from rich_click import RichCommand, RichGroup

from api.options import say, settings_of, store_options
from ledger.counted import counted

_RINGS: Final = ("subject", "self-identification")


@click.command(cls=RichCommand)
@store_options
@click.argument("candidate")
@click.option("--legal-basis", required=True, metavar="TEXT", help="Why; it is kept, sealed.")
@click.option("--by", metavar="PERSON", help="The privacy officer who asks. Default: the ledger.")
def erase(
    data: Path | None,
    database: str | None,
    as_json: bool,
    candidate: str,
    legal_basis: str,
    by: str | None,
) -> None:
    """Erase a candidate, by your id or by handle: their key, every word, your ids for them."""
    from api.erasing import erase as erased
    from api.store import open_ledger

    with open_ledger(settings_of(data=data, database=database)) as ledger:
        done = erased(ledger, candidate, legal_basis, by=by)
    lines = [
        f"{done.candidate} is erased, at position {done.position}.",
        "Keep this handle: your id no longer finds the person.",
    ]
    if not done.keys_vacuumed:
        lines.append(
            "The deleted key and ids still lie in their tables' files, because a table was in use. "
            "A running server writes the files anew as soon as it can, and every start does."
        )
    say(as_json, done, *lines)


@click.group(cls=RichGroup)
def kek() -> None:
    """The keys that wrap the keys of people."""


@kek.command("rotate")
@store_options
@click.option(
    "--ring",
    type=click.Choice(_RINGS),
    default="subject",
    show_default=True,
    help="Which of the two.",
)
def rotate(data: Path | None, database: str | None, as_json: bool, ring: str) -> None:
    """Wrap every person's key with a new one, and let go of the old; works beside a server."""
    from api.erasing import rotate as rotated

    done = rotated(settings_of(data=data, database=database), ring)
    wrapped = f"Wrapped with the new key of ring {ring}: {counted(done.rewrapped, 'key')}."
    lines = [wrapped, done.then]
    say(as_json, done, *lines)
