"""Whoever knows the tables changes all that belong together; fsck finds that too."""

import secrets
from collections.abc import Generator

import psycopg
import pytest
from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.fsck.check import fsck
from ledger.fsck.report import Problem
from ledger.growth import Tip, grow
from ledger.proof.tree import leaf_hash
from sound_ledger import Sound, sound_ledger

LOG = ("facts", "fact_tags", "tree_nodes", "tree_heads", "checkpoints", "requests")


@pytest.fixture(scope="module")
def sound(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Sound]:
    """A ledger at rest."""
    database = Database.embedded(server, schema=f"t_{secrets.token_hex(6)}")
    database.prepare()
    with sound_ledger(database, tmp_path_factory.mktemp("sound"), None) as made:
        yield made


@pytest.fixture
def cur(server: Embedded, sound: Sound) -> Generator[Cursor[TupleRow]]:
    """A superuser's cursor with all guards of the log off; never committed."""
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"set search_path = {sound.database.schema}".encode())
        for table in LOG:
            connection.execute(f"alter table {table} disable trigger all".encode())
        with connection.cursor() as cursor:
            yield cursor
        connection.rollback()


def found(cur: Cursor[TupleRow], sound: Sound) -> list[Problem]:
    """What fsck says once the guards are on again."""
    for table in LOG:
        cur.execute(f"alter table {table} enable trigger all".encode())
        cur.execute(f"alter table {table} enable always trigger {table}_stay".encode())
    return list(fsck(cur.connection, sound.database, sound.keyring, sound.trust).problems)


def rewrite(cur: Cursor[TupleRow], position: int) -> None:
    """Another time in a leaf, with the hash that goes with it: still a fact, with the same tags."""
    cur.execute("select leaf from facts where position = %s", [position])
    ((leaf,),) = cur.fetchall()
    at = leaf.index(b'"at":"20') + 8
    changed = leaf[:at] + b"19" + leaf[at + 2 :]
    assert changed != leaf
    cur.execute(
        "update facts set leaf = %s, leaf_hash = %s where position = %s",
        [changed, leaf_hash(changed), position],
    )


def regrow(cur: Cursor[TupleRow]) -> None:
    """The tree made anew over whatever the facts are now, head by head."""
    cur.execute("select leaf_hash from facts order by position")
    hashes = [digest for (digest,) in cur.fetchall()]
    grown = grow(Tip(0, None, 0, b""), hashes)
    for position, node in zip(grown.positions, grown.hashes, strict=True):
        cur.execute("update tree_nodes set hashes = %s where position = %s", [node, position])
    cur.execute("select size from tree_heads order by size")
    for (size,) in cur.fetchall():
        grown = grow(Tip(0, None, 0, b""), hashes[:size])
        cur.execute(
            "update tree_heads set edge = %s, root = %s where size = %s",
            [grown.edge, grown.root, size],
        )


@pytest.mark.parametrize("position", [1, 17, 30])
def test_a_leaf_changed_with_its_hash_is_found_by_the_tree(
    cur: Cursor[TupleRow], sound: Sound, position: int
) -> None:
    """The first problem names the fact, or the pair that it completes a subtree with."""
    rewrite(cur, position)
    first = found(cur, sound)[0]
    assert first.check == "tree"
    assert first.position is not None
    assert first.position <= position <= (first.upto or first.position)
    assert (first.upto or first.position) - first.position <= 1


def test_what_only_follows_from_a_change_is_not_told_again(
    cur: Cursor[TupleRow], sound: Sound
) -> None:
    """One changed fact is one problem of the tree, not one for every head after it."""
    rewrite(cur, 20)
    assert [one.check for one in found(cur, sound) if one.check != "basis"] == ["tree"]


@pytest.mark.parametrize("position", [2, 23])
def test_a_leaf_changed_with_the_whole_tree_is_found_by_what_was_signed(
    cur: Cursor[TupleRow], sound: Sound, position: int
) -> None:
    """Only the log's key could sign the new roots; the first checkpoint over the fact tells."""
    rewrite(cur, position)
    regrow(cur)
    problems = found(cur, sound)
    assert {one.check for one in problems} <= {"checkpoints", "basis"}
    first = problems[0]
    assert first.check == "checkpoints"
    assert first.position is not None
    assert first.position <= position <= (first.upto or first.position)


def test_two_facts_that_changed_places_are_found(cur: Cursor[TupleRow], sound: Sound) -> None:
    """With tags, request keys and tree put right for the new order."""
    for old, new in ((12, 1_000), (13, 12), (1_000, 13)):
        for table in ("facts", "fact_tags"):
            cur.execute(
                f"update {table} set position = %s where position = %s".encode(), [new, old]
            )
    for mine, theirs in ((12, 1_000), (13, 12), (1_000, 13)):
        cur.execute(
            "update requests set positions = array_replace(positions, %s, %s)", [mine, theirs]
        )
    regrow(cur)
    problems = found(cur, sound)
    assert ("facts", 13) in {(one.check, one.position) for one in problems}
    assert problems[0].position is not None
    assert problems[0].position <= 13


def test_a_log_cut_short_is_found_by_the_copy_outside(cur: Cursor[TupleRow], sound: Sound) -> None:
    """Everything after a position removed, as if it had never been recorded."""
    cur.execute("select max(position) from facts")
    ((head,),) = cur.fetchall()
    cut = head - 3
    for table in ("tree_heads", "checkpoints", "cosignatures"):
        cur.execute("alter table cosignatures disable trigger all")
        cur.execute(f"delete from {table} where size > %s".encode(), [cut])
    cur.execute("alter table cosignatures enable trigger all")
    cur.execute("alter table cosignatures enable always trigger cosignatures_stay")
    for table in ("fact_tags", "tree_nodes", "disclosures", "facts"):
        cur.execute(f"delete from {table} where position > %s".encode(), [cut])
    cur.execute("delete from requests where positions[1] > %s", [cut])
    cur.execute("delete from aliases where kind = 'loop' and subject = handle")
    cur.execute(
        "delete from subject_keys k where not exists (select from disclosures d where"
        " d.subject = k.subject) and not exists (select from aliases a where a.subject = k.subject)"
    )
    problems = found(cur, sound)
    assert (problems[0].check, problems[0].row) == ("checkpoints", "the copy outside")
    assert problems[0].position == cut + 1
    assert "it proves that there was more" in problems[0].cure


def noted(cur: Cursor[TupleRow], sound: Sound) -> list[str]:
    """What fsck notes of checkpoints of which no problem is told."""
    report = fsck(cur.connection, sound.database, sound.keyring, sound.trust)
    assert report.found["checkpoints"] == 0
    return [note for note in report.notes if "`checkpoints`" in note]


def test_checkpoints_that_only_the_copy_outside_knows_are_noted(
    cur: Cursor[TupleRow], sound: Sound
) -> None:
    """All rows removed, or the last: a note, because a crash while publishing looks the same."""
    assert noted(cur, sound) == []
    cur.execute("select max(size) from checkpoints")
    ((newest,),) = cur.fetchall()
    for table in ("cosignatures", "timestamps"):
        cur.execute(f"alter table {table} disable trigger all".encode())
        cur.execute(f"delete from {table}".encode())
    for removed in ("size = (select max(size) from checkpoints)", "true"):
        cur.execute(f"delete from checkpoints where {removed}".encode())
        (note,) = noted(cur, sound)
        assert note.startswith(f"The copy outside is signed over {newest} facts, and no checkpoint")
    alone = sound._replace(trust=sound.trust._replace(outside=None))
    (note,) = noted(cur, alone)
    assert note.startswith(f"No checkpoint is in the database, over {newest} facts.")


def test_a_person_removed_without_an_erasure_is_found(cur: Cursor[TupleRow], sound: Sound) -> None:
    """Keys, values and ids gone, and no fact that says why: each is missing, not erased."""
    cur.execute("select subject from disclosures where subject like 'c\\_%' limit 1")
    ((candidate,),) = cur.fetchall()
    cur.execute("select min(position) from disclosures where subject = %s", [candidate])
    ((first,),) = cur.fetchall()
    for table in ("aliases", "disclosures", "subject_keys"):
        cur.execute(f"delete from {table} where subject = %s".encode(), [candidate])
    problems = found(cur, sound)
    assert {one.check for one in problems} == {"values", "aliases"}
    assert problems[0].position == first
    assert candidate in problems[0].said


def test_an_erased_person_who_comes_back_is_found(cur: Cursor[TupleRow], sound: Sound) -> None:
    """Rows that a restored backup brings back are told until they are gone again."""
    cur.execute("select leaf, tags from facts where type = 'subject-erased.v1'")
    ((_, tags),) = cur.fetchall()
    erased = next(tag for tag in tags if tag.startswith("candidate:")).removeprefix("candidate:")
    cur.execute(
        "insert into subject_keys select %s, ring, wrapped from subject_keys"
        " where ring = 'subject' limit 1",
        [erased],
    )
    assert [(one.check, one.row) for one in found(cur, sound)] == [
        ("keys", f"`subject_keys` {erased}")
    ]
