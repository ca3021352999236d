"""Aliases: the callers' ids find their handles, come back only with the key, and can be erased."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.database import Database
from ledger.errors import SealedValueError, SubjectKeyError, VaultError
from ledger.personal.aliases import Alias, Aliases, AliasTaken, Kind
from ledger.personal.keyring import KEY_NAMES, KeyName, KeyRing
from ledger.personal.vault import Vault

MARA, NOEL = "c_" + "m" * 26, "c_" + "n" * 26
STAFF, LOOP = "p_" + "s" * 26, "l_" + "l" * 26
KEYS: dict[KeyName, bytes] = {
    name: bytes([number]) * 32 for number, name in enumerate(KEY_NAMES, start=1)
}
RING = KeyRing(KEYS)
KINDS: tuple[Kind, ...] = ("candidate", "person", "loop")


@pytest.fixture
def aliases(database: Database) -> Aliases:
    """The aliases of an empty ledger."""
    return Aliases(RING, database.schema)


@pytest.fixture
def cur(database: Database) -> Iterator[Cursor[TupleRow]]:
    """A cursor with the rights of the running server."""
    with database.connect("runtime") as connection, connection.cursor() as cursor:
        yield cursor


@pytest.fixture
def owner(database: Database) -> Iterator[Cursor[TupleRow]]:
    """A cursor that may change rows behind the ledger's back; commits each statement."""
    with (
        database.connect("owner", autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def test_an_id_finds_its_handle_and_the_handle_its_id(
    aliases: Aliases, cur: Cursor[TupleRow]
) -> None:
    """Both ways, for each kind by itself."""
    aliases.add(cur, "candidate", "4711", MARA, MARA)
    aliases.add(cur, "person", "4711", STAFF, STAFF)
    aliases.add(cur, "loop", "4711", LOOP, MARA)
    assert [aliases.find(cur, kind, "4711") for kind in KINDS] == [MARA, STAFF, LOOP]
    assert aliases.names(cur, [MARA, LOOP]) == {MARA: "4711", LOOP: "4711"}


def test_what_is_unknown_is_not_found(aliases: Aliases, cur: Cursor[TupleRow]) -> None:
    """An id, a kind of id and a handle that nobody added."""
    aliases.add(cur, "candidate", "4711", MARA, MARA)
    assert aliases.find(cur, "candidate", "471") is None
    assert aliases.find(cur, "person", "4711") is None
    asked: list[tuple[Kind, str]] = [("candidate", "4711"), ("loop", "4711"), ("candidate", "x")]
    assert aliases.find_many(cur, asked) == {("candidate", "4711"): MARA}
    assert aliases.find_many(cur, []) == {}
    assert aliases.names(cur, [NOEL, MARA]) == {NOEL: None, MARA: "4711"}
    assert aliases.names(cur, []) == {}


def test_a_handle_exists_once_it_stands_for_something(
    aliases: Aliases, cur: Cursor[TupleRow]
) -> None:
    """A path may name a handle directly, so one must be able to tell a real one."""
    aliases.add(cur, "candidate", "4711", MARA, MARA)
    assert aliases.existing(cur, [MARA, NOEL, "4711"]) == {MARA}
    assert aliases.existing(cur, []) == set()


VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=128)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sets(st.tuples(st.sampled_from(KINDS), VISIBLE | st.text(min_size=1)), max_size=20))
def test_any_ids_come_back_from_their_handles(
    aliases: Aliases, cur: Cursor[TupleRow], ids: set[tuple[Kind, str]]
) -> None:
    """Many at once, each under the handle that it was given."""
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    batch = [
        Alias(kind, text, f"c_{letters[number] * 26}", MARA)
        for number, (kind, text) in enumerate(sorted(ids))
    ]
    aliases.add_many(cur, batch)
    assert aliases.find_many(cur, ids) == {(a.kind, a.external_id): a.handle for a in batch}
    assert aliases.names(cur, [a.handle for a in batch]) == {a.handle: a.external_id for a in batch}
    cur.connection.rollback()


@pytest.mark.parametrize(
    ("kind", "text", "handle"), [("candidate", "4711", NOEL), ("loop", "4712", MARA)]
)
def test_an_id_or_handle_in_use_is_not_given_away(
    aliases: Aliases, cur: Cursor[TupleRow], kind: Kind, text: str, handle: str
) -> None:
    """The refusal names the kind and not the id, and the transaction stays usable."""
    aliases.add(cur, "candidate", "4711", MARA, MARA)
    with pytest.raises(AliasTaken, match=f"another {kind}") as caught:
        aliases.add(cur, kind, text, handle, NOEL)
    assert caught.value.kind == kind
    assert text not in str(caught.value)
    assert aliases.names(cur, [MARA]) == {MARA: "4711"}


def test_two_aliases_of_one_batch_cannot_share_an_id(
    aliases: Aliases, cur: Cursor[TupleRow]
) -> None:
    """A batch is held to the same rule as one after the other."""
    with pytest.raises(AliasTaken, match="another candidate"):
        aliases.add_many(
            cur, [Alias("candidate", "4711", MARA, MARA), Alias("candidate", "4711", NOEL, NOEL)]
        )


def test_erasing_the_subject_destroys_the_mapping_both_ways(
    database: Database, aliases: Aliases, cur: Cursor[TupleRow]
) -> None:
    """Their loops' ids go too, other people's stay, and the id may come again as a stranger."""
    aliases.add(cur, "candidate", "4711", MARA, MARA)
    aliases.add(cur, "loop", "L-1", LOOP, MARA)
    aliases.add(cur, "candidate", "4712", NOEL, NOEL)
    Vault(RING, database.schema).forget(cur, MARA)
    assert aliases.names(cur, [MARA, LOOP, NOEL]) == {MARA: None, LOOP: None, NOEL: "4712"}
    assert aliases.find(cur, "candidate", "4711") is None
    again = "c_" + "o" * 26
    aliases.add(cur, "candidate", "4711", again, again)
    assert aliases.find(cur, "candidate", "4711") == again


def test_an_alias_whose_key_is_gone_has_no_name(
    aliases: Aliases, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """A restored row without its key says nothing."""
    aliases.add(cur, "candidate", "4711", MARA, MARA)
    cur.connection.commit()
    owner.execute("delete from subject_keys")
    assert aliases.names(cur, [MARA]) == {MARA: None}


@pytest.mark.parametrize(
    "change",
    [
        "sealed = set_byte(sealed, 0, get_byte(sealed, 0) # 1)",
        "sealed = set_byte(sealed, 12, get_byte(sealed, 12) # 1)",
        "sealed = set_byte(sealed, 31, get_byte(sealed, 31) # 1)",
        "sealed = substr(sealed, 1, 12)",
        "sealed = ''",
        "kind = 'person'",
    ],
)
def test_a_changed_alias_is_refused(
    aliases: Aliases, cur: Cursor[TupleRow], owner: Cursor[TupleRow], change: str
) -> None:
    """The ciphertext is bound to its kind and handle; the error names the handle and no id."""
    aliases.add(cur, "candidate", "mara-4711", MARA, MARA)
    cur.connection.commit()
    owner.execute(f"update aliases set {change}".encode())
    with pytest.raises(SealedValueError, match=MARA) as caught:
        aliases.names(cur, [MARA])
    assert "4711" not in str(caught.value)


def test_names_cannot_be_exchanged(
    aliases: Aliases, cur: Cursor[TupleRow], owner: Cursor[TupleRow]
) -> None:
    """Not even between two handles of one subject, whose key is the same."""
    aliases.add(cur, "loop", "L-1", LOOP, MARA)
    aliases.add(cur, "loop", "L-2", "l_" + "k" * 26, MARA)
    cur.connection.commit()
    owner.execute(
        "update aliases a set sealed = b.sealed from aliases b where a.handle <> b.handle"
    )
    with pytest.raises(SealedValueError):
        aliases.names(cur, [LOOP])


def test_another_ledgers_keys_are_noticed_at_the_start(
    database: Database, aliases: Aliases, cur: Cursor[TupleRow]
) -> None:
    """Under another HMAC key every known person would look new, so the start says so instead."""
    aliases.check_keys(cur)
    aliases.add(cur, "candidate", "4711", MARA, MARA)
    aliases.check_keys(cur)
    with pytest.raises(VaultError, match="`hmac` key in use is not the one"):
        Aliases(KeyRing({**KEYS, "hmac": b"9" * 32}), database.schema).check_keys(cur)
    with pytest.raises(SubjectKeyError):
        Aliases(KeyRing({**KEYS, "kek": b"9" * 32}), database.schema).check_keys(cur)
