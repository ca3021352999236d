"""`python -m policies check` compares the rules with their lock, `lock` adds what is new to it."""

import argparse
import sys
from collections.abc import Sequence

from policies import PolicyLoadError, folder_of, load, read_rules
from policies._lock import Lock, edited, lock_of, read_lock, write_lock


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: the rules are not what was locked, or not complete."""
    parser = argparse.ArgumentParser(prog="python -m policies", description=__doc__)
    parser.add_argument("command", choices=("check", "lock"))
    parser.add_argument("--package", default="policies", help=argparse.SUPPRESS)
    parser.add_argument(
        "--rewrite",
        action="store_true",
        help="lock edited files too: only while no ledger anywhere has judged by them",
    )
    options = parser.parse_args(arguments)
    try:
        if options.command == "lock":
            _lock(options.package, rewrite=options.rewrite)
        catalogue = load(options.package)
    except PolicyLoadError as error:
        sys.stderr.write("\n".join(error.problems) + "\n")
        return 1
    sys.stdout.write(f"{len(catalogue.rules)} rules are complete and as locked\n")
    return 0


def _lock(package: str, *, rewrite: bool) -> None:
    _, _, files = read_rules(package)
    folder = folder_of(package)
    now = lock_of(folder, files)
    wrong = [] if rewrite else edited(read_lock(folder) or Lock(), now, files)
    if wrong:
        raise PolicyLoadError(*wrong)
    write_lock(folder, now)


if __name__ == "__main__":
    sys.exit(main())
