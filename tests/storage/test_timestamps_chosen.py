"""Which stamped checkpoint a dossier shows after keys, witnesses or the log's name have changed."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from psycopg import Cursor
from psycopg.rows import TupleRow

from hall import Hall, open_hall
from ledger.database import Database
from ledger.export_dossier import Published, published_over
from ledger.ledger import Ledger
from ledger.log_keys import LogKeys, rotate
from ledger.personal.keyring import KeyRing
from ledger.proof.key_kinds import Kind
from ledger.proof.note import Signer, format_signature, parse_note
from ledger.proof.steps_of_the_log import read_checkpoint
from ledger.proof.witness_policy import WitnessPolicy, parse_policy
from ledger.publish import Publishing
from ledger.vouching.timestamps import Signers, Stamped, Stamper, Timestamps
from office import rules

WITNESS = Signer.generate("witness.example/w1", Kind.ED25519_COSIGNATURE)
POLICY = parse_policy(f"witness w1 {WITNESS.vkey}\nquorum w1\n".encode())
AGES = timedelta(days=9)


def record(ledger: Ledger) -> int:
    """One more fact; its position."""
    return ledger.submit(Hall(ledger).a_stranger()).result(30).recorded[0].position


def keep(ledger: Ledger, published: Published, token: bytes) -> None:
    """A token over a checkpoint, from before."""
    row = Stamped(published.size, datetime.now(UTC), published.note, token)
    with ledger.database.connect("runtime") as connection, connection.cursor() as cur:
        Timestamps(ledger.database.schema).insert(cur, row)


def newest(ledger: Ledger) -> Published:
    """The newest checkpoint as it is published."""
    found = ledger.publisher.checkpoint_at_least(record(ledger))
    return Published(found.size, found.note)


def require_accepted(note: bytes, vkeys: LogKeys, policy: WitnessPolicy | None) -> None:
    """Whoever has any one of today's keys passes the second step."""
    for verifier in vkeys.verifiers:
        read_checkpoint(note, [verifier], policy, datetime.now(UTC))


def cosign(note: bytes, _: Callable[[int], tuple[bytes, ...]]) -> list[bytes]:
    """The line of a witness that checks nothing."""
    text = parse_note(note).text
    return [format_signature(WITNESS.signature(text, int(time.time()))).encode()]


class Cosigner:
    """That witness, as the publisher asks it."""

    collect = staticmethod(cosign)


def newest_is(one: Published) -> Callable[[Cursor[TupleRow]], tuple[int, bytes]]:
    """What the stamper is told of a log whose newest checkpoint this is."""
    return lambda _: (one.size, one.note)


def open_it(database: Database, directory: Path, *, witnessed: bool = False) -> Ledger:
    """The ledger of a directory, as its keys are now."""
    how = Publishing.of(directory)
    if witnessed:
        how = Publishing(how.keys, how.copy, POLICY, Cosigner())
    return Ledger(database, KeyRing.open(directory / "keys"), rules(), how)


def test_after_a_rotation_the_first_stamp_under_both_keys_is_shown(
    database: Database, tmp_path: Path
) -> None:
    """An older one, which the new key never signed, hides nothing that came after it."""
    with open_it(database, tmp_path) as ledger:
        position = record(ledger)
        for token in (b"first", b"second"):
            keep(ledger, newest(ledger), token)
        assert published_over(ledger, position).timestamps == (b"first",)
    keys = rotate(tmp_path / "keys")
    with open_it(database, tmp_path) as ledger:
        without = published_over(ledger, position)
        assert without.timestamps == ()
        require_accepted(without.note, keys, None)
        stamped = newest(ledger)
        keep(ledger, stamped, b"third")
        keep(ledger, newest(ledger), b"fourth")
        assert published_over(ledger, position) == stamped._replace(timestamps=(b"third",))
    require_accepted(stamped.note, keys, None)


def test_a_stamp_from_before_there_were_witnesses_is_left_out(
    database: Database, tmp_path: Path
) -> None:
    """The note that is shown satisfies the policy, so that it verifies with it."""
    with open_it(database, tmp_path) as ledger:
        keys = ledger.publisher.keys
        position = record(ledger)
        keep(ledger, newest(ledger), b"unwitnessed")
    with open_it(database, tmp_path, witnessed=True) as ledger:
        published = newest(ledger)
        without = published_over(ledger, position)
        assert without.timestamps == ()
        require_accepted(without.note, keys, POLICY)
        keep(ledger, published, b"witnessed")
        found = published_over(ledger, position)
    assert found == published._replace(timestamps=(b"witnessed",))
    require_accepted(found.note, keys, POLICY)


def test_a_stamp_whose_note_was_changed_is_passed_over(database: Database, tmp_path: Path) -> None:
    """It looks like the right one to the store; its signature is checked before it is shown."""
    with open_it(database, tmp_path) as ledger:
        position = record(ledger)
        forged = newest(ledger)
        changed = forged.note.replace(b"\n%d\n" % forged.size, b"\n%d\n" % (forged.size + 1), 1)
        for _ in range(25):  # more than the store is asked for at once
            keep(ledger, Published(forged.size, changed), b"changed")
        assert published_over(ledger, position).timestamps == ()
        true = newest(ledger)
        keep(ledger, true, b"true")
        assert published_over(ledger, position) == true._replace(timestamps=(b"true",))


def test_a_log_that_was_begun_anew_is_stamped_however_long_the_old_one_was(
    database: Database, tmp_path: Path
) -> None:
    """Tokens of the log before are none of this one's, neither for when to ask nor to show."""
    rows, asked = Timestamps(database.schema), list[bytes]()
    with open_hall(database, tmp_path, furnished=False) as hall:
        mine = newest(hall.ledger)
        old = Signer.generate("hireledger.example/before", Kind.ED25519)
        text = parse_note(mine.note).text.replace(mine.note.decode().partition("\n")[0], old.name)
        long = text.replace(f"\n{mine.size}\n", "\n1000\n")
        note = f"{long}\n{format_signature(old.signature(long))}".encode()
        with database.connect("runtime") as connection, connection.cursor() as cur:
            rows.insert(cur, Stamped(1000, datetime.now(UTC) - AGES, note, b"old"))
            by = Signers.of(hall.ledger.publisher.keys.verifiers)
            assert list(rows.covering(cur, 1, by)) == []
            assert [one.token for one in rows.covering(cur, 1, Signers.like(note))] == [b"old"]

        def stamp(note: bytes) -> tuple[bytes, datetime]:
            asked.append(note)
            return b"token", datetime.now(UTC)

        stamper = Stamper(database, newest_is(mine), stamp, every=AGES)
        stamper.turn()
        stamper.turn()
        assert published_over(hall.ledger, 1) == mine._replace(timestamps=(b"token",))
    assert asked == [mine.note]


def test_the_same_checkpoint_is_stamped_again_once_more_have_signed_it(
    database: Database, tmp_path: Path
) -> None:
    """After a rotation, or once there are witnesses, without waiting for a fact or the time."""
    asked = list[bytes]()

    def stamp(note: bytes) -> tuple[bytes, datetime]:
        asked.append(note)
        return b"token", datetime.now(UTC)

    with open_it(database, tmp_path) as ledger:
        plain = newest(ledger)
    rotate(tmp_path / "keys")
    with open_it(database, tmp_path) as ledger:
        found = ledger.publisher.checkpoint_at_least(plain.size)
        rotated = Published(found.size, found.note)
    witnessed = Published(rotated.size, rotated.note + cosign(rotated.note, lambda _: ())[0])
    for one in (plain, plain, rotated, rotated, witnessed, witnessed, rotated):
        Stamper(database, newest_is(one), stamp, every=AGES).turn()
    assert asked == [plain.note, rotated.note, witnessed.note]
