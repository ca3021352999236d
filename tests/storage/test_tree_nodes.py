"""The stored tree: it grows with every append, and gives every root, proof and tile of the log."""

import random
from collections.abc import Iterator

import psycopg
import pytest
from eventsourcing.dcb.api import DCBEvent
from psycopg import Cursor, errors
from psycopg.rows import TupleRow

from facts_in_log import new, record
from ledger.database import Connection, Database
from ledger.embedded.server import Embedded
from ledger.errors import LogDamaged
from ledger.growth import cut
from ledger.nodes import Nodes
from ledger.proof.proofs import Node, ProofError, verify_consistency, verify_inclusion
from ledger.proof.tiles import Tile, tiles_at
from ledger.proof.tree import EMPTY_ROOT, leaf_hash
from ledger.recorder import Recorder, TipMoved
from naive_proofs import path_of, proof_of, root_of

SIZE = 300
SEED = 7
LEAVES = tuple(b'{"n":%d}' % number for number in range(SIZE))
HASHES = tuple(leaf_hash(leaf) for leaf in LEAVES)


@pytest.fixture
def recorder(database: Database) -> Recorder:
    """The log of an empty ledger."""
    return Recorder(database)


@pytest.fixture
def runtime(database: Database) -> Iterator[Connection]:
    """A connection with the rights of the running server."""
    with database.connect("runtime") as connection:
        yield connection


@pytest.fixture
def cur(runtime: Connection) -> Iterator[Cursor[TupleRow]]:
    """A cursor with these rights."""
    with runtime.cursor() as cursor:
        yield cursor


def grown(recorder: Recorder, runtime: Connection, size: int = SIZE) -> list[int]:
    """The leaves recorded in groups of many sizes; the sizes after each."""
    chance = random.Random(SEED)
    sizes: list[int] = []
    written = 0
    while written < size:
        count = min(chance.choice((1, 1, 2, 3, 7, 16, 33)), size - written)
        record(recorder, runtime, [new(leaf) for leaf in LEAVES[written : written + count]])
        written += count
        sizes.append(written)
    return sizes


def test_every_commit_leaves_the_head_of_its_tree(
    database: Database, recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """One row a commit, with the root and the right edge over exactly the facts by then."""
    nodes = Nodes(database.schema)
    assert nodes.head(cur) == (0, EMPTY_ROOT, b"")
    sizes = grown(recorder, runtime)
    rows = cur.execute("select size, root, edge from tree_heads order by size").fetchall()
    assert [row[0] for row in rows] == sizes
    for size, root, edge in rows:
        assert root == root_of(HASHES[:size])
        assert len(cut(edge)) == size.bit_count()
    assert nodes.head(cur) == rows[-1]
    assert recorder.tip(cur)[2:] == (SIZE, rows[-1][2])


def test_every_root_and_every_proof_comes_from_the_stored_nodes(
    database: Database, recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """At all sizes up to 300, also those that no commit ended at, as RFC 6962 defines them."""
    nodes, chance = Nodes(database.schema), random.Random(SEED)
    grown(recorder, runtime)
    for size in range(SIZE + 1):
        root = nodes.root_at(cur, size)
        assert root == root_of(HASHES[:size])
        old = chance.randint(0, size)
        proof = nodes.consistency(cur, old, size)
        verify_consistency(old, size, proof, root_of(HASHES[:old]), root)
        if old > 0:
            assert list(proof) == proof_of(old, HASHES[:size])
            index = chance.randrange(size)
            assert list(nodes.inclusion(cur, index, size)) == path_of(index, HASHES[:size])
    for size in chance.sample(range(1, SIZE), 30):
        root = root_of(HASHES[:size])
        for index, proof in nodes.inclusions(cur, range(size), size).items():
            verify_inclusion(HASHES[index], index, size, proof, root)


def test_tiles_are_cut_from_the_stored_nodes(
    database: Database, recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """Every tile of a tree of 300, full or partial, on both levels."""
    nodes = Nodes(database.schema)
    grown(recorder, runtime)
    tiles = {tile: cut(nodes.tile(cur, tile)) for tile in tiles_at(SIZE)}
    assert tiles == {
        Tile(0, 0): list(HASHES[:256]),
        Tile(0, 1, 44): list(HASHES[256:]),
        Tile(1, 0, 1): [root_of(HASHES[:256])],
    }
    assert cut(nodes.tile(cur, Tile(0, 1, 3))) == list(HASHES[256:259])


@pytest.mark.parametrize("tile", [Tile(0, 1, 45), Tile(1, 0, 2), Tile(63, 2**55 - 1)])
def test_a_tile_beyond_the_log_is_not_there(
    database: Database,
    recorder: Recorder,
    runtime: Connection,
    cur: Cursor[TupleRow],
    tile: Tile,
) -> None:
    """No hash is made up, and no number is too large to be asked for."""
    grown(recorder, runtime)
    with pytest.raises(LogDamaged, match="no node of height"):
        Nodes(database.schema).tile(cur, tile)
    with pytest.raises(ProofError):
        Nodes(database.schema).inclusion(cur, SIZE, SIZE)


def test_the_librarys_append_grows_the_tree_too(
    database: Database, recorder: Recorder, cur: Cursor[TupleRow]
) -> None:
    """Nobody appends facts past the tree."""
    with recorder:
        recorder.append([DCBEvent("a", LEAVES[0], []), DCBEvent("a", LEAVES[1], ["x"])])
        recorder.append([DCBEvent("a", LEAVES[2], [])])
    assert Nodes(database.schema).head(cur)[:2] == (3, root_of(HASHES[:3]))


def test_a_rollback_takes_the_tree_back(
    database: Database, recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """Facts and tree are there together or not at all, also where a savepoint is rolled back."""
    with runtime.transaction():
        recorder.lock(cur)
        recorder.insert(cur, [new(LEAVES[0])])
        with runtime.transaction() as undone:
            recorder.insert(cur, [new(b"never")] * 5)
            raise psycopg.Rollback(undone)
        recorder.insert(cur, [new(LEAVES[1])], recorder.tip(cur))
    assert Nodes(database.schema).head(cur)[:2] == (2, root_of(HASHES[:2]))


def test_a_tip_that_has_moved_is_refused(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow]
) -> None:
    """Who read the end of the log before others appended is told, and nothing is inserted."""
    tip = recorder.tip(cur)
    record(recorder, runtime, [new()])
    recorder.lock(cur)
    with pytest.raises(TipMoved, match="after position 0, but by now the log has 1"):
        recorder.insert(cur, [new()], tip)
    assert (recorder.head(cur), recorder.tip(cur).size) == (1, 1)


@pytest.mark.parametrize(
    "row",
    [
        "tree_nodes values (1, sha256(''))",
        "tree_nodes values (2, '')",
        "tree_nodes values (2, 'short')",
        "tree_nodes values (2, sha256('') || sha256(''))",
        "tree_nodes values (4, sha256(''))",
        "tree_heads values (3, sha256(''), sha256(''))",
        "tree_heads values (4, sha256(''), 'short')",
    ],
)
def test_a_row_that_is_no_part_of_a_tree_is_refused(
    recorder: Recorder, runtime: Connection, cur: Cursor[TupleRow], row: str
) -> None:
    """The tables themselves hold how many hashes stand at a position."""
    record(recorder, runtime, [new()] * 5)
    with pytest.raises(errors.CheckViolation):
        cur.execute(f"insert into {row}".encode())


def test_a_node_that_a_superuser_removed_is_missed(
    server: Embedded, database: Database, recorder: Recorder, runtime: Connection
) -> None:
    """What needs it says so instead of answering wrongly; what does not still works."""
    grown(recorder, runtime, 9)
    with psycopg.connect(server.superuser_url()) as connection:
        connection.execute(f"set search_path = {database.schema}".encode())
        connection.execute("alter table tree_nodes disable trigger all")
        connection.execute("delete from tree_nodes where position = 6")
        connection.execute("alter table tree_nodes enable always trigger tree_nodes_stay")
    nodes = Nodes(database.schema)
    with runtime.cursor() as cur:
        with pytest.raises(LogDamaged, match=r"height 1 that ends at position 6.*fsck"):
            nodes.root_at(cur, 7)
        assert nodes.root_at(cur, 8) == root_of(HASHES[:8])
        assert nodes.hashes(cur, []) == {}
        assert nodes.hashes(cur, [Node(0, 5)]) == {Node(0, 5): HASHES[5]}
