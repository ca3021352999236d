"""A witness: it cosigns a log's checkpoints one after the other, and never two that do not agree.

What it cosigned last of each log is a file of its directory: the checkpoint with the log's
signatures and its own. From reading it until the new one is on disk a lock of that log is held,
against other threads and other processes, so that every decision is made on the one before it.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Self

import structlog

from ledger.durable import give_to_owner_of, replace_durably
from ledger.errors import LedgerError
from ledger.personal.key_files import locked_directory
from ledger.proof.add_checkpoint import (
    AddCheckpointError,
    Answer,
    Cosigned,
    Request,
    cosign,
    decide,
    parse_request,
)
from ledger.proof.checkpoint import CheckpointError, parse_checkpoint
from ledger.proof.note import (
    NOTE_BYTES_MAX,
    Note,
    NoteError,
    Signature,
    Signer,
    Verifier,
    format_note,
    open_note,
    parse_note,
)

LOGS: Final = "logs"
SPLIT_VIEW: Final = ".split-view"
_PASSED_OVER: Final = frozenset(("witness", "group", "quorum"))
"""Whole words: a log's name may begin with one of them, and so does then its bare key."""
SET_BACK_SECONDS_MAX: Final = 600
"""A clock that was set back so far at most is waited for with the last time that was signed."""


_log = structlog.get_logger()


class WitnessStateError(LedgerError):
    """What was cosigned last is not readable; nothing of that log is cosigned until it is."""


class LogsUnreadable(LedgerError):
    """The file of known logs cannot be read; the message names the line."""


class KnownLogs:
    """The logs that a witness cosigns: for each origin the keys that sign for it."""

    def __init__(self, verifiers: Iterable[Verifier]) -> None:
        found: dict[str, list[Verifier]] = {}
        for verifier in verifiers:
            found.setdefault(verifier.name, []).append(verifier)
        self.keys: Mapping[str, Collection[Verifier]] = found

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """From a file: a verifier key a line, bare or as `log <vkey> [url]` in a policy.

        Other lines of a policy, empty ones and those that begin with `#` are passed over. Raises
        `LogsUnreadable` naming the line.
        """
        try:
            lines = raw.decode().split("\n")
        except UnicodeDecodeError:
            raise LogsUnreadable("The file of known logs is not UTF-8.") from None
        verifiers = [
            _verifier(words, number)
            for number, line in enumerate(lines, start=1)
            if (words := line.split()) and not _passed_over(words[0])
        ]
        if not verifiers:
            raise LogsUnreadable("The file of known logs names none: one verifier key a line.")
        return cls(verifiers)

    @property
    def origins(self) -> list[str]:
        """Their names."""
        return sorted(self.keys)


class WitnessState:
    """What one witness cosigned, in a directory that any number of its processes may share."""

    def __init__(
        self,
        directory: Path,
        logs: KnownLogs,
        signers: Sequence[Signer],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Reads the state of every log once, so that a broken one is known at the start.

        Raises:
            WitnessStateError: the file of a log was changed or cut.
            OSError, KeyFileError: the directory cannot be used.
        """
        self._directory = directory / LOGS
        self._logs = logs
        self._signers = tuple(signers)
        self._clock = clock
        with locked_directory(self._directory):
            for origin in logs.origins:
                self._last(origin)

    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to a request: status, body, content type. Once it is there, it is durable.

        Raises:
            WitnessStateError: what was cosigned last cannot be read.
            OSError: the new state cannot be written; the old one is still in force.
        """
        # 1. What is malformed, or of a log that we do not know, touches no file.
        try:
            request = parse_request(body)
        except AddCheckpointError as error:
            return Answer(400, f"{error}\n".encode())
        origin = request.checkpoint.origin
        if origin not in self._logs.keys:
            return decide(request, self._logs.keys, None)
        # 2. From here on nobody else decides about this log.
        with self._locked(origin):
            last = self._last(origin)
            answer = decide(request, self._logs.keys, last.cosigned if last else None)
            if answer.store is None:
                self._keep_evidence(request, last)
                return answer
            # 3. It goes on from all that we cosigned. The new cosignatures are in memory only; a
            #    crash here loses them, and nobody has seen them.
            lines = cosign(request.text, self._signers, self._now(last))
            replace_durably(self._path(origin), self._kept(request, lines))
        # 4. It is on disk: whoever asks next, here or in another process, is held to it. A crash
        #    here loses an answer, and the log, told the size by a 409, asks for it again.
        return answer._replace(body=lines)

    def last(self, origin: str) -> bytes | None:
        """The checkpoint of a log that was cosigned last, as a note; None before the first."""
        last = self._last(origin)
        return None if last is None else last.raw

    def _keep_evidence(self, request: Request, last: "_Last | None") -> None:
        """Two checkpoints of one size that the log signed, and that differ: kept once, with a cry.

        The log has shown different people different histories. Nobody else may ever hold both.
        """
        new = request.checkpoint
        if last is None or new.size != last.cosigned.size or new.root == last.cosigned.root:
            return
        try:
            other = self._kept(request, b"")
        except NoteError:
            return  # not signed by the log, so it proves nothing
        _log.error("a log has signed two histories", position=new.size)
        path = self._path(new.origin).with_suffix(SPLIT_VIEW)
        if not path.exists():
            replace_durably(path, last.raw + b"\n" + other)

    def _kept(self, request: Request, lines: bytes) -> bytes:
        """The checkpoint with what the log signed of it and what we do; lines of others are not."""
        verifiers = self._logs.keys[request.checkpoint.origin]
        _, signed = open_note(request.note, verifiers)
        return format_note(request.text, signed) + lines

    def _now(self, last: "_Last | None") -> int:
        """POSIX seconds, not before those signed last.

        Who signs a size at 10:02 must not sign a larger one at 10:01: each says that there was none
        larger at its time. A clock that had been far ahead made that statement false already.
        """
        now = int(self._clock())
        before = last.signed_at if last else 0
        return before if now < before <= now + SET_BACK_SECONDS_MAX else now

    def _last(self, origin: str) -> "_Last | None":
        path = self._path(origin)
        try:
            with path.open("rb") as file:
                raw = file.read(NOTE_BYTES_MAX + 1)
        except FileNotFoundError:
            return None
        try:
            note = parse_note(raw)
            said = parse_checkpoint(note.text)
        except (NoteError, CheckpointError):
            raise WitnessStateError(_changed(path, origin)) from None
        if said.origin != origin:
            raise WitnessStateError(_changed(path, origin))
        return _Last(raw, Cosigned(said.size, said.root), self._signed_at(note))

    def _signed_at(self, note: Note) -> int:
        own = {(one.name, one.key_id): one.verifier for one in self._signers}

        def at(one: Signature) -> int:
            verifier = own.get((one.name, one.key_id))
            return (verifier.signed_at(one.signature) or 0) if verifier else 0

        return max(map(at, note.signatures), default=0)

    def _path(self, origin: str) -> Path:
        return self._directory / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"

    @contextmanager
    def _locked(self, origin: str) -> Generator[None]:
        """One decision at a time; each caller opens the lock's file, so threads count as well."""
        path = self._path(origin).with_suffix(".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            give_to_owner_of(self._directory, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _passed_over(first: str) -> bool:
    return first.startswith("#") or first in _PASSED_OVER


def _verifier(words: Sequence[str], number: int) -> Verifier:
    wanted = words[1:2] if words[0] == "log" else words[:1]
    try:
        if len(words) > (3 if words[0] == "log" else 1):
            raise NoteError("It is neither a key nor `log <vkey> [url]`.")
        return Verifier.from_vkey("".join(wanted))
    except NoteError as error:
        raise LogsUnreadable(f"Line {number} of the file of known logs: {error}") from None


class _Last(NamedTuple):
    raw: bytes
    cosigned: Cosigned
    signed_at: int
    """POSIX seconds of our own signatures on it."""


def _changed(path: Path, origin: str) -> str:
    return (
        f"{path}, which says what was cosigned last of {origin}, was changed or cut. Without it "
        "this witness could cosign another history of that log. Find out what changed it; do not "
        "put an older one in its place: rather retire this witness, and begin another."
    )
