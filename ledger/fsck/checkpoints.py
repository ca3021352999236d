"""What was signed: every checkpoint in the store, its cosignatures and timestamps, and the copy
outside, against the keys and the tree over as many facts.

A signature that no key at hand can check counts as wrong: a flipped bit in a key's id looks just
like a key that was retired. Whoever has the retired key's public half gives it.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from cryptography.x509 import Certificate

from ledger.counted import counted
from ledger.fsck.pages import CosignatureRow, Page, StampRow
from ledger.fsck.report import Findings
from ledger.proof.checkpoint import Checkpoint, CheckpointError, parse_checkpoint
from ledger.proof.note import NoteError, Verifier, open_note, parse_note, parse_signatures
from ledger.proof.timestamp import TimestampError, check_token, read_token
from ledger.proof.tree import EMPTY_ROOT
from ledger.proof.witness_policy import WitnessPolicy

_SIGNED: Final = (
    "Keep it: what was signed is evidence. Where a retired key signed it, or that of the log "
    "before `log-key begin`, give its verifier key (--vkey); a witness that left the policy stays "
    "in the file of --witness-policy. Otherwise it was changed: restore the row from a backup."
)
_FORKED: Final = (
    "What was signed was promised: the facts up to this size were changed or removed, or the row "
    "was. Compare them with a backup, beginning after the last checkpoint that is right."
)
_SET_BACK: Final = (
    "Keep `checkpoint` in the data directory as it is: it proves that there was more. Restore the "
    "newest backup of the database (deploy/README.md, Restoring)."
)
_SPOILT: Final = (
    "Keep `checkpoint` of the data directory. Where a retired key signed it, or that of the log "
    "before `log-key begin`, give its verifier key (--vkey). Otherwise it was changed: move it to "
    "a safe place, and take no older one from a backup; without it the log is held against the "
    "last checkpoint in the database (deploy/README.md, Restoring)."
)


class Trust(NamedTuple):
    """Whose signatures count, and what is kept outside the database."""

    verifiers: Sequence[Verifier] = ()
    """The log's, and those of its retired keys that somebody kept."""
    policy: WitnessPolicy | None = None
    roots: Sequence[Certificate] = ()
    """Of the timestamp authority."""
    outside: Callable[[], bytes | None] | None = None
    """Reads the copy outside the database; None where it is not at hand."""


class Roots(NamedTuple):
    """Over so many facts: the root of the leaves, and the one that the stored tree leads to."""

    true: bytes
    believed: bytes


class CheckpointCheck:
    """Looks at what was signed, a page of sizes after the other."""

    def __init__(self, trust: Trust, findings: Findings) -> None:
        self._trust = trust
        self._findings = findings
        self._witnesses = trust.policy.witnesses if trust.policy else ()
        self._unknown = 0
        self._bare = 0
        self._newest = -1
        self._good = 0
        # Read before the snapshot begins, so that what it says was committed before.
        self._outside = trust.outside() if trust.outside else None
        self._outside_size = self._size_outside()

    def sizes(self, page: Page) -> set[int]:
        """The sizes on this page at which the root is needed."""
        wanted = page.checkpoints.keys() | page.stamps.keys()
        if self._outside_size is not None and page.first <= self._outside_size <= page.last:
            wanted = wanted | {self._outside_size}
        return wanted

    def see(self, page: Page, roots: dict[int, Roots]) -> None:
        """Everything that was signed over the sizes of this page."""
        for size in sorted(self.sizes(page) | page.cosignatures.keys()):
            texts: set[tuple[str, str]] = set()
            for origin, note in page.checkpoints.get(size, ()):
                self._findings.rows["checkpoints"] += 1
                self._newest = max(self._newest, size)
                if (said := self._opened(size, origin, note)) is not None:
                    texts.add((said.origin, parse_note(note).text))
                    self._compare(size, said, roots, "checkpoints")
            for row in page.cosignatures.get(size, ()):
                self._cosignature(row, texts)
            for stamp in page.stamps.get(size, ()):
                self._timestamp(stamp, roots)
            if size == self._outside_size:
                self._compare_outside(roots)

    def end(self, head: int) -> None:
        """No more of it."""
        outside = self._outside_size
        if outside is not None and outside > head and self._opened_outside() is not None:
            self._wrong(
                f"The copy outside is signed over {counted(outside, 'fact')}: the "
                "database was set back.",
                _SET_BACK,
                position=head + 1,
                row="the copy outside",
            )
        self._tell_unrecorded(head)
        after = self._trust.outside() if self._trust.outside and self._newest >= 0 else None
        if self._trust.outside and self._newest >= 0 and self._older(after):
            # Of several servers each keeps what it signed itself, so this need not be wrong.
            self._findings.notes.append(
                "The copy outside is older than the checkpoint over "
                f"{counted(self._newest, 'fact')}, or is missing: it says nothing of the facts up "
                "to there."
            )
        for number, one, which in (
            (self._unknown, "cosignature", "of a witness for whom no key was given"),
            (self._bare, "timestamp", "whose authority's certificates were not given"),
        ):
            if number:
                self._findings.notes.append(f"{counted(number, one)} {which}: unchecked.")

    def _tell_unrecorded(self, head: int) -> None:
        """What was signed, or should have been, and is in no row: removed, or not yet written.

        A crash between the copy and the row looks the same, so it is no problem by itself.
        """
        outside = self._outside_size
        if outside is not None and self._newest < outside <= head:
            self._findings.notes.append(
                f"The copy outside is signed over {counted(outside, 'fact')}, and no checkpoint "
                "over as many is in the database. The next one that is signed mends what a crash "
                "left; where none was interrupted, rows of `checkpoints` were removed: compare "
                "them with a backup."
            )
        elif self._newest < 0 < head:
            self._findings.notes.append(
                f"No checkpoint is in the database, over {counted(head, 'fact')}. The start signs "
                "one; where one was published before, the rows of `checkpoints` were removed: "
                "compare them with a backup."
            )

    # ---------------------------------------------------------------- checkpoints

    def _opened(self, size: int, origin: str, note: bytes) -> Checkpoint | None:
        """What a row's note says, if the log signed it and it is the row's."""
        try:
            said = self._signed(note)
        except (NoteError, CheckpointError) as error:
            self._wrong(f"A checkpoint does not verify. {error}", _SIGNED, position=size)
            return None
        if (said.size, said.origin) != (size, origin):
            self._wrong(
                "A checkpoint stands under another size or origin than it says.",
                _SIGNED,
                position=size,
            )
            return None
        return said

    def _signed(self, raw: bytes, *, cosigned: bool = False) -> Checkpoint:
        """What a note says that only the log signed, and every signature of which is valid."""
        note, verified = open_note(raw, self._trust.verifiers)
        said = parse_checkpoint(note.text)
        if any(one.name != said.origin for one in verified):
            raise NoteError("It is signed by another log than it is about.")
        if not cosigned and len(verified) < len(note.signatures):
            raise NoteError("It has a signature of a key that is not at hand.")
        return said

    def _compare(self, size: int, said: Checkpoint, roots: dict[int, Roots], table: str) -> None:
        known = roots.get(size) if size else Roots(EMPTY_ROOT, EMPTY_ROOT)
        if known is not None and said.root == known.true:
            self._good = size
        elif known is None:
            self._wrong(
                f"It is signed over {counted(size, 'fact')}, not all of which are in the log.",
                _FORKED,
                position=size,
                row=f"`{table}` {size}",
            )
        elif said.root != known.believed:  # else what was found in the tree before explains it
            self._wrong(
                f"The facts up to {size} are not those that were signed.",
                _FORKED,
                position=min(self._good + 1, size),
                upto=size,
                row=f"`{table}` {size}",
            )

    def _size_outside(self) -> int | None:
        if self._outside is None:
            return None
        try:
            return parse_checkpoint(parse_note(self._outside).text).size
        except (NoteError, CheckpointError) as error:
            self._wrong(f"It is no checkpoint. {error}", _SPOILT, row="the copy outside")
            return None

    def _opened_outside(self) -> Checkpoint | None:
        """What the copy says, if the log signed it."""
        try:
            return self._signed(self._outside or b"", cosigned=True)
        except (NoteError, CheckpointError) as error:
            self._wrong(f"It does not verify. {error}", _SPOILT, row="the copy outside")
            return None

    def _compare_outside(self, roots: dict[int, Roots]) -> None:
        said = self._opened_outside()
        if said is not None and (said.size in roots or said.size == 0):
            self._compare(said.size, said, roots, "the copy outside")

    def _older(self, outside: bytes | None) -> bool:
        try:
            said = parse_checkpoint(parse_note(outside or b"").text)
        except (NoteError, CheckpointError):
            return True
        return said.size < self._newest

    # ---------------------------------------------------------------- what others signed of them

    def _cosignature(self, row: CosignatureRow, texts: set[tuple[str, str]]) -> None:
        self._findings.rows["cosignatures"] += 1
        what = f"`cosignatures` {row.size}"
        about = [text for origin, text in texts if origin == row.origin]
        try:
            (signature,) = parse_signatures(row.line.decode())
        except (NoteError, ValueError):
            self._wrong("A cosignature is no line of one.", _SIGNED, position=row.size, row=what)
            return
        if not about:
            said = "A cosignature is of a checkpoint that is not there, or is not the log's."
            self._wrong(said, _SIGNED, position=row.size, row=what)
            return
        key = (signature.name, signature.key_id)
        by = [w.verifier for w in self._witnesses if (w.verifier.name, w.verifier.key_id) == key]
        if not by and self._trust.policy is None:
            self._unknown += 1
        elif not any(one.verifies(text, signature.signature) for one in by for text in about):
            said = "A cosignature is not valid, or is of no witness of the policy."
            self._wrong(said, _SIGNED, position=row.size, row=what)

    def _timestamp(self, row: StampRow, roots: dict[int, Roots]) -> None:
        self._findings.rows["timestamps"] += 1
        what = f"`timestamps` {row.size}"
        try:
            said = self._signed(row.note, cosigned=True)
            token = read_token(row.token)
            if self._trust.roots:
                check_token(row.token, row.note, self._trust.roots)
            else:
                self._bare += 1
        except (NoteError, CheckpointError, TimestampError) as error:
            self._wrong(
                f"A timestamp does not verify. {error}", _SIGNED, position=row.size, row=what
            )
            return
        if said.size != row.size or token.time != row.stamped or not token.is_about(row.note):
            said_so = "A timestamp is not of this checkpoint, or of another time."
            self._wrong(said_so, _SIGNED, position=row.size, row=what)
            return
        self._compare(row.size, said, roots, "timestamps")

    def _wrong(
        self,
        said: str,
        cure: str,
        *,
        position: int | None = None,
        upto: int | None = None,
        row: str | None = None,
    ) -> None:
        if position is not None and row is None:
            row = f"`checkpoints` {position}"
        self._findings.add("checkpoints", said, cure, position=position, upto=upto, row=row)
