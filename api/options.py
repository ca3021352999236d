"""What the commands of the command line share: their options, their settings, how they answer."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from api.settings import Settings, read_settings

F = TypeVar("F", bound=Callable[..., object])


def store_options(command: F) -> F:
    """`--data`, `--database` and `--json`, which every command takes."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--database", metavar="URL", help="PostgreSQL elsewhere, by URL."),
        click.option(
            "--data",
            metavar="DIR",
            type=click.Path(path_type=Path, file_okay=False),
            help="Data directory: keys, and the embedded store. Default .hireledger.",
        ),
    ):
        command = option(command)
    return command


def settings_of(**options: object) -> Settings:
    """The settings of the environment, and over them the options that were given."""
    return read_settings(os.environ, **options)


def say(as_json: bool, document: object, *lines: str) -> None:
    """The answer of a command: one JSON document, or lines for people."""
    if as_json:
        click.echo(msgspec.json.encode(document).decode())
    else:
        click.echo("\n".join(lines))
