"""`hireledger fsck`: recomputes everything from the rows; exit code 1 where something is wrong."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from rich_click import RichCommand

from api.options import say, settings_of, store_options
from ledger.counted import counted
from ledger.fsck.report import CHECKS, PROBLEMS_SHOWN, Problem, Report

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(cls=RichCommand)
@store_options
@click.option("--basis", is_flag=True, help="Only that no decision rested on less than it says.")
@click.option("--vkey", "vkeys", multiple=True, metavar="VKEY", help="A retired key of the log.")
@click.option("--witness-policy", type=_FILE, metavar="FILE", help="The witnesses' keys.")
@click.option("--timestamp-roots", type=_FILE, metavar="FILE", help="The authority's roots, PEM.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=PROBLEMS_SHOWN,
    show_default=True,
    help="How many problems are told one by one.",
)
def fsck(
    data: Path | None,
    database: str | None,
    as_json: bool,
    basis: bool,
    vkeys: Sequence[str],
    witness_policy: Path | None,
    timestamp_roots: Path | None,
    limit: int,
) -> None:
    """Recompute the whole record from its rows, and say what is not as it was recorded.

    Works beside a running server, on everything committed when it begins, and writes nothing.
    """
    from api.checking import check

    started = time.monotonic()
    settings = settings_of(data=data, database=database, witness_policy=witness_policy)
    report = check(settings, only_basis=basis, vkeys=vkeys, roots=timestamp_roots, limit=limit)
    seconds = round(time.monotonic() - started, 3)
    document: dict[str, Any] = {
        "sound": report.sound, **msgspec.to_builtins(report), "seconds": seconds
    }  # fmt: skip
    say(as_json, document, *_lines(report))
    if not report.sound:
        from api.exits import CHECK_FAILED

        click.get_current_context().exit(CHECK_FAILED)


def _lines(report: Report) -> list[str]:
    """The report for people: what is wrong, first position first, then what was looked at."""
    lines = [_line(problem) for problem in report.problems]
    found = sum(report.found.values())
    if found > len(report.problems):
        lines.append(f"And {found - len(report.problems)} more.")
    lines += [f"Note: {note}" for note in report.notes]
    others = sum(report.rows.values()) - report.rows.get("facts", 0)
    root = f", root {report.root}" if report.root else ""
    looked_at = f"{counted(report.facts, 'fact')}{root}, and {counted(others, 'row')} beside them"
    lines.append(f"Looked at {looked_at}.")
    if report.sound:
        lines.append("Everything is as it was recorded.")
    else:
        each = (f"{check} {report.found[check]}" for check in CHECKS if report.found.get(check))
        lines.append(f"{counted(found, 'problem')}: {', '.join(each)}.")
    return lines


def _line(problem: Problem) -> str:
    place = problem.place
    return f"{place[:1].upper()}{place[1:]}: {problem.said}\n  {problem.cure}"
