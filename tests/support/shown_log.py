"""A small log that shows its checkpoints to witnesses, and can tell two histories of itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ledger.proof.add_checkpoint import format_request
from ledger.proof.checkpoint import Checkpoint, format_checkpoint
from ledger.proof.note import Signer, format_note
from merkle import leaf_hash
from naive_proofs import Leaves, proof_of, root_of


@dataclass(frozen=True)
class ShownLog:
    """Leaves 0, 1, 2 and so on; another `story` tells others from leaf `fork` on."""

    signer: Signer = field(default_factory=lambda: Signer.generate("log.example/hiring"))
    story: str = ""
    fork: int = 0

    @property
    def origin(self) -> str:
        """Its name."""
        return self.signer.name

    def forked(self, fork: int, story: str = "another") -> "ShownLog":
        """The same log, by its key, with another history from some leaf on."""
        return replace(self, story=story, fork=fork)

    def root(self, size: int) -> bytes:
        """Over that many leaves, 32 bytes."""
        return root_of(self._leaves(size))

    def text(self, size: int, *extensions: str) -> str:
        """What is signed."""
        return format_checkpoint(Checkpoint(self.origin, size, self.root(size), extensions))

    def note(self, size: int, signers: Sequence[Signer] = ()) -> bytes:
        """A checkpoint, signed by the log or by others."""
        text = self.text(size)
        return format_note(text, [one.signature(text) for one in signers or (self.signer,)])

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """That one size continues another."""
        return tuple(proof_of(old, self._leaves(new))) if 0 < old < new else ()

    def request(self, old: int, new: int) -> bytes:
        """The body of a call `add-checkpoint`."""
        return format_request(old, self.proof(old, new), self.note(new))

    def _leaves(self, size: int) -> Leaves:
        return tuple(
            leaf_hash(f"{i}{self.story if i >= self.fork else ''}".encode()) for i in range(size)
        )
