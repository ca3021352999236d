"""`hireledger erase` and `hireledger kek rotate`, beside a process that serves."""

import secrets
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import pytest

from command_line import Shell
from domain import commands as c
from domain import facts as f
from hall import Hall, open_hall
from ledger.database import Database
from ledger.embedded.server import Embedded

BASIS = ("--legal-basis", "Asked for it, Art. 17 (1) (b)")


class Place(NamedTuple):
    """A ledger that is being served, and a shell over its data directory."""

    hall: Hall
    shell: Shell
    data: Path


@pytest.fixture(scope="module")
def place(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    """One ledger for all tests of this file, with a requisition."""
    url, schema = server.superuser_url(), f"t_{secrets.token_hex(6)}"
    data = tmp_path_factory.mktemp("people")
    database = Database.external(url, schema)
    database.prepare()
    with open_hall(database, data) as hall:
        hall.open_requisition("r-1")
        options = ("--data", str(data), "--database", url, "--json")
        yield Place(hall, Shell(options, {"HIRELEDGER_SCHEMA": schema}), data)


def fact_at(place: Place, position: int) -> f.AnyFact:
    """A fact of the log."""
    with place.hall.ledger.reading() as group:
        return group.at([position])[0].fact


def test_a_candidate_is_erased_by_whoever_has_the_keys(place: Place) -> None:
    """Recorded as by `system`, done in the file of the keys too; a second time there is nobody."""
    opened = place.hall.open_loop("one", "r-1")
    told = place.shell.run("erase", "candidate-of-one", *BASIS).json
    assert (told["candidate"], told["keys_vacuumed"]) == (opened.candidate, True)
    fact = fact_at(place, told["position"])
    assert isinstance(fact, f.SubjectErased)
    assert (fact.stamp.by, fact.stamp.assurance) == ("system", "system")
    with place.hall.ledger.reading() as group:
        assert group.store.aliases.names(group.cur, [opened.candidate]) == {opened.candidate: None}
    again = place.shell.run("erase", "candidate-of-one", *BASIS, code=2)
    assert "No such candidate" in again.err
    by_handle = place.shell.run("erase", opened.candidate, *BASIS, code=2)
    assert "erased already" in by_handle.err


def test_who_erases_is_told_to_keep_the_handle(place: Place) -> None:
    """The caller's id finds nobody any more, and a record is asked for by handle."""
    opened = place.hall.open_loop("eleven", "r-1")
    in_words = tuple(word for word in place.shell.options if word != "--json")
    told = Shell(in_words, place.shell.variables).run("erase", "candidate-of-eleven", *BASIS).out
    assert told.startswith(f"{opened.candidate} is erased, at position ")
    assert "Keep this handle: your id no longer finds the person." in told


def past(tmp_path: Path, *activities: str) -> str:
    """A log of one case with these events, as another system exports it."""
    xes = tmp_path / f"past-{len(activities)}.xes"
    events = (
        f'<event><string key="concept:name" value="{one}"/>'
        '<string key="org:resource" value="Rosa Recruiter"/>'
        f'<date key="time:timestamp" value="2025-01-0{number}T03:04:05Z"/></event>'
        for number, one in enumerate(activities, 1)
    )
    attributes = '<string key="concept:name" value="case-9"/><string key="case:age" value="44"/>'
    xes.write_text(f"<log><trace>{attributes}{''.join(events)}</trace></log>")
    return str(xes)


def test_an_imported_case_is_erased_by_its_id(place: Place, tmp_path: Path) -> None:
    """It comes back neither by the same log nor under its handle; what is new of it is new."""
    how = ("--system", "ats", "--log", "past")
    place.shell.run("import", "xes", past(tmp_path, "Screening", "Interview"), *how)
    with place.hall.ledger.reading() as group:
        handle = group.store.aliases.find(group.cur, "loop", "ats:past:case-9")
    told = place.shell.run("erase", "ats:past:case-9", *BASIS).json
    assert (told["candidate"], told["keys_vacuumed"]) == (handle, True)
    assert place.shell.run("fsck").json["sound"]
    with place.hall.ledger.reading() as group:
        assert not group.store.aliases.existing(group.cur, [told["candidate"]])
    again = place.shell.run("import", "xes", past(tmp_path, "Screening", "Interview"), *how).json
    assert (again["recorded"], again["known_before"]) == (0, 2)
    assert "No such candidate" in place.shell.run("erase", "ats:past:case-9", *BASIS, code=2).err
    assert "erased already" in place.shell.run("erase", told["candidate"], *BASIS, code=2).err
    more = past(tmp_path, "Screening", "Interview", "Offer")
    assert place.shell.run("import", "xes", more, *how).json["recorded"] == 1
    second = place.shell.run("erase", "ats:past:case-9", *BASIS).json
    assert second["candidate"] != told["candidate"]
    assert "No such candidate" in place.shell.run("erase", "l_" + "a" * 26, *BASIS, code=2).err


def test_a_loop_is_nobody_to_erase(place: Place) -> None:
    """Neither by its id nor by its handle: its candidate is."""
    opened = place.hall.open_loop("ten", "r-1")
    for named in ("ten", opened.loop):
        assert "No such candidate" in place.shell.run("erase", named, *BASIS, code=2).err


def test_an_erasure_may_be_recorded_as_a_persons(place: Place) -> None:
    """Whose own roles must allow it, like anywhere else."""
    place.hall.open_loop("two", "r-1")
    told = place.shell.run("erase", "candidate-of-two", *BASIS, "--by", "paul").json
    fact = fact_at(place, told["position"])
    assert (fact.stamp.by, fact.stamp.assurance) == (place.hall.people["paul"], "asserted")
    place.hall.open_loop("three", "r-1")
    refused = place.shell.run("erase", "candidate-of-three", *BASIS, "--by", "hana", code=2)
    assert "needs the role privacy_officer" in refused.err
    nobody = place.shell.run("erase", "candidate-of-three", *BASIS, "--by", "quentin", code=2)
    assert "Nobody is registered" in nobody.err
    assert "quentin" not in nobody.err


def test_an_erasure_under_a_hold_names_the_hold(place: Place) -> None:
    """On the command line, too."""
    place.hall.open_loop("four", "r-1")
    hold = c.PlaceHold(id="m-4", matter="A matter", candidates=("candidate-of-four",))
    place.hall.ask("paul", hold).result(20)
    refused = place.shell.run("erase", "candidate-of-four", *BASIS, code=2)
    assert "legal hold stands over this person: m-4" in refused.err


def test_an_erasure_that_cannot_be_meant_is_refused_without_an_echo(place: Place) -> None:
    """A legal basis is needed, and what is wrong is said without repeating it."""
    refused = place.shell.run("erase", "no/body", *BASIS, code=2)
    assert "no/body" not in refused.err
    for blank in ("", " ", "\u3164"):
        place.shell.run("erase", "candidate-of-five", "--legal-basis", blank, code=2)
    place.shell.run("erase", "candidate-of-five", code=2)


def test_a_key_is_rotated_beside_a_process_that_serves(place: Place) -> None:
    """It reads and writes on, and says what is to be done with the old key."""
    before = place.hall.open_loop("six", "r-1")
    old = (place.data / "keys" / "kek").read_bytes()
    told = place.shell.run("kek", "rotate").json
    assert told["ring"] == "subject"
    assert told["rewrapped"] > 1
    assert told["keys_vacuumed"]
    assert "back it up" in told["then"]
    assert (place.data / "keys" / "kek").read_bytes() != old
    after = place.hall.open_loop("seven", "r-1")
    digests = [one.name.sd for one in (before, after) if one.name]
    with place.hall.ledger.reading() as group:
        found = group.store.vault.open(group.cur, digests)
    assert list(found.values()) == ["Nobody six", "Nobody seven"]
    other = place.shell.run("kek", "rotate", "--ring", "self-identification").json
    assert (other["ring"], other["rewrapped"]) == ("self-identification", 0)
    place.shell.run("erase", "candidate-of-seven", *BASIS)


def test_a_ledger_with_erased_people_and_rotated_keys_is_sound(place: Place) -> None:
    """`fsck` finds nothing missing: what was erased and wrapped anew is as it should be."""
    place.hall.open_loop("eight", "r-1")
    place.shell.run("erase", "candidate-of-eight", *BASIS)
    place.shell.run("fsck")


def test_a_key_by_setting_is_not_replaced_by_a_file(place: Place) -> None:
    """It says which setting gives the new one; with it the old setting may go."""
    old, new = (place.data / "keys" / "kek").read_bytes().hex(), secrets.token_bytes(32).hex()
    given = {**place.shell.variables, "HIRELEDGER_KEY_KEK": old}
    shell = Shell(place.shell.options, given)
    refused = shell.run("kek", "rotate", code=2)
    assert "HIRELEDGER_KEY_KEK_NEXT" in refused.err
    same = Shell(place.shell.options, {**given, "HIRELEDGER_KEY_KEK_NEXT": old})
    told = same.run("kek", "rotate", code=2)
    assert told.err.startswith("Error: Nothing was rotated: the key that is to follow is the one")
    assert (old in told.err, told.out) == (False, "")
    shell = Shell(place.shell.options, {**given, "HIRELEDGER_KEY_KEK_NEXT": new})
    told = shell.run("kek", "rotate").json
    assert "unset HIRELEDGER_KEY_KEK_NEXT" in told["then"]
    assert old not in told["then"] + refused.err
    alone = Shell(place.shell.options, {**given, "HIRELEDGER_KEY_KEK": new})
    alone.run("keys", "list")
    stale = Shell(place.shell.options, given)
    assert "does not open" in stale.run("keys", "list", code=3).err
