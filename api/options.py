"""What the commands of the command line share: their options, their settings, how they answer."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
from typing_extensions import override

from api.pages.visible import in_one_line, visible
from api.settings import Settings, read_settings, variable_of

F = TypeVar("F", bound=Callable[..., object])

DEMO_DATA: Final = Path(".hireledger-demo")
"""Where the demo records unless told otherwise: a real ledger is never mixed with its season."""


class NewFile(click.Path):
    """A file to be written, in a directory that is there: seen before anything is done."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False)

    @override
    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """The path; fails where no file can be made."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        parent = in_one_line(path.parent)
        if not path.parent.is_dir():
            self.fail(
                f"There is no directory {parent}. Make it, or name a file elsewhere.", param, ctx
            )
        if not os.access(path.parent, os.W_OK | os.X_OK):
            self.fail(f"This account may not write in {parent}. Name a file elsewhere.", param, ctx)
        return path


def store_options(command: F) -> F:
    """`--data`, `--database` and `--json`, which every command takes."""
    return _store_options(command, str(Settings().data))


def demo_store_options(command: F) -> F:
    """The same for the demo, which has a data directory of its own."""
    return _store_options(command, str(DEMO_DATA))


def _store_options(command: F, data: str) -> F:
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--database", metavar="URL", help="PostgreSQL elsewhere, by URL."),
        click.option(
            "--data",
            metavar="DIR",
            type=click.Path(path_type=Path, file_okay=False),
            help=f"Data directory: keys, and the embedded store. Default {data}.",
        ),
    ):
        command = option(command)
    return command


def settings_of(**options: object) -> Settings:
    """The settings of the environment, and over them the options that were given."""
    return read_settings(os.environ, **options)


def demo_settings_of(*, data: Path | None, **options: object) -> Settings:
    """The same for the demo: its own data directory where neither option nor variable names one."""
    if data is None and not os.environ.get(variable_of("data")):
        data = DEMO_DATA
    return settings_of(data=data, **options)


def say(as_json: bool, document: object, *lines: str) -> None:
    """The answer of a command: one JSON document, or lines for people."""
    if as_json:
        click.echo(msgspec.json.encode(document).decode())
    else:
        # No word of a file, a name or a row that got this far commands the terminal.
        click.echo(visible("\n".join(lines)))
