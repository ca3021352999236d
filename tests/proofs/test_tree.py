"""RFC 6962 hashing, held to published vectors and to the definition in the RFC."""

import base64
import hashlib
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.proof.tree import EMPTY_ROOT, RightEdge, basis_root, leaf_hash, node, root

# transparency-dev/merkle: testonly/constants.go and rfc6962/rfc6962_test.go
LEAVES = tuple(
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
)
LEAF_HASHES = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
)
LEVEL_1 = (
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
LEVEL_2 = (
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)

# transparency-dev/tessera: testdata/, the roots of the golden log at sizes 0 to 15, in base64
ENTRIES = "one two three four five six seven eit nain ten ileven twelf threeten fourten fivten"
GOLDEN_ROOTS = (
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=",
    "T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=",
    "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=",
    "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=",
    "gy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=",
    "a6sWvsc2eEzmj72vah7mZ5dwFltivehh2b11qwlp5Jg=",
    "IrSXADBqJ7EQoUODSDKROySgNveeL6CFhik2w/+fS7U=",
    "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY=",
    "CvhHViE3S9E3htHLR+25mapWoGCJ3WckMq1UtC3VmEY=",
    "y8/gZsZCtitsMan09tY+k8I7Qpr7Y5fbO2tLi9GQnfU=",
    "Yok1cS5VdokGLBy73BC2I16b3atss6KBN9jnIi6Fz/A=",
    "uZo6M+IhVna+CLgWCrJs0xBPUHbozHkYTQASduHSLME=",
    "av0kLH0VkkVDrTuZzBGIx7d9z5G1l/GlKz/nAV/8woQ=",
    "SvCd38yNade7xEPY1a/aAc1M3A2AHYVF8lIiUnsH1ao=",
    "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=",
)


def defined_root(leaf_hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaf_hashes:
        return hashlib.sha256(b"").digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    k = 1
    while k * 2 < len(leaf_hashes):
        k *= 2
    return node(defined_root(leaf_hashes[:k]), defined_root(leaf_hashes[k:]))


def numbered(count: int) -> list[bytes]:
    """Hashes of so many different leaves."""
    return [leaf_hash(b"%d" % number) for number in range(count)]


def test_a_leaf_hash_is_that_of_the_published_vectors() -> None:
    """Leaves are hashed behind a zero byte."""
    assert [leaf_hash(leaf).hex() for leaf in LEAVES] == list(LEAF_HASHES)
    assert leaf_hash(b"L123456").hex() == (
        "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    )


def test_a_node_hash_is_that_of_the_published_vectors() -> None:
    """Nodes are hashed behind a one byte, so that no node is ever a leaf."""
    assert node(b"N123", b"N456").hex() == (
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )
    below = [bytes.fromhex(text) for text in LEAF_HASHES]
    for level in (LEVEL_1, LEVEL_2):
        below = [node(*pair) for pair in zip(below[::2], below[1::2], strict=True)]
        assert [digest.hex() for digest in below] == list(level)


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    """An empty log has a root."""
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root([]) == basis_root([]) == RightEdge().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 9))
def test_a_root_is_that_of_the_published_vectors(size: int) -> None:
    """The eight trees of the reference implementation come out the same."""
    assert basis_root(LEAVES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize("size", range(16))
def test_a_root_is_that_of_the_golden_log(size: int) -> None:
    """The log of another implementation has the same roots at every size."""
    leaves = [entry.encode() for entry in ENTRIES.split()[:size]]
    assert base64.b64encode(basis_root(leaves)).decode() == GOLDEN_ROOTS[size]


def test_a_growing_tree_has_the_defined_root_at_every_size_up_to_300() -> None:
    """Going on from the right edge gives what the definition gives from all leaves."""
    edge, leaf_hashes = RightEdge(), numbered(300)
    for size, digest in enumerate(leaf_hashes):
        assert edge.root() == defined_root(leaf_hashes[:size])
        edge.add(digest)
    assert edge.root() == defined_root(leaf_hashes) == root(leaf_hashes)


@given(before=st.integers(0, 200), more=st.integers(0, 200))
def test_a_stored_edge_goes_on_where_it_stopped(before: int, more: int) -> None:
    """Size and peaks are all that the next batch needs."""
    leaf_hashes = numbered(before + more)
    first = RightEdge()
    for digest in leaf_hashes[:before]:
        first.add(digest)
    second = RightEdge(first.size, first.peaks)
    for digest in leaf_hashes[before:]:
        second.add(digest)
    assert (second.size, second.root()) == (before + more, defined_root(leaf_hashes))
    assert first.size == before


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_a_changed_missing_or_swapped_leaf_changes_the_root(
    leaves: list[bytes], data: st.DataObject
) -> None:
    """A basis commits to every byte, to the number of leaves and to their order."""
    at = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:at], leaves[at] + b"!", *leaves[at + 1 :]]
    missing = [*leaves[:at], *leaves[at + 1 :]]
    assert basis_root(leaves) not in {basis_root(changed), basis_root(missing)}
    if leaves != leaves[::-1]:
        assert basis_root(leaves) != basis_root(leaves[::-1])


def test_a_root_over_many_leaves_needs_the_memory_of_one() -> None:
    """Leaves are hashed as they stream by."""

    def large() -> Iterator[bytes]:
        for number in range(500):
            yield number.to_bytes(2) * 30_000

    tracemalloc.start()
    try:
        basis_root(large())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000  # the leaves together have 30,000,000 bytes


@pytest.mark.parametrize("bad", [b"", b"x" * 31, b"x" * 33])
def test_what_is_no_hash_is_refused(bad: bytes) -> None:
    """A leaf itself, given in place of its hash, must not enter a tree."""
    with pytest.raises(ValueError, match="32 bytes"):
        RightEdge().add(bad)
    with pytest.raises(ValueError, match="32 bytes"):
        RightEdge(1, [bad])


@pytest.mark.parametrize(("size", "peaks"), [(-1, 0), (0, 1), (3, 1), (4, 2), (7, 2)])
def test_an_edge_that_does_not_fit_its_size_is_refused(size: int, peaks: int) -> None:
    """A right edge has one subtree for every bit of the size."""
    with pytest.raises(ValueError, match="right edge"):
        RightEdge(size, [EMPTY_ROOT] * peaks)
