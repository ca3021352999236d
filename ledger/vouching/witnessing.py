"""Witnesses, seen from the log: each is shown every new checkpoint, and what it signs is checked.

A witness promises to cosign no two histories of one log. Whoever verifies a dossier with a policy
of witnesses need not believe the log, only that not all of them are in on it. They are strangers:
any may be down, slow, mistaken or lying, and none of that reaches whoever asked here.
"""

import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple, Self

import structlog

from ledger.errors import LedgerError
from ledger.proof.add_checkpoint import (
    SIZE_TYPE,
    TEXT_TYPE,
    AddCheckpointError,
    format_request,
    parse_conflict,
)
from ledger.proof.checkpoint import parse_checkpoint
from ledger.proof.note import Verifier, format_signature, parse_note, parse_signatures
from ledger.proof.witness_policy import WitnessPolicy
from ledger.vouching.sending import Answer, Send

PATIENCE_SECONDS: Final = 5.0
"""How long a checkpoint waits for its witnesses altogether."""

GRACE_SECONDS: Final = 0.25
"""How long it waits for the others once enough have signed."""

ASKS_MAX: Final = 3
"""Of one witness, for one checkpoint: it may first have to say which size it knows."""

AHEAD_SECONDS_MAX: Final = 300
"""How far a witness's clock may run before ours."""

ProofFrom = Callable[[int], tuple[bytes, ...]]
Enough = Callable[[Collection[str]], bool]

_log = structlog.get_logger()


class Missed(LedgerError):
    """A witness gave no cosignature that can be used; `code` is why, in a word."""

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(f"The witness gave no usable cosignature: {code}.")
        self.code, self.status = code, status


class Known(NamedTuple):
    """One witness as it was last seen."""

    name: str
    size: int
    """The size that it last cosigned or said that it had; 0 when it was not heard yet."""
    missed: str | None
    """Why it did not sign the last checkpoint that it was shown; None when it did."""


class Witness:
    """Who a witness is, where it is asked, and what is known of it."""

    def __init__(self, name: str, verifier: Verifier, url: str) -> None:
        """`name` is the policy's; `url` is its submission prefix."""
        self.name = name
        self.verifier = verifier
        self.url = f"{url.rstrip('/')}/add-checkpoint"
        self.size = 0
        self.missed: str | None = "unasked"
        self.signed: tuple[str, bytes] | None = None
        """The text of the checkpoint that it signed last for us, and its line."""
        self.turn = threading.Lock()


class Witnesses:
    """All witnesses of a log that have an address."""

    def __init__(
        self,
        witnesses: Iterable[Witness],
        send: Send,
        *,
        enough: Enough = lambda _: False,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`enough` tells from the names of those who signed whether the others may be left out."""
        self._witnesses = tuple(witnesses)
        self._send = send
        self._enough = enough
        self._patience_seconds = patience_seconds
        self._clock = clock

    @classmethod
    def of(cls, policy: WitnessPolicy, send: Send) -> Self:
        """Those of a policy's witnesses that have an address; its quorum is enough of them."""
        asked = [Witness(one.name, one.verifier, one.url) for one in policy.witnesses if one.url]
        return cls(asked, send, enough=policy.satisfied)

    @property
    def known(self) -> tuple[Known, ...]:
        """What is known of each, in the order of the policy."""
        return tuple(Known(one.name, one.size, one.missed) for one in self._witnesses)

    def collect(self, note: bytes, proof_from: ProofFrom) -> list[bytes]:
        """Cosignature lines of a checkpoint, each checked; as many as came in time, maybe none.

        Args:
            note: the checkpoint as the log signed it.
            proof_from: the consistency proof (hashes of 32 bytes) from a smaller size to this one.
                Called by one thread at a time, and not after this has returned.

        All are asked at once, but those who signed this very checkpoint when it was shown before:
        their lines are here already. One that is still busy with an earlier one is left out.
        """
        shown = _Shown(note, proof_from)
        replies: queue.SimpleQueue[tuple[Witness, bytes | None]] = queue.SimpleQueue()
        until = time.monotonic() + self._patience_seconds
        waiting = 0
        for one in self._witnesses:
            if one.turn.acquire(blocking=False):
                asking = (one, shown, until, replies)
                threading.Thread(target=self._show, args=asking, daemon=True).start()
                waiting += 1
            else:
                one.missed = "busy"
                _log.warning("witness missed", witness=one.name, code="busy")
        lines: dict[str, bytes] = {}
        try:
            while waiting and (left := until - time.monotonic()) > 0:
                one, line = replies.get(timeout=left)
                waiting -= 1
                if line is not None:
                    lines[one.name] = line
                    if self._enough(lines.keys()):
                        until = min(until, time.monotonic() + GRACE_SECONDS)
        except queue.Empty:
            pass
        finally:
            shown.close()
        return list(lines.values())

    def _show(
        self,
        one: Witness,
        shown: "_Shown",
        until: float,
        replies: "queue.SimpleQueue[tuple[Witness, bytes | None]]",
    ) -> None:
        """Ask one witness, in a thread of its own."""
        line: bytes | None = None
        try:
            if one.signed is None or one.signed[0] != shown.text:
                one.signed = (shown.text, self._cosignature(one, shown, until))
            line = one.signed[1]
            one.size, one.missed = shown.size, None
        except Exception as error:  # noqa: BLE001 (a stranger's doing must not reach the caller)
            # Whatever it was, this witness's line is missing, and nothing else is.
            code = error.code if isinstance(error, Missed) else type(error).__name__
            one.missed = code
            status = error.status if isinstance(error, Missed) else None
            _log.warning("witness missed", witness=one.name, code=code, status=status)
        finally:
            one.turn.release()
            replies.put((one, line))

    def _cosignature(self, one: Witness, shown: "_Shown", until: float) -> bytes:
        old = min(one.size, shown.size)
        for _ in range(ASKS_MAX):
            body = format_request(old, shown.proof(old), shown.note)
            left = until - time.monotonic()
            if left <= 0:
                raise Missed("late")
            answer = self._send(one.url, TEXT_TYPE, body, left)
            if answer.status == 200:
                return self._checked(one, shown, answer.body)
            if answer.status != 409:
                raise Missed("refused", answer.status)
            said = _size(answer)
            if said > shown.size:
                raise Missed("has_a_larger_tree", 409)
            if said == old:
                # It has the size that we began from, and still objects: for it this size has
                # another root, so it has seen another history than ours.
                raise Missed("has_another_tree", 409)
            if said < one.size:
                _log.warning("witness forgot", witness=one.name, position=one.size)
            old = one.size = said
        raise Missed("changes_its_size", 409)

    def _checked(self, one: Witness, shown: "_Shown", body: bytes) -> bytes:
        """The witness's own line among those it answered, if it is one of this very checkpoint."""
        try:
            signatures = parse_signatures(body.decode())
        except (UnicodeDecodeError, LedgerError):
            raise Missed("malformed_answer", 200) from None
        verifier = one.verifier
        for signature in signatures:
            # Lines of other keys are none of ours to judge, and are left out.
            if (signature.name, signature.key_id) == (verifier.name, verifier.key_id):
                if not verifier.verifies(shown.text, signature.signature):
                    raise Missed("wrong_signature", 200)
                signed_at = verifier.signed_at(signature.signature)
                if signed_at is None:
                    raise Missed("states_no_time", 200)
                if signed_at > self._clock() + AHEAD_SECONDS_MAX:
                    raise Missed("time_in_the_future", 200)
                return format_signature(signature).encode()
        raise Missed("other_key", 200)


class _Shown:
    """One checkpoint that is being shown, with its proofs, which are asked for one at a time."""

    def __init__(self, note: bytes, proof_from: ProofFrom) -> None:
        self.note = note
        self.text = parse_note(note).text
        self.size = parse_checkpoint(self.text).size
        self._proof_from: ProofFrom | None = proof_from
        self._proofs: dict[int, tuple[bytes, ...]] = {0: (), self.size: ()}
        self._turn = threading.Lock()

    def proof(self, old: int) -> tuple[bytes, ...]:
        """From a size to this one; from 0 and from itself it is empty."""
        with self._turn:
            if old not in self._proofs:
                if self._proof_from is None:
                    raise Missed("late")
                self._proofs[old] = self._proof_from(old)
            return self._proofs[old]

    def close(self) -> None:
        """Whoever is late gets no more proofs: the transaction behind them may be over."""
        with self._turn:
            self._proof_from = None


def _size(answer: Answer) -> int:
    """The size in an answer 409: a decimal number on a line of its own, of the type for it."""
    if answer.content_type.partition(";")[0].strip().lower() != SIZE_TYPE:
        raise Missed("refused", 409)
    try:
        return parse_conflict(answer.body)
    except AddCheckpointError:
        raise Missed("malformed_size", 409) from None
