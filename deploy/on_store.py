"""Runs a program of PostgreSQL on the embedded server of a data directory, as the ledger's owner.

    .venv/bin/python deploy/on_store.py DATA PROGRAM [ARGUMENT ...]

For backups and restoring (README.md beside this file). It works beside a running `hireledger`.
Where no server runs it starts one for the time, and where there is no store it makes an empty one:
roles and database, no ledger. Run it as the account that runs `hireledger` over the directory.
"""

import os
import subprocess
import sys
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from ledger.embedded.binaries import find_binaries
from ledger.embedded.server import Embedded
from ledger.errors import LedgerError


def main(data: str, program: str, *arguments: str) -> int:
    """The program's exit code; 3 where the server is in the way, as `hireledger` has it."""
    try:
        with Embedded.start(Path(data), watch=False) as server:
            programs = find_binaries(None, int(server.version.partition(".")[0])).directory
            place = conninfo_to_dict(server.url("owner"))
            # By environment: others on the machine read the arguments of a process.
            names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER"}
            names |= {"password": "PGPASSWORD", "dbname": "PGDATABASE"}
            environment = {names[key]: str(value) for key, value in place.items()}
            ran = subprocess.run(
                [programs / program, *arguments], env=os.environ | environment, check=False
            )
            return ran.returncode
    except (LedgerError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 3


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
