"""`hireledger witness`: a witness for logs of others, which needs no ledger and no database."""

import sys
from pathlib import Path
from typing import Final

import click
from rich_click import RichCommand

from api.options import say
from api.settings import SettingWrong
from ledger.counted import counted

REQUESTS_MAX: Final = 128
LOGS_BYTES_MAX: Final = 1_000_000


@click.command(cls=RichCommand)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".hireledger-witness"),
    show_default=True,
    help="Its key, and what it cosigned last of each log.",
)
@click.option("--name", metavar="NAME", help="Its name; needed at the first start.")
@click.option(
    "--logs",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The logs to cosign: verifier keys, or the `log` lines of a policy.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8001, show_default=True,
              help="Port to listen at; 0: any free one.")  # fmt: skip
@click.option("--ml-dsa", is_flag=True, help="Sign with a key of ML-DSA-44 as well.")
@click.option("--show", is_flag=True, help="Print the verifier keys, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def witness(
    data: Path,
    name: str | None,
    logs: Path | None,
    host: str,
    port: int,
    ml_dsa: bool,
    show: bool,
    as_json: bool,
) -> None:
    """Cosign the checkpoints of logs, each only when it goes on from the one before."""
    from ledger.vouching.witness_keys import open_witness_keys

    if not show and logs is None:
        raise SettingWrong("Say which logs to cosign: --logs FILE with a verifier key a line.")
    signers = open_witness_keys(data, name=name, ml_dsa=ml_dsa)
    vkeys = [signer.vkey for signer in signers]
    called = signers[0].name
    if show or logs is None:
        say(as_json, {"name": called, "vkeys": vkeys}, *vkeys)
        return

    from api.serve import serving_app, stopped_by_signal
    from api.witness import witness_app
    from ledger.vouching.witness_state import KnownLogs, LogsUnreadable, WitnessState

    try:
        with logs.open("rb") as file:
            known = KnownLogs.read(file.read(LOGS_BYTES_MAX))
    except LogsUnreadable as error:
        raise SettingWrong(str(error)) from None
    state = WitnessState(data, known, signers)
    about = f"{called} is a witness of transparency logs (c2sp.org/tlog-witness). It signs as\n"
    app = witness_app(state, about + "".join(f"{vkey}\n" for vkey in vkeys))
    with (
        stopped_by_signal() as stop,
        serving_app(app, host, port, requests_max=REQUESTS_MAX) as serving,
    ):
        document = {
            "address": serving.address, "name": called, "vkeys": vkeys, "logs": known.origins
        }  # fmt: skip
        logs_shown = counted(len(known.origins), "log")
        said = f"The witness {called} is ready at {serving.address}, for {logs_shown}."
        say(as_json, document, said)
        sys.stdout.flush()
        serving.wait(stop)
