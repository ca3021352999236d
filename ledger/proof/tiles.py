"""Tiles: the tree cut into files that never change (c2sp.org/tlog-tiles).

A hash tile at level l holds the hashes of up to 256 neighbouring nodes of height 8·l, 32 bytes
each. An entry bundle holds the leaves under a tile of level 0. What is not full yet is served under
a path that ends in its width.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from ledger.errors import LedgerError
from ledger.proof.proofs import SIZE_MAX, Node

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 256
LEVEL_MAX: Final = 63
INDEX_MAX: Final = SIZE_MAX >> TILE_HEIGHT
ENTRY_BYTES_MAX: Final = 65_535
_LENGTH_BYTES: Final = 2
_PATH: Final = re.compile(r"((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class TileError(LedgerError, ValueError):
    """A path names no tile there could be, or bytes are no entry bundle."""


class Tile(msgspec.Struct, frozen=True, order=True):
    """`width` (1 to 256) hashes of level `level` (0 to 63), from entry 256 · `index` on."""

    level: int
    index: int
    width: int = TILE_WIDTH


class Bundle(msgspec.Struct, frozen=True, order=True):
    """`width` (1 to 256) entries, from leaf 256 · `index` on."""

    index: int
    width: int = TILE_WIDTH


def tile_path(tile: Tile) -> str:
    """Such as `tile/0/x001/234.p/5`."""
    if not 0 <= tile.level <= LEVEL_MAX:
        raise TileError(f"A tile has a level from 0 to {LEVEL_MAX}.")
    return f"tile/{tile.level}/{_coordinates(tile.index, tile.width)}"


def parse_tile_path(path: str) -> Tile:
    """The tile of a path that is spelled as `tile_path` does."""
    match = re.fullmatch(r"tile/([0-9]|[1-9][0-9])/(.+)", path)
    if match is None or int(match[1]) > LEVEL_MAX:
        raise TileError("The path of a tile is `tile/`, a level from 0 to 63, and an index.")
    return Tile(int(match[1]), *_read_coordinates(match[2]))


def bundle_path(bundle: Bundle) -> str:
    """Such as `tile/entries/x001/234.p/5`."""
    return f"tile/entries/{_coordinates(bundle.index, bundle.width)}"


def parse_bundle_path(path: str) -> Bundle:
    """The bundle of a path that is spelled as `bundle_path` does."""
    if not path.startswith("tile/entries/"):
        raise TileError("The path of an entry bundle is `tile/entries/` and an index.")
    return Bundle(*_read_coordinates(path.removeprefix("tile/entries/")))


def tiles_at(size: int) -> Iterator[Tile]:
    """Every tile of the tree of `size` leaves, the partial ones too, from level 0 upwards."""
    level = 0
    while hashes := size >> TILE_HEIGHT * level:
        full, rest = divmod(hashes, TILE_WIDTH)
        yield from (Tile(level, index) for index in range(full))
        if rest:
            yield Tile(level, full, rest)
        level += 1


def tile_nodes(tile: Tile) -> tuple[Node, ...]:
    """The nodes whose hashes are the tile, in order."""
    first = tile.index * TILE_WIDTH
    height = TILE_HEIGHT * tile.level
    return tuple(Node(height, first + entry) for entry in range(tile.width))


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """1 to 256 leaves, each of at most 65,535 bytes, behind its length in 2 bytes."""
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise TileError(f"An entry bundle has 1 to {TILE_WIDTH} entries, not {len(entries)}.")
    for entry in entries:
        if len(entry) > ENTRY_BYTES_MAX:
            raise TileError(
                f"An entry has {len(entry)} bytes; a bundle takes {ENTRY_BYTES_MAX} at most."
            )
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES) + entry for entry in entries)


def read_entry_bundle(raw: bytes) -> list[bytes]:
    """The leaves of a bundle, in order."""
    entries: list[bytes] = []
    at = 0
    while at < len(raw):
        start = at + _LENGTH_BYTES
        end = start + int.from_bytes(raw[at:start])
        if end > len(raw) or start > len(raw) or len(entries) == TILE_WIDTH:
            raise TileError(
                f"An entry bundle ends within entry {len(entries)}, or has more than {TILE_WIDTH}."
            )
        entries.append(raw[start:end])
        at = end
    if not entries:
        raise TileError("An entry bundle has no entry: an empty one is never served.")
    return entries


def _coordinates(index: int, width: int) -> str:
    if not 0 <= index <= INDEX_MAX or not 1 <= width <= TILE_WIDTH:
        raise TileError(f"A tile has an index from 0 to 2^55-1 and a width from 1 to {TILE_WIDTH}.")
    text = f"{index % 1000:03}"
    while index := index // 1000:
        text = f"x{index % 1000:03}/{text}"
    return text if width == TILE_WIDTH else f"{text}.p/{width}"


def _read_coordinates(text: str) -> tuple[int, int]:
    match = _PATH.fullmatch(text)
    if match is None or len(match[1]) > 5 * 6:
        raise TileError("An index is three digits, behind others of the form `x123/`.")
    index = int(match[1].replace("x", "").replace("/", "") + match[2])
    width = int(match[3] or TILE_WIDTH)
    # Another spelling of the same tile (zeros in front, a full width named) is another file.
    if (match[3] and width == TILE_WIDTH) or _coordinates(index, width) != text:
        raise TileError(
            "A tile has one path: without needless zeros, and no width when it is full."
        )
    return index, width
