"""What goes wrong on purpose, as a sentence and an exit code."""

from typing import Final, NamedTuple

import psycopg
from psycopg_pool import PoolTimeout

from api.failed import Failed
from api.pages.visible import in_one_line
from api.settings import SettingWrong
from api.xes import XesError
from domain.refusals import Refusal
from ledger.asked import Unavailable
from ledger.errors import LedgerError
from ledger.personal.key_files import WrongForKeys
from policies import PolicyLoadError
from projections import UnknownProjection

CHECK_FAILED: Final = 1
WRONG_USE: Final = 2
STORE_AWAY: Final = 3


class Explained(NamedTuple):
    """The end of a command: what to tell, and the exit code."""

    said: str
    code: int


def explain(error: Exception) -> Explained | None:
    """What to tell of an error; None for one that nobody raised on purpose."""
    match error:
        case SettingWrong() | XesError() | UnknownProjection() | WrongForKeys():
            return Explained(str(error), WRONG_USE)
        case Refusal():
            return Explained(_sentence(error.detail), WRONG_USE)
        case Unavailable() | LedgerError():
            return Explained(_sentence(str(error)), STORE_AWAY)
        case psycopg.OperationalError() | PoolTimeout():
            return Explained(
                "The database does not answer. See that it runs and that its URL is right, then "
                "run this again.",
                STORE_AWAY,
            )
        case PolicyLoadError() | Failed():
            return Explained(str(error), CHECK_FAILED)
        case OSError() if error.filename is not None:
            return Explained(f"{in_one_line(error.filename)}: {error.strerror}.", WRONG_USE)
        case _:
            return None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
