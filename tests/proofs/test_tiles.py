"""Tiles: which there are at a size, where they lie, and what is in them."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import golden_log
from ledger.proof.proofs import Node
from ledger.proof.tiles import (
    ENTRY_BYTES_MAX,
    INDEX_MAX,
    LEVEL_MAX,
    TILE_WIDTH,
    Bundle,
    Tile,
    TileError,
    bundle_path,
    entry_bundle,
    parse_bundle_path,
    parse_tile_path,
    read_entry_bundle,
    tile_nodes,
    tile_path,
    tiles_at,
)

HOW = settings(max_examples=200, deadline=None, derandomize=True)
INDEXES = st.integers(0, INDEX_MAX)
WIDTHS = st.integers(1, TILE_WIDTH)
PATHS = {
    "tile/0/000": Tile(0, 0),
    "tile/0/005": Tile(0, 5),
    "tile/1/000.p/1": Tile(1, 0, 1),
    "tile/63/x001/x234/067.p/255": Tile(63, 1234067, 255),
    "tile/0/x036/x028/x797/x018/x963/967": Tile(0, INDEX_MAX),
}
NO_PATHS = (
    "",
    "tile",
    "tile/0",
    "tile/0/",
    "tile/0/5",
    "tile/0/05",
    "tile/0/0005",
    "tile/0/x000/005",
    "tile/0/001/234",
    "tile/0/x001",
    "tile/0/x001/x234",
    "tile/0/X001/234",
    "tile/0/000.p",
    "tile/0/000.p/",
    "tile/0/000.p/0",
    "tile/0/000.p/01",
    "tile/0/000.p/256",
    "tile/0/000.p/1000",
    "tile/0/000.p/1/",
    "tile/00/000",
    "tile/01/000",
    "tile/64/000",
    "tile/-1/000",
    "tile/0/-01",
    "tile/0/\u0660\u0660\u0665",
    "tile/\u0663/005",
    "/tile/0/000",
    "tile/0/000\n",
    "tile/0/000.p/1\n",
    "tile/0/x036/x028/x797/x018/x963/968",
    "tile/0/" + "x999/" * 500 + "999",
    "tile/entries/000",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_names_its_tile(path: str) -> None:
    """The examples of the specification, and the last tile there can be."""
    assert parse_tile_path(path) == PATHS[path]
    assert tile_path(PATHS[path]) == path
    entries = f"tile/entries/{path.split('/', 2)[2]}"
    assert parse_bundle_path(entries) == Bundle(PATHS[path].index, PATHS[path].width)
    assert bundle_path(parse_bundle_path(entries)) == entries


@pytest.mark.parametrize("path", NO_PATHS)
def test_another_spelling_names_no_tile(path: str) -> None:
    """A file has one path."""
    with pytest.raises(TileError):
        parse_tile_path(path)
    with pytest.raises(TileError):
        parse_bundle_path(path.replace("tile/0/", "tile/entries/").replace("entries/000", "0/000"))


@HOW
@given(level=st.integers(0, LEVEL_MAX), index=INDEXES, width=WIDTHS)
def test_every_tile_has_a_path_that_names_it(level: int, index: int, width: int) -> None:
    """Paths and tiles belong to each other."""
    assert parse_tile_path(tile_path(Tile(level, index, width))) == Tile(level, index, width)
    assert parse_bundle_path(bundle_path(Bundle(index, width))) == Bundle(index, width)


@HOW
@given(st.text(alphabet="tile/0139x.pens", max_size=30).map("tile/".__add__) | st.text())
def test_any_text_is_refused_or_is_the_path_of_its_tile(path: str) -> None:
    """No two texts name the same tile."""
    with contextlib.suppress(TileError):
        assert tile_path(parse_tile_path(path)) == path
    with contextlib.suppress(TileError):
        assert bundle_path(parse_bundle_path(path)) == path


@pytest.mark.parametrize(
    "tile", [Tile(-1, 0), Tile(64, 0), Tile(0, -1), Tile(0, INDEX_MAX + 1), Tile(0, 0, 0)]
)
def test_a_tile_that_cannot_be_has_no_path(tile: Tile) -> None:
    """Nothing is written that would not be read."""
    with pytest.raises(TileError):
        tile_path(tile)


def test_the_tiles_of_the_specification_are_there() -> None:
    """Its two examples: 256 leaves, and 70,000."""
    assert [tile_path(tile) for tile in tiles_at(256)] == ["tile/0/000", "tile/1/000.p/1"]
    paths = [tile_path(tile) for tile in tiles_at(70_000)]
    assert paths[:273] == [tile_path(Tile(0, index)) for index in range(273)]
    assert paths[273:] == ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert list(tiles_at(0)) == []


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 65_535, 65_536, 70_000])
def test_the_tiles_of_a_level_hold_every_whole_node_once(size: int) -> None:
    """Full ones first, then at most one partial one; none is empty, and none is above the root."""
    listed = list(tiles_at(size))
    for level in range(4):
        of_level = [tile for tile in listed if tile.level == level]
        assert [tile.index for tile in of_level] == list(range(len(of_level)))
        assert all(tile.width == TILE_WIDTH for tile in of_level[:-1])
        assert all(1 <= tile.width <= TILE_WIDTH for tile in of_level)
        assert sum(tile.width for tile in of_level) == size // 256**level
    assert len(listed) == len({tile_path(tile) for tile in listed})


def test_a_tile_holds_neighbouring_nodes_of_its_height() -> None:
    """Entry i of tile n at level l covers 256^l leaves."""
    assert tile_nodes(Tile(0, 1, 2)) == (Node(0, 256), Node(0, 257))
    assert tile_nodes(Tile(2, 3))[-1] == Node(16, 3 * 256 + 255)


def test_the_bundle_of_the_golden_log_comes_out_the_same() -> None:
    """Fifteen entries behind their lengths."""
    assert entry_bundle(golden_log.ENTRIES) == golden_log.BUNDLE
    assert read_entry_bundle(golden_log.BUNDLE) == list(golden_log.ENTRIES)


@HOW
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=TILE_WIDTH))
def test_a_bundle_gives_back_its_entries(entries: list[bytes]) -> None:
    """Empty entries too."""
    assert read_entry_bundle(entry_bundle(entries)) == entries


@HOW
@given(st.binary(max_size=40))
def test_any_bytes_are_refused_or_are_the_bundle_of_their_entries(raw: bytes) -> None:
    """No two bundles hold the same entries."""
    try:
        entries = read_entry_bundle(raw)
    except TileError:
        return
    assert entry_bundle(entries) == raw


def test_every_cut_bundle_is_refused_or_shorter() -> None:
    """A bundle that ends within an entry, or within a length, is no bundle."""
    ends = {len(entry_bundle(golden_log.ENTRIES[:count])) for count in range(1, 16)}
    for end in range(len(golden_log.BUNDLE)):
        if end not in ends:
            with pytest.raises(TileError):
                read_entry_bundle(golden_log.BUNDLE[:end])


@pytest.mark.parametrize(
    "entries",
    [[], [b"x"] * 257, [b"x" * (ENTRY_BYTES_MAX + 1)]],
    ids=["none", "257", "65,536 bytes"],
)
def test_what_fits_no_bundle_is_refused(entries: list[bytes]) -> None:
    """None, too many, too long."""
    with pytest.raises(TileError):
        entry_bundle(entries)


def test_the_largest_bundle_is_read_and_one_entry_more_is_not() -> None:
    """256 entries of 65,535 bytes."""
    largest = entry_bundle([b"x" * ENTRY_BYTES_MAX] * TILE_WIDTH)
    assert len(read_entry_bundle(largest)) == TILE_WIDTH
    with pytest.raises(TileError, match="more than 256"):
        read_entry_bundle(largest + b"\x00\x00")
