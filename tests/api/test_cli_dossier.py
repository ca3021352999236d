"""`hireledger export dossier` and `hireledger verify`: made by one, checked by any other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import Ended, Shell
from dossiers import (
    KEY,
    OTHER_KEY,
    VKEY,
    WITNESS,
    as_file,
    checkpoint_of,
    dossier_of,
    small_dossier,
)
from ledger.proof.log_proof import format_log_proof
from ledger.proof.verdict import STEP_NAMES
from merkle import inclusion_of, leaf_hash
from museum import FOLDER
from told_log import small_log

# Whoever verifies has Python, this product, and nothing that could ask a server for anything.
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"psycopg", "psycopg_pool", "eventsourcing", "litestar", "httpx"}:
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Blocked())
from api.cli import main
main(sys.argv[1:])
"""


@pytest.fixture
def shell() -> Shell:
    """A command line without any setting."""
    return Shell()


def saved(folder: Path, raw: bytes, name: str = "dossier.json") -> str:
    """The path of a file with these bytes."""
    path = folder / name
    path.write_bytes(raw)
    return str(path)


def alone(folder: Path, *words: str) -> Ended:
    """A command in a process, and a directory, of its own, without any database driver."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HIRELEDGER_")}
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def test_the_ten_steps_are_printed_for_people(shell: Shell, tmp_path: Path) -> None:
    """One line a step, in order, each with its name, how it ended and what was found."""
    done = shell.run("verify", saved(tmp_path, small_dossier()), "--vkey", VKEY)
    *lines, last = done.out.splitlines()
    assert last == "Accepted: dossier.json holds; what was not checked is said above."
    assert [line[:19].rstrip() for line in lines] == [
        f"{number:>2} {name}" for number, name in enumerate(STEP_NAMES, 1)
    ]
    assert [line[20:34].rstrip() for line in lines] == ["passed"] * 9 + ["not applicable"]
    assert done.err == ""


def test_keys_may_come_together_as_the_log_gives_them(shell: Shell, tmp_path: Path) -> None:
    """While two keys sign, /v1/log/vkey has two lines: they are pasted as they are."""
    file = saved(tmp_path, small_dossier())
    assert shell.run("verify", file, "--vkey", f"{OTHER_KEY.vkey}\n{VKEY}\n").out
    shell.run("verify", file, "--vkey", f"{OTHER_KEY.vkey}\n", code=1)


def test_a_refusal_names_the_step(shell: Shell) -> None:
    """Exit 1; the steps stand on standard output, and what it means on standard error."""
    file = str(FOLDER / "feedback-left-out.json")
    done = shell.run("verify", file, "--vkey", VKEY, code=1)
    assert " 5 basis            failed" in done.out
    assert "Accepted" not in done.out
    assert done.err == (
        "Refused: feedback-left-out.json fails step 5 (basis). Do not rely on it.\n"
    )
    told = shell.run("verify", file, "--vkey", VKEY, "--json", code=1).json
    assert (told["accepted"], told["failed"]) == (False, 5)
    assert [step["number"] for step in told["steps"]] == list(range(1, 11))


def test_it_needs_no_database_driver_and_no_data_directory(tmp_path: Path) -> None:
    """In an empty directory, where no driver and no server can be imported."""
    done = alone(tmp_path, "verify", saved(tmp_path, small_dossier()), "--vkey", VKEY, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["accepted"]
    assert [path.name for path in tmp_path.iterdir()] == ["dossier.json"]
    refused = alone(tmp_path, "verify", str(FOLDER / "truncated.json"), "--vkey", VKEY)
    assert refused.code == 1


def test_a_quorum_is_asked_of_the_witness_policy(shell: Shell, tmp_path: Path) -> None:
    """The file alone passes; with a policy, whoever it names must have cosigned."""
    text = checkpoint_of(small_log())
    note = KEY.note(text) + WITNESS.cosignature_line(text, 1_780_000_000)
    cosigned = saved(tmp_path, as_file({**dossier_of(small_log()), "checkpoint": note}))
    bare = saved(tmp_path, small_dossier(), "bare.json")
    policy = f"witness w {WITNESS.cosigner_vkey}\nquorum w\n".encode()
    options = ("--vkey", VKEY, "--witness-policy", saved(tmp_path, policy, "policy"))
    assert "1 witness cosigned" in shell.run("verify", cosigned, *options).out
    assert "fails step 2 (checkpoint)" in shell.run("verify", bare, *options, code=1).err


def test_a_proof_of_one_fact_is_checked_with_the_fact(shell: Shell, tmp_path: Path) -> None:
    """Three steps apply; another fact, or a proof of another place, is refused."""
    log = small_log()
    hashes = [leaf_hash(one.leaf) for one in log.entries]
    note = KEY.note(checkpoint_of(log)).encode()
    proof = saved(tmp_path, format_log_proof(4, inclusion_of(hashes, 4), note), "fact.tlog-proof")
    leaf = saved(tmp_path, log.entries[4].leaf, "leaf.json")
    done = shell.run("verify", proof, "--vkey", VKEY, "--leaf", leaf, "--json").json
    assert [step["outcome"] for step in done["steps"]] == ["passed"] * 3 + ["not applicable"] * 7
    assert done["steps"][2]["reason"] == "the fact is in the log at position 5"
    saved_by_a_tool = saved(tmp_path, log.entries[4].leaf + b"\n", "with-a-line-feed.json")
    assert shell.run("verify", proof, "--vkey", VKEY, "--leaf", saved_by_a_tool).out
    other = saved(tmp_path, log.entries[5].leaf, "other.json")
    refused = shell.run("verify", proof, "--vkey", VKEY, "--leaf", other, "--json", code=1).json
    assert refused["failed"] == 3
    cut = saved(tmp_path, Path(proof).read_bytes()[:60], "cut.tlog-proof")
    refused = shell.run("verify", cut, "--vkey", VKEY, "--leaf", leaf, "--json", code=1).json
    assert refused["failed"] == 1
    no_proof = saved(tmp_path, small_dossier())
    assert shell.run("verify", no_proof, "--vkey", VKEY, "--leaf", leaf, code=1).err
    assert "with --leaf" in shell.run("verify", proof, "--vkey", VKEY, code=2).err


def test_wrong_use_is_told_apart_from_a_bad_file(shell: Shell, tmp_path: Path) -> None:
    """Exit 2 for what the caller gave: a key, a policy, roots or a path that is none."""
    file = saved(tmp_path, small_dossier())
    nonsense = saved(tmp_path, b"nonsense\n", "nonsense")
    for words in (
        (file,),
        (file, "--vkey", "not a key"),
        (file, "--vkey", f"{VKEY}x"),
        (file, "--vkey", VKEY, "--witness-policy", nonsense),
        (file, "--vkey", VKEY, "--timestamp-roots", nonsense),
        (str(tmp_path / "absent.json"), "--vkey", VKEY),
    ):
        assert shell.run("verify", *words, code=2).err


# Erases the line on a terminal and writes another verdict over it; then a step of its own.
FEIGNED = "d\x1b[2K\rAccepted: all is well.\n 5 basis            passed\u009b2K\u202e.json"
FEIGNED_SHOWN = (
    "d⟨U+001B⟩[2K⟨U+000D⟩Accepted: all is well.⟨U+000A⟩ 5 basis            "
    "passed⟨U+009B⟩2K⟨U+202E⟩.json"
)


@pytest.mark.parametrize("sort", ["good", "bad", "proof"])
def test_the_name_of_a_file_writes_no_line_of_the_answer(
    shell: Shell, tmp_path: Path, sort: str
) -> None:
    """Whoever hands over a file names it too: what the name holds is shown, never obeyed."""
    proof = b"c2sp.org/tlog-proof@v1\nindex 4\n\n"
    bad = (FOLDER / "feedback-left-out.json").read_bytes()
    raw = {"good": small_dossier(), "bad": bad, "proof": proof}[sort]
    file = saved(tmp_path, raw, FEIGNED)
    done = shell.run("verify", file, "--vkey", VKEY, code={"good": 0, "bad": 1, "proof": 2}[sort])
    told = done.out + done.err
    assert not {"\x1b", "\r", "\x9b", "\u202e"} & set(told)
    if sort == "good":
        end = f"Accepted: {FEIGNED_SHOWN} holds; what was not checked is said above."
        assert done.out.splitlines()[-1] == end
    if sort == "bad":
        assert done.err == f"Refused: {FEIGNED_SHOWN} fails step 5 (basis). Do not rely on it.\n"
    assert len(done.out.splitlines()) == {"good": 11, "bad": 10, "proof": 0}[sort]
