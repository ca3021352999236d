"""Request keys: which facts a request made, so that sending it twice records it once.

Only keyed HMACs of key and body are stored, with the positions: the answer is rebuilt from the
facts, and a secret that was answered once is nowhere to be repeated from. The ledger's own id of a
request is a keyed HMAC of these two, so that the facts that carry it commit to the row.
"""

import base64
import hmac
from collections.abc import Sequence
from typing import Final, NamedTuple

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from ledger.errors import LedgerError
from ledger.personal.keyring import KeyRing
from ledger.personal.subject_keys import in_schema

CAUSE_BYTES: Final = 16

_FIND: Final = (
    "select key_hmac, body_hmac, cause, positions from {}.requests where key_hmac = any(%b)"
)
_INSERT: Final = (
    "insert into {}.requests (key_hmac, body_hmac, cause, positions) "
    "select decode(key, 'hex'), decode(body, 'hex'), cause, positions "
    "from jsonb_to_recordset(%s) as spent(key text, body text, cause text, positions bigint[]) "
    "on conflict do nothing returning cause"
)


class RequestKeyTaken(LedgerError):
    """The request key was spent meanwhile: read what it recorded instead of recording again."""


class Scope(NamedTuple):
    """Within which a request key is unique."""

    key_id: str
    """Id of the API key, not the key."""
    actor: str
    """Handle of the acting person."""


class Request(NamedTuple):
    """A request as it is recognised: scope, caller's key, and the body in one canonical form."""

    scope: Scope
    key: str
    body: bytes


class Spent(NamedTuple):
    """What a request key recorded."""

    positions: tuple[int, ...]
    cause: str
    """The ledger's own id of the request; it stands in the stamps of its facts."""


class Known(NamedTuple):
    """What a request key recorded, and whether it came with the same body."""

    positions: tuple[int, ...]
    cause: str
    same_body: bool


def cause_of(keyring: KeyRing, key_hmac: bytes, body_hmac: bytes) -> str:
    """The id of the request whose row has these two HMACs: no bit of them changes unseen.

    Ledgers recorded before this was so have random ids, which say nothing about the row.
    """
    digest = keyring.mac("cause", key_hmac, body_hmac)[:CAUSE_BYTES]
    return "r_" + base64.b32encode(digest).decode().rstrip("=").lower()


class Requests:
    """The table `requests` of one ledger."""

    __slots__ = ("_find", "_insert", "_keyring")

    def __init__(self, keyring: KeyRing, schema: str) -> None:
        self._keyring = keyring
        self._find = in_schema(_FIND, schema)
        self._insert = in_schema(_INSERT, schema)

    def find(self, cur: Cursor[TupleRow], request: Request) -> Known | None:
        """What the request recorded, if its key was spent."""
        return self.find_many(cur, [request])[0]

    def find_many(self, cur: Cursor[TupleRow], requests: Sequence[Request]) -> list[Known | None]:
        """`find` for each request, in their order, in one round trip."""
        keys = [self._key(request.scope, request.key) for request in requests]
        rows = self._read(cur, keys)
        return [
            None
            if (row := rows.get(key)) is None
            else Known(
                row[1].positions, row[1].cause, hmac.compare_digest(row[0], self._body(request))
            )
            for key, request in zip(keys, requests, strict=True)
        ]

    def locate(self, cur: Cursor[TupleRow], scope: Scope, key: str) -> Spent | None:
        """What the key recorded, for a caller who lost the answer and asks by key alone."""
        lookup = self._key(scope, key)
        row = self._read(cur, [lookup]).get(lookup)
        return None if row is None else row[1]

    def cause(self, request: Request) -> str:
        """The ledger's own id of a request, which stands in the stamps of its facts.

        The same for a request that is sent again, random for whoever lacks the key `hmac`.
        """
        return cause_of(self._keyring, self._key(request.scope, request.key), self._body(request))

    def add(
        self, cur: Cursor[TupleRow], request: Request, cause: str, positions: Sequence[int]
    ) -> None:
        """Spends the key, in the transaction that appends the facts.

        Raises `RequestKeyTaken` when it is spent already; the transaction stays usable.
        """
        self.add_many(cur, [(request, cause, positions)])

    def add_many(
        self, cur: Cursor[TupleRow], spent: Sequence[tuple[Request, str, Sequence[int]]]
    ) -> None:
        """`add` for each in one round trip; where it raises, roll all of them back."""
        if not spent:
            return
        rows = [
            {
                "key": self._key(request.scope, request.key).hex(),
                "body": self._body(request).hex(),
                "cause": cause,
                "positions": list(positions),
            }
            for request, cause, positions in spent
        ]
        cur.execute(self._insert, (Jsonb(rows),))
        if len(cur.fetchall()) != len(rows):
            raise RequestKeyTaken(
                "This request key was spent by another request at the same moment. Nothing was "
                "recorded: send the request again with the same key for what was."
            )

    def _read(
        self, cur: Cursor[TupleRow], keys: Sequence[bytes]
    ) -> dict[bytes, tuple[bytes, Spent]]:
        if not keys:
            return {}
        cur.execute(self._find, (list(keys),))
        return {
            key: (body, Spent(tuple(positions), cause))
            for key, body, cause, positions in cur.fetchall()
        }

    def _key(self, scope: Scope, key: str) -> bytes:
        return self._keyring.mac("request-key", *(part.encode() for part in (*scope, key)))

    def _body(self, request: Request) -> bytes:
        """Bound to scope and key too, so that equal bodies of two requests do not look equal."""
        parts = (part.encode() for part in (*request.scope, request.key))
        return self._keyring.mac("request-body", *parts, request.body)
