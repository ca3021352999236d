"""The verifier that outlives us says the same as ours, and needs nothing of ours to say it."""

import ast
import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import cast

import pytest

from dossiers import VKEY, small_dossier, valid_dossier, withheld_dossier
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer
from ledger.proof.verdict import STEP_NAMES
from merkle import inclusion_of, leaf_hash, root_of
from museum import CONTENTS, FOLDER
from mutations import mutated
from odd_files import odd_files
from odd_notes import odd_notes
from verifiers import SCRIPT, SHARED, BarePython, by_ledger, by_script, script

LISTED = cast("dict[str, int]", json.loads((FOLDER / CONTENTS).read_bytes())["steps"])
SEEDS = 2_000
PARTS = 2
TREE_SIZE_MAX = 40
LINES_MAX = 100
LETTERS_MAX = 100


def shared(step: int) -> int:
    """A step as the verifiers without rules report it."""
    return step if step <= SHARED else 0


# ---------------------------------------------------------------- the same verdict


@pytest.mark.parametrize("name", sorted(LISTED))
def test_the_script_refuses_each_exhibit_at_the_same_step(name: str) -> None:
    """The museum's files, and the good ones among them."""
    assert by_script((FOLDER / name).read_bytes()) == shared(LISTED[name])


def test_the_script_accepts_a_dossier_with_and_without_its_words() -> None:
    """What is withheld does not spoil what is given."""
    assert [by_script(raw) for raw in (valid_dossier(), withheld_dossier())] == [0, 0]


def test_the_script_reads_every_odd_checkpoint_as_ours_does() -> None:
    """Cosigned, extended, misspelt: the same are accepted, the rest fail at the same step."""
    files = odd_notes()
    ours = {name: by_ledger(raw) for name, raw in files.items()}
    assert {name: by_script(raw) for name, raw in files.items()} == ours
    assert set(ours.values()) == {0, 2, 3}


def test_the_script_reads_every_odd_file_as_ours_does() -> None:
    """JSON that readers differ on, members at a limit and beyond it, words sealed for elsewhere."""
    files = odd_files()
    ours = {name: by_ledger(raw) for name, raw in files.items()}
    assert {name: by_script(raw) for name, raw in files.items()} == ours
    assert {0, 1, 3, 7} <= set(ours.values())


def test_the_script_takes_the_proof_of_each_leaf_and_no_other() -> None:
    """In every tree up to 40 leaves; a hash more, less or changed leads elsewhere."""
    root_above = script().root_above
    leaves = [leaf_hash(b"%d" % index) for index in range(TREE_SIZE_MAX)]
    for size in range(1, TREE_SIZE_MAX + 1):
        root = root_of(leaves[:size])
        assert root_above(dict(enumerate(leaves[:size])), size) == root
        for index in range(size):
            proof = inclusion_of(leaves[:size], index)
            spoilt = [[*proof, root], proof[:-1], [root, *proof[1:]]] if proof else [[root]]
            found = [root_above({index: leaves[index]}, size, iter(p)) for p in (proof, *spoilt)]
            assert found[0] == root
            assert root not in found[1:], (index, size)


@pytest.mark.parametrize("part", range(PARTS))
def test_the_script_and_ours_agree_on_every_mutation(part: int) -> None:
    """Of 2,000 seeded mutations each fails both at the same step, or neither."""
    raw = small_dossier()
    verdicts = Counter[int]()
    for seed in range(part, SEEDS, PARTS):
        name, changed = mutated(raw, seed)
        ours = by_ledger(changed)
        assert by_script(changed) == ours, (seed, name)
        verdicts[ours] += 1
    assert {0, 1, 2, 3, 4, 5, 7} <= verdicts.keys()


def test_the_script_refuses_every_misspelt_key() -> None:
    """One letter more or less, or the next letter in its place: no other key is taken for ours."""
    raw = small_dossier()
    spoilt = [VKEY[:at] + VKEY[at + 1 :] for at in range(len(VKEY))]
    spoilt += [f"{VKEY[:at]}{chr(ord(VKEY[at]) + 1)}{VKEY[at + 1 :]}" for at in range(len(VKEY))]
    spoilt += ["", "+", "++", "a+b", f"{VKEY}A", f"{VKEY}=", VKEY.upper(), "é+é+é"]
    assert {by_script(raw, vkey) for vkey in spoilt} == {2}


def test_the_script_says_which_keys_it_reads() -> None:
    """A log may sign with ML-DSA-44 as well: a sound key, but none for the script."""
    vkey = Signer("ledger.example/log", Kind.MLDSA44_COSIGNATURE, bytes(32)).vkey
    with pytest.raises(ValueError, match="reads Ed25519 keys only"):
        list(script().steps(small_dossier(), vkey))


# ---------------------------------------------------------------- vendor exit


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> BarePython:
    """A Python without us, and a copy of the script beside nothing of ours."""
    bare = BarePython(tmp_path_factory.mktemp("bare") / "venv")
    shutil.copy(SCRIPT, bare.python.parent)
    return bare


@pytest.fixture(scope="module")
def kept(bare: BarePython) -> Path:
    """The script as somebody kept it."""
    return bare.python.parent / SCRIPT.name


def test_the_bare_python_has_nothing_of_ours(bare: BarePython) -> None:
    """Neither our rooms nor what they need can be imported there."""
    names = ["domain", "policies", "ledger", "projections", "api", "msgspec", "psycopg", "pip"]
    tried = f"import importlib.util as u; print([n for n in {names} if u.find_spec(n)])"
    assert bare.run("-c", tried).stdout == "[]\n"
    assert bare.run("-c", "import cryptography").returncode == 0


def test_a_dossier_verifies_after_hireledger_is_gone(
    bare: BarePython, kept: Path, tmp_path: Path
) -> None:
    """The file, the script, Python and cryptography are enough; every step is named."""
    (tmp_path / "dossier.json").write_bytes(valid_dossier())
    ran = bare.verify(kept, [str(tmp_path / "dossier.json"), VKEY])
    assert ran.status == 0, ran
    assert ran.steps == [f"step {n} {name}" for n, name in enumerate(STEP_NAMES[:SHARED], 1)]
    assert "Not checked: step 9 replay, step 10 timestamps, and witnesses" in ran.said


@pytest.mark.parametrize("step", range(1, SHARED + 1))
def test_it_refuses_there_too_and_names_the_step(bare: BarePython, kept: Path, step: int) -> None:
    """One exhibit for each step: exit 1, the step, a reason, and never a traceback."""
    name = next(name for name, at in sorted(LISTED.items()) if at == step)
    ran = bare.verify(kept, [str(FOLDER / name), VKEY])
    assert (ran.status, ran.failed) == (1, step)
    assert ran.said.startswith("FAILED: ")
    assert "Traceback" not in ran.said


def test_wrong_use_ends_with_a_reason(bare: BarePython, kept: Path, tmp_path: Path) -> None:
    """A file that is not there, a missing argument, a key that is none: exit 1, no traceback."""
    there = str(FOLDER / "valid.json")
    for arguments in ([], [there], [str(tmp_path / "none"), VKEY], [str(tmp_path), VKEY]):
        ran = bare.verify(kept, arguments)
        assert (ran.status, ran.steps) == (1, [])
        assert ran.said.startswith("FAILED: ")
    assert bare.verify(kept, [there, "not a key"]).failed == 2


# ---------------------------------------------------------------- what it is


def test_the_script_is_a_hundred_lines() -> None:
    """Somebody reads all of it before they trust it."""
    lines = SCRIPT.read_text().splitlines()
    assert len(lines) <= LINES_MAX
    assert max(map(len, lines)) <= LETTERS_MAX


def test_the_script_imports_the_standard_library_and_cryptography() -> None:
    """Nothing of ours, and nothing that has to be fetched besides."""
    tree = ast.parse(SCRIPT.read_text())
    roots = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else _names(node))
    }
    assert roots - sys.stdlib_module_names == {"cryptography"}


def _names(node: ast.Import) -> list[str]:
    return [alias.name for alias in node.names]
