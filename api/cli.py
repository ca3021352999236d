"""The command line. What it prints is for people, or with `--json` for programs; errors go to
standard error and say what to do. Exit codes: 0 done, 1 a check failed, 2 wrong use, 3 the store is
away. What is slow to import is imported where it is used.
"""

import signal
import sys
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, Final

import click
import msgspec
from rich_click import RichGroup

from api.cli_fsck import fsck
from api.cli_log import log_key
from api.cli_people import erase, kek
from api.cli_proof import export_dossier, verify
from api.cli_witness import witness
from api.options import (
    NewFile,
    demo_settings_of,
    demo_store_options,
    say,
    settings_of,
    store_options,
)
from api.pages.visible import in_one_line, visible
from api.settings import SettingWrong
from ledger.counted import counted

INTERRUPTED: Final = 130


class Explaining(RichGroup):
    """Turns what goes wrong on purpose into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with _ended_in_order():
                return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except Exception as error:
            from api.exits import explain

            explained = explain(error)
            if explained is None:
                raise
            click.echo(visible(f"Error: {explained.said}"), err=True)
            ctx.exit(explained.code)


@contextmanager
def _ended_in_order() -> Generator[None]:
    """Let SIGTERM end a command as Ctrl-C does: with everything that it opened closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.group(cls=Explaining, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("hireledger"), prog_name="hireledger")
def main() -> None:
    """The record of how a company decided to hire."""


main.add_command(erase)
main.add_command(kek)
main.add_command(verify)
main.add_command(fsck)
main.add_command(log_key)
main.add_command(witness)


# ---------------------------------------------------------------- serving


@main.command()
@store_options
@click.option("--host", help="Address to listen at. Default 127.0.0.1.")
@click.option("--port", type=int, help="Port to listen at; 0: any free one. Default 8000.")
def serve(
    data: Path | None, database: str | None, as_json: bool, host: str | None, port: int | None
) -> None:
    """Serve the ledger; begin one where there is none."""
    settings = settings_of(data=data, database=database, host=host, port=port)
    from api.running import running
    from api.serve import stopped_by_signal
    from api.store import admin_key

    with stopped_by_signal() as stop, running(settings) as (ledger, serving):
        for notice in ledger.database.notices:
            click.echo(notice, err=True)
        key = str(admin_key(settings))
        said = f"hireledger is ready at {serving.address} (the administrator's key: {key})"
        routes = f"Every route, in a browser: {serving.address}/docs"
        say(as_json, {"address": serving.address, "admin_key": key}, said, routes)
        sys.stdout.flush()
        serving.wait(stop)


@main.command()
@demo_store_options
@click.option("--port", type=int, help="Port to listen at; default 8000, with --exit any free one.")
@click.option("--exit", "leave", is_flag=True, help="Stop after recording, instead of serving on.")
def demo(
    data: Path | None, database: str | None, as_json: bool, port: int | None, leave: bool
) -> None:
    """Serve, and record a sample hiring season through the interface."""
    from api.demo.showing import run_demo

    listen_at = 0 if leave and port is None else port
    settings = demo_settings_of(data=data, database=database, port=listen_at)
    run_demo(settings, as_json=as_json, leave=leave)


# ---------------------------------------------------------------- keys


@main.group()
def keys() -> None:
    """API keys of services and people."""


@keys.command("create")
@store_options
@click.option("--service", metavar="NAME", help="The service that the key is for.")
@click.option("--person", metavar="ID", help="The registered person that the key is for.")
@click.option("--role", "roles", multiple=True, required=True, metavar="ROLE", help="Repeatable.")
@click.option("--expires", metavar="TIME", help="As 2027-01-31T12:00:00Z. Default never.")
def create_key(
    data: Path | None,
    database: str | None,
    as_json: bool,
    service: str | None,
    person: str | None,
    roles: Sequence[str],
    expires: str | None,
) -> None:
    """Issue a key; its secret is printed once, and kept nowhere."""
    from api.keys import issue
    from api.store import open_ledger

    with open_ledger(settings_of(data=data, database=database)) as ledger:
        token, issued = issue(
            ledger, service=service, person=person, roles=roles, expires=_time(expires)
        )
    if not as_json:
        click.echo(f"Key {issued.id}; its secret is shown only now:", err=True)
    say(as_json, {**msgspec.to_builtins(issued), "key": token}, token)


@keys.command("list")
@store_options
def list_keys(data: Path | None, database: str | None, as_json: bool) -> None:
    """All keys, without their secrets."""
    from api.keys import listed
    from api.store import open_ledger

    with open_ledger(settings_of(data=data, database=database)) as ledger:
        found = listed(ledger)
    lines = [
        "  ".join((key.id, f"{key.status:7}", key.service or key.person or "", *key.roles))
        for key in found
    ]
    say(as_json, {"keys": found}, *lines)


@keys.command("revoke")
@store_options
@click.argument("key_id", metavar="ID")
def revoke_key(data: Path | None, database: str | None, as_json: bool, key_id: str) -> None:
    """Make a key useless, from the next request on."""
    from api.keys import revoke
    from api.store import open_ledger

    with open_ledger(settings_of(data=data, database=database)) as ledger:
        revoke(ledger, key_id)
    say(as_json, {"id": key_id, "status": "revoked"}, f"Key {key_id} opens nothing any more.")


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    raise SettingWrong("--expires must be a time with a zone, as 2027-01-31T12:00:00Z.")


# ---------------------------------------------------------------- read models, import, export


@main.command()
@store_options
@click.argument("projection", required=False)
def rebuild(data: Path | None, database: str | None, as_json: bool, projection: str | None) -> None:
    """Build the read models anew beside those in use, then swap; all, or the one named."""
    from api.store import open_database
    from projections import rebuild as rebuilt

    started = time.monotonic()
    with open_database(settings_of(data=data, database=database)) as opened:
        built = rebuilt(opened, projection)
    seconds = round(time.monotonic() - started, 3)
    lines = [f"{one.projection} is built up to position {one.position}." for one in built]
    say(as_json, {"rebuilt": [one._asdict() for one in built], "seconds": seconds}, *lines)


@main.group("import")
def import_() -> None:
    """Historical records from elsewhere."""


@import_.command("xes")
@store_options
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--system", metavar="NAME", help="Where the log comes from. Default: what it says.")
@click.option("--log", metavar="NAME", help="The log's name. Default: its own, or its digest.")
def import_xes(
    data: Path | None,
    database: str | None,
    as_json: bool,
    file: Path,
    system: str | None,
    log: str | None,
) -> None:
    """Record every event of an XES log, gzipped or not; what is in already is left alone.

    An event's activity (concept:name) stands in the log as it is, and outlasts an erasure: see that
    no activity names a person. Resources and attributes are sealed, and go with the case.
    """
    from api.importing import import_xes as imported
    from api.progress import Bar
    from api.store import open_ledger

    started = time.monotonic()
    settings = settings_of(data=data, database=database)
    with open_ledger(settings, make=True) as ledger, Bar("Importing", file.stat().st_size) as bar:
        origin, done = imported(
            ledger,
            file,
            system=system,
            log=log,
            progress=lambda now: bar.at(now.bytes_read, f"{now.recorded + now.known} events"),
        )
    document = {
        "system": origin.system,
        "log": origin.log,
        "traces": done.traces,
        "recorded": done.recorded,
        "known_before": done.known,
        "seconds": round(time.monotonic() - started, 3),
    }
    line = (
        f"{counted(done.recorded, 'event')} recorded, {done.known} in before; "
        f"{counted(done.traces, 'trace')} of the log {origin.log} of {origin.system}."
    )
    say(as_json, document, line)


@main.group()
def export() -> None:
    """Files to hand on, each with a manifest."""


export.add_command(export_dossier)


@export.command("facts")
@store_options
@click.option(
    "--out",
    type=NewFile(),
    default=Path("facts.ndjson"),
    show_default=True,
    help="The file; its manifest goes beside it.",
)
def facts(data: Path | None, database: str | None, as_json: bool, out: Path) -> None:
    """Every fact as NDJSON: position and exact stored text, no personal value."""
    from api.export import export_facts, manifest_path
    from api.progress import Bar
    from api.store import open_ledger

    with open_ledger(settings_of(data=data, database=database)) as ledger, Bar("Exporting") as bar:
        manifest = export_facts(
            ledger, out, version("hireledger"), lambda done, of: bar.at(done, f"{done} facts", of)
        )
    beside = in_one_line(manifest_path(out).name)
    said = f"{counted(manifest.facts, 'fact')} in {in_one_line(out)}, and {beside} beside it."
    say(as_json, manifest, said)
