"""Published proofs, byte for byte: of transparency-dev/merkle, and of an IETF draft."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping

import pytest

from all_nodes import all_nodes
from ledger.proof.proofs import (
    Node,
    Part,
    assemble,
    consistency_nodes,
    inclusion_nodes,
    root_nodes,
    verify_consistency,
    verify_inclusion,
)
from ledger.proof.tree import leaf_hash, node

# testonly/constants.go: the hashes of the tree of eight leaves, by level.
LEVELS = (
    (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
    ),
    (
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    ),
    (
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
)
NODES = {
    Node(height, index): bytes.fromhex(digest)
    for height, row in enumerate(LEVELS)
    for index, digest in enumerate(row)
}
BY_START = {digest.hex()[:8]: digest for digest in NODES.values()}
# The one hash of a proof that is folded: over the leaves 4 to 6.
BY_START["837dbb15"] = bytes.fromhex(
    "837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e"
)
INCLUSION = {
    (0, 8): "96a296d2 5f083f0a 6b47aaf2",
    (5, 8): "bc1a0643 ca854ea1 d37ee418",
    (2, 3): "fac54203",
    (1, 5): "6e340b9c 5f083f0a bc1a0643",
    (6, 7): "0ebc5d34 d37ee418",
}
CONSISTENCY = {
    (1, 8): "96a296d2 5f083f0a 6b47aaf2",
    (6, 8): "0ebc5d34 ca854ea1 d37ee418",
    (2, 5): "5f083f0a bc1a0643",
    (6, 7): "0ebc5d34 b08693ec d37ee418",
    (3, 7): "0298d122 07506a85 fac54203 837dbb15",
    (4, 7): "837dbb15",
}


def hashes(starts: str) -> tuple[bytes, ...]:
    """The hashes that begin with these hex digits."""
    return tuple(BY_START[start] for start in starts.split())


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_an_inclusion_proof_is_the_published_one(index: int, size: int) -> None:
    """Built from nodes, hash for hash."""
    assert assemble(inclusion_nodes(index, size), NODES) == hashes(INCLUSION[index, size])


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_a_consistency_proof_is_the_published_one(old: int, new: int) -> None:
    """Built from nodes, hash for hash; the last ones with a hash that is folded."""
    assert assemble(consistency_nodes(old, new), NODES) == hashes(CONSISTENCY[old, new])


def test_the_folded_hash_is_that_of_its_leaves() -> None:
    """Leaves 4 to 6: a pair and a single one."""
    assert BY_START["837dbb15"] == node(NODES[Node(1, 2)], NODES[Node(0, 6)])


# testdata/: the happy paths. Index or old size, size, root(s), leaf hash, proof.
LEAF_0 = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
ROOT_2 = "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="
ROOT_5 = "Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ="
ROOT_6 = "duZ9rbzfHhDht03cYIq9L5jfsW+851J3tSMqEn8gh+8="
ROOT_7 = "3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw="
ROOT_8 = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="
FROM_LEAF_0 = (
    "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
    "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
    "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
)
HAPPY_INCLUSION: tuple[tuple[int, int, str, str, tuple[str, ...]], ...] = (
    (0, 1, LEAF_0, LEAF_0, ()),
    (0, 8, ROOT_8, LEAF_0, FROM_LEAF_0),
    (
        5,
        8,
        ROOT_8,
        "QnGia+DYqE8L1UyMMC58s6O10fpngKQLzOKHNHfatlg=",
        (
            "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
            "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
            "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
        ),
    ),
    (
        2,
        3,
        "rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc=",
        "ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=",
        (ROOT_2,),
    ),
    (
        1,
        5,
        ROOT_5,
        "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
        (
            LEAF_0,
            "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
            "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
        ),
    ),
)
HAPPY_CONSISTENCY: tuple[tuple[int, int, str, str, tuple[str, ...]], ...] = (
    (1, 1, LEAF_0, LEAF_0, ()),
    (1, 8, LEAF_0, ROOT_8, FROM_LEAF_0),
    (
        6,
        8,
        ROOT_6,
        ROOT_8,
        (
            "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=",
            "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
            "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
        ),
    ),
    (
        2,
        5,
        ROOT_2,
        ROOT_5,
        (
            "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
            "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
        ),
    ),
    (
        6,
        7,
        ROOT_6,
        ROOT_7,
        (
            "DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=",
            "sIaT7C5yFZcTBkHoIR5+7cy0wmQTlj7ubB4u0W/7Gl8=",
            "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=",
        ),
    ),
)


@pytest.mark.parametrize(("index", "size", "root", "leaf", "proof"), HAPPY_INCLUSION)
def test_a_published_inclusion_proof_verifies(
    index: int, size: int, root: str, leaf: str, proof: tuple[str, ...]
) -> None:
    """The cases that other verifiers are tested with."""
    given = [base64.b64decode(one) for one in proof]
    verify_inclusion(base64.b64decode(leaf), index, size, given, base64.b64decode(root))


@pytest.mark.parametrize(("old", "new", "old_root", "new_root", "proof"), HAPPY_CONSISTENCY)
def test_a_published_consistency_proof_verifies(
    old: int, new: int, old_root: str, new_root: str, proof: tuple[str, ...]
) -> None:
    """The cases that other verifiers are tested with."""
    given = [base64.b64decode(one) for one in proof]
    verify_consistency(old, new, given, base64.b64decode(old_root), base64.b64decode(new_root))


# draft-ietf-plants-merkle-tree-certs, appendix "Subtree Test Vectors": everything about the tree
# over the leaves 00, 01, ... 81, line by line in one SHA-256. A subtree may end anywhere, and
# begins where a perfect subtree of its size or larger does.
DRAFT_LEAVES = tuple(leaf_hash(bytes((value,))) for value in range(130))
DRAFT_HASHES = "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"
DRAFT_INCLUSION = "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"


def subtrees() -> Iterator[tuple[int, int]]:
    """First leaf and end of every subtree, the empty ones too."""
    for end in range(len(DRAFT_LEAVES) + 1):
        for start in range(end + 1):
            if start == end or start % (1 << (end - start - 1).bit_length()) == 0:
                yield start, end


def moved(parts: Iterable[Part], start: int) -> list[Part]:
    """Parts of a tree of its own as they stand in the tree in which it begins at `start`."""
    return [
        tuple(Node(one.height, one.index + (start >> one.height)) for one in part) for part in parts
    ]


@pytest.fixture(scope="module")
def draft_nodes() -> Mapping[Node, bytes]:
    """The hash of every perfect subtree of the draft's tree."""
    return all_nodes(DRAFT_LEAVES)


def test_every_subtree_has_the_hash_of_the_draft(draft_nodes: Mapping[Node, bytes]) -> None:
    """Folded from nodes, wherever it begins."""
    lines = hashlib.sha256()
    for start, end in subtrees():
        (digest,) = assemble(moved([root_nodes(end - start)], start), draft_nodes)
        lines.update(f"[{start}, {end}) {digest.hex()}\n".encode())
    assert lines.hexdigest() == DRAFT_HASHES


def test_every_inclusion_proof_of_a_subtree_is_that_of_the_draft(
    draft_nodes: Mapping[Node, bytes],
) -> None:
    """Made from nodes, wherever the subtree begins."""
    lines = hashlib.sha256()
    for start, end in subtrees():
        for index in range(start, end):
            parts = moved(inclusion_nodes(index - start, end - start), start)
            proof = "".join(f" {digest.hex()}" for digest in assemble(parts, draft_nodes))
            lines.update(f"{index} [{start}, {end}){proof}\n".encode())
    assert lines.hexdigest() == DRAFT_INCLUSION
