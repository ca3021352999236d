"""A small ledger with something in every table, recorded through the real application."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography.x509 import Certificate

from domain import commands as c
from domain.values import SYSTEM
from ledger.asked import Asked, Caller
from ledger.checkpoints import Checkpoints, OutsideCopy
from ledger.database import Database
from ledger.fsck.checkpoints import Trust
from ledger.personal.keyring import KeyRing
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, format_signature, parse_note
from ledger.proof.timestamp import read_token
from ledger.proof.witness_policy import parse_policy
from ledger.vouching.timestamps import Stamped, Timestamps
from office import Office, decision, open_office
from tampering import TABLES
from tsa import Authority

WITNESS = Signer.generate("witness.example/one", Kind.ED25519_COSIGNATURE)
SIGNED_MORE = 2
"""Of so many checkpoints others say something too."""

POLICY = f"witness one {WITNESS.vkey}\nquorum one\n".encode()
_IMPORTER = Caller(SYSTEM, SYSTEM, "system", frozenset({"administrator", "recorder"}))


class Sound(NamedTuple):
    """A ledger at rest, what its checks need, and a connection that may do anything to it."""

    database: Database
    keyring: KeyRing
    trust: Trust
    filled: frozenset[str]
    """The tables of which a row can be changed."""


@contextmanager
def sound_ledger(
    database: Database, directory: Path, authority: Authority | None
) -> Generator[Sound]:
    """Records it: two loops, an erased candidate, imported events, signed and witnessed."""
    with open_office(database, directory) as office:
        _record(office)
        keys = office.ledger.publisher.keys
    copy = OutsideCopy(directory / "checkpoint")
    roots = _sign_more(database, keys.origin, authority)
    yield Sound(
        database,
        KeyRing.open(directory / "keys"),
        Trust(keys.verifiers, parse_policy(POLICY), roots, copy.read),
        frozenset(TABLES if authority else TABLES.keys() - {"timestamps"}),
    )


def _record(office: Office) -> None:
    """What the tables are filled with."""
    office.furnish()
    cites = office.ready("a")
    office.did("dora", "/loops/a/decision", decision(cites))
    office.did("udo", "/facts/30/correction", {"text": "The number was of last year."})
    office.open("b")
    office.write_feedback("b", ("ivan",))
    office.did("paul", "/candidates/candidate-of-b/erasure", {"legal_basis": "Asked for it."})
    for place in range(3):
        attribute = c.AttributeSpec(name="citizen", value=f"true-{place}")
        event = c.ImportRecord(
            system="elsewhere",
            log="season",
            case="case-1",
            place=place,
            activity="Screening",
            claimed_at=datetime(2020, 1, 1 + place, tzinfo=UTC),
            resource="Recruiter 7",
            attributes=(attribute,),
        )
        office.ledger.submit(Asked(event, _IMPORTER, f"event-{place}", b"")).result()


def _sign_more(
    database: Database, origin: str, authority: Authority | None
) -> tuple[Certificate, ...]:
    """What a witness and an authority say of checkpoints; the roots that the authority has."""
    rows, stamps = Checkpoints(database.schema, origin), Timestamps(database.schema)
    now = datetime.now(UTC)
    with database.connect("runtime") as connection, connection.cursor() as cur:
        for one in list(rows.newest_first(cur, cosigned=False))[:SIGNED_MORE]:
            text = parse_note(one.note).text
            line = format_signature(WITNESS.signature(text, int(now.timestamp()))).encode()
            rows.add_cosignatures(cur, one.size, [line], now)
            if authority is not None:
                note = one.note + line
                token = authority.token(note)
                stamps.insert(cur, Stamped(one.size, read_token(token).time, note, token))
    return tuple(authority.roots) if authority else ()
