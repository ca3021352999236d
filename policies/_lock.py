"""The lock: a hash of the source of every rule that has judged, and of the helpers it rests on.

A verdict can be replayed only as long as the code behind it is what it was. So a locked file is
never edited: the rule gets a new version in its file, and the old text moves, byte for byte, to
`history/<file>_v<version>.py`, where it stays runnable.
"""

import hashlib
from pathlib import Path

import msgspec
from msgspec import Struct

LOCK_FILE = "policies.lock"
# Helpers with no part in what a rule finds: they describe, judge by what was found, tell stories.
# Every other file whose name begins with `_` is locked.
NOT_LOCKED = frozenset(
    ("__init__", "__main__", "_catalogue", "_examples", "_judge", "_lock", "_policy", "_sample")
)


class LockedRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of a rule: the SHA-256 (hex) of its source file."""

    id: str
    version: int
    sha256: str


class LockedHelper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A helper that verdicts rest on: the SHA-256 (hex) of its source file."""

    name: str
    sha256: str


class Lock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the lock file holds."""

    helpers: tuple[LockedHelper, ...] = ()
    rules: tuple[LockedRule, ...] = ()


def digest(file: Path) -> str:
    """SHA-256 (hex) of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def lock_of(folder: Path, rules: dict[tuple[str, int], Path]) -> Lock:
    """The lock that describes the files as they are now."""
    helpers = [p for p in sorted(folder.glob("_*.py")) if p.stem not in NOT_LOCKED]
    return Lock(
        helpers=tuple(LockedHelper(name=p.stem, sha256=digest(p)) for p in helpers),
        rules=tuple(
            LockedRule(id=id_, version=version, sha256=digest(file))
            for (id_, version), file in sorted(rules.items())
        ),
    )


def read_lock(folder: Path) -> Lock | None:
    """The lock beside the rules, or None; `msgspec.DecodeError` where it is malformed."""
    file = folder / LOCK_FILE
    return msgspec.json.decode(file.read_bytes(), type=Lock) if file.exists() else None


def write_lock(folder: Path, lock: Lock) -> None:
    """Writes the lock, one entry a line group, in a fixed order."""
    text = msgspec.json.format(msgspec.json.encode(lock), indent=1)
    (folder / LOCK_FILE).write_bytes(text + b"\n")


def edited(locked: Lock, now: Lock, files: dict[tuple[str, int], Path]) -> list[str]:
    """What was locked and is not what it was: each with its file and what to do."""
    rules = {(rule.id, rule.version): rule.sha256 for rule in now.rules}
    helpers = {helper.name: helper.sha256 for helper in now.helpers}
    found: list[str] = []
    for rule in locked.rules:
        key = (rule.id, rule.version)
        old = f"history/{rule.id.replace('-', '_')}_v{rule.version}.py"
        if key not in rules:
            found.append(
                f"version {rule.version} of {rule.id} is locked, but no file holds it:"
                f" put its text back as {old}"
            )
        elif rules[key] != rule.sha256:
            found.append(
                f"{files[key].name}: version {rule.version} of {rule.id} was edited after it was"
                f" locked. A rule that has judged is never edited: put the old text back as {old},"
                f" give the edited one version {rule.version + 1}, then run"
                " `python -m policies lock`"
            )
    found += [
        f"{helper.name}.py: verdicts rest on this helper, and it is not what was locked. Put it"
        " back, write the change as a helper of another name, and let new versions of the rules"
        " import that one"
        for helper in locked.helpers
        if helpers.get(helper.name) != helper.sha256
    ]
    return found


def unlocked(locked: Lock, now: Lock, files: dict[tuple[str, int], Path]) -> list[str]:
    """What is not locked yet: each with its file and what to do."""
    rules = {(rule.id, rule.version) for rule in locked.rules}
    helpers = {helper.name for helper in locked.helpers}
    names = [files[(r.id, r.version)].name for r in now.rules if (r.id, r.version) not in rules]
    names += [f"{helper.name}.py" for helper in now.helpers if helper.name not in helpers]
    return [f"{name} is not locked: run `python -m policies lock`" for name in names]
