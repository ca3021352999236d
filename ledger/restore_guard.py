"""What was signed is never taken back: a log that was set back neither signs nor appends.

An old backup restored, a disk gone back in time, a table emptied: the log is then shorter than a
checkpoint that others hold, or is not consistent with it. Going on would fork it. So before the
first append over a connection, and before each signature, the store is held against the newest
checkpoint outside the database and the newest one in it.
"""

from typing import Final

from psycopg import Cursor
from psycopg.rows import TupleRow

from ledger.checkpoints import Checkpoints, OutsideCopy, checkpoint_in
from ledger.counted import counted
from ledger.errors import LedgerError, LogDamaged
from ledger.growth import Tip, grow, require_whole
from ledger.log import Log
from ledger.log_keys import LogKeys
from ledger.nodes import Head, Nodes
from ledger.personal.subject_keys import in_schema
from ledger.proof.checkpoint import Checkpoint, CheckpointError, parse_checkpoint
from ledger.proof.note import NoteError, open_note
from ledger.proof.proofs import root_nodes
from ledger.proof.tree import leaf_hash

TAIL_FACTS: Final = 1024
"""At least so many of the last facts are hashed again at a start (fewer where there are fewer)."""

_OUTSIDE: Final = "The last checkpoint outside the database (`checkpoint` in the data directory)"
_INSIDE: Final = "The last checkpoint in the database"
_CHANGED: Final = {
    _OUTSIDE: (
        "run `hireledger fsck`; where the database is in order, move the file to a safe place, and "
        "take no older one from a backup. The log is then held against the last checkpoint in the "
        "database (deploy/README.md, Restoring)."
    ),
    _INSIDE: (
        "restore the newest backup of the database, and leave `checkpoint` in the data directory "
        "as it is (deploy/README.md, Restoring)."
    ),
}
_TAIL: Final = """
select facts.position, leaf, leaf_hash, hashes
from {}.facts left join {}.tree_nodes using (position)
where facts.position > %s order by facts.position
"""


class RecordBehind(LedgerError):
    """The store holds less than was signed, or something else; nothing may be appended to it."""


class RestoreGuard:
    """Holds a store against what was signed of it. One object serves any number of threads."""

    def __init__(
        self, schema: str, log: Log, nodes: Nodes, keys: LogKeys, copy: OutsideCopy
    ) -> None:
        self._log = log
        self._nodes = nodes
        self._keys = keys
        self._copy = copy
        self._checkpoints = Checkpoints(schema, keys.origin)
        self._tail = in_schema(_TAIL, schema)
        self.refused: str | None = None
        """Why the last check failed; None when it did not."""

    def check(self, cur: Cursor[TupleRow]) -> Head:
        """The newest tree, once it was found to go on from everything that was signed.

        Raises:
            RecordBehind: it does not; the message says what was found and what to do.
        """
        try:
            # What was signed comes first: it is over facts that were committed by then, so what is
            # read of the store afterwards has them.
            signed = [self._outside(), self._inside(cur)]
            tip = self._log.tip(cur)
            require_whole(tip)
            head = self._nodes.head(cur)
            if self._nodes.root_at(cur, head.size) != head.root:
                raise self._changed(head.size)
            for where, checkpoint in filter(None, signed):
                self._require_consistent(cur, tip, where, checkpoint)
        except LogDamaged as error:
            self.refused = _refusal(str(error))
            raise RecordBehind(self.refused) from error
        except RecordBehind as error:
            self.refused = str(error)
            raise
        self.refused = None
        return head

    def check_tail(self, cur: Cursor[TupleRow]) -> None:
        """Hash the last facts again, up to the head of the tree.

        Older facts are left to `hireledger fsck`, which reads all of them. Raises `RecordBehind`
        when the tree is not over these facts.
        """
        head = self._nodes.head(cur)
        begin = max(0, head.size // TAIL_FACTS - 1) * TAIL_FACTS
        peaks = self._nodes.hashes(cur, root_nodes(begin))
        tip = Tip(begin, None, begin, b"".join(peaks[one] for one in root_nodes(begin)))
        rows = cur.execute(self._tail, (begin,), binary=True).fetchall()
        for position, leaf, kept, _ in rows:
            if leaf_hash(leaf) != kept:
                raise self._changed(position)
        growth = grow(tip, [kept for _, _, kept, _ in rows])
        nodes = dict(zip(growth.positions, growth.hashes, strict=True))
        for position, _, _, kept in rows:
            if nodes.get(position) != kept:
                raise self._changed(position)
        if (growth.size, growth.root, growth.edge) != tuple(head):
            raise self._changed(head.size)

    def _changed(self, position: int) -> RecordBehind:
        self.refused = _refusal(
            f"At position {position} the facts and the tree over them are not of one log: the "
            "database was changed."
        )
        return RecordBehind(self.refused)

    def _outside(self) -> tuple[str, Checkpoint] | None:
        try:
            raw = self._copy.read()
        except OSError as error:
            raise RecordBehind(
                f"{_OUTSIDE} cannot be read ({error.strerror}). Make it readable for the ledger's "
                "account again."
            ) from None
        if raw is None:
            return None
        return _OUTSIDE, self._ours(raw, _OUTSIDE)

    def _inside(self, cur: Cursor[TupleRow]) -> tuple[str, Checkpoint] | None:
        raw = self._checkpoints.newest_of_any_log(cur)
        if raw is None:
            return None
        try:
            said = checkpoint_in(raw)
        except (NoteError, CheckpointError):
            raise RecordBehind(_refusal(f"{_INSIDE} is not one: it was changed.")) from None
        # A log that was begun anew after a loss goes on from the facts that are left: what its
        # predecessor signed over them still holds, though we have its keys no more.
        if said.origin == self._keys.origin:
            said = self._ours(raw, _INSIDE)
        return _INSIDE, said

    def _ours(self, raw: bytes, where: str) -> Checkpoint:
        """What a note says that one of our keys must have signed."""
        try:
            note, _ = open_note(raw, self._keys.verifiers)
            said = parse_checkpoint(note.text)
        except (NoteError, CheckpointError) as error:
            raise RecordBehind(
                f"{where} does not verify with this log's keys. {error} Either the keys are "
                "another log's (start with those that it was signed with: `keys/log` in the data "
                f"directory, or HIRELEDGER_KEY_LOG), or it was changed: {_CHANGED[where]}"
            ) from None
        if said.origin != self._keys.origin:
            raise RecordBehind(f"{where} is another log's: start with the keys of that log.")
        return said

    def _require_consistent(
        self, cur: Cursor[TupleRow], tip: Tip, where: str, said: Checkpoint
    ) -> None:
        if said.size > tip.head:
            raise RecordBehind(
                _refusal(
                    f"{where} is signed over {counted(said.size, 'fact')}, but the log has only "
                    f"{tip.head}: the database was set back, as by restoring an old backup."
                )
            )
        if self._nodes.root_at(cur, said.size) != said.root:
            raise RecordBehind(
                _refusal(
                    f"{where} is signed over {said.size} facts that are not those in the log: the "
                    "database was set back and written on, or changed."
                )
            )


def _refusal(found: str) -> str:
    return (
        f"{found} Nothing is signed and nothing is recorded until this is put right. Stop, restore "
        "the newest backup of the database, and start again; `hireledger fsck` tells what it has. "
        "If the facts are lost for good: keep the checkpoint and the log's keys in another place, "
        "because they prove that there was more, tell whoever verifies this log, and begin a new "
        "one with `hireledger log-key begin` (deploy/README.md, Restoring)."
    )
