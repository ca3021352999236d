"""`hireledger verify` and `hireledger export dossier`: a decision as a file, made and checked.

Verifying needs no ledger, no data directory, no network and no database driver: what it imports
stays within `ledger.proof` and the rules.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich_click import RichCommand

from api.options import NewFile, say, settings_of, store_options
from api.pages.visible import as_text, in_one_line
from api.settings import Settings
from ledger.counted import counted

if TYPE_CHECKING:
    from api.printing import Trusted, Wanted
    from ledger.proof.verdict import Verdict

CHECK_FAILED: Final = 1
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_NEW: Final = NewFile()
_WHICH: Final = (
    "Its position, or that of a rejection at a stage. Default: the decision in force, else the "
    "latest made, else the latest rejection."
)


def _each(_: click.Context, __: click.Parameter, given: Sequence[str]) -> tuple[str, ...]:
    """Keys, also those that came together as /v1/log/vkey gives them: a line each."""
    return tuple(key for text in given for key in text.split())


# ---------------------------------------------------------------- verifying


@click.command(cls=RichCommand)
@click.argument("file", type=_FILE)
@click.option(
    "--vkey",
    "vkeys",
    multiple=True,
    required=True,
    callback=_each,
    metavar="KEY",
    help="The log's verifier key, from somewhere else than the file. Repeatable.",
)
@click.option("--witness-policy", type=_FILE, metavar="FILE", help="Who must have cosigned.")
@click.option("--timestamp-roots", type=_FILE, metavar="FILE", help="Authorities to trust, PEM.")
@click.option(
    "--leaf",
    type=_FILE,
    metavar="FILE",
    help="Of a tlog-proof, the fact it is about: the text `leaf` that /v1/facts/N gives.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(
    file: Path,
    vkeys: Sequence[str],
    witness_policy: Path | None,
    timestamp_roots: Path | None,
    leaf: Path | None,
    as_json: bool,
) -> None:
    """Check a dossier, or the proof of one fact, offline, in ten steps.

    Exit code 1 when a step fails. Nothing in the file is trusted: the key comes from you.
    """
    from ledger.errors import LedgerError
    from ledger.proof.dossier import DOSSIER_BYTES_MAX
    from ledger.proof.timestamp import read_roots
    from ledger.proof.verify import verify as verify_dossier
    from ledger.proof.verify_fact import is_log_proof, verify_fact
    from ledger.proof.witness_policy import parse_policy
    from policies import load

    with file.open("rb") as opened:
        raw = opened.read(DOSSIER_BYTES_MAX + 1)
    if leaf is None and is_log_proof(raw):
        raise click.UsageError(
            f"{in_one_line(file.name)} is a tlog-proof: give its fact with --leaf FILE."
        )
    now = datetime.now(UTC)
    try:
        policy = parse_policy(witness_policy.read_bytes()) if witness_policy else None
        roots = read_roots(timestamp_roots.read_bytes()) if timestamp_roots else None
        if leaf is not None:
            # Tools that save a text end it in a line feed; no stored fact ends in one.
            fact = leaf.read_bytes().removesuffix(b"\n")
            verdict = verify_fact(raw, fact, vkeys, policy, now=now)
        else:
            verdict = verify_dossier(raw, vkeys, policy, load(), now=now, roots=roots)
    except LedgerError as error:
        raise click.UsageError(str(error)) from None
    document: dict[str, Any] = {
        "accepted": verdict.accepted,
        "failed": verdict.failed.number if verdict.failed else None,
        "steps": verdict.steps,
    }
    lines = [
        f"{step.number:>2} {step.name:<16} {step.outcome:<14} {in_one_line(step.reason)}"
        for step in verdict.steps
    ]
    if verdict.accepted:
        lines.append(
            f"Accepted: {in_one_line(file.name)} holds; what was not checked is said above."
        )
    say(as_json, document, *lines)
    _end(file, verdict)


# ---------------------------------------------------------------- exporting


@click.command("dossier", cls=RichCommand)
@store_options
@click.argument("loop", required=False)
@click.option("--from", "source", type=_FILE, help="Make the page of this file; no ledger needed.")
@click.option(
    "--vkey",
    "vkeys",
    multiple=True,
    callback=_each,
    metavar="KEY",
    help="With --from: the log's verifier key, from somewhere else than the file. Repeatable.",
)
@click.option("--witness-policy", type=_FILE, metavar="FILE", help="Who must have cosigned.")
@click.option("--timestamp-roots", type=_FILE, metavar="FILE", help="Authorities to trust, PEM.")
@click.option("--html", type=_NEW, metavar="FILE", help="Write its page for people.")
@click.option("--pdf", type=_NEW, metavar="FILE", help="Write the page on paper (extra `pdf`).")
@click.option(
    "--printed",
    metavar="TIME",
    help="When the page says it was made; not before its facts. Default: now.",
)
@click.option("--decision", type=click.IntRange(1), metavar="N", help=_WHICH)
@click.option(
    "--withhold",
    metavar="KINDS",
    default="",
    help="Leave out name, evidence or reasons; several with commas.",
)
@click.option(
    "--disclose",
    metavar="KINDS",
    default="",
    help="Tell legal or comparative reasons too; several with commas. Else they are left out.",
)
@click.option(
    "--out",
    type=_NEW,
    default=Path("dossier.json"),
    show_default=True,
    help="The file.",
)
def export_dossier(
    data: Path | None,
    database: str | None,
    as_json: bool,
    loop: str | None,
    source: Path | None,
    vkeys: Sequence[str],
    witness_policy: Path | None,
    timestamp_roots: Path | None,
    html: Path | None,
    pdf: Path | None,
    printed: str | None,
    decision: int | None,
    withhold: str,
    disclose: str,
    out: Path,
) -> None:
    """The decision of LOOP (your id, or its handle) as one file that anyone can verify offline.

    Of a candidate who was rejected at a stage it is that rejection.

    With --html and --pdf also as a page that tells it to people, made from that file alone: with
    --from FILE and --vkey of any dossier, without a ledger.
    """
    from api.printing import trusted, wanted
    from ledger.errors import LedgerError

    pages = wanted(html, pdf, printed)
    try:
        trust = trusted(vkeys, witness_policy, timestamp_roots)
    except LedgerError as error:
        raise click.UsageError(str(error)) from None
    if source is not None and loop is None and vkeys and pages.files:
        _print_file(source, trust, pages, as_json)
    elif loop is not None and source is None and not vkeys:
        settings = settings_of(data=data, database=database)
        _export(settings, loop, decision, (withhold, disclose), out, trust, pages, as_json)
    else:
        raise click.UsageError(
            "Give LOOP, or --from FILE with --vkey KEY and --html FILE or --pdf FILE."
        )


def _export(
    settings: Settings,
    loop: str,
    decision: int | None,
    told: tuple[str, str],
    out: Path,
    trust: "Trusted",
    pages: "Wanted",
    as_json: bool,
) -> None:
    from api.dossiers import export, guarded_kinds, kinds, unwitnessed
    from api.printing import check_printed, erased_of, write_pages
    from api.store import open_ledger
    from ledger.durable import replace_durably

    withheld, disclosed = kinds(told[0]), guarded_kinds(told[1])
    with open_ledger(settings) as ledger:
        made = export(ledger, loop, decision=decision, withheld=withheld, disclosed=disclosed)
        check_printed(pages, made.dossier)
        vkeys = ledger.publisher.keys.vkeys
        erased = erased_of(ledger, made.dossier) if pages.files else frozenset[str]()
        rules = ledger.rules
        notice = unwitnessed(ledger)
    replace_durably(out, made.raw)
    verdict = None
    if pages.files:
        verdict = write_pages(made.raw, trust._replace(vkeys=vkeys), rules, pages, erased)
    document: dict[str, Any] = {
        "file": as_text(out),
        "loop": made.dossier.loop,
        "decision": made.dossier.decision,
        "facts": len(made.dossier.facts),
        "disclosures": len(made.dossier.disclosures),
        "bytes": len(made.raw),
        "vkeys": list(vkeys),
        "pages": pages.files,
    }
    named = in_one_line(out)
    line = (
        f"{counted(len(made.dossier.facts), 'fact')} behind the decision at "
        f"{made.dossier.decision} in {named}. To check it: hireledger verify {named} "
        f"--vkey {vkeys[0]}"
    )
    say(as_json, document, line, *_told(pages))
    if notice is not None:
        click.echo(f"Note: {notice}", err=True)
    _end(out, verdict)


def _print_file(source: Path, trust: "Trusted", pages: "Wanted", as_json: bool) -> None:
    from api.printing import read_source, write_pages
    from ledger.errors import LedgerError
    from policies import load

    try:
        verdict = write_pages(read_source(source), trust, load(), pages)
    except LedgerError as error:
        raise click.UsageError(str(error)) from None
    document = {"file": as_text(source), "accepted": verdict.accepted, "pages": pages.files}
    say(as_json, document, *_told(pages))
    _end(source, verdict)


def _told(pages: "Wanted") -> tuple[str, ...]:
    files = " and ".join(map(in_one_line, pages.files))
    return (f"Its page is in {files}.",) if files else ()


def _end(file: Path, verdict: "Verdict | None") -> None:
    """Exit code 1, with the step, for a file whose page says that it does not verify."""
    if verdict is not None and verdict.failed is not None:
        named = f"step {verdict.failed.number} ({verdict.failed.name})"
        click.echo(f"Refused: {in_one_line(file.name)} fails {named}. Do not rely on it.", err=True)
        click.get_current_context().exit(CHECK_FAILED)
