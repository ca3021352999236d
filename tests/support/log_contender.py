"""A process that wants to be the first to record under each of many tags.

Run with the schema and the number of tags; the connection string, which holds a password, comes on
standard input. Prints the numbers of the tags under which it was the first.
"""

import sys

import psycopg

from domain.findings import Item
from facts_in_log import START, new
from ledger.log import Log


def tag(number: int) -> str:
    """What both contenders want at the same instant."""
    return f"wanted:{number}"


def main(schema: str, tags: int) -> None:
    """Take each tag unless somebody else has it."""
    log = Log(schema)
    with psycopg.connect(sys.stdin.readline().strip()) as connection:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(tags):
            with connection.transaction(), connection.cursor() as cur:
                log.lock(cur)
                if not log.moved(cur, [Item(tags=(tag(number),))], after=0):
                    last = log.last_recorded(cur) or START
                    log.insert(cur, [new(b"theirs", tag(number), of="taken.v1", recorded=last)])
                    print(number)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
