"""Decision hygiene: one rule, one file. A rule sees a case and says what it finds; nothing else.

`load()` reads every rule of this folder and every older version in `history/`, and fails closed: it
raises rather than start with a rule missing, unclear or edited.
"""

import importlib
import pkgutil
from pathlib import Path

import msgspec

from policies._catalogue import Catalogue as Catalogue
from policies._catalogue import Entry as Entry
from policies._lock import LOCK_FILE, Lock, edited, lock_of, read_lock, unlocked
from policies._policy import Policy as Policy


class PolicyLoadError(Exception):
    """The rules cannot be trusted as they are; each problem says which file, and what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def load(package: str = "policies") -> Catalogue:
    """Every rule, locked and complete, or `PolicyLoadError`."""
    rules, old, files = read_rules(package)
    folder = folder_of(package)
    try:
        locked = read_lock(folder) or Lock()
    except msgspec.MsgspecError as error:
        raise PolicyLoadError(f"{LOCK_FILE} cannot be read: restore it") from error
    now = lock_of(folder, files)
    wrong = edited(locked, now, files) + unlocked(locked, now, files)
    if wrong:
        raise PolicyLoadError(*wrong)
    digests = {(rule.id, rule.version): rule.sha256 for rule in now.rules}
    return Catalogue(rules, old, digests)


Files = dict[tuple[str, int], Path]


def read_rules(package: str) -> tuple[list[Policy], list[Policy], Files]:
    """The rules of a package, those of its `history`, and the file of each id and version."""
    files: Files = {}
    rules = _read(package, files, old=False)
    old = _read(f"{package}.history", files, old=True)
    current = {rule.id: rule.version for rule in rules}
    for rule in old:
        if rule.version >= current.get(rule.id, rule.version + 1):
            raise PolicyLoadError(
                f"{files[(rule.id, rule.version)].name}: history holds older versions only;"
                f" {rule.id} is at version {current[rule.id]}"
            )
    return rules, old, files


def _read(package: str, files: Files, *, old: bool) -> list[Policy]:
    rules: list[Policy] = []
    folder = folder_of(package)
    for name in sorted(module.name for module in pkgutil.iter_modules([str(folder)])):
        file = folder / f"{name}.py"
        if name.startswith("_") or not file.exists():
            continue
        rule = _rule(f"{package}.{name}", file)
        _check(rule, file, old=old)
        key = (rule.id, rule.version)
        if key in files:
            raise PolicyLoadError(
                f"{file.name}: version {rule.version} of {rule.id} stands in {files[key].name} too;"
                " one of them needs another version"
            )
        rules.append(rule)
        files[key] = file
    return rules


def folder_of(package: str) -> Path:
    """Where a package lies."""
    return Path(next(iter(importlib.import_module(package).__path__)))


def _rule(module: str, file: Path) -> Policy:
    try:
        rule: object = getattr(importlib.import_module(module), "POLICY", None)
    except Exception as error:
        raise PolicyLoadError(f"{file.name}: cannot be imported; correct it") from error
    if not isinstance(rule, Policy):
        raise PolicyLoadError(
            f"{file.name}: has no POLICY; a file of this folder is a rule, a helper's name begins"
            " with _"
        )
    return rule


def _check(rule: Policy, file: Path, *, old: bool) -> None:
    stem = rule.id.replace("-", "_") + (f"_v{rule.version}" if old else "")
    if file.stem != stem:
        raise PolicyLoadError(
            f"{file.name}: its POLICY says version {rule.version} of {rule.id}, so the file must"
            f" be {stem}.py"
        )
    missing = {"accepted", "refused"} - {example.kind for example in rule.examples}
    if missing:
        raise PolicyLoadError(
            f"{file.name}: has no example that is {' or '.join(sorted(missing))}; give one of each"
        )
