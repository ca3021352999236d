"""A dossier that is exported where the witness policy of the server is not set."""

import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import Shell
from ledger.database import Database
from ledger.embedded.server import Embedded
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, format_signature, parse_note
from ledger.proof.witness_policy import parse_policy
from ledger.publish import Publishing
from office import decision, open_office

WITNESS = Signer.generate("witness.example/w1", Kind.ED25519_COSIGNATURE)
POLICY = f"witness w1 {WITNESS.vkey}\nquorum w1\n"


class Prompt:
    """A witness that signs whatever it is shown."""

    def collect(self, note: bytes, _: Callable[[int], tuple[bytes, ...]], /) -> list[bytes]:
        """Its line."""
        signature = WITNESS.signature(parse_note(note).text, int(time.time()))
        return [format_signature(signature).encode()]


@pytest.mark.parametrize("witnessed", [True, False])
def test_a_dossier_without_cosignatures_is_told_where_the_log_has_them(
    server: Embedded, tmp_path: Path, witnessed: bool
) -> None:
    """On standard error, with the variable to set; a log without witnesses has nothing to tell."""
    database = Database.external(server.superuser_url(), f"t_{secrets.token_hex(6)}")
    database.prepare()
    plain = Publishing.of(tmp_path)
    how = Publishing(plain.keys, plain.copy, parse_policy(POLICY.encode()), Prompt())
    with open_office(database, tmp_path, how if witnessed else plain) as office:
        office.furnish()
        office.did("dora", "/loops/one/decision", decision(office.ready("one")))
        office.ledger.publisher.checkpoint_at_least(office.ledger_head())
    store = ("--data", str(tmp_path), "--database", server.superuser_url())
    shell = Shell(store, {"HIRELEDGER_SCHEMA": database.schema})
    out = tmp_path / "dossier.json"
    told = shell.run("export", "dossier", "one", "--out", str(out))
    assert (WITNESS.name in out.read_text()) is False
    assert ("HIRELEDGER_WITNESS_POLICY" in told.err) is witnessed
    assert ("verifiers who ask for witnesses will refuse it" in told.err) is witnessed
