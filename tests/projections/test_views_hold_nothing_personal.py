"""The read models hold handles, slugs and times: nothing of a person, whatever was recorded."""

import re

from followed import wait_until
from office import EVIDENCE, STAFF, Office, decision

HANDLE = re.compile(r"[cpl]_[a-z2-7]{26}")
SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
NUMBER = re.compile(r"-?\d+")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00")
LOOPS = ("loop-of-a-season", "another-of-that-season")


def _values(office: Office) -> set[str]:
    """Every value in the schema of read models, the elements of arrays one by one."""
    database = office.ledger.database
    found: set[str] = set()
    with database.connect("projector") as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = %s", [database.views]
        ).fetchall()
        for (table,) in tables:
            query = (
                f'select value from "{database.views}"."{table}" t, jsonb_each_text(to_jsonb(t))'
            )
            for (value,) in connection.execute(query.encode()):
                found |= set(re.split(r'[\[\]",\s]+', value)) if value else set()
        statistics = connection.execute(
            "select coalesce(most_common_vals::text, '') || coalesce(most_common_elems::text, '')"
            " from pg_stats where schemaname = %s",
            [database.views],
        )
        for (value,) in statistics:
            found |= set(re.split(r'[{}",\s]+', value))
    return found - {"", "t", "f"}


def test_no_read_model_holds_a_name_a_text_or_an_id_of_the_callers(office: Office) -> None:
    """After loops from opening to decision, every value is of a kind that names nobody."""
    for loop in LOOPS:
        office.did("dora", f"/loops/{loop}/decision", decision(office.ready(loop)))
    head = office.ledger_head()
    wait_until(lambda: office.get("udo", f"/loops?min_position={head}").status == 200)
    values = _values(office)
    told = {"Inparticular", "Nobody", "nobody@example.org", *EVIDENCE.split(), *STAFF, *LOOPS}
    told |= {f"candidate-of-{loop}" for loop in LOOPS} | {f"{p.title()}" for p in STAFF}
    assert values & (told - {"a", "and", "by", "how", "it", "the"}) == set()
    plain = {value for value in values if not re.fullmatch(r"\d{4}-.*T.*", value)}
    kinds = (HANDLE, SLUG, NUMBER, TIME)
    assert {v for v in plain if not any(kind.fullmatch(v) for kind in kinds)} == set()
    handles = {value for value in values if HANDLE.fullmatch(value)}
    slugs = {value for value in plain if SLUG.fullmatch(value) and not NUMBER.fullmatch(value)}
    assert len(handles) > 6
    assert slugs - handles <= {
        "loops", "loop_teams", "llm", "llm-engineer", "default", "decided", "debrief", "hire",
        "true", "false",
    }  # fmt: skip
