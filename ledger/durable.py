"""Files that outlast a power cut: written whole beside the old one, then put in its place."""

import os
from pathlib import Path

UNFINISHED = ".new"


def replace_durably(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put a file's new content in place of the old: whoever reads finds all of one or the other.

    Only one caller at a time may do this for one path; the caller's lock sees to that. Raises
    `OSError` when it cannot, and then the old file is as it was.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    # 1. What a crash left under this name was never in force.
    write_new(unfinished, content, mode=mode)
    # 2. The content is on disk under a name that nobody reads: a crash here leaves the old file.
    unfinished.replace(path)
    # 3. Readers see the new content, but its name may still be in memory alone: after a power cut
    #    the old one could be back, so nobody is told yet.
    sync_directory(path.parent)
    # 4. Now it stays.


def write_new(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Writes a file anew, its content durably; its name is so after `sync_directory`."""
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        give_to_owner_of(path.parent, file.fileno())
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """Makes the directory's names durable; everything on the machine, where we may not open it."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        os.sync()
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give_to_owner_of(directory: Path, made: Path | int) -> None:
    """What root makes in somebody's directory is theirs, so that their service can read it."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.chown(made, owner.st_uid, owner.st_gid)
