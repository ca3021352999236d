"""The keys of a witness: one of Ed25519, made at its first start, and of ML-DSA-44 if asked for.

They lie in one file of its directory, a private key a line, and have the witness's name. Whoever
verifies dossiers was given the public ones; a witness that loses its keys is another witness.
"""

import os
from pathlib import Path
from typing import Final

from ledger.durable import replace_durably, sync_directory
from ledger.personal.key_files import KeyFileError, WrongForKeys, locked_directory, read_key_file
from ledger.proof.key_kinds import Kind
from ledger.proof.note import NoteError, Signer

KEY_FILE: Final = "witness.key"
_BYTES_MAX: Final = 8192


def open_witness_keys(
    directory: Path, *, name: str | None = None, ml_dsa: bool = False
) -> tuple[Signer, ...]:
    """The keys in `directory`, made there where there are none.

    Args:
        directory: the witness's; made, with mode 0700, where it is not there.
        name: of the witness, needed where there are no keys yet; later it must be theirs.
        ml_dsa: make a key of ML-DSA-44 as well, unless there is one.

    Raises:
        KeyFileError: the keys are missing and unnamed, another's, unreadable or readable by others.
    """
    path = directory / KEY_FILE
    try:
        if not os.path.lexists(path) and name is None:
            raise KeyFileError(
                f"There is no witness in {directory}. Begin one by naming it (--name), best as an "
                "address without scheme, such as witness.example.org/hiring; or name the right "
                "directory (--data)."
            )
        with locked_directory(directory):
            signers = _read(path) if os.path.lexists(path) else ()
            called = next((signer.name for signer in signers), name or "")
            if name not in (None, called):
                raise WrongForKeys(
                    f"The witness in {directory} is called {called}. A witness keeps its name: "
                    "leave --name out, or begin another one in a directory of its own."
                )
            kinds = (Kind.ED25519_COSIGNATURE, *((Kind.MLDSA44_COSIGNATURE,) if ml_dsa else ()))
            there = {signer.kind for signer in signers}
            missing = [kind for kind in kinds if kind not in there]
            if missing:
                signers = (*signers, *(Signer.generate(called, kind) for kind in missing))
                # A crash before this leaves what was there: nobody has seen the new keys.
                replace_durably(path, "".join(f"{one.private_text}\n" for one in signers).encode())
                sync_directory(directory.parent)
            return signers
    except NoteError as error:
        raise WrongForKeys(f"A witness cannot be called so. {error}") from None
    except OSError as error:
        raise KeyFileError(
            f"The witness's directory {directory} can be neither read nor made ({error.strerror}). "
            "Make it one that this account may write, or name another (--data)."
        ) from error


def _read(path: Path) -> tuple[Signer, ...]:
    raw = read_key_file(path, _BYTES_MAX)
    try:
        signers = tuple(map(Signer.from_text, raw.decode("ascii").splitlines()))
    except (UnicodeDecodeError, NoteError):
        signers = ()
    kinds = [signer.kind for signer in signers]
    same = len({signer.name for signer in signers}) == 1 and len(set(kinds)) == len(kinds)
    if not same or Kind.ED25519 in kinds:
        raise KeyFileError(
            f"The key file {path} does not hold the keys of a witness: private keys of one name, a "
            "line each, of type 4 or 6. Restore it from the backup of the keys."
        )
    return signers
