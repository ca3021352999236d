"""The serving process is killed under load: nothing acknowledged is lost, or is there twice."""

import random
import secrets
import time
from pathlib import Path

import psycopg

from crowd import Crowd, one_set_of_facts_each
from ledger.embedded.server import Embedded
from served import Serve, Served

SEED = 20_240_304
ENDS = (Served.kill, Served.kill, Served.stop)
"""Twice as kill -9 does it, then in order."""


def test_every_request_has_one_set_of_facts_however_often_the_server_is_killed(
    server: Embedded, serve: Serve, tmp_path: Path
) -> None:
    """Ended at random moments, started again, asked again: one set of facts for each key."""
    schema, url = f"t_{secrets.token_hex(6)}", server.superuser_url()
    print(f"seed {SEED}")
    moments = random.Random(SEED)
    where = {"data": tmp_path / "data", "database": url, "schema": schema}
    now: list[Served] = [serve(**where)]
    crowd = Crowd(lambda: now[0].address, now[0].admin)
    with crowd.recording():
        for end in ENDS:
            time.sleep(moments.uniform(0.3, 1.2))
            end(now[0])
            ended = time.monotonic()
            now[0] = serve(**where)
            print(f"started again after {time.monotonic() - ended:.2f} s")
        time.sleep(0.5)
    unanswered = [one for one in crowd.asked if 0 in one.statuses]
    assert unanswered, "the kills met no request"
    accepted = {one.key: one.position for one in crowd.asked if one.position is not None}
    crowd.ask_again()
    assert all(one.position == accepted.get(one.key, one.position) for one in crowd.asked)
    positions = [one.position for one in crowd.asked]
    assert len(set(positions)) == len(positions)
    head = one_set_of_facts_each(url, schema, {one.key for one in crowd.asked})
    print(f"{len(crowd.asked)} requests, {len(unanswered)} cut off, {head} facts")
    with psycopg.connect(url) as connection:
        query = f"SELECT position FROM {schema}.facts WHERE type = 'person-registered.v1'"
        rows = connection.execute(query.encode()).fetchall()
    assert {position for (position,) in rows} == set(positions)
