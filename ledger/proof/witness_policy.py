"""Whom to trust: which logs, which witnesses, and how many of them (c2sp.org/tlog-policy).

    log <vkey> [url]
    witness <name> <vkey> [url]
    group <name> all|any|<k> <member>...
    quorum <name>|none

A line names only what stands above it, so that no group contains itself. Each name is a member
once, so that each witness counts once. What a name or a URL is made of does not matter: its bytes
are kept and compared as text that stands for them, not for letters (`surrogateescape`).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NoReturn

import msgspec

from ledger.errors import LedgerError
from ledger.proof.key_kinds import Kind
from ledger.proof.note import NoteError, Signature, Verifier
from ledger.proof.wire import WireError, read_decimal

POLICY_BYTES_MAX: Final = 1_000_000
NONE: Final = "none"
_ALLOWED: Final = frozenset((0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)))


class PolicyError(LedgerError):
    """A policy cannot be read; the message names the line."""


class PolicyLog(msgspec.Struct, frozen=True):
    """A log that is trusted; the name of its key is its origin."""

    verifier: Verifier
    url: str | None = None


class PolicyWitness(msgspec.Struct, frozen=True):
    """A witness, by the name that it has in this policy alone."""

    name: str
    verifier: Verifier
    url: str | None = None

    @property
    def label(self) -> str:
        """The name for people to read."""
        return self.name.encode(errors="surrogateescape").decode(errors="replace")


class PolicyGroup(msgspec.Struct, frozen=True):
    """So many of these members (witnesses, or groups above) make this group."""

    name: str
    needed: int
    members: tuple[str, ...]


class WitnessPolicy(msgspec.Struct, frozen=True):
    """A policy as read; `quorum` is the name of a witness or a group, or None for `none`."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str | None

    def satisfied(self, cosigned: Collection[str]) -> bool:
        """Whether these witnesses, by their names, are a quorum."""
        if self.quorum is None:
            return True
        met = {one.name for one in self.witnesses} & set(cosigned)
        for group in self.groups:  # a group's members stand above it, so they are decided by now
            if sum(member in met for member in group.members) >= group.needed:
                met.add(group.name)
        return self.quorum in met

    def cosigners(self, verified: Iterable[Signature]) -> frozenset[str]:
        """The names of the witnesses who made these signatures, which `open_note` has verified."""
        keys = {(one.verifier.name, one.verifier.key_id): one.name for one in self.witnesses}
        found = (keys.get((one.name, one.key_id)) for one in verified)
        return frozenset(name for name in found if name is not None)


def parse_policy(raw: bytes) -> WitnessPolicy:
    """The policy in a file's bytes; `PolicyError` naming the line that is wrong."""
    if len(raw) > POLICY_BYTES_MAX:
        raise PolicyError(f"A policy has more than {POLICY_BYTES_MAX} bytes.")
    *lines, rest = raw.split(b"\n")
    reader = _Reader()
    for number, line in enumerate(lines, start=1):
        reader.number = number
        reader.read(line)
    if rest:
        raise PolicyError("The last line of a policy does not end in a line feed.")
    return reader.finished()


class _Reader:
    """A policy so far, line by line."""

    def __init__(self) -> None:
        self.number = 0
        self._logs: list[PolicyLog] = []
        self._witnesses: list[PolicyWitness] = []
        self._groups: list[PolicyGroup] = []
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._quorums: list[str] = []

    def read(self, line: bytes) -> None:
        """Take in one line, given without its line feed."""
        if not _ALLOWED.issuperset(line):
            self._refuse("has a control character; only tabs and line feeds may stand in a policy")
        keyword, *words = _words(line) or ["#"]
        if keyword.startswith("#"):
            return
        readers: dict[str, Callable[[Sequence[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if keyword not in readers:
            self._refuse("begins with none of log, witness, group and quorum")
        readers[keyword](words)

    def finished(self) -> WitnessPolicy:
        """The whole policy; there must have been one quorum."""
        if not self._quorums:
            raise PolicyError("A policy says its quorum in one line, `quorum none` if it has none.")
        quorum = None if self._quorums[0] == NONE else self._quorums[0]
        return WitnessPolicy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), quorum)

    def _log(self, words: Sequence[str]) -> None:
        if len(words) not in (1, 2):
            self._refuse("is not `log <vkey> [url]`")
        verifier = self._verifier(words[0], (one.verifier for one in self._logs))
        if verifier.kind is Kind.ED25519_COSIGNATURE:
            self._refuse("has a key of type 4, which only a witness has: a log has 1 or 6")
        self._logs.append(PolicyLog(verifier, words[1] if words[1:] else None))

    def _witness(self, words: Sequence[str]) -> None:
        if len(words) not in (2, 3):
            self._refuse("is not `witness <name> <vkey> [url]`")
        verifier = self._verifier(words[1], (one.verifier for one in self._witnesses))
        if not verifier.kind.dated:
            self._refuse("has a key of type 1, which signs no cosignatures: a witness has 4 or 6")
        self._define(words[0])
        self._witnesses.append(PolicyWitness(words[0], verifier, words[2] if words[2:] else None))

    def _group(self, words: Sequence[str]) -> None:
        if len(words) < 3:
            self._refuse("is not `group <name> all|any|<k> <member>...`")
        name, needed, *members = words
        for member in members:
            if member not in self._names:
                self._refuse("has a member that no line above it defines")
            if member in self._members:
                self._refuse("has a member that is one already, here or in a group above")
            self._members.add(member)
        self._define(name)
        self._groups.append(PolicyGroup(name, self._needed(needed, len(members)), tuple(members)))

    def _quorum(self, words: Sequence[str]) -> None:
        if len(words) != 1:
            self._refuse("is not `quorum <name>`")
        if self._quorums:
            self._refuse("is a second quorum")
        if words[0] != NONE and words[0] not in self._names:
            self._refuse("names a quorum that no line above it defines")
        self._quorums.append(words[0])

    def _define(self, name: str) -> None:
        if name == NONE:
            self._refuse("defines `none`, which means that there is no quorum")
        if name in self._names:
            self._refuse("defines a name that a line above it defines")
        self._names.add(name)

    def _needed(self, word: str, members: int) -> int:
        if word in ("all", "any"):
            return members if word == "all" else 1
        try:
            needed = read_decimal(word)
        except WireError as error:
            self._refuse(f"has a threshold that {error}, and is not `all` or `any`")
        if not 1 <= needed <= members:
            self._refuse(f"has a threshold that is not from 1 to its {members} members")
        return needed

    def _verifier(self, word: str, others: Iterable[Verifier]) -> Verifier:
        try:
            verifier = Verifier.from_vkey(word)
        except NoteError as error:
            self._refuse(f"has no usable verifier key ({error})")
        if any(verifier.public == other.public for other in others):
            self._refuse("has the public key of a line above it")
        return verifier

    def _refuse(self, why: str) -> NoReturn:
        raise PolicyError(f"Line {self.number} of the policy {why}.")


def _words(line: bytes) -> list[str]:
    """What stands between blanks, which are spaces and tabs alone."""
    text = line.decode(errors="surrogateescape")
    return [word for word in text.replace("\t", " ").split(" ") if word]
