"""Text that somebody else wrote, shown so that it cannot pretend to be more than text.

Escaping keeps it from being markup. What remains are characters that nobody sees and that change
what is read: controls, and the overrides that make a line run from right to left. They are shown by
their number. Scripts that run from right to left by nature are left as they are.
"""

import unicodedata
from typing import Final

_LET_STAND: Final = frozenset("\n\t\u200c\u200d")  # the joiners shape words of several scripts
_LINE_ENDS: Final = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\u0085": "\n"})
_UNSEEN: Final = frozenset(("Cc", "Cf", "Cs"))


def visible(value: object) -> object:
    """A text without unseen characters; markup of our own and other values as they are."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    if value.isascii() and value.isprintable():
        return value
    plain = value.replace("\r\n", "\n").replace("\r", "\n").translate(_LINE_ENDS)
    return "".join(_shown(letter) for letter in plain)


def _shown(letter: str) -> str:
    if letter in _LET_STAND or unicodedata.category(letter) not in _UNSEEN:
        return letter
    return f"⟨U+{ord(letter):04X}⟩"
