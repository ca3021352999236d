"""Notes, checkpoints and tiles beside Go's: what we make it reads, what we read it reads alike."""

import base64
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import golden_log
from all_nodes import all_nodes
from edited import edit_once
from ledger.proof.checkpoint import CheckpointError, parse_checkpoint
from ledger.proof.key_kinds import Kind
from ledger.proof.note import NoteError, Signer, Verifier, format_note, open_note, parse_note
from ledger.proof.tiles import Tile, tile_nodes, tile_path, tiles_at
from ledger.proof.tree import leaf_hash
from referee import Referee

SEED = 6962
EDITED = 1_500
SIGNER = Signer.from_text(golden_log.PRIVATE_TEXT)
VERIFIER = Verifier.from_vkey(golden_log.VKEY)


@pytest.fixture(scope="module")
def referee(tmp_path_factory: pytest.TempPathFactory) -> Referee:
    """Built once."""
    return Referee.build(tmp_path_factory.mktemp("go"))


def as_go_says(text: str | None) -> str:
    """The answer about a note or checkpoint that is read as this text, or not at all."""
    return "no" if text is None else f"ok {base64.b64encode(text.encode()).decode()}"


def opened(raw: bytes) -> str | None:
    """The text that the golden log's key signed, as we read it."""
    try:
        return open_note(raw, [VERIFIER])[0].text
    except NoteError:
        return None


def texts() -> Iterator[str]:
    """Texts of many shapes, each ending in a line feed."""
    yield from ("x\n", "\n", "\n\n", "— looks like a signature\n", "a\n\nb\n", "\u00e9\u2028\n")
    yield from (parse_note(golden_log.checkpoint(size)).text for size in range(16))


def test_what_we_sign_is_what_go_signs(referee: Referee) -> None:
    """Byte for byte, since Ed25519 leaves nothing to chance."""
    ours = [format_note(text, [SIGNER.signature(text)]) for text in texts()]
    theirs = referee.ask(("sign", SIGNER.private_text, text.encode()) for text in texts())
    assert [base64.b64decode(answer) for answer in theirs] == ours


def test_go_opens_what_we_sign_beside_lines_that_it_does_not_know(referee: Referee) -> None:
    """With new keys, and under cosignatures of both kinds."""
    text = parse_note(golden_log.checkpoint(9)).text
    log = Signer.generate("ledger.example/log")
    witnesses = [Signer.generate("w.example", kind) for kind in Kind if kind.dated]
    raw = format_note(
        text, [*(one.signature(text, 1_700_000_000) for one in witnesses), log.signature(text)]
    )
    assert referee.ask([("open", log.vkey, raw), ("open", SIGNER.vkey, raw)]) == [
        as_go_says(text),
        "no",
    ]


def test_no_note_is_read_otherwise_than_go_reads_it(referee: Referee) -> None:
    """Of 1,500 edited notes, what we accept Go accepts with the same text; we refuse more."""
    chance = random.Random(SEED)
    good = golden_log.checkpoint(11) + "— w.example AAECAwQF\n".encode()
    notes = [good, *(edit_once(good, chance) for _ in range(EDITED))]
    ours = [opened(raw) for raw in notes]
    theirs = referee.ask(("open", VERIFIER.vkey, raw) for raw in notes)
    for raw, text, answer in zip(notes, ours, theirs, strict=True):
        assert text is None or as_go_says(text) == answer, (SEED, raw)
    assert 10 < sum(text is not None for text in ours) < EDITED
    assert sum(answer == "no" for answer in theirs) > EDITED // 2


def test_no_checkpoint_is_read_otherwise_than_go_reads_it(referee: Referee) -> None:
    """Of 1,500 edited bodies of the checksum database, what we accept says the same to Go."""
    chance = random.Random(SEED)
    good = b"go.sum database tree\n35225469\nvt5T6GaLCXvyHFl9VUvvItR43XZxfLgftEcTyO3eJCQ=\n"
    bodies = [good, *(edit_once(good, chance) for _ in range(EDITED))]
    agreed = 0
    for raw, answer in zip(bodies, referee.ask(("tree", raw) for raw in bodies), strict=True):
        try:
            read = parse_checkpoint(raw.decode())
        except (CheckpointError, UnicodeDecodeError):
            continue
        if read.origin == "go.sum database tree":  # Go reads no other
            assert answer == f"ok {read.size} {base64.b64encode(read.root).decode()}", (SEED, raw)
            agreed += 1
    assert agreed > 10


def test_the_tiles_are_those_of_go(referee: Referee) -> None:
    """Path and content of every tile that is new from size to size, up to 600 leaves."""
    hashes = all_nodes([leaf_hash(b"%d" % index) for index in range(600)])
    every = hashlib.sha256()
    known: set[Tile] = set()
    for size in range(1, 601):
        for tile in (one for one in tiles_at(size) if one not in known):
            known.add(tile)
            every.update(f"{tile_path(tile)}\n".encode())
            every.update(b"".join(hashes[one] for one in tile_nodes(tile)))
    assert referee.ask([("tiles", 600)]) == [every.hexdigest()]


def test_where_go_is_missing_the_test_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A skip with its reason, and no failure."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="apt-get install golang-go"):
        Referee.build(tmp_path)
